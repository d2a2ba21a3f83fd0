"""The report's learning curves: the paper's pairs of settings, then whatever else was confirmed."""

from typing import Any

import numpy as np
import pandas as pd

from results.artefacts.load import Findings
from results.facts import paper, status
from results.figures import charts
from results.report.blocks import Figure, Section, Text, table
from results.words import listed, seeds

MEASURES = {
    "val_accuracy": "Accuracy, val",
    "train_accuracy": "Accuracy, train",
    "val_loss": "Loss, val (nats per image)",
    "train_loss": "Loss, train (nats per image)",
}


def curve_groups(frame: pd.DataFrame) -> list[tuple[str, list[str]]]:
    """Which settings share a figure: as in the paper, else two of each network at a time."""
    there = list(dict.fromkeys(frame["setting"]))
    groups = [(name, [s for s in wanted if s in there]) for name, wanted in paper.CURVES]
    # A figure whose own settings (the last letter's) weren't run would repeat another.
    groups = [
        (name, has)
        for (name, has), (_, wanted) in zip(groups, paper.CURVES, strict=True)
        if any(s.split("-")[0] == wanted[-1].split("-")[0] for s in has)
    ]
    rest = [s for s in there if s not in {x for _, wanted in paper.CURVES for x in wanted}]
    model = dict(zip(frame["setting"], frame["model"], strict=True))
    turn: dict[str, int] = {}
    batches: dict[int, list[str]] = {}
    for setting in rest:
        turn[model[setting]] = turn.get(model[setting], 0) + 1
        batches.setdefault((turn[model[setting]] - 1) // 2, []).append(setting)
    return [(f"The paper's {name}", has) for name, has in groups] + [
        (f"Confirmed: {listed(has)}", has) for has in batches.values()
    ]


def curves(studies: list[Findings]) -> Section | None:
    """Accuracy and loss by epoch of the confirmed settings."""
    each = [status.curves(one, "confirm").assign(study=one.name) for one in studies]
    frame = pd.concat(each, ignore_index=True)
    twice = frame.groupby("setting")["study"].transform("nunique") > 1
    told = frame["setting"].astype(str) + " (" + frame["study"] + ")"
    frame["setting"] = frame["setting"].where(~twice, told)
    if frame.empty:
        return None
    blocks: list[Any] = [
        Text("Lines are means over seeds, bands reach from the lowest seed to the highest. train "
             "is measured while training, with augmentation and dropout; val is not.", "quiet")
    ]  # fmt: skip
    for number, (caption, names) in enumerate(curve_groups(frame), 1):
        part = frame[frame["setting"].isin(names)]
        last = part[part["measure"] == "val_accuracy"].groupby("setting", sort=False).last()
        trained = part[part["measure"] == "train_accuracy"].groupby("setting", sort=False).last()
        ends = [
            f"{name} at epoch {row['epoch']} of {row['epochs']}: val {100 * row['mean']:.1f} %, "
            f"train {100 * trained['mean'].get(name, np.nan):.1f} % ({seeds(row['seeds'])})"
            for name, row in last.iterrows()
        ]
        plots = [(title, charts.curve(part, m, "accuracy" if "acc" in m else "loss"))
                 for m, title in MEASURES.items() if m in set(part["measure"])]  # fmt: skip
        kinds = {"setting": "text", "epoch": "count", "seeds": "count"}
        wide = part.pivot_table(index=["setting", "epoch", "seeds"], columns="measure",
                                values="mean", sort=False).reset_index()  # fmt: skip
        kinds |= {m: "percent" if "accuracy" in m else "number" for m in MEASURES}
        blocks.append(
            Figure(f"curves-{number}", caption, f"{'; '.join(ends)}.", plots,
                   table(f"curves-{number}", "Means over seeds by epoch", wide, kinds, True))
        )  # fmt: skip
    return Section("Learning curves", blocks)
