"""The faces that were answered, where the data set is on this machine, and FER+'s votes on them.

They are research material that may not be spread: the app shows them, and an export holds them
only when asked to.
"""

import base64
import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from fer_data import cache, fer2013, image_files
from fer_data.dataset import Split
from fer_data.rows import SIDE_PX
from results import Mistake
from results.artefacts import faces
from results.artefacts.load import Findings
from results.explorer.payload import Encoded, array
from results.facts import votes

SHEET = 32  # faces along a side of a sheet
MOST_MIB = 15  # of faces in one file
NO_FACES = (
    "This file holds no faces: their licence forbids spreading them. The app shows them "
    "where the data set is; an export holds them only if asked for."
)
NONE_DRAWN = "This file was saved without the faces, which are drawn: they may be handed on."
KINDS = [*votes.EMOTIONS.values(), *votes.OTHERS.values()]
NOT_HERE = (
    "The data set isn't on this machine, so there are no pictures; --data FILE names it. "
    "Everything else works without."
)
DRAWN = (
    "These faces were drawn, and what was drawn isn't kept on this machine, so there are no "
    "pictures. Everything else works without."
)
SEVERAL = "These studies are on different data, so there are no pictures: open one at a time."


def found(studies: list[Findings], pictures: pd.DataFrame, given: Path | None) -> np.ndarray | str:
    """uint8 (N, 48, 48), the faces of `pictures` in their order, or why there are none.

    They come from the source given, else from what the study prepared of it, else from the source
    that the study names. Refuses a given source that isn't a copy of the study's images.
    """
    if len({one.study["data"].get("digest") for one in studies}) > 1:
        return SEVERAL
    if given is not None:
        return image_files.small(faces.images(studies[0], given, pictures))
    path = prepared(str(studies[0].study["data"].get("digest")))
    named = Path(str(studies[0].study["study"].get("data") or ""))
    try:
        if path:
            return stored(path, pictures)
        if named.name and not studies[0].synthetic and faces.located(named)[1].exists():
            return image_files.small(faces.images(studies[0], named, pictures))
    except Mistake as mistake:
        return f"No pictures: {mistake}."
    return DRAWN if studies[0].synthetic else NOT_HERE


def prepared(digest: str) -> Path | None:
    """What a study on this machine kept of the data with this digest, if it is still there."""
    for path in sorted(cache.folder().glob("*.npz")):
        try:
            with np.load(path, allow_pickle=False) as file:
                if json.loads(str(file["about"])).get("digest") == digest:
                    return path
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            continue  # another program's file, or one half-written: not ours to judge
    return None


def stored(path: Path, pictures: pd.DataFrame) -> np.ndarray:
    """The images of a prepared set; of it only val and test are unpacked."""
    images = np.zeros((len(pictures), SIDE_PX, SIDE_PX), np.uint8)
    try:
        with np.load(path, allow_pickle=False) as file:
            for name in ("val", "test"):
                part = Split(*(file[f"{name}_{what}"] for what in ("images", "labels", "ids")))
                inside = (pictures["split"] == name).to_numpy()
                ids = pictures["image"][inside].to_numpy(int)
                images[inside] = image_files.small(part.images[faces.places(part, ids)])
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise Mistake(
            f"{path} can't be read as prepared data ({type(error).__name__}); give the "
            "source of the study as --data"
        ) from None
    return images


def sheet(faces: np.ndarray, number: int) -> bytes:
    """Sheet `number` as PNG: 32 rows of 32 faces, in the payload's order."""
    part = faces[number * SHEET**2 : (number + 1) * SHEET**2]
    side = SIDE_PX
    places = np.zeros((SHEET**2, side, side), np.uint8)
    places[: len(part)] = part
    page = places.reshape(SHEET, SHEET, side, side).swapaxes(1, 2).reshape(SHEET * side, -1)
    raw = io.BytesIO()
    Image.fromarray(page).save(raw, "PNG", compress_level=1)
    return raw.getvalue()


def faces_payload(
    faces: np.ndarray | str, shown: pd.DataFrame, votes_file: Path | None, sheets: bool
) -> Encoded:
    """What the page must know of the faces, or why there are none.

    `sheets`: the pictures too, as data URLs of up to MOST_MIB in all; it says what is cut.
    """
    there = isinstance(faces, np.ndarray)
    found: Encoded = {"there": there, "why": "" if there else faces}
    if votes_file:
        found["votes"] = vote_counts(votes_file, shown)
    if sheets and isinstance(faces, np.ndarray):
        found["sheets"] = data_urls(faces)
        lost = sum(not one for one in found["sheets"]) * SHEET**2
        if lost:
            found["why"] = (
                f"The faces of {lost:,} images were left out: a file holds at most {MOST_MIB} MiB "
                "of them."
            )
    return found


def data_urls(faces: np.ndarray) -> list[str]:
    """A PNG per sheet as a data URL, "" for those beyond MOST_MIB."""
    found, size = [], 0
    for number in range(-(-len(faces) // SHEET**2)):
        raw = base64.b64encode(sheet(faces, number)).decode()
        size += len(raw)
        found.append(f"data:image/png;base64,{raw}" if size <= MOST_MIB << 20 else "")
    return found


def vote_counts(path: Path, pictures: pd.DataFrame) -> Encoded:
    """FER+'s ten counts for each image of `pictures`, in their order."""
    table = votes.read(path)
    rows = np.zeros(len(pictures), int)
    for digest, part in pictures.groupby("digest"):
        columns = [part[name].to_numpy() for name in ("split", "image", "pixels")]
        rows[part.index] = fer2013.rows_of(str(digest), *columns)
    if (rows < 0).any():
        raise Mistake(
            f"{path} doesn't belong to these images: expected FER-2013's own, pixel for pixel, as "
            "fer2013.csv has them in any order (not the JPEGs of a folder copy): leave out --votes"
        )
    return {"names": KINDS, "counts": array(table[KINDS].to_numpy(int)[rows].ravel(), "u1")}
