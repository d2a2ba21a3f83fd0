"""Which trials have hung, and which have failed too often. Runs on the driver."""

import math
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from fer_record.journal import Row
from fer_record.tables import Tables
from study.config.study import Study

TIMES = 20  # the longest epoch that a trial of its size may be expected to need
LEAST_SECONDS = 600.0
FIRST_SECONDS = 3 * 3600.0  # before any epoch was seen: ResNet-34 on one core needs most of an hour
# What Ray says of a worker whose machine is gone: it knows already, or there is only silence yet.
MACHINE_GONE = ("its node has died", "is temporarily unavailable")


class Watch:
    """When each running trial last reported, and how long it may be silent."""

    def __init__(self, study: Study, tables: Tables) -> None:
        self.study, self.tables = study, tables
        self.last_report: dict[str, float] = {}
        self.any_report = time.monotonic()  # the last of any trial
        self.stall_told = False
        self.longest: dict[int, float] = {}  # multiply-adds of a network -> its longest epoch
        for (name, _), row in tables.epochs.items():
            self.epoch_took(name, row["epoch_seconds"])

    def reported(self, name: str) -> None:
        self.last_report[name] = self.any_report = time.monotonic()
        self.stall_told = False

    def forget(self, name: str) -> None:
        """A trial that has ended, or waits to be started again, doesn't run."""
        self.last_report.pop(name, None)

    def epoch_took(self, name: str, epoch_seconds: float) -> None:
        size = self.tables.trials[name]["multiply_adds"]
        self.longest[size] = max(self.longest.get(size, 0.0), epoch_seconds)

    def limit(self, trial: Row) -> float:
        """Seconds without a report after which a trial has hung.

        As the study says, or by what was seen: an epoch of a larger network may take longer than
        any so far, in proportion to its multiply-adds. A network whose layers count none tells
        nothing of others, nor they of it.
        """
        if self.study.hang_seconds >= 0:
            return self.study.hang_seconds or math.inf
        size = trial["multiply_adds"]
        told = {seen: s for seen, s in self.longest.items() if bool(seen) == bool(size)}
        if not told:
            return FIRST_SECONDS
        expected = max(s * (max(1.0, size / seen) if seen else 1.0) for seen, s in told.items())
        return max(LEAST_SECONDS, TIMES * expected)

    def stalled(self) -> float:
        """Seconds since any trial was heard of, once for each time that it is longer than an epoch
        may take: trials may also wait for a worker that doesn't come. Otherwise 0."""
        longest = max(LEAST_SECONDS, TIMES * max(self.longest.values(), default=0.0))
        limit = self.study.hang_seconds if self.study.hang_seconds > 0 else longest
        silent = time.monotonic() - self.any_report
        if self.stall_told or silent <= (limit if self.longest else FIRST_SECONDS):
            return 0.0
        self.stall_told = True
        return silent

    def hung(self) -> Iterable[tuple[str, float]]:
        """The trials that are silent for longer than their limit, with that limit."""
        for name, last in list(self.last_report.items()):
            limit = self.limit(self.tables.trials[name])
            if time.monotonic() - last > limit:
                yield name, limit


def machine_gone(error: str) -> bool:
    """Whether Ray's whole text of a failure is about the machine, not about what ran there."""
    return any(words in error for words in MACHINE_GONE)


class Failures:
    """How often each trial has failed, and whether it is to be started again.

    A machine that is taken away is no fault of the trial that was on it, and spot machines are
    taken away all the time: that uses up no retry. Only if the trial had not done an epoch since it
    lost the last one does it count: a trial that brings its machine down must come to an end.
    """

    def __init__(self, retries: int) -> None:
        self.retries = retries
        self.counted: Counter[str] = Counter()
        self.stranded: set[str] = set()  # lost a machine, and no epoch since

    def went_on(self, name: str) -> None:
        self.stranded.discard(name)

    def too_many(self, name: str, machine_gone: bool) -> bool:
        """Take note of one more."""
        if machine_gone and name not in self.stranded:
            self.stranded.add(name)
            return False
        self.counted[name] += 1
        return self.counted[name] > self.retries


def traceback(trial: Any) -> str:
    """What Tune kept of a trial's error."""
    path = Path(trial.error_file or "")
    return path.read_text(errors="backslashreplace") if path.is_file() else ""


def newest(traceback: str) -> str:
    """The last of the failures that Tune put one behind the other."""
    return traceback.rsplit("Failure # ", 1)[-1]


def last_line(error: str) -> str:
    """The last line that says something."""
    lines = [line.strip() for line in error.splitlines() if line.strip()]
    return lines[-1][:500] if lines else "no message"
