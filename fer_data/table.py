"""FER-2013's table: a row per image with its emotion, its 2,304 grey levels and its Usage."""

import csv
import gzip
import io
import lzma
from collections.abc import Iterator
from typing import IO, cast

import numpy as np

from fer_data import Mistake
from fer_data.classes import MISSING, listed
from fer_data.rows import SIDE_PX, USAGES
from fer_data.tree import EXPECTED, Opened

PIXELS = SIDE_PX * SIDE_PX
COLUMNS = ("emotion", "pixels", "Usage")
LINE_LIMIT = 100_000  # characters; FER-2013's longest line has 9,230


def read(file: Opened, where: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Images uint8 (N, 48, 48), emotions as they are written, and splits, all in the order of rows.

    The file is unpacked on the way, and closed.
    """
    emotions: list[str] = []
    images, splits = [], []
    with io.TextIOWrapper(unpacked(file), encoding="utf-8-sig", newline="") as text:
        for at, (emotion, pixels, usage) in cells(text, where):
            emotions.append(emotion_label(emotion, emotions[0] if emotions else "", at))
            images.append(grey_levels(pixels, at))
            splits.append(split_name(usage, at))
    for usage, split in USAGES.items():
        if split not in splits:
            raise Mistake(
                f"{where} has no row with the Usage {usage}; expected rows of each of "
                f"{', '.join(USAGES)}: give the whole table"
            )
    stacked = np.stack(images).reshape(-1, SIDE_PX, SIDE_PX)
    return stacked, np.array(emotions), np.array(splits)


def cells(text: io.TextIOWrapper, where: str) -> Iterator[tuple[str, list[str]]]:
    """Where each row is, for a sentence, and its emotion, pixels and Usage."""
    reader = csv.reader(lines(text, where))
    header = [name.strip() for name in next(reader, [])]
    if any(column not in header for column in COLUMNS):
        raise Mistake(
            f"{where} has the columns {listed([name[:40] for name in header])!r}; expected "
            f"{', '.join(COLUMNS)}: {EXPECTED}"
        )
    if twice := [column for column in COLUMNS if header.count(column) > 1]:
        raise Mistake(
            f"{where} has the column {twice[0]} {header.count(twice[0])} times; expected it once: "
            "remove or rename the others"
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


def emotion_label(text: str, first: str, at: str) -> str:
    """A class number in plain digits, or a name where the table's `first` row has one too."""
    if text.isdecimal() and len(text) < 4 and (first or "0").isdecimal():
        return str(int(text))
    if text.casefold() in MISSING:
        raise Mistake(f"{at} has the emotion {text!r}, which is none; expected one: remove the row")
    if text[:1].isalpha() and (not first or first[:1].isalpha()) and len(text) < 40:
        return text
    what = (
        "a class name as above" if first[:1].isalpha() else "a class number, as 0 to 6 in FER-2013"
    )
    raise Mistake(f"{at} has the emotion {text[:40]!r}; expected {what}: correct it")


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
