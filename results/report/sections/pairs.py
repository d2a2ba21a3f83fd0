"""The report's section on whether the differences between settings are real."""

import pandas as pd

from fer_stats.verdicts import Comparison
from results.facts import evaluation, verdicts
from results.facts.evaluation import Evaluated
from results.report.blocks import Block, Section, Table, Text, cell, table
from results.report.inputs import Inputs
from results.report.sections.caution import cautions
from results.words import counted, points

SHOWN = 8  # sentences; the others are rows
EVERY_TWO = "every two settings of a study"
COLUMNS = (
    "first second difference:points interval verdict chance:p pair least needed:count "
    "cost seeds_in_words"
)
LABELS = {
    "interval": "95 % with Holm",
    "chance": "P(first is better)",
    "least": "found 4 times in 5",
    "needed": "seeds that would settle it",
    "cost": "which cost",
    "seeds_in_words": "seeds",
}
TEST_COLUMNS = (
    "first second difference:points only_first_right:count only_second_right:count "
    "mcnemar_p:p mcnemar_holm:p permutation_p:p permutation_holm:p permutation_least:p"
)
TEST_LABELS = {
    "mcnemar_p": "McNemar p (these models)",
    "mcnemar_holm": "with Holm",
    "permutation_p": "permutation p (these images)",
    "permutation_holm": "permutation with Holm",
    "permutation_least": "smallest attainable p with Holm",
}
HOW = (
    "The claim is for new seeds and new images: variance components of seeds crossed with images, "
    "corrected by Holm within the primary pairs and, apart from them, within the secondary ones. "
    "Better or worse: the interval leaves out 0. Equal: two one-sided tests place the difference "
    "within {margins} points. P is the probability that the first, trained anew, is better on new "
    "images. Found 4 times in 5: how far apart two settings must be so that the first step of Holm "
    "finds it with these seeds and images. The images are those of test without duplicates."
)
NARROWER = (
    "Two tests that claim less. McNemar's (exact) compares what most seeds of each setting answer: "
    "it speaks of these very models, and calls settings of equal worth different in 29 % of "
    "studies with one seed. The permutation exchanges the seeds: it speaks of these images, and on "
    "new ones it errs in 5 to 17 %; with few seeds it can't go below the least p beside it, and "
    "where that is above .05 it can find nothing (docs/statistics.md)."
)


def pairs(given: Inputs) -> Section | None:
    """Who is better than whom, by how much, how sure; and what would settle what is open."""
    found = given.verdicts
    if not found:
        return None
    told = [*sentences(found), *cautions(given.settings, "a difference to")]
    margins = sorted({one.margin for one in found})
    how = HOW.format(margins=" or ".join(f"{100 * one:g}" for one in margins))
    return Section(
        "Are the differences real?",
        [
            Text(origin(given)),
            *told,
            compared(found),
            Text(how, "quiet"),
            *narrower(given.settings),
        ],
    )


def origin(given: Inputs) -> str:
    """How many pairs there are, which were fixed beforehand, and what came out: study by study
    where their pairs aren't of one origin, or they call other differences equal."""
    whose = {one.name: one.answers.study for one in given.settings}
    primary = [one for one in given.verdicts if one.primary]
    kinds, told = set(), []
    for study in given.studies:
        if own := [one for one in primary if whose[one.first] == study.name]:
            which = "fixed before training" if verdicts.fixed(study) else EVERY_TWO
            kinds.add((which, own[0].margin))
            margin = f"equal within {100 * own[0].margin:g} points"
            told.append(f"{study.name}: {outcome(own, f'{which}; {margin}')}")
    if len(kinds) < 2:
        told = [outcome(primary, which) for which, _ in kinds] or ["No pair is primary."]
    if rest := len(given.verdicts) - len(primary):
        others = f"{counted(rest, 'other')} {'is' if rest == 1 else 'are'}"
        told.append(f"{others} secondary: hints, not findings.")
    return " ".join(told)


def outcome(primary: list[Comparison], which: str) -> str:
    settled = sum(one.settled for one in primary)
    return f"{counted(len(primary), 'primary pair')} ({which}): {settled} settled."


def sentences(found: list[Comparison]) -> list[Block]:
    """The primary verdicts in words, as many as are read."""
    primary = [one for one in found if one.primary]
    told: list[Block] = [Text(f"{one.words}.") for one in primary[:SHOWN]]
    if len(primary) > SHOWN:
        more = len(primary) - SHOWN
        told.append(Text(f"{more} more {'is' if more == 1 else 'are'} in the table.", "quiet"))
    return told


def compared(found: list[Comparison]) -> Table:
    frame = verdicts.frame(found)
    shown = frame.assign(
        interval=[points(row) if pd.notna(row["low"]) else "" for _, row in frame.iterrows()],
        verdict=[
            f"equal within {100 * one.margin:g}" if one.verdict == "equal" else one.verdict
            for one in found
        ],
        pair=["primary" if one.primary else "secondary" for one in found],
        least=[least_words(one.smallest) for one in found],
        cost=[one.cost_words for one in found],
        seeds_in_words=[seeds_of(one) for one in found],
    )
    caption = "Pairwise differences in accuracy, points"
    return table("verdicts", caption, shown, COLUMNS, len(frame) > 12, LABELS)


def least_words(smallest: float) -> str:
    """A difference in points; of two accuracies none is above 100."""
    return "none, not even 100" if smallest > 1 else cell(smallest, "gap")


def seeds_of(one: Comparison) -> str:
    first, second = one.seeds
    told = f"{first}" if first == second else f"{first} and {second}"
    return f"{told}, paired" if one.paired else told


def narrower(settings: list[Evaluated]) -> list[Block]:
    """McNemar and permutation, with what they speak of."""
    frame = evaluation.pairs(settings)
    if frame.empty:
        return []
    caption = "The same pairs by tests of these models, and of these images"
    return [
        table("pairs", caption, frame, TEST_COLUMNS, True, TEST_LABELS),
        Text(NARROWER, "quiet"),
    ]
