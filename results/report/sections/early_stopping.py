"""The report's blocks on early stopping: the trials' curves, and what ASHA's rungs did."""

import pandas as pd

from results.artefacts.load import Findings
from results.facts import halving
from results.figures import charts
from results.report.blocks import Block, Figure, Text, table
from results.words import capital, counted, listed, signed

CURVE_COLUMNS = "model trial_id epoch:count judged:percent"
RUNG_COLUMNS = "model rung:count judged:count stopped:count reached_the_end:count spearman:number"
REPLAY_COLUMNS = (
    "reduction_factor:count epochs_run:count saved:share best:percent lost:gap stopped:count"
)
SAVED_COLUMNS = (
    "model trials:count stopped:count failed:count epochs_asked:count epochs_run:count saved:share "
    "seconds:count"
)


def early_stopping(one: Findings, trials: pd.DataFrame) -> list[Block]:
    """The trials' curves with ASHA's rungs, what it saved, and whether its rungs predict."""
    rungs, saved = halving.rungs(one, trials), halving.savings(one, trials)
    blocks = [*curves(one, halving.trial_curves(one, trials), trials, rungs)]
    if len(saved) and len(rungs):
        judged = halving.judged_among(one, trials)
        words = f"{saved_words(saved.iloc[-1])} {judged} {rung_words(rungs)}"
        blocks += [Text(words), table("rungs", "The rungs", rungs, RUNG_COLUMNS, True)]
        blocks += replayed(one, trials)
    if len(saved):
        blocks.append(table("savings", "Epochs asked and run", saved, SAVED_COLUMNS, True))
    return blocks


def curves(
    one: Findings, frame: pd.DataFrame, trials: pd.DataFrame, rungs: pd.DataFrame
) -> list[Block]:
    """Every trial of the search by epoch."""
    if frame.empty:
        return []
    stopped = int(frame["stopped"].sum())
    summary = f"{counted(len(trials), 'trial')}, {stopped} stopped early (crosses)."
    if len(rungs):
        epochs = listed([str(n) for n in sorted(set(rungs["rung"]))])
        summary += f" Dotted: the rungs at epoch {epochs}."
    rows = frame.dropna(subset=["epoch"])
    caption, labels = f"{capital(one.judged)} by epoch", {"judged": one.judged}
    behind = table("search-curves", caption, rows, CURVE_COLUMNS, True, labels)
    plots = [(capital(one.judged), charts.trial_lines(frame, rungs, one.judged))]
    return [Figure("trials", "Every trial of the search", summary, plots, behind)]


def saved_words(row: pd.Series) -> str:
    return (
        f"ASHA ran {row['epochs_run']:,.0f} of {row['epochs_asked']:,.0f} epochs and saved "
        f"{100 * row['saved']:.0f} %."
    )


def rung_words(rungs: pd.DataFrame) -> str:
    """How well the rungs predicted the end."""
    known = rungs.dropna(subset=["spearman"])
    if known.empty:
        return "Too few trials reached the end to say whether its rungs predict it."
    each = [
        f"{row['model']} {signed(row['spearman'], 2)} at rung {row['rung']:.0f}"
        for _, row in known.iterrows()
    ]
    return f"Rank correlation of a rung with the end, survivors only: {', '.join(each)}."


def replayed(one: Findings, trials: pd.DataFrame) -> list[Block]:
    """What larger reduction factors would have saved and lost, from the study's own rungs."""
    own = halving.graces(one, trials)[-1]
    frame = halving.table([r for r in halving.replays(one, trials) if r.grace_epochs == own])
    if len(frame) < 2:
        return []
    row = frame.iloc[-1]
    words = (
        f"Replayed on the stored curves with a reduction factor of {row['reduction_factor']:.0f}: "
        f"{row['epochs_run']:,.0f} of {row['of']:,.0f} epochs and {100 * row['lost']:.2f} points "
        f"of {one.judged} lost. Each trial is judged in the study's own order and pool."
    )
    labels = {"saved": "saved of what was run", "stopped": "additionally stopped"}
    return [
        Text(words),
        table("replay", "What if ASHA were more aggressive?", frame, REPLAY_COLUMNS, True, labels),
    ]
