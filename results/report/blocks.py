"""What a report is made of, before it is a page or files: sections of text, tables, figures."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from results.words import DASH, large, number, signed


@dataclass(frozen=True)
class Text:
    words: str
    kind: str = ""  # "", "note" for what must not be missed, "quiet" for how it was computed


@dataclass(frozen=True)
class Table:
    """`frame` is written as CSV as it is; `shown`, strings only, is what people read.

    In `shown` what follows a line break stands small beneath, and a column named "... (bar)" holds
    shares that are drawn as bars too. `pairs`: name and value, in as many columns as find room.
    """

    name: str  # of its files
    caption: str
    frame: pd.DataFrame
    shown: pd.DataFrame
    folded: bool = False
    pairs: bool = False


@dataclass(frozen=True)
class Figure:
    """Plots side by side where there is room, a sentence that says what they show, their table."""

    name: str
    caption: str
    summary: str
    plots: list[tuple[str, go.Figure]]
    table: Table
    width: str = ""  # "narrow": one plot, not as wide as the page; "thirds": three abreast


@dataclass(frozen=True)
class Matrix:
    """A confusion matrix: truth down, answer across."""

    name: str
    caption: str
    counts: np.ndarray
    classes: list[str]
    per_class: pd.DataFrame


@dataclass(frozen=True)
class Faces:
    """Photographs, a strip (PNG) per class: on the page only, never among the files beside it."""

    caption: str
    strips: list[tuple[str, bytes]]


@dataclass(frozen=True)
class Code:
    """A command or a file's text, to be copied; `file` is the name under which it is saved."""

    caption: str
    text: str
    file: str = ""
    folded: bool = False


@dataclass(frozen=True)
class Side:
    """Blocks beside one another where there is room."""

    blocks: "Sequence[Block]"


Block = Text | Table | Figure | Matrix | Faces | Code | Side


@dataclass(frozen=True)
class Section:
    title: str
    blocks: list[Block] = field(default_factory=list)


def table(
    name: str,
    caption: str,
    frame: pd.DataFrame,
    columns: str | dict[str, str],
    folded: bool = False,
    labels: dict[str, str] | None = None,
) -> Table:
    """A Table that shows these columns (see `kinds`), each in its kind of number (see `cell`)."""
    labels = labels or {}
    shown = {
        labels.get(column, column.replace("_", " ")): [cell(value, kind) for value in frame[column]]
        for column, kind in kinds(columns).items()
        if column in frame
    }
    return Table(name, caption, frame, pd.DataFrame(shown, dtype=object), folded)


def kinds(columns: str | dict[str, str]) -> dict[str, str]:
    """ "model seeds:count" -> {"model": "text", "seeds": "count"}; a dict as it is."""
    if isinstance(columns, dict):
        return columns
    parts = [column.partition(":") for column in columns.split()]
    return {name: kind or "text" for name, _, kind in parts}


def cell(value: Any, kind: str) -> str:
    """A value in words. Nothing there is a dash, never nan."""
    if pd.api.types.is_scalar(value) and pd.isna(value):
        return DASH
    if kind == "percent":
        return f"{100 * value:.2f} %"
    if kind == "share":
        return f"{100 * value:.0f} %"
    if kind == "points":
        return signed(100 * value, 2)
    if kind == "gap":
        return f"{100 * value:.2f}"
    if kind == "count":
        return f"{value:,.0f}"
    if kind == "number":
        return number(value)
    if kind == "p":
        return "<0.001" if value < 0.001 else f"{value:.3f}"
    if kind == "yes":
        return "yes" if value else "no"
    if kind == "large":
        return large(float(value))
    return number(value) if isinstance(value, float) else str(value)
