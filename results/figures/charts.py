"""Frames drawn with plotly. No figure computes: what it shows is in the frame it is given."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from results.facts import evaluation
from results.figures.style import (
    DARK,
    DASHES,
    INK,
    LOOKS,
    above_zero,
    band,
    canvas,
    error_bars,
    from_zero,
    log_axis,
    look,
    mark,
    ordered,
    percent,
    spread,
    style,
    told,
    whole_steps,
)
from results.words import measure_words, whole_or_tenth

DOTTED = {"color": INK, "width": 1, "dash": "2px,4px"}
CAPPED = {"thickness": 2, "width": 5}
SCOPE_WORDS = {
    "test, no duplicates": "test without duplicates",
    "val": "val, on which choices were made",
    "val, no duplicates": "val without duplicates, on which choices were made",
}
OF_TWO_SETS = ("#0072B2", "#E69F00")  # two of Okabe and Ito's colours


def curve(frame: pd.DataFrame, measure: str, title: str) -> go.Figure:
    """Settings by epoch: mean as a line, lowest to highest seed as a band (status.curves)."""
    figure = canvas("epoch", title, 300)
    part = frame[frame["measure"] == measure]
    for setting, rows, (colour, marker, dash), width in by_setting(part):
        if rows["seeds"].max() > 1:
            band(figure, rows["epoch"], rows["low"], rows["high"], colour)
        figure.add_scatter(
            x=rows["epoch"].to_numpy(),
            y=rows["mean"].to_numpy(),
            name=setting,
            mode="lines+markers" if len(rows) <= 12 else "lines",
            line={"color": colour, "dash": dash, "width": width},
            marker=mark(marker, 7, colour),
        )
    whole_steps(figure, part["epoch"].max())
    if measure.endswith("loss"):
        return figure
    return percent(figure.update_layout(yaxis=spread([*part["low"], *part["high"]])), "yaxis")


def by_setting(
    frame: pd.DataFrame,
) -> Iterator[tuple[str, pd.DataFrame, tuple[str, str, str], float]]:
    """Each setting's rows, with its colour, marker and dash, and the width of its line.

    A second setting of a network is drawn thin and hollow. Where there are more, each setting has
    a dash of its own in its network's colour, or if there is one network a colour of its own."""
    seen: dict[str, int] = {}
    each = frame.groupby("model")["setting"].nunique()
    crowded, alone = each.max() > 2, len(each) == 1
    for (setting, model), rows in frame.groupby(["setting", "model"], sort=False):
        again = seen.get(model, 0)
        seen[model] = again + 1
        colour, marker, dash = style(model)
        if crowded and alone:
            again, (colour, marker, dash) = 0, look(again, LOOKS)
        elif crowded:
            again, place = divmod(again, len(DASHES))
            dash = DASHES[place]
        hollow, width = ("-open", 1.2) if again else ("", 2.2)
        yield setting, rows, (colour, marker + hollow, dash), width


def learning(frame: pd.DataFrame) -> go.Figure:
    """One setting's accuracy by epoch (status.curves), and what else its study was judged by: val
    as a line, train dotted and thin, with bands from the lowest seed to the highest."""
    part = frame[~frame["measure"].str.endswith("loss")]
    looks = {"val_accuracy": ("solid", 2.4), "train_accuracy": ("dot", 1.4)}
    alone = set(part["measure"]) <= {*looks}
    figure = canvas("epoch", "accuracy" if alone else "", 300)
    for measure in dict.fromkeys([*looks, *part["measure"]]):
        dash, width = looks.get(measure, ("dash", 2.4))
        rows = part[part["measure"] == measure].sort_values("epoch")
        if rows.empty:
            continue
        colour, marker, _ = style(str(rows["model"].iloc[0]))
        if rows["seeds"].max() > 1:
            band(figure, rows["epoch"], rows["low"], rows["high"], colour)
        figure.add_scatter(
            x=rows["epoch"].to_numpy(),
            y=rows["mean"].to_numpy(float),
            name=measure.removesuffix("_accuracy") if alone else measure_words(measure),
            mode="lines+markers" if len(rows) <= 12 else "lines",
            line={"color": colour, "dash": dash, "width": width},
            marker=mark(marker, 6, colour),
        )
    whole_steps(figure, part["epoch"].max())
    return percent(figure.update_layout(yaxis=spread([*part["low"], *part["high"]])), "yaxis")


def interval_dots(frame: pd.DataFrame, paper: pd.DataFrame | None = None) -> go.Figure:
    """A line per setting (evaluation.alike): mean with its 95 % interval, and the paper's figure as
    an open star; hollow: trained for fewer epochs or on fewer images than the others."""
    lines = frame["trained"].where(frame["trained"] == "", "<br>" + frame["trained"])
    labels = dict(zip(frame["setting"], frame["setting"] + lines, strict=True))
    figure = canvas("accuracy", "", 90 + (46 if lines.any() else 34) * max(len(frame), 2))
    for model, rows in frame.groupby("model", sort=False):
        colour, marker, _ = style(model)
        figure.add_scatter(
            x=rows["mean"].to_numpy(),
            y=rows["setting"].map(labels).to_numpy(),
            mode="markers",
            showlegend=False,
            marker=mark(hollow(marker, rows["whole"]), 10, colour, 2, colour),
            error_x=error_bars(rows["mean"], rows["low"], rows["high"], colour) | CAPPED,
        )
        in_legend(figure, str(model), marker, colour)
    if not frame["whole"].all():
        in_legend(figure, "hollow: fewer epochs or images", "circle-open", INK)
    theirs: list[float] = []
    if paper is not None and len(paper):
        theirs = list(paper["matrix"])
        figure.add_scatter(
            x=paper["matrix"].to_numpy(),
            y=paper["setting"].map(labels).to_numpy(),
            mode="markers",
            name="the paper's printed matrix",
            marker=mark("star-open", 13, INK, 2),
        )
    axis = spread([*frame["low"], *frame["high"], *frame["mean"], *theirs])
    figure.update_layout(yaxis=ordered(list(labels.values())[::-1]), xaxis=axis)
    return percent(figure, "xaxis")


def answer(frame: pd.DataFrame) -> go.Figure:
    """A line per setting (answer.accuracies), best first: test large, val as a small mark
    beneath, with 95 % intervals; hollow: fewer epochs or images than the others."""
    each = frame.drop_duplicates("setting")
    labels = [f"{row['setting']}<br>{row['trained']}" for _, row in each.iterrows()]
    lines = {name: len(each) - 1 - k for k, name in enumerate(each["setting"])}
    figure = canvas("accuracy", "", 96 + 52 * max(len(each), 2))
    both = frame["scope"].nunique() > 1
    for (model, scope), rows in frame.groupby(["model", "scope"], sort=False):
        colour, marker, _ = style(model)
        large = not (both and scope.startswith("val"))
        shift = 0.0 if not both else 0.12 if large else -0.16
        figure.add_scatter(
            x=rows["mean"].to_numpy(float),
            y=[lines[name] + shift for name in rows["setting"]],
            mode="markers",
            showlegend=False,
            customdata=rows[["setting", "scope", "images"]].to_numpy(),
            hovertemplate="%{customdata[0]}: %{hovertext} on %{customdata[1]}, "
            "%{customdata[2]:,} images<extra></extra>",
            marker=mark(hollow(marker, rows["whole"]), 12 if large else 7, colour, 1.5, colour),
            error_x=error_bars(rows["mean"], rows["low"], rows["high"], colour)
            | {"thickness": 2.5 if large else 1.2, "width": 5 if large else 0},
            opacity=1 if large else 0.75,
        )
    for scope in sorted(frame["scope"].unique()):  # test before val
        size = 7 if both and scope.startswith("val") else 12
        in_legend(figure, SCOPE_WORDS.get(scope, scope), "circle", INK, size)
    if not frame["whole"].all():
        in_legend(figure, "hollow: fewer epochs or images", "circle-open", INK)
    axis = {"tickvals": list(lines.values()), "ticktext": labels, "range": [-0.6, len(each) - 0.4]}
    ends = spread([*frame["mean"], *frame["low"], *frame["high"]])
    figure.update_layout(yaxis=axis, xaxis=ends)
    return percent(figure, "xaxis")


def in_legend(figure: go.Figure, name: str, symbol: str, colour: str, size: int = 9) -> None:
    """An entry of the legend that doesn't hang on a trace's first mark."""
    marker = mark(symbol, size, colour, 2, colour)
    figure.add_scatter(x=[None], y=[None], mode="markers", name=name, marker=marker)


def trial_lines(
    frame: pd.DataFrame, rungs: pd.DataFrame, judged: str = "val accuracy"
) -> go.Figure:
    """Every search trial (halving.trial_curves), a trace per network; crosses: stopped early."""
    figure = canvas("epoch", judged, 340)
    for model, rows in frame.groupby("model", sort=False):
        colour, marker, dash = style(model)
        figure.add_scatter(
            x=rows["epoch"].to_numpy(float),
            y=rows["judged"].to_numpy(float),
            name=model,
            mode="lines+markers",
            line={"color": colour, "dash": dash, "width": 1.3},
            marker=mark(marker, 5, colour),
            customdata=rows["trial_id"].to_numpy(),
            opacity=0.85,
            connectgaps=False,
            hovertemplate="%{customdata}<br>epoch %{x}: %{hovertext}<extra></extra>",
        )
    ends = frame[frame["stopped"]]
    if len(ends):
        figure.add_scatter(
            x=ends["epoch"].to_numpy(float),
            y=ends["judged"].to_numpy(float),
            mode="markers",
            name="stopped",
            hoverinfo="skip",
            marker={"symbol": "x-thin", "size": 9, "line": {"width": 2, "color": INK}},
        )
    for rung in sorted(set(rungs["rung"])):
        figure.add_vline(x=rung, line=DOTTED)
    whole_steps(figure, frame["epoch"].max())
    return percent(figure.update_layout(yaxis=spread(frame["judged"])), "yaxis")


def history(frame: pd.DataFrame, judged: str = "val accuracy") -> go.Figure:
    """Each trial's last value on val as they ended, a cross where it was stopped, and each
    network's best so far (search.progress)."""
    figure = canvas("trials ended", f"final {judged}", 320)
    for model, rows in frame.groupby("model", sort=False):
        colour, marker, _ = style(model)
        stopped = rows["status"] == "stopped"
        figure.add_scatter(
            x=rows["order"].to_numpy(float),
            y=rows["best"].to_numpy(float),
            name=f"{model}, best so far",
            mode="lines",
            line={"color": colour, "width": 2, "shape": "hv"},
        )
        figure.add_scatter(
            x=rows["order"].to_numpy(float),
            y=rows["judged"].to_numpy(float),
            mode="markers",
            showlegend=False,
            customdata=rows["trial_id"].to_numpy(),
            marker=mark(["x-thin-open" if one else marker for one in stopped], 7, colour, 1.5),
            hovertemplate="%{customdata}: %{hovertext}<extra></extra>",
        )
    if (frame["status"] == "stopped").any():
        in_legend(figure, "stopped early", "x-thin-open", INK)
    whole_steps(figure, frame["order"].max())
    return percent(figure.update_layout(yaxis=spread(frame["judged"])), "yaxis")


def expected_best(
    frame: pd.DataFrame, against: str, title: str, judged: str = "val accuracy"
) -> go.Figure:
    """Expected best value on val with its 10 to 90 % band against a budget (search.expected)."""
    figure = canvas(title, f"expected best {judged}", 320)
    for model, rows in frame.groupby("model", sort=False):
        colour, marker, dash = style(model)
        if len(rows) > 1:
            band(figure, rows[against].astype(float), rows["low"], rows["high"], colour)
        figure.add_scatter(
            x=rows[against].to_numpy(float),
            y=rows["expected"].to_numpy(float),
            name=model,
            mode="lines+markers",
            line={"color": colour, "dash": dash, "width": 2},
            marker=mark(marker, 6, colour),
        )
    if against in ("trials", "epochs"):
        whole_steps(figure, frame[against].max())
    figure.update_layout(yaxis=spread([*frame["low"], *frame["high"]]))
    return percent(figure, "yaxis")


def slice_of(trials: pd.DataFrame, name: str, log: bool, judged: str = "val accuracy") -> go.Figure:
    """Each trial's last value on val against one hyperparameter; hollow: stopped early, failed."""
    figure = canvas(name, judged, 280)
    there = trials.dropna(subset=[f"hp_{name}"])
    values = there[f"hp_{name}"]
    log = log and bool((values > 0).any())
    steps = values.nunique() <= 6 and not log
    places = above_zero(values) if log else values.map(step_words) if steps else values
    for model, rows in there.groupby("model", sort=False):
        colour, marker, _ = style(model)
        figure.add_scatter(
            x=places[rows.index].to_numpy(),
            y=rows["judged"].to_numpy(float),
            name=model,
            mode="markers",
            customdata=rows["trial_id"].to_numpy(),
            text=[step_words(value) for value in rows[f"hp_{name}"]],
            marker=mark(hollow(marker, rows["status"] == "completed"), 9, colour, 1.5, colour),
            hovertemplate="%{customdata}: %{text}, %{hovertext}<extra></extra>",
        )
    if log:
        figure.update_layout(xaxis=log_axis(values))
    elif steps:
        order = [step_words(value) for value in sorted(values.unique())]
        figure.update_layout(xaxis={"type": "category"} | ordered(order))
    return percent(figure.update_layout(yaxis=spread(there["judged"])), "yaxis")


def step_words(value: Any) -> str:
    """A step of an axis: where some trials have no value, whole numbers are held as 16.0."""
    return f"{value:g}" if isinstance(value, float) else str(value)


def hollow(marker: str, filled: pd.Series) -> list[str]:
    """A marker's symbol per row, open where it isn't filled."""
    return [marker if full else f"{marker}-open" for full in filled]


def importance(frame: pd.DataFrame, model: str) -> go.Figure:
    """fANOVA (filled) and PED-ANOVA (hollow) of each hyperparameter with their intervals."""
    colour, marker, _ = style(model)
    rows = frame.sort_values("fanova")
    figure = canvas("share", "", 110 + 38 * len(rows))
    for name, short, words, symbol, shift in (
        ("fanova", "fanova", "fANOVA: of the variance", marker, 0.12),
        ("ped_anova", "ped", "PED-ANOVA: of what sets the best apart", f"{marker}-open", -0.12),
    ):
        figure.add_scatter(
            x=rows[name].to_numpy(float),
            y=np.arange(len(rows)) + shift,
            mode="markers",
            name=words,
            marker=mark(symbol, 9, colour, 1.5),
            error_x=error_bars(rows[name], rows[f"{short}_low"], rows[f"{short}_high"], colour),
        )
    axis = beside_lines(list(rows["hyperparameter"]))
    figure.update_layout(yaxis=axis, xaxis={"rangemode": "tozero"})
    return percent(figure, "xaxis")


def beside_lines(names: list[str]) -> dict[str, Any]:
    """An axis with a name at each whole number: marks may stand a little above and below it."""
    return {"tickvals": list(range(len(names))), "ticktext": names}


def differences(frame: pd.DataFrame, model: str) -> go.Figure:
    """Arms against their base (ingredients.effects): test filled, val hollow, Holm's intervals."""
    colour, marker, _ = style(model)
    order = list(dict.fromkeys(frame["arm"]))[::-1]
    figure = canvas("difference in accuracy, points", "", 150 + 38 * len(order))
    for scope, rows in frame.groupby("scope"):  # test before val
        test = not scope.startswith("val")
        symbol, shift = (marker, 0.12) if test else (f"{marker}-open", -0.12)
        points, low, high = (100 * rows[name] for name in ("difference", "low", "high"))
        figure.add_scatter(
            x=points.to_numpy(float),
            y=[order.index(arm) + shift for arm in rows["arm"]],
            mode="markers",
            name=SCOPE_WORDS[scope].partition(",")[0],
            marker=mark(symbol, 9, colour),
            error_x=error_bars(points, low, high, colour),
        )
    figure.add_vline(x=0, line=DOTTED)
    return figure.update_layout(yaxis=beside_lines(order))


def class_shares(frame: pd.DataFrame) -> go.Figure:
    """Shares of the classes in each of two data sets, with the images (results.datasets)."""
    names = list(frame["class"].unique())
    figure = canvas("share of the images", "", 90 + 52 * len(names))
    for (name, rows), colour in zip(frame.groupby("set", sort=False), OF_TWO_SETS, strict=True):
        figure.add_bar(
            x=rows["share"].to_numpy(float),
            y=rows["class"].to_numpy(),
            orientation="h",
            name=f"{name}, {rows['images'].sum():,} images",
            marker={"color": colour},
            text=[f"{many:,}" for many in rows["images"]],
            textposition="outside",
            cliponaxis=False,
        )
    axis = {"type": "category", "autorange": "reversed"} | ordered(names)
    figure.update_layout(barmode="group", bargap=0.3, showlegend=True, yaxis=axis)
    figure.update_layout(xaxis={"range": [0, 1.15 * float(frame["share"].max())]})
    return percent(figure, "xaxis")


def lr_batch_map(trials: pd.DataFrame, model: str, judged: str = "val accuracy") -> go.Figure:
    """Learning rate by batch size, value on val as colour: one network; hollow: stopped early."""
    rows = trials[trials["model"] == model]
    values = rows["judged"].astype(float)
    low, high = spread(values).get("range", [values.min(), values.max()])
    figure = canvas("lr", "batch_size", 260, showlegend=False)
    figure.add_scatter(
        x=rows["hp_lr"].to_numpy(float),
        y=rows["hp_batch_size"].astype(str).to_numpy(),
        mode="markers",
        customdata=np.stack([rows["trial_id"], rows["judged"].map(told)], 1),
        hovertemplate="%{customdata[0]}: lr %{x:.3g}, batch %{y}, %{customdata[1]}<extra></extra>",
        marker={
            "size": 13,
            "symbol": hollow(style(model)[1], rows["status"] == "completed"),
            "color": rows["judged"].to_numpy(),
            "colorscale": "Cividis",
            "cmin": low,
            "cmax": high,
            "line": {"width": 1.5},
            "colorbar": {
                "tickformat": ".0%",
                "thickness": 10,
                "outlinewidth": 0,
                "title": {"text": judged, "side": "right"},
            },
        },
    )
    sizes = [str(size) for size in sorted(rows["hp_batch_size"].unique())]
    axis = {"type": "category"} | ordered(sizes)
    return figure.update_layout(xaxis=log_axis(rows["hp_lr"]), yaxis=axis)


def cost(frame: pd.DataFrame, against: str, title: str) -> go.Figure:
    """Test accuracy with its interval against a cost (evaluation.cost); filled: undominated."""
    figure = canvas(title, "test accuracy", 320)
    amounts = from_zero(frame[against])
    places = above_zero(frame[against]) if amounts.get("type") == "log" else frame[against]
    for model, rows in frame.groupby("model", sort=False):
        colour, marker, _ = style(model)
        figure.add_scatter(
            x=places[rows.index].to_numpy(float),
            y=rows["mean"].to_numpy(float),
            mode="markers",
            showlegend=False,
            customdata=rows[["setting", against]].to_numpy(),
            hovertemplate="%{customdata[0]}: %{customdata[1]:.3s}, %{hovertext}<extra></extra>",
            marker=mark(hollow(marker, rows["undominated"]), 10, colour, 1.5, colour),
            error_y=error_bars(rows["mean"], rows["low"], rows["high"], colour),
        )
        in_legend(figure, str(model), marker, colour)
    axis = spread([*frame["mean"], *frame["low"], *frame["high"]])
    figure.update_layout(xaxis=amounts, yaxis=axis)
    return percent(figure, "yaxis")


def sureness(frame: pd.DataFrame, yardstick: str) -> go.Figure:
    """Accuracy with its interval by the share of voters who agree (votes.accuracies)."""
    figure = canvas("voters who agree", "accuracy", 320)
    for setting, rows, (colour, marker, dash), width in by_setting(frame):
        low, high = rows[f"{yardstick}_low"], rows[f"{yardstick}_high"]
        figure.add_scatter(
            x=rows["voters"].to_numpy(),
            y=rows[yardstick].to_numpy(float),
            name=setting,
            mode="lines+markers",
            line={"color": colour, "dash": dash, "width": width},
            marker=mark(marker, 8, colour),
            error_y=error_bars(rows[yardstick], low, high, colour),
        )
    ends = [value for end in ("", "_low", "_high") for value in frame[f"{yardstick}{end}"]]
    figure.update_layout(xaxis={"type": "category", "range": [-0.4, 3.4]}, yaxis=spread(ends))
    return percent(figure, "yaxis")


def reliability(frame: pd.DataFrame, most: float) -> go.Figure:
    """Accuracy against confidence by bin with its 95 % interval (evaluation.calibration); on the
    diagonal: calibrated. A mark's area is in proportion to its images, `most` of any figure's."""
    figure = canvas("confidence", "accuracy", 300, showlegend=False)
    figure.add_scatter(
        x=[0, 1], y=[0, 1], mode="lines", hoverinfo="skip", showlegend=False, line=DOTTED
    )
    for (setting, model), rows in frame.groupby(["setting", "model"], sort=False):
        colour, marker, dash = style(model)
        share = np.sqrt(rows["images"] / most).to_numpy(float)
        figure.add_scatter(
            x=rows["confidence"].to_numpy(),
            y=rows["accuracy"].to_numpy(),
            name=setting,
            mode="lines+markers",
            line={"color": colour, "dash": dash, "width": 1.5},
            marker=mark(marker, 7, colour) | {"size": 3 + 15 * share, "opacity": 0.85},
            error_y=error_bars(rows["accuracy"], rows["low"], rows["high"], colour)
            | {"thickness": 1, "width": 0},
            customdata=rows["images"].to_numpy(),
            hovertemplate="%{hovertext} right at %{x:.1%}, %{customdata:.0f} images",
        )
    square = {"range": [0, 1.04], "dtick": 0.25}
    apart = {"ticklabelstandoff": 6}  # the two zeros of the corner
    figure.update_layout(xaxis=square | apart, yaxis=square | apart)
    return percent(figure, "yaxis", "xaxis")


def confusion(counts: np.ndarray, classes: list[str], per_class: pd.DataFrame) -> go.Figure:
    """A confusion matrix, truth down, answer across: counts, row shares, recall and precision."""
    size = len(classes)
    share = evaluation.shares(counts, per_class)
    figure = canvas("answer", "truth", 92 + 58 * size, width=190 + 66 * size, showlegend=False)
    cells = [*count_cells(counts, share), *edge_cells(per_class)]
    ticks = {
        "tickvals": list(range(size + 1)),
        "showgrid": False,
        "range": [-0.5, size + 0.5],
        "ticklabelstandoff": 6,
    }
    return figure.update_layout(
        paper_bgcolor="#ffffff",
        shapes=squares(share),
        annotations=[cell | {"showarrow": False, "align": "center"} for cell in cells],
        xaxis=ticks | {"ticktext": [*classes, "recall"], "side": "top"},
        yaxis=ticks | {"ticktext": [*classes, "precision"], "range": [size + 0.5, -0.5]},
    )


def squares(share: np.ndarray) -> list[dict[str, Any]]:
    """A square behind each cell of a (K, K) matrix of shares in 0..1, the darker the more."""
    return [
        {
            "type": "rect",
            "layer": "below",
            "line": {"width": 0},
            "fillcolor": f"rgba(0,114,178,{0.75 * part:.3f})",  # DARK stands out from it
            **{"x0": column - 0.49, "x1": column + 0.49, "y0": row - 0.49, "y1": row + 0.49},
        }
        for row, parts in enumerate(share)
        for column, part in enumerate(parts)
    ]


def count_cells(counts: np.ndarray, share: np.ndarray) -> list[dict[str, Any]]:
    """Images and their share of the class in each cell of a (K, K) matrix."""
    return [
        {
            "x": column,
            "y": row,
            "text": f"{whole_or_tenth(counts[row, column])}<br>{100 * part:.0f}%",
            "font": {"size": 12, "color": DARK},
        }
        for row, parts in enumerate(share)
        for column, part in enumerate(parts)
    ]


def edge_cells(per_class: pd.DataFrame) -> list[dict[str, Any]]:
    """Recall right of the matrix and precision below, with the half-width of their intervals."""
    size, cells = len(per_class), []
    for k, (_, line) in enumerate(per_class.iterrows()):
        for measure, place in (("recall", {"x": size, "y": k}), ("precision", {"x": k, "y": size})):
            if pd.notna(line[measure]):
                half = 50 * (line[f"{measure}_high"] - line[f"{measure}_low"])
                text = f"{100 * line[measure]:.0f}%<br>±{half:.0f}"
                cells.append(place | {"text": text, "font": {"size": 11}})
    return cells
