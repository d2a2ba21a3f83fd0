"""The report's section on ingredients, where a study has arms for them."""

from typing import Any

import pandas as pd

from results.artefacts.load import Findings
from results.facts import statistics as st
from results.facts.evaluation import Judged
from results.facts.ingredients import arms, effects
from results.figures import charts
from results.report.blocks import Figure, Section, Text, table
from results.words import seeds, signed

KINDS = {"model": "text", "arm": "text", "changed": "text", "val": "text", "test": "text",
         "p": "p", "holm": "p", "sd": "gap", "accuracy": "percent", "seeds": "count"}  # fmt: skip


def given(studies: list[Findings], settings: list[Judged], resamples: int) -> list[Section]:
    """A section for each study with arms."""
    found = []
    for one in studies:
        own = [judged for judged in settings if judged.answers.study == one.name]
        frame = effects(arms(one), own, resamples)
        if len(frame):
            title = "What each ingredient gives"
            named = f"{title}: {one.name}" if len(studies) > 1 else title
            found.append(Section(named, blocks(one, frame)))
    return found


def blocks(one: Findings, frame: pd.DataFrame) -> list[Any]:
    told = []
    for base, part in frame[frame["scope"] == "val"].groupby("base", sort=False):
        single = part[~part["together"]]
        sure = single[(single["low"] > 0) | (single["high"] < 0)]
        effect = [
            f"{row['arm']} {signed(100 * row['difference'], 1)} "
            f"({ranged_points(row)})" for _, row in sure.iterrows()
        ]  # fmt: skip
        told.append(
            f"{base} has {100 * part['base_accuracy'].iloc[0]:.1f} % on val "
            f"({seeds(int(part['seeds'].min()))}). "
            + (f"Different by an interval without 0, in points: {', '.join(effect)}"
               if effect else "No arm's interval lies clear of 0")
        )  # fmt: skip
        whole = part[part["together"]]
        if len(whole):
            row = whole.iloc[0]
            told[-1] += (
                f". All of them together: {signed(100 * row['difference'], 1)}; the sum of the "
                f"single ones {signed(100 * single['difference'].sum(), 1)}"
            )
    rows = []
    for (_, arm), part in frame.groupby(["model", "arm"], sort=False):
        at = part.set_index("scope")
        first = at.loc["val"] if "val" in at.index else at.iloc[0]
        rows.append(
            {"model": first["model"], "arm": arm, "changed": first["changed"]}
            | {scope: f"{signed(100 * row['difference'], 2)}\n{ranged_points(row)}"
               for scope, row in at.iterrows()}
            | {name: first[name] for name in ("p", "holm", "sd", "accuracy", "seeds")}
        )  # fmt: skip
    shown = table("ingredients", "Against the base, in points of accuracy", pd.DataFrame(rows),
                  KINDS, labels={"model": "network", "p": "p, val", "holm": "with Holm",
                                 "sd": "sd over seeds, val", "accuracy": "accuracy, val",
                                 "val": "on val", "test": "on test"})  # fmt: skip
    behind = table("ingredients-all", "Every arm on val and on test", frame,
                   {name: "text" for name in ("model", "base", "arm", "changed", "scope")}
                   | {"seeds": "count", "base_accuracy": "percent", "accuracy": "percent",
                      "difference": "points", "low": "points", "high": "points", "sd": "gap",
                      "p": "p", "holm": "p"}, True)  # fmt: skip
    plots = [
        (f"{model}, against {part['base'].iloc[0]}", charts.differences(part, str(model)))
        for model, part in frame.groupby("model", sort=False)
    ]
    asked = one.study["study"]
    few = int(frame["seeds"].min())
    note = (
        "Base and arm share seeds and images, and the intervals (95 %) draw both anew in pairs. p "
        "exchanges base and arm within each seed"
        + (f" and can't go below {2 / 2**few:.3g} with {seeds(few)}" if few > 1 else
           ": with one seed there is none, and the interval is of the images alone")
        + ". Choose by val; test is there to see whether the choice holds. An ingredient's worth "
        f"is that at {asked.get('epochs')} epochs and this base: regularisation pays late. "
        + st.too_narrow(few)
    )  # fmt: skip
    width = "narrow" if len(plots) == 1 else ""
    return [
        Figure("ingredients", "What each gives", f"{'. '.join(told)}.", plots, behind, width),
        shown,
        Text(note, "quiet"),
    ]


def ranged_points(row: pd.Series) -> str:
    return f"{signed(100 * row['low'], 1)} to {signed(100 * row['high'], 1)}"
