"""A note where networks that have not learned are among those that a section is about."""

from results.facts import learning
from results.facts.evaluation import Evaluated
from results.report.blocks import Block, Text


def cautions(settings: list[Evaluated], what: str) -> list[Block]:
    """`what`, as "the calibration of", is one of such a network then."""
    words = learning.caution(settings, what)
    return [Text(words, "note")] if words else []
