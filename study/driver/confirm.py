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
import ray

from fer_data.fer2013 import pixel_digests
from fer_record.journal import Event
from fer_record.tables import Tables, settings_of
from study.config import seeds
from study.config.hyperparameters import Hyperparameters, present
from study.config.study import Range, Setting, Study, configuration, default_of, domains
from study.data.datasets import Dataset, Split, subset
from study.driver import header, ledger
from study.driver.display import Display
from study.driver.failures import last_line
from study.driver.session import Session
from study.record import outcome
from study.record.schemas import (
    ATTENTION,
    IMAGES,
    PREDICTIONS,
    Columns,
    predictions_columns,
    schema,
    store,
)
from study.search.proposals import Config, inside, typical
from study.storage import places


def choose(session: Session) -> None:
    """Write down, once, what will be confirmed: each network's best, or the study's settings."""
    study = session.study
    if session.tables.chosen:
        return
    events = []
    if session.tables.of_stage("search"):
        best = outcome.best(session.tables, study)
        events += [of_search(session, model, row) for model, row in best.items()]
        if study.baseline_seeds:
            events += [one for event in list(events) for one in beside(session, event)]
    else:
        for setting in outcome.wanted(study):
            hp = present(configuration(study, setting))
            del hp["seed"]
            chosen = {"setting": setting.name, "from_trial": "", "hp": hp}
            events.append({"event": "chosen", **chosen})
    session.log(*events)  # one block: a crash leaves all of the choice or none of it


def of_search(session: Session, setting: str, row: dict[str, Any]) -> Event:
    """A trial of the search, chosen at the full budget."""
    hp = settings_of(session.tables.trials[row["trial_id"]]) | {"epochs": session.study.epochs}
    del hp["seed"]
    found = {name: value for name, value in row.items() if name != "trial_id"}
    told = {"event": "chosen", "setting": setting, "from_trial": row["trial_id"]}
    return {**told, **found, "hp": hp}


def beside(session: Session, best: Event) -> Iterator[Event]:
    """What is confirmed beside a network's best: its default, and the next best of the search.

    What trains the same as one before is left out: the default may be the best.
    """
    study, model = session.study, best["setting"]
    told, there = {"beside": model}, [best["hp"]]
    default = unsearched(study, model)
    if not same_training(default, best["hp"]):
        there.append(default)
        yield {
            "event": "chosen",
            "setting": default_of(model),
            "from_trial": "",
            "hp": default,
            **told,
        }
    place = 2
    for row in session.tables.ranked(model, study.objective):
        event = of_search(session, f"{model}-{place}", row)
        if place > 1 + study.runners_up:
            return
        if not any(same_training(event["hp"], one) for one in there):
            there.append(event["hp"])
            yield event | told
            place += 1


def unsearched(study: Study, model: str) -> dict[str, Any]:
    """What one would train without a search: the defaults, and where one lies outside the space
    (SGD's learning rate, and the study has AdamW) what the study tries first."""
    name = default_of(model)
    plain = configuration(study, Setting(name, {"model": model}))
    first = typical(study, model)
    values = {
        key: getattr(first, key)
        for key, (_, domain) in domains(study, model).items()
        if isinstance(domain, Range | tuple) and not inside(getattr(plain, key), domain)
    }
    found = present(configuration(study, Setting(name, {"model": model, **values})))
    del found["seed"]
    return found


def same_training(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return Hyperparameters(**one) == Hyperparameters(**other)


def configs(tables: Tables, study: Study) -> Iterator[tuple[Config, str]]:
    """The confirmation's trials with their setting's name, seed by seed: an early end is fair.
    None where nothing was chosen, since every trial of the search failed."""
    for name in outcome.due(tables, study) if tables.chosen else ():
        setting, _, number = name.rpartition("-s")
        seed = study.seed * seeds.A_STUDYS + seeds.FRESH + int(number)
        hp = replace(Hyperparameters(**tables.chosen[setting]["hp"]), seed=seed)
        yield {"trial_id": name, **present(hp)}, setting


def open_test(session: Session, display: Display) -> None:
    """Probabilities of each completed confirmed model on val and test, into predictions.parquet.

    Where a CBAM network looks goes into attention.parquet, for a few of the images. That test is
    opened for a model stands in the journal once, before its images are looked at; a driver that
    dies in between looks again and finds the same, without a second opening.
    """
    answers_path, maps_path = (
        session.folder / f"{name}.parquet" for name in ("predictions", "attention")
    )
    table, _ = readable(session, answers_path, predictions_columns(session.dataset.classes))
    maps, blind = readable(session, maps_path, ATTENTION)
    splits = {"val": session.whole_val, "test": session.dataset.test}
    store(session.folder / "images.parquet", image_rows(splits, session.dataset))
    some = {name: part(split, session.study) for name, split in splits.items()}
    completed = outcome.completed(session.tables)
    there = {name for name in completed if sound(table, name, splits, session.dataset)}
    names = [name for name in completed if name not in there or (blind and looks(session, name))]
    if not names:
        return
    waiting = asked(session, names, splits, some)
    for answered, (name, promise) in enumerate(waiting.items()):
        while not session.interrupted and not ray.wait([promise], timeout=0.5)[0]:
            session.mark()
            display.opening(session, answered, len(waiting))
        if session.interrupted:
            break
        try:
            probabilities, weights = ray.get(promise)
        except ray.exceptions.RayError as error:
            if session.lost(str(error)):
                break
            if name in there:
                session.say(f"where {name} looks can't be told any more: {last_line(str(error))}")
            else:
                failed = {"event": "prediction_failed", "trial_id": name, "error": str(error)}
                session.log(failed)
            continue
        if len(weights):  # first, so that whoever has answered has its maps too
            maps = with_rows(maps, attention_rows(name, weights, some))
            store(maps_path, maps)
        table = with_rows(table, prediction_rows(name, probabilities, splits, session.dataset))
        store(answers_path, table)


def looks(session: Session, name: str) -> bool:
    """Whether a model has maps of where it looks."""
    from study.training import attention

    return attention.there(Hyperparameters(**settings_of(session.tables.trials[name])))


def readable(session: Session, path: Path, columns: Columns) -> tuple[pa.Table | None, bool]:
    """A table of answers, and whether it was damaged: then it is put aside, to be made again."""
    table, why = outcome.kept(path, schema(columns))
    if why:
        session.say(f"{path} can't be read ({why}): the confirmed networks are asked again")
        path.replace(path.with_name(f"{path.name}.damaged"))
    return table, bool(why)


def sound(table: pa.Table | None, name: str, splits: dict[str, Split], dataset: Dataset) -> bool:
    """Whether a table has a model's answers on just these images, as far as that can be seen."""
    sizes = sum(len(split.labels) for split in splits.values())
    shares = np.full((sizes, len(dataset.classes)), 1 / len(dataset.classes), np.float32)
    expected = prediction_rows(name, shares, splits, dataset)
    if table is None:
        return False
    found = table.filter(pc.equal(table["trial_id"], name))
    given = [column for column in PREDICTIONS if column != "p_CLASS"]
    if not found.select(given).equals(expected.select(given)):
        return False
    total = sum(found[f"p_{c}"].to_numpy() for c in dataset.classes)
    return bool(np.all(np.isnan(total) | (abs(total - 1) < 1e-3)))


def asked(
    session: Session, names: list[str], splits: dict[str, Split], some: dict[str, Split]
) -> dict[str, ray.ObjectRef]:
    """What the workers will answer, by model: probabilities on `splits`, maps on `some`."""
    from study.worker import predict

    answers = ray.remote(predict.predicted).options(
        num_cpus=session.need["cpu"], num_gpus=session.need["gpu"]
    )
    images, looked_at = (
        ray.put(np.concatenate([split.images for split in of.values()])) for of in (splits, some)
    )
    if unopened := [name for name in names if name not in session.tables.opened]:
        about = {"look": look(session), "images": len(splits["test"].labels)}
        session.log(*({"event": "test_opened", "trial_id": one, **about} for one in unopened))
    session.store()  # whoever goes on, on whatever machine, knows of it before anyone has looked
    waiting = {}
    for name in names:
        if session.interrupted:
            break
        waiting[name] = answers.remote(
            settings_of(session.tables.trials[name]),
            images,
            looked_at,
            len(session.dataset.classes),
            session.device,
            session.checkpoints(name),
            int(session.need["cpu"]),
            session.study.own_networks,
        )
    return waiting


def look(session: Session) -> int:
    """Which study this is of those that opened these test images; in study.json before the first
    of its own openings is in the journal."""
    if "look_at_test" not in session.header:
        study = session.study
        session.header["look_at_test"] = ledger.opened(
            session.dataset.digest,
            study.name,
            [*session.tables.chosen],
            storage=places.at(study.storage) if study.storage else None,
            source=session.dataset.source[1],
            begun=session.header["started_at"],
        )
        header.write(session)
    return int(session.header["look_at_test"])


def part(split: Split, study: Study) -> Split:
    """The images whose attention is kept: the study's number, or all if there are fewer."""
    images = min(study.attention_images, len(split.labels))
    if not images:
        return split.taken(np.arange(0))
    return subset(split, images, study.seed)


def with_rows(table: pa.Table | None, rows: pa.Table) -> pa.Table:
    """The table with these rows in the place of those that it has of the same model."""
    if table is None:
        return rows
    others = pc.not_equal(table["trial_id"], rows["trial_id"][0])
    return pa.concat_tables([table.filter(others), rows])


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


def image_rows(splits: dict[str, Split], dataset: Dataset) -> pa.Table:
    """Rows of images.parquet, by which another copy of the data is matched with the answers."""
    columns: dict[str, Any] = {
        "split": np.repeat([*splits], [len(split.labels) for split in splits.values()]),
        "image": np.concatenate([split.ids for split in splits.values()]),
        "pixels": np.concatenate([pixel_digests(split.images) for split in splits.values()]),
        "near": np.concatenate([dataset.val_near, dataset.near]),
    }
    return pa.table(columns, schema(IMAGES))


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
