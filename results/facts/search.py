"""What the search found and whether it can be believed: frames of trials, epochs, decisions."""

import math
from typing import Any

import numpy as np
import pandas as pd

from results.artefacts.load import Findings
from results.artefacts.once import once
from results.facts import statistics as st

EDGE = 0.05  # an optimum within this share of a range's end lies on its edge
ENOUGH = 5  # trials of one network below which nothing is said of a hyperparameter


@once
def searched(findings: Findings) -> pd.DataFrame:
    """The search's trials with their last epoch, last judged value, epochs run and seconds, which
    are GPU-seconds where a trial had a GPU or a share of one.

    A trial without an epoch has an accuracy of 0: it was paid for and gave nothing.
    """
    trials = findings.trials[findings.trials["stage"] == "search"].copy()
    epochs = findings.epochs.sort_values("epoch")
    gpus = epochs["gpus"].where(epochs["gpus"] > 0, 1.0)  # a share of a GPU costs that share
    epochs = epochs.assign(cost=pd.to_numeric(epochs["epoch_seconds"]) * gpus)
    run = epochs.groupby("trial_id").agg(
        epochs_run=("epoch", "size"),
        last_epoch=("epoch", "max"),
        judged=("judged", "last"),
        val_accuracy=("val_accuracy", "last"),
        seconds=("cost", "sum"),
        least=("gpus", "min"),
    )
    trials = trials.merge(run, on="trial_id", how="left")
    ran = trials["judged"].notna()
    for column in ("epochs_run", "last_epoch", "judged", "val_accuracy", "seconds"):
        trials[column] = pd.to_numeric(trials[column]).fillna(0)
    trials["ran"] = ran
    trials["gpus"] = trials.pop("least").fillna(pd.to_numeric(trials["gpus"]))
    return trials.rename(columns={"hp_model": "model"})


def val_images(findings: Findings) -> int:
    """How many images of val an epoch of this study was judged on; 0 where that isn't known."""
    whole = findings.study["data"].get("images", {}).get("val", 0)
    return int(min(whole, findings.study["study"].get("val_images") or whole))


def trained_images(findings: Findings, trials: pd.DataFrame) -> pd.Series:
    """How many images an epoch of each trial trains on: an epoch's shorter last batch is left out,
    but in studies before 2026-11-27."""
    whole = findings.study["data"].get("images", {}).get("train", 0)
    images = min(whole, findings.study["study"].get("train_images") or whole)
    batch = pd.to_numeric(trials["hp_batch_size"])
    return images // batch * batch


def on_gpus(trials: pd.DataFrame) -> bool:
    """Whether every epoch had a GPU or a share of one, so that its seconds are GPU-seconds."""
    return bool(len(trials)) and bool((pd.to_numeric(trials["gpus"]) > 0).all())


def counted(trials: pd.DataFrame) -> pd.Series:
    """What each trial's last judged value counts for: a failed one's nothing, whatever it had."""
    return trials["judged"].where(trials["status"] != "failed", 0.0)


def progress(trials: pd.DataFrame) -> pd.DataFrame:
    """Best judged value so far of each network against trials, epochs and seconds of computing, in
    the `order` in which the trials of all networks ended."""
    done = trials[trials["status"] != "running"].sort_values("ended_at", kind="stable")
    frame = done[["model", "trial_id", "status", "judged", "epochs_run", "seconds"]].copy()
    frame["order"] = range(1, len(frame) + 1)
    grouped = frame.groupby("model", sort=False)
    frame["trials"] = grouped.cumcount() + 1
    frame["epochs"] = grouped["epochs_run"].cumsum()
    frame["seconds"] = grouped["seconds"].cumsum()
    frame["best"] = counted(frame).groupby(frame["model"], sort=False).cummax()
    columns = "model trial_id status order trials epochs seconds judged best".split()
    return frame[columns]


def expected(findings: Findings, trials: pd.DataFrame) -> pd.DataFrame:
    """Expected best judged value of n trials of each network, with the 10 and 90 % points.

    Epochs, seconds and multiply-adds are n times the network's mean; a training step counts three
    times its forward pass, for each of an epoch's images.
    """
    rows = []
    trials = trials.assign(images=trained_images(findings, trials))
    for model, group in trials[trials["status"] != "running"].groupby("model", sort=False):
        work = pd.to_numeric(group["multiply_adds"]) * group["epochs_run"] * 3 * group["images"]
        for n, (mean, low, high) in enumerate(st.expected_best(counted(group).array), 1):
            rows.append(
                {
                    "model": model,
                    "trials": n,
                    "epochs": n * group["epochs_run"].mean(),
                    "seconds": n * group["seconds"].mean(),
                    "multiply_adds": n * work.mean(),
                    "expected": mean,
                    "low": low,
                    "high": high,
                }
            )
    columns = "model trials epochs seconds multiply_adds expected low high".split()
    return pd.DataFrame(rows, columns=columns)


def space(findings: Findings, model: str) -> dict[str, Any]:
    """The search space of a network: what is given for it alone overrides what is given for all,
    and what none of its trials has (a gate's order, without a gate) isn't in it."""
    whole = findings.study["study"].get("space", {})
    models = {key for key, value in whole.items() if isinstance(value, dict) and "low" not in value}
    specific = whole.get(model, {}) if model in models else {}
    given = {key: value for key, value in whole.items() if key not in models} | specific
    known = had(findings)
    if model not in known.index:
        return given
    absent = {name for name in known if not known.loc[model, name]}
    return {key: value for key, value in given.items() if f"hp_{key}" not in absent}


@once
def had(findings: Findings) -> pd.DataFrame:
    """Whether any trial of a network (a row) has a value in a column of trials."""
    return findings.trials.groupby("hp_model").count() > 0


def is_log(findings: Findings, name: str) -> bool:
    """Whether this hyperparameter was searched on a logarithmic scale, for any network."""
    models = findings.study["study"].get("models", [])
    domains = [space(findings, model).get(name) for model in models]
    return any(isinstance(domain, dict) and bool(domain.get("log")) for domain in domains)


def varied(findings: Findings, trials: pd.DataFrame) -> list[str]:
    """The hyperparameters, without hp_, that differ between the trials of some network."""
    names = [name for name in trials if name.startswith("hp_") and name != "hp_seed"]
    groups = [group for _, group in trials.groupby("model")]
    return [name[3:] for name in names if any(g[name].nunique() > 1 for g in groups)]


def influence(findings: Findings, trials: pd.DataFrame) -> pd.DataFrame:
    """How judged value follows each numeric hyperparameter at one epoch that all trials reached.

    Spearman's rank correlation; for one that isn't a number, the share of the ranks' variance
    between its values (eta squared). Neither says anything of interactions; both are NaN where most
    trials are on a plateau, since a handful of others would decide them. To be set side by side:
    `adjusted_r2`, the share of the ranks' variance less what as many values give by chance.
    """
    rows = []
    for model, group in trials[trials["ran"]].groupby("model", sort=False):
        if len(group) < ENOUGH:
            continue
        epoch = int(group["last_epoch"].min())
        at = findings.epochs[findings.epochs["epoch"] == epoch].set_index("trial_id")
        accuracy = pd.to_numeric(group["trial_id"].map(at["judged"]))
        flat, value = st.on_plateau(accuracy.dropna().to_numpy(float)), accuracy.rank()
        for name in varied(findings, group):
            column = group[f"hp_{name}"]
            there = column.notna() & value.notna()
            row = {
                "model": model,
                "hyperparameter": name,
                "epoch": epoch,
                "trials": int(there.sum()),
                "spearman": np.nan,
                "eta_squared": np.nan,
                "adjusted_r2": np.nan,
            }
            if flat:
                pass  # neither can be told
            elif is_number(column):
                row["spearman"] = st.spearman(
                    pd.to_numeric(column[there]).to_numpy(float), value[there].to_numpy(float)
                )
                row["adjusted_r2"] = adjusted(row["spearman"] ** 2, row["trials"], 1)
            else:
                row["eta_squared"] = eta_squared(column[there].astype(str), value[there])
                degrees = column[there].nunique() - 1
                row["adjusted_r2"] = adjusted(row["eta_squared"], row["trials"], degrees)
            rows.append(row)
    columns = "model hyperparameter epoch trials spearman eta_squared adjusted_r2".split()
    return pd.DataFrame(rows, columns=columns)


def adjusted(share: float, trials: int, degrees: int) -> float:
    """Adjusted R²: a share of variance less what so many degrees of freedom explain by chance; NaN
    where they leave none."""
    left = trials - 1 - degrees
    return 1 - (1 - share) * (trials - 1) / left if left > 0 else np.nan


def eta_squared(groups: pd.Series, values: pd.Series) -> float:
    """The share of the variance of the ranks that lies between the groups; NaN without variance."""
    ranks = values.rank()
    between = ranks.groupby(groups).transform("mean").var()
    return float(between / ranks.var()) if ranks.var() else np.nan


def is_number(column: pd.Series) -> bool:
    kind = column.dropna().infer_objects()
    return pd.api.types.is_numeric_dtype(kind) and not pd.api.types.is_bool_dtype(kind)


def best(trials: pd.DataFrame) -> pd.DataFrame:
    """Each network's best trial: of those that came furthest, the highest judged value."""
    fit = trials[trials["ran"] & (trials["status"] != "failed")]
    ordered = fit.sort_values(["last_epoch", "judged"], ascending=False, kind="stable")
    return ordered.drop_duplicates("model").sort_values("model")


def edges(findings: Findings, trials: pd.DataFrame) -> pd.DataFrame:
    """Hyperparameters whose best value lies on the edge of the search space."""
    rows = []
    for _, trial in best(trials).iterrows():
        for name, domain in space(findings, trial["model"]).items():
            value = trial.get(f"hp_{name}")
            if value is None or pd.isna(value):
                continue
            side, words = edge(domain, value)
            if side:
                rows.append(
                    {
                        "model": trial["model"],
                        "hyperparameter": name,
                        "best": value,
                        "searched": words,
                        "edge": side,
                    }
                )
    return pd.DataFrame(rows, columns=["model", "hyperparameter", "best", "searched", "edge"])


def edge(domain: Any, value: Any) -> tuple[str, str]:
    """'low', 'high' or '' and the searched range in words. Two values have no inside to miss."""
    if isinstance(domain, dict) and {"low", "high"} <= set(domain):
        low, high, at = domain["low"], domain["high"], float(value)
        words = f"{low:g} to {high:g}" + (", log" if domain.get("log") else "")
        if domain.get("log"):
            low, high, at = math.log(low), math.log(high), math.log(at)
        place = (at - low) / (high - low) if high > low else 0.5
        return ("low" if place <= EDGE else "high" if place >= 1 - EDGE else ""), words
    numbers = isinstance(domain, list) and all(type(one) in (int, float) for one in domain)
    if numbers and len(set(domain)) > 2:
        words = ", ".join(f"{one:g}" for one in sorted(domain))
        return ("low" if value == min(domain) else "high" if value == max(domain) else ""), words
    return "", ""


def winners_curse(findings: Findings) -> pd.DataFrame:
    """The search's best judged value beside that of the same configuration with fresh seeds: on the
    same images of val, which are those that an epoch is judged on, and at the same epoch.

    `mean`, `low` and `high` are of the seeds; a setting of which none came so far is left out.
    """
    confirmed = findings.trials[findings.trials["stage"] == "confirm"]
    each = findings.epochs.merge(confirmed[["trial_id", "setting"]], on="trial_id")
    handed = findings.chosen
    won = handed[handed["from_trial"].astype(bool) & handed["beside"].isna()]
    rows = []
    for _, row in won.iterrows():
        again = each[(each["setting"] == row["setting"]) & (each["epoch"] == row["epoch"])]
        value = pd.to_numeric(again["judged"])
        if value.empty:
            continue
        rows.append(
            {
                "setting": row["setting"],
                "from_trial": row["from_trial"],
                "epoch": int(row["epoch"]),
                "images": val_images(findings),
                "searched": float(row["judged"]),
                "mean": value.mean(),
                "low": value.min(),
                "high": value.max(),
                "seeds": len(value),
                "lost": float(row["judged"]) - value.mean(),
            }
        )
    columns = "setting from_trial epoch images searched mean low high seeds lost".split()
    return pd.DataFrame(rows, columns=columns)
