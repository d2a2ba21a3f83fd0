"""How long a study will still take, by the epochs so far. Runs on the driver."""

import heapq
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from study.config.study import Study, beside_names, configuration
from study.record import outcome
from study.record.journal import Row
from study.record.tables import Tables
from study.search.asha import Halving
from study.search.proposals import Config

Paces = dict[str, float]  # network -> seconds of an epoch
Job = tuple[str, str, float]  # trial, or nothing; network; epochs that are left
OVERDUE = 2.0  # epochs of its network for which a trial is silent, after which nobody can say


@dataclass(frozen=True)
class Pace:
    """Seconds of an epoch of each network: as seen, else as a few steps of it were, else as its
    multiply-adds make one expect."""

    seen: Paces
    size: Callable[[str], int]  # network -> multiply-adds
    measured: Paces = field(default_factory=dict)  # before the first epoch

    @property
    def known(self) -> Paces:
        return self.measured | self.seen

    def of(self, model: str) -> float:
        if model in self.known:
            return self.known[model]
        each = [seconds * self.size(model) / self.size(one) for one, seconds in self.known.items()]
        return sum(each) / len(each)


def seconds(
    study: Study,
    tables: Tables,
    slots: int,
    size: Callable[[str], int],
    began: datetime,
    now: datetime,
    answers: float = 0.0,
    measured: Paces | None = None,
) -> float | None:
    """Seconds until the study ends: search, confirmation and the answers on test; None if unknown.

    It counts down between the epochs. Unknown before the first epoch, if no pace was `measured`
    before it, and while no trial at work is done with an epoch in time. `began` is when this driver
    did, before which nobody has heard of a trial that goes on; `answers` is what the answers of a
    network cost, in epochs of it.
    """
    pace = Pace(seen(tables), size, measured or {})
    if not pace.known:
        return None
    at_work = [name for name, row in tables.trials.items() if row["status"] == "running"]
    silent = {name: since(name, tables, began, now) for name in at_work}
    models = {name: tables.trials[name]["hp_model"] for name in at_work}
    if at_work and all(silent[n] > OVERDUE * pace.of(models[n]) for n in at_work):
        return None
    left = 0.0
    for stage in (searches(study, tables), longest(confirmations(study, tables), pace)):
        jobs = [
            max(0.0, epochs * pace.of(model) - min(silent.get(name, 0.0), pace.of(model)))
            for name, model, epochs in stage
        ]
        left += together(jobs, slots)
    if "confirm" in study.stages:
        unasked = [model for name, model, _ in trained(study, tables) if name not in tables.opened]
        left += together([answers * pace.of(model) for model in unasked], slots)
    if study.time_budget:
        left = min(left, max(0.0, study.time_budget - tables.wall_seconds))
    return left


def longest_first(trials: list[Config], tables: Tables, size: Callable[[str], int]) -> list[Config]:
    """The confirmation's trials seed by seed, so that an early end is fair, and of each seed those
    first that take longest: begun last, a long one would leave the other cores idle."""
    pace = Pace(seen(tables), size)

    def order(trial: Config) -> tuple[int, float]:
        return trial["seed"], -trial["epochs"] * pace.of(trial["model"])

    return sorted(trials, key=order)


def longest(jobs: Iterator[Job], pace: Pace) -> list[Job]:
    """A confirmation's in its order, as `longest_first` has it."""
    return sorted(jobs, key=lambda job: -job[2] * pace.of(job[1]))


def seen(tables: Tables) -> Paces:
    """Mean seconds of an epoch by network."""
    total: Counter[str] = Counter()
    count: Counter[str] = Counter()
    for (name, _), row in tables.epochs.items():
        model = tables.trials[name]["hp_model"]
        total[model] += row["epoch_seconds"]
        count[model] += 1
    return {model: total[model] / count[model] for model in total}


def since(name: str, tables: Tables, began: datetime, now: datetime) -> float:
    """Seconds since anything was heard of a trial at work."""
    last = tables.last.get(name, {}).get("finished_at") or tables.trials[name]["started_at"]
    return (now - max(last, began)).total_seconds()


def together(jobs: list[float], slots: int) -> float:
    """Seconds that jobs take, so many at once: each begins when one before it has ended."""
    free = [0.0] * max(1, min(slots, len(jobs)))
    for job in jobs:
        heapq.heappush(free, heapq.heappop(free) + job)
    return max(free)


def searches(study: Study, tables: Tables) -> Iterator[Job]:
    """What is left of the search: a trial is expected to be as long as its network's so far."""
    if "search" not in study.stages or tables.chosen:
        return
    rows = tables.of_stage("search")
    lengths: dict[str, list[int]] = {model: [] for model in study.models}
    for name, row in rows.items():
        if row["status"] in ("completed", "stopped"):
            lengths.setdefault(row["hp_model"], []).append(done(name, tables))
    every = [length for model in lengths.values() for length in model]
    share = study.trials / len(study.models)

    def expected(model: str) -> float:
        found = lengths.get(model) or every
        return sum(found) / len(found) if found else untold(study, share)

    for name, row in rows.items():
        if row["status"] == "running":
            model = row["hp_model"]
            yield name, model, max(expected(model) - done(name, tables), 1)
    tried = Counter(row["hp_model"] for row in rows.values())
    for _ in range(study.trials - len(rows)):
        model = min(study.models, key=tried.__getitem__)  # they take turns
        tried[model] += 1
        yield "", model, expected(model)


def untold(study: Study, trials: float) -> float:
    """Epochs of a search's trial, before any has ended, if so many of its network are judged."""
    if study.scheduler == "none":
        return study.epochs
    rungs = Halving(study.epochs, study.grace_epochs, study.reduction_factor)
    return rungs.expected(trials)


def confirmations(study: Study, tables: Tables) -> Iterator[Job]:
    """What is left of the confirmation."""
    for name, model, epochs in trained(study, tables) if "confirm" in study.stages else ():
        if tables.trials.get(name, {}).get("status") not in ("completed", "failed"):
            yield name, model, epochs - done(name, tables)


def trained(study: Study, tables: Tables) -> Iterator[Job]:
    """All that the confirmation trains, with their whole length, as far as one can say."""
    settings: dict[str, tuple[str, int]] = {}
    for setting in () if tables.chosen else outcome.wanted(study):
        hp = configuration(study, setting)
        settings[setting.name] = hp.model, hp.epochs
    settings |= {model: (model, study.epochs) for model in study.models}
    settings |= {name: (model, study.epochs) for name, model in beside_names(study).items()}
    settings |= {n: (row["hp"]["model"], row["hp"]["epochs"]) for n, row in tables.chosen.items()}
    for name in outcome.due(tables, study):
        yield name, *settings[name.rpartition("-s")[0]]


def done(name: str, tables: Tables) -> int:
    row: Row = tables.last.get(name, {"epoch": 0})
    return row["epoch"]
