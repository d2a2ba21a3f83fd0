"""events.jsonl, the one truth about a study: appended by its driver, read by everyone.

A line is an event: {"event": NAME, "time": UTC, ...}. Events that belong together are written by
one call and one fsync, so that a crash leaves all of them or, at worst, a last line cut short.
"""

import fcntl
import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from study import Mistake

Event = dict[str, Any]


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def read(path: Path) -> Iterator[Event]:
    """The events so far; a half-written last line is passed over, damage before it is refused."""
    if not path.exists():
        return
    *lines, _half = path.read_bytes().split(b"\n")
    for number, line in enumerate(lines, 1):
        try:
            yield json.loads(line)
        except ValueError:
            raise Mistake(
                f"{path} line {number} is not JSON: the journal was damaged after it was "
                "written; restore it from a copy"
            ) from None


def cut_half_line(file: IO[bytes]) -> None:
    """Take off what a crash or a full disk left after the last whole line."""
    file.seek(0)
    content = file.read()
    whole = content.rfind(b"\n") + 1
    if whole < len(content):
        os.ftruncate(file.fileno(), whole)


class Journal:
    """The driver's end: appends, and keeps a second driver out for as long as it is open."""

    def __init__(self, path: Path) -> None:
        self.file = path.open("a+b", buffering=0)
        try:
            fcntl.flock(self.file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self.file.close()
            raise Mistake(
                f"{path.parent} is being run by another driver: wait for it or stop it first"
            ) from None
        cut_half_line(self.file)

    def append(self, *events: Event) -> None:
        """Write events as one block and make them last before anything is built on them."""
        block = b"".join(json.dumps(event).encode() + b"\n" for event in events)
        size = self.file.seek(0, os.SEEK_END)
        try:
            while block:
                block = block[self.file.write(block) :]
            os.fsync(self.file.fileno())
        except OSError:
            os.ftruncate(self.file.fileno(), size)  # a full disk leaves no half of a block
            raise

    def __enter__(self) -> "Journal":
        return self

    def __exit__(self, *error: object) -> None:
        self.file.close()
