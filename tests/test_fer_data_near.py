import os
from pathlib import Path

import layouts
import numpy as np
import pytest

from fer_data import dataset, near
from fer_data.near import near_copies

REAL = os.environ.get("FER2013_DATA")


def faces(count: int) -> np.ndarray:
    return layouts.drawn()[:count]


def test_another_contrast_crop_and_a_watermark_are_near_copies():
    originals = faces(40)
    paler = (originals * 0.6 + 60).astype(np.uint8)
    moved = np.roll(originals, 1, axis=2)
    marked = originals.copy()
    marked[:, 30:34, 8:40] = 0.7 * marked[:, 30:34, 8:40] + 0.3 * 255
    for copies in (originals, paler):
        assert near_copies(copies, originals).all()
    for copies in (moved, marked):
        assert near_copies(copies, originals).mean() > 0.6


def test_other_faces_mirrored_ones_and_blanks_are_not():
    one, other = faces(80)[:40], faces(80)[40:]
    assert not near_copies(one, other).any()
    assert near_copies(np.ascontiguousarray(one[:, :, ::-1]), one).mean() < 0.2
    blank = np.full((3, 48, 48), 7, np.uint8)
    assert not near_copies(blank, np.concatenate([blank, one])).any()


def test_a_data_set_marks_them_beside_its_duplicates(tmp_path):
    for split, change in (("train", 0), ("test", 5)):
        for place in range(40):
            pixels = np.clip(layouts.drawn()[place].astype(int) + change, 0, 255).astype(np.uint8)
            image = layouts.Image.fromarray(layouts.drawn()[place] if place < 4 else pixels)
            word = ("happy", "sad")[place % 2]
            layouts.save(tmp_path / f"d/{split}/{word}/{place:02}.png", image)
    found = dataset.read(tmp_path / "d")
    assert found.duplicate.sum() == 4 and found.near.sum() == 36
    assert not (found.duplicate & found.near).any()
    assert found.val_near.shape == found.val.labels.shape


def test_the_candidates_miss_no_pair():
    """Against every product of two pictures, at any threshold that pairs are near to."""
    drawn = faces(200)
    for strength in (30, 60, 90):
        noise = np.random.default_rng(strength).integers(-strength, strength, drawn.shape)
        found = (drawn + noise).clip(0, 255).astype(np.uint8)
        fine, other = near.looks(found).fine, near.looks(drawn).fine
        wanted = (fine @ other.T >= near.LEAST).any(1)
        assert 0 < wanted.sum(), "some are near"
        assert np.array_equal(near_copies(found, drawn), wanted)


@pytest.mark.skipif(not REAL, reason="FER2013_DATA names no folder with FER-2013")
def test_fer2013_has_288_near_copies_in_test_once_the_exact_ones_are_out():
    found = dataset.read(Path(str(REAL)) / "fer2013.csv.xz")
    assert (found.duplicate.sum(), found.near.sum()) == (314, 288)
    assert (found.val_duplicate.sum(), found.val_near.sum()) == (280, 250)
