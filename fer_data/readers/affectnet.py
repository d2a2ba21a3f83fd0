"""AffectNet as its authors give it.

    train_set/images/7.jpg, train_set/annotations/7_exp.npy          (2021, and val_set)
    Manually_Annotated_Images/DIR/HASH.jpg, training.csv, validation.csv    (2017)

0 neutral, 1 happy, 2 sad, 3 surprise, 4 fear, 5 disgust, 6 angry, 7 contempt; the older release has
8 none, 9 uncertain and 10 no face too. No test is public: the validation images are the test split,
as in everybody's tables, and val is carved from train.
"""

import csv
import io
import re

import numpy as np

from fer_data import Mistake
from fer_data.catalogue import SOURCES
from fer_data.faces import Box, Face, Found
from fer_data.tree import Tree

EXPRESSION = re.compile(r"^(.*?)(train|val)(?:_set)?/annotations/(\d+)_exp\.npy$")
LISTS = {"training.csv": "train", "validation.csv": "test"}
PATH, LABEL = "subDirectory_filePath", "expression"
BOX = ("face_x", "face_y", "face_width", "face_height")
NO_EMOTION = ("8", "9", "10")  # none, uncertain, no face
NO_TEST = "AffectNet's test is not public: its validation images are the test split, met at the end"


def find(tree: Tree) -> Found | None:
    annotated = [match for name in tree.files if (match := EXPRESSION.match(name))]
    if annotated:
        return of_arrays(tree, annotated)
    lists = [name for name in tree.files if name.rpartition("/")[2].lower() in LISTS]
    lists = [name for name in lists if header(tree, name) >= {PATH, LABEL}]
    return of_tables(tree, lists) if lists else None


def of_arrays(tree: Tree, annotated: list[re.Match[str]]) -> Found:
    """The release of 2021: an array of one number beside each image."""
    images = {name.rpartition(".")[0]: name for name in tree.files if "/images/" in name}
    faces = []
    for match in sorted(annotated, key=lambda match: tree.place(match[0])):
        folder = match[0].rpartition("annotations/")[0]
        image = images.get(f"{folder}images/{match[3]}")
        if not image:
            raise Mistake(
                f"{tree.path} has {match[0]} but no {folder}images/{match[3]}.jpg; expected an "
                "image for each annotation: get a whole copy"
            )
        faces.append(Face(image, class_of(tree, match[0]), split_of(match[2])))
    return found(tree, faces, tuple(match[0] for match in annotated))


def split_of(word: str) -> str:
    return "train" if word == "train" else "test"


def class_of(tree: Tree, name: str) -> str:
    """The number that an array holds, as it is written: some releases hold text."""
    with tree.open(name) as file:
        content = file.read()
    try:
        return str(int(np.load(io.BytesIO(content), allow_pickle=False).reshape(-1)[0]))
    except (ValueError, IndexError, EOFError) as error:
        raise Mistake(
            f"{tree.path}: {name} is no array of one number ({error}); get a whole copy"
        ) from error


def header(tree: Tree, name: str) -> set[str]:
    with tree.open(name) as file:
        return {column.strip() for column in file.readline().decode("utf-8-sig").split(",")}


def of_tables(tree: Tree, lists: list[str]) -> Found:
    """The release of 2017: two tables of paths with a box for each face."""
    ends = {name.split("Manually_Annotated_Images/")[-1]: name for name in tree.files}
    faces, lost = [], 0
    for name in lists:
        with tree.open(name) as file, io.TextIOWrapper(file, "utf-8-sig", newline="") as text:
            rows = csv.DictReader(text, skipinitialspace=True)
            rows.fieldnames = [column.strip() for column in rows.fieldnames or ()]
            for row in rows:
                image, label = ends.get(row[PATH]), (row[LABEL] or "").strip()
                lost += image is None
                if image:
                    split = LISTS[name.rpartition("/")[2].lower()]
                    where = None if label in NO_EMOTION else box(row, f"{tree.path}: {name}")
                    faces.append(Face(image, label, split, box=where))
    notes = (f"{lost:,} images of its tables are not there",) if lost else ()
    if not faces:
        raise Mistake(f"{tree.path} has {lists[0]} but none of its images: put them beside it")
    return found(tree, faces, tuple(lists), notes)


def box(row: dict[str, str], at: str) -> Box | None:
    """Left, top, right, bottom; the table has left, top, width, height."""
    told = [row.get(name) or "0" for name in BOX]
    try:
        left, top, width, height = (int(float(number)) for number in told)
    except (ValueError, OverflowError):
        raise Mistake(
            f"{at} has for {row[PATH]} the box {', '.join(told)[:80]!r}; expected left, top, width "
            "and height: correct it, or get a whole copy"
        ) from None
    return (left, top, left + width, top + height) if width > 0 and height > 0 else None


def found(tree: Tree, faces: list[Face], tables: tuple[str, ...], notes=()) -> Found:
    """With names for numbers, and without what shows no emotion."""
    names = SOURCES["affectnet"].numbers
    none = [face.file for face in faces if face.label in NO_EMOTION]
    odd = next((f for f in faces if f.label not in names and f.label not in NO_EMOTION), None)
    if odd:
        raise Mistake(
            f"{tree.path}: {odd.file} has the expression {odd.label!r}; expected 0 to 10: get a "
            "whole copy"
        )
    if none:
        notes += (
            f"{len(none):,} images of no emotion, an uncertain one or no face (8, 9, 10) were "
            "left out",
        )
    kept = [
        Face(f.file, names[f.label], f.split, f.group, f.box) for f in faces if f.label in names
    ]
    kept.sort(key=lambda face: face.file)
    if {face.split for face in kept} == {"train", "test"}:
        notes += (NO_TEST,)
    return Found(tree, kept, "affectnet", tables, notes, told=none)
