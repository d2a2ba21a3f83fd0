"""The report's section on whether the differences between settings are real."""

import pandas as pd

from results.facts import evaluation
from results.facts.evaluation import Evaluated
from results.report.blocks import Section, Text, table
from results.report.sections.caution import cautions
from results.words import points

COLUMNS = (
    "first second difference:points interval only_first_right:count only_second_right:count "
    "mcnemar_p:p mcnemar_holm:p permutation_p:p permutation_holm:p permutation_least:p "
    "smallest_by_images:gap smallest_by_seeds:gap"
)
LABELS = {
    "interval": "95 %",
    "mcnemar_p": "McNemar p",
    "mcnemar_holm": "with Holm",
    "permutation_p": "seeds p",
    "permutation_holm": "seeds with Holm",
    "permutation_least": "least possible",
    "smallest_by_images": "visible, images",
    "smallest_by_seeds": "visible, seeds",
}
HOW = (
    "McNemar's test (exact) compares what most seeds of each setting answer, image by image, so it "
    "speaks of these networks, not of the architecture. The permutation exchanges seeds and speaks "
    "of the settings; with few seeds it can't go below its least possible p. The interval of the "
    "difference draws images and seeds anew. Visible: the difference that a test at 5 % finds four "
    "times in five."
)


def pairs(settings: list[Evaluated]) -> Section | None:
    """Differences between every two settings, tested, and what could have been seen."""
    frame = evaluation.pairs(settings)
    if frame.empty:
        return None
    shown = frame.assign(interval=[points(row) for _, row in frame.iterrows()])
    caption = "Every two settings on the test images, in points of accuracy"
    return Section(
        "Are the differences real?",
        [
            Text(summary(frame)),
            *cautions(settings, "a difference to it is one"),
            table("pairs", caption, shown, COLUMNS, len(frame) > 12, LABELS),
            Text(HOW, "quiet"),
        ],
    )


def summary(frame: pd.DataFrame) -> str:
    many = len(frame)
    by_images = int((frame["mcnemar_holm"] < 0.05).sum())
    words = (
        f"{many} {'pair' if many == 1 else 'pairs'} of settings on the test images, corrected by "
        f"Holm for their number: {by_images} differ by McNemar's test on images, "
    )
    if frame["permutation_p"].isna().all():
        words += "and with one seed there is no test over seeds."
    else:
        words += f"{int((frame['permutation_holm'] < 0.05).sum())} by a permutation of seeds."
    small = 100 * frame["smallest_by_images"]
    reach = f"{small.min():.1f}" + (f" to {small.max():.1f}" if many > 1 else "")
    return (
        f"{words} The smallest difference that so many images would show four times in five is "
        f"{reach} points of accuracy, before Holm."
    )
