"""A source of faces: FER-2013's table, or images in folders, either of them packed or not.

Told by content, not by name. Nothing is unpacked to the disk, nothing that a source holds is ever
executed, and whatever is wrong with it raises Mistake. Images are numbered here, for the study
that answers them and for the results that show them.
"""

import hashlib
from pathlib import Path, PurePosixPath

import numpy as np

from fer_data import Mistake, classes, image_files, table
from fer_data.classes import listed
from fer_data.layout import layout
from fer_data.rows import Rows
from fer_data.tree import EXPECTED, Tree, is_tree, opened, readable

TABLES = ("fer2013.csv", "icml_face_data.csv")
TABLE_ENDS = (".csv", ".csv.xz", ".csv.gz")


def read(path: Path, names: tuple[str, ...] = ()) -> Rows:
    """The source's rows; whatever is wrong with it raises Mistake.

    `names` are those of the classes in the order of their numbers, where the source has no names.
    """
    with readable(path):
        images, labels, splits, notes, is_table = content(path)
    named, known, told = classes.named(str(path), labels, splits, names, is_table)
    return Rows(images, named, splits, np.arange(len(images)), notes + told, known)


def content(path: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray, tuple[str, ...], bool]:
    """Images, labels as they are written, splits, notes, and whether all that is a table's."""
    if not is_tree(path):
        with path.open("rb") as whole:
            return *table.read(whole, str(path)), (), True
    with opened(path) as tree:
        files, notes = layout(tree)
        if not files:
            name = table_name(tree)
            with tree.open(name) as file:
                return *table.read(file, f"{path}: {name}"), (), True
        images, told = image_files.read(tree, [file.name for file in files])
        labels, splits = (np.array([getattr(f, key) for f in files]) for key in ("label", "split"))
        return images, labels, splits, notes + told, False


def digest(path: Path) -> str:
    """16 hex digits of the sha256 over the source's bytes: of a folder, its names and images."""
    with readable(path):
        if not path.is_dir():
            with path.open("rb") as whole:
                return hashlib.file_digest(whole, "sha256").hexdigest()[:16]
        with opened(path) as tree:
            total = hashlib.sha256("\0".join(tree.names).encode(errors="surrogateescape"))
            files, _ = layout(tree)
            for name in [file.name for file in files] or [table_name(tree)]:
                with tree.open(name) as file:
                    total.update(hashlib.file_digest(file, "sha256").digest())
            return total.hexdigest()[:16]


def table_name(tree: Tree) -> str:
    """The one table of a tree without images; where there are several, the one named like FER's."""
    if not tree.files:
        raise Mistake(f"{tree.path} is empty; {EXPECTED}")
    tables = [name for name in tree.files if name.lower().endswith(TABLE_ENDS)]
    named = [name for name in tables if PurePosixPath(name).name.lower().startswith(TABLES)]
    if len(tables) == 1 or len(named) == 1:
        return (named or tables)[0]
    if tables:
        raise Mistake(
            f"{tree.path} holds {len(tables)} tables ({listed(tables)}); expected one: give its "
            "path"
        )
    raise Mistake(f"{tree.path} holds no data set but {listed(tree.files)}; {EXPECTED}")
