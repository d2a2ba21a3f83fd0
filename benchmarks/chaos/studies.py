"""Small studies as processes of their own: begun, watched, killed, and compared row for row."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import optuna
import pandas as pd

from fer_record.journal import Event, read
from study.config.hyperparameters import FIELDS

# One network, few drawn faces: an epoch is a fraction of a second on an idle core.
SMALL = [
    "--preset", "smoke", "--models", "alexnet", "--data", "faces:28", "--batch-size", "8,16",
    "--address", "local",
]  # fmt: skip
CLOCKS = ["started_at", "ended_at", "finished_at", "epoch_seconds", "images_per_second",
          "memory_mib"]  # fmt: skip
TABLES = ("trials", "epochs", "decisions", "predictions")


def otherwise(base: list[str], *words: str) -> list[str]:
    """The flags of `base`, each with its value, but for those that `words` give another one: a flag
    that is given twice is refused."""
    given = dict(zip(words[::2], words[1::2], strict=True))
    kept = dict(zip(base[::2], base[1::2], strict=True))
    return [word for pair in (kept | given).items() for word in pair]


def begin(folder: Path, *arguments: str) -> subprocess.Popen:
    """`python -m study.run` in a session of its own, with `folder` as its working folder."""
    root = str(Path(__file__).parents[2])
    path = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH", "")]))
    return subprocess.Popen(
        [sys.executable, "-m", "study.run", *arguments],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def events(folder: Path, name: str = "") -> list[Event]:
    return [e for e in read(folder / "events.jsonl") if name in ("", e["event"])]


def wait_for(process: subprocess.Popen, folder: Path, count: int, name: str = "") -> bool:
    """Until the journal holds so many events of a name; False if the driver ended before."""
    while len(events(folder, name)) < count:
        if process.poll() is not None:
            return False
        time.sleep(0.01)
    return True


def left(session: int) -> dict[int, str]:
    """The processes of a session, by its leader's id, with their names; the dead but unburied of
    whoever collects orphans here aren't counted."""
    words = ["ps", "-s", str(session), "-o", "pid=,stat=,comm="]
    found = subprocess.run(words, capture_output=True, text=True).stdout  # rc 1: there is none
    rows = [line.split(maxsplit=2) for line in found.splitlines()]
    return {int(row[0]): row[2] for row in rows if row and not row[1].startswith("Z")}


def gone(session: int, within: float) -> float:
    """Seconds until nothing of a session is left; what is there after `within` is killed: inf."""
    began = time.monotonic()
    while there := left(session):
        if time.monotonic() - began > within:
            print(f"still there: {there}", file=sys.stderr)
            for number in there:
                os.kill(number, signal.SIGKILL)
            return float("inf")
        time.sleep(0.1)
    return time.monotonic() - began


def frames(folder: Path) -> dict[str, pd.DataFrame]:
    """The tables that are there, without what a clock or a memory says."""
    return {
        name: pd.read_parquet(folder / f"{name}.parquet").drop(columns=CLOCKS, errors="ignore")
        for name in TABLES
        if (folder / f"{name}.parquet").exists()
    }


def differences(one: Path, other: Path) -> list[str]:
    """The tables in which two studies differ, row for row, apart from times."""
    these, those = frames(one), frames(other)
    return [n for n in {*these, *those} if n not in these or not these[n].equals(those.get(n))]


def optuna_states(folder: Path) -> list[str]:
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    backend = optuna.storages.journal.JournalFileBackend(str(folder / "optuna.log"))
    study = optuna.load_study(study_name=None, storage=optuna.storages.JournalStorage(backend))
    return [trial.state.name for trial in study.trials]


def tried_twice(folder: Path) -> int:
    """Search trials whose hyperparameters, the seed apart, another one had already."""
    trials = pd.read_parquet(folder / "trials.parquet").query("stage == 'search'")
    searched = [f"hp_{name}" for name in FIELDS if name != "seed"]
    return int(trials.duplicated(searched).sum())


def told_again(folder: Path) -> int:
    """Epochs that the journal tells more than once: work done or reported a second time."""
    done = [(e["trial_id"], e["epoch"]) for e in events(folder, "epoch_done")]
    return len(done) - len(set(done))


def most_again(done: list[Event], since: int) -> int:
    """Of the epochs told from `since` on, how many of one trial had been told before: what a single
    fault has cost the trial that it cost most."""
    before = {(e["trial_id"], e["epoch"]) for e in done[:since]}
    again = Counter(e["trial_id"] for e in done[since:] if (e["trial_id"], e["epoch"]) in before)
    return max(again.values(), default=0)


def row(fault: str, n: int | str, held: dict[str, bool], figures: str) -> int:
    """Print a line of the README's table; the exit code says whether everything held."""
    told = ", ".join(what if true else f"NOT {what}" for what, true in held.items())
    print(f"| {fault} | {n} | {told} | {figures} |", flush=True)
    return 0 if all(held.values()) else 1
