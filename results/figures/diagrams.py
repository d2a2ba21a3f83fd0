"""Networks and their modules drawn from the layer table (architecture). Lengths are in pixels."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from results.facts.architecture import meaning, shape
from results.figures.style import FONT, INK, pale, style
from results.words import large

WIDTH = 360
TALL, THIN = 66, 30  # of a step with weights, and of one without
SIDE, LENGTH = 40, 54  # of the largest map, and of the most channels
LEFT, MIDDLE = 106, 50  # where words begin; the axis on which maps stand


def sheet(height: float) -> go.Figure:
    """An empty drawing of WIDTH by `height`, y downwards, the same scale on both axes."""
    axis = {"visible": False, "fixedrange": True, "constrain": "domain"}
    return go.Figure(
        layout={
            "template": None, "height": height, "margin": {"l": 0, "r": 0, "t": 0, "b": 0},
            "paper_bgcolor": "rgba(0,0,0,0)", "plot_bgcolor": "rgba(0,0,0,0)",
            "font": {"family": FONT, "size": 12, "color": INK}, "dragmode": False,
            "xaxis": axis | {"range": [0, WIDTH], "constraintoward": "left"},
            "yaxis": axis | {"range": [height, 0], "scaleanchor": "x", "constraintoward": "top"},
            "showlegend": False, "hoverlabel": {"font": {"family": FONT, "size": 13}},
        }
    )  # fmt: skip


def network(steps: pd.DataFrame, model: str) -> go.Figure:
    """A network from the face at the top to the classes below (architecture.steps).

    A box is the output of a step with weights: as high as the map's side, as long as it has
    channels, both on a square-root scale; the bar is the step's share of the multiply-adds.
    """
    colour = style(model)[0]
    weighted = (steps["weight_layers"] > 0).to_numpy()
    heights = np.where(weighted, TALL, THIN)
    tops = THIN + np.concatenate([[0], np.cumsum(heights)])
    figure = sheet(float(tops[-1]) + 6)
    shapes = [shape(output) for output in steps["output"]]
    widest = max(max(sizes[1:], default=1) for sizes in shapes)
    most = max(sizes[0] for sizes in shapes)
    drawn, words = [], [note(LEFT, THIN / 2, "a grey face")]
    drawn.append(arrow(THIN - 12, THIN))
    for (_, step), top, height, sizes in zip(
        steps.iterrows(), tops[:-1], heights, shapes, strict=True
    ):
        middle = top + height / 2
        if height == THIN:
            words.append(note(LEFT, middle, f"{step['stage']}: {step['output']}"))
            drawn.append(arrow(top, top + THIN))
            continue
        side = SIDE * np.sqrt(max(sizes[1:], default=1) / widest)
        length = LENGTH * np.sqrt(sizes[0] / most)
        drawn += box(middle, max(side, 3.0), max(length, 3.0), colour)
        words += [
            note(LEFT, middle - 17, f"<b>{step['stage']}</b>  {step['output']}", 13),
            note(LEFT, middle, made_of(step), 11),
            note(LEFT, middle + 16, costs(step), 11),
        ]
        drawn += bar(middle + 27, step["share"], colour)
    figure.add_scatter(
        x=np.full(len(steps), MIDDLE), y=tops[:-1] + heights / 2, mode="markers",
        marker={"size": 24, "opacity": 0}, text=(steps["stage"] + ": " + steps["kinds"]).to_numpy(),
        hovertemplate="%{text}<extra></extra>",
    )  # fmt: skip
    return figure.update_layout(shapes=drawn, annotations=words)


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
    return {"type": "path", "path": text, "fillcolor": pale(colour, opacity),
            "line": {"color": colour, "width": 1}}  # fmt: skip


def bar(y: float, share: float, colour: str) -> Iterator[dict]:
    """A share as a line on a paler one."""
    whole = WIDTH - LEFT - 8
    for part, opacity in ((1.0, 0.16), (share, 1.0)):
        if part > 0:
            yield {"type": "line", "x0": LEFT, "x1": LEFT + whole * part, "y0": y, "y1": y,
                   "line": {"color": pale(colour, opacity), "width": 3}}  # fmt: skip


def arrow(start: float, end: float, x: float = MIDDLE) -> dict:
    head = f"M {x},{start} L {x},{end - 2} M {x - 3},{end - 6} L {x},{end - 2} L {x + 3},{end - 6}"
    return {"type": "path", "path": head, "line": {"color": INK, "width": 1}}


def note(x: float, y: float, text: str, size: float = 12, anchor: str = "left") -> dict:
    return {"x": x, "y": y, "text": text, "showarrow": False, "xanchor": anchor,
            "yanchor": "middle", "font": {"size": size}, "align": anchor}  # fmt: skip


def frame_of(left: float, top: float, width: float, height: float, colour: str) -> dict:
    return {"type": "rect", "x0": left, "x1": left + width, "y0": top, "y1": top + height,
            "fillcolor": pale(colour, 0.1), "line": {"color": colour, "width": 1}}  # fmt: skip


def module(layers: pd.DataFrame, order: str, model: str) -> go.Figure:
    """The first block's module (architecture.inside): its parts, one after the other or abreast."""
    colour = style(model)[0]
    first = layers[layers["block"] == layers["block"].iloc[0]]
    enters = first["enters"].iloc[0]
    parts = list(first.groupby("part", sort=False))
    abreast = order == "parallel"
    cards = [34 + 18 * (len(rows) + 2) for _, rows in parts]
    high = max(cards) if abreast else sum(cards) + 46 * (len(cards) - 1)
    figure = sheet(84 + high + 66)
    width = (WIDTH - 12) / len(parts) - 8 if abreast else WIDTH - 100
    drawn, words = [], []
    words.append(note(WIDTH / 2, 14, f"x: {enters}", 13, "center"))
    top, ends = 26.0, []
    for k, ((part, rows), card) in enumerate(zip(parts, cards, strict=True)):
        left = 8 + k * (width + 12) if abreast else 50
        centre = left + width / 2
        start = 26.0 if abreast else top
        drawn += [arrow(start, start + 24, centre), frame_of(left, start + 24, width, card, colour)]
        words.append(note(centre, start + 38, f"<b>{part}</b>", 13, "center"))
        lines = [f"{row['kind']}: {row['output']}" for _, row in rows.iterrows()]
        lines += [f"{large(rows['parameters'].sum())} parameters",
                  f"{large(rows['multiply_adds'].sum())} multiply-adds"]  # fmt: skip
        words += [
            note(centre, start + 60 + 18 * n, line, 11.5, "center") for n, line in enumerate(lines)
        ]
        top = start + 24 + card
        ends.append((centre, top))
        said = meaning(rows["output"].iloc[-1], enters)
        if not abreast:
            drawn.append(arrow(top, top + 24, centre))
            words.append(note(centre, top + 34, f"{'that' if k else 'x'} ⊗ {said}", 12, "center"))
            top += 44
        else:
            words.append(note(centre, 26 + 24 + high + 34, said, 11.5, "center"))
            drawn.append(arrow(top, 26 + 24 + high + 24, centre))
    if abreast:
        end = "x ⊗ " + " ⊗ ".join(part for part, _ in parts)
        words.append(note(WIDTH / 2, 26 + 24 + high + 60, end, 13, "center"))
    figure.update_layout(height=float(max(note["y"] for note in words)) + 16)
    figure.update_yaxes(range=[figure.layout.height, 0])
    figure.add_scatter(
        x=[centre for centre, _ in ends], y=[bottom for _, bottom in ends], mode="markers",
        marker={"size": 24, "opacity": 0}, hovertemplate="%{text}<extra></extra>",
        text=[f"{part}: {', '.join(rows['layer'])}" for part, rows in parts],
    )  # fmt: skip
    return figure.update_layout(shapes=drawn, annotations=words)
