"""FER-2013's table: a row per image with its emotion, its 2,304 grey levels and its Usage."""

import codecs
import csv
import gzip
import lzma
from collections.abc import Iterator
from contextlib import closing
from functools import cache
from typing import IO, cast

import numpy as np

from fer_data import Mistake
from fer_data.classes import MISSING, listed
from fer_data.rows import SIDE_PX, USAGES
from fer_data.tree import EXPECTED, Opened

PIXELS = SIDE_PX * SIDE_PX
COLUMNS = ("emotion", "pixels", "Usage")
AT_ONCE = 16  # rows read together: their arrays stay in the processor's cache
LINE_LIMIT = 100_000  # characters; FER-2013's longest line has 9,230


def read(file: Opened, where: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Images uint8 (N, 48, 48), emotions as they are written, and splits, all in the order of rows.

    The file is unpacked on the way, and closed.
    """
    keep_what_is_freed()
    emotions: list[str] = []
    splits: list[str] = []
    images: list[np.ndarray] = []  # of AT_ONCE rows each
    waiting: list[tuple[str, bytes]] = []  # rows whose levels aren't read yet
    with closing(cast(IO[bytes], unpacked(file))) as opened:
        try:
            for at, (emotion, pixels, usage) in cells(opened, where):
                waiting.append((at, pixels))
                emotions.append(emotion_label(text(emotion), emotions[0] if emotions else "", at))
                splits.append(split_name(text(usage), at))
                if len(waiting) == AT_ONCE:
                    images.append(levels_of(waiting))
                    waiting = []
        except Mistake:
            levels_of(waiting[:-1])  # what is wrong above is told first
            raise
        images.append(levels_of(waiting))
    for name, split in USAGES.items():
        if split not in splits:
            raise Mistake(
                f"{where} has no row with the Usage {name}; expected rows of each of "
                f"{', '.join(USAGES)}: give the whole table"
            )
    stacked = np.concatenate(images).reshape(-1, SIDE_PX, SIDE_PX)
    return stacked, np.array(emotions), np.array(splits)


def keep_what_is_freed() -> None:
    """glibc gives each array of 128 KiB or more back to the system, and gets fresh memory for the
    next, until a larger one was freed (mallopt(3), M_MMAP_THRESHOLD): reading takes twice as long.
    """
    np.empty(8 * 2**20, np.uint8)


def text(cell: bytes) -> str:
    return cell.decode().strip()


def cells(file: IO[bytes], where: str) -> Iterator[tuple[str, list[bytes]]]:
    """Where each row is, for a sentence, and its emotion, pixels and Usage."""
    numbered = rows(file, where)
    header = [text(name.removeprefix(codecs.BOM_UTF8)) for name in next(numbered, (0, []))[1]]
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
    for row, (line, found) in enumerate(numbered):
        at = f"{where}: row {row:,} (line {line:,})"
        if len(found) != len(header):
            raise Mistake(
                f"{at} has {len(found)} cells; expected {len(header)} as in the header: "
                "get a whole copy"
            )
        yield at, [found[place] for place in places]


def rows(file: IO[bytes], where: str) -> Iterator[tuple[int, list[bytes]]]:
    """The number of each row's last line, and its cells; empty lines are none.

    Python's csv reads what has quotes; splitting the others is four times as fast.
    """
    number, whole = 0, b""
    for line in lines(file, where):
        number, whole = number + 1, whole + line
        if len(whole) >= LINE_LIMIT:
            raise Mistake(f"{where} has a line of {LINE_LIMIT:,} characters or more; {EXPECTED}")
        if b'"' in whole and whole.count(b'"') % 2:
            continue  # a quoted cell goes on in the next line
        plain = whole.rstrip(b"\r\n")
        if b'"' in plain:
            (found,) = csv.reader([plain.decode()])
            yield number, [cell.encode() for cell in found]
        elif plain:
            yield number, plain.split(b",")
        whole = b""
    if whole:
        raise Mistake(f"{where} ends within a quoted cell; get a whole copy")


def unpacked(file: Opened) -> Opened | lzma.LZMAFile | gzip.GzipFile:
    """The file, or what its xz or gzip stream holds; told by its first bytes."""
    start = file.peek(6)
    if start.startswith(b"\xfd7zXZ\0"):
        return lzma.open(cast(IO[bytes], file))
    if start.startswith(b"\x1f\x8b"):
        return gzip.open(file)
    return file


def lines(file: IO[bytes], where: str) -> Iterator[bytes]:
    """The lines, none longer than LINE_LIMIT: a small packed file can't fill the memory."""
    while line := file.readline(LINE_LIMIT):
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


def levels_of(waiting: list[tuple[str, bytes]]) -> np.ndarray:
    """uint8 (R, 2304) of rows' levels; each row with where it is, for a sentence."""
    found = quickly([pixels for _, pixels in waiting])
    if found is None:  # something is wrong or unusual: row by row, which says what
        each = [grey_levels(text(pixels), at) for at, pixels in waiting]
        found = np.array(each, np.uint8).reshape(-1, PIXELS)
    return found


def quickly(rows: list[bytes]) -> np.ndarray | None:
    """uint8 (R, 2304) of rows of numbers with spaces between, or None where one isn't 2,304 numbers
    from 0 to 255 as one writes them: each is looked up by the three bytes before the space after
    it, where np.fromstring takes five times as long.
    """
    joined = b" ".join([b"   ", *rows, b""])
    spaces = np.flatnonzero(np.frombuffer(joined, np.uint8) == ord(" "))
    ends = 3 + np.cumsum([len(row) + 1 for row in rows])
    if len(spaces) != 4 + PIXELS * len(rows) or (spaces[3 + PIXELS :: PIXELS] != ends).any():
        return None
    fours = np.ndarray(len(joined) - 3, ">u4", joined, strides=(1,))  # at each byte, four of them
    found = written_as().take(fours.take(spaces[4:] - 3) >> 8)
    digits = len(found) + np.count_nonzero(found > 10) + np.count_nonzero(found > 100)
    if not found.all() or digits + len(spaces) != len(joined):  # no number; 007 or 1234
        return None
    return (found.astype(np.uint8) - 1).reshape(-1, PIXELS)


@cache
def written_as() -> np.ndarray:
    """uint16 (2**24,): for three bytes, one more than the level from 0 to 255 that they end in as
    text; 0 for none. Of its 32 MiB the system gives those few pages that hold one.
    """
    found = np.zeros((256, 256, 256), np.uint16)
    digits, levels = slice(ord("0"), ord("9") + 1), np.arange(1, 1001).reshape(10, 10, 10)
    found[:, ord(" "), digits] = levels[0, 0]
    found[ord(" "), digits, digits] = levels[0]
    found[digits, digits, digits] = np.where(levels > 256, 0, levels)
    return found.ravel()


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
