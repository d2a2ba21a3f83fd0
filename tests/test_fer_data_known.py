import os
from pathlib import Path

import numpy as np
import pytest

from fer_data.catalogue import SOURCES
from fer_data.fer2013 import PUBLISHED, of_its_halves
from fer_data.known import EMOTIONS, FER2013, FERPLUS, KNOWN, recognised

REAL = os.environ.get("FER2013_DATA")
VOTES = (
    "neutral",
    "happiness",
    "surprise",
    "sadness",
    "anger",
    "disgust",
    "fear",
    "contempt",
    "unknown",
    "NF",
)


def labelled(known, names: dict[str, str], splits=("train", "val", "test")):
    """Labels and splits with the published counts of these classes; names: label -> class."""
    labels, where = [], []
    for label, name in names.items():
        place = known.classes.index(name)
        counts = {split: getattr(known, split)[place] for split in ("train", "val", "test")}
        if "val" not in splits:
            counts["test"] += counts.pop("val")
        for split, many in counts.items():
            labels += [label] * many
            where += [split] * many
    return np.array(labels), np.array(where)


def numbered(order) -> dict[str, str]:
    return {str(number): name for number, name in enumerate(order)}


def test_fer2013_has_the_published_sizes():
    assert [sum(part) for part in (FER2013.train, FER2013.val, FER2013.test)] == [28709, 3589, 3589]
    assert FER2013.classes == EMOTIONS


@pytest.mark.parametrize("known", KNOWN, ids=lambda known: known.title)
@pytest.mark.parametrize("splits", [("train", "val", "test"), ("train", "test")])
def test_classes_are_told_by_their_counts_in_any_order(known, splits):
    for order in (known.classes, sorted(known.classes), known.classes[::-1]):
        found = recognised(*labelled(known, numbered(order), splits))
        assert found.names == numbered(order)
        assert found.known.name == known.name and found.whole


def test_some_of_the_classes_are_told_too():
    found = recognised(*labelled(FER2013, {"0": "happy", "1": "sad", "2": "neutral"}))
    assert found.names == {"0": "happy", "1": "sad", "2": "neutral"}
    assert found.known is FER2013 and not found.whole


def test_one_image_more_or_less_is_another_data_set():
    labels, splits = labelled(FER2013, numbered(EMOTIONS))
    assert recognised(labels[1:], splits[1:]) is None
    assert recognised(np.append(labels, "3"), np.append(splits, "val")) is None
    other = np.where(labels == "1", "0", labels)  # disgust counted to angry
    assert recognised(other, splits) is None


def test_the_same_counts_for_two_labels_name_neither():
    labels = np.array(["0"] * 3995 + ["1"] * 3995 + ["0"] * 467 + ["1"] * 467 + ["0", "1"] * 491)
    splits = np.array(["train"] * 7990 + ["val"] * 934 + ["test"] * 982)
    assert recognised(labels, splits) is None


@pytest.mark.skipif(not REAL, reason="FER2013_DATA names no folder with FER-2013")
def test_the_counts_of_fer_plus_are_those_of_its_votes():
    """With the four ways of labels: argmax of 7, 8 or 10 answers, and ferplus.py's majority."""
    table = np.genfromtxt(
        Path(REAL) / "fer2013new.csv", delimiter=",", names=True, dtype=None, encoding=None
    )
    votes = np.stack([table[name] for name in VOTES], 1).astype(int)
    usage = np.char.strip(table["Usage"].astype(str))
    kept = np.where(votes > 1, votes, 0)  # ferplus.py drops single votes
    majority = np.where(2 * kept.max(1) > kept.sum(1), kept.argmax(1), 9)
    ways = [votes[:, :7].argmax(1), votes[:, :8].argmax(1), votes.argmax(1), majority]
    for known, label in zip(KNOWN[1:], ways, strict=True):
        for split, name in (("train", "Training"), ("val", "PublicTest"), ("test", "PrivateTest")):
            counts = np.bincount(label[usage == name], minlength=10)
            assert tuple(counts[: len(known.classes)]) == getattr(known, split), known.title
    assert FERPLUS[4] == "angry"


def test_on_which_images_the_papers_settings_were_first_chosen():
    """FER-2013's two test halves, however they are cut, labelled or without a class; no others."""
    whole = {part: dict(zip(FER2013.classes, getattr(FER2013, part), strict=True))
             for part in ("val", "test")}  # fmt: skip
    counts = {"train": {"happy": 1}, **whole}
    assert of_its_halves({"digest": PUBLISHED[1]}) and of_its_halves({"counts": counts})
    six = {
        part: {n: many for n, many in own.items() if n != "disgust"} for part, own in whole.items()
    }
    assert of_its_halves({"counts": six})
    carved = {"val": whole["test"], "test": whole["val"]}
    assert of_its_halves({"counts": carved})
    assert of_its_halves({"known": "ferplus"}) and of_its_halves(
        {"notes": [f"{SOURCES['ferplus'].said}licence: MIT"], "counts": {"test": {"happy": 9}}}
    )
    one_more = {**whole, "val": whole["val"] | {"happy": whole["val"]["happy"] + 1}}
    for other in ({}, {"counts": one_more}, {"counts": counts, "synthetic": True}):
        assert not of_its_halves(other)
    assert not of_its_halves({"known": "raf-db", "counts": SOURCES["raf-db"].counts})
