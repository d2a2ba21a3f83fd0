"""Every section, once: the places that show it, and how it is made.

A place is the report or a part of the explorer's written views (comparison, searches, health, ...);
within a place the order here is the order shown. A new figure is a section's file and a line of
SECTIONS.
"""

from collections.abc import Callable, Iterable

from results.facts import votes
from results.report.blocks import Section
from results.report.inputs import Inputs
from results.report.sections.answer import answer
from results.report.sections.calibration import calibration
from results.report.sections.confirmed import confirmed
from results.report.sections.confusion import matrices, papers_matrices
from results.report.sections.cost import cost
from results.report.sections.curves import curves
from results.report.sections.elsewhere import tested
from results.report.sections.faces import grid
from results.report.sections.health import health
from results.report.sections.history import history
from results.report.sections.ingredients import ingredients
from results.report.sections.networks import networks
from results.report.sections.overview import overview
from results.report.sections.pairs import pairs
from results.report.sections.paper import beside, oddities
from results.report.sections.search import beyond_selection, search
from results.report.sections.searches import searches
from results.report.sections.votes import label_noise

Make = Callable[[Inputs], Iterable[Section | None]]


def sections(inputs: Inputs, place: str) -> list[Section]:
    """The sections of a place that these studies allow, in order."""
    made = [make(inputs) for places, make in SECTIONS if place in places.split()]
    return [section for each in made for section in each if section]


SECTIONS: tuple[tuple[str, Make], ...] = (
    ("report answer", lambda given: [answer(given)]),
    ("report", lambda given: [history(given.studies)]),
    ("report health", lambda given: [health(one, given) for one in given.studies]),
    ("report comparison", lambda given: [confirmed(given)]),
    ("report comparison", lambda given: [pairs(given)]),
    ("report comparison", searches),
    ("report comparison", ingredients),
    ("report curves", lambda given: [curves(given.studies)]),
    ("report", lambda given: [matrices(given)]),
    ("paper", lambda given: [papers_matrices(given)]),
    ("report comparison", lambda given: [noise(given)]),
    ("report comparison", lambda given: [calibration(given.settings)]),
    ("report comparison", lambda given: [tested(given)]),
    ("report comparison", lambda given: [cost(given.studies, given.settings)]),
    ("report", lambda given: [search(one, given) for one in given.studies]),
    ("searches", lambda given: [beyond_selection(one, given) for one in given.studies]),
    ("report networks", lambda given: [networks(given.studies)]),
    ("report paper", lambda given: [beside(given.printed, given.not_compared, given.across)]),
    ("report paper", lambda given: [oddities(given.published)]),
    ("report", lambda given: [grid(given.studies, given.faces)] if given.faces else []),
    ("report", lambda given: [overview(given.studies)]),
)


def noise(given: Inputs) -> Section | None:
    """Label noise, where the voters' table is given."""
    if not given.voters:
        return None
    return label_noise(given.settings, votes.read(given.voters))
