"""What of an image file besides its pixels changes the picture."""

import io

import numpy as np
import pytest
from PIL import Image
from test_fer_data_sources import archive, folder, refusal, tree_files

from fer_data import sources

LAST = 5  # train/happy/Training_1.png in the order of names
TURNED = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def face() -> Image.Image:
    """Dark above, light below, with one corner that tells left from right."""
    levels = np.zeros((48, 48), np.uint8)
    levels[24:] = 160
    levels[:12, :12] = 240
    return Image.fromarray(levels)


def packed(image: Image.Image, kind: str = "PNG", **how) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **how)
    return file.getvalue()


def one(tmp_path, content: bytes, pack=folder) -> tuple[np.ndarray, tuple[str, ...]]:
    found = sources.read(
        pack(tmp_path / "fer", tree_files() | {"train/happy/Training_1.png": content})
    )
    return found.images[LAST], found.notes


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", TURNED)
def test_a_photograph_stands_as_its_exif_says(tmp_path, kind, orientation):
    lying = face().transpose(TURNED[orientation])
    exif = Image.Exif()
    exif[0x0112] = orientation
    how = {"lossless": True} if kind == "WEBP" else {"quality": 95} if kind == "JPEG" else {}
    image, notes = one(tmp_path, packed(lying, kind, exif=exif, **how))
    assert np.abs(image.astype(int) - np.asarray(face())).max() < 12
    if kind != "TIFF":  # which Pillow turns by itself
        assert "1 images were turned upright as their EXIF says" in notes


def test_exif_that_is_damaged_or_says_upright_changes_nothing(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 1
    image, notes = one(tmp_path, packed(face(), exif=exif))
    assert (image == np.asarray(face())).all() and notes == ()
    (tmp_path / "b").mkdir()
    image, notes = one(tmp_path / "b", packed(face(), exif=b"Exif\0\0garbage"))
    assert (image == np.asarray(face())).all() and notes == ()


@pytest.mark.parametrize("mode", ["LA", "RGBA"])
def test_transparent_parts_are_white_whatever_lies_under_them(tmp_path, mode):
    image = face().convert(mode)
    alpha = np.full((48, 48), 255, np.uint8)
    alpha[24:] = 0
    image.putalpha(Image.fromarray(alpha))
    found, notes = one(tmp_path, packed(image))
    assert (found[24:] == 255).all() and (found[:24] == np.asarray(face())[:24]).all()
    assert "1 images with transparency were laid on white" in notes


def test_a_transparent_palette_entry_is_white_and_an_opaque_alpha_nothing(tmp_path):
    image = face().convert("P")
    found, notes = one(tmp_path, packed(image, transparency=160))
    assert set(np.unique(found[24:])) == {255}
    assert "1 images with transparency were laid on white" in notes
    (tmp_path / "b").mkdir()
    found, notes = one(tmp_path / "b", packed(face().convert("RGBA")))
    assert (found == np.asarray(face())).all() and notes == ("1 images were made grey",)


def test_of_several_frames_the_first_is_taken_and_said(tmp_path):
    other = Image.new("L", (48, 48), 200)
    found, notes = one(tmp_path, packed(face(), "GIF", save_all=True, append_images=[other]))
    assert np.abs(found.astype(int) - np.asarray(face())).max() < 2
    assert "1 images with several frames are their first" in notes


def test_cmyk_of_a_printer_is_not_inverted(tmp_path):
    found, _ = one(tmp_path, packed(face().convert("RGB").convert("CMYK"), "JPEG", quality=95))
    assert np.abs(found.astype(int) - np.asarray(face())).mean() < 8


@pytest.mark.parametrize("mode", ["I;16", "F"])
@pytest.mark.parametrize("pack", [folder, archive])
def test_more_than_8_bits_are_refused_and_not_clipped(tmp_path, mode, pack):
    content = packed(Image.new(mode, (48, 48), 1000), "TIFF")
    files = tree_files() | {"train/happy/deep.tiff": content}
    sentence = f"train/happy/deep.tiff has pixels of the kind {mode}; expected 8 bits a channel"
    assert sentence in refusal(pack(tmp_path / "fer", files))


def test_no_image_is_handed_to_another_program(tmp_path):
    for kind in ("EPS", "PDF"):
        content = packed(face().convert("RGB"), kind)
        files = tree_files() | {f"train/happy/x.{kind.lower()}": content}
        (tmp_path / kind).mkdir()
        found = sources.read(folder(tmp_path / kind / "fer", files))
        assert found.notes == (
            "files that are no images as SPLIT/CLASS/NAME were left out: 1 "
            f".{kind.lower()} in happy",
        )


@pytest.mark.parametrize(("colour", "level"), [((255, 0, 0), 76), ((0, 0, 255), 29)])
def test_colour_is_made_grey_by_its_luminance_with_red_first(tmp_path, colour, level):
    """Read blue first, as OpenCV has it, red would be 29; as the mean of all, 85."""
    image, notes = one(tmp_path, packed(Image.new("RGB", (48, 48), colour)))
    assert set(np.unique(image)) == {level} and "1 images were made grey" in notes
