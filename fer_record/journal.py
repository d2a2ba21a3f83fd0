"""events.jsonl, the one truth about a study, as events.

A line is an event: {"event": NAME, "time": UTC, ..., "crc": CHECKSUM}. Events that belong together
are a block, and the first of them says in `block` how many there are. A block that a crash or a
power failure left in part, at any byte, counts as never written.
"""

import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fer_data import Mistake

Event = dict[str, Any]
Row = dict[str, Any]  # of a table that is made of events
CRC = b', "crc": '  # of all bytes of the line before it


def read(path: Path) -> Iterator[Event]:
    """The events so far; a last block in part is passed over, damage before it is refused."""
    if not path.exists():
        return
    for number, event in checked(path.read_bytes()):
        if isinstance(event, ValueError):
            raise Mistake(
                f"{path} line {number} {event}: the journal was damaged after it was "
                "written; restore it from a copy"
            )
        yield event


def checked(content: bytes) -> Iterator[tuple[int, Event | ValueError]]:
    """The whole blocks' lines, from 1: an event each or, in words, what is wrong with it."""
    summed = None
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
            yield number, error
            continue
        event.pop("block", None)  # the journal's own, no part of what happened
        yield number, event


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


def whole(content: bytes) -> int:
    """How many bytes of a journal are whole blocks of whole lines."""
    lines, at = content.split(b"\n")[:-1], 0
    while at < len(lines) and (end := at + block_size(lines[at])) <= len(lines):
        at = end
    return sum(map(len, lines[:at])) + at


def block_size(line: bytes) -> int:
    if b'"block": ' not in line:
        return 1
    try:
        return max(1, int(event_of(line).get("block", 1)))
    except (ValueError, TypeError):  # damage, a wrong size too: for `checked` to tell
        return 1
