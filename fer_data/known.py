"""Data sets that are known by what is published of them: how many images each class has in each
split. Such counts are a fingerprint: they tell which class a number stands for, in any order.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

SPLITS = ("train", "val", "test")
EMOTIONS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")  # FER-2013's order
FERPLUS = ("neutral", "happy", "surprise", "sad", "angry", "disgust", "fear", "contempt")


@dataclass(frozen=True)
class Known:
    """A published data set: its classes in the order of their numbers, with the images of each."""

    name: str  # as a data set is called in files
    title: str  # as people call it
    classes: tuple[str, ...]
    train: tuple[int, ...]
    val: tuple[int, ...]
    test: tuple[int, ...]

    def counted(self, splits: Iterable[str]) -> dict[tuple[int, ...], str]:
        """Images per split -> class; val belongs to test where `splits` has no val."""
        whole = "val" not in splits
        return {
            (train, val + test) if whole else (train, val, test): name
            for name, train, val, test in zip(
                self.classes, self.train, self.val, self.test, strict=True
            )
        }


FER2013 = Known(
    "fer2013",
    "FER-2013",
    EMOTIONS,
    (3995, 436, 4097, 7215, 4830, 3171, 4965),
    (467, 56, 496, 895, 653, 415, 607),
    (491, 55, 528, 879, 594, 416, 626),
)
# FER+ (microsoft/FERPlus, ae2128a) has ten votes an image and no labels: what is made of them in
# four ways. The first of several emotions with most votes wins; no other rows are left out than
# those whose answer is none of the classes.
KNOWN = (
    FER2013,
    Known(
        "ferplus",
        "FER+ by the most votes of its first seven emotions",
        FERPLUS[:7],
        (10639, 7548, 3594, 3565, 2495, 211, 657),
        (1369, 900, 461, 423, 322, 39, 75),
        (1310, 929, 446, 450, 331, 28, 95),
    ),
    Known(
        "ferplus",
        "FER+ by the most votes of its eight emotions",
        FERPLUS,
        (10538, 7539, 3588, 3549, 2478, 194, 656, 167),
        (1357, 899, 459, 418, 320, 36, 75, 25),
        (1294, 929, 446, 448, 326, 23, 94, 29),
    ),
    Known(
        "ferplus",
        "FER+ by the most votes of its ten answers",
        FERPLUS,
        (10309, 7528, 3562, 3515, 2467, 191, 652, 165),
        (1335, 899, 456, 412, 319, 34, 74, 24),
        (1262, 928, 444, 444, 325, 23, 93, 27),
    ),
    Known(
        "ferplus",
        "FER+ by the majority of ferplus.py",
        FERPLUS,
        (8740, 7287, 3149, 3014, 2100, 119, 532, 119),
        (1182, 865, 415, 351, 287, 24, 62, 13),
        (1090, 893, 396, 384, 273, 18, 83, 16),
    ),
)


@dataclass(frozen=True)
class Recognised:
    """A known data set, and the class of it that each label of a source stands for."""

    known: Known
    names: dict[str, str]  # label in the source -> class

    @property
    def whole(self) -> bool:
        return set(self.names.values()) == set(self.known.classes)


def recognised(labels: np.ndarray, splits: np.ndarray) -> Recognised | None:
    """The known data set whose published counts each label's images have in every split; None for
    another. Part of its classes is enough: no two of them have the same counts."""
    each = Counter(zip(labels.tolist(), splits.tolist(), strict=True))
    there = [split for split in SPLITS if split in splits]
    ours = {
        label: tuple(each[label, split] for split in there)
        for label in dict.fromkeys(labels.tolist())
    }
    for known in KNOWN:
        theirs = known.counted(there)
        names = {label: theirs[counts] for label, counts in ours.items() if counts in theirs}
        if len(names) == len(ours) == len(set(names.values())):
            return Recognised(known, names)
    return None
