"""Which trials have hung: those that reported nothing for too long. Runs on the driver."""

import math
import time
from collections.abc import Iterable

from study.config import Study
from study.record import Row, Tables

TIMES = 20  # the longest epoch that a trial of its size may be expected to need
LEAST_SECONDS = 600.0
FIRST_SECONDS = 3 * 3600.0  # before any epoch was seen: ResNet-34 on one core needs most of an hour


class Watch:
    """When each trial at work was last heard of, and how long it may be silent."""

    def __init__(self, study: Study, tables: Tables) -> None:
        self.study, self.tables = study, tables
        self.heard: dict[str, float] = {}
        self.longest: dict[int, float] = {}  # multiply-adds of a network -> its longest epoch
        for (name, _), row in tables.epochs.items():
            self.saw(name, row["epoch_seconds"])

    def hear(self, name: str) -> None:
        self.heard[name] = time.monotonic()

    def forget(self, name: str) -> None:
        """A trial that has ended, or waits to be started again, isn't at work."""
        self.heard.pop(name, None)

    def saw(self, name: str, epoch_seconds: float) -> None:
        size = self.tables.trials[name]["multiply_adds"]
        self.longest[size] = max(self.longest.get(size, 0.0), epoch_seconds)

    def limit(self, trial: Row) -> float:
        """Seconds without a report after which a trial has hung.

        As the study says, or by what was seen: an epoch of a larger network may take longer than
        any so far, in proportion to its multiply-adds.
        """
        if self.study.hang_seconds >= 0:
            return self.study.hang_seconds or math.inf
        if not self.longest:
            return FIRST_SECONDS
        size = trial["multiply_adds"]
        expected = max(s * max(1.0, size / seen) for seen, s in self.longest.items())
        return max(LEAST_SECONDS, TIMES * expected)

    def hung(self) -> Iterable[tuple[str, float]]:
        """The trials that are silent for longer than their limit, with that limit."""
        for name, heard in list(self.heard.items()):
            limit = self.limit(self.tables.trials[name])
            if time.monotonic() - heard > limit:
                yield name, limit
