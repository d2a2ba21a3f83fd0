"""The report's grid of faces, the paper's Fig. 1: only where a person names their source."""

import io
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from results import Mistake
from results.artefacts import faces
from results.artefacts.load import Findings
from results.report.blocks import Faces, Section, Text

EACH = 8  # faces of a class
HIGHEST = 48  # pixels of a face on the page
LICENCE = (
    "These photographs belong to their owners. They are shown here for research and for yourself: "
    "keep this page to yourself and don't put it on the web or into a publication."
)
DRAWN = "These faces are drawn by a program: they show nobody and belong to nobody."


def grid(studies: list[Findings], source: Path) -> Section:
    """Training faces of each class, drawn with a fixed seed; refuses another data set's source."""
    for one in studies:
        found = faces.copy(one, source)
        if faces.same_images(one, found):
            break
    else:
        of = [f"{one.name}: {faces.copy_in_words(one.study['data'])}" for one in studies]
        raise Mistake(
            f"{source} holds other images than any study here was run on ({'; '.join(of)}): give "
            "such a copy, or leave out --faces"
        )
    rows = pd.DataFrame({"label": np.array(found.classes)[found.train.labels]})
    taken = rows.sample(frac=1, random_state=0).groupby("label").head(EACH).sort_index()
    strips = [
        (name, strip(found.train.images[part.index]))
        for name, part in taken.groupby("label", sort=True)
    ]
    caption = f"Training images of each class of {one.study['data'].get('name')}"
    return Section(
        "Faces", [Text(DRAWN if one.synthetic else LICENCE, "note"), Faces(caption, strips)]
    )


def strip(images: np.ndarray) -> bytes:
    """(N, side, side) -> a PNG of the images beside one another, 48 pixels high at most."""
    file, image = io.BytesIO(), Image.fromarray(np.concatenate(list(images), axis=1))
    image.thumbnail((image.width, HIGHEST))
    image.save(file, "PNG", optimize=True)
    return file.getvalue()
