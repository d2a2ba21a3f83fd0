"""The views that are written here and not drawn by the page's script."""

from pathlib import Path

from results.artefacts.load import Findings, answers
from results.explorer.markup import sections, sections_html
from results.explorer.overview import answer, bookkeeping, waiting
from results.facts import evaluation
from results.facts.evaluation import Evaluated
from results.report.inputs import Inputs

UNTESTED = "No confirmed model has answered images yet: what needs one will stand here."


def evaluated(studies: list[Findings]) -> list[Evaluated]:
    """Every confirmed setting of the studies with its measures."""
    return evaluation.evaluated([setting for one in studies for setting in answers(one)])


def texts(
    studies: list[Findings], settings: list[Evaluated], votes: Path | None = None
) -> dict[str, str]:
    """The written views as HTML, by name; `searches` takes longer."""
    given = Inputs(studies, settings, voters=votes)
    compared = sections_html(sections(given, "comparison")) if settings else f"<p>{UNTESTED}</p>"
    return {
        "answer": answer(given),
        "study": bookkeeping(studies),
        "health": as_of(studies) + sections_html(sections(given, "health")),
        "comparison": compared,
        "curves": as_of(studies) + sections_html(sections(given, "curves")),
        **{name: sections_html(sections(given, name)) for name in ("networks", "paper")},
    }


def as_of(studies: list[Findings]) -> str:
    """Of how much a text on running studies is: the page has it later than what it draws itself."""
    if not any(one.study.get("status") == "running" for one in studies):
        return ""
    trials = sum(len(one.trials) for one in studies)
    epochs = sum(len(one.epochs) for one in studies)
    return f'<p class="quiet">As of {trials:,} trials and {epochs:,} epochs.</p>'


def first(studies: list[Findings], settings: list[Evaluated] | None) -> dict[str, str]:
    """Those of them that are there from the beginning."""
    waits = settings is None and any(answers(one) for one in studies)
    found = waiting(studies) if waits else answer(Inputs(studies, settings or []))
    return {"answer": found, "study": bookkeeping(studies)}


def searches(studies: list[Findings]) -> str:
    """What each whole search says: edges of the space, the winner's curse, fANOVA and PED-ANOVA."""
    return as_of(studies) + sections_html(sections(Inputs(studies, []), "searches"))
