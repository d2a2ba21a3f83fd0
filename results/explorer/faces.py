"""The faces themselves, where the data set is on this machine, and FER+'s votes on them.

They are research material that may not be spread: the app shows them, and an export holds them
only when asked to.
"""

import io
import json
import lzma
import os
import zipfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
import pandas as pd
from PIL import Image

from results import Mistake
from results.explorer.payload import Encoded, array
from results.load import Findings

SIDE_PX = 48
SHEET = 32  # faces along a side of a sheet
VOTES = ("neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt",
         "unknown", "NF")  # fmt: skip
EMOTIONS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")  # the table's order
FOLDERS = {"train": "train", "val": "val", "valid": "val", "validation": "val", "test": "test"}
IMAGE_ENDS = (".jpg", ".jpeg", ".png", ".bmp")


@dataclass(frozen=True)
class Faces:
    """Pictures by the id that predictions.parquet gives an image."""

    source: Path
    ids: np.ndarray  # int64 (N,), sorted
    pictures: np.ndarray  # uint8 (N, 48, 48)
    names: np.ndarray  # str (N,), class names


def find(one: Findings, given: Path | None) -> Faces | None:
    """The study's faces: of the file given, else of what the study prepared, else of its source.

    None where there is none on this machine. Refuses a file whose labels aren't the study's.
    """
    if given is not None:
        return checked(read(given), one)
    digest = one.study["data"].get("digest")
    usual = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache") / "fer-study"
    cache = Path(os.environ.get("FER_STUDY_CACHE") or usual).expanduser()
    for path in sorted(cache.glob("*.npz")):
        try:
            with np.load(path, allow_pickle=False) as file:
                if json.loads(str(file["about"])).get("digest") == digest:
                    return checked(read_prepared(path), one)
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            continue  # another program's file, or one half-written: not ours to judge
    asked = one.study["study"].get("data")
    path = Path(str(asked)).expanduser() if asked else None
    return checked(read(path), one) if path and path.exists() else None


def read(path: Path) -> Faces:
    """A prepared set (.npz), the table (.csv, .xz, .gz), or train/CLASS/*.jpg, packed or not."""
    if not path.exists():
        raise Mistake(f"{path} isn't there: give the data set that the study was run on as --data")
    try:
        if path.suffix == ".npz":
            return read_prepared(path)
        if path.is_dir() or path.suffix == ".zip":
            return read_folder(path)
        return read_table(path)
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, lzma.LZMAError) as error:
        raise Mistake(
            f"{path} can't be read as faces ({str(error).splitlines()[0] if str(error) else error!r}"
            "); give the data set that the study was run on as --data"
        ) from None


def read_prepared(path: Path) -> Faces:
    """What the study keeps of a data set between runs; only val and test are unpacked."""
    with np.load(path, allow_pickle=False) as file:
        classes = np.array(json.loads(str(file["about"]))["classes"])
        parts = [(file[f"{s}_ids"], file[f"{s}_images"], classes[file[f"{s}_labels"]])
                 for s in ("val", "test")]  # fmt: skip
    return ordered(path, *(np.concatenate(part) for part in zip(*parts, strict=True)))


def ordered(path: Path, ids: np.ndarray, pictures: np.ndarray, names: np.ndarray) -> Faces:
    order = np.argsort(ids, kind="stable")
    return Faces(path, ids[order], pictures[order], names[order])


def read_table(path: Path) -> Faces:
    """The rows of the table that aren't for training; pandas unpacks .xz and .gz."""
    ids, pictures, names, row = [], [], [], 0
    for part in pd.read_csv(path, chunksize=2000):
        part.columns = [str(name).strip() for name in part.columns]
        lines = np.arange(row, row + len(part))
        row += len(part)
        wanted = (part["Usage"].str.strip() != "Training").to_numpy()
        ids += list(lines[wanted])
        names += [EMOTIONS[int(emotion)] for emotion in part["emotion"][wanted]]
        pictures += [np.array(text.split(), np.uint8) for text in part["pixels"][wanted]]
    return ordered(path, np.array(ids, int), np.array(pictures, np.uint8).reshape(-1, SIDE_PX, SIDE_PX),
                   np.array(names, str))  # fmt: skip


def read_folder(path: Path) -> Faces:
    """[PREFIX/]SPLIT/CLASS/NAME, numbered as the study does: by place in the sorted names."""
    if path.is_dir():
        names = sorted(file.relative_to(path).as_posix() for file in path.rglob("*") if file.is_file())
        images = placed(names)
        content = {k: (path / name).read_bytes() for k, (name, split, _) in images if split != "train"}
    else:
        with zipfile.ZipFile(path) as packed:
            images = placed(sorted(packed.namelist()))
            content = {k: packed.read(name) for k, (name, split, _) in images if split != "train"}
    label = {k: emotion for k, (_, _, emotion) in images}
    pictures = []
    for raw in content.values():
        image = Image.open(io.BytesIO(raw), formats=("JPEG", "PNG", "BMP")).convert("L")
        if image.size != (SIDE_PX, SIDE_PX):
            image = image.resize((SIDE_PX, SIDE_PX), Image.Resampling.BILINEAR)
        pictures.append(np.asarray(image))
    return ordered(path, np.array(list(content), int),
                   np.array(pictures, np.uint8).reshape(-1, SIDE_PX, SIDE_PX),
                   np.array([label[k] for k in content], str))  # fmt: skip


def placed(names: list[str]) -> list[tuple[int, tuple[str, str, str]]]:
    """(place, (name, split, class)) of each image lying as SPLIT/CLASS/NAME; hidden ones fall."""
    found = []
    for name in names:
        parts = PurePosixPath(name).parts
        hidden = any(part.startswith(".") or part == "__MACOSX" for part in parts)
        if len(parts) >= 3 and not hidden and name.lower().endswith(IMAGE_ENDS):
            if parts[-3].lower() in FOLDERS:
                found.append((name, FOLDERS[parts[-3].lower()], parts[-2]))
    return list(enumerate(found))


def checked(faces: Faces, one: Findings) -> Faces:
    """The same faces, if each that the study's networks answered has the label it has there."""
    told = one.predictions.drop_duplicates(["split", "image"])
    ids = told["image"].to_numpy(int)
    place = np.clip(np.searchsorted(faces.ids, ids), 0, max(0, len(faces.ids) - 1))
    if len(ids) and not len(faces.ids):
        raise Mistake(f"{faces.source} holds no face for val or test: give the study's data set")
    wrong = (faces.ids[place] != ids) | (faces.names[place] != told["label"].to_numpy(str))
    if wrong.any():
        k = int(np.argmax(wrong))
        raise Mistake(
            f"{faces.source} isn't the data set of {one.folder}: image {ids[k]} is "
            f"{told['label'].iloc[k]} there; give the file that the study was run on as --data"
        )
    return faces


def sheet(faces: Faces, images: np.ndarray, number: int) -> bytes:
    """Sheet `number` of the images (ids in the payload's order) as PNG: 32 faces a row, 32 rows.

    An image that the faces don't have stays blank.
    """
    part = images[number * SHEET**2 : (number + 1) * SHEET**2]
    place = np.clip(np.searchsorted(faces.ids, part), 0, len(faces.ids) - 1)
    blank = np.zeros((SHEET**2, SIDE_PX, SIDE_PX), np.uint8)
    there = faces.ids[place] == part
    blank[: len(part)][there] = faces.pictures[place[there]]
    page = blank.reshape(SHEET, SHEET, SIDE_PX, SIDE_PX).swapaxes(1, 2)
    raw = io.BytesIO()
    Image.fromarray(page.reshape(SHEET * SIDE_PX, -1)).save(raw, "PNG", compress_level=1)
    return raw.getvalue()


def votes(path: Path, images: pd.DataFrame) -> Encoded:
    """FER+'s ten counts for each image of the payload, in its order: row k of the table is row k
    of fer2013.csv, so only images that are numbered by that table can have any."""
    if not path.exists():
        raise Mistake(f"{path} isn't there: give fer2013new.csv of FER+ as --votes")
    try:
        table = pd.read_csv(path)
        counts = table[list(VOTES)].to_numpy(int)
        usage = table["Usage"].map({"Training": "train", "PublicTest": "val", "PrivateTest": "test"})
    except (KeyError, ValueError, OSError) as error:
        raise Mistake(f"{path} isn't FER+'s fer2013new.csv ({error}): give that file") from None
    ids = images["image"].to_numpy(int)
    if len(ids) and (ids.max() >= len(counts) or
                     (usage.to_numpy(str)[ids] != images["split"].to_numpy(str)).any()):  # fmt: skip
        raise Mistake(f"{path} doesn't belong to this data set: its rows are of other splits; FER+ "
                      "goes with the table fer2013.csv, not with the folder copy")  # fmt: skip
    return {"names": list(VOTES), "counts": array(counts[ids].ravel(), "u1")}
