"""What the terminal prints of studies: their health on one screen, and the REFORMS checklist."""

from collections.abc import Iterator

from results.artefacts.load import Findings, answers, named_apart
from results.facts import checklist as reforms
from results.facts import evaluation
from results.facts import health as facts
from results.report.inputs import Inputs


def lines(studies: list[Findings], health: bool, checklist: bool) -> Iterator[str]:
    """Line by line, study by study."""
    studies = named_apart(studies)
    given = Inputs(studies, evaluation.evaluated([s for one in studies for s in answers(one)]))
    for one in studies:
        if health:
            heading = [f"Health of {one.name}"] * given.several
            yield from [*heading, *facts.lines(facts.of(one, given.settings, given.verdicts))]
        if checklist:
            yield from reforms.lines(one, given.settings, given.verdicts)
