"""A data set: three splits of uint8 images with labels, checked, with a digest of their content."""

import hashlib
import json
import shlex
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

import numpy as np

from fer_data import Mistake, counted, near, sources
from fer_data.classes import folded, listed
from fer_data.known import FERPLUS, SPLITS
from fer_data.rows import SIDE_PX, Rows
from fer_data.splits import identical, whole


@dataclass(frozen=True, eq=False)
class Split:
    images: np.ndarray  # uint8 (N, side, side)
    labels: np.ndarray  # int64 (N,), index into Dataset.classes
    ids: np.ndarray  # int64 (N,), row of the table (FER+: kept row) from 0, or place in its files
    shares: np.ndarray | None = None  # float32 (N, K), what is trained towards where votes are kept

    def taken(self, rows: np.ndarray) -> "Split":
        """Some of its images, by their places or by a mask of them, in that order."""
        towards = None if self.shares is None else self.shares[rows]
        return Split(self.images[rows], self.labels[rows], self.ids[rows], towards)


@dataclass(frozen=True, eq=False)
class Dataset:
    """Three splits, each with an image of every class; `digest` names their content."""

    name: str  # fer2013, faces, or that of the source's file or folder
    digest: str  # 16 hex digits of the sha256 over pixels, labels, splits and class names
    classes: tuple[str, ...]  # sorted
    train: Split
    val: Split
    test: Split
    duplicate: np.ndarray  # bool (test,): its pixels also occur in train or val
    val_duplicate: np.ndarray  # bool, of all of val: its pixels also occur in train
    near: np.ndarray  # bool (test,): a near copy of one in train or val, though no duplicate
    val_near: np.ndarray  # bool, of all of val: a near copy of one in train, though no duplicate
    notes: tuple[str, ...]  # sentences that every output repeats
    synthetic: bool
    known: str = ""  # the published data set whose images per class and split these are
    source: tuple[str, str] = ("", "")  # the file or folder that was read, and its sources.digest
    largest_px: int = SIDE_PX  # side of the largest face as the source has it

    @property
    def side_px(self) -> int:
        """Rows, and columns, of its images."""
        return self.train.images.shape[-1]


def parts(dataset: Dataset) -> list[Split]:
    return [dataset.train, dataset.val, dataset.test]


def read(
    path: Path,
    names: tuple[str, ...] = (),
    kind: str = "",
    without: tuple[str, ...] = (),
    crop: float = 0.0,
    px: int = SIDE_PX,
) -> Dataset:
    """The data set of a source, checked; see `sources.read`. `without`: classes to leave out."""
    rows = whole(left_out(str(path), sources.read(path, names, kind, crop, px=px), without))
    classes, labels = np.unique(rows.names, return_inverse=True)
    splits = []
    for name in SPLITS:
        mask = rows.splits == name
        shares = of_classes(rows, mask, classes.tolist()) if name == "train" else None
        labelled = labels[mask].astype(np.int64)
        splits.append(Split(rows.images[mask], labelled, rows.ids[mask], shares))
    made = checked(str(path), tuple(classes.tolist()), splits, rows.notes, known=rows.known)
    return replace(made, largest_px=rows.largest_px)


def left_out(where: str, rows: Rows, without: tuple[str, ...]) -> Rows:
    """The rows without those of some classes, each by its own or a usual name; and a note."""
    if not without:
        return rows
    there = sorted(set(rows.names.tolist()))
    lost: list[str] = []
    for name in without:
        usual = [one for one in there if folded(one) == folded(name)]
        if not usual:
            raise Mistake(
                f"{where} has no class {name} to leave out; expected some of {listed(there)}"
            )
        lost += [name] if name in there else usual
    kept = ~np.isin(rows.names, lost)
    if not kept.any():
        raise Mistake(f"{where} has no class beside {listed(without)}: leave out fewer of them")
    note = f"{counted((~kept).sum(), 'image')} of {listed(without)} left out, as asked for"
    return replace(rows.taken(kept), notes=(*rows.notes, note), known="")


def of_classes(rows: Rows, mask: np.ndarray, classes: list[str]) -> np.ndarray | None:
    """Shares float32 (N, K) of these classes alone, 1 together."""
    if rows.shares is None:
        return None
    places = [FERPLUS.index(folded(name)) for name in classes]
    shares = rows.shares[mask][:, places]
    return np.ascontiguousarray(shares / shares.sum(1, keepdims=True), np.float32)


def checked(
    where: str,
    classes: tuple[str, ...],
    splits: list[Split],
    notes: tuple[str, ...],
    synthetic: bool = False,
    known: str = "",
) -> Dataset:
    """The data set of these splits (its name is `where`), if each has an image of every class."""
    if len(classes) < 2:
        raise Mistake(
            f"{where} has one class alone, {classes[0]!r}; expected two or more: give the "
            "folder in which train/CLASS/ and so on lie, or add a class"
        )
    for name, split in zip(SPLITS, splits, strict=True):
        missing = np.flatnonzero(np.bincount(split.labels, minlength=len(classes)) == 0)
        if len(missing):
            raise Mistake(
                f"{where} has no image of the class {classes[missing[0]]!r} in {name}; expected "
                f"each of the {len(classes)} classes in {', '.join(SPLITS)}: add some, or leave "
                f"the class out with --without {shlex.quote(str(classes[missing[0]]))}"
            )
    group = identical(chain(*(split.images for split in splits)))
    train, val, test = np.split(group, np.cumsum([len(split.labels) for split in splits[:2]]))
    duplicate, val_duplicate = np.isin(test, np.concatenate([train, val])), np.isin(val, train)
    of_train, of_val, of_test = (near.looks(split.images) for split in splits)
    return Dataset(
        name=where,
        digest=content_digest(classes, splits),
        classes=classes,
        train=splits[0],
        val=splits[1],
        test=splits[2],
        duplicate=duplicate,
        val_duplicate=val_duplicate,
        near=~duplicate & near.copies(of_test, of_train, of_val),
        val_near=~val_duplicate & near.copies(of_val, of_train),
        notes=notes,
        synthetic=synthetic,
        known=known,
    )


def content_digest(classes: tuple[str, ...], splits: list[Split]) -> str:
    """16 hex digits of the sha256 over class names, split sizes, pixels and labels, in order."""
    total = hashlib.sha256(json.dumps([classes, [len(s.labels) for s in splits]]).encode())
    for split in splits:
        total.update(np.ascontiguousarray(split.images).data)
        total.update(split.labels.astype("<i8").data)
        if split.shares is not None:
            total.update(split.shares.astype("<f4").data)
    return total.hexdigest()[:16]


def levels(dataset: Dataset) -> dict[str, float]:
    """Mean grey level (0 to 255) of each class over val and test together."""
    images = np.concatenate([dataset.val.images, dataset.test.images])
    labels = np.concatenate([dataset.val.labels, dataset.test.labels])
    each = images.reshape(len(images), -1).mean(1)
    return {
        name: round(float(each[labels == label].mean()), 2)
        for label, name in enumerate(dataset.classes)
    }
