from collections import Counter

import numpy as np
import pytest
from test_data_datasets import split, write_folder

from fer_data import Mistake, dataset
from fer_data.dataset import Split, content_digest
from fer_data.splits import carved


@pytest.mark.parametrize("change", ["pixel", "label", "split", "class"])
def test_digest_changes_with_the_content(change):
    parts = [split([0, 1, 1]), split([0, 1]), split([1, 0])]
    before = content_digest(("a", "b"), parts)
    classes = ("a", "c") if change == "class" else ("a", "b")
    if change == "pixel":
        parts[2].images[1, 47, 47] += 1
    elif change == "label":
        parts[2].labels[1] = 1
    elif change == "split":
        joined = [np.concatenate([getattr(p, k) for p in parts]) for k in ("images", "labels")]
        parts = [
            Split(joined[0][s], joined[1][s], joined[1][s])
            for s in (slice(0, 2), slice(2, 5), slice(5, 7))
        ]
    assert content_digest(classes, parts) != before


def test_carving_is_stratified_seeded_and_keeps_identical_images_together():
    names = np.array(["a"] * 90 + ["b"] * 45 + ["c"] * 9)
    group = np.arange(len(names)) // 2  # pairs, of which one crosses a and b
    places = carved(names, group, seed=1)
    assert Counter(names[places]) <= Counter(a=10, b=5, c=1)
    assert Counter(names[places])["a"] >= 9 and Counter(names[places])["b"] >= 4
    counts = np.bincount(group)
    assert all(
        np.bincount(group[places], minlength=len(counts))[g] == counts[g] for g in group[places]
    )
    assert places.tolist() == sorted(set(places.tolist()))
    assert np.array_equal(places, carved(names, group, seed=1))
    assert not np.array_equal(places, carved(names, group, seed=2))


def test_grey_levels_are_of_each_class_over_val_and_test(tmp_path):
    levels = {
        "train/a": [1, 2],
        "train/b": [3],
        "val/a": [10],
        "val/b": [20, 21],
        "test/a": [40, 70],
        "test/b": [90],
    }
    found = dataset.read(write_folder(tmp_path / "set", levels))
    assert dataset.levels(found) == {"a": 40.0, "b": 43.67}


def test_leaving_out_all_classes_is_a_mistake_in_a_sentence(tmp_path):
    there = ["train/happy", "train/sad", "test/happy", "test/sad"]
    write_folder(
        tmp_path / "f", {name: [20 * k + j for j in range(9)] for k, name in enumerate(there)}
    )
    with pytest.raises(Mistake, match="has no class beside .*: leave out fewer of them"):
        dataset.read(tmp_path / "f", without=("sad", "joy"))


def test_of_two_classes_with_usual_names_of_one_emotion_the_one_named_is_left_out(tmp_path):
    """Both were: joy and happy are one word elsewhere, and two classes here."""
    names = ("angry", "happy", "joy", "sad")
    there = [f"{part}/{name}" for part in ("train", "val", "test") for name in names]
    write_folder(
        tmp_path / "f", {name: [9 * k + j for j in range(5)] for k, name in enumerate(there)}
    )
    for without, left in (("joy", ("angry", "happy", "sad")), ("happiness", ("angry", "sad"))):
        assert dataset.read(tmp_path / "f", without=(without,)).classes == left
