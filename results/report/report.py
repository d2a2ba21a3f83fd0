"""Studies as a report: its title, its answer in two sentences, what to be warned of, sections."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from results.artefacts.load import Findings, answers, named_apart
from results.facts import answer, evaluation
from results.facts.evaluation import PRIMARY
from results.facts.status import chosen_on_test, warnings
from results.report.blocks import Section
from results.report.contents import sections
from results.report.inputs import Inputs
from results.words import listed, ranged, seeds


@dataclass(frozen=True)
class Report:
    title: str
    lead: str
    notes: list[str]
    sections: list[Section]


def report(
    studies: list[Findings],
    faces: Path | None = None,
    voters: Path | None = None,
) -> Report:
    """Everything that these studies allow to say, in the order in which a reader asks.

    `faces` is the source of the photographs, `voters` FER+'s table: sections of their own.
    """
    studies = named_apart(studies)
    each = [answers(one) for one in studies]
    settings = evaluation.evaluated([setting for some in each for setting in some])
    given = Inputs(studies, settings, faces, voters)
    notes = [
        f"{one.name}: {note}" if given.several else note
        for one, some in zip(studies, each, strict=True)
        for note in warnings(one, some)
    ]
    if len({one.study["data"].get("digest") for one in studies}) > 1:
        notes.append(
            "The studies aren't on the same data: only settings on the same images are "
            "tested against one another."
        )
    return Report(
        title=f"Results: {listed([one.name for one in studies])}",
        lead=lead(given.accuracies, studies),
        notes=list(dict.fromkeys(notes)),
        sections=sections(given, "report"),
    )


def lead(frame: pd.DataFrame, studies: list[Findings]) -> str:
    """The answer in two sentences, or what there is instead."""
    test = frame[(frame["scope"] == PRIMARY) & (frame["measure"] == "accuracy")]
    if test.empty:
        highest = [
            f"{100 * found[0]:.1f} %" + (f" in {one.name}" if len(studies) > 1 else "")
            for one in studies
            if (found := answer.highest(one))
        ]
        what = listed(list(dict.fromkeys(one.judged for one in studies)))
        so_far = f" The highest {what} so far is {listed(highest)}." if highest else ""
        return f"{answer.untested(bool(frame['scope'].eq('test').any()))}{so_far}"
    each = [
        f"{row['setting']} {100 * row['mean']:.1f} % ({reach(row)}{seeds(row['seeds'])})"
        for _, row in test.sort_values("mean", ascending=False).head(4).iterrows()
    ]
    more = f", and {len(test) - 4} more" if len(test) > 4 else ""
    same = test["digest"].nunique() == 1
    clean = "" if any(map(chosen_on_test, studies)) else ", on which nothing was chosen"
    interval = ", with 95 % intervals" if test["low"].notna().any() else ""
    same = same and test["images"].nunique() == 1
    images = f"{test['images'].iloc[0]:,} test images" if same else "test (not the same for all)"
    return f"Accuracy on {images} without duplicates{clean}{interval}: {'; '.join(each)}{more}."


def reach(row: pd.Series) -> str:
    """57.2 to 59.5, or nothing where there is no interval."""
    return "" if pd.isna(row["low"]) else f"{ranged(row['low'], row['high'])}, "
