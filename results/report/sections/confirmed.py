"""The report's section on the accuracy of the confirmed settings."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from results.facts import evaluation
from results.facts.evaluation import PRIMARY, Evaluated
from results.figures import charts
from results.report.blocks import Figure, Section, Table, Text, kinds, table
from results.report.inputs import Inputs
from results.words import DASH, listed, ranged, seeds

HOW = (
    "Intervals are 95 %, for new seeds and new images: variance components of seeds crossed with "
    "images. With one seed nothing is known of the next, so there is none. sd (over seeds), "
    "macro F1 and balanced accuracy are of test without duplicates."
)
ONE_SEARCH = (
    " The settings were chosen by one search, and the intervals don't hold for another: how far a "
    "search with another --seed would have come isn't in them."
)
PAPERS = (
    " Drawn here: val+test, duplicates included, with the paper's figure, which is of these images."
)


def confirmed(given: Inputs) -> Section | None:
    """A row per setting with every scope's accuracy and its interval, beside the paper's."""
    frame = given.accuracies
    if frame.empty:
        return None
    rows = [setting_row(str(name), group) for name, group in frame.groupby("setting", sort=False)]
    printed = printed_for(given)
    theirs = printed[printed["matrix"].notna()]
    scope = "val+test" if len(theirs) else primary(frame)
    dots = frame[(frame["scope"] == scope) & (frame["measure"] == "accuracy")]
    plots = [
        (title, charts.interval_dots(part, theirs[theirs["setting"].isin(part["setting"])]))
        for title, part in pictured(dots, printed)
    ]
    figure = Figure(
        "confirmed",
        "Accuracy with 95 % intervals",
        highest(frame) + (PAPERS if len(theirs) else ""),
        plots,
        Table("confirmed", "All figures", frame, pd.DataFrame(rows, dtype=object).fillna(DASH)),
    )
    of_one_search = searched(given) and bool(frame["low"].notna().any())
    return Section(
        "Confirmed accuracy",
        [
            figure,
            Text(HOW + ONE_SEARCH * of_one_search, "quiet"),
            by_seed(given.settings),
        ],
    )


def printed_for(given: Inputs) -> pd.DataFrame:
    """What the paper prints for each setting that was judged on its images, by our name for it,
    which has the study in it where two studies have the setting."""
    of = given.printed.set_index("setting")
    ours = [one for one in given.compared if one.answers.setting in of.index]
    rows = of.loc[[one.answers.setting for one in ours], ["matrix", "epochs"]]
    return rows.assign(setting=[one.name for one in ours])


def searched(given: Inputs) -> bool:
    """Whether a search chose any of the settings."""
    return any(one.chosen["from_trial"].astype(bool).any() for one in given.studies)


def setting_row(name: str, group: pd.DataFrame) -> dict[str, str]:
    """Mean and interval of each scope's accuracy; on PRIMARY the other measures and the sd."""
    at = group.set_index(["scope", "measure"])
    shown = {(scope, "accuracy"): scope for scope in evaluation.SCOPES}
    shown |= {
        (PRIMARY, "macro_f1"): "macro F1",
        (PRIMARY, "balanced_accuracy"): "balanced accuracy",
    }
    row = {"setting": name}
    for key, heading in shown.items():
        if key in at.index:
            found = at.loc[key]
            interval = "" if pd.isna(found["low"]) else ranged(found["low"], found["high"])
            row[heading] = f"{100 * found['mean']:.2f} %\n{interval}".rstrip()
    sd = at.loc[(PRIMARY, "accuracy")]["sd"] if (PRIMARY, "accuracy") in at.index else np.nan
    many = group["seeds"].iloc[0]
    row["sd"] = f"{100 * sd:.2f}" if pd.notna(sd) else "one seed" if many == 1 else DASH
    return row | {"seeds": str(many), "network": group["model"].iloc[0]}


def highest(frame: pd.DataFrame) -> str:
    """The setting with the highest accuracy, on PRIMARY where test was opened; of settings that
    answered other images, one of each."""
    each = frame[(frame["scope"] == primary(frame)) & (frame["measure"] == "accuracy")]
    best = [top(rows, len(each) > 1) for _, rows in each.groupby("digest", sort=False)]
    return " ".join(best)


def primary(frame: pd.DataFrame) -> str:
    """The scope that comparisons stand on, where test was opened."""
    return PRIMARY if PRIMARY in set(frame["scope"]) else str(frame["scope"].iloc[0])


def top(rows: pd.DataFrame, several: bool) -> str:
    """The best of the settings that answered the same images."""
    row = rows.loc[rows["mean"].idxmax()]
    uneven = rows["epochs"].nunique() > 1 or rows["train_images"].nunique() > 1
    trained = f"{row['epochs']} epochs on {row['train_images']:,} images"
    return (
        (f"Highest: {row['setting']}," if several else f"{row['setting']}:")
        + f" {100 * row['mean']:.2f} % on {row['scope']}, {reach(row)}{row['images']:,} images"
        + (f". It was trained for {trained}; others had fewer or more." if uneven else ".")
    )


def reach(row: pd.Series) -> str:
    """The interval, where there is one, and the seeds."""
    if pd.isna(row["low"]):
        return f"{seeds(row['seeds'])}, so no interval; "
    return f"95 % interval {ranged(row['low'], row['high'])}, {seeds(row['seeds'])}, "


def pictured(dots: pd.DataFrame, printed: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """(title, rows as evaluation.alike gives them): a picture for each set of images."""
    asked = dict(zip(printed["setting"], printed["epochs"], strict=True))
    several = dots["digest"].nunique() > 1
    for _, part in dots.groupby("digest", sort=False):
        names = f", {listed(list(dict.fromkeys(part['study'])))}" if several else ""
        yield f"Accuracy on {part['scope'].iloc[0]}{names}", evaluation.alike(part, asked)


def by_seed(settings: list[Evaluated]) -> Table:
    index = ["setting", "model", "seed"]
    wide = evaluation.by_seed(settings).pivot(index=index, columns="scope", values="accuracy")
    columns = kinds("setting model seed") | {scope: "percent" for scope in evaluation.SCOPES}
    return table("by-seed", "Per seed", wide.reset_index(), columns, folded=True)
