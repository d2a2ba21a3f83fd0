"""Readers of FER-2013 and its like: a table or a folder of images, packed or not, becomes Rows.

Runs on the driver and in the worker. Everything is read in memory: nothing is extracted to disk,
and nothing that a source holds is ever executed.
"""

import csv
import gzip
import hashlib
import io
import lzma
import os
import warnings
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO

import numpy as np
from PIL import Image

from fer_data import Mistake

SIDE_PX = 48
PIXELS = SIDE_PX * SIDE_PX
USAGES = {"Training": "train", "PublicTest": "val", "PrivateTest": "test"}
EMOTIONS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")  # the table's order
COLUMNS = ("emotion", "pixels", "Usage")
LINE_LIMIT = 100_000  # characters; FER-2013's longest line has 9,230
FILE_LIMIT = 64 * 2**20  # bytes of one image file
DEPTH_LIMIT = 5  # folders below a source: PREFIX/PREFIX/train/CLASS, and one to spare
TABLES = ("fer2013.csv", "icml_face_data.csv")
TABLE_ENDS = (".csv", ".csv.xz", ".csv.gz")
IMAGE_ENDS = (".jpg", ".jpeg", ".png", ".bmp")
IMAGE_FORMATS = ("JPEG", "PNG", "BMP")  # PIL would also hand an EPS named .jpg to Ghostscript
IMAGE_MODES = ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "YCbCr")  # 8 bits and less
FOLDERS = {"train": "train", "val": "val", "valid": "val", "validation": "val", "test": "test"}
CLUTTER = ("__MACOSX", "Thumbs.db", "desktop.ini")
EXPECTED = (
    "expected the table fer2013.csv (plain, .xz, .gz or .zip) or images as train/CLASS/*.jpg and "
    "test/CLASS/*.jpg (a folder or its zip)"
)


@dataclass(frozen=True)
class Rows:
    """What a reader found, in the source's order."""

    images: np.ndarray  # uint8 (N, 48, 48)
    names: np.ndarray  # str (N,), class names
    splits: np.ndarray  # str (N,), train, val or test; without any val where nothing tells it
    ids: np.ndarray  # int64 (N,), row of the table from 0, or place in the sorted list of files
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Tree:
    """A folder or a zip: its sorted names (those of folders end in /), and how to open one."""

    path: Path
    names: tuple[str, ...]
    open: Callable[[str], BinaryIO]


@dataclass(frozen=True)
class File:
    """An image file of a tree."""

    name: str
    split: str
    label: str


def read(path: Path) -> Rows:
    """The source's rows; whatever is wrong with it raises Mistake."""
    with readable(path):
        if not is_tree(path):
            with path.open("rb") as file:
                return read_table(file, str(path))
        with opened(path) as tree:
            files, notes = layout(tree)
            if files:
                return read_images(tree, files, notes)
            table = table_name(tree)
            with tree.open(table) as file:
                return read_table(file, f"{path}: {table}")


def digest(path: Path) -> str:
    """16 hex digits of the sha256 over the source's bytes: of a folder, its names and images."""
    with readable(path):
        if not path.is_dir():
            check_file(path)
            with path.open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest()[:16]
        with opened(path) as tree:
            total = hashlib.sha256("\0".join(tree.names).encode(errors="surrogateescape"))
            files, _ = layout(tree)
            for name in [file.name for file in files] or [table_name(tree)]:
                with tree.open(name) as file:
                    total.update(hashlib.file_digest(file, "sha256").digest())
            return total.hexdigest()[:16]


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Turn what damaged bytes and the file system raise into one sentence."""
    try:
        yield
    except UnicodeDecodeError as error:
        raise Mistake(f"{path} is not UTF-8 text, or is damaged; {EXPECTED}") from error
    except (
        EOFError,
        csv.Error,
        gzip.BadGzipFile,
        lzma.LZMAError,
        zipfile.BadZipFile,
        zlib.error,
    ) as error:
        raise Mistake(f"{path} is damaged or cut short ({error}); get a whole copy") from error
    except NotImplementedError as error:
        raise Mistake(
            f"{path} is packed in a way unknown here ({error}); pack it anew with a plain zip"
        ) from error
    except OSError as error:
        raise Mistake(
            f"{error.filename or path} can't be read ({error.strerror or error}); "
            "check the path and its permissions"
        ) from error


def is_tree(path: Path) -> bool:
    """Whether the source is a folder or a zip rather than a table; told by content, not by name."""
    if path.is_dir():
        return True
    check_file(path)
    with path.open("rb") as file:
        return file.read(4) in (b"PK\3\4", b"PK\5\6")


def check_file(path: Path) -> None:
    if not path.exists():
        raise Mistake(f"there is no {path}; {EXPECTED}")
    if not path.is_file():
        raise Mistake(f"{path} is neither a file nor a folder; {EXPECTED}")


@contextmanager
def opened(path: Path) -> Iterator[Tree]:
    """A folder or a zip as a Tree."""
    if path.is_dir():
        yield Tree(path, tuple(sorted(walk(path))), lambda name: (path / name).open("rb"))
        return
    with zipfile.ZipFile(path) as archive:
        members: dict[str, zipfile.ZipInfo] = {}
        for info in archive.infolist():
            check_member(path, info, members)
            members[plain(info)] = info
        names = tuple(sorted(name for name in members if not clutter(name)))
        yield Tree(path, names, lambda name: archive.open(members[name]))


def plain(info: zipfile.ZipInfo) -> str:
    return info.filename.replace("\\", "/")  # some Windows programs pack backslashes


def check_member(path: Path, info: zipfile.ZipInfo, known: dict[str, zipfile.ZipInfo]) -> None:
    """Refuse what a zip made of a data set doesn't hold."""
    name = plain(info)
    if name.startswith("/") or ".." in name.split("/") or name[1:2] == ":":
        raise Mistake(
            f"{path} holds the path {name!r}, which climbs out of the archive; expected names "
            "inside it: don't trust this file, get another copy"
        )
    if name in known and not name.endswith("/"):
        raise Mistake(f"{path} holds {name!r} twice; expected one of each: pack it anew")
    if info.flag_bits & 1:
        raise Mistake(
            f"{path} is encrypted ({name!r}); expected a plain zip: pack it without a password"
        )


def walk(path: Path) -> Iterator[str]:
    """Names below a folder; hidden files are left out, links followed (DEPTH_LIMIT ends a loop)."""
    for folder, folders, files in os.walk(path, followlinks=True, onerror=refuse):
        within = Path(folder).relative_to(path)
        if len(within.parts) >= DEPTH_LIMIT:
            folders.clear()
        folders[:] = [name for name in folders if not clutter(name)]
        yield from ((within / name).as_posix() + "/" for name in folders)
        yield from ((within / name).as_posix() for name in files if not clutter(name))


def refuse(error: OSError) -> None:
    """os.walk would pass over a folder that can't be listed."""
    raise error


def clutter(name: str) -> bool:
    return any(part.startswith(".") or part in CLUTTER for part in name.split("/") if part)


def layout(tree: Tree) -> tuple[list[File], tuple[str, ...]]:
    """The images lying as [PREFIX/]train/CLASS/NAME, sorted by name, and notes; [] if none do."""
    placed = {name: place for name in tree.names if (place := placement(name))}
    images = {name: place for name, place in placed.items() if not name.endswith("/")}
    if not images:
        return [], ()
    prefixes = sorted({prefix for prefix, _, _ in images.values()})
    if len(prefixes) > 1:
        raise Mistake(
            f"{tree.path} holds train/ or test/ in several folders ({shown(prefixes)}); expected "
            "one data set: give the folder of one"
        )
    filled = set(images.values())
    empty = [name for name, place in placed.items() if place not in filled]
    if empty:
        raise Mistake(
            f"{tree.path}: the class folder {empty[0]} holds no image; expected "
            f"{', '.join(IMAGE_ENDS)} files: fill it or remove it"
        )
    files = [File(name, split, label) for name, (_, split, label) in images.items()]
    for split in ("train", "test"):
        if split not in {file.split for file in files}:
            raise Mistake(f"{tree.path} has no images in {split}/CLASS/; {EXPECTED}: add them")
    files, notes = with_halves(files)
    others = sum(not name.endswith("/") for name in tree.names) - len(files)
    if others:
        notes += (f"{others:,} files that are not images as SPLIT/CLASS/NAME were left out",)
    return files, notes


def placement(name: str) -> tuple[str, str, str] | None:
    """(prefix, split, class) of an image or of a class folder; None for anything else."""
    parts = name.split("/")  # a folder's last part is empty
    if len(parts) < 3 or parts[-3].lower() not in FOLDERS:
        return None
    if parts[-1] and not parts[-1].lower().endswith(IMAGE_ENDS):
        return None
    return "/".join(parts[:-3]), FOLDERS[parts[-3].lower()], parts[-2]


def with_halves(files: list[File]) -> tuple[list[File], tuple[str, ...]]:
    """Tell val from test by the names in test/, unless there is a val/; if not, a note says so."""
    if any(file.split == "val" for file in files):
        return files, ()
    halves = Counter(half(file) for file in files if file.split == "test")
    if halves.keys() == {"val", "test"}:
        return [
            File(file.name, half(file), file.label) if file.split == "test" else file
            for file in files
        ], ()
    note = (
        f"the names in test/ don't tell the two test halves apart ({halves['val']:,} begin with "
        f"PublicTest_, {halves['test']:,} with PrivateTest_, {halves['']:,} with neither)"
    )
    return files, (note,)


def half(file: File) -> str:
    """val, test, or "" where the name doesn't say."""
    mark = PurePosixPath(file.name).name.partition("_")[0]
    return USAGES[mark] if mark in ("PublicTest", "PrivateTest") else ""


def table_name(tree: Tree) -> str:
    """The one table of a tree without images; where there are several, the one named like FER's."""
    files = [name for name in tree.names if not name.endswith("/")]
    if not files:
        raise Mistake(f"{tree.path} is empty; {EXPECTED}")
    tables = [name for name in files if name.lower().endswith(TABLE_ENDS)]
    named = [name for name in tables if PurePosixPath(name).name.lower().startswith(TABLES)]
    if len(tables) == 1 or len(named) == 1:
        return (named or tables)[0]
    if tables:
        raise Mistake(
            f"{tree.path} holds {len(tables)} tables ({shown(tables)}); expected one: give its path"
        )
    raise Mistake(f"{tree.path} holds no data set but {shown(files)}; {EXPECTED}")


def shown(names: list[str]) -> str:
    """The first three names, for a sentence."""
    return ", ".join(name or "./" for name in names[:3]) + (", ..." if len(names) > 3 else "")


def read_table(file: BinaryIO, where: str) -> Rows:
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


def unpacked(file: BinaryIO) -> BinaryIO:
    """The file, or what its xz or gzip stream holds; told by its first bytes."""
    start = file.peek(6)
    if start.startswith(b"\xfd7zXZ\0"):
        return lzma.open(file)
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


def read_images(tree: Tree, files: list[File], notes: tuple[str, ...]) -> Rows:
    """The images of a tree: grey, 48 x 48; what had to be changed for that is counted in a note."""
    images = np.empty((len(files), SIDE_PX, SIDE_PX), np.uint8)
    sizes, coloured = Counter(), 0
    for place, file in enumerate(files):
        image = decoded(tree, file.name)
        coloured += image.mode != "L"
        image = image.convert("L")
        if image.size != (SIDE_PX, SIDE_PX):
            sizes[f"{image.width} x {image.height}"] += 1
            image = image.resize((SIDE_PX, SIDE_PX), Image.Resampling.BILINEAR)  # antialiased
        images[place] = np.asarray(image)
    if sizes:
        most = shown([size for size, _ in sizes.most_common()])
        notes += (f"{sizes.total():,} images of {most} pixels were resized to 48 x 48",)
    if coloured:
        notes += (f"{coloured:,} images were made grey",)
    names = np.array([file.label for file in files])
    splits = np.array([file.split for file in files])
    return Rows(images, names, splits, np.arange(len(files)), notes)


def decoded(tree: Tree, name: str) -> Image.Image:
    """One image, decoded; no larger than PIL's limit against decompression bombs."""
    with tree.open(name) as file:
        content = file.read(FILE_LIMIT + 1)
    at = f"{tree.path}: {name}"
    if len(content) > FILE_LIMIT:
        raise Mistake(f"{at} has more than {FILE_LIMIT >> 20} MiB; expected a face crop: remove it")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            image = Image.open(io.BytesIO(content), formats=IMAGE_FORMATS)
            image.load()
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise Mistake(
            f"{at} unpacks to more than {Image.MAX_IMAGE_PIXELS:,} pixels; expected a face crop: "
            "remove it"
        ) from error
    except Exception as error:  # PIL's decoders raise nearly anything on broken bytes
        raise Mistake(
            f"{at} doesn't decode as {', '.join(IMAGE_FORMATS)} (unknown or cut short); get a "
            "whole copy or remove it"
        ) from error
    if image.mode not in IMAGE_MODES:
        raise Mistake(
            f"{at} has pixels of the kind {image.mode}; expected 8 bits a channel: convert it"
        )
    return image
