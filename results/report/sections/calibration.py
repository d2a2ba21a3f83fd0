"""The report's section on calibration: how sure the networks are, and how often right."""

import pandas as pd

from results.facts import evaluation
from results.facts.evaluation import Evaluated
from results.figures import charts
from results.report.blocks import Figure, Section, table
from results.report.sections.caution import cautions

COLUMNS = "setting seeds:count ece:percent confidence:percent accuracy:percent"
BIN_COLUMNS = "setting images:count confidence:percent accuracy:percent"
TITLE = "Accuracy by confidence, test; on the dotted line a network is as often right as it is sure"


def calibration(settings: list[Evaluated]) -> Section | None:
    """The expected calibration error and the reliability diagram; None without probabilities."""
    eces, bins = evaluation.calibration(settings)
    if eces.empty:
        return None
    behind = table("calibration", "Calibration error", eces, COLUMNS, True)
    drawn = bins[bins["images"] >= evaluation.FEW]
    plots = [(TITLE, charts.reliability(drawn))]
    caption = "How sure, and how often right"
    words = summary(eces) + left_out(len(bins) - len(drawn), len(bins))
    figure = Figure("reliability", caption, words, plots, behind, width="narrow")
    every = table("reliability", "The bins", bins, BIN_COLUMNS, True)
    constant = cautions(settings, "its calibration is that")
    return Section("Calibration", [figure, *constant, every])


def summary(eces: pd.DataFrame) -> str:
    each = [f"{row['setting']} {100 * row['ece']:.1f} points" for _, row in eces.iterrows()]
    most = eces.loc[(eces["confidence"] - eces["accuracy"]).abs().idxmax()]
    gap = most["confidence"] - most["accuracy"]
    return (
        f"Expected calibration error on test (15 bins): {', '.join(each)}. {most['setting']} is "
        f"{'too sure' if gap > 0 else 'not sure enough'} by {100 * abs(gap):.1f} points on average."
    )


def left_out(few: int, bins: int) -> str:
    """How many bins have too few images to be drawn."""
    if not few:
        return ""
    return (
        f" {few} of {bins} bins have fewer than {evaluation.FEW} images and aren't drawn. A mark's "
        "area is its bin's share of the images."
    )
