"""How the journal's events become the rows of the artefact tables.

`Tables` is the only place where events are turned into rows; it serves the parquet files, the live
display, `python -m study.status`, the explorer and the driver itself after a restart.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from fer_data import Mistake
from fer_record.journal import Event, Row


@dataclass
class Tables:
    """A study as its journal tells it so far."""

    trials: dict[str, Row] = field(default_factory=dict)
    epochs: dict[tuple[str, int], Row] = field(default_factory=dict)
    decisions: dict[tuple[str, int], Row] = field(default_factory=dict)
    chosen: dict[str, Row] = field(default_factory=dict)  # setting -> its hyperparameters
    opened: list[str] = field(default_factory=list)  # trials for which test was opened
    look: int = 0  # which study this is of those that opened these test images, if that is known
    unanswered: dict[str, str] = field(default_factory=dict)  # trial -> why it gave no predictions
    last: dict[str, Row] = field(default_factory=dict)  # trial -> its newest epoch
    wall_seconds: float = 0.0  # over all drivers
    gpu_seconds: float = 0.0  # in epochs, also those that had to be trained again
    drivers: list[Row] = field(default_factory=list)  # each with its code, libraries and machine
    began: datetime | None = None  # the newest driver
    moment: datetime | None = None  # of the newest event, from the first driver's on

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
        if self.moment and name != "driver_started":
            self.wall_seconds += max(0.0, (moment - self.moment).total_seconds())
        if self.moment or name == "driver_started":
            self.moment = moment
        if name in FOLDS:
            FOLDS[name](self, row, moment)

    @classmethod
    def of(cls, events: Iterable[Event]) -> "Tables":
        tables = cls()
        for number, event in enumerate(events, 1):
            try:
                tables.add(event)
            except (KeyError, TypeError, ValueError, AttributeError) as error:
                if isinstance(error, Mistake):
                    raise
                raise Mistake(
                    f"event {number} of the journal can't be understood ({error!r}): it was "
                    "damaged, or written by another version; restore it from a copy"
                ) from None
        return tables

    def of_stage(self, stage: str) -> dict[str, Row]:
        return {name: row for name, row in self.trials.items() if row["stage"] == stage}

    def best(self, models: Iterable[str], objective: str = "val_accuracy") -> dict[str, Row]:
        """Network -> its best search trial: of those that came furthest, the highest in what the
        study is judged by, a column of the epochs.

        Comparing at the furthest epoch only keeps the fidelity equal. A network without one
        finished epoch is absent.
        """
        found = {model: self.ranked(model, objective) for model in models}
        return {model: rows[0] for model, rows in found.items() if rows}

    def ranked(self, model: str, objective: str = "val_accuracy") -> list[Row]:
        """A network's search trials with an epoch, best first as `best` has it."""
        rows = []
        for name, trial in self.of_stage("search").items():
            last = self.last.get(name)
            if trial["hp_model"] == model and last is not None and trial["status"] != "failed":
                told = {"epoch": last["epoch"], "val_accuracy": last["val_accuracy"]}
                rows.append({"trial_id": name, **told, objective: last[objective]})
        rows.sort(key=lambda row: (row["epoch"], row[objective]), reverse=True)
        return rows  # of two that are equal the earlier first


def driver_started(tables: Tables, row: Row, moment: datetime) -> None:
    tables.drivers.append(row)
    tables.began = moment
    tables.unanswered.clear()  # it asks them again


def trial_started(tables: Tables, row: Row, moment: datetime) -> None:
    hp = {f"hp_{key}": value for key, value in row.pop("hp").items()}
    blank = {"status": "running", "reason": "", "error": "", "retries": 0, "microbatches": 1}
    tables.trials[row["trial_id"]] = {**blank, "started_at": moment, **row, **hp}


def trial_continued(tables: Tables, row: Row, moment: datetime) -> None:
    trial = tables.trials[row["trial_id"]]
    trial.update(status="running", reason="", ended_at=None)
    trial["hp_epochs"] = row.get("epochs", trial.get("hp_epochs"))


def trial_retried(tables: Tables, row: Row, moment: datetime) -> None:
    trial = tables.trials[row["trial_id"]]
    trial.update(retries=trial["retries"] + 1, error=row["error"])


def epoch_done(tables: Tables, row: Row, moment: datetime) -> None:
    trial, key = tables.trials[row["trial_id"]], (row["trial_id"], row["epoch"])
    trial.update({name: row.pop(name) for name in ("node", "device", "microbatches")})
    before = tables.epochs.get(key, {})
    row.setdefault("gpus", trial["gpus"])  # older drivers told it of the trial alone
    row["cores"] = cores(tables)
    if before.get("epoch_seconds") != row["epoch_seconds"]:
        tables.gpu_seconds += row["epoch_seconds"] * row["gpus"]
    else:  # only reported again
        row["cores"] = before["cores"]
    tables.epochs[key] = tables.last[row["trial_id"]] = row | {"finished_at": moment}


def cores(tables: Tables) -> int | None:
    """That the driver at work gives a trial, which may be others than the driver before it gave;
    None where an older one hasn't told its study."""
    driver = tables.drivers[-1] if tables.drivers else {}
    return (driver.get("study") or {}).get("cpus_per_trial")


def rung_judged(tables: Tables, row: Row, moment: datetime) -> None:
    tables.decisions[row["trial_id"], row["rung"]] = row


def trial_ended(tables: Tables, row: Row, moment: datetime) -> None:
    tables.trials[row["trial_id"]].update(row, ended_at=moment)


def chosen(tables: Tables, row: Row, moment: datetime) -> None:
    tables.chosen[row["setting"]] = row


def test_opened(tables: Tables, row: Row, moment: datetime) -> None:
    tables.opened.append(row["trial_id"])
    tables.look = row.get("look", tables.look)


def prediction_failed(tables: Tables, row: Row, moment: datetime) -> None:
    tables.unanswered[row["trial_id"]] = row["error"]


# What an event of study.record.events changes in the tables; the others change nothing.
FOLDS: dict[str, Callable[[Tables, Row, datetime], None]] = {
    fold.__name__: fold
    for fold in (
        driver_started,
        trial_started,
        trial_continued,
        trial_retried,
        epoch_done,
        rung_judged,
        trial_ended,
        chosen,
        test_opened,
        prediction_failed,
    )
}


def inside(name: Any) -> bool:
    """Whether a name from a journal, perhaps a stranger's, stays in the folder that it is for."""
    return isinstance(name, str) and name not in (".", "..") and not {"/", "\0"} & {*name}


def settings_of(trial: Row) -> dict[str, Any]:
    """A trial's hyperparameters from its row, by their own names."""
    return {name[3:]: value for name, value in trial.items() if name.startswith("hp_")}
