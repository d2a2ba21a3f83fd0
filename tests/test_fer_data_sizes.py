"""Faces are kept as large as a study's trials ask for, and never larger than their files."""

import layouts
import numpy as np
import pytest
from PIL import Image

from fer_data import dataset, image_files, near, sources
from study.config.study import from_dict
from study.data import datasets
from study.driver import prepare, summary
from study.model.whole import resizing


def of_files(path, side: int) -> np.ndarray:
    """What Pillow makes of RAF-DB's aligned faces at a side, in the reader's order."""
    files = sorted((path / "basic/Image/aligned").glob("*.jpg"))
    size = (side, side)
    return np.stack(
        [
            np.asarray(Image.open(file).convert("L").resize(size, Image.Resampling.BILINEAR))
            for file in files
        ]
    )


@pytest.mark.parametrize(("asked", "side"), [(32, 48), (48, 48), (96, 96), (100, 100), (224, 100)])
def test_faces_of_100_pixels_are_read_as_large_as_is_asked_for(tmp_path, asked, side):
    """A reader that kept 48 gave a trial at 96 px faces of which three pixels in four were made."""
    path = layouts.raf_db(tmp_path / "r")
    rows = sources.read(path, px=asked)
    assert rows.largest_px == 100 and np.array_equal(rows.images, of_files(path, side))
    enlarged = [
        np.asarray(Image.fromarray(one).resize((side, side))) for one in sources.read(path).images
    ]
    assert (side == 48) == np.array_equal(rows.images, np.stack(enlarged))
    resized = any(f"100 x 100 pixels were resized to {side} x {side}" in n for n in rows.notes)
    assert resized == (side != 100)


@pytest.mark.parametrize(("crop", "side"), [(0.0, 60), (0.1, 72), (0.5, 96)])
def test_a_box_is_as_large_as_it_is_with_its_margin(tmp_path, crop, side):
    """Faces of 60 pixels in photographs of 150 x 100, of which 0.5 on each side would make 120."""
    rows = sources.read(layouts.affectnet_tables(tmp_path / "a"), crop=crop, px=96)
    assert rows.images.shape[1:] == (side, side)


def test_fer_2013_stays_at_48_pixels_whatever_is_asked_for(fer_file, tmp_path):
    one, large = (datasets.load(fer_file, tmp_path / "c", px=px) for px in (48, 96))
    assert large.side_px == large.largest_px == 48 and large.digest == one.digest
    assert len(list((tmp_path / "c").glob("*.npz"))) == 1, "what was prepared at 48 is all there is"
    study = from_dict({"models": ["alexnet"], "space": {"image_px": [32, 96]}})
    assert summary.enlarged(study, large.side_px) == [
        "trials of up to 96 x 96 pixels enlarge faces of 48 x 48"
    ]
    assert summary.enlarged(study, 96) == []


def test_each_size_is_prepared_once_and_told(tmp_path, monkeypatch):
    path, cache = layouts.raf_db(tmp_path / "r"), tmp_path / "c"
    small, large = (datasets.load(path, cache, px=px) for px in (48, 96))
    assert (small.side_px, large.side_px, small.largest_px) == (48, 96, 100)
    assert small.digest != large.digest and small.source == large.source
    assert f"{len(small.train.labels) + len(small.val.labels) + 21} images of 96 x 96 pixels" in (
        datasets.describe(large)
    )
    monkeypatch.setattr(datasets, "read", None)  # nothing is read again
    for px, before in ((48, small), (96, large)):
        again = datasets.load(path, cache, px=px)
        assert again.digest == before.digest and again.side_px == px


def test_the_largest_trial_decides_the_side_and_study_json_has_it(tmp_path):
    space = {"image_px": [32, 64], "resnet34": {"image_px": {"low": 32, "high": 96}}}
    study = from_dict({"models": ["alexnet", "resnet34"], "space": space})
    assert prepare.side_px(study) == 96
    assert prepare.side_px(from_dict({"models": ["alexnet"], "space": {"image_px": 32}})) == 48
    settings = [{"name": "a", "model": "alexnet", "image_px": 80}]
    assert prepare.side_px(from_dict({"stages": ["confirm"], "settings": settings})) == 80
    whole = dataset.read(layouts.raf_db(tmp_path / "r", each=9), px=96)
    assert prepare.described(whole, whole)["side_px"] == 96


@pytest.mark.parametrize("side", [24, 48, 50, 64, 96, 100, 224])
def test_near_copies_are_looked_for_in_all_of_a_face_of_any_side(side):
    """A side of 64 lost its last 16 pixels."""
    images = np.random.default_rng(0).integers(0, 256, (3, side, side)).astype(np.uint8)
    edges = [k * side // 24 for k in range(25)]
    cell = np.array(
        [
            [image[a:b, c:d].mean() for c, d in zip(edges, edges[1:], strict=False)]
            for image in images
            for a, b in zip(edges, edges[1:], strict=False)
        ]
    ).reshape(3, 24, 24)
    assert np.allclose(near.cells(images), cell, atol=1e-3)


def test_an_exported_network_resizes_from_the_studys_side():
    import torch

    from study.training import augment

    faces = torch.randint(0, 256, (2, 96, 96), dtype=torch.uint8)
    rows = resizing(96, 64)
    ours = (rows @ (faces[:, None].float() @ rows.T)).round().clamp(0, 255)
    assert (ours - augment.resized(faces, 64).float()).abs().max() <= 1


def test_what_would_fill_the_memory_is_refused_before_it_does(tmp_path, monkeypatch):
    path = layouts.raf_db(tmp_path / "r")
    assert image_files.available() > 2**20
    monkeypatch.setattr(image_files, "available", lambda: 2 * 42 * 48**2)
    assert len(sources.read(path).names) == 42
    with pytest.raises(ValueError, match="42 faces of 96 x 96 pixels take 0.0 GiB while they are"):
        sources.read(path, px=96)


def test_a_broken_image_is_told_whatever_size_is_asked_for(tmp_path):
    from test_fer_data_readers import refusal

    path = layouts.raf_db(tmp_path / "r")
    broken = path / "basic/Image/aligned/test_00001_aligned.jpg"
    broken.write_bytes(b"no image")
    with pytest.raises(ValueError, match="doesn't decode as an image"):
        sources.read(path, px=96)
    assert "doesn't decode as an image" in refusal(path)


def test_pages_show_larger_faces_at_48_pixels():
    images = np.random.default_rng(0).integers(0, 256, (2, 96, 96)).astype(np.uint8)
    size = (48, 48)
    shrunk = [np.asarray(Image.fromarray(one).resize(size, 2)) for one in images]
    assert np.array_equal(image_files.small(images), np.stack(shrunk))
    assert image_files.small(images[:0]).shape == (0, 48, 48)
