"""How every figure looks: a network's colour, marker and dash; axes, fonts, plotly's settings.

Okabe and Ito's colours, which the colour-blind can tell apart. A network has one colour, marker
and dash wherever it appears; one that isn't named here takes the next of OTHERS, and after these
their colours with one another's markers and dashes.
"""

from collections.abc import Iterable
from itertools import count
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from results.words import large

STYLES = {
    "alexnet": ("#D55E00", "circle", "solid"),
    "resnet34": ("#0072B2", "square", "dash"),
    "cbam_resnet34": ("#009E73", "diamond", "dot"),
}
OTHERS = (
    ("#CC79A7", "triangle-up", "dashdot"),
    ("#B8860B", "triangle-down", "longdash"),
    ("#7D7D7D", "pentagon", "longdashdot"),
    ("#A6761D", "x", "solid"),
)
LOOKS = (*STYLES.values(), *OTHERS)
DASHES = tuple(dict.fromkeys(dash for _, _, dash in LOOKS))
ON_BLACK = {"#D55E00": "#E8823A", "#0072B2": "#56B4E9", "#009E73": "#2DBE95"}
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif"
GRID, INK = "rgba(128,128,128,0.22)", "#6b6b6b"  # the page's style sheet sets them per theme
DARK = "#24272b"  # on colour, where a figure has a white ground of its own
CONFIG = {
    "showSendToCloud": False,
    "plotlyServerURL": "",
    "displaylogo": False,
    "responsive": True,
    "scrollZoom": False,
    "modeBarButtonsToRemove": ["select2d", "lasso2d", "autoScale2d", "zoomIn2d", "zoomOut2d"],
}
LEAST = 0.05  # of accuracy: what an axis spans at least
AXIS = {"gridcolor": GRID, "zeroline": False, "showline": False, "ticks": "", "automargin": True}
TITLE = {"standoff": 8, "font": {"size": 13}}


_places: dict[str, int] = {}  # of the networks that STYLES doesn't name, as they come


def style(model: str) -> tuple[str, str, str]:
    """Colour, marker, dash: the same for a network as long as this process lives."""
    if model in STYLES:
        return STYLES[model]
    return look(_places.setdefault(model, len(_places)), OTHERS)


def look(place: int, looks: tuple[tuple[str, str, str], ...]) -> tuple[str, str, str]:
    """The colour, marker and dash of a place; after the last one's a colour with another's dash."""
    again, place = divmod(place, len(looks))
    _, marker, dash = looks[(place + again) % len(looks)]
    return looks[place][0], marker, dash


def places() -> dict[str, int]:
    return dict(_places)


def take(others: dict[str, int]) -> None:
    """The places of another process, so that both show a network alike."""
    _places.update(others)


def on_black(colour: str) -> str:
    """The colour as it stands out on a dark page: lighter by a third of the way to white."""
    parts = (int(colour[k : k + 2], 16) for k in (1, 3, 5))
    return ON_BLACK.get(colour) or "#" + "".join(f"{p + (255 - p) // 3:02X}" for p in parts)


def pale(colour: str, opacity: float = 0.16) -> str:
    red, green, blue = (int(colour[k : k + 2], 16) for k in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity})"


def canvas(x: str, y: str, height: int = 320, **layout: Any) -> go.Figure:
    """An empty figure in the report's style with its axes' titles."""
    return go.Figure(
        layout={
            "template": None,
            "height": height,
            "margin": {"l": 8, "r": 8, "t": 8, "b": 8},
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "font": {"family": FONT, "size": 13, "color": INK},
            "xaxis": AXIS | {"title": {"text": x, **TITLE}},
            "yaxis": AXIS | {"title": {"text": y, **TITLE}},
            "legend": {
                "orientation": "h",
                "x": 0,
                "xanchor": "left",
                "y": 1.02,
                "yanchor": "bottom",
                "bgcolor": "rgba(0,0,0,0)",
                "itemwidth": 34,
            },
            "showlegend": True,
            "hoverlabel": {"font": {"family": FONT, "size": 13}},
            **layout,
        }
    )


def whole_steps(figure: go.Figure, most: float) -> go.Figure:
    """An x axis from 1 to `most` with a little room, and ticks at whole numbers only."""
    most = most if most > 1 else 1  # NaN, where there is none
    step = next(
        step for k in count() for step in (10**k, 2 * 10**k, 5 * 10**k) if most <= 10 * step
    )
    room = max(0.1, 0.02 * most)
    axis = {"dtick": step, "tick0": 0, "tickformat": ",d", "range": [1 - room, most + room]}
    return figure.update_layout(xaxis=axis)


def log_axis(values: pd.Series) -> dict[str, Any]:
    """A logarithmic axis with its ticks at 1, 2 and 5, written out, and 0 at its foot."""
    low, high = float(values[values > 0].min()) / 1.4, float(values.max()) * 1.4
    decades = range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1)
    ticks = [m * 10.0**d for d in decades for m in (1, 2, 5) if low <= m * 10.0**d <= high]
    ticks = ticks or sorted({low * 1.4, high / 1.4})  # all too close for one of these
    words = [large(tick) if tick >= 1e6 else f"{tick:,g}" for tick in ticks]
    if (values <= 0).any():
        ticks, words = [float(above_zero(values).min()), *ticks], ["0", *words]
    return {"type": "log", "tickvals": ticks, "ticktext": words}


def above_zero(values: pd.Series) -> pd.Series:
    """Where values stand on a logarithmic axis: a 0 at its foot, a third of the least other one."""
    return values.mask(values <= 0, values[values > 0].min() / 3)


def from_zero(values: pd.Series) -> dict[str, Any]:
    """An axis of amounts: from 0, so that lengths are in proportion; logarithmic where the largest
    is ten times the smallest and more."""
    there = values[values > 0]
    if len(there) and there.max() >= 10 * there.min():
        return log_axis(values)
    return {"range": [0, 1.06 * float(values.max()) or 1.0]}


def spread(values: Iterable[float], least: float = LEAST) -> dict[str, Any]:
    """An axis of accuracies around what is drawn, at least so wide that a difference which no
    number of images here could show doesn't fill the page; {} leaves it to plotly."""
    there = [float(value) for value in values if value == value]
    if not there or max(there) - min(there) >= least:
        return {}
    middle = (max(there) + min(there)) / 2
    low = min(max(0.0, middle - 0.55 * least), 1 - 1.1 * least)
    return {"range": [low, low + 1.1 * least]}


def percent(figure: go.Figure, axis: str, *others: str) -> go.Figure:
    """Axes of shares; a mark tells its own of the first, %{hovertext}, as tables and sentences do:
    plotly rounds halves up, and Python to the even digit."""
    side = axis[0]
    for trace in figure.data:
        if trace.hoverinfo != "skip" and trace[side] is not None:
            plain = "%{hovertext}, %{y}" if side == "x" else "%{x}, %{hovertext}"
            trace.hovertemplate = trace.hovertemplate or plain
            trace.hovertext = [told(value) for value in trace[side]]
    return figure.update_layout({name: {"tickformat": ".3~p"} for name in (axis, *others)})


def told(share: Any) -> str:
    """A share in percent; nothing where there is none."""
    return "" if pd.isna(share) else f"{100 * share:.1f} %"


def mark(
    symbol: str | list[str], size: int, colour: str, line: float = 0, line_colour: str = ""
) -> dict[str, Any]:
    """A trace's marker; `line` is the width of its outline in px, 0 for plotly's own."""
    outline = {"line": {"width": line} | ({"color": line_colour} if line_colour else {})}
    return {"symbol": symbol, "size": size, "color": colour} | (outline if line else {})


def error_bars(value: pd.Series, low: pd.Series, high: pd.Series, colour: str) -> dict[str, Any]:
    """From `low` to `high` around `value`; an end on the wrong side has no length."""
    lengths = (pd.to_numeric(ends).clip(lower=0) for ends in (high - value, value - low))
    above, below = (length.to_numpy(float) for length in lengths)
    return {
        "type": "data",
        "symmetric": False,
        "color": colour,
        "thickness": 1.5,
        "width": 3,
        "array": above,
        "arrayminus": below,
    }


def band(figure: go.Figure, x: pd.Series, low: pd.Series, high: pd.Series, colour: str) -> None:
    """A pale band from `low` to `high`, without a name in the legend."""
    figure.add_scatter(
        x=np.concatenate([x, x[::-1]]),
        y=np.concatenate([high, low[::-1]]),
        fill="toself",
        fillcolor=pale(colour),
        line={"width": 0},
        hoverinfo="skip",
        showlegend=False,
        mode="lines",
    )


def ordered(names: list[str]) -> dict[str, Any]:
    """An axis with its categories in this order."""
    return {"categoryorder": "array", "categoryarray": names}
