import unicodedata

import numpy as np
import pytest
from test_fer_data_known import labelled, numbered

from fer_data import Mistake
from fer_data.classes import ASSUMED, named
from fer_data.known import EMOTIONS, FER2013, FERPLUS, KNOWN

UNKNOWN = (
    "the class numbers {} are not named, since their images per split are those of no data set "
    "that is known here; --classes A,B,... names them in this order"
)


def few(labels) -> tuple[np.ndarray, np.ndarray]:
    """An image of each label in every split."""
    labels = list(map(str, labels))
    return np.array(labels * 3), np.repeat(["train", "val", "test"], len(labels))


def pairs(labels: np.ndarray, names: np.ndarray) -> dict[str, str]:
    return dict(zip(labels.tolist(), names.tolist(), strict=True))


def test_fer2013_as_it_was_published_has_its_names_without_a_note():
    labels, splits = labelled(FER2013, numbered(EMOTIONS))
    names, known, notes = named("s", labels, splits, (), table=True)
    assert pairs(labels, names) == numbered(EMOTIONS) and known == "fer2013" and notes == ()


def test_ferplus_order_is_not_called_by_fer2013s_names():
    labels, splits = labelled(KNOWN[1], numbered(FERPLUS[:7]))
    names, known, (note,) = named("s", labels, splits, (), table=True)
    assert pairs(labels, names) == numbered(FERPLUS[:7]) and known == "ferplus"
    assert (names == "neutral").sum() == 10639 + 1369 + 1310
    assert note == (
        "the class numbers are taken for FER+ by the most votes of its first seven emotions, which "
        "has as many images of each class in every split: 0 neutral, 1 happy, 2 surprise, 3 sad, "
        "4 angry, 5 disgust, 6 fear"
    )


def test_fer2013_by_the_alphabet_is_read_by_its_counts():
    order = sorted(EMOTIONS)
    labels, splits = labelled(FER2013, numbered(order), splits=("train", "test"))
    names, known, (note,) = named("s", labels, splits, (), table=False)
    assert pairs(labels, names) == numbered(order) and known == "fer2013"
    assert "taken for FER-2013, which" in note and "4 neutral, 5 sad, 6 surprise" in note


def test_some_of_fer2013s_classes_renumbered_have_their_names():
    truth = {"0": "happy", "1": "sad", "2": "neutral"}
    labels, splits = labelled(FER2013, truth)
    names, known, (note,) = named("s", labels, splits, (), table=True)
    assert pairs(labels, names) == truth and known == ""
    assert "taken for part of FER-2013" in note


@pytest.mark.parametrize("numbers", [(0, 1), range(6), range(7), range(8), range(1, 8)])
@pytest.mark.parametrize("table", [True, False])
def test_other_numbers_have_no_names(numbers, table):
    labels, splits = few(numbers)
    names, known, notes = named("s", labels, splits, (), table)
    assert names.tolist() == [f"class {label}" for label in labels] and known == ""
    assert notes == (UNKNOWN.format(", ".join(map(str, numbers))),)


def test_a_person_names_the_numbers():
    labels, splits = few((0, 3, 10))
    names, _, notes = named("s", labels, splits, ("wütend", "froh", "müde"), table=True)
    assert pairs(labels, names) == {"0": "wütend", "3": "froh", "10": "müde"}
    assert notes == ("the classes have the names that --classes gives: 0 wütend, 3 froh, 10 müde",)


@pytest.mark.parametrize("given", [("a",), ("a", "b", "c"), ("a", "a")])
def test_too_few_too_many_or_equal_names_are_refused(given):
    with pytest.raises(Mistake, match="but s has the 2 class numbers 0, 1: expected a name of its"):
        named("s", *few((0, 1)), given, table=True)


def test_names_that_the_counts_contradict_are_refused():
    labels, splits = labelled(FER2013, numbered(EMOTIONS))
    sorted_names = ("angry", "disgust", "fear", "happy", "neutral", "sad", "surprise")
    with pytest.raises(Mistake, match="names class 4 neutral, but s has as many images of it in"):
        named("s", labels, splits, sorted_names, table=True)
    own = ("anger", "disgusted", "fear", "joy", "sadness", "surprised", "no emotion")
    names, known, _ = named("s", labels, splits, own, table=True)
    assert sorted(set(names.tolist())) == sorted(own) and known == "fer2013"


def test_names_of_the_source_are_kept_and_cannot_be_given():
    labels, splits = few(("happy", "class 7", "0x"))
    names, _, notes = named("s", labels, splits, (), table=False)
    assert names.tolist() == labels.tolist() and notes == ()
    with pytest.raises(Mistake, match="s names its classes itself"):
        named("s", labels, splits, ("a", "b", "c"), table=False)


def test_folders_whose_names_contradict_the_counts_are_told():
    swapped = {name: name for name in EMOTIONS} | {"sad": "neutral", "neutral": "sad"}
    _, _, (note,) = named("s", *labelled(FER2013, swapped), (), table=False)
    assert note == (
        "by their images per split, the classes called sad, neutral are FER-2013's neutral, sad"
    )


def test_case_and_the_encoding_of_accents_make_no_class():
    spelled = [unicodedata.normalize("NFC", "dégoût"), unicodedata.normalize("NFD", "dégoût")]
    labels = np.array([spelled[0], "Anger", spelled[1], "anger"])
    names, _, (note,) = named("s", labels, np.array(["train"] * 2 + ["test"] * 2), (), False)
    assert names.tolist() == [spelled[0], "anger", spelled[0], "anger"]
    assert note == "classes that differ in case only are one: Anger and anger are one"


def test_a_study_begun_with_assumed_names_goes_on_with_them():
    labels, splits = few(range(6))
    names, _, notes = named("s", labels, splits, ASSUMED, table=True)
    assert names.tolist() == list(EMOTIONS[:6]) * 3 and notes == ()
    assert named("s", *few((0, 7)), ASSUMED, table=True)[0][:2].tolist() == ["class 0", "class 7"]
    assert named("s", labels, splits, ASSUMED, table=False)[0].tolist() == labels.tolist()
