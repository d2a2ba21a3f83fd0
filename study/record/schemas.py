"""The artefact tables: their columns, what each means, and how a table is written.

Runs on the driver.
"""

from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from fer_record.journal import Row
from fer_record.tables import Tables
from study.config.hyperparameters import FIELDS, kind
from study.storage import atomic

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
    "microbatches": (
        WHOLE,
        "gradient accumulation steps of a batch, to fit into memory; 1 is none",
    ),
    "gpus": (REAL, "share of a GPU it was given when it began; 0 on a CPU"),
    "started_at": (MOMENT, "UTC"),
    "ended_at": (MOMENT, "UTC"),
    "parameters": (WHOLE, "parameters of its network, frozen ones too"),
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
    "gpus": (REAL, "share of a GPU that it was trained on; absent before 2026-11-29: the trial's"),
    "cores": (WHOLE, "of a CPU, that it was trained with; absent before 2026-11-29: the study's"),
    "memory_mib": (REAL, "peak: of the trial on a CUDA device, of the worker process on a CPU"),
    "val_balanced_accuracy": (REAL, "mean recall of the classes; absent before 2026-11-28"),
    "val_macro_f1": (REAL, "mean F1 of the classes; likewise"),
    "finished_at": (MOMENT, "UTC"),
}
DECISIONS: Columns = {
    "trial_id": (TEXT, "as in trials"),
    "epoch": (WHOLE, "epoch at which it was judged"),
    "rung": (WHOLE, "epochs of the rung"),
    "value": (REAL, "val measure that was judged (the study's metric), fraction"),
    "cutoff": (REAL, "in force at that moment, fraction; absent for the first at a rung"),
    "trials_at_rung": (WHOLE, "trials judged there before it"),
    "decision": (TEXT, "continue or stop"),
}
PREDICTIONS: Columns = {
    "trial_id": (TEXT, "as in trials"),
    "split": (TEXT, "val or test"),
    "image": (WHOLE, "row of the source's table (FER+: kept row) from 0, or place in sorted files"),
    "label": (TEXT, "class name"),
    "duplicate": (
        pa.bool_(),
        "a test image whose pixels also occur in train or val, or a val image whose pixels also "
        "occur in train (never marked by studies before 2026-11-27)",
    ),
    "p_CLASS": (pa.float32(), "probability of each class, one column a class"),
}
IMAGES: Columns = {
    "split": (TEXT, "val or test"),
    "image": (WHOLE, "as in predictions"),
    "pixels": (TEXT, "first 16 hex digits of the sha256 of its grey levels"),
    "near": (pa.bool_(), "a near copy of one in train or, of test, in val; other pixels"),
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


def schema(columns: Columns) -> pa.Schema:
    return pa.schema([(name, of_type) for name, (of_type, _) in columns.items()])


def predictions_columns(classes: Iterable[str]) -> Columns:
    """PREDICTIONS with a probability column for each class."""
    fixed = {name: column for name, column in PREDICTIONS.items() if name != "p_CLASS"}
    return fixed | {f"p_{name}": PREDICTIONS["p_CLASS"] for name in classes}


def write_tables(tables: Tables, folder: Path) -> None:
    """Replace trials, epochs and decisions.parquet by what the journal says now."""
    write_table(folder / "trials.parquet", list(tables.trials.values()), TRIALS)
    write_table(folder / "epochs.parquet", list(tables.epochs.values()), EPOCHS)
    write_table(folder / "decisions.parquet", list(tables.decisions.values()), DECISIONS)


def write_table(path: Path, rows: list[Row], columns: Columns) -> None:
    """A parquet file with exactly these columns, replaced whole."""
    store(path, pa.Table.from_pylist(rows, schema(columns)))


def store(path: Path, table: pa.Table) -> None:
    """Replace a parquet file whole, with checksums, without which half of all damage is silent."""
    atomic.replace(path, lambda file: pq.write_table(table, file, write_page_checksum=True))
