"""A table of paths and labels: one CSV with a column of each, and perhaps split and person.

    pth,label,relFCs                           (Kaggle, noamsegal/affectnet-training-data)
    image,label,split,person                   one's own

Columns are known by their names, below.
"""

import csv
import io
from collections import Counter
from collections.abc import Callable
from pathlib import PurePosixPath

from fer_data import Mistake
from fer_data.classes import written
from fer_data.faces import Face, Found
from fer_data.layout import FOLDERS
from fer_data.tree import Tree, is_tree

PATHS = ("path", "pth", "image", "file", "filename", "filepath", "file_path", "image_path", "img")
LABELS = ("label", "emotion", "expression", "class", "labels")
SPLITS = ("split", "usage", "set", "subset", "partition")
GROUPS = ("group", "person", "subject", "identity", "user", "sequence")
PSEUDO = "relfcs"  # the column of another network's confidence
LABELLED_BY_A_NETWORK = (
    "its labels are another network's answers (relFCs is how sure it was), so an accuracy on them "
    "is agreement with that network"
)


def find(tree: Tree) -> Found | None:
    tables = [name for name in tree.files if name.lower().endswith(".csv")]
    found = [name for name in tables if is_table(header(tree, name))]
    if len(found) != 1:
        return None
    (name,) = found
    with tree.open(name) as file, io.TextIOWrapper(file, "utf-8-sig", newline="") as text:
        rows = list(csv.reader(text))
    columns = [cell.strip().lower() for cell in rows[0]]
    places = [place(columns, wanted) for wanted in (PATHS, LABELS, SPLITS, GROUPS)]
    if twice := [columns[at] for at in places if at >= 0 and columns.count(columns[at]) > 1]:
        raise Mistake(
            f"{tree.path}: {name} has the column {twice[0]} {columns.count(twice[0])} times; "
            "expected it once: remove or rename the others"
        )
    folder, there = name.rpartition("/")[0], finder(tree)
    faces, lost = [], 0
    for number, row in enumerate(rows[1:], 2):
        if not any(cell.strip() for cell in row):
            continue
        path, label, split, group = (row[at].strip() if 0 <= at < len(row) else "" for at in places)
        label = written(label, f"{tree.path}: line {number:,} of {name}")
        file_name = there(below(folder, path)) or there(below("", path))
        lost += file_name is None
        if file_name:
            faces.append(Face(file_name, label, split_name(tree, name, split), group))
    if not faces:
        raise Mistake(
            f"{tree.path}: none of the {lost:,} paths of {name} is there; expected paths as they "
            "are below the table's folder: move the table, or correct them"
        )
    notes: tuple[str, ...] = ()
    if lost:
        notes = (f"{lost:,} rows of {name} name an image that isn't there",)
    if PSEUDO in columns:
        notes += (LABELLED_BY_A_NETWORK,)
    twice = [path for path, many in Counter(face.file for face in faces).items() if many > 1]
    if twice:
        raise Mistake(f"{tree.path}: {name} names {twice[0]} twice; expected each image once")
    faces.sort(key=lambda face: face.file)
    return Found(tree, faces, tables=(name,), notes=notes)


def finder(tree: Tree) -> Callable[[str], str | None]:
    """Gives a path of the table back where its file is there; beside a lone table, on the disk."""
    if len(tree.names) == 1 and not is_tree(tree.path):
        return lambda name: name if (tree.path.parent / name).is_file() else None
    files = set(tree.files)
    return lambda name: name if name in files else None


def header(tree: Tree, name: str) -> list[str]:
    """The first line's cells; those of FER-2013's table may be packed, and are none then."""
    with tree.open(name) as file:
        line = file.readline(10_000).decode("utf-8-sig", "replace")
    return [cell.strip().strip('"').lower() for cell in line.split(",")]


def is_table(columns: list[str]) -> bool:
    return place(columns, PATHS) >= 0 <= place(columns, LABELS) and "pixels" not in columns


def place(columns: list[str], wanted: tuple[str, ...]) -> int:
    return next((columns.index(name) for name in wanted if name in columns), -1)


def below(folder: str, path: str) -> str:
    """A path of the table, as it is in the tree."""
    return PurePosixPath(folder, path.replace("\\", "/").removeprefix("./")).as_posix()


def split_name(tree: Tree, name: str, word: str) -> str:
    if word and word.lower() not in FOLDERS:
        raise Mistake(
            f"{tree.path}: {name} has the split {word[:40]!r}; expected train, val or test"
        )
    return FOLDERS.get(word.lower(), "")
