"""The networks as study.json tells them, layer by layer: what the diagrams draw. Nothing of a
network is known here but its table: names, kinds, shapes, parameters, multiply-adds.
"""

import numpy as np
import pandas as pd

from results.artefacts.load import Findings

WEIGHTED = ("Conv2d", "Linear")


def layers(findings: Findings) -> pd.DataFrame:
    """The modules of each network in order: output shape, parameters, multiply-adds."""
    rows = [
        {
            "network": model,
            "layer": row["name"],
            "kind": row["kind"],
            "output": " × ".join(map(str, row["shape"])),
            "parameters": row["parameters"],
            "multiply_adds": row["multiply_adds"],
        }
        for model, found in (findings.study.get("networks") or {}).items()
        for row in found
    ]
    columns = ["network", "layer", "kind", "output", "parameters", "multiply_adds"]
    return pd.DataFrame(rows, columns=columns)


def shape(output: str) -> list[int]:
    """ "64 × 12 × 12" -> [64, 12, 12]"""
    return [int(size) for size in output.split(" × ")]


def stages(table: pd.DataFrame) -> pd.DataFrame:
    """The layers summed by the first part of their name: what a drawing of the network shows.

    `blocks` counts the numbered parts of a stage (layer1.0, layer1.1, ...), 0 where it has none;
    `modules` names what stands in them with named parts of its own, as an attention gate does.
    """
    names = table["layer"].str.split(".")
    block = names.map(lambda parts: parts[1] if len(parts) > 2 and parts[1].isdecimal() else None)
    frame = table.assign(
        stage=names.str[0],
        block=block,
        module=names.map(module),
        weighted=table["kind"].isin(WEIGHTED),
    )
    # The last layer of a gate isn't the output of its stage.
    frame["path"] = frame["output"].where(frame["module"].isna())
    found = frame.groupby(["network", "stage"], sort=False).agg(
        kinds=("kind", lambda kinds: ", ".join(dict.fromkeys(kinds))),
        weight_layers=("weighted", "sum"),
        blocks=("block", "nunique"),
        modules=("module", lambda names: ", ".join(dict.fromkeys(names.dropna()))),
        output=("path", "last"),
        parameters=("parameters", "sum"),
        multiply_adds=("multiply_adds", "sum"),
    )
    found = found.reset_index()
    whole = found.groupby("network")["multiply_adds"].transform("sum")
    return found.assign(share=found["multiply_adds"] / whole.where(whole > 0))


def module(parts: list[str]) -> str | None:
    """gate, of layer1.0.gate.spatial.conv: a part of a block that has named parts itself."""
    nested = len(parts) > 4 and parts[1].isdecimal() and not parts[3].isdecimal()
    return parts[2] if nested else None


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
    rows, before = [], ""
    for _, row in table.iterrows():
        parts = row["layer"].split(".")
        name = module(parts)
        if not name:
            before = row["output"]
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
