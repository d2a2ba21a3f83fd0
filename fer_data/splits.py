"""Train, val and test of a source: what its own splits mean, and those that it lacks, carved from
train with no group on two sides.

A group is all that shows one person, one sequence or one photograph, as far as the source tells it,
and all images with the same pixels.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np

from fer_data import Mistake
from fer_data.faces import Face
from fer_data.known import SPLITS
from fer_data.layout import EVAL
from fer_data.rows import Rows

CARVED_SHARE = 9  # one image in nine, as PublicTest's share of Training and PublicTest
TEST_SHARE = 10  # one in ten, as PrivateTest's share of all of FER-2013
CARVING_SEED = 0


def settled(path: Path, faces: list[Face]) -> tuple[list[Face], tuple[str, ...]]:
    """The faces in splits as they are meant, with a test or without any split at all; and notes.

    `eval` is test, as for `datasets` of Hugging Face, but val beside a test; val is test where
    there is none; one split alone says nothing. Faces without a split beside others are left out.
    """
    told = {face.split for face in faces} - {""}
    meant: dict[str, str] = {}
    notes: list[str] = []
    if len(told) == 1 and all(face.split for face in faces):
        meant = dict.fromkeys(told, "")
        notes.append(f"all of it is one split, called {[*told][0]}, and is taken as a whole")
    elif EVAL in told:
        meant[EVAL] = next((name for name in ("test", "val") if name not in told), "")
    elif "val" in told and "test" not in told:
        meant["val"] = "test"
    if meant.get(EVAL) == "val":
        notes.append("eval is val, since there is a test split beside it")
    for name in (name for name in told if meant.get(name) == "test"):
        notes.append(f"there is no test split, so {name} is the test split, met once at the end")
    if meant:
        faces = [replace(face, split=meant.get(face.split, face.split)) for face in faces]
    lost = [face for face in faces if not face.split]
    if not lost or len(lost) == len(faces):
        return faces, tuple(notes)
    many = f"{len(lost):,} of {len(faces):,} faces, as {lost[0].file}, are in no train, val or test"
    if "train" not in told or len(told) == 1:
        raise Mistake(
            f"{path}: {many}, all others in {' and '.join(sorted(told))}; expected a split for "
            "each, or for none: name those that are missing"
        )
    return [face for face in faces if face.split], (*notes, f"{many}: they were left out")


def whole(rows: Rows) -> Rows:
    """The rows with a val, and a test where the source has no split at all."""
    if not rows.splits.size or (rows.splits == "").all():
        rows = with_part(replace(rows, splits=np.full(len(rows.names), "train")), "test")
    if "val" not in rows.splits:
        rows = with_part(rows, "val")
    return replace(rows, notes=(*rows.notes, *crossings(rows)))


def with_part(rows: Rows, part: str) -> Rows:
    """The rows with one image in nine of each class of train moved to val, or in ten to test."""
    train = np.flatnonzero(rows.splits == "train")
    share = CARVED_SHARE if part == "val" else TEST_SHARE
    alike, grouped = identical(rows.images[train]), told(rows)
    if grouped:
        chosen = by_group(rows.names[train], joined(alike, rows.groups[train]), share)
    else:
        chosen = carved(rows.names[train], alike, CARVING_SEED, share)
    moved = train[chosen]
    splits = rows.splits.astype("U5")
    splits[moved] = part
    sides = "identical ones kept on one side"
    if grouped:
        sides = "all that is of one person, sequence or photograph kept on one side"
    note = f"{part} was carved from train: {len(moved):,} images, one in {share} of each class, "
    return replace(rows, splits=splits, notes=(*rows.notes, note + sides))


def told(rows: Rows) -> bool:
    """Whether the source tells groups."""
    return bool(rows.groups.size) and bool((rows.groups != "").any())


def identical(images: Iterable[np.ndarray]) -> np.ndarray:
    """For each image the number of its group: images with the same pixels share one. (N,)"""
    seen: dict[bytes, int] = {}  # told apart by a digest: the pixels themselves fill the memory
    digests = (hashlib.sha256(np.ascontiguousarray(image).data).digest() for image in images)
    return np.array([seen.setdefault(digest, len(seen)) for digest in digests])


def joined(alike: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Numbers (N,) of what is held together by equal pixels or by a group, over however many."""
    parent: dict[object, object] = {}

    def root(one: object) -> object:
        while parent.setdefault(one, one) != one:
            one = parent[one]
        return one

    for pixels, group in zip(alike.tolist(), groups.tolist(), strict=True):
        if group:
            parent[root(group)] = root(pixels)
    numbers: dict[object, int] = {}
    return np.array([numbers.setdefault(root(one), len(numbers)) for one in alike.tolist()])


def carved(
    names: np.ndarray, group: np.ndarray, seed: int, share: int = CARVED_SHARE
) -> np.ndarray:
    """Places of one image in `share` of each class; a group of identical images is in or out
    whole."""
    classes, labels = np.unique(names, return_inverse=True)
    wanted = np.maximum(1, np.bincount(labels) // share)
    chosen: list[int] = []
    for places in members(group, seed):
        held = np.bincount(labels[places], minlength=len(classes))
        if (held <= wanted).all():
            wanted -= held
            chosen += places
    return np.array(sorted(chosen), np.int64)


def members(group: np.ndarray, seed: int) -> list[list[int]]:
    """The places of each group, in an order by lot."""
    found: dict[int, list[int]] = {}
    for place in np.random.default_rng(seed).permutation(len(group)).tolist():
        found.setdefault(group[place], []).append(place)
    return list(found.values())


def by_group(names: np.ndarray, group: np.ndarray, share: int) -> np.ndarray:
    """Places of whole groups that come near one image in `share` of each class.

    Groups are persons with images of many classes, so none fits exactly: one is taken where it
    brings the counts nearer, and one more for a class that is still without.
    """
    classes, labels = np.unique(names, return_inverse=True)
    lacking = np.maximum(1, np.bincount(labels) // share).astype(float)
    each = [
        (places, np.bincount(labels[places], minlength=len(classes)))
        for places in members(group, CARVING_SEED)
    ]
    chosen: list[int] = []
    for places, held in each:
        if np.abs(lacking - held).sum() < np.abs(lacking).sum():
            lacking -= held
            chosen += places
    for label in range(len(classes)):
        if label not in labels[chosen]:
            rest = [(places, held) for places, held in each if held[label]]
            chosen += min(rest, key=lambda one: np.abs(lacking - one[1]).sum())[0]
    return np.array(sorted(set(chosen)), np.int64)


def crossings(rows: Rows) -> tuple[str, ...]:
    """How many groups the splits cut, for splits that the source gave."""
    if not told(rows):
        return ()
    inside = np.flatnonzero(rows.groups != "")
    each, groups = np.unique(rows.groups[inside], return_inverse=True)
    within = [np.bincount(groups[rows.splits[inside] == s], minlength=len(each)) for s in SPLITS]
    cut = (np.stack(within) > 0).sum(0) > 1
    if not cut.any():
        return ()
    many = within[-1][cut].sum()
    seen = f"{many:,} of them in test: a network is tested on what it has partly seen"
    if not many:
        seen = "none of them in test: a network is judged on val by what it has partly seen"
    return (
        f"{cut.sum():,} of {len(each):,} groups (persons, sequences or photographs) have images in "
        f"more than one split, {seen}",
    )
