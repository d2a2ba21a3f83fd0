"""The views that are written here and not drawn by the page's script."""

from pathlib import Path

from results.artefacts.load import Findings, answers
from results.explorer.markup import sections_html
from results.explorer.overview import overview
from results.facts import evaluation
from results.facts import statistics as st
from results.facts.evaluation import Evaluated
from results.report.contents import sections
from results.report.inputs import Inputs

UNTESTED = "No confirmed model has answered images yet: what needs one will stand here."


def evaluated(studies: list[Findings], resamples: int = st.RESAMPLES) -> list[Evaluated]:
    """Every confirmed setting of the studies with its bootstraps."""
    return evaluation.evaluated([setting for one in studies for setting in answers(one)], resamples)


def texts(
    studies: list[Findings], settings: list[Evaluated], votes: Path | None = None
) -> dict[str, str]:
    """Three views as HTML: overview, comparison, paper; `searches` takes longer."""
    given = Inputs(studies, settings, voters=votes)
    compared = sections_html(sections(given, "comparison")) if settings else f"<p>{UNTESTED}</p>"
    return {
        "overview": overview(studies, settings),
        "comparison": compared,
        "paper": sections_html(sections(given, "paper")),
    }


def searches(studies: list[Findings]) -> str:
    """What each whole search says: edges of the space, the winner's curse, fANOVA and PED-ANOVA."""
    return sections_html(sections(Inputs(studies, []), "searches"))
