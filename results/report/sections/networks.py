"""The report's section on the networks: diagrams, and the layers behind them."""

from typing import Any

import pandas as pd

from results.artefacts.load import Findings
from results.facts import architecture
from results.figures import diagrams
from results.report.blocks import Figure, Section, table
from results.words import large, listed

STAGES = {"network": "text", "stage": "text", "share": "share", "output": "text",
          "parameters": "count", "multiply_adds": "count", "blocks": "count",
          "weight_layers": "count", "kinds": "text"}  # fmt: skip
LABELS = {"kinds": "made of", "weight_layers": "layers with weights",
          "share": "share of the work (bar)"}  # fmt: skip


def networks(studies: list[Findings]) -> Section | None:
    """Each network once, drawn from the layers of the real module that the study stored."""
    each = dict(distinct(studies))
    if not each:
        return None
    told = [
        f"{name}: {layers['parameters'].sum():,} parameters in "
        f"{int(layers['kind'].isin(architecture.WEIGHTED).sum())} layers with weights, "
        f"{large(layers['multiply_adds'].sum())} multiply-adds an image"
        for name, (layers, _) in each.items()
    ]
    summary = (
        f"{'; '.join(told)}. A box is what a stage puts out, as high as the map's side and as long "
        "as it has channels (square roots); the line is the stage's share of the multiply-adds. "
        "Additions around residual blocks have no weights and aren't drawn."
    )
    plots = [
        (name, diagrams.network(architecture.steps(layers), layers["network"].iloc[0]))
        for name, (layers, _) in each.items()
    ]
    stages = pd.concat(
        [architecture.stages(layers).assign(network=name) for name, (layers, _) in each.items()],
        ignore_index=True,
    )
    blocks: list[Any] = [
        Figure("networks", f"{listed(list(each))} as trained here", summary, plots,
               table("networks", "Stages", stages, STAGES, True, LABELS), "thirds"),
        *modules(each),
    ]  # fmt: skip
    kinds = {"layer": "text", "kind": "text", "output": "text", "parameters": "count",
             "multiply_adds": "count"}  # fmt: skip
    blocks += [
        table(f"layers-{name}", f"All {len(layers)} modules of {name}", layers, kinds, True)
        for name, (layers, _) in each.items()
    ]
    return Section("The networks", blocks)


def distinct(studies: list[Findings]) -> Any:
    """(name, (layers, study)) of each network that ran, once where studies have the same one."""
    seen: list[pd.DataFrame] = []
    for one in studies:
        layers = architecture.layers(one)
        ran = set(one.trials["hp_model"]) or set(layers["network"])
        for name, part in layers[layers["network"].isin(ran)].groupby("network", sort=False):
            part = part.reset_index(drop=True)
            if not any(part.equals(other) for other in seen):
                seen.append(part)
                yield (f"{name} in {one.name}" if len(studies) > 1 else str(name)), (part, one)


def modules(each: dict[str, tuple[pd.DataFrame, Findings]]) -> list[Figure]:
    """What stands in the blocks of a network and has parts itself: the attention module."""
    found = []
    for name, (layers, study) in each.items():
        inside = architecture.inside(layers)
        if inside.empty:
            continue
        model = layers["network"].iloc[0]
        title, where = inside["module"].iloc[0], inside["block"].iloc[0]
        sums = inside[["parameters", "multiply_adds"]].sum()
        orders = architecture.orders(study, model) or ["as listed"]
        parts = list(dict.fromkeys(inside["part"]))
        flows = {"serial": "one after the other", "parallel": "both on the same input"}
        flow = " or ".join(flows.get(order, order) for order in orders)
        whole = layers[["parameters", "multiply_adds"]].sum()
        summary = (
            f"{listed(parts)}, {flow}, in each of {inside['block'].nunique()} blocks; drawn is the "
            f"one of {where}. All of them: {sums['parameters']:,} parameters "
            f"({100 * sums['parameters'] / whole['parameters']:.1f} % of the network's) and "
            f"{large(sums['multiply_adds'])} multiply-adds "
            f"({100 * sums['multiply_adds'] / max(whole['multiply_adds'], 1):.1f} %)."
        )
        kinds = {"block": "text", "part": "text", "layer": "text", "kind": "text",
                 "enters": "text", "output": "text", "parameters": "count",
                 "multiply_adds": "count"}  # fmt: skip
        plots = [(f"{title}, {order}", diagrams.module(inside, order, model)) for order in orders]
        found.append(
            Figure(f"module-{name}", f"The {title} of {name}", summary, plots,
                   table(f"module-{name}", f"Every {title}", inside, kinds, True))
        )  # fmt: skip
    return found
