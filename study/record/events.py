"""The journal's grammar: every event, who writes it, and what each of its fields means.

`driver.session` refuses to write anything else. docs/artefacts.md holds this table, under a test.
"""

from dataclasses import dataclass, field

from fer_record.journal import Event
from study.record.schemas import DECISIONS, EPOCHS, TRIALS, Columns

ALWAYS = {
    "event": "name of the event",
    "time": "when it was written, UTC",
    "block": "on the first line of several that were written together: how many they are",
    "crc": "CRC-32 of the line's bytes before it",
}


def columns(table: Columns, *names: str) -> dict[str, str]:
    """Fields that are columns of an artefact table too, and mean the same there."""
    return {name: table[name][1] for name in names or table}


TRIAL = {"trial_id": "as in trials.parquet"}


@dataclass(frozen=True)
class Kind:
    """An event: what has happened, the file that writes it, its fields and their meanings."""

    meaning: str
    writer: str
    fields: dict[str, str]
    optional: dict[str, str] = field(default_factory=dict)


EVENTS = {
    "driver_started": Kind(
        "a driver begins a study or goes on with it",
        "study/driver/stages.py",
        {
            "host": "name of its machine",
            "pid": "its process",
            "resumed": "whether there were trials before it",
        },
        {
            "study": "configuration that it runs with, as in study.json",
            "flags": "what was given beside its preset, as in study.json",
            "device": "cpu or cuda",
            "why_this_size": "why the preset is sized so",
            "started_at": "when the study began, UTC",
            "data": "name and digest of the data set",
            "earlier": "trials of earlier studies that the sampler knows, as in study.json",
            "changed": "what of the search --resume has widened, as in study.json",
            "seeds_after_test": "seeds that were added after test was opened, as in study.json",
            "git": "commit, whether files differ from it, digest of the code",
            "versions": "Python and the libraries that decide a result",
            "hardware": "its machine and the cluster",
        },
    ),
    "trial_started": Kind(
        "Tune mentions a trial for the first time",
        "study/driver/recorder.py",
        TRIAL
        | {
            "hp": "its hyperparameters",
            **columns(TRIALS, "stage", "setting", "gpus", "parameters", "multiply_adds"),
        },
    ),
    "trial_continued": Kind(
        "a trial that a spent budget had stopped goes on",
        "study/driver/recorder.py",
        TRIAL,
        {"epochs": "its whole length, if it has more than when it began"},
    ),
    "trial_retried": Kind(
        "a trial has failed and starts again from its last checkpoint",
        "study/driver/recorder.py",
        TRIAL | {"error": "last line of its error"},
    ),
    "fell_back": Kind(
        "a trial trains an epoch again that it had reported: no checkpoint of it is whole",
        "study/driver/recorder.py",
        TRIAL | {"epoch": "the epoch", "told": "the last epoch that it had reported"},
    ),
    "epoch_done": Kind(
        "a trial has trained and validated an epoch",
        "study/driver/recorder.py",
        {n: meaning for n, meaning in columns(EPOCHS).items() if n not in ("cores", "finished_at")}
        | TRIAL
        | columns(TRIALS, "node", "device", "microbatches"),
    ),
    "rung_judged": Kind(
        "early stopping has judged a trial at a rung; in one block with the epoch",
        "study/driver/recorder.py",
        columns(DECISIONS) | TRIAL,
    ),
    "trial_ended": Kind(
        "a trial has ended",
        "study/driver/recorder.py",
        TRIAL | {"status": "completed, stopped or failed", "reason": "why"},
        {"error": "last line of its error", "traceback": "all that Tune kept of its errors"},
    ),
    "chosen": Kind(
        "a configuration will be confirmed; all of them in one block",
        "study/driver/confirm.py",
        {
            "setting": "its name: the network's, or that of a fixed setting",
            "from_trial": "the search trial that it is of; empty for a fixed setting",
            "hp": "its hyperparameters, without a seed",
        },
        {
            **columns(EPOCHS, "val_accuracy", "val_balanced_accuracy", "val_macro_f1"),
            "epoch": "at which that was, of that search trial",
            "beside": "of a default or a runner-up: the best of the search that it stands beside",
        },
    ),
    "test_opened": Kind(
        "a confirmed network is about to be evaluated on test, for the first time",
        "study/driver/confirm.py",
        TRIAL | {"images": "images of test"},
        {"look": "which study this is of those that opened these images, as in study.json"},
    ),
    "prediction_failed": Kind(
        "a confirmed network gave no predictions",
        "study/driver/confirm.py",
        TRIAL | {"error": "what its worker raised"},
    ),
    "study_ended": Kind(
        "a driver ends",
        "study/driver/stages.py",
        {"status": "complete or interrupted", "reason": "why"},
    ),
}


def check(event: Event) -> None:
    """ValueError for an event that the grammar doesn't have: a mistake of ours, not a person's."""
    kind = EVENTS.get(event["event"])
    if kind is None:
        raise ValueError(f"no event is named {event['event']!r}")
    given = event.keys() - ALWAYS.keys()
    if missing := kind.fields.keys() - given:
        raise ValueError(f"{event['event']} lacks {', '.join(sorted(missing))}")
    if unknown := given - kind.fields.keys() - kind.optional.keys():
        raise ValueError(f"{event['event']} has no {', '.join(sorted(unknown))}")
