"""The confirmation: what is trained again with fresh seeds, and the opening of test. On the driver.

Test is seen here only, once per confirmed model, after its training has ended.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import ray
import torch

from study import Mistake, attention, checkpoint, train
from study.config import Setting, Study, configuration
from study.data import Dataset, Split, subset
from study.hyperparameters import Hyperparameters, present
from study.record import (
    ATTENTION,
    PREDICTIONS,
    Row,
    Tables,
    predictions_columns,
    replace_whole,
    schema,
    settings_of,
)
from study.search import Config
from study.session import Session
from study.storage import Place

FRESH_SEEDS = 50_000  # confirmation's seeds begin here, past any search trial's number


def best(tables: Tables, study: Study) -> dict[str, Row]:
    """Network -> its best search trial: of those that came furthest, the highest val_accuracy.

    Comparing at the furthest epoch only keeps the fidelity equal. A network without one
    finished epoch is absent.
    """
    found: dict[str, Row] = {}
    for name, trial in tables.of_stage("search").items():
        last = tables.last.get(name)
        if last is None or trial["status"] == "failed":
            continue
        row = {"trial_id": name, "epoch": last["epoch"], "val_accuracy": last["val_accuracy"]}
        model = trial["hp_model"]
        if model not in found or rank(row) > rank(found[model]):
            found[model] = row
    return {model: found[model] for model in study.models if model in found}


def rank(row: Row) -> tuple[int, float]:
    return row["epoch"], row["val_accuracy"]


def choose(session: Session) -> None:
    """Write down, once, what will be confirmed: each network's best, or the study's settings."""
    study = session.study
    if session.tables.chosen:
        return
    events = []
    if session.tables.of_stage("search"):
        for model, row in best(session.tables, study).items():
            trial = session.tables.trials[row["trial_id"]]
            hp = settings_of(trial) | {"epochs": study.epochs}
            del hp["seed"]
            found = {"from_trial": row["trial_id"], "val_accuracy": row["val_accuracy"]}
            chosen = {"setting": model, **found, "epoch": row["epoch"], "hp": hp}
            events.append({"event": "chosen", **chosen})
    else:
        for setting in wanted(study):
            hp = present(configuration(study, setting))
            del hp["seed"]
            chosen = {"setting": setting.name, "from_trial": "", "hp": hp}
            events.append({"event": "chosen", **chosen})
    session.log(*events)  # one block: a crash leaves all of the choice or none of it


def wanted(study: Study) -> list[Setting]:
    """A study without a search confirms its settings, or each network with the fixed values."""
    settings = [s for s in study.settings if s.values["model"] in study.models]
    return settings or [Setting(model, {"model": model}) for model in study.models]


def configs(tables: Tables, study: Study) -> Iterator[tuple[Config, str]]:
    """The confirmation's trials with their setting's name, seed by seed: an early end is fair."""
    for number in range(study.seeds):
        for setting, row in tables.chosen.items():
            seed = study.seed * 100_000 + FRESH_SEEDS + number
            hp = replace(Hyperparameters(**row["hp"]), seed=seed)
            yield {"trial_id": f"{setting}-s{number}", **present(hp)}, setting


def open_test(session: Session) -> None:
    """Probabilities of each completed confirmed model on val and test, into predictions.parquet.

    Where a CBAM network looks goes into attention.parquet, for a few of the images. That test is
    opened for a model stands in the journal once, before its images are looked at; a driver that
    dies in between looks again and finds the same, without a second opening.
    """
    path, beside = (session.folder / f"{name}.parquet" for name in ("predictions", "attention"))
    (table, why), (maps, _) = kept(path), kept(beside)
    if why:
        session.tell(f"{path} can't be read ({why}): the confirmed networks are asked again")
    there = answered(session.folder)
    names = [name for name in completed(session.tables) if name not in there]
    if not names:
        return
    splits = {"val": session.whole_val, "test": session.dataset.test}
    some = {name: part(split, session.study) for name, split in splits.items()}
    waiting = asked(session, names, splits, some)
    for name, promise in waiting.items():
        while not session.interrupted and not ray.wait([promise], timeout=0.5)[0]:
            pass
        if session.interrupted:
            break
        try:
            probabilities, weights = ray.get(promise)
        except ray.exceptions.RayError as error:
            if session.lost(str(error)):
                break
            session.log({"event": "prediction_failed", "trial_id": name, "error": str(error)})
            continue
        if len(weights):  # first, so that whoever has answered has its maps too
            maps = with_rows(maps, attention_rows(name, weights, some))
            replace_whole(beside, lambda at, maps=maps: pq.write_table(maps, at))
        table = with_rows(table, prediction_rows(name, probabilities, splits, session.dataset))
        replace_whole(path, lambda at, table=table: pq.write_table(table, at))


def asked(
    session: Session, names: list[str], splits: dict[str, Split], some: dict[str, Split]
) -> dict[str, ray.ObjectRef]:
    """What the workers will answer, by model: probabilities on `splits`, maps on `some`."""
    predict = ray.remote(predicted).options(
        num_cpus=session.need["cpu"], num_gpus=session.need["gpu"]
    )
    images, looked_at = (
        ray.put(np.concatenate([split.images for split in of.values()])) for of in (splits, some)
    )
    waiting = {}
    for name in names:
        if session.interrupted:
            break
        if name not in session.tables.opened:
            seen = len(splits["test"].labels)
            session.log({"event": "test_opened", "trial_id": name, "images": seen})
        waiting[name] = predict.remote(
            settings_of(session.tables.trials[name]),
            images,
            looked_at,
            len(session.dataset.classes),
            session.device,
            session.checkpoints(name),
            int(session.need["cpu"]),
        )
    return waiting


def part(split: Split, study: Study) -> Split:
    """The images whose attention is kept: the study's number, or all if there are fewer."""
    images = min(study.attention_images, len(split.labels))
    none = slice(0, 0)
    if not images:
        return Split(split.images[none], split.labels[none], split.ids[none])
    return subset(split, images, study.seed)


def with_rows(table: pa.Table | None, rows: pa.Table) -> pa.Table:
    """The table with these rows in the place of those that it has of the same model."""
    if table is None:
        return rows
    others = pc.not_equal(table["trial_id"], rows["trial_id"][0])
    return pa.concat_tables([table.filter(others), rows])


def kept(path: Path) -> tuple[pa.Table | None, str]:
    """A table of answers, and why it can't be read if it is damaged; neither where there is none.

    Such damage comes from outside: the file is only ever replaced whole.
    """
    if not path.exists():
        return None, ""
    try:
        return pq.read_table(path), ""
    except (pa.ArrowInvalid, pa.ArrowException) as error:
        return None, str(error).splitlines()[0]


def answered(folder: Path) -> set[str]:
    """The models whose answers on val and test are kept."""
    table, _ = kept(folder / "predictions.parquet")
    return set() if table is None else set(table["trial_id"].unique().to_pylist())


def due(tables: Tables, study: Study) -> list[str]:
    """The names of all models that are to be confirmed, done or not, as far as one can say."""
    settings = list(tables.chosen)
    if not settings and ("search" in study.stages or tables.of_stage("search")):
        settings = list(study.models)
    elif not settings:
        settings = [setting.name for setting in wanted(study)]
    return [f"{setting}-s{number}" for number in range(study.seeds) for setting in settings]


def passed_over(tables: Tables, study: Study) -> list[str]:
    """The networks that were searched and have no trial that could be confirmed."""
    if not tables.of_stage("search"):
        return []
    chosen = {row["hp"]["model"] for row in tables.chosen.values()} or set(best(tables, study))
    return [model for model in study.models if model not in chosen]


def completed(tables: Tables) -> list[str]:
    """The confirmed models that trained to their end."""
    confirmed = tables.of_stage("confirm").items()
    return [name for name, row in confirmed if row["status"] == "completed"]


def predicted(
    hp: dict[str, Any],
    images: np.ndarray,
    looked_at: np.ndarray,
    classes: int,
    device: str,
    folder: Place,
    threads: int,
) -> tuple[np.ndarray, np.ndarray]:
    """On a worker: the probabilities of a trial's last state, and where it looks if it has CBAM."""
    torch.set_num_threads(threads)
    state = checkpoint.load(folder)
    if state is None:
        raise Mistake(f"no trained network in {folder}: it was removed after its training")
    given = (classes, torch.device(device), state)
    trained = Hyperparameters(**hp)
    probabilities = train.predict(trained, images, *given)
    if trained.model != attention.MODEL or not len(looked_at):
        return probabilities, np.empty((0, 0, 0), np.float16)
    return probabilities, attention.maps(trained, looked_at, *given)


def prediction_rows(
    name: str, probabilities: np.ndarray, splits: dict[str, Split], dataset: Dataset
) -> pa.Table:
    """Rows of predictions.parquet for one model."""
    labels = np.concatenate([split.labels for split in splits.values()])
    sizes = [len(split.labels) for split in splits.values()]
    columns: dict[str, Any] = {
        "trial_id": [name] * len(labels),
        "split": np.repeat([*splits], sizes),
        "image": np.concatenate([split.ids for split in splits.values()]),
        "label": np.array(dataset.classes)[labels],
        "duplicate": np.concatenate([dataset.val_duplicate, dataset.duplicate]),
    }
    assert list(columns) == [name for name in PREDICTIONS if name != "p_CLASS"]
    columns |= {f"p_{c}": probabilities[:, k] for k, c in enumerate(dataset.classes)}
    return pa.table(columns, schema(predictions_columns(dataset.classes)))


def attention_rows(name: str, weights: np.ndarray, some: dict[str, Split]) -> pa.Table:
    """Rows of attention.parquet for one model; `weights` is float16 (N, side, side)."""
    columns: dict[str, Any] = {
        "trial_id": [name] * len(weights),
        "split": np.repeat([*some], [len(split.labels) for split in some.values()]),
        "image": np.concatenate([split.ids for split in some.values()]),
        "side": [weights.shape[1]] * len(weights),
        "weights": [one.astype("<f2").tobytes() for one in weights],
    }
    return pa.table(columns, schema(ATTENTION))
