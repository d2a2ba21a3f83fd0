"""The report's section on the networks: diagrams, and the layers behind them."""

from collections.abc import Iterator

import pandas as pd

from results.artefacts.load import Findings
from results.facts import architecture
from results.figures import diagrams
from results.report.blocks import Block, Figure, Section, table
from results.words import large, listed

STAGES = (
    "network stage share:share output parameters:count multiply_adds:count blocks:count "
    "weight_layers:count kinds"
)
LABELS = {
    "kinds": "made of",
    "weight_layers": "layers with weights",
    "share": "share of the work (bar)",
}
LAYERS = "layer kind output parameters:count multiply_adds:count"
MODULES = "block part layer kind enters output parameters:count multiply_adds:count"
FLOWS = {"serial": "one after the other", "parallel": "both on the same input"}
HOW = (
    "A box is what a stage puts out, as high as the map's side and as long as it has channels "
    "(square roots); the line is the stage's share of the multiply-adds. Additions around residual "
    "blocks have no weights and aren't drawn."
)


def networks(studies: list[Findings]) -> Section | None:
    """Each network once, drawn from the layers of the real module that the study stored."""
    each = list(distinct(studies))
    if not each:
        return None
    blocks: list[Block] = [diagram(each)]
    for name, layers, study in each:
        blocks += module(name, layers, study)
    for name, layers, _ in each:
        caption = f"All {len(layers)} modules of {name}"
        blocks.append(table(f"layers-{name}", caption, layers, LAYERS, True))
    return Section("The networks", blocks)


def distinct(studies: list[Findings]) -> Iterator[tuple[str, pd.DataFrame, Findings]]:
    """(name, layers, study) of each network that ran, once where studies have the same one."""
    seen: list[pd.DataFrame] = []
    for one in studies:
        layers = architecture.layers(one)
        ran = set(one.trials["hp_model"]) or set(layers["network"])
        for name, part in layers[layers["network"].isin(ran)].groupby("network", sort=False):
            part = part.reset_index(drop=True)
            if not any(part.equals(other) for other in seen):
                seen.append(part)
                yield f"{name} in {one.name}" if len(studies) > 1 else str(name), part, one


def diagram(each: list[tuple[str, pd.DataFrame, Findings]]) -> Figure:
    """All networks abreast, with their stages as a table."""
    sizes = [
        f"{name}: {layers['parameters'].sum():,} parameters in "
        f"{int(layers['kind'].isin(architecture.WEIGHTED).sum())} layers with weights, "
        f"{large(layers['multiply_adds'].sum())} multiply-adds an image"
        for name, layers, _ in each
    ]
    plots = [
        (name, diagrams.network(architecture.steps(layers), layers["network"].iloc[0]))
        for name, layers, _ in each
    ]
    stages = [architecture.stages(layers).assign(network=name) for name, layers, _ in each]
    frame = pd.concat(stages, ignore_index=True)
    behind = table("networks", "Stages", frame, STAGES, True, LABELS)
    caption = f"{listed([name for name, *_ in each])} as trained here"
    return Figure("networks", caption, f"{'; '.join(sizes)}. {HOW}", plots, behind, "thirds")


def module(name: str, layers: pd.DataFrame, study: Findings) -> list[Block]:
    """What stands in the blocks of a network and has parts itself: the attention module."""
    inside = architecture.inside(layers)
    if inside.empty:
        return []
    model, title = layers["network"].iloc[0], inside["module"].iloc[0]
    orders = architecture.orders(study, model) or ["as listed"]
    plots = [(f"{title}, {order}", diagrams.module(inside, order, model)) for order in orders]
    behind = table(f"module-{name}", f"Every {title}", inside, MODULES, True)
    summary = module_words(inside, layers, orders)
    return [Figure(f"module-{name}", f"The {title} of {name}", summary, plots, behind)]


def module_words(inside: pd.DataFrame, layers: pd.DataFrame, orders: list[str]) -> str:
    sums, whole = (frame[["parameters", "multiply_adds"]].sum() for frame in (inside, layers))
    parts = list(dict.fromkeys(inside["part"]))
    flow = " or ".join(FLOWS.get(order, order) for order in orders)
    return (
        f"{listed(parts)}, {flow}, in each of {inside['block'].nunique()} blocks; drawn is the one "
        f"of {inside['block'].iloc[0]}. All of them: {sums['parameters']:,} parameters "
        f"({100 * sums['parameters'] / whole['parameters']:.1f} % of the network's) and "
        f"{large(sums['multiply_adds'])} multiply-adds "
        f"({100 * sums['multiply_adds'] / max(whole['multiply_adds'], 1):.1f} %)."
    )
