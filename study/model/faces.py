"""Faces in a photograph, found and cropped as those of FER-2013 are.

The detector is OpenCV 4's cascade, whose weights are in its wheel (OpenCV 5's has none). FER-2013
was cropped by one too: of its own faces in a made-up scene the box is 0.97 of the crop.
"""

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from fer_data.image_files import formats, small
from fer_data.rows import SIDE_PX
from fer_data.tree import clutter
from study import Mistake
from study.storage.places import first_line

LARGEST = 64_000_000  # pixels of a photograph: 200 MB as colours
DETECTION_PX = 1280  # longest side at which faces are looked for
TIGHT_PX = 96  # a picture up to this is a face already cropped
TIGHT_SHARE = 0.7  # and so is one that a face fills so far
SMALLEST_PX = 24
MODES = ("1", "L", "LA", "P", "PA", "RGB", "RGBA")
MARGIN = 1 / 0.97  # crop over box
GROUND_PX = SIDE_PX // 4  # around a crop, mirrored, so that a face that fills it can be seen


@dataclass(frozen=True)
class Face:
    """A face in a photograph: its crop's box in pixels, and the crop, uint8 (px, px)."""

    left: int
    top: int
    side: int
    crop: np.ndarray


def photographs(given: list[str], listed: Iterator[str]) -> Iterator[Path]:
    """The files that a command line means: files, all in folders, `-` for a list of paths."""
    for name in given:
        if name == "-":
            yield from (Path(line.strip()) for line in listed if line.strip())
        elif Path(name).is_dir():
            found = (p for p in Path(name).rglob("*") if p.is_file())
            yield from sorted(p for p in found if not clutter(str(p.relative_to(name))))
        else:
            yield Path(name)


def opened(path: Path) -> Image.Image:
    """A photograph, upright, in colours. Mistake if it isn't one that can be judged."""
    try:
        with path.open("rb") as file, warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # refused below
            image = Image.open(file, formats=formats())
            refuse_others(image, path)
            ImageOps.exif_transpose(image, in_place=True)
            return coloured(image)
    except Mistake:
        raise
    except FileNotFoundError:
        raise Mistake(f"there is no file {path}") from None
    except UnidentifiedImageError:  # whose words have the file as Python writes it
        raise Mistake(f"{path} is no picture of a kind that can be read") from None
    except Exception as error:  # PIL's decoders raise nearly anything on what is no image
        raise Mistake(f"{path} isn't a photograph that can be read ({first_line(error)})") from None


def refuse_others(image: Image.Image, path: Path) -> None:
    """Mistake if a picture that was opened, and not yet decoded, can't be judged."""
    pixels = image.width * image.height
    if pixels > LARGEST:
        raise Mistake(
            f"{path} has {pixels / 1e6:.0f} megapixels: at most {LARGEST / 1e6:.0f} can be "
            "judged, make it smaller"
        )
    if getattr(image, "is_animated", False) and image.format != "MPO":
        raise Mistake(f"{path} has several frames: give one of them as a picture of its own")
    if image.mode not in MODES:
        raise Mistake(
            f"{path} has pixels of the kind {image.mode}: convert it to 8 bits of grey, or of "
            "red, green and blue"
        )


def coloured(image: Image.Image) -> Image.Image:
    """Red, green and blue; what is transparent, on white."""
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image.convert("RGB")


def found(image: Image.Image, px: int = SIDE_PX, margin: float = 0.0) -> list[Face]:
    """The faces of a photograph, left to right, with crops of `px` a side, wider by `margin` of a
    box's side on each side; the whole of it, if it is a crop already."""
    if max(image.size) <= max(TIGHT_PX, px):
        return [whole(image, px)]
    boxes = detected(image)
    near_square = max(image.size) <= 1.34 * min(image.size)
    if near_square and any(box[2] >= TIGHT_SHARE * min(image.size) for box in boxes):
        return [whole(image, px)]
    faces = []
    for left, top, side in boxes:
        wide = min(round(side * MARGIN * (1 + 2 * margin)), *image.size)
        left, top = left - (wide - side) // 2, top - (wide - side) // 2
        left = max(0, min(left, image.width - wide))
        top = max(0, min(top, image.height - wide))
        faces.append(Face(left, top, wide, cropped(image, left, top, wide, px)))
    return sorted(faces, key=lambda face: face.left)


def whole(image: Image.Image, px: int) -> Face:
    """All of a picture as one face; the middle of its longer side."""
    side = min(image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    return Face(left, top, side, cropped(image, left, top, side, px))


def cropped(image: Image.Image, left: int, top: int, side: int, px: int) -> np.ndarray:
    """uint8 (px, px), grey, antialiased: as `fer_data.image_files` makes it of an image file."""
    crop = image.crop((left, top, left + side, top + side)).convert("L")
    return np.asarray(crop.resize((px, px), Image.Resampling.BILINEAR))


def detected(image: Image.Image) -> list[tuple[int, int, int]]:
    """(left, top, side) of each face, in pixels of the photograph."""
    shrink = min(1.0, DETECTION_PX / max(image.size))
    small = image.convert("L").resize([max(1, round(shrink * side)) for side in image.size])
    border = max(8, min(small.size) // 6)  # a face that touches the edge is found with some ground
    grey = cv2.copyMakeBorder(
        np.asarray(small), border, border, border, border, cv2.BORDER_REPLICATE
    )
    least = (SMALLEST_PX, SMALLEST_PX)
    boxes = detector().detectMultiScale(grey, 1.1, 3, minSize=least)
    return [
        (round((x - border) / shrink), round((y - border) / shrink), round(side / shrink))
        for x, y, side, _ in np.asarray(boxes).reshape(-1, 4).tolist()
    ]


def shows_face(crop: np.ndarray, margin: float = 0.0) -> bool:
    """Whether the detector sees a face that fills at least TIGHT_SHARE of a crop, uint8 (px, px),
    of what is within its margin.

    FER-2013's images were cut by a detector of this kind, so that what it sees none in is unlike
    them; docs/commands.md has how often it errs. Takes about 10 ms.
    """
    crop = small(crop[None])[0]  # the sizes below are for 48 px, however large a study's faces are
    sides = (GROUND_PX,) * 4
    grey = cv2.copyMakeBorder(np.ascontiguousarray(crop), *sides, cv2.BORDER_REFLECT)
    large = cv2.resize(grey, None, fx=2, fy=2, interpolation=cv2.INTER_LINEAR)
    least = (int(2 * TIGHT_SHARE * SIDE_PX / (1 + 2 * margin)),) * 2
    return len(detector().detectMultiScale(large, 1.05, 0, minSize=least)) > 0


@cache
def detector() -> cv2.CascadeClassifier:
    folder = Path(cv2.__file__).parent / "data"
    return cv2.CascadeClassifier(str(folder / "haarcascade_frontalface_default.xml"))
