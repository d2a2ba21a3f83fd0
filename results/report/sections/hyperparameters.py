"""The report's blocks on single hyperparameters: slices, lr with batch size, rank correlations."""

import pandas as pd

from results.artefacts.load import Findings
from results.facts import search
from results.figures import charts
from results.report.blocks import Block, Figure, Text, kinds, table
from results.words import signed

SLICES = 6  # hyperparameters drawn, those that vary most
INFLUENCE_COLUMNS = (
    "model hyperparameter epoch:count trials:count spearman:number eta_squared:number "
    "adjusted_r2:number"
)
PAIR_COLUMNS = "model trial_id hp_lr:number hp_batch_size:count judged:percent"
PAIR_WORDS = (
    "Each mark is a trial, its colour the final {judged}. Hollow marks didn't come to their last "
    "epoch: they aren't comparable with the filled ones."
)


def hyperparameters(one: Findings, trials: pd.DataFrame) -> list[Block]:
    """Slices, the map of lr and batch size, and rank correlations at one epoch."""
    ran = trials[trials["ran"]]
    if len(ran) < 3:
        return [Text("Too few trials to draw a hyperparameter.", "quiet")]
    names = sorted(search.varied(one, ran), key=lambda name: -ran[f"hp_{name}"].nunique())[:SLICES]
    if not names:
        return []
    influence = search.influence(one, trials)
    columns = ["model", "trial_id", "status", "last_epoch", "judged"]
    rows = ran[[*columns, *[f"hp_{name}" for name in names]]]
    shown = {column: "text" for column in rows} | kinds("last_epoch:count judged:percent")
    plots = [
        (name, charts.slice_of(ran, name, search.is_log(one, name), one.judged)) for name in names
    ]
    behind = table("slices", "The trials drawn", rows, shown, True, {"judged": one.judged})
    words = slice_words(influence, one.judged)
    caption = "Influence at one epoch that every trial of the network reached"
    return [
        Figure("slices", "One hyperparameter at a time", words, plots, behind),
        table("influence", caption, influence, INFLUENCE_COLUMNS, True),
        *lr_and_batch_size(ran, one.judged),
    ]


def slice_words(influence: pd.DataFrame, judged: str) -> str:
    words = f"Final {judged} of each trial; hollow marks didn't come to their last epoch."
    value = influence["adjusted_r2"]
    if not (value > 0).any():
        return words
    top = influence.loc[value.idxmax()]
    if pd.notna(top["spearman"]):
        how = f"rank correlation {signed(top['spearman'], 2)}"
    else:
        how = f"η² {100 * top['eta_squared']:.0f} % of rank variance"
    return (
        f"{words} At epoch {top['epoch']}, which every trial reached, the strongest is "
        f"{top['hyperparameter']} of {top['model']} ({how}, {top['trials']} trials)."
    )


def lr_and_batch_size(ran: pd.DataFrame, judged: str) -> list[Block]:
    """Both together, for each network of which both vary."""
    models = [
        model
        for model, group in ran.groupby("model")
        if len(group) > 2 and group["hp_batch_size"].nunique() > 1 and group["hp_lr"].nunique() > 1
    ]
    if not models:
        return []
    plots = [(model, charts.lr_batch_map(ran, model, judged)) for model in models]
    rows, labels = ran[["status", "last_epoch", *kinds(PAIR_COLUMNS)]], {"judged": judged}
    behind = table("lr-batch", f"lr, batch size and {judged}", rows, PAIR_COLUMNS, True, labels)
    words = PAIR_WORDS.format(judged=judged)
    return [Figure("lr-batch", "Learning rate and batch size together", words, plots, behind)]
