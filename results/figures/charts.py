"""Frames drawn with plotly. No figure computes: what it shows is in the frame it is given."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from results.figures.style import DARK, INK, canvas, log_axis, pale, percent, style, whole_steps
from results.words import whole_or_tenth


def curve(frame: pd.DataFrame, measure: str, title: str) -> go.Figure:
    """Settings by epoch: mean as a line, lowest to highest seed as a band (facts.curves)."""
    figure = canvas("epoch", title, 300)
    part = frame[frame["measure"] == measure]
    seen: dict[str, int] = {}
    for (setting, model), rows in part.groupby(["setting", "model"], sort=False):
        colour, marker, dash = style(model)
        again = seen.get(model, 0)  # a second setting of a network is drawn thin and hollow
        seen[model] = again + 1
        if rows["seeds"].max() > 1:
            figure.add_scatter(
                x=np.concatenate([rows["epoch"], rows["epoch"][::-1]]),
                y=np.concatenate([rows["high"], rows["low"][::-1]]),
                fill="toself", fillcolor=pale(colour), line={"width": 0}, hoverinfo="skip",
                showlegend=False, mode="lines",
            )  # fmt: skip
        few = len(rows) <= 12
        figure.add_scatter(
            x=rows["epoch"].to_numpy(), y=rows["mean"].to_numpy(), name=setting,
            mode="lines+markers" if few else "lines",
            line={"color": colour, "dash": dash, "width": 1.2 if again else 2.2},
            marker={"symbol": marker + ("-open" if again else ""), "size": 7, "color": colour},
        )  # fmt: skip
    whole_steps(figure, part["epoch"].max())
    return percent(figure, "yaxis") if measure.endswith("accuracy") else figure


def interval_dots(frame: pd.DataFrame, paper: pd.DataFrame | None = None) -> go.Figure:
    """A line per setting: mean with its 95 % interval, and the paper's figure as an open star."""
    figure = canvas("accuracy", "", 90 + 34 * max(frame["setting"].nunique(), 2))
    for model, rows in frame.groupby("model", sort=False):
        colour, marker, _ = style(model)
        figure.add_scatter(
            x=rows["mean"].to_numpy(), y=rows["setting"].to_numpy(), mode="markers", name=model,
            marker={"symbol": marker, "color": colour, "size": 10},
            error_x={"type": "data", "symmetric": False, "color": colour, "thickness": 2,
                     "width": 5, "array": (rows["high"] - rows["mean"]).clip(lower=0).to_numpy(),
                     "arrayminus": (rows["mean"] - rows["low"]).clip(lower=0).to_numpy()},
        )  # fmt: skip
    if paper is not None and len(paper):
        figure.add_scatter(
            x=paper["matrix"].to_numpy(), y=paper["setting"].to_numpy(), mode="markers",
            name="the paper's printed matrix",
            marker={"symbol": "star-open", "size": 13, "color": INK, "line": {"width": 2}},
        )  # fmt: skip
    order = list(dict.fromkeys(frame["setting"]))
    figure.update_layout(yaxis={"categoryorder": "array", "categoryarray": order[::-1]})
    return percent(figure, "xaxis")


def trial_lines(frame: pd.DataFrame, rungs: pd.DataFrame) -> go.Figure:
    """Every search trial (search.trial_curves), a trace per network with gaps; crosses: stopped."""
    figure = canvas("epoch", "val accuracy", 340)
    for model, rows in frame.groupby("model", sort=False):
        colour, marker, dash = style(model)
        figure.add_scatter(
            x=rows["epoch"].to_numpy(float), y=rows["val_accuracy"].to_numpy(float), name=model,
            mode="lines+markers", line={"color": colour, "dash": dash, "width": 1.3},
            marker={"symbol": marker, "size": 5, "color": colour},
            customdata=rows["trial_id"].to_numpy(), opacity=0.85, connectgaps=False,
            hovertemplate="%{customdata}<br>epoch %{x}: %{y:.1%}<extra></extra>",
        )  # fmt: skip
    ends = frame[frame["stopped"]]
    if len(ends):
        figure.add_scatter(
            x=ends["epoch"].to_numpy(float), y=ends["val_accuracy"].to_numpy(float),
            mode="markers", name="stopped", hoverinfo="skip",
            marker={"symbol": "x-thin", "size": 9, "line": {"width": 2, "color": INK}},
        )  # fmt: skip
    for rung in sorted(set(rungs["rung"])):
        figure.add_vline(x=rung, line={"color": INK, "width": 1, "dash": "2px,4px"})
    whole_steps(figure, frame["epoch"].max())
    return percent(figure, "yaxis")


def expected_best(frame: pd.DataFrame, against: str, title: str) -> go.Figure:
    """Expected best val accuracy with its 10 to 90 % band against a budget (search.expected)."""
    figure = canvas(title, "expected best val accuracy", 320)
    for model, rows in frame.groupby("model", sort=False):
        colour, marker, dash = style(model)
        x = rows[against].to_numpy(float)
        if len(rows) > 1:
            figure.add_scatter(
                x=np.concatenate([x, x[::-1]]),
                y=np.concatenate([rows["high"], rows["low"][::-1]]),
                fill="toself", fillcolor=pale(colour), line={"width": 0}, mode="lines",
                hoverinfo="skip", showlegend=False,
            )  # fmt: skip
        figure.add_scatter(
            x=x, y=rows["expected"].to_numpy(float), name=model, mode="lines+markers",
            line={"color": colour, "dash": dash, "width": 2},
            marker={"symbol": marker, "size": 6, "color": colour},
        )  # fmt: skip
    if against in ("trials", "epochs"):
        whole_steps(figure, frame[against].max())
    return percent(figure, "yaxis")


def slice_of(trials: pd.DataFrame, name: str, log: bool) -> go.Figure:
    """val accuracy at each trial's last epoch against one hyperparameter; hollow: stopped early."""
    figure = canvas(name, "val accuracy", 280)
    there = trials.dropna(subset=[f"hp_{name}"])
    values = there[f"hp_{name}"]
    steps = values.nunique() <= 6 and not log
    for model, rows in there.groupby("model", sort=False):
        colour, marker, _ = style(model)
        symbols = [marker if one == "completed" else f"{marker}-open" for one in rows["status"]]
        column = rows[f"hp_{name}"]
        figure.add_scatter(
            x=(column.astype(str) if steps else column).to_numpy(),
            y=rows["val_accuracy"].to_numpy(float), name=model,
            mode="markers", customdata=rows["trial_id"].to_numpy(),
            marker={"symbol": symbols, "size": 9, "color": colour,
                    "line": {"width": 1.5, "color": colour}},
            hovertemplate="%{customdata}: %{x}, %{y:.1%}<extra></extra>",
        )  # fmt: skip
    if log:
        figure.update_layout(xaxis=log_axis(values))
    elif steps:
        order = [str(value) for value in sorted(values.unique())]
        figure.update_layout(
            xaxis={"type": "category", "categoryorder": "array", "categoryarray": order}
        )
    return percent(figure, "yaxis")


def importance(frame: pd.DataFrame, model: str) -> go.Figure:
    """fANOVA (filled) and PED-ANOVA (hollow) of each hyperparameter with their intervals."""
    colour, marker, _ = style(model)
    ordered = frame.sort_values("fanova")
    figure = canvas("share", "", 110 + 38 * len(ordered))
    for name, short, words, symbol, shift in (
        ("fanova", "fanova", "fANOVA: of the variance", marker, 0.12),
        ("ped_anova", "ped", "PED-ANOVA: of what sets the best apart", f"{marker}-open", -0.12),
    ):
        value = ordered[name].to_numpy(float)
        figure.add_scatter(
            x=value, y=np.arange(len(ordered)) + shift, mode="markers", name=words,
            marker={"symbol": symbol, "size": 9, "color": colour, "line": {"width": 1.5}},
            error_x={"type": "data", "symmetric": False, "color": colour, "thickness": 1.5,
                     "width": 3, "array": (ordered[f"{short}_high"] - value).to_numpy(),
                     "arrayminus": (value - ordered[f"{short}_low"]).to_numpy()},
        )  # fmt: skip
    ticks = {"tickvals": list(range(len(ordered))), "ticktext": list(ordered["hyperparameter"])}
    figure.update_layout(yaxis=ticks, xaxis={"rangemode": "tozero"})
    return percent(figure, "xaxis")


def differences(frame: pd.DataFrame, model: str) -> go.Figure:
    """Arms against their base (ingredients.effects): val filled, test hollow, 95 % intervals."""
    colour, marker, _ = style(model)
    order = list(dict.fromkeys(frame["arm"]))[::-1]
    figure = canvas("difference in accuracy", "", 110 + 38 * len(order))
    for scope, symbol, shift in (("val", marker, 0.12), ("test", f"{marker}-open", -0.12)):
        rows = frame[frame["scope"] == scope]
        value = rows["difference"].to_numpy(float)
        figure.add_scatter(
            x=value, y=[order.index(arm) + shift for arm in rows["arm"]], mode="markers",
            name=scope, marker={"symbol": symbol, "size": 9, "color": colour},
            error_x={"type": "data", "symmetric": False, "color": colour, "thickness": 1.5,
                     "width": 3, "array": (rows["high"] - value).to_numpy(float),
                     "arrayminus": (value - rows["low"]).to_numpy(float)},
        )  # fmt: skip
    figure.add_vline(x=0, line={"color": INK, "width": 1, "dash": "2px,4px"})
    figure.update_layout(yaxis={"tickvals": list(range(len(order))), "ticktext": order})
    return percent(figure, "xaxis")


def lr_batch_map(trials: pd.DataFrame, model: str) -> go.Figure:
    """Learning rate by batch size, val accuracy as colour: one network; hollow: stopped early."""
    rows = trials[trials["model"] == model]
    marker = style(model)[1]
    symbols = [marker if one == "completed" else f"{marker}-open" for one in rows["status"]]
    figure = canvas("lr", "batch_size", 260, showlegend=False)
    figure.add_scatter(
        x=rows["hp_lr"].to_numpy(float), y=rows["hp_batch_size"].astype(str).to_numpy(),
        mode="markers", customdata=np.stack([rows["trial_id"], rows["val_accuracy"]], 1),
        hovertemplate="%{customdata[0]}: lr %{x:.3g}, batch %{y}, %{customdata[1]:.1%}"
        "<extra></extra>",
        marker={"size": 13, "symbol": symbols, "color": rows["val_accuracy"].to_numpy(),
                "colorscale": "Cividis", "line": {"width": 1.5},
                "colorbar": {"tickformat": ".0%", "thickness": 10, "outlinewidth": 0}},
    )  # fmt: skip
    order = [str(size) for size in sorted(rows["hp_batch_size"].unique())]
    figure.update_layout(
        xaxis=log_axis(rows["hp_lr"]),
        yaxis={"type": "category", "categoryorder": "array", "categoryarray": order},
    )
    return figure


def cost(frame: pd.DataFrame, against: str, title: str) -> go.Figure:
    """Accuracy on test with its interval against a cost (facts.cost); filled: none is better."""
    figure = canvas(title, "test accuracy", 320)
    for model, rows in frame.groupby("model", sort=False):
        colour, marker, _ = style(model)
        symbols = [marker if best else f"{marker}-open" for best in rows["undominated"]]
        figure.add_scatter(
            x=rows[against].to_numpy(float), y=rows["mean"].to_numpy(float), mode="markers",
            name=model, customdata=rows["setting"].to_numpy(),
            hovertemplate="%{customdata}: %{x:.3s}, %{y:.1%}<extra></extra>",
            marker={"symbol": symbols, "size": 10, "color": colour,
                    "line": {"width": 1.5, "color": colour}},
            error_y={"type": "data", "symmetric": False, "color": colour, "thickness": 1.5,
                     "width": 3, "array": (rows["high"] - rows["mean"]).clip(lower=0).to_numpy(),
                     "arrayminus": (rows["mean"] - rows["low"]).clip(lower=0).to_numpy()},
        )  # fmt: skip
    return percent(figure, "yaxis")


def sureness(frame: pd.DataFrame, yardstick: str) -> go.Figure:
    """Accuracy with its interval by the share of voters who agree (votes.accuracies)."""
    figure = canvas("voters who agree", "accuracy", 320)
    for (setting, model), rows in frame.groupby(["setting", "model"], sort=False):
        colour, marker, dash = style(model)
        value = rows[yardstick].to_numpy(float)
        figure.add_scatter(
            x=rows["voters"].to_numpy(), y=value, name=setting, mode="lines+markers",
            line={"color": colour, "dash": dash, "width": 1.5},
            marker={"symbol": marker, "size": 8, "color": colour},
            error_y={"type": "data", "symmetric": False, "color": colour, "thickness": 1.5,
                     "width": 3, "array": (rows[f"{yardstick}_high"] - value).to_numpy(),
                     "arrayminus": (value - rows[f"{yardstick}_low"]).to_numpy()},
        )  # fmt: skip
    figure.update_layout(xaxis={"type": "category", "range": [-0.4, 3.4]})
    return percent(figure, "yaxis")


def reliability(frame: pd.DataFrame) -> go.Figure:
    """Accuracy against confidence by bin (facts.calibration); on the diagonal: calibrated."""
    figure = canvas("confidence", "accuracy", 360)
    figure.add_scatter(x=[0, 1], y=[0, 1], mode="lines", hoverinfo="skip", showlegend=False,
                       line={"color": INK, "width": 1, "dash": "2px,4px"})  # fmt: skip
    for (setting, model), rows in frame.groupby(["setting", "model"], sort=False):
        colour, marker, dash = style(model)
        figure.add_scatter(
            x=rows["confidence"].to_numpy(), y=rows["accuracy"].to_numpy(), name=setting,
            mode="lines+markers", line={"color": colour, "dash": dash, "width": 1.5},
            marker={"symbol": marker, "size": 7, "color": colour},
            customdata=rows["images"].to_numpy(),
            hovertemplate="%{y:.1%} right at %{x:.1%}, %{customdata:.0f} images",
        )  # fmt: skip
    figure.update_layout(xaxis={"range": [0, 1.02]}, yaxis={"range": [0, 1.02]})
    return percent(figure, "xaxis", "yaxis")


def confusion(counts: np.ndarray, classes: list[str], per_class: pd.DataFrame) -> go.Figure:
    """A confusion matrix, truth down, answer across: counts, row shares, recall and precision."""
    size = len(classes)
    share = counts / counts.sum(1, keepdims=True).clip(min=1e-9)
    figure = canvas("answer", "truth", 92 + 58 * size, width=190 + 66 * size, showlegend=False)
    figure.add_heatmap(
        z=share, x=list(range(size)), y=list(range(size)), zmin=0, zmax=1, showscale=False,
        colorscale=[[0, "rgba(0,114,178,0)"], [1, "rgba(0,114,178,1)"]], xgap=1, ygap=1,
        hoverinfo="skip",
    )  # fmt: skip
    cells = [
        {"x": k, "y": row, "text": f"{whole_or_tenth(counts[row, k])}<br>{100 * part:.0f}%",
         "font": {"size": 12, "color": "#ffffff" if part > 0.55 else DARK}}
        for row in range(size) for k, part in enumerate(share[row])
    ]  # fmt: skip
    for k, (_, line) in enumerate(per_class.iterrows()):
        for measure, place in (("recall", {"x": size, "y": k}), ("precision", {"x": k, "y": size})):
            if pd.notna(line[measure]):
                half = 50 * (line[f"{measure}_high"] - line[f"{measure}_low"])
                text = f"{100 * line[measure]:.0f}%<br>±{half:.0f}"
                cells.append(place | {"text": text, "font": {"size": 11}})
    notes = [cell | {"showarrow": False, "align": "center"} for cell in cells]
    ticks = {"tickvals": list(range(size + 1)), "showgrid": False, "range": [-0.5, size + 0.5],
             "ticklabelstandoff": 6}  # fmt: skip
    return figure.update_layout(
        paper_bgcolor="#ffffff",
        annotations=notes,
        xaxis=ticks | {"ticktext": [*classes, "recall"], "side": "top"},
        yaxis=ticks | {"ticktext": [*classes, "precision"], "range": [size + 0.5, -0.5]},
    )
