"""FER-2013's table: a row per image, packed or not.

It is read as a stream, and nothing that it holds is ever executed.
"""

import csv
import gzip
import io
import lzma
from collections.abc import Iterator
from typing import IO, cast

import numpy as np

from fer_data import Mistake
from fer_data.rows import SIDE_PX, USAGES, Rows
from fer_data.tree import EXPECTED, Opened, shown

PIXELS = SIDE_PX * SIDE_PX
EMOTIONS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")  # by their numbers
COLUMNS = ("emotion", "pixels", "Usage")
LINE_LIMIT = 100_000  # characters; FER-2013's longest line has 9,230


def read_table(file: Opened, where: str) -> Rows:
    """FER-2013's table from an open file, unpacked on the way; the file is closed."""
    emotions, images, splits = [], [], []
    with io.TextIOWrapper(unpacked(file), encoding="utf-8-sig", newline="") as text:
        for at, (emotion, pixels, usage) in table_cells(text, where):
            emotions.append(emotion_number(emotion, at))
            images.append(grey_levels(pixels, at))
            splits.append(split_name(usage, at))
    for usage, split in USAGES.items():
        if split not in splits:
            raise Mistake(
                f"{where} has no row with the Usage {usage}; expected rows of each of "
                f"{', '.join(USAGES)}: give the whole table"
            )
    names, notes = class_names(emotions)
    stacked = np.stack(images).reshape(-1, SIDE_PX, SIDE_PX)
    return Rows(stacked, names, np.array(splits), np.arange(len(images)), notes)


def table_cells(text: io.TextIOWrapper, where: str) -> Iterator[tuple[str, list[str]]]:
    """Where each row is, for a sentence, and its emotion, pixels and Usage."""
    reader = csv.reader(lines(text, where))
    header = [name.strip() for name in next(reader, [])]
    if any(column not in header for column in COLUMNS):
        raise Mistake(
            f"{where} has the columns {shown([name[:40] for name in header])!r}; expected "
            f"{', '.join(COLUMNS)}: {EXPECTED}"
        )
    places = [header.index(column) for column in COLUMNS]
    for row, cells in enumerate(filter(None, reader)):
        at = f"{where}: row {row:,} (line {reader.line_num:,})"
        if len(cells) != len(header):
            raise Mistake(
                f"{at} has {len(cells)} cells; expected {len(header)} as in the header: "
                "get a whole copy"
            )
        yield at, [cells[place].strip() for place in places]


def unpacked(file: Opened) -> Opened | lzma.LZMAFile | gzip.GzipFile:
    """The file, or what its xz or gzip stream holds; told by its first bytes."""
    start = file.peek(6)
    if start.startswith(b"\xfd7zXZ\0"):
        return lzma.open(cast(IO[bytes], file))
    if start.startswith(b"\x1f\x8b"):
        return gzip.open(file)
    return file


def lines(text: io.TextIOWrapper, where: str) -> Iterator[str]:
    """The lines, none longer than LINE_LIMIT: a small packed file can't fill the memory."""
    while line := text.readline(LINE_LIMIT):
        if len(line) == LINE_LIMIT:
            raise Mistake(f"{where} has a line of {LINE_LIMIT:,} characters or more; {EXPECTED}")
        yield line


def emotion_number(text: str, at: str) -> int:
    if not (text.isdecimal() and len(text) < 4):
        raise Mistake(
            f"{at} has the emotion {text[:40]!r}; expected a class number, as 0 to 6 in FER-2013: "
            "correct it"
        )
    return int(text)


def grey_levels(text: str, at: str) -> np.ndarray:
    """The 2,304 levels of a row, uint8."""
    if text.encode().translate(None, b"0123456789 "):  # what is left without these
        bad = next(word for word in text.split(" ") if word.strip("0123456789"))
        raise Mistake(
            f"{at} has the pixel {bad[:40]!r}; expected whole numbers from 0 to 255: correct it"
        )
    levels = np.fromstring(text, dtype=np.int64, sep=" ")  # it reads "-" as 0: hence the check
    if len(levels) != PIXELS:
        raise Mistake(
            f"{at} has {len(levels):,} pixels; expected 48 x 48 = {PIXELS:,}: get a whole copy"
        )
    if levels.max() > 255:
        raise Mistake(f"{at} has a pixel of {levels.max()}; expected 0 to 255: correct it")
    return levels.astype(np.uint8)


def split_name(usage: str, at: str) -> str:
    if usage not in USAGES:
        raise Mistake(
            f"{at} has the Usage {usage[:40]!r}; expected one of {', '.join(USAGES)}: correct it"
        )
    return USAGES[usage]


def class_names(emotions: list[int]) -> tuple[np.ndarray, tuple[str, ...]]:
    """FER-2013's published names, or "class N" throughout where a number goes beyond them.

    A table with an eighth number isn't numbered as FER-2013 is (AffectNet's 0 is neutral): giving
    its other classes FER-2013's names would be a guess.
    """
    if max(emotions) < len(EMOTIONS):
        return np.array([EMOTIONS[number] for number in emotions]), ()
    note = f"class numbers up to {max(emotions)} are not FER-2013's, so the classes have no names"
    return np.array([f"class {number}" for number in emotions]), (note,)
