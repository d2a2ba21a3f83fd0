"""Image files become uint8 (side, side): whatever Pillow opens, upright, opaque, grey."""

import io
import math
import sys
import warnings
from collections import Counter
from collections.abc import Sequence
from functools import cache

import numpy as np
from PIL import ExifTags, Image, ImageOps

from fer_data import Mistake
from fer_data.faces import Box
from fer_data.rows import SIDE_PX
from fer_data.tree import Opened, Tree

FILE_LIMIT = 64 * 2**20  # bytes of one image file
USUAL = 2**18  # bytes that nearly all have less of
# What Pillow would hand to another program (EPS to Ghostscript, WMF to Windows), and what it knows
# by name only.
BARRED = {"EPS", "WMF", "BUFR", "GRIB", "HDF5", "MPEG"}
FIRST = ("JPEG", "PNG", "BMP", "WEBP", "GIF", "TIFF", "PPM")  # told by their first bytes
MODES = ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "YCbCr")  # 8 bits and less
MANY, EVERY = 10_000, 500  # images from which on a bar is shown, and after how many it moves
UPRIGHT = 1  # of EXIF's eight orientations


@cache
def formats() -> tuple[str, ...]:
    Image.init()
    return (*FIRST, *sorted({*Image.OPEN} - {*FIRST, *BARRED}))


@cache
def endings() -> frozenset[str]:
    """The endings of files that must be images: .jpg, .png, .webp and so on."""
    known = {*formats(), "MPO"}  # the JPEG of several that some cameras write
    Image.init()
    return frozenset(end for end, kind in Image.registered_extensions().items() if kind in known)


def opens(tree: Tree, name: str) -> bool:
    """Whether a file with another ending is an image all the same."""
    with tree.open(name) as file:
        content = file.read(FILE_LIMIT + 1)
    try:
        loaded(content)
    except Exception:  # PIL's decoders raise nearly anything on what is no image
        return False
    return True


def read(
    tree: Tree,
    names: list[str],
    boxes: Sequence[Box | None] = (),
    margin: float = 0.0,
    px: int = SIDE_PX,
) -> tuple[np.ndarray, int, tuple[str, ...]]:
    """uint8 (N, side, side), the side of the largest face as its file has it, and notes that count
    what had to be changed.

    `boxes`: the part of each file that is the face; None for all of it. `margin`: on each side of
    the square around one, as a share of its side. `px`: the side that is wanted; where no face is
    so large, it is the largest one's, and 48 at least.
    """
    side = kept(tree, names, boxes, margin, px)
    check_memory(tree, len(names), side)
    images, largest = np.empty((len(names), side, side), np.uint8), 0
    changed: Counter[str] = Counter()
    cuts = "were cut to the square around the box of their face"
    cuts += f", {100 * margin:g} % of its side wider on each side" * (margin > 0)
    sizes: Counter[str] = Counter()
    order = sorted(range(len(names)), key=lambda k: tree.place(names[k]))
    for done, place in enumerate(order):
        told(done, len(names))
        with tree.open(names[place]) as file:
            image = decoded(file, f"{tree.path}: {names[place]}")
        if boxes and (box := boxes[place]):
            image = cut(image, box, f"{tree.path}: {names[place]}", margin)
            narrow = margin > 0 and image.width < around(box, margin)
            changed[cuts + " as far as there is room" * narrow] += 1
        largest = max(largest, min(image.size))
        images[place] = grey(image, changed, sizes, side)
    notes = tuple(f"{many:,} images {what}" for what, many in sorted(changed.items()) if many)
    if sizes:
        most = ", ".join(size for size, _ in sizes.most_common(3)) + ", ..." * (len(sizes) > 3)
        notes = (
            f"{sizes.total():,} images of {most} pixels were resized to {side} x {side}",
            *notes,
        )
    return images, largest, notes


def small(images: np.ndarray) -> np.ndarray:
    """uint8 (N, 48, 48) of uint8 (N, side, side), as pages show faces."""
    size = (SIDE_PX, SIDE_PX)
    if images.shape[1:] == size:
        return images
    made = [Image.fromarray(image).resize(size, Image.Resampling.BILINEAR) for image in images]
    return np.array(made, np.uint8).reshape(-1, *size)


def kept(tree: Tree, names: list[str], boxes: Sequence[Box | None], margin: float, px: int) -> int:
    """The side at which images are kept. Only as many files are looked into as it takes to find a
    face of `px`."""
    side = SIDE_PX
    for place in sorted(range(len(names)), key=lambda k: tree.place(names[k])):
        if side >= px:
            break
        with tree.open(names[place]) as file:
            wide, high = size(file.read(FILE_LIMIT))
        box = boxes[place] if boxes else None
        most = around(box, margin) if box else max(wide, high)
        side = max(side, min(px, most, wide, high))
    return side


def size(content: bytes) -> tuple[int, int]:
    """Width and height as the file's head tells them; 0 where it tells none, which `decoded` then
    says."""
    try:
        return Image.open(io.BytesIO(content), formats=formats()).size
    except Exception:  # PIL raises nearly anything on broken bytes
        return 0, 0


def check_memory(tree: Tree, many: int, side: int) -> None:
    """Refuse what would fill the memory: images are held twice while splits are made of them."""
    needed, free = 2 * many * side**2, available()
    if needed > free:
        raise Mistake(
            f"{tree.path}: {many:,} faces of {side} x {side} pixels take {needed / 2**30:,.1f} GiB "
            f"while they are read, and {free / 2**30:,.1f} GiB are free: give a smaller --image-px "
            "or fewer faces"
        )


def available() -> float:
    """Bytes of memory that are free, as Linux tells it; inf elsewhere."""
    try:
        with open("/proc/meminfo") as file:
            (line,) = (line for line in file if line.startswith("MemAvailable:"))
            return 1024 * float(line.split()[1])
    except (OSError, ValueError):
        return math.inf


def told(done: int, of: int) -> None:
    """A bar on a terminal, where reading takes longer than a person waits without asking."""
    if of < MANY or done % EVERY and done + 1 < of or not sys.stderr.isatty():
        return
    filled = 30 * done // of
    bar = f"Reading images [{'#' * filled}{'.' * (30 - filled)}] {done:,} of {of:,}"
    print(f"\r{bar}" if done + 1 < of else f"\r{' ' * len(bar)}\r", end="", file=sys.stderr)


def cut(image: Image.Image, box: Box, at: str, margin: float = 0.0) -> Image.Image:
    """The square around a box with its margin, moved inside the image; smaller where that is."""
    left, top, right, bottom = box
    side = min(around(box, margin), *image.size)
    if side < 1 or right <= left or bottom <= top:
        raise Mistake(f"{at} has the box {box}; expected left < right and top < bottom: correct it")
    x = min(max((left + right - side) // 2, 0), image.width - side)
    y = min(max((top + bottom - side) // 2, 0), image.height - side)
    return image.crop((x, y, x + side, y + side))


def around(box: Box, margin: float) -> int:
    """The side of the square around a box with its margin."""
    left, top, right, bottom = box
    return round(max(right - left, bottom - top) * (1 + 2 * margin))


def decoded(file: Opened, at: str) -> Image.Image:
    """One image, decoded; no larger than PIL's limit against decompression bombs."""
    content = file.read(USUAL)
    if len(content) == USUAL:  # not at once: each read would make room for all that was asked for
        content += file.read(FILE_LIMIT + 1 - USUAL)
    if len(content) > FILE_LIMIT:
        raise Mistake(f"{at} has more than {FILE_LIMIT >> 20} MiB; expected a face crop: remove it")
    try:
        image = loaded(content)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise Mistake(
            f"{at} unpacks to more than {Image.MAX_IMAGE_PIXELS:,} pixels; expected a face crop: "
            "remove it"
        ) from error
    except Exception as error:  # PIL's decoders raise nearly anything on broken bytes
        raise Mistake(
            f"{at} doesn't decode as an image (unknown or cut short); get a whole copy or remove it"
        ) from error
    if image.mode not in MODES:
        raise Mistake(
            f"{at} has pixels of the kind {image.mode}; expected 8 bits a channel: convert it"
        )
    return image


def loaded(content: bytes) -> Image.Image:
    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        image = Image.open(io.BytesIO(content), formats=formats())
        image.load()
    return image


def grey(image: Image.Image, changed: Counter[str], sizes: Counter[str], side: int) -> np.ndarray:
    """uint8 (side, side): turned as its EXIF says, laid on white, grey, at our size."""
    if getattr(image, "is_animated", False) and image.format != "MPO":
        changed["with several frames are their first"] += 1
    if orientation(image) != UPRIGHT:
        image = ImageOps.exif_transpose(image)
        changed["were turned upright as their EXIF says"] += 1
    changed["were made grey"] += image.mode != "L"
    if image.has_transparency_data:
        image = image.convert("RGBA")
        changed["with transparency were laid on white"] += (
            int(np.asarray(image.getchannel("A")).min()) < 255
        )
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    if image.mode != "L":
        image = image.convert("L")
    changed["aren't square and were squeezed to it"] += image.width != image.height
    if image.size != (side, side):
        sizes[f"{image.width} x {image.height}"] += 1
        image = image.resize((side, side), Image.Resampling.BILINEAR)  # antialiased
    return np.frombuffer(image.tobytes(), np.uint8).reshape(side, side)  # asarray: twice the time


def orientation(image: Image.Image) -> int:
    """1 to 8; 1 where there is none, one of no meaning (0), or one that can't be read."""
    try:
        found = int(image.getexif().get(ExifTags.Base.Orientation, UPRIGHT))
    except Exception:  # EXIF of another program's making; the pixels are whole
        return UPRIGHT
    return found if 1 <= found <= 8 else UPRIGHT
