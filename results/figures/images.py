"""Plotly figures as image files, where kaleido and a Chromium are at hand."""

import logging
from pathlib import Path

import plotly.graph_objects as go
from plotly import io

PX = 720  # of a figure without a width of its own


class NoBrowser(Exception):
    """Why no image could be written, in a few words."""


def write(plots: dict[Path, go.Figure]) -> None:
    """Each figure into its file, of the kind that its name says; raises NoBrowser."""
    for name in ("kaleido", "choreographer"):  # a browser's last half message is no news
        logging.getLogger(name).setLevel(logging.CRITICAL)
    figures = list(plots.values())
    scale = [2 if path.suffix == ".png" else 1 for path in plots]
    try:
        io.write_images(
            figures,
            list(plots),
            scale=scale,
            width=[figure.layout.width or PX for figure in figures],
            height=[figure.layout.height for figure in figures],
        )
    except (ImportError, ValueError, RuntimeError) as error:
        raise NoBrowser(" ".join(str(error).split()).split(". ")[0][:120]) from None
