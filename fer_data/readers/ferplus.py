"""FER+ in its own layout: the images that its script makes, and ten votes for each.

    data/FER2013Train/label.csv     fer0000000.png,"(0, 0, 48, 48)",4,0,0,1,3,2,0,0,0,0
    data/FER2013Train/fer0000000.png, and FER2013Valid (PublicTest) and FER2013Test (PrivateTest)

or fer2013.csv with fer2013new.csv, joined row by row: the number in an image's name is no row. The
label is the majority of ferplus.py: votes that stand alone are dropped, and an emotion needs more
than half of the rest. As ferplus-votes, train has the shares of ferplus.py's mode crossentropy,
while val and test keep the majority, as in its train.py.
"""

import csv
import io
import re
from functools import partial

import numpy as np

from fer_data import Mistake
from fer_data.faces import Face, Found
from fer_data.known import FERPLUS
from fer_data.tree import Tree

FOLDER = re.compile(r"(^|.*/)FER2013(Train|Valid|Test)/label\.csv$")
SPLITS = {"Train": "train", "Valid": "val", "Test": "test"}
VOTES = 10  # FERPLUS's eight, then unknown and not a face
TABLE = "fer2013new.csv"


def find(tree: Tree, by_votes: bool = False) -> Found | None:
    lists = [match for name in tree.files if (match := FOLDER.match(name))]
    if not lists:
        return None
    there = set(tree.files)
    faces, undecided, lost = [], [], 0
    for match in lists:
        folder, split = match[0].rpartition("/")[0], SPLITS[match[2]]
        for base, cells in voted(tree, match[0]).items():
            name = f"{folder}/{base}"
            label, shares = target(votes(tree, match[0], cells), by_votes, split)
            if name not in there:
                lost += 1
            elif label:
                faces.append(Face(name, label, split, shares=shares))
            else:
                undecided.append(name)
    if not faces:
        raise Mistake(
            f"{tree.path} has {lists[0][0]} but no image of it; expected the PNGs that FER+'s "
            "generate_training_data.py makes: run it, or give the folder of fer2013.csv and "
            f"{TABLE} as ferplus:FOLDER"
        )
    faces.sort(key=lambda face: face.file)
    many = len(faces) + len(undecided)
    notes: tuple[str, ...] = (without(len(undecided), many, by_votes),)
    if lost:
        notes += (f"{lost:,} of its images are not there",)
    tables = tuple(match[0] for match in lists)
    return Found(tree, faces, "ferplus", tables, notes, told=undecided)


find_votes = partial(find, by_votes=True)


def voted(tree: Tree, name: str) -> dict[str, list[str]]:
    """The votes for each image of a label.csv. Four names come twice; FER+'s script wrote the later
    image over the earlier, so the later votes hold (fer0033120 is no face; before, neutral)."""
    with tree.open(name) as file, io.TextIOWrapper(file, "utf-8-sig", newline="") as text:
        return {row[0]: row[2:] for row in filter(None, csv.reader(text))}


def without(lost: int, total: int, by_votes: bool = False) -> str:
    return (
        f"{lost:,} of {total:,} images have no majority of FER+'s votes for one of its eight "
        "emotions"
        + (" (of train: no few emotions with most of them)" if by_votes else "")
        + " and were left out"
        + ("; train is trained towards the shares of its votes" if by_votes else "")
    )


def target(votes: np.ndarray, by_votes: bool, split: str) -> tuple[str, tuple[float, ...]]:
    """A class and the shares of all, none of them where the rule gives none; int (10,)."""
    if not by_votes or split != "train":
        return majority(votes), ()
    shares = distribution(votes)
    return (FERPLUS[int(np.argmax(shares))], shares) if shares else ("", ())


def distribution(votes: np.ndarray) -> tuple[float, ...]:
    """Shares of FERPLUS's eight classes; none where an image is left out. votes: int (10,).

    As mode crossentropy of ferplus.py: votes that stand alone are dropped; the answers with most
    votes are taken, ties together, until they hold three quarters of the rest or are three; neither
    may hold half or less of them, be more than three, nor may unknown or not a face lead.
    """
    left = np.where(votes > 1, votes, 0)
    taken, total, many = np.zeros(VOTES, int), left.sum(), 0
    held, valid = 0, True
    while held < 0.75 * total and many < 3 and valid:
        most = left.max()
        for k in np.flatnonzero(left == most):
            taken[k], left[k] = most, 0
            held, many = held + most, many + 1
            if k >= len(FERPLUS):
                valid = False
                if taken.sum() > most:  # emotions were ahead of it
                    taken[k], many = 0, many - 1
                break
    if taken.sum() <= 0.5 * total or many > 3 or taken.argmax() >= len(FERPLUS):
        return ()
    emotions = taken[: len(FERPLUS)]
    return tuple((emotions / emotions.sum()).tolist())


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
