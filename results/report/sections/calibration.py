"""The report's section on calibration: how sure the models are, and how often right."""

import pandas as pd

from results.facts import evaluation
from results.facts.evaluation import Evaluated
from results.figures import charts
from results.report.blocks import Block, Figure, Section, Text, table
from results.report.sections.caution import cautions
from results.words import counted

COLUMNS = "setting seeds:count ece:percent confidence:percent accuracy:percent"
HOW = (
    " Accuracy by confidence on test; on the dotted line they are equal: perfect calibration."
    " A mark's area is its bin's share of the images, the bar its 95 % interval."
)
MOST = 4  # settings that a sentence names, each with its error
BIN_COLUMNS = "setting images:count confidence:percent accuracy:percent"


def calibration(settings: list[Evaluated]) -> Section | None:
    """The expected calibration error and the reliability diagram; None without probabilities."""
    eces, bins = evaluation.calibration(settings)
    if eces.empty:
        return None
    behind = table("calibration", "Calibration error", eces, COLUMNS, True)
    drawn = bins[bins["images"] >= evaluation.FEW]
    most = drawn["images"].max()
    plots = [
        (str(setting), charts.reliability(rows, most))
        for setting, rows in drawn.groupby("setting", sort=False)
    ]
    words = summary(eces) + HOW + left_out(len(bins) - len(drawn), len(bins))
    width = "narrow" if len(plots) == 1 else "thirds"
    figure = Figure("reliability", "Reliability diagram", words, plots, behind, width)
    shown: list[Block] = [figure] if plots else [Text(words), behind]
    every = table("reliability", "The bins", bins, BIN_COLUMNS, True)
    constant = cautions(settings, "the calibration of")
    return Section("Calibration", [*shown, *constant, every])


def summary(eces: pd.DataFrame) -> str:
    """Each setting's error, or of many the least and the largest."""
    told = eces if len(eces) <= MOST else eces.sort_values("ece").iloc[[0, -1]]
    each = [f"{row['setting']} {100 * row['ece']:.1f} points" for _, row in told.iterrows()]
    errors = ", ".join(each) if len(eces) <= MOST else f"from {' to '.join(each)}"
    most = eces.loc[(eces["confidence"] - eces["accuracy"]).abs().idxmax()]
    gap = most["confidence"] - most["accuracy"]
    how = "overconfident" if gap > 0 else "underconfident"
    return (
        f"Expected calibration error on test (15 bins): {errors}. {most['setting']} is "
        f"{how} by {100 * abs(gap):.1f} points on average."
    )


def left_out(few: int, bins: int) -> str:
    """How many bins have too few images to be drawn."""
    if not few:
        return ""
    have, are = ("has", "isn't") if few == 1 else ("have", "aren't")
    return (
        f" {few} of {counted(bins, 'bin')} {have} fewer than {evaluation.FEW} images and {are} "
        "drawn."
    )
