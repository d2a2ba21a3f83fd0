"""The report's blocks on the importance of hyperparameters."""

from typing import Any

import pandas as pd

from results.artefacts.load import Findings
from results.facts.importance import ENOUGH, RESAMPLES, TOP, importance, reached
from results.figures import charts
from results.report.blocks import Figure, Text, table
from results.words import listed, ranged


def important(one: Findings, trials: pd.DataFrame, resamples: int = RESAMPLES) -> list[Any]:
    """Both measures at the furthest epoch that enough trials of a network reached, or why not."""
    frame = importance(one, trials, resamples)
    many = reached(one, trials).groupby("model", sort=False)["trials"].max()
    few = [model for model in many.index if model not in set(frame["model"])]
    words = []
    if few:
        told = listed([f"{many[model]} trials of {model}" for model in few])
        words = [
            Text(f"Importance is not computed from at most {told} with values inside the space at "
                 f"one epoch: fewer than {ENOUGH} say nothing that another search wouldn't "
                 "contradict.", "quiet")
        ]  # fmt: skip
    if frame.empty:
        return words
    last = frame[frame["epoch"] == frame.groupby("model")["epoch"].transform("max")]
    told = []
    for model, part in last.groupby("model", sort=False):
        top = part.loc[part["fanova"].idxmax()]
        good = part.loc[part["ped_anova"].idxmax()]
        told.append(
            f"{model} at epoch {top['epoch']}, {top['trials']} trials: {top['hyperparameter']} "
            f"alone explains {100 * top['fanova']:.0f} % of the variance of val accuracy "
            f"({ranged(top['fanova_low'], top['fanova_high'], 0)}), and what sets the best "
            f"{100 * TOP:.0f} % apart most is {good['hyperparameter']}"
        )
    kinds = {"model": "text", "epoch": "count", "trials": "count", "hyperparameter": "text",
             "fanova": "share", "fanova_range": "text", "ped_anova": "share",
             "ped_range": "text"}  # fmt: skip
    shown = frame.assign(
        fanova_range=[ranged(*p, 0) for p in frame[["fanova_low", "fanova_high"]].to_numpy()],
        ped_range=[ranged(*p, 0) for p in frame[["ped_low", "ped_high"]].to_numpy()],
    )
    labels = {"fanova": "fANOVA", "ped_anova": "PED-ANOVA", "fanova_range": "90 %",
              "ped_range": "90 % "}  # fmt: skip
    plots = [
        (f"{model}, epoch {part['epoch'].iloc[0]}, {part['trials'].iloc[0]} trials",
         charts.importance(part, str(model)))
        for model, part in last.groupby("model", sort=False)
    ]  # fmt: skip
    return [
        Figure("importance", "Which hyperparameter matters", f"{'; '.join(told)}.", plots,
               table("importance", "At the first and the furthest epoch", shown, kinds, True,
                     labels)),
        Text("Trials are compared at one epoch that all of them reached, never at their last ones; "
             "at a later rung these are the survivors of the earlier. fANOVA (Hutter et al. 2014): "
             "the share of the variance over the whole space that a hyperparameter explains alone; "
             "what is missing to 100 % is interaction. PED-ANOVA (Watanabe et al. 2023): how far "
             f"the best {100 * TOP:.0f} % of trials lie from all, as a share of the sum. Log "
             "ranges are judged on their logarithm, lists of numbers by rank. Intervals, 90 %, "
             "come from resampled trials.", "quiet"),
        *words,
    ]  # fmt: skip
