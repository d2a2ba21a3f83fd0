"""The report's section on what accuracy costs."""

import pandas as pd

from results.artefacts.load import Findings
from results.facts import evaluation
from results.facts.evaluation import Evaluated
from results.figures import charts
from results.report.blocks import Figure, Section, table
from results.words import listed

COLUMNS = (
    "setting mean:percent seconds:count multiply_adds:large parameters:large device undominated:yes"
)
LABELS = {"mean": "accuracy, test without duplicates", "undominated": "filled"}


def cost(studies: list[Findings], settings: list[Evaluated]) -> Section | None:
    """Accuracy against what it costs to train and to use; None where nothing can be compared."""
    frame = evaluation.cost(studies, settings)
    if len(frame) < 2 or frame["seconds"].isna().all():
        return None
    plots = [
        ("Against seconds of training", charts.cost(frame, "seconds", "seconds")),
        (
            "Against multiply-adds of one image, forward",
            charts.cost(frame, "multiply_adds", "multiply-adds"),
        ),
    ]
    behind = table("cost", "Accuracy and cost", frame, COLUMNS, True, LABELS)
    figure = Figure("cost", "What accuracy costs", summary(frame), plots, behind)
    return Section("Accuracy and cost", [figure])


def summary(frame: pd.DataFrame) -> str:
    devices = sorted(set(frame["device"]))
    words = (
        "More accurate than any that trained in less time: "
        f"{listed(list(frame.loc[frame['undominated'], 'setting']))} (filled marks). Seconds are "
        f"of a whole training, on {listed(devices)}."
    )
    if len(devices) > 1:
        words += " They were not all trained on one kind of device, so seconds don't compare."
    if frame["digest"].nunique() > 1:
        words += " Settings that answered other test images aren't compared with one another."
    return words
