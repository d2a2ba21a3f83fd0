"""Networks and their modules drawn from the layer table (architecture). Lengths are in pixels."""

from collections.abc import Iterable, Iterator

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import ArrayLike

from results.facts.architecture import meaning, shape
from results.figures.style import FONT, INK, pale, style
from results.words import large

WIDTH = 360
TALL, THIN = 66, 30  # of a step with weights, and of one without
SIDE, LENGTH = 40, 54  # of the largest map, and of the most channels
LEFT, MIDDLE = 106, 50  # where words begin; the axis on which maps stand
Parts = list[tuple[str, pd.DataFrame]]  # of a module: name and layers
Drawn = tuple[list[dict], list[dict], list[tuple[float, float]]]  # shapes, words, ends of parts


def sheet(height: float) -> go.Figure:
    """An empty drawing of WIDTH by `height`, y downwards, the same scale on both axes."""
    axis = {"visible": False, "fixedrange": True, "constrain": "domain"}
    return go.Figure(
        layout={
            "template": None,
            "height": height,
            "margin": {"l": 0, "r": 0, "t": 0, "b": 0},
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "font": {"family": FONT, "size": 12, "color": INK},
            "dragmode": False,
            "xaxis": axis | {"range": [0, WIDTH], "constraintoward": "left"},
            "yaxis": axis | {"range": [height, 0], "scaleanchor": "x", "constraintoward": "top"},
            "showlegend": False,
            "hoverlabel": {"font": {"family": FONT, "size": 13}},
        }
    )


def network(steps: pd.DataFrame, model: str) -> go.Figure:
    """A network from the face at the top to the classes below (architecture.steps).

    A box is the output of a step with weights: as high as the map's side, as long as it has
    channels, both on a square-root scale; the bar is the step's share of the multiply-adds.
    """
    colour = style(model)[0]
    heights = np.where(steps["weight_layers"] > 0, TALL, THIN)
    tops = THIN + np.concatenate([[0], np.cumsum(heights)])
    shapes = [shape(output) for output in steps["output"]]
    largest = max(side_of(sizes) for sizes in shapes), max(sizes[0] for sizes in shapes)
    drawn, words = [arrow(THIN - 12, THIN)], [note(LEFT, THIN / 2, "a grey face")]
    for (_, step), top, height, sizes in zip(
        steps.iterrows(), tops[:-1], heights, shapes, strict=True
    ):
        if height == THIN:
            words.append(note(LEFT, top + THIN / 2, f"{step['stage']}: {step['output']}"))
            drawn.append(arrow(top, top + THIN))
        else:
            words += step_words(step, top + TALL / 2)
            drawn += step_shapes(step, top + TALL / 2, sizes, largest, colour)
    figure = sheet(float(tops[-1]) + 6)
    hover(figure, steps["stage"] + ": " + steps["kinds"], MIDDLE, tops[:-1] + heights / 2)
    return figure.update_layout(shapes=drawn, annotations=words)


def side_of(sizes: list[int]) -> int:
    """The longer side of a (C, H, W) map; 1 of a vector."""
    return max(sizes[1:], default=1)


def step_words(step: pd.Series, middle: float) -> list[dict]:
    return [
        note(LEFT, middle - 17, f"<b>{step['stage']}</b>  {step['output']}", 13),
        note(LEFT, middle, made_of(step), 11),
        note(LEFT, middle + 16, costs(step), 11),
    ]


def step_shapes(
    step: pd.Series, middle: float, sizes: list[int], largest: tuple[int, int], colour: str
) -> list[dict]:
    """The box of a step, `largest` being the longest side and the most channels, and its bar."""
    side = SIDE * np.sqrt(side_of(sizes) / largest[0])
    length = LENGTH * np.sqrt(sizes[0] / largest[1])
    return [
        *box(middle, max(side, 3.0), max(length, 3.0), colour),
        *bar(middle + 27, step["share"], colour),
    ]


def hover(figure: go.Figure, texts: Iterable[str], x: ArrayLike, y: ArrayLike) -> None:
    """Texts that appear where the pointer comes near these places."""
    texts = list(texts)
    figure.add_scatter(
        x=np.broadcast_to(x, len(texts)),
        y=np.asarray(y),
        mode="markers",
        marker={"size": 24, "opacity": 0},
        text=texts,
        hovertemplate="%{text}<extra></extra>",
    )


def made_of(step: pd.Series) -> str:
    """Conv2d, ReLU; or, of blocks: 6 layers (those with weights) in 3 blocks."""
    if not step["blocks"]:
        return step["kinds"]
    gates = f", each with a {step['modules']}" if step["modules"] else ""
    return f"{step['weight_layers']} layers in {step['blocks']} blocks{gates}"


def costs(step: pd.Series) -> str:
    return f"{large(step['parameters'])} parameters, {large(step['multiply_adds'])} multiply-adds"


def box(middle: float, side: float, length: float, colour: str) -> list[dict]:
    """Maps of this side, one behind the other: a slanted front and what lies behind it."""
    slant = 0.35 * side
    left, top, bottom = MIDDLE - (length + slant) / 2, middle - side / 2, middle + side / 2
    rise = 0.4 * slant
    front = [(left, bottom), (left, top + rise), (left + slant, top), (left + slant, bottom - rise)]
    upper = [front[1], front[2], (front[2][0] + length, top), (front[1][0] + length, top + rise)]
    right = [(x + length, y) for x, y in front]
    back = [front[0], front[1], right[1], right[0]]
    return [
        path(back, colour, 0.32),
        path(upper, colour, 0.14),
        path(right, colour, 0.5),
    ]


def path(points: list[tuple[float, float]], colour: str, opacity: float) -> dict:
    text = "M " + " L ".join(f"{x:.1f},{y:.1f}" for x, y in points) + " Z"
    return {
        "type": "path",
        "path": text,
        "fillcolor": pale(colour, opacity),
        "line": {"color": colour, "width": 1},
    }


def bar(y: float, share: float, colour: str) -> Iterator[dict]:
    """A share as a line on a paler one."""
    whole = WIDTH - LEFT - 8
    for part, opacity in ((1.0, 0.16), (share, 1.0)):
        if part > 0:
            yield {
                "type": "line",
                "x0": LEFT,
                "x1": LEFT + whole * part,
                "y0": y,
                "y1": y,
                "line": {"color": pale(colour, opacity), "width": 3},
            }


def arrow(start: float, end: float, x: float = MIDDLE) -> dict:
    head = f"M {x},{start} L {x},{end - 2} M {x - 3},{end - 6} L {x},{end - 2} L {x + 3},{end - 6}"
    return {"type": "path", "path": head, "line": {"color": INK, "width": 1}}


def note(x: float, y: float, text: str, size: float = 12, anchor: str = "left") -> dict:
    return {
        "x": x,
        "y": y,
        "text": text,
        "showarrow": False,
        "xanchor": anchor,
        "yanchor": "middle",
        "font": {"size": size},
        "align": anchor,
    }


def frame_of(left: float, top: float, width: float, height: float, colour: str) -> dict:
    return {
        "type": "rect",
        "x0": left,
        "x1": left + width,
        "y0": top,
        "y1": top + height,
        "fillcolor": pale(colour, 0.1),
        "line": {"color": colour, "width": 1},
    }


def module(layers: pd.DataFrame, order: str, model: str) -> go.Figure:
    """The first block's module (architecture.inside): its parts, one after the other or abreast."""
    first = layers[layers["block"] == layers["block"].iloc[0]]
    parts = [(str(part), rows) for part, rows in first.groupby("part", sort=False)]
    draw = abreast if order == "parallel" else in_series
    drawn, words, ends = draw(parts, first["enters"].iloc[0], style(model)[0])
    figure = sheet(float(max(word["y"] for word in words)) + 16)
    texts = [f"{part}: {', '.join(rows['layer'])}" for part, rows in parts]
    hover(figure, texts, [x for x, _ in ends], [y for _, y in ends])
    return figure.update_layout(shapes=drawn, annotations=words)


def in_series(parts: Parts, enters: str, colour: str) -> Drawn:
    """Each part below the one before, its output multiplied in before the next begins."""
    left, width, top = 50.0, WIDTH - 100.0, 26.0
    drawn, words, ends = [], [note(WIDTH / 2, 14, f"x: {enters}", 13, "center")], []
    for k, (part, rows) in enumerate(parts):
        shapes, notes, bottom = card(part, rows, left, top, width, colour)
        ends.append((left + width / 2, bottom))
        drawn += [*shapes, arrow(bottom, bottom + 24, left + width / 2)]
        weighed = f"{'that' if k else 'x'} ⊗ {meaning(rows['output'].iloc[-1], enters)}"
        words += [*notes, note(left + width / 2, bottom + 34, weighed, 12, "center")]
        top = bottom + 44
    return drawn, words, ends


def abreast(parts: Parts, enters: str, colour: str) -> Drawn:
    """All parts on the same input, their outputs multiplied in together."""
    top, width = 26.0, (WIDTH - 12) / len(parts) - 8
    drawn, words, ends = [], [note(WIDTH / 2, 14, f"x: {enters}", 13, "center")], []
    bottom = top + 24 + max(card_height(rows) for _, rows in parts)
    for k, (part, rows) in enumerate(parts):
        left = 8 + k * (width + 12)
        shapes, notes, end = card(part, rows, left, top, width, colour)
        ends.append((left + width / 2, end))
        drawn += [*shapes, arrow(end, bottom + 24, left + width / 2)]
        gives = meaning(rows["output"].iloc[-1], enters)
        words += [*notes, note(left + width / 2, bottom + 34, gives, 11.5, "center")]
    product = "x ⊗ " + " ⊗ ".join(part for part, _ in parts)
    words.append(note(WIDTH / 2, bottom + 60, product, 13, "center"))
    return drawn, words, ends


def card_height(rows: pd.DataFrame) -> int:
    return 34 + 18 * (len(rows) + 2)


def card(
    part: str, rows: pd.DataFrame, left: float, top: float, width: float, colour: str
) -> tuple[list[dict], list[dict], float]:
    """A part's layers in a frame, with an arrow into it: shapes, words, and where it ends."""
    centre, height = left + width / 2, card_height(rows)
    lines = [
        *(f"{row['kind']}: {row['output']}" for _, row in rows.iterrows()),
        f"{large(rows['parameters'].sum())} parameters",
        f"{large(rows['multiply_adds'].sum())} multiply-adds",
    ]
    shapes = [arrow(top, top + 24, centre), frame_of(left, top + 24, width, height, colour)]
    words = [note(centre, top + 38, f"<b>{part}</b>", 13, "center")]
    words += [note(centre, top + 60 + 18 * n, line, 11.5, "center") for n, line in enumerate(lines)]
    return shapes, words, top + 24 + height
