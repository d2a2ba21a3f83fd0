"""The report's grid of faces, the paper's Fig. 1: only where a person names their source."""

import io
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from fer_data import sources
from results import Mistake
from results.artefacts.load import Findings
from results.report.blocks import Faces, Section, Text

EACH = 8  # faces of a class
LICENCE = (
    "These photographs belong to their owners. They are shown here for research and for yourself: "
    "keep this page to yourself and don't put it on the web or into a publication."
)


def grid(studies: list[Findings], source: Path) -> Section:
    """Training faces of each class, drawn with a fixed seed; refuses another data set's source."""
    rows = sources.read(source)
    labels = pd.Series(rows.names)
    whole = labels.value_counts().to_dict()
    one = next((one for one in studies if whole == images_by_class(one)), None)
    if one is None:
        raise Mistake(
            f"{source} holds {len(labels):,} images of {len(whole)} classes, which aren't those of "
            "any study here: give the source that the study was run on, or leave out --faces"
        )
    drawn = labels[rows.splits == "train"].sample(frac=1, random_state=0)
    strips = [
        (str(name), strip(rows.images[np.sort(part.index[:EACH])]))
        for name, part in drawn.groupby(drawn, sort=True)
    ]
    caption = f"Training images of each class of {one.study['data'].get('name')}"
    return Section("Faces", [Text(LICENCE, "note"), Faces(caption, strips)])


def images_by_class(one: Findings) -> dict[str, int]:
    counts = pd.DataFrame(one.study["data"].get("counts") or {})
    return {str(name): int(many) for name, many in counts.sum(axis=1).items()}


def strip(images: np.ndarray) -> bytes:
    """(N, 48, 48) -> a PNG of the images beside one another."""
    file = io.BytesIO()
    Image.fromarray(np.concatenate(list(images), axis=1)).save(file, "PNG", optimize=True)
    return file.getvalue()
