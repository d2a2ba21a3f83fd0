"""The networks as study.json tells them, layer by layer: what the diagrams draw. Nothing of a
network is known here but its table: names, kinds, shapes, parameters, multiply-adds.
"""

from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np
import pandas as pd

from results.artefacts.load import Findings
from results.words import listed

WEIGHTED = ("Conv2d", "Linear")
WEIGHTS = ("a weight per channel", "a weight per place")

COLUMNS = ["network", "layer", "kind", "output", "parameters", "multiply_adds"]


@dataclass(frozen=True)
class Network:
    """A network that a study trained, as it stored it."""

    name: str  # its model, with the settings where the model was confirmed in several shapes
    model: str
    layers: pd.DataFrame  # its modules in order: COLUMNS
    apart: str  # how those that were trained differ from these layers, in words; "": they don't


def networks(findings: Findings) -> list[Network]:
    """The networks as they were confirmed; of a model that wasn't, as study.json has it from the
    start, with the defaults of whatever was searched: `apart` says where those that ran differ."""
    told = findings.study.get("confirmed_networks") or []
    found = []
    for one in told:
        alone = sum(other["model"] == one["model"] for other in told) == 1
        name = one["model"] if alone else f"{one['model']} ({listed(one['settings'])})"
        ran = findings.trials[findings.trials["setting"].isin(one["settings"])]
        frame = table(one["model"], one["layers"])
        found.append(Network(name, one["model"], frame, apart(frame, ran)))
    for model, rows in (findings.study.get("networks") or {}).items():
        if model not in {one["model"] for one in told}:
            ran = findings.trials[findings.trials["hp_model"] == model]
            confirmed = ran[ran["stage"] == "confirm"]
            frame = table(model, rows)
            found.append(
                Network(model, model, frame, apart(frame, confirmed if len(confirmed) else ran))
            )
    return found


def table(model: str, rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Stored layers as a frame: output shape, parameters, multiply-adds."""
    told = [
        {
            "network": model,
            "layer": row["name"],
            "kind": row["kind"],
            "output": " × ".join(map(str, row["shape"])),
            "parameters": row["parameters"],
            "multiply_adds": row["multiply_adds"],
        }
        for row in rows
    ]
    return pd.DataFrame(told, columns=COLUMNS)


def apart(layers: pd.DataFrame, trials: pd.DataFrame) -> str:
    """Parameters and multiply-adds of the trials that ran, where those of the layers are others."""
    sizes = trials[["parameters", "multiply_adds"]].apply(pd.to_numeric).dropna()
    own = layers[["parameters", "multiply_adds"]].sum()
    if sizes.empty or (sizes == own).all(axis=None):
        return ""
    told = [
        f"{low:,.0f}" + (f" to {high:,.0f}" if high > low else "")
        for low, high in zip(sizes.min(), sizes.max(), strict=True)
    ]
    return (
        f"these layers are of the defaults, and those that were trained have {told[0]} parameters "
        f"and {told[1]} multiply-adds"
    )


def shape(output: str) -> list[int]:
    """ "64 × 12 × 12" -> [64, 12, 12]"""
    return [int(size) for size in output.split(" × ")]


def stages(table: pd.DataFrame) -> pd.DataFrame:
    """The layers summed by the first part of their name: what a drawing of the network shows.

    `blocks` counts the numbered parts of a stage (layer1.0, layer1.1, ...), 0 where it has none;
    `modules` names the gates that stand in them.
    """
    names = table["layer"].str.split(".")
    block = names.map(lambda parts: parts[1] if len(parts) > 2 and parts[1].isdecimal() else None)
    frame = table.assign(
        stage=names.str[0],
        block=block,
        module=[gate for gate, _ in gates(table)],
        weighted=table["kind"].isin(WEIGHTED),
    )
    # The last layer of a gate isn't the output of its stage.
    frame["path"] = frame["output"].where(frame["module"].isna())
    found = frame.groupby(["network", "stage"], sort=False).agg(
        kinds=("kind", lambda kinds: ", ".join(dict.fromkeys(kinds))),
        weight_layers=("weighted", "sum"),
        blocks=("block", "nunique"),
        modules=("module", lambda names: ", ".join(dict.fromkeys(names.dropna()))),
        output=("output", "last"),
        path=("path", "last"),
        parameters=("parameters", "sum"),
        multiply_adds=("multiply_adds", "sum"),
    )
    found = found.reset_index()
    found["output"] = found.pop("path").fillna(found["output"])
    whole = found.groupby("network")["multiply_adds"].transform("sum")
    return found.assign(share=found["multiply_adds"] / whole.where(whole > 0))


def module(parts: list[str]) -> str | None:
    """gate, of layer1.0.gate.spatial.conv: a part of a block that has named parts itself."""
    numbers = [part.isdecimal() for part in parts[1:4]]  # a block's own number may have two parts
    return parts[2] if len(parts) > 4 and numbers == [True, False, False] else None


def gates(table: pd.DataFrame) -> list[tuple[str | None, str]]:
    """Of each layer the gate in a block that it belongs to, and the shape of the maps that this
    weighs. A module each of whose parts ends in a weight per channel or per place is one; of any
    other, whose layers follow one another as everywhere, there is none.
    """
    found: list[tuple[str | None, str]] = []
    before = ""
    layers = zip(table["layer"].str.split("."), table["output"], strict=True)
    for path, group in groupby(layers, lambda layer: layer[0][:3] if module(layer[0]) else None):
        each = list(group)
        ends = {parts[3]: output for parts, output in each} if path else {}
        gate = bool(ends) and all(weighs(output, before) for output in ends.values())
        found += [(path[2], before) if path and gate else (None, "")] * len(each)
        before = before if gate else each[-1][1]
    return found


def weighs(output: str, maps: str) -> bool:
    """Whether an output has a weight per channel or per place of these maps."""
    return maps.count(" × ") == 2 and meaning(output, maps) in WEIGHTS


def steps(table: pd.DataFrame) -> pd.DataFrame:
    """One network's stages as a drawing shows them: those without weights in a row are one step."""
    frame = stages(table)
    plain = frame["weight_layers"] == 0
    step = (~plain | (plain != plain.shift())).cumsum()
    found = frame.groupby(step, sort=False).agg(
        stage=("stage", ", ".join),
        kinds=("kinds", ", ".join),
        weight_layers=("weight_layers", "sum"),
        blocks=("blocks", "max"),
        modules=("modules", "max"),
        output=("output", "last"),
        parameters=("parameters", "sum"),
        multiply_adds=("multiply_adds", "sum"),
        share=("share", "sum"),
    )
    return found.reset_index(drop=True)


def inside(table: pd.DataFrame) -> pd.DataFrame:
    """The layers of the modules that stand in one network's blocks: block, module, part, layer.

    `enters` is the shape of what the block has made before the module. Empty for most networks.
    """
    rows = []
    for (_, row), (name, before) in zip(table.iterrows(), gates(table), strict=True):
        parts = row["layer"].split(".")
        if not name:
            continue
        rows.append(
            {
                "block": ".".join(parts[:2]),
                "module": name,
                "part": parts[3],
                "layer": ".".join(parts[4:]),
                "kind": row["kind"],
                "enters": before,
                "output": row["output"],
                "parameters": row["parameters"],
                "multiply_adds": row["multiply_adds"],
            }
        )
    columns = "block module part layer kind enters output parameters multiply_adds".split()
    return pd.DataFrame(rows, columns=columns)


def meaning(output: str, enters: str) -> str:
    """What a gate's output weighs, by its shape and that of the feature maps it multiplies."""
    answer, whole = shape(output), shape(enters)
    if len(answer) != len(whole):
        return output
    if answer[0] == whole[0] and np.prod(answer[1:]) == 1:
        return "a weight per channel"
    if answer[0] == 1 and answer[1:] == whole[1:]:
        return "a weight per place"
    return "a weight per number" if answer == whole else output


def orders(findings: Findings, model: str) -> list[str]:
    """How the parts of a network's modules were used in the trials that ran; [] where unknown."""
    if "hp_cbam_order" not in findings.trials:
        return []
    ran = findings.trials.loc[findings.trials["hp_model"] == model, "hp_cbam_order"]
    return sorted(set(ran.dropna()), reverse=True)
