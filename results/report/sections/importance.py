"""The report's blocks on the importance of hyperparameters."""

import pandas as pd

from results.artefacts.load import Findings
from results.facts import kept
from results.facts.importance import ENOUGH, RESAMPLES, TOP, plateaus, reached
from results.figures import charts
from results.report.blocks import Block, Figure, Text, table
from results.words import listed, ranged, ranges

COLUMNS = (
    "model epoch:count trials:count hyperparameter fanova:share fanova_range ped_anova:share "
    "ped_range fanova_floor:share"
)
LABELS = {
    "fanova": "fANOVA",
    "ped_anova": "PED-ANOVA",
    "fanova_range": "90 %",
    "ped_range": "90 % ",
    "fanova_floor": "fANOVA by chance, at most",
}
HOW = (
    "Trials are compared at one epoch that all of them reached, never at their last ones; at a "
    "later rung these are the survivors of the earlier. fANOVA (Hutter et al. 2014): the share of "
    "the variance of its own forest over the whole space that a hyperparameter explains alone; "
    "what is missing to 100 % is interaction. By chance: the most that the strongest explains when "
    "the accuracies are shuffled among the trials, eight times; below it nothing is shown to "
    "matter. PED-ANOVA (Watanabe et al. 2023): how far the best "
    f"{100 * TOP:.0f} % of trials lie from all, as a share of the sum. Log ranges are judged on "
    "their logarithm, lists of numbers by rank. Intervals, 90 %, come from resampled trials."
)


def important(one: Findings, trials: pd.DataFrame, resamples: int = RESAMPLES) -> list[Block]:
    """Both measures at the furthest epoch that enough trials of a network reached, or why not."""
    frame = kept.importances(one, resamples)
    missing = [*too_few(one, trials), *on_plateau(one, trials)]
    if frame.empty:
        return missing
    last = frame[frame["epoch"] == frame.groupby("model")["epoch"].transform("max")]
    plots = [
        (
            f"{model}, epoch {part['epoch'].iloc[0]}, {part['trials'].iloc[0]} trials",
            charts.importance(part, str(model)),
        )
        for model, part in last.groupby("model", sort=False)
    ]
    shown = frame.assign(
        fanova_range=ranges(frame, "fanova_low", "fanova_high", 0),
        ped_range=ranges(frame, "ped_low", "ped_high", 0),
    )
    caption = "At the first and the furthest epoch"
    behind = table("importance", caption, shown, COLUMNS, True, LABELS)
    figure = Figure("importance", "Which hyperparameter matters", summary(last), plots, behind)
    return [figure, Text(HOW, "quiet"), *missing]


def too_few(one: Findings, trials: pd.DataFrame) -> list[Block]:
    """Which networks have too few trials for it, in a sentence."""
    many = reached(one, trials).groupby("model", sort=False)["trials"].max()
    few = [f"{model} {many[model]}" for model in many.index if many[model] < ENOUGH]
    if not few:
        return []
    words = (
        f"Importance is not computed from fewer than {ENOUGH} trials at one epoch ({listed(few)}): "
        "another search might well contradict it."
    )
    return [Text(words, "quiet")]


def on_plateau(one: Findings, trials: pd.DataFrame) -> list[Block]:
    """The networks whose trials are too much alike at an epoch to say what sets the best apart."""
    return [
        Text(
            f"Which hyperparameter matters to {row['model']} can't be told at epoch "
            f"{row['epoch']}: {row['many']} of {row['trials']} trials have the same {one.judged}, "
            f"{100 * row['value']:.1f} %, so that the best {100 * TOP:.0f} % can't be told from "
            "the rest.",
            "quiet",
        )
        for _, row in plateaus(one, trials).iterrows()
    ]


def summary(last: pd.DataFrame) -> str:
    each = []
    for model, part in last.groupby("model", sort=False):
        top = part.loc[part["fanova"].idxmax()]
        apart = part.loc[part["ped_anova"].idxmax()]
        each.append(
            f"{model} at epoch {top['epoch']}, {top['trials']} trials: {top['hyperparameter']} "
            f"alone explains {100 * top['fanova']:.0f} % of the forest's variance "
            f"({ranged(top['fanova_low'], top['fanova_high'], 0)}; by chance up to "
            f"{100 * top['fanova_floor']:.0f} %), and what sets the best "
            f"{100 * TOP:.0f} % apart most is {apart['hyperparameter']}"
        )
    return f"{'; '.join(each)}."
