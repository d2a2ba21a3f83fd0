"""The artefact tables: their columns, and how events become their rows.

Runs on the driver. `Tables` is the only place where events are turned into rows; it serves the
parquet files, the live display and the driver itself after a restart.
"""

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from study import Mistake
from study.hyperparameters import FIELDS, kind
from study.journal import Event

Row = dict[str, Any]
Columns = dict[str, tuple[pa.DataType, str]]

TEXT, WHOLE, REAL = pa.string(), pa.int64(), pa.float64()
MOMENT = pa.timestamp("ms", tz="UTC")
OF_TYPE = {str: TEXT, int: WHOLE, float: REAL, bool: pa.bool_()}

TRIALS: Columns = {
    "trial_id": (TEXT, "t and its number in the search, or setting and seed in the confirmation"),
    "stage": (TEXT, "search or confirm"),
    "setting": (TEXT, "name of the fixed setting that it trains; empty for a proposal"),
    "status": (TEXT, "running (not ended), completed, stopped, failed"),
    "reason": (TEXT, "why it ended"),
    "error": (TEXT, "last line of its error, empty if none"),
    "retries": (WHOLE, "times it was started again after a failure"),
    "node": (TEXT, "host that trained its last epoch"),
    "device": (TEXT, "device that trained its last epoch"),
    "microbatches": (WHOLE, "parts that its batches were cut into to fit into memory; 1 is whole"),
    "gpus": (REAL, "share of a GPU it was given; 0 on a CPU"),
    "started_at": (MOMENT, "UTC"),
    "ended_at": (MOMENT, "UTC"),
    "parameters": (WHOLE, "trainable numbers of its network"),
    "multiply_adds": (WHOLE, "of convolutions and linear layers, one image forward"),
    **{f"hp_{name}": (OF_TYPE[kind(name)], f.metadata["help"]) for name, f in FIELDS.items()},
}
EPOCHS: Columns = {
    "trial_id": (TEXT, "as in trials"),
    "epoch": (WHOLE, "passes completed, from 1"),
    "train_loss": (REAL, "nats per image, as trained (augmented, with dropout)"),
    "train_accuracy": (REAL, "fraction, likewise"),
    "val_loss": (REAL, "nats per image"),
    "val_accuracy": (REAL, "fraction"),
    "lr": (REAL, "in force at the epoch's last step"),
    "epoch_seconds": (REAL, "wall, training and validation"),
    "images_per_second": (REAL, "of the training part"),
    "memory_mib": (REAL, "peak: of the trial on a CUDA device, of the worker process on a CPU"),
    "finished_at": (MOMENT, "UTC"),
}
DECISIONS: Columns = {
    "trial_id": (TEXT, "as in trials"),
    "epoch": (WHOLE, "epoch at which it was judged"),
    "rung": (WHOLE, "epochs of the rung"),
    "value": (REAL, "val_accuracy that was judged, fraction"),
    "cutoff": (REAL, "in force at that moment, fraction; absent for the first at a rung"),
    "trials_at_rung": (WHOLE, "trials judged there before it"),
    "decision": (TEXT, "continue or stop"),
}
PREDICTIONS: Columns = {
    "trial_id": (TEXT, "as in trials"),
    "split": (TEXT, "val or test"),
    "image": (WHOLE, "row of the source's table from 0, or place in its sorted files"),
    "label": (TEXT, "class name"),
    "duplicate": (
        pa.bool_(),
        "a test image whose pixels also occur in train or val, or a val image whose pixels also "
        "occur in train (never marked by studies before 2026-11-27)",
    ),
    "p_CLASS": (pa.float32(), "probability of each class, one column a class"),
}
ATTENTION: Columns = {
    "trial_id": (TEXT, "as in trials, of confirmed CBAM networks"),
    "split": (TEXT, "val or test"),
    "image": (WHOLE, "as in predictions"),
    "side": (WHOLE, "rows, and columns, of the map"),
    "weights": (
        pa.binary(),
        "0 to 1 of a late spatial gate: side x side float16, little-endian, row by row",
    ),
}


@dataclass
class Tables:
    """A study as its journal tells it so far."""

    trials: dict[str, Row] = field(default_factory=dict)
    epochs: dict[tuple[str, int], Row] = field(default_factory=dict)
    decisions: dict[tuple[str, int], Row] = field(default_factory=dict)
    chosen: dict[str, Row] = field(default_factory=dict)  # setting -> its hyperparameters
    opened: list[str] = field(default_factory=list)  # trials for which test was opened
    unanswered: dict[str, str] = field(default_factory=dict)  # trial -> why it has no predictions
    last: dict[str, Row] = field(default_factory=dict)  # trial -> its newest epoch
    wall_seconds: float = 0.0  # over all drivers
    gpu_seconds: float = 0.0  # in epochs, also those that had to be trained again
    ended: Event | None = None

    def add(self, event: Event) -> None:
        """Fold one event in. A repeated epoch or decision replaces the earlier: last one wins."""
        name, row = event["event"], {k: v for k, v in event.items() if k not in ("event", "time")}
        for key in ("trial_id", "setting"):  # they name folders, which are made and removed
            if not inside(row.get(key, "")):
                raise Mistake(
                    f"the journal has the {key} {row[key]!r}, which leads out of the study's "
                    "folder: don't trust where it came from"
                )
        moment = datetime.fromisoformat(event["time"])
        if name == "driver_started":
            self._moment = moment
            self.ended = None
        elif hasattr(self, "_moment"):
            self.wall_seconds += max(0.0, (moment - self._moment).total_seconds())
            self._moment = moment
        if name == "trial_started":
            hp = {f"hp_{key}": value for key, value in row.pop("hp").items()}
            self.trials[row["trial_id"]] = {
                "status": "running",
                "reason": "",
                "error": "",
                "retries": 0,
                "microbatches": 1,
                "started_at": moment,
                **row,
                **hp,
            }
        elif name == "trial_continued":
            self.trials[row["trial_id"]].update(status="running", reason="", ended_at=None)
        elif name == "trial_retried":
            trial = self.trials[row["trial_id"]]
            trial["retries"] += 1
            trial["error"] = row["error"]
        elif name == "epoch_done":
            where = {name: row.pop(name) for name in ("node", "device", "microbatches")}
            trial, before = (
                self.trials[row["trial_id"]],
                self.epochs.get((row["trial_id"], row["epoch"]), {}),
            )
            trial.update(where)
            if before.get("epoch_seconds") != row["epoch_seconds"]:  # else only told again
                self.gpu_seconds += row["epoch_seconds"] * trial["gpus"]
            self.epochs[row["trial_id"], row["epoch"]] = self.last[row["trial_id"]] = {
                **row,
                "finished_at": moment,
            }
        elif name == "rung_judged":
            self.decisions[row["trial_id"], row["rung"]] = row
        elif name == "trial_ended":
            self.trials[row["trial_id"]].update(row, ended_at=moment)
        elif name == "chosen":
            self.chosen[row["setting"]] = row
        elif name == "test_opened":
            self.opened.append(row["trial_id"])
        elif name == "prediction_failed":
            self.unanswered[row["trial_id"]] = row["error"]
        elif name == "study_ended":
            self.ended = event

    @classmethod
    def of(cls, events: Iterable[Event]) -> "Tables":
        tables = cls()
        for event in events:
            tables.add(event)
        return tables

    def of_stage(self, stage: str) -> dict[str, Row]:
        return {name: row for name, row in self.trials.items() if row["stage"] == stage}

    def write(self, folder: Path) -> None:
        """Replace trials, epochs and decisions.parquet by what the journal says now."""
        write_table(folder / "trials.parquet", list(self.trials.values()), TRIALS)
        write_table(folder / "epochs.parquet", list(self.epochs.values()), EPOCHS)
        write_table(folder / "decisions.parquet", list(self.decisions.values()), DECISIONS)


def inside(name: Any) -> bool:
    """Whether a name from a journal, perhaps a stranger's, stays in the folder that it is for."""
    plain = isinstance(name, str) and "\0" not in name and name != ".."
    return plain and (not name or Path(name).name == name)


def settings_of(trial: Row) -> dict[str, Any]:
    """A trial's hyperparameters from its row, by their own names."""
    return {name[3:]: value for name, value in trial.items() if name.startswith("hp_")}


def schema(columns: Columns) -> pa.Schema:
    return pa.schema([(name, of_type) for name, (of_type, _) in columns.items()])


def predictions_columns(classes: Iterable[str]) -> Columns:
    """PREDICTIONS with a probability column for each class."""
    fixed = {name: column for name, column in PREDICTIONS.items() if name != "p_CLASS"}
    return fixed | {f"p_{name}": PREDICTIONS["p_CLASS"] for name in classes}


def write_table(path: Path, rows: list[Row], columns: Columns) -> None:
    """A parquet file with exactly these columns, replaced whole."""
    replace_whole(
        path, lambda beside: pq.write_table(pa.Table.from_pylist(rows, schema(columns)), beside)
    )


def write_json(path: Path, value: dict[str, Any]) -> None:
    text = json.dumps(value, indent=2) + "\n"
    replace_whole(path, lambda beside: beside.write_text(text))


def replace_whole(path: Path, write: Any) -> None:
    """Write beside, fsync, rename: a reader sees the old file or the new one, never a part."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        write(beside)
        with beside.open("rb") as file:
            os.fsync(file.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
