"""What is known of FER-2013's images: which row of its table an image is, and whether a data set's
val and test are its two test halves, on which the paper judged.
"""

import hashlib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np

from fer_data.catalogue import of_study
from fer_data.classes import folded
from fer_data.known import FER2013

# The digests of the data sets that the table, and the folder copy of msambare/fer2013, become.
PUBLISHED = ("6633285713737303", "93edc24e138aae46")
FIRST_ROWS = {"train": 0, "val": 28_709, "test": 32_298}  # of each split in the table
SIZES = {"train": 28_709, "val": 3_589, "test": 3_589}
# Mean grey level of each class in both test halves. JPEG changes it by at most 0.01; that of as
# many other faces would differ by about 1, the standard error of such a mean.
LEVELS = {
    "angry": 127.80,
    "disgust": 134.65,
    "fear": 135.06,
    "happy": 127.64,
    "sad": 120.10,
    "surprise": 146.35,
    "neutral": 123.84,
}
LEVELS_APART = 0.25


def pixel_digests(images: np.ndarray) -> np.ndarray:
    """str (N,) of uint8 (N, 48, 48): 16 hex digits of the sha256 of each image's pixels."""
    each = [hashlib.sha256(np.ascontiguousarray(image).data).hexdigest()[:16] for image in images]
    return np.array(each, dtype="U16")


@cache
def table_rows() -> dict[str, int]:
    """The first 8 hex digits of each image's pixel digest -> its (first) row in the table."""
    with (files("fer_data") / "fer2013_rows.npy").open("rb") as file:
        stored = np.load(file, allow_pickle=False)
    return {f"{start:08x}": row for row, start in reversed(list(enumerate(stored.tolist())))}


def rows_of(digest: str, split: np.ndarray, image: np.ndarray, pixels: np.ndarray) -> np.ndarray:
    """int64 (N,): the row of the table as published that is each image of a study, -1 for none.

    digest: of the study's data; split and image: as in predictions.parquet; pixels: the images' own
    digests, "" where the study kept none. 1,516 images are in the table more than once; their first
    rows stand for them, as FER+'s votes are the same for all of them.
    """
    if digest != PUBLISHED[0]:
        known = table_rows()
        return np.array([known.get(one[:8], -1) for one in pixels.tolist()], np.int64)
    rows = image.astype(np.int64)
    for name, first in FIRST_ROWS.items():  # a table whose splits lie otherwise has other numbers
        inside = split == name
        numbers = np.unique(image[inside])
        if len(numbers) == SIZES[name]:
            rows[inside] = first + np.searchsorted(numbers, image[inside])
    return rows


def not_the_papers(data: Mapping[str, Any]) -> str:
    """Why a study's networks can't be held against the paper's: val and test together aren't
    FER-2013's PublicTest and PrivateTest, its test folder, or they were trained on a part of train;
    empty where they can. `data` is that of study.json."""
    if data.get("synthetic"):
        return "its faces are drawn"
    trained = (data.get("images") or {}).get("train", 0)
    whole = sum((data.get("counts") or {}).get("train", {}).values())
    if trained < whole:
        return f"its networks were trained on {trained:,} of {whole:,} images"
    if data.get("digest") in PUBLISHED:
        return ""
    ours, theirs = both(data.get("counts") or {}), papers_counts()
    if sum(ours.values()) != sum(theirs.values()):
        return (
            f"its val and test hold {sum(ours.values()):,} images, and the paper's test folder "
            f"{sum(theirs.values()):,}"
        )
    for name in theirs | ours:
        if ours.get(name, 0) != theirs.get(name, 0):
            return (
                f"its val and test hold {ours.get(name, 0):,} images of {name}, and the paper's "
                f"test folder {theirs.get(name, 0):,}"
            )
    levels = {folded(name): level for name, level in (data.get("levels") or {}).items()}
    if not levels:
        return "it was begun by an older version, which kept too little of its images to tell"
    for name, level in LEVELS.items():
        if abs(levels.get(name, -1.0) - level) > LEVELS_APART:
            return (
                "it has as many images of each class as the paper's test folder, but other ones "
                f"(the mean grey level of {name} is {levels.get(name, 0):.1f}, there {level:.1f})"
            )
    return ""


def of_its_halves(data: Mapping[str, Any]) -> bool:
    """Whether a study's val and test are of FER-2013's two test halves: whole, without some of the
    classes, or with FER+'s labels. `data` is that of study.json."""
    source = of_study(data)
    if data.get("digest") in PUBLISHED or (source and source.kind == "ferplus"):
        return True
    ours, theirs = both(data.get("counts") or {}), papers_counts()
    real = bool(ours) and not data.get("synthetic")
    return real and all(theirs.get(name) == many for name, many in ours.items())


def both(counts: Mapping[str, Mapping[str, int]]) -> dict[str, int]:
    """Images of val and test together by class."""
    whole: dict[str, int] = {}
    for split in ("val", "test"):
        for name, many in counts.get(split, {}).items():
            whole[folded(name)] = whole.get(folded(name), 0) + int(many)
    return whole


def papers_counts() -> dict[str, int]:
    halves = zip(FER2013.val, FER2013.test, strict=True)
    return {name: sum(pair) for name, pair in zip(FER2013.classes, halves, strict=True)}
