"""events.jsonl, the one truth about a study: appended by its driver, read by everyone.

A line is an event: {"event": NAME, "time": UTC, ...}. Events that belong together are a block:
one call, one fsync, and the first of them says in `block` how many there are. A block that a crash
or a power failure left in part, at any byte, counts as never written.
"""

import fcntl
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from study import Mistake
from study.storage.atomic import sync_folder

Event = dict[str, Any]


def read(path: Path) -> Iterator[Event]:
    """The events so far; a last block in part is passed over, damage before it is refused."""
    if not path.exists():
        return
    content = path.read_bytes()
    for number, line in enumerate(content[: whole(content)].split(b"\n")[:-1], 1):
        try:
            event = json.loads(line)
            event.pop("block", None)  # the journal's own, no part of what happened
        except (ValueError, AttributeError):
            raise Mistake(
                f"{path} line {number} is not JSON: the journal was damaged after it was "
                "written; restore it from a copy"
            ) from None
        yield event


def whole(content: bytes) -> int:
    """How many bytes of a journal are whole blocks of whole lines."""
    lines = content.split(b"\n")[:-1]
    at = end = 0
    while at < len(lines):
        block = lines[at : at + block_size(lines[at])]
        if len(block) < block_size(lines[at]):
            break
        end += sum(len(line) + 1 for line in block)
        at += len(block)
    return end


def block_size(line: bytes) -> int:
    if b'"block": ' not in line:
        return 1
    try:
        return max(1, int(json.loads(line).get("block", 1)))
    except (ValueError, TypeError, AttributeError):  # damage: for `read` to refuse
        return 1


def cut_half(file: IO[bytes]) -> int:
    """Take off what a crash or a full disk left after the last whole block; how many bytes."""
    file.seek(0)
    content = file.read()
    half = len(content) - whole(content)
    if half:
        os.ftruncate(file.fileno(), len(content) - half)
    return half


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
        sync_folder(path.parent)  # the file may be new, and a power failure would take its name
        self.cut = cut_half(self.file)  # bytes that a crash had left of a block

    def append(self, *events: Event) -> None:
        """Write events as one block and make them last before anything is built on them."""
        if len(events) > 1:
            events = ({**events[0], "block": len(events)}, *events[1:])
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
