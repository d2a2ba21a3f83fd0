"""The photographs of a study, read again from its source when a person names it.

An artefact folder holds none. `id` is the `image` of predictions.parquet: the row of the table from
0, or the place in the sorted list of files, as fer_data.sources numbers them.
"""

import io
import lzma
import os
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pandas as pd
from PIL import Image

from results import Mistake

SIDE_PX = 48
EMOTIONS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")  # the table's order
SPLITS = {"Training": "train", "PublicTest": "val", "PrivateTest": "test"}
FOLDERS = {"train": "train", "val": "val", "valid": "val", "validation": "val", "test": "test"}
IMAGE_ENDS = (".jpg", ".jpeg", ".png", ".bmp")
IMAGE_FORMATS = ("JPEG", "PNG", "BMP")
TABLE_ENDS = (".csv", ".csv.xz", ".csv.gz")
CLUTTER = ("__MACOSX", "Thumbs.db", "desktop.ini")
CHUNK = 2000  # rows of the table at once: 20 MB of text
EXPECTED = (
    "expected fer2013.csv (plain, .xz, .gz or .zip), or images as train/CLASS/*.jpg and "
    "test/CLASS/*.jpg (a folder or its zip)"
)


@dataclass(frozen=True)
class Tree:
    """A folder, a zip or a single file: its sorted names, and how to open one."""

    path: Path
    names: tuple[str, ...]
    open: Callable[[str], BinaryIO]

    @property
    def files(self) -> list[tuple[str, str, str]]:
        """(name, split, label) of the images lying as SPLIT/CLASS/NAME, in the order of ids."""
        found = []
        for name in self.names:
            parts = name.split("/")
            if len(parts) < 3 or parts[-3].lower() not in FOLDERS:
                continue
            if name.lower().endswith(IMAGE_ENDS):
                mark = SPLITS.get(parts[-1].partition("_")[0], "")
                split = FOLDERS[parts[-3].lower()]
                found.append((name, mark if mark and split == "test" else split, parts[-2]))
        return found

    @property
    def table(self) -> str:
        """The one table where there are no images."""
        tables = [name for name in self.names if name.lower().endswith(TABLE_ENDS)]
        named = [name for name in tables if name.rpartition("/")[2].lower().startswith("fer2013.")]
        if len(tables) == 1 or len(named) == 1:
            return (named or tables)[0]
        raise Mistake(f"{self.path} holds neither images nor one table of them; {EXPECTED}")


def rows(source: Path) -> pd.DataFrame:
    """A row per image, in the order of ids: split (train, val or test) and label (class name)."""
    with opened(source) as tree:
        if tree.files:
            return pd.DataFrame([file[1:] for file in tree.files], columns=["split", "label"])
        parts = [chunk[["emotion", "Usage"]] for chunk in chunks(tree)]
    whole = pd.concat(parts, ignore_index=True)
    number = pd.to_numeric(whole["emotion"], errors="coerce")
    if number.isna().any():
        raise Mistake(f"{source} has an emotion that is no class number; {EXPECTED}")
    number = number.astype(int)
    named = number.max() < len(EMOTIONS)
    label = number.map(lambda k: EMOTIONS[k] if named else f"class {k}")
    return pd.DataFrame({"split": whole["Usage"].str.strip().map(SPLITS), "label": label})


def images(source: Path, ids: np.ndarray) -> np.ndarray:
    """uint8 (N, 48, 48): the grey images with these ids, in their order; ids may repeat."""
    ids = np.asarray(ids, np.int64)
    found = np.zeros((len(ids), SIDE_PX, SIDE_PX), np.uint8)
    wanted: dict[int, list[int]] = {}
    for place, number in enumerate(ids):
        wanted.setdefault(int(number), []).append(place)
    with opened(source) as tree:
        for number, image in numbered(tree, set(wanted)):
            found[wanted.pop(number)] = image
            if not wanted:
                break
    if wanted:
        raise Mistake(
            f"{source} has no image {min(wanted)}: it isn't the source that the study was run on"
        )
    return found


def numbered(tree: Tree, wanted: set[int]) -> Iterator[tuple[int, np.ndarray]]:
    """The wanted images of a tree, each with its id."""
    files = tree.files
    if files:
        for number in sorted(wanted & set(range(len(files)))):
            yield number, decoded(tree, files[number][0])
        return
    for chunk in chunks(tree):
        for number, text in chunk.loc[chunk.index.isin(wanted), "pixels"].items():
            try:
                levels = np.array(text.split(), np.uint8)
                yield number, levels.reshape(SIDE_PX, SIDE_PX)
            except (AttributeError, ValueError, OverflowError):
                raise Mistake(
                    f"{tree.path}: row {number} isn't {SIDE_PX} x {SIDE_PX} grey levels; "
                    "get a whole copy"
                ) from None


def chunks(tree: Tree) -> Iterator[pd.DataFrame]:
    """The table, so many rows at a time; its index is the row from 0."""
    kind = {".xz": "xz", ".gz": "gzip"}.get(Path(tree.table).suffix.lower())
    with tree.open(tree.table) as file:
        first = True
        for chunk in pd.read_csv(file, compression=kind, chunksize=CHUNK, skipinitialspace=True):
            if first and not {"emotion", "pixels", "Usage"} <= set(chunk):
                raise Mistake(f"{tree.path} lacks emotion, pixels or Usage; {EXPECTED}")
            first = False
            yield chunk


def decoded(tree: Tree, name: str) -> np.ndarray:
    with tree.open(name) as file:
        try:
            image = Image.open(io.BytesIO(file.read()), formats=IMAGE_FORMATS).convert("L")
        except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
            raise Mistake(f"{tree.path}: {name} doesn't decode; get a whole copy") from None
    if image.size != (SIDE_PX, SIDE_PX):
        image = image.resize((SIDE_PX, SIDE_PX), Image.Resampling.BILINEAR)
    return np.asarray(image)


@contextmanager
def opened(source: Path) -> Iterator[Tree]:
    """A source as a Tree; damaged bytes and unreadable files are a Mistake."""
    if not source.exists():
        raise Mistake(f"there is no {source}; {EXPECTED}")
    try:
        if source.is_dir():
            names = (
                (Path(folder) / name).relative_to(source).as_posix()
                for folder, _, files in os.walk(source, followlinks=True)
                for name in files
            )
            yield Tree(source, sorted_names(names), lambda name: (source / name).open("rb"))
        elif zipfile.is_zipfile(source):
            with zipfile.ZipFile(source) as archive:
                members = {info.filename.replace("\\", "/"): info for info in archive.infolist()}
                names = sorted_names(name for name in members if not name.endswith("/"))
                yield Tree(source, names, lambda name: archive.open(members[name]))
        else:
            yield Tree(source, (source.name,), lambda name: source.open("rb"))
    except (EOFError, OSError, UnicodeDecodeError, lzma.LZMAError, zipfile.BadZipFile,
            pd.errors.ParserError, pd.errors.EmptyDataError) as error:  # fmt: skip
        told = " ".join(str(error).split())[:100]
        raise Mistake(f"{source} can't be read ({told}); {EXPECTED}") from None


def sorted_names(names: Iterator[str]) -> tuple[str, ...]:
    """In the order of ids, without what systems leave about."""
    return tuple(
        sorted(
            name
            for name in names
            if not any(part.startswith(".") or part in CLUTTER for part in name.split("/"))
        )
    )
