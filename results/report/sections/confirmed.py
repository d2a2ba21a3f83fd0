"""The report's section on the accuracy of the confirmed settings."""

import numpy as np
import pandas as pd

from results.facts import evaluation
from results.facts import statistics as st
from results.facts.evaluation import Evaluated
from results.figures import charts
from results.report.blocks import Figure, Section, Table, Text, kinds, table
from results.report.inputs import Inputs
from results.words import ranged, seeds

HOW = (
    "Intervals are 95 % by a bootstrap of {n:,} samples on two levels: the images are drawn anew "
    "and so are the seeds. With one seed only the images are drawn; the interval then says nothing "
    "of how far another seed would fall. sd is over seeds."
)


def confirmed(given: Inputs) -> Section | None:
    """A row per setting with every scope's accuracy and its interval, beside the paper's."""
    frame = given.accuracies
    if frame.empty:
        return None
    rows = [setting_row(str(name), group) for name, group in frame.groupby("setting", sort=False)]
    dots = frame[(frame["scope"] == "val+test") & (frame["measure"] == "accuracy")]
    printed = given.printed if given.real else given.printed.head(0)
    theirs = printed[printed["setting"].isin(dots["setting"]) & printed["matrix"].notna()]
    figure = Figure(
        "confirmed",
        "Accuracy with 95 % intervals",
        highest(frame) + (", with the paper's figure on the same images." if len(theirs) else "."),
        [("Accuracy on val+test", charts.interval_dots(dots, theirs))],
        Table("confirmed", "All figures", frame, pd.DataFrame(rows)),
    )
    return Section(
        "Confirmed accuracy",
        [
            figure,
            Text(HOW.format(n=st.RESAMPLES), "quiet"),
            Text(st.too_narrow(int(frame["seeds"].min())), "quiet"),
            by_seed(given.settings),
        ],
    )


def setting_row(name: str, group: pd.DataFrame) -> dict[str, str]:
    """Mean and interval of each scope's accuracy, the other measures on test, sd and seeds."""
    at = group.set_index(["scope", "measure"])
    shown = {(scope, "accuracy"): scope for scope in evaluation.SCOPES}
    shown |= {
        ("test", "macro_f1"): "macro F1, test",
        ("test", "balanced_accuracy"): "balanced accuracy, test",
    }
    row = {"setting": name}
    for key, heading in shown.items():
        if key in at.index:
            found = at.loc[key]
            interval = ranged(found["low"], found["high"])
            row[heading] = f"{100 * found['mean']:.2f} %\n{interval}"
    sd = at.loc[("test", "accuracy")]["sd"] if ("test", "accuracy") in at.index else np.nan
    row["sd, test"] = f"{100 * sd:.2f}" if pd.notna(sd) else "one seed"
    return row | {"seeds": str(group["seeds"].iloc[0]), "network": group["model"].iloc[0]}


def highest(frame: pd.DataFrame) -> str:
    """The setting with the highest accuracy, on test where test was opened."""
    scope = "test" if "test" in set(frame["scope"]) else frame["scope"].iloc[0]
    each = frame[(frame["scope"] == scope) & (frame["measure"] == "accuracy")]
    top = each.loc[each["mean"].idxmax()]
    name = f"{top['setting']}:" if len(each) == 1 else f"Highest: {top['setting']},"
    return (
        f"{name} {100 * top['mean']:.2f} % on {scope}, 95 % interval "
        f"{ranged(top['low'], top['high'])}, {seeds(top['seeds'])}, {top['images']:,} images. "
        "Drawn here: val+test, all images never trained on"
    )


def by_seed(settings: list[Evaluated]) -> Table:
    index = ["setting", "model", "seed"]
    wide = evaluation.by_seed(settings).pivot(index=index, columns="scope", values="accuracy")
    columns = kinds("setting model seed") | {scope: "percent" for scope in evaluation.SCOPES}
    return table("by-seed", "Each network by itself", wide.reset_index(), columns, folded=True)
