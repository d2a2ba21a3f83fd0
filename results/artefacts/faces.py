"""The photographs of a study, read again from a copy of its data that a person names.

An artefact folder holds none. A copy with the study's content has its digest, however it is packed;
its images are then told by their places in a split, since `image` is the row of a table or the
place of a file. In any other copy they are told by their pixels.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from fer_data import dataset, sources
from fer_data.catalogue import margin
from fer_data.classes import ASSUMED
from fer_data.dataset import Dataset, Split, parts
from fer_data.fer2013 import pixel_digests
from fer_data.known import SPLITS
from fer_data.rows import SIDE_PX
from results import Mistake
from results.artefacts.load import Findings


def located(source: Path | str) -> tuple[str, Path]:
    """The kind and the path of KIND:PATH, as --data of a study takes it; no kind of a path."""
    kind, path = sources.asked(str(source))
    return kind, Path(path).expanduser()


def copy(one: Findings, source: Path) -> Dataset:
    """The source's data, its classes named as the study named them."""
    header, data = one.study, one.study["data"]
    begun_before = not data.get("levels")
    kind, path = located(source)
    names = ASSUMED if begun_before else tuple(header["study"].get("classes", ()))
    without, crop = tuple(header["study"].get("without", ())), margin(header["study"], data)
    return dataset.read(path, names, kind, without, crop, data.get("side_px", SIDE_PX))


def images(one: Findings, source: Path, wanted: pd.DataFrame) -> np.ndarray:
    """uint8 (N, side, side): the study's images of these rows (split, image), in their order.

    Refuses a source that hasn't all of them.
    """
    found = copy(one, source)
    if found.digest == one.study["data"].get("digest"):
        return by_place(found, wanted)
    return by_pixels(one, source, found, wanted)


def by_place(found: Dataset, wanted: pd.DataFrame) -> np.ndarray:
    pixels = np.zeros((len(wanted), *found.test.images.shape[1:]), np.uint8)
    for name, part in zip(SPLITS, parts(found), strict=True):
        inside = (wanted["split"] == name).to_numpy()
        pixels[inside] = part.images[places(part, wanted["image"][inside].to_numpy(int))]
    return pixels


def places(part: Split, ids: np.ndarray) -> np.ndarray:
    """Where images of a split lie in it: by their order if these are all of it, else by number."""
    known = np.unique(ids)
    return np.searchsorted(known if len(known) == len(part.ids) else part.ids, ids)


def by_pixels(one: Findings, source: Path, found: Dataset, wanted: pd.DataFrame) -> np.ndarray:
    whole = np.concatenate([part.images for part in parts(found)])
    place = {digest: k for k, digest in enumerate(pixel_digests(whole).tolist())}
    asked = wanted[["split", "image"]].merge(one.images, how="left", on=["split", "image"])
    at = asked["pixels"].map(place)
    if at.isna().any():
        raise Mistake(not_a_copy(one, source, int(at.isna().sum()), len(at)))
    return whole[at.to_numpy(int)]


def not_a_copy(one: Findings, source: Path, lacking: int, of: int) -> str:
    """The sentence that refuses a source."""
    known = f"{lacking:,} of {of:,} images that were asked for are not in it, pixel for pixel"
    if one.images.empty:
        known = "an older version kept nothing of its images by which another copy could be matched"
    return (
        f"{source} isn't the data of the study {one.name}, which was run on "
        f"{copy_in_words(one.study['data'])}, and {known}: give that copy"
    )


def copy_in_words(data: dict[str, Any]) -> str:
    """Which copy a study was run on, from study.json."""
    source = data.get("source")
    content = f"content {data.get('digest')}"
    return f"{source['name']} (file {source['digest']}, {content})" if source else content


def same_images(one: Findings, found: Dataset) -> bool:
    """Whether a copy has the study's val and test images, and as many of each class and split."""
    if found.digest == one.study["data"].get("digest"):
        return True
    counts = {
        name: {c: int((part.labels == k).sum()) for k, c in enumerate(found.classes)}
        for name, part in zip(SPLITS, parts(found), strict=True)
    }
    there = pixel_digests(np.concatenate([found.val.images, found.test.images]))
    return (
        not one.images.empty
        and counts == one.study["data"].get("counts")
        and bool(one.images["pixels"].isin(there).all())
    )
