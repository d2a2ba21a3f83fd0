"""The report's section on other data sets: trained on, tested on."""

import pandas as pd

from results.facts import elsewhere
from results.report.blocks import Block, Section, Text, table
from results.report.inputs import Inputs
from results.words import DASH, ranged, signed

COLUMNS = {
    "setting": "text",
    "trained on": "text",
    "tested on": "text",
    "faces": "count",
    "seeds": "count",
    "accuracy": "percent",
    "low": "percent",
    "high": "percent",
    "own test": "percent",
    "drop": "points",
    "drop low": "points",
    "drop high": "points",
    "by the mix": "points",
}
CLASSES = {
    "setting": "text",
    "tested on": "text",
    "class": "text",
    "faces": "count",
    "recall": "percent",
    "own test": "percent",
    "drop": "points",
    "low": "points",
    "high": "points",
    "carries": "points",
}
GROUPS = {
    "setting": "text",
    "tested on": "text",
    "attribute": "text",
    "value": "text",
    "faces": "count",
    "accuracy": "percent",
    "low": "percent",
    "high": "percent",
}


def tested(given: Inputs) -> Section | None:
    """Accuracy on other data sets, which classes carry the drop, and groups; None without any."""
    found = elsewhere.of(given.studies, given.settings)
    if not found:
        return None
    whole, classes, groups = (
        make(found) for make in (elsewhere.tested, elsewhere.classes, elsewhere.groups)
    )
    # of several studies each leaves out copies of its own training images
    notes = dict.fromkeys(
        f"{one.tested}{f', {one.setting.answers.study}' if len(given.studies) > 1 else ''}: "
        f"{'; '.join(one.notes)}."
        for one in found
    )
    blocks: list[Block] = [
        Text(summary(whole, classes)),
        table("elsewhere", "Trained on, tested on", whole, COLUMNS),
        table("elsewhere_classes", "Recall of each class, there and here", classes, CLASSES, True),
    ]
    if not groups.empty:
        blocks.append(table("elsewhere_groups", "Accuracy by group", groups, GROUPS, True))
    return Section("Trained on, tested on", [*blocks, *(Text(one, "quiet") for one in notes)])


def summary(whole: pd.DataFrame, classes: pd.DataFrame) -> str:
    """A sentence for each data set: the best setting there, and the classes that moved most.

    Where it is better there, the drop and its parts are told as gains.
    """
    said = []
    for name, part in whole.groupby("tested on"):
        best = part.loc[part["accuracy"].idxmax()]
        lost = classes[(classes["tested on"] == name) & (classes["setting"] == best["setting"])]
        moved, sign = ("lower", 1) if best["drop"] >= 0 else ("higher", -1)
        carries = sign * lost.set_index("class")["carries"]
        most = carries[carries > 0].nlargest(2)
        each = [f"{name} {100 * share:.1f}" for name, share in most.items()]
        between = ranged(*sorted((sign * best["drop low"], sign * best["drop high"])))
        carried = f": {100 * sign * best['drop']:.1f} points {moved}" + (
            "" if between == DASH else f" ({between})"
        )
        if each:
            carried += (
                f", of which {' and '.join(each)} (recall there is {moved}), and "
                f"{signed(100 * sign * best['by the mix'], 1)} for other shares of the classes"
            )
        said.append(
            f"On {name} {best['setting']} is right in {100 * best['accuracy']:.1f} % of "
            f"{best['faces']:,} faces, on its own test in {100 * best['own test']:.1f} %{carried}."
        )
    return " ".join(said) + (
        " The intervals are for new seeds and new faces, of a drop on both sides; with one seed "
        "there is none."
    )
