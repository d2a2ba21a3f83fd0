import subprocess
import sys

import numpy as np
import pytest

from study import Mistake
from study.data import drawn_faces

HAPPY, NEUTRAL, SAD = (drawn_faces.CLASSES.index(name) for name in ("happy", "neutral", "sad"))


def people(emotion: int | np.ndarray, size: int = 40, seed: int = 0) -> np.recarray:
    """The same persons for the same size and seed, whatever they feel."""
    return drawn_faces._people(np.full(size, emotion), np.random.default_rng(seed))


def pictures(drawn: np.recarray, **kwargs: int) -> np.ndarray:
    return drawn_faces._pictures(drawn, np.random.default_rng(0), **kwargs).astype(np.float32)


@pytest.fixture
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    """Full and unmixed expressions, nothing in front of the face."""
    monkeypatch.setattr(drawn_faces, "INTENSITY", (1.0, 0.0))
    monkeypatch.setattr(drawn_faces, "BLENDS", 0.0)
    monkeypatch.setattr(drawn_faces, "CHANCES", dict.fromkeys(drawn_faces.CHANCES, 0.0))


@pytest.fixture(scope="module")
def drawn() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return drawn_faces.draw(1200, 200, 100, seed=3)


def test_same_arguments_draw_the_same():
    for one, other in zip(
        drawn_faces.draw(40, 20, 14, 5), drawn_faces.draw(40, 20, 14, 5), strict=True
    ):
        assert np.array_equal(one, other)


def test_another_seed_draws_other_faces_and_another_order():
    images, labels, _ = drawn_faces.draw(40, 20, 14, 5)
    others, other_labels, _ = drawn_faces.draw(40, 20, 14, 6)
    assert (images != others).any(axis=(1, 2)).all()
    assert not np.array_equal(labels, other_labels)


def test_chunks_change_nothing():
    drawn = people(HAPPY)
    assert np.array_equal(pictures(drawn, chunk=7), pictures(drawn, chunk=32))
    assert np.array_equal(pictures(drawn, chunk=7), pictures(drawn, chunk=1000))


def test_shapes_types_and_split_order(drawn: tuple):
    images, labels, splits = drawn
    assert (images.shape, images.dtype) == ((1500, 48, 48), np.uint8)
    assert (labels.shape, labels.dtype) == ((1500,), np.int64)
    assert splits.tolist() == ["train"] * 1200 + ["val"] * 200 + ["test"] * 100


def test_classes_are_sorted_and_have_the_shares_of_fer2013(drawn: tuple):
    assert list(drawn_faces.CLASSES) == sorted(drawn_faces.CLASSES)
    labels, _ = drawn_faces._labels(28_709, np.random.default_rng(0))
    assert np.bincount(labels).tolist() == [3995, 436, 4097, 7215, 4965, 4830, 3171]
    assert np.bincount(drawn[1][:1200]).tolist() == [167, 18, 171, 302, 207, 202, 133]


@pytest.mark.parametrize("size", [14, 15, 23, 100])
def test_every_split_has_two_of_each_class(size: int):
    _, labels, splits = drawn_faces.draw(size, 14, 20)
    for split, expected in (("train", size), ("val", 14), ("test", 20)):
        counts = np.bincount(labels[splits == split], minlength=7)
        assert counts.sum() == expected
        assert counts.min() >= 2


def test_a_split_too_small_for_the_classes_is_refused():
    with pytest.raises(Mistake, match="val: 13 faces .* 14 or more"):
        drawn_faces.draw(100, 13, 14)


def test_the_stated_share_of_labels_is_wrong_and_every_label_is_mostly_right():
    labels, truth = drawn_faces._labels(20_000, np.random.default_rng(0))
    assert np.mean(labels != truth) == drawn_faces.WRONG_LABELS
    for k in range(len(drawn_faces.CLASSES)):
        assert np.mean(labels[truth == k] == k) > 0.8
        assert np.mean(truth[labels == k] == k) > 0.8


def test_no_picture_is_blank_or_drawn_twice(drawn: tuple):
    images = drawn[0]
    assert images.std(axis=(1, 2)).min() > 8
    assert len(np.unique(images.reshape(len(images), -1), axis=0)) == len(images)


def test_greys_fill_their_range_without_being_clipped_away(drawn: tuple):
    images = drawn[0]
    assert (images.min(), images.max()) == (0, 255)
    assert 100 < images.mean() < 150
    assert np.mean((images == 0) | (images == 255)) < 0.15


def test_units_move_known_features_and_emotions_use_known_units():
    assert {feature for moves in drawn_faces.UNITS.values() for feature in moves} <= set(
        drawn_faces.FEATURES
    )
    assert {unit for units in drawn_faces.EMOTIONS.values() for unit in units} <= set(
        drawn_faces.UNITS
    )
    assert tuple(drawn_faces.EMOTIONS) == drawn_faces.CLASSES
    assert drawn_faces.EMOTIONS["neutral"] == {}


def test_each_unit_changes_the_picture(plain: None, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(drawn_faces, "UNIT_NOISE", 0.0)
    rest = pictures(people(NEUTRAL))
    for unit in drawn_faces.UNITS:
        monkeypatch.setitem(drawn_faces.EMOTIONS, "neutral", {unit: 1.0})
        moved = np.abs(pictures(people(NEUTRAL)) - rest).max(axis=(1, 2))
        assert np.mean(moved > 20) > 0.8, f"action unit {unit}"


@pytest.mark.parametrize("feature", drawn_faces.FEATURES)
def test_each_feature_changes_the_picture(feature: str, plain: None):
    drawn = people(NEUTRAL)
    drawn["lip_drop"] += 0.15  # teeth need an open mouth
    before = pictures(drawn)
    drawn[feature] += 0.8 if feature in ("forehead", "frown", "bunny", "fold") else 0.1
    assert np.mean(np.abs(pictures(drawn) - before).max(axis=(1, 2)) > 2) > 0.8


def test_a_smile_lifts_the_corners_of_the_mouth(plain: None):
    happy, sad = people(HAPPY), people(SAD)
    assert (happy.corner > sad.corner + 0.1).all()
    assert (happy.mouth_width > sad.mouth_width).mean() > 0.9


def test_happy_and_sad_differ_at_the_mouth_more_than_noise_and_not_above_the_head(plain: None):
    happy, sad = pictures(people(HAPPY, 200)), pictures(people(SAD, 200))
    moved = np.abs(happy.mean(axis=0) - sad.mean(axis=0))
    noise = np.sqrt((happy.var(axis=0) + sad.var(axis=0)) / 200)
    assert np.mean(moved[32:42, 14:34] / noise[32:42, 14:34]) > 2
    assert moved[:3, :3].max() < 1


@pytest.mark.parametrize(
    "trouble", [c for c in drawn_faces.CHANCES if c not in ("turned", "sidelit")]
)
def test_each_trouble_shows(trouble: str, plain: None, monkeypatch: pytest.MonkeyPatch):
    clean = pictures(people(NEUTRAL))
    monkeypatch.setitem(drawn_faces.CHANCES, trouble, 1.0)
    changed = np.abs(pictures(people(NEUTRAL)) - clean).max(axis=(1, 2))
    assert np.mean(changed > 10) > 0.8


@pytest.mark.parametrize(("chance", "name"), [("turned", "yaw"), ("sidelit", "light")])
def test_extremes_exaggerate(chance: str, name: str, plain: None, monkeypatch: pytest.MonkeyPatch):
    usual = people(NEUTRAL)
    monkeypatch.setitem(drawn_faces.CHANCES, chance, 1.0)
    assert np.abs(people(NEUTRAL)[name]).mean() > 2 * np.abs(usual[name]).mean()


def test_a_linear_classifier_beats_the_majority_class_and_does_not_saturate():
    images, labels, splits = drawn_faces.draw(2500, 14, 800, seed=1)
    pixels = images.reshape(len(images), 24, 2, 24, 2).mean(axis=(2, 4)).reshape(len(images), -1)
    pixels = (pixels - pixels.mean(axis=1, keepdims=True)) / pixels.std(axis=1, keepdims=True)
    pixels = np.column_stack([pixels, np.ones(len(pixels))])
    train, test = splits == "train", splits == "test"
    seen = pixels[train]
    ridge = seen.T @ seen + 0.3 * len(seen) * np.eye(seen.shape[1])
    weights = np.linalg.solve(ridge, seen.T @ np.eye(7)[labels[train]])
    accuracy = np.mean((pixels[test] @ weights).argmax(axis=1) == labels[test])
    majority = np.mean(labels[test] == HAPPY)
    assert majority + 0.08 < accuracy < 0.6


def test_drawing_needs_numpy_alone():
    heavy = "{'torch', 'ray', 'optuna', 'PIL', 'pandas'}"
    code = f"import sys, study.data.drawn_faces; assert not {heavy} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
