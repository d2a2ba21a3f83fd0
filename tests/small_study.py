"""A small study on drawn faces: its command line, its process, and what it leaves."""

import subprocess
import sys
import time
from pathlib import Path

import optuna
import pandas as pd

from benchmarks.chaos.studies import otherwise
from fer_record.journal import read

# One network, few faces: about ten seconds with Ray's start.
SMALL = [
    "--preset",
    "smoke",
    "--models",
    "alexnet",
    "--data",
    "faces:140",
    "--batch-size",
    "32,64",
    "--trials",
    "4",
    "--epochs",
    "3",
    "--name",
    "small",
]
ONE_BY_ONE = [*SMALL, "--max-concurrent", "1", "--seeds", "2"]
PATIENCE = 900  # seconds that a busy machine may need for what takes a quiet one ten


def small(*words: str, base: list[str] = SMALL) -> list[str]:
    """The words of the small study, but for the flags that are said otherwise."""
    return otherwise(base, *words)


def tables(folder: Path) -> dict[str, pd.DataFrame]:
    names = ("trials", "epochs", "decisions", "predictions")
    return {name: pd.read_parquet(folder / f"{name}.parquet") for name in names}


def told(folder: Path, event: str) -> list[dict]:
    return [e for e in read(folder / "events.jsonl") if e["event"] == event]


def optuna_states(folder: Path) -> list[str]:
    backend = optuna.storages.journal.JournalFileBackend(str(folder / "optuna.log"))
    study = optuna.load_study(study_name=None, storage=optuna.storages.JournalStorage(backend))
    return [trial.state.name for trial in study.trials]


def tables_of_search(folder: Path) -> pd.DataFrame:
    return pd.read_parquet(folder / "trials.parquet").query("stage == 'search'")


def driver(*arguments: str, folder: Path) -> subprocess.Popen:
    """study.run in a process of its own, in its own session."""
    return subprocess.Popen(
        [sys.executable, "-m", "study.run", *arguments, "--address", "local"],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def wait_for(path: Path, text: str, process: subprocess.Popen) -> None:
    deadline = time.monotonic() + PATIENCE
    while not path.exists() or text not in path.read_text():
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < deadline, f"'{text}' never stood in {path}"
        time.sleep(0.02)


def end_group(process: subprocess.Popen) -> None:
    """What a killed driver leaves of its own Ray: its session's processes."""
    subprocess.run(["pkill", "-KILL", "-s", str(process.pid)], check=False)
