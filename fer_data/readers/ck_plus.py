"""CK+: the 48 pixel copy of Kaggle, and the authors' release.

    CK+48/anger/S010_004_00000017.png
    cohn-kanade-images/S005/001/S005_001_00000001.png and Emotion/S005/001/S005_001_..._emotion.txt

CK+48 has three neighbouring frames of each of 327 sequences, so images drawn by lot would leak: its
person is the group. The release has one label a sequence, for its last frame; 0 is neutral.
"""

import re

from fer_data import Mistake
from fer_data.catalogue import SOURCES
from fer_data.classes import folded
from fer_data.faces import Face, Found
from fer_data.layout import ended, passed_over
from fer_data.tree import Tree

FRAME = re.compile(r"(?:^|/)([^/]+)/(S\d{3})_(\d{3})_(\d{8})\.\w+$")
LABEL = re.compile(r"(?:^|/)(S\d{3}_\d{3})_\d{8}_emotion\.txt$")


def find(tree: Tree) -> Found | None:
    frames = [match for name in tree.files if ended(name) and (match := FRAME.search(name))]
    if not frames:
        return None
    labels = {match[1]: name for name in tree.files if (match := LABEL.search(name))}
    if labels:
        return release(tree, frames, labels)
    classes = set(SOURCES["ckplus"].numbers.values())
    faces = [Face(m.string, m[1], group=m[2]) for m in frames if folded(m[1]) in classes]
    if not faces:
        return None
    sequences = {(m[2], m[3]) for m in frames}
    note = f"its {len(faces):,} frames are of {len(sequences):,} sequences of {persons(faces)}"
    notes = (note, *passed_over(face.file for face in faces))
    return Found(tree, faces, "ckplus", notes=notes)


def release(tree: Tree, frames: list[re.Match[str]], labels: dict[str, str]) -> Found:
    """The last frame of each sequence that has a label."""
    last = {f"{m[2]}_{m[3]}": m for m in sorted(frames, key=lambda m: m[4])}
    faces = []
    for sequence in sorted(labels.keys() & last.keys()):
        match = last[sequence]
        faces.append(Face(match.string, class_of(tree, labels[sequence]), group=match[2]))
    note = f"the last frames of {len(faces):,} labelled sequences of {persons(faces)}"
    return Found(tree, faces, "ckplus", tuple(sorted(labels.values())), (note,))


def class_of(tree: Tree, name: str) -> str:
    """The name of the number that a file holds, written as 3.0000000e+00."""
    with tree.open(name) as file:
        text = file.read().decode("utf-8-sig").strip()
    try:
        return SOURCES["ckplus"].numbers[str(int(float(text)))]
    except (ValueError, OverflowError, KeyError):
        raise Mistake(
            f"{tree.path}: {name} has the label {text[:40]!r}; expected a number from 0 to 7: get "
            "a whole copy"
        ) from None


def persons(faces: list[Face]) -> str:
    return f"{len({face.group for face in faces}):,} persons"
