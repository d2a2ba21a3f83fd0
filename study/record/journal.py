"""events.jsonl, the one truth about a study: appended by its driver, read by everyone.

A line is an event: {"event": NAME, "time": UTC, ..., "crc": CHECKSUM}. Events that belong together
are a block, and the first of them says in `block` how many there are. A block that a crash or a
power failure left in part, at any byte, counts as never written. Blocks that come together share
one fsync.
"""

import errno
import json
import os
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from study import Mistake
from study.storage.atomic import sync_folder
from study.storage.lock import lock

Event = dict[str, Any]
Row = dict[str, Any]  # of a table that is made of events
CRC = b', "crc": '  # of all bytes of the line before it


def read(path: Path) -> Iterator[Event]:
    """The events so far; a last block in part is passed over, damage before it is refused."""
    if not path.exists():
        return
    content, summed = path.read_bytes(), None
    for number, line in enumerate(content[: whole(content)].split(b"\n")[:-1], 1):
        try:
            event = event_of(line)
            has = event.pop("crc", None) is not None
            # Drivers before there were checksums wrote none, and of one driver all lines are alike.
            if summed is None or event.get("event") == "driver_started":
                summed = has
            if has != summed:
                raise ValueError("isn't what was written there")
        except ValueError as error:
            raise Mistake(
                f"{path} line {number} {error}: the journal was damaged after it was "
                "written; restore it from a copy"
            ) from None
        event.pop("block", None)  # the journal's own, no part of what happened
        yield event


def event_of(line: bytes) -> Event:
    """The event that a line holds; ValueError, in words, if it was damaged."""
    body, _, crc = line.rpartition(CRC)
    try:
        event = json.loads(line)
    except ValueError:
        raise ValueError("is not JSON") from None
    if not isinstance(event, dict):
        raise ValueError("is no event")
    if "crc" in event and crc != b"%d}" % zlib.crc32(body):
        raise ValueError("isn't what was written there")
    return event


def line_of(event: Event) -> bytes:
    body = json.dumps(event).encode()[:-1]
    return body + CRC + b"%d}\n" % zlib.crc32(body)


def block_of(events: Sequence[Event]) -> bytes:
    """The lines of events that belong together."""
    if len(events) > 1:
        events = ({**events[0], "block": len(events)}, *events[1:])
    return b"".join(map(line_of, events))


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
        return max(1, int(event_of(line).get("block", 1)))
    except (ValueError, TypeError):  # damage, a wrong size too: for `read` to refuse
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
        self.path, self.file = path, path.open("a+b", buffering=0)
        try:
            lock(self.file, path.parent)
        except (Mistake, OSError):
            self.file.close()
            raise
        sync_folder(path.parent)  # the file may be new, and a power failure would take its name
        self.cut = cut_half(self.file)  # bytes that a crash had left of a block

    def append(self, *events: Event) -> None:
        """Write events as one block and make them last before anything is built on them."""
        self.extend([events])

    def extend(self, blocks: Iterable[Sequence[Event]]) -> None:
        """Write blocks in their order with one fsync: a crash keeps the first so many of them, each
        whole; of an error none is left."""
        content = b"".join(map(block_of, blocks))
        size = self.file.seek(0, os.SEEK_END)
        try:
            while content:
                content = content[self.file.write(content) :]
            os.fsync(self.file.fileno())
        except OSError:
            os.ftruncate(self.file.fileno(), size)  # a full disk leaves no half of a block
            raise
        self.see_that_it_is_there()

    def see_that_it_is_there(self) -> None:
        """OSError if another program has removed or replaced the file, which stays open here.

        What was written is then kept under another name, as far as that can be done.
        """
        size = os.fstat(self.file.fileno()).st_size
        with suppress(FileNotFoundError, NotADirectoryError):
            if os.stat(self.path).st_size == size:
                return
        kept = self.path.with_name(f"events-{os.getpid()}.jsonl")
        if self.path.parent.is_dir():
            self.file.seek(0)
            kept.write_bytes(self.file.read())
        raise OSError(
            errno.ESTALE,
            f"another program has removed or replaced {self.path.name}; this driver's own is "
            f"{kept.name}",
            str(self.path),
        )

    def __enter__(self) -> "Journal":
        return self

    def __exit__(self, *error: object) -> None:
        self.file.close()
