"""What a study found, in a screenful: for the end of a run. Runs on the driver."""

import math
from pathlib import Path

import pandas as pd

from study.config import Study
from study.confirm import best
from study.display import percent
from study.record import Tables


def interval(hits: float, images: int) -> tuple[float, float]:
    """95 % Wilson score interval of a share (Wilson 1927): the spread by the choice of images."""
    z, share = 1.959964, hits / images
    centre = (share + z * z / (2 * images)) / (1 + z * z / images)
    half = (
        z
        / (1 + z * z / images)
        * math.sqrt(share * (1 - share) / images + z * z / (4 * images * images))
    )
    return centre - half, centre + half


def searched(tables: Tables, study: Study) -> pd.DataFrame:
    """The best configuration of each network, a row each."""
    rows = []
    for model, found in best(tables, study).items():
        trial = tables.trials[found["trial_id"]]
        rows.append(
            {
                "network": model,
                "trial": found["trial_id"],
                "batch": trial["hp_batch_size"],
                "lr": f"{trial['hp_lr']:.4g}",
                "epochs": f"{found['epoch']}/{study.epochs}",
                "val": percent(found["val_accuracy"]),
            }
        )
    return pd.DataFrame(rows)


def confirmed(tables: Tables, predictions: pd.DataFrame, classes: list[str]) -> pd.DataFrame:
    """Accuracy by setting over its seeds: on val, test, both, and test without duplicates."""
    share = predictions[[f"p_{name}" for name in classes]].to_numpy()
    hit = (
        pd.Series([classes[k] for k in share.argmax(1)], predictions.index) == predictions["label"]
    )
    frame = predictions[["trial_id", "split", "duplicate"]].assign(hit=hit)
    frame["setting"] = frame["trial_id"].map(
        {n: row["setting"] for n, row in tables.trials.items()}
    )
    rows = []
    for setting in tables.chosen:
        own = frame[frame["setting"] == setting]
        if own.empty:
            continue
        test = own[own["split"] == "test"]
        by_seed = test.groupby("trial_id")["hit"].mean()
        images = len(test) // len(by_seed)
        low, high = interval(test["hit"].mean() * images, images)
        rows.append(
            {
                "setting": setting,
                "seeds": len(by_seed),
                "val": percent(own.loc[own["split"] == "val", "hit"].mean()),
                "test": percent(test["hit"].mean()),
                "95 % (images)": f"{100 * low:.1f} to {100 * high:.1f} %",
                "sd (seeds)": f"{100 * by_seed.std():.2f}" if len(by_seed) > 1 else "one seed",
                "val+test": percent(own["hit"].mean()),
                "test, no duplicates": percent(test.loc[~test["duplicate"], "hit"].mean()),
            }
        )
    return pd.DataFrame(rows)


def report(folder: Path, study: Study, tables: Tables, classes: tuple[str, ...]) -> str:
    """The text printed at the end."""
    parts = []
    found = searched(tables, study)
    if len(found):
        parts += ["Best configuration of each network (search):", table(found), ""]
    path = folder / "predictions.parquet"
    if path.exists():
        held = confirmed(tables, pd.read_parquet(path), list(classes))
        parts += ["Confirmed with fresh seeds, on images never used for a choice:", table(held), ""]
    failed = [name for name, row in tables.trials.items() if row["status"] == "failed"]
    if failed:
        parts += [f"{len(failed)} failed: {', '.join(failed)} (trials.parquet says why)", ""]
    return "\n".join(parts)


def table(frame: pd.DataFrame) -> str:
    return frame.to_string(index=False)
