"""The report's section on the networks: diagrams, and the layers behind them."""

from collections.abc import Iterator

import pandas as pd

from results.artefacts.load import Findings
from results.facts import architecture
from results.facts.architecture import Network
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
    for name, one, study in each:
        blocks += module(name, one, study)
    for name, one, _ in each:
        caption = f"All {len(one.layers)} modules of {name}"
        blocks.append(table(f"layers-{name}", caption, one.layers, LAYERS, True))
    return Section("The networks", blocks)


def distinct(studies: list[Findings]) -> Iterator[tuple[str, Network, Findings]]:
    """(name, network, study) of each network that ran, once where studies have the same one."""
    seen: list[pd.DataFrame] = []
    for study in studies:
        found = architecture.networks(study)
        ran = set(study.trials["hp_model"]) or {one.model for one in found}
        for one in found:
            if one.model in ran and not any(one.layers.equals(other) for other in seen):
                seen.append(one.layers)
                yield f"{one.name} in {study.name}" if len(studies) > 1 else one.name, one, study


def diagram(each: list[tuple[str, Network, Findings]]) -> Figure:
    """All networks abreast, with their stages as a table."""
    plots = [
        (
            f"{name}{', with the defaults' if one.apart else ''}",
            diagrams.network(architecture.steps(one.layers), one.model),
        )
        for name, one, _ in each
    ]
    stages = [architecture.stages(one.layers).assign(network=name) for name, one, _ in each]
    frame = pd.concat(stages, ignore_index=True)
    behind = table("networks", "Stages", frame, STAGES, True, LABELS)
    summary = f"{'; '.join(size(name, one) for name, one, _ in each)}. {HOW}"
    return Figure("networks", drawn(each), summary, plots, behind, "thirds")


def size(name: str, one: Network) -> str:
    """How large it is, and whether that is the size of what was trained."""
    return (
        f"{name}: {one.layers['parameters'].sum():,} parameters in "
        f"{int(one.layers['kind'].isin(architecture.WEIGHTED).sum())} layers with weights, "
        f"{large(one.layers['multiply_adds'].sum())} multiply-adds an image"
        + (f" ({one.apart})" if one.apart else "")
    )


def drawn(each: list[tuple[str, Network, Findings]]) -> str:
    """Which are drawn as they were trained, and which as they are by default."""
    trained = [name for name, one, _ in each if not one.apart]
    rest = [name for name, one, _ in each if one.apart]
    parts = [f"{listed(trained)} as trained here"] if trained else []
    parts += [f"{listed(rest)} with the defaults of what was searched"] if rest else []
    return ", ".join(parts)


def module(name: str, one: Network, study: Findings) -> list[Block]:
    """What stands in the blocks of a network and has parts itself: the attention module."""
    inside = architecture.inside(one.layers)
    if inside.empty:
        return []
    title, orders = inside["module"].iloc[0], architecture.orders(study, one.model)
    plots = [
        (f"{title}, {order}", diagrams.module(inside, order, one.model))
        for order in orders or ["as listed"]
    ]
    behind = table(f"module-{name}", f"Every {title}", inside, MODULES, True)
    summary = module_words(inside, one.layers, orders or ["as listed"])
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
