"""FER+ in its own layout: the images that its script makes, and ten votes for each.

    data/FER2013Train/label.csv     fer0000000.png,"(0, 0, 48, 48)",4,0,0,1,3,2,0,0,0,0
    data/FER2013Train/fer0000000.png, and FER2013Valid (PublicTest) and FER2013Test (PrivateTest)

or fer2013.csv with fer2013new.csv, joined row by row: the number in an image's name is no row. The
label is the majority of ferplus.py: votes that stand alone are dropped, and an emotion needs more
than half of the rest.
"""

import csv
import io
import re

import numpy as np

from fer_data import Mistake
from fer_data.faces import Face, Found
from fer_data.known import FERPLUS
from fer_data.tree import Tree

FOLDER = re.compile(r"(^|.*/)FER2013(Train|Valid|Test)/label\.csv$")
SPLITS = {"Train": "train", "Valid": "val", "Test": "test"}
VOTES = 10  # FERPLUS's eight, then unknown and not a face
TABLE = "fer2013new.csv"


def find(tree: Tree) -> Found | None:
    lists = [match for name in tree.files if (match := FOLDER.match(name))]
    if not lists:
        return None
    there = set(tree.files)
    faces, total, lost = [], 0, 0
    for match in lists:
        folder = match[0].rpartition("/")[0]
        with tree.open(match[0]) as file, io.TextIOWrapper(file, "utf-8-sig", newline="") as text:
            for row in filter(None, csv.reader(text)):
                name = f"{folder}/{row[0]}"
                label = majority(votes(tree, match[0], row[2:]))
                total += 1
                lost += name not in there
                if label and name in there:
                    faces.append(Face(name, label, SPLITS[match[2]]))
    if not faces:
        raise Mistake(
            f"{tree.path} has {lists[0][0]} but no image of it; expected the PNGs that FER+'s "
            "generate_training_data.py makes: run it, or give the folder of fer2013.csv and "
            f"{TABLE} as ferplus:FOLDER"
        )
    faces.sort(key=lambda face: face.file)
    notes: tuple[str, ...] = (without(total - lost - len(faces), total - lost),)
    if lost:
        notes += (f"{lost:,} of its images are not there",)
    return Found(tree, faces, "ferplus", tuple(match[0] for match in lists), notes)


def without(lost: int, total: int) -> str:
    return (
        f"{lost:,} of {total:,} images have no majority of FER+'s votes for one of its eight "
        "emotions and were left out"
    )


def votes(tree: Tree, where: str, cells: list[str]) -> np.ndarray:
    if len(cells) != VOTES or not all(cell.strip().isdecimal() for cell in cells):
        raise Mistake(
            f"{tree.path}: {where} has the votes {','.join(cells)[:60]!r}; expected ten whole "
            "numbers: get a whole copy"
        )
    return np.array([int(cell) for cell in cells])


def majority(votes: np.ndarray) -> str:
    """The emotion with more than half of the votes that don't stand alone; "" where there is none.

    votes: int (10,). As in ferplus.py of microsoft/FERPlus, ae2128a.
    """
    kept = np.where(votes > 1, votes, 0)
    first = int(kept.argmax())
    return FERPLUS[first] if first < len(FERPLUS) and 2 * kept[first] > kept.sum() else ""


def table(tree: Tree) -> tuple[np.ndarray, list[str]]:
    """Votes int (N, 10) and Usages of fer2013new.csv, in the order of its rows."""
    names = [name for name in tree.files if name.rpartition("/")[2] == TABLE]
    if not names:
        raise Mistake(
            f"{tree.path} holds neither FER2013Train/label.csv nor {TABLE}; expected FER+'s votes "
            "beside fer2013.csv: get them from github.com/microsoft/FERPlus"
        )
    with tree.open(names[0]) as file, io.TextIOWrapper(file, "utf-8-sig", newline="") as text:
        rows = [row for row in csv.reader(text) if row][1:]
    return np.stack([votes(tree, names[0], row[2:]) for row in rows]), [row[0] for row in rows]
