"""Importance, worked out once for a state of a study and kept in its folder, below explorer/.

A thousand trials take a minute of forests. What is kept holds the state that it is of, and is made
anew where that or what makes it differs; a folder that can't be written to keeps nothing.
"""

import hashlib
import json
from collections.abc import Callable
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path

import pandas as pd

from results.artefacts.beside import replace
from results.artefacts.load import Findings
from results.facts import forest, importance, search, statistics

FILE = Path("explorer") / "importance.json"
MAKERS = ("optuna", "scikit-learn", "numpy")
CODE = (importance, forest, statistics)  # the modules that work it out
_known: dict[str, pd.DataFrame] = {}  # of this process, for folders that can't be written to


def importances(
    one: Findings, resamples: int = importance.RESAMPLES, say: Callable[[str], None] | None = None
) -> pd.DataFrame:
    """importance.importance of the whole search; `say` hears that it will take a while."""
    trials = search.searched(one)
    now = state(one, trials, resamples)
    if now not in _known:
        found = read(one.folder / FILE, now)
        if found is None:
            many = importance.reached(one, trials)["trials"].max() if len(trials) else 0
            if say and many >= importance.ENOUGH:
                say(f"Importance of hyperparameters, {one.name}: {len(trials):,} trials …")
            found = importance.importance(one, trials, resamples)
            if len(found):
                write(one.folder / FILE, now, found)
        _known[now] = found
    return _known[now].copy()


def state(one: Findings, trials: pd.DataFrame, resamples: int) -> str:
    """A digest of all that importance is made of."""
    settings = [name for name in trials if name.startswith("hp_")]
    parts = [
        trials[["trial_id", "model", "ran", "last_epoch", *settings]].to_csv(index=False),
        one.epochs[["trial_id", "epoch", "judged"]].to_csv(index=False),
        one.decisions[["trial_id", "rung"]].to_csv(index=False),
        *(json.dumps(search.space(one, model)) for model in trials["model"].unique()),
        *[f"{name} {version(name)}" for name in MAKERS],
        *[Path(str(module.__file__)).read_text(encoding="utf-8") for module in CODE],
        str(resamples),
    ]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def read(path: Path, now: str) -> pd.DataFrame | None:
    """What is kept of this state, if anything."""
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
        if kept["state"] == now:
            return pd.DataFrame(kept["columns"])
    except (OSError, ValueError, KeyError, TypeError):
        return None  # nothing there, or nothing of ours
    return None


def write(path: Path, now: str, found: pd.DataFrame) -> None:
    columns = found.to_dict("list")  # every digit; to_json would keep ten decimals
    text = json.dumps({"state": now, "columns": columns})
    with suppress(OSError):  # read-only, or full: it is worked out again
        replace(path, text)
