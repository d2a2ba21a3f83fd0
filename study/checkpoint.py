"""A trial's state on disk, written so that a crash at any moment leaves a whole one behind.

Runs in the worker, which writes and reads, and on the driver, which clears. One folder a trial;
the newest two epochs are kept, so that a file cut short falls back to the one before.
"""

import os
import shutil
import sys
from pathlib import Path
from typing import Any

import torch

KEPT = 2


def save(folder: Path, state: dict[str, Any]) -> None:
    """Write the state of `fit` as epoch_NNNNN.pt: beside, fsync, rename."""
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"epoch_{state['record']['epoch']:05d}.pt"
    beside = target.with_suffix(f".tmp{os.getpid()}")
    try:
        with beside.open("wb") as file:
            torch.save(state, file)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(target)
    except RuntimeError as error:  # what torch makes of a disk that fills up half-way
        cause = error.__context__
        raise (cause if isinstance(cause, OSError) else error) from None
    finally:
        beside.unlink(missing_ok=True)
    for old in epochs(folder)[:-KEPT]:
        old.unlink()


def load(folder: Path) -> dict[str, Any] | None:
    """The newest whole state, on the CPU, or None; what can't be read is passed over and told."""
    for path in reversed(epochs(folder)):
        try:
            return torch.load(path, map_location="cpu", weights_only=True)
        except Exception as error:  # there is no error that damage can't make torch raise
            print(f"{path} can't be read ({error}); the one before is used", file=sys.stderr)
    return None


def epochs(folder: Path) -> list[Path]:
    return sorted(folder.glob("epoch_*.pt"))


def reduce(folder: Path) -> None:
    """Keep the newest state alone: the trained network of a confirmed trial."""
    for old in epochs(folder)[:-1]:
        old.unlink()


def clear(folder: Path) -> None:
    """A trial that has ended needs no state."""
    shutil.rmtree(folder, ignore_errors=True)
