"""A trial's state on disk or in a bucket; a crash at any moment leaves a whole one behind.

Runs in the worker, which writes and reads, and on the driver, which clears. One folder a trial;
the newest two epochs are kept, so that a file cut short falls back to the one before.
Training doesn't wait for the disk: a Writer writes an epoch's state while the next one trains.
"""

import zipfile
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import nullcontext
from io import BytesIO
from pathlib import Path
from typing import Any

import torch

from study import complain
from study.storage import atomic, places
from study.storage.places import Bucket, Place

KEPT = 2


def save(folder: Place, state: dict[str, Any]) -> None:
    """Write the state of `fit` as epoch_NNNNN.pt, on a disk or in a bucket."""
    name = file_of(state["record"]["epoch"])
    if isinstance(folder, Bucket):
        content = BytesIO()
        torch.save(state, content)
        places.patiently(lambda: places.write(folder / name, content.getbuffer()))
        places.patiently(lambda: thin(folder, KEPT))
        return
    folder.mkdir(parents=True, exist_ok=True)
    try:
        atomic.replace(folder / name, lambda file: torch.save(state, file))
    except RuntimeError as error:  # what torch makes of a disk that fills up half-way
        cause = error.__context__
        raise (cause if isinstance(cause, OSError) else error) from None
    thin(folder, KEPT)


def file_of(epoch: int) -> str:
    """The name of the file that holds the state after an epoch."""
    return f"epoch_{epoch:05d}.pt"


class Writer:
    """Writes states on a thread of its own, one at a time, so that at most one epoch is at risk."""

    def __init__(self, device: torch.device) -> None:
        self.pool = ThreadPoolExecutor(1, "checkpoint")
        self.pending: tuple[Place, Future[None]] | None = None
        self.stream = torch.cuda.Stream(device) if device.type == "cuda" else None

    def save(self, folder: Place, state: dict[str, Any]) -> None:
        """Copy the state where it lives and begin to write it, when the one before is written."""
        self.wait()
        copy = copied(state)
        if self.stream is not None:
            self.stream.wait_stream(torch.cuda.current_stream(self.stream.device))
        self.pending = folder, self.pool.submit(self.written, folder, copy)

    def written(self, folder: Place, state: dict[str, Any]) -> None:
        with torch.cuda.stream(self.stream) if self.stream is not None else nullcontext():
            save(folder, state)

    def wait(self) -> None:
        """Until what was begun is on disk; what went wrong there is raised here."""
        pending, self.pending = self.pending, None
        if pending is None:
            return
        folder, written = pending
        try:
            written.result()
        except FileNotFoundError:
            # A folder that is gone: the trial has ended, and the driver cleared it in mid-write.
            if isinstance(folder, Bucket) or folder.exists():
                raise


def copied(value: Any) -> Any:
    """The same nest of dicts and lists with every tensor copied on its own device."""
    if isinstance(value, torch.Tensor):
        return value.detach().clone()
    if isinstance(value, dict):
        return {name: copied(part) for name, part in value.items()}
    return [copied(part) for part in value] if isinstance(value, list) else value


def load(folder: Place) -> dict[str, Any] | None:
    """The newest whole state, on the CPU, or None; what can't be read is passed over and told."""
    for path in reversed(places.patiently(lambda: epochs(folder))):
        # Out of reach isn't damaged: a bucket's content is here before anyone judges it.
        source = path if isinstance(path, Path) else BytesIO(fetched(path))
        try:
            see_that_it_is_whole(source)
            return torch.load(source, map_location="cpu", weights_only=True)
        except Exception as error:  # there is no error that damage can't make torch raise
            complain(f"{path} can't be read ({error}); the one before is used")
    return None


def see_that_it_is_whole(source: Path | BytesIO) -> None:
    """ValueError if the content isn't that of its checksums, at which torch.load doesn't look.

    torch 2.14 reads a state of which 8 bytes were changed as if nothing were, 299 times of 300.
    """
    with zipfile.ZipFile(source) as file:
        if damaged := file.testzip():
            raise ValueError(f"{damaged} isn't what was written there")
    if isinstance(source, BytesIO):
        source.seek(0)


def fetched(path: Bucket) -> bytes:
    return places.patiently(lambda: places.read(path))


def epochs(folder: Place) -> list[Place]:
    names = places.names(folder)
    return [folder / n for n in names if n.startswith("epoch_") and n.endswith(".pt")]


def thin(folder: Place, kept: int) -> None:
    for old in epochs(folder)[:-kept]:
        places.delete(old)


def reduce(folder: Place) -> None:
    """Keep the newest state alone: the trained network of a confirmed trial."""
    thin(folder, 1)


def sweep(folder: Place, over: list[str]) -> None:
    """Clear those trials of a study's checkpoints that are over and have left some."""
    left = {name.split("/")[0] for name in places.names(folder)}
    for name in filter(left.__contains__, over):
        clear(folder / name)


def clear(folder: Place) -> None:
    """A trial that has ended needs no state."""
    places.clear(folder)
