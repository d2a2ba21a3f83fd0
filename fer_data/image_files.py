"""Images lying as SPLIT/CLASS/NAME in a folder or a zip, as in the Kaggle copy of FER-2013."""

import io
import warnings
from collections import Counter
from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np
from PIL import Image

from fer_data import Mistake
from fer_data.rows import SIDE_PX, USAGES, Rows
from fer_data.tree import EXPECTED, Tree, shown

FILE_LIMIT = 64 * 2**20  # bytes of one image file
IMAGE_ENDS = (".jpg", ".jpeg", ".png", ".bmp")
IMAGE_FORMATS = ("JPEG", "PNG", "BMP")  # PIL would also hand an EPS named .jpg to Ghostscript
IMAGE_MODES = ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "YCbCr")  # 8 bits and less
FOLDERS = {"train": "train", "val": "val", "valid": "val", "validation": "val", "test": "test"}


@dataclass(frozen=True)
class File:
    """An image file of a tree."""

    name: str
    split: str
    label: str


def layout(tree: Tree) -> tuple[list[File], tuple[str, ...]]:
    """The images lying as [PREFIX/]train/CLASS/NAME, sorted by name, and notes; [] if none do."""
    placed = {name: place for name in tree.names if (place := placement(name))}
    images = {name: place for name, place in placed.items() if not name.endswith("/")}
    if not images:
        return [], ()
    prefixes = sorted({prefix for prefix, _, _ in images.values()})
    if len(prefixes) > 1:
        raise Mistake(
            f"{tree.path} holds train/ or test/ in several folders ({shown(prefixes)}); expected "
            "one data set: give the folder of one"
        )
    filled = set(images.values())
    empty = [name for name, place in placed.items() if place not in filled]
    if empty:
        raise Mistake(
            f"{tree.path}: the class folder {empty[0]} holds no image; expected "
            f"{', '.join(IMAGE_ENDS)} files: fill it or remove it"
        )
    files = [File(name, split, label) for name, (_, split, label) in images.items()]
    for split in ("train", "test"):
        if split not in {file.split for file in files}:
            raise Mistake(f"{tree.path} has no images in {split}/CLASS/; {EXPECTED}: add them")
    files, notes = with_halves(files)
    others = sum(not name.endswith("/") for name in tree.names) - len(files)
    if others:
        notes += (f"{others:,} files that are not images as SPLIT/CLASS/NAME were left out",)
    return files, notes


def placement(name: str) -> tuple[str, str, str] | None:
    """(prefix, split, class) of an image or of a class folder; None for anything else."""
    parts = name.split("/")  # a folder's last part is empty
    if len(parts) < 3 or parts[-3].lower() not in FOLDERS:
        return None
    if parts[-1] and not parts[-1].lower().endswith(IMAGE_ENDS):
        return None
    return "/".join(parts[:-3]), FOLDERS[parts[-3].lower()], parts[-2]


def with_halves(files: list[File]) -> tuple[list[File], tuple[str, ...]]:
    """Tell val from test by the names in test/, unless there is a val/; if not, a note says so."""
    if any(file.split == "val" for file in files):
        return files, ()
    halves = Counter(half(file) for file in files if file.split == "test")
    if halves.keys() == {"val", "test"}:
        return [
            File(file.name, half(file), file.label) if file.split == "test" else file
            for file in files
        ], ()
    note = (
        f"the names in test/ don't tell the two test halves apart ({halves['val']:,} begin with "
        f"PublicTest_, {halves['test']:,} with PrivateTest_, {halves['']:,} with neither)"
    )
    return files, (note,)


def half(file: File) -> str:
    """val, test, or "" where the name doesn't say."""
    mark = PurePosixPath(file.name).name.partition("_")[0]
    return USAGES[mark] if mark in ("PublicTest", "PrivateTest") else ""


def read_images(tree: Tree, files: list[File], notes: tuple[str, ...]) -> Rows:
    """The images of a tree: grey, 48 x 48; what had to be changed for that is counted in a note."""
    images = np.empty((len(files), SIDE_PX, SIDE_PX), np.uint8)
    sizes: Counter[str] = Counter()
    coloured = 0
    for place, file in enumerate(files):
        image = decoded(tree, file.name)
        coloured += image.mode != "L"
        image = image.convert("L")
        if image.size != (SIDE_PX, SIDE_PX):
            sizes[f"{image.width} x {image.height}"] += 1
            image = image.resize((SIDE_PX, SIDE_PX), Image.Resampling.BILINEAR)  # antialiased
        images[place] = np.asarray(image)
    if sizes:
        most = shown([size for size, _ in sizes.most_common()])
        notes += (f"{sizes.total():,} images of {most} pixels were resized to 48 x 48",)
    if coloured:
        notes += (f"{coloured:,} images were made grey",)
    names = np.array([file.label for file in files])
    splits = np.array([file.split for file in files])
    return Rows(images, names, splits, np.arange(len(files)), notes)


def decoded(tree: Tree, name: str) -> Image.Image:
    """One image, decoded; no larger than PIL's limit against decompression bombs."""
    with tree.open(name) as file:
        content = file.read(FILE_LIMIT + 1)
    at = f"{tree.path}: {name}"
    if len(content) > FILE_LIMIT:
        raise Mistake(f"{at} has more than {FILE_LIMIT >> 20} MiB; expected a face crop: remove it")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            image = Image.open(io.BytesIO(content), formats=IMAGE_FORMATS)
            image.load()
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise Mistake(
            f"{at} unpacks to more than {Image.MAX_IMAGE_PIXELS:,} pixels; expected a face crop: "
            "remove it"
        ) from error
    except Exception as error:  # PIL's decoders raise nearly anything on broken bytes
        raise Mistake(
            f"{at} doesn't decode as {', '.join(IMAGE_FORMATS)} (unknown or cut short); get a "
            "whole copy or remove it"
        ) from error
    if image.mode not in IMAGE_MODES:
        raise Mistake(
            f"{at} has pixels of the kind {image.mode}; expected 8 bits a channel: convert it"
        )
    return image
