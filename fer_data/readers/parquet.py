"""Parquet files as Hugging Face keeps them: an image column of {bytes, path} or bytes, and a label.

    data/train-00000-of-00001.parquet, data/test-00000-of-00001.parquet

The split is in a file's name or folder (or default/train/0000.parquet).
A label's name is taken from the file's metadata where it has one; a number has no name by itself.
A row group is held at a time.
"""

import io
import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import accumulate
from typing import TYPE_CHECKING

from fer_data import Mistake
from fer_data.classes import written
from fer_data.faces import Face, Found
from fer_data.layout import FOLDERS
from fer_data.tree import Opened, Tree

if TYPE_CHECKING:
    import pyarrow as pa

IMAGES = ("image", "img", "img_bytes", "image_bytes", "jpg", "png", "pixel_values")
LABELS = ("label", "labels", "emotion", "expression", "class", "cls")
MARK = "#"  # between a file and the number of a row in it


def find(tree: Tree) -> Found | None:
    names = [name for name in tree.files if name.lower().endswith(".parquet")]
    if not names:
        return None
    faces = [face for name in names for face in rows(tree, name)]
    first = {face.file: place for place, face in enumerate(faces)}
    inside = replace(tree, open=opener(tree, names), place=first.__getitem__)
    return Found(inside, faces, tables=tuple(names), within=True)


def rows(tree: Tree, name: str) -> list[Face]:
    """A face for each row of a file."""
    import pyarrow.parquet as pq  # a third of a second that other layouts do without

    with tree.open(name) as file, undamaged(tree, name):
        whole = pq.ParquetFile(file)
        column(tree, name, whole.schema_arrow, IMAGES)
        chosen = column(tree, name, whole.schema_arrow, LABELS)
        labels = whole.read([chosen])[chosen].to_pylist()
        words = class_names(whole.schema_arrow, chosen)
    split = split_of(name)
    at = f"{tree.path}: row {{:,}} of {name}"
    return [
        Face(
            f"{name}{MARK}{row}",
            named(written(label, at.format(row)), words, at.format(row)),
            split,
        )
        for row, label in enumerate(labels)
    ]


@contextmanager
def undamaged(tree: Tree, name: str) -> Iterator[None]:
    """Turn what pyarrow raises on a damaged file into a sentence."""
    try:
        yield
    except Mistake:
        raise
    except Exception as error:  # there is no error that damage can't make Arrow raise
        first = (str(error).splitlines() or [type(error).__name__])[0]
        raise Mistake(
            f"{tree.path}: {name} is damaged or no Parquet ({first}); get a whole copy"
        ) from error


def named(label: str, words: list[str], at: str) -> str:
    """A label by the names that the file has for its numbers, if it has some."""
    if not words or not label.isdecimal():
        return label
    if int(label) >= len(words):
        raise Mistake(
            f"{at} has the label {label}, but the file names {len(words)} classes: get a whole copy"
        )
    return words[int(label)]


def column(tree: Tree, name: str, schema: "pa.Schema", wanted: tuple[str, ...]) -> str:
    found = next((one for one in wanted if one in schema.names), "")
    if not found:
        raise Mistake(
            f"{tree.path}: {name} has the columns {', '.join(schema.names[:8])}; expected one of "
            f"{', '.join(wanted)}: rename it"
        )
    return found


def class_names(schema: "pa.Schema", label: str) -> list[str]:
    """The names that `datasets` stored with a column of numbers; empty where there are none."""
    told = (schema.metadata or {}).get(b"huggingface")
    features = json.loads(told)["info"]["features"] if told else {}
    names = features.get(label, {}).get("names", [])
    return names if not all(str(name).isdecimal() for name in names) else []


def split_of(name: str) -> str:
    """The last word of a path that says one."""
    words = re.split(r"[/\-_.]", name.lower())
    return next((FOLDERS[word] for word in reversed(words) if word in FOLDERS), "")


def opener(tree: Tree, names: list[str]) -> Callable[[str], Opened]:
    """Opens a row's image; rows are asked for in their order, so one row group is held."""
    import pyarrow.parquet as pq

    starts: dict[str, list[int]] = {}
    for name in names:
        with tree.open(name) as file:
            told = pq.ParquetFile(file).metadata
            sizes = [told.row_group(k).num_rows for k in range(told.num_row_groups)]
        starts[name] = [0, *accumulate(sizes)]

    held: dict[tuple[str, int], pa.ChunkedArray] = {}

    def group(name: str, number: int) -> "pa.ChunkedArray":
        if (name, number) not in held:
            held.clear()
            with tree.open(name) as file, undamaged(tree, name):
                whole = pq.ParquetFile(file, page_checksum_verification=True)
                image = column(tree, name, whole.schema_arrow, IMAGES)
                held[name, number] = whole.read_row_group(number, [image])[image]
        return held[name, number]

    def open_row(file: str) -> Opened:
        name, _, number = file.rpartition(MARK)
        row = int(number)
        at = next(k for k, end in enumerate(starts[name][1:]) if row < end)
        value = group(name, at)[row - starts[name][at]].as_py()
        content = value["bytes"] if isinstance(value, dict) else value
        if not isinstance(content, bytes):
            raise Mistake(
                f"{tree.path}: row {row:,} of {name} has no bytes of an image; expected the image "
                "itself, not its path: get a copy that holds the images"
            )
        return io.BufferedReader(io.BytesIO(content))

    return open_row
