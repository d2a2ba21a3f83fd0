"""How the driver appends to events.jsonl, which everyone reads (fer_record.journal).

Blocks that come together share one fsync.
"""

import errno
import json
import os
import zlib
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

from fer_record.journal import CRC, Event, whole
from study import Mistake
from study.storage.atomic import sync_folder
from study.storage.lock import lock


def line_of(event: Event) -> bytes:
    body = json.dumps(event).encode()[:-1]
    return body + CRC + b"%d}\n" % zlib.crc32(body)


def block_of(events: Sequence[Event]) -> bytes:
    """The lines of events that belong together."""
    if len(events) > 1:
        events = ({**events[0], "block": len(events)}, *events[1:])
    return b"".join(map(line_of, events))


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
