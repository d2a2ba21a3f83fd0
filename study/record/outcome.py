"""What a study has come to so far, by its tables: the best, the confirmed, the answered.

Runs on the driver.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from fer_record import remaining
from fer_record.journal import Row, read
from fer_record.tables import Tables
from fer_stats.measures import guesses, of_answers
from fer_stats.metric import without_copies
from study import Mistake
from study.config.study import Setting, Study, to_dict


def best(tables: Tables, study: Study) -> dict[str, Row]:
    """Network of the study -> its best search trial."""
    return tables.best(study.models, study.objective)


def wanted(study: Study) -> list[Setting]:
    """A study without a search confirms its settings, or each network with the fixed values."""
    settings = [s for s in study.settings if s.values["model"] in study.models]
    return settings or [Setting(model, {"model": model}) for model in study.models]


def with_search(study: Study, tables: Tables) -> Study:
    """The study with the search that it had, where it goes on with the confirmation alone: what is
    trained is what was searched then, and its settings only where nothing was."""
    searches = "search" in study.stages or not tables.of_stage("search")
    return study if searches else replace(study, stages=("search", *study.stages))


def due(tables: Tables, study: Study) -> list[str]:
    """The names of all models that are to be confirmed, as `remaining.due` has them."""
    return [*remaining.due(to_dict(study), tables)]


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


def past(folder: Path) -> Tables:
    """A study's tables by its journal, or, of a published one, by its parquet files."""
    tables = Tables.of(read(folder / "events.jsonl"))
    if tables.trials:
        return tables
    rows = {name: kept(folder / f"{name}.parquet") for name in ("trials", "epochs")}
    for name, (table, why) in rows.items():
        if why:
            raise Mistake(f"{folder}/{name}.parquet can't be read ({why}): restore it from a copy")
        for row in table.to_pylist() if table else ():
            if name == "trials":
                tables.trials[row["trial_id"]] = row
            else:
                tables.epochs[row["trial_id"], row["epoch"]] = row
    return tables


def answered(folder: Path) -> set[str]:
    """The models whose answers on val and test are kept."""
    table, _ = kept(folder / "predictions.parquet")
    return set() if table is None else set(table["trial_id"].unique().to_pylist())


def copied(folder: Path, predictions: Any) -> Any:
    """Of each answer, a frame's row, whether its image is an exact or near copy of one trained on,
    as far as that was looked for."""
    table, _ = kept(folder / "images.parquet", key="image")
    exact = predictions["duplicate"].fillna(False).astype(bool)
    if table is None or "near" not in table.column_names:
        return exact
    near = table.select(["split", "image", "near"]).to_pandas()
    marks = predictions[["split", "image"]].merge(near, "left", on=["split", "image"])["near"]
    return exact | marks.fillna(False).astype(bool).to_numpy()


def of_split(folder: Path, answers: Any, split: str, unseen: bool) -> Any:
    """The answers, a frame, to val or test; `unseen` leaves out those to copies of what was trained
    on, where others are left."""
    rows = answers[answers["split"] == split]
    if unseen and (fresh := ~copied(folder, rows)).any():
        return rows[fresh]
    return rows


def on_val(folder: Path, study: Study, data: Row) -> dict[str, dict[str, Any]]:
    """The measures of each network that has answered on the images of val by which confirmed
    settings are chosen, and how many `images` those are: all of val, without copies of training
    images where the study judges without. `data` is that of study.json."""
    table, _ = kept(folder / "predictions.parquet")
    if table is None:
        return {}
    frame, classes = table.to_pandas(), list(data["classes"])
    rows = of_split(folder, frame, "val", without_copies(study.val_copies, data))
    label = rows["label"].map({name: k for k, name in enumerate(classes)}).to_numpy(int)
    guess = guesses(rows[[f"p_{name}" for name in classes]].to_numpy(float))
    return {
        str(name): {"images": len(at), **of_answers(label[at], guess[at], len(classes))}
        for name, at in rows.groupby("trial_id", sort=False).indices.items()
    }


def kept(
    path: Path, columns: pa.Schema | None = None, key: str = "trial_id"
) -> tuple[pa.Table | None, str]:
    """A table of answers, or of images by another `key`, and why it can't be read if it is damaged;
    neither where there is none.

    Such damage comes from outside: the file is only ever replaced whole. Its pages have checksums,
    and its `columns`, which have none, are known.
    """
    if not path.exists():
        return None, ""
    try:
        table = pq.read_table(path, page_checksum_verification=True)
        table.validate(full=True)
        if not table.schema.equals(columns or table.schema) or key not in table.schema.names:
            raise ValueError("its columns are others")
        return table, ""
    except Exception as error:  # there is no error that damage can't make Arrow raise
        if isinstance(error, OSError) and error.errno:  # the disk's, not the file's
            raise
        return None, (str(error).splitlines() or [type(error).__name__])[0]
