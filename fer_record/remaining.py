"""How long a study will still take, by study.json and its journal.

The driver, `python -m study.status` and the explorer ask the same function.
"""

import heapq
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fer_record.journal import Row
from fer_record.rungs import expected as expected_of_halving
from fer_record.tables import Tables

Facts = dict[str, Any]  # study.json, or the study in it
Paces = dict[str, float]  # network -> seconds of an epoch
Job = tuple[str, str, float]  # trial, or nothing; network; epochs that are left
OVERDUE = 2.0  # epochs of its network for which a trial is silent, after which nobody can say
FORWARD = 3  # times as long as its forward pass a training step takes


@dataclass(frozen=True)
class Pace:
    """Seconds of an epoch of each network: as seen, else as a few steps of it were before the first
    epoch, else as its multiply-adds make one expect, or where none are counted as others'."""

    known: Paces
    sizes: dict[str, int]  # network -> multiply-adds of an image, as far as they are known

    def of(self, model: str) -> float:
        if model in self.known:
            return self.known[model]
        size, sizes = self.sizes.get(model, 0), self.sizes
        alike = [size * s / sizes[one] for one, s in self.known.items() if size and sizes.get(one)]
        each = alike or [*self.known.values()]
        return sum(each) / len(each)


def pace(header: Facts, tables: Tables) -> Pace:
    networks = header.get("networks") or {}
    sizes = {model: sum(row["multiply_adds"] for row in rows) for model, rows in networks.items()}
    return Pace(header.get("seconds_per_epoch", {}) | seen(tables), sizes)


def seconds(header: Facts, tables: Tables, now: datetime) -> float | None:
    """Seconds until the study ends: search, confirmation and the answers on test; None if unknown.

    It counts down between the epochs. Unknown before the first epoch, if no pace was measured
    before it, and while no trial at work is done with an epoch in time. `header` is study.json;
    where an older driver hasn't told there how many trials it trains at once, it is those at work.
    """
    study, speed = header["study"], pace(header, tables)
    if not speed.known:
        return None
    at_work = {n: row["hp_model"] for n, row in tables.trials.items() if row["status"] == "running"}
    silent = {name: since(name, tables, now) for name in at_work}
    if at_work and all(silent[name] > OVERDUE * speed.of(m) for name, m in at_work.items()):
        return None
    slots, left = header.get("trials_at_once", len(at_work)), 0.0
    for stage in (searches(study, tables), in_order(study, tables, speed)):
        jobs = [
            max(0.0, epochs * speed.of(model) - min(silent.get(name, 0.0), speed.of(model)))
            for name, model, epochs in stage
        ]
        left += together(jobs, slots)
    unasked = [model for n, (model, _) in due(study, tables).items() if n not in tables.opened]
    answers = epochs_of_answers(header.get("data") or {})
    left += together([answers * speed.of(model) for model in unasked], slots)
    if limit := study.get("time_budget"):
        left = min(left, max(0.0, limit - spent(tables, now)))
    busy = sum(tables.last.get(name, tables.trials[name]).get("gpus", 0.0) for name in at_work)
    if busy and (hours := study.get("gpu_hours")):
        left = min(left, max(0.0, 3600 * hours - tables.gpu_seconds) / busy)
    return left


def spent(tables: Tables, now: datetime) -> float:
    """Seconds over all drivers, of which one is at work: also those since its last event."""
    silent = (now - tables.moment).total_seconds() if tables.moment else 0.0
    return tables.wall_seconds + max(0.0, silent)


def epochs_of_answers(data: Facts) -> float:
    """What a network's answers on all of val and on test cost, in epochs of it."""
    if not {"images", "counts"} <= {*data}:
        return 0.0
    answered = sum(data["counts"]["val"].values()) + data["images"]["test"]
    return float(answered / (FORWARD * max(1, data["images"]["train"])))


def in_order(study: Facts, tables: Tables, speed: Pace) -> list[Job]:
    """What is left of the confirmation, in the order in which it trains.

    After a search each network's best before what is beside it, seed by seed, so that a budget cuts
    what matters least; and of each seed those first that take longest: begun last, a long one would
    leave the other cores idle. Settings keep the order that a person has given them.
    """
    jobs = list(confirmations(study, tables))
    if not speed.known or not (searched(study) or tables.of_stage("search")):
        return jobs
    best = {n for n, row in tables.chosen.items() if not row.get("beside")} or {*study["models"]}

    def place(job: Job) -> tuple[bool, int, float]:
        name, model, epochs = job
        setting, _, number = name.rpartition("-s")
        return setting not in best, int(number), -epochs * speed.of(model)

    return sorted(jobs, key=place)


def seen(tables: Tables) -> Paces:
    """Mean seconds of an epoch by network: of those of the newest driver, which may give a trial
    other cores than the drivers before it, and of all where it has none yet."""
    epochs = [(tables.trials[name]["hp_model"], row) for (name, _), row in tables.epochs.items()]
    newest = [one for one in epochs if tables.began and one[1]["finished_at"] >= tables.began]
    every, own = (
        means((model, row["epoch_seconds"]) for model, row in some) for some in (epochs, newest)
    )
    return every | own


def means(pairs: Iterable[tuple[str, float]]) -> dict[str, float]:
    values: dict[str, list[float]] = {}
    for name, value in pairs:
        values.setdefault(name, []).append(value)
    return {name: sum(own) / len(own) for name, own in values.items()}


def since(name: str, tables: Tables, now: datetime) -> float:
    """Seconds since anything was heard of a trial at work, at most since its driver began."""
    last = tables.last.get(name, {}).get("finished_at") or tables.trials[name]["started_at"]
    return float((now - max(last, tables.began or last)).total_seconds())


def together(jobs: list[float], slots: int) -> float:
    """Seconds that jobs take, so many at once: each begins when one before it has ended."""
    free = [0.0] * max(1, min(slots, len(jobs)))
    for job in jobs:
        heapq.heappush(free, heapq.heappop(free) + job)
    return max(free)


def searched(study: Facts) -> int:
    """Trials that the search is to have."""
    return study.get("trials", 0) if "search" in study.get("stages", ()) else 0


def searches(study: Facts, tables: Tables) -> Iterator[Job]:
    """What is left of the search: a trial is expected to be as long as its network's so far."""
    if not searched(study) or tables.chosen:
        return
    rows = tables.of_stage("search")
    ended = {n: row for n, row in rows.items() if row["status"] in ("completed", "stopped")}
    lengths = means((row["hp_model"], done(name, tables)) for name, row in ended.items())
    every = means(("", done(name, tables)) for name in ended).get("") or untold(study)
    for name, row in rows.items():
        if row["status"] == "running":
            model = row["hp_model"]
            yield name, model, max(lengths.get(model, every) - done(name, tables), 1)
    tried = Counter(row["hp_model"] for row in rows.values())
    for _ in range(searched(study) - len(rows)):
        model = min(study["models"], key=tried.__getitem__)  # they take turns
        tried[model] += 1
        yield "", model, lengths.get(model, every)


def untold(study: Facts) -> float:
    """Epochs of a search's trial, before any has ended."""
    if study.get("scheduler") == "none":
        return float(study["epochs"])
    halving = study["epochs"], study.get("grace_epochs", 1), study.get("reduction_factor", 3)
    return expected_of_halving(*halving, searched(study) / len(study["models"]))


def confirmations(study: Facts, tables: Tables) -> Iterator[Job]:
    """What is left of the confirmation."""
    for name, (model, epochs) in due(study, tables).items():
        if tables.trials.get(name, {}).get("status") not in ("completed", "failed"):
            yield name, model, epochs - done(name, tables)


def due(study: Facts, tables: Tables) -> dict[str, tuple[str, int]]:
    """All models that are to be confirmed, done or not, with their network and epochs, as far as
    one can say. In their order: seed by seed, so that an early end is fair, and what is beside the
    best after it."""
    if "confirm" not in study.get("stages", ()):
        return {}
    models, beside = study["models"], study.get("baseline_seeds", 0)
    settings = {name: row["hp"] for name, row in tables.chosen.items()}
    others = [name for name, row in tables.chosen.items() if row.get("beside")]
    if not settings and "search" not in study["stages"] and not tables.of_stage("search"):
        settings = {s["name"]: s for s in study.get("settings", ()) if s["model"] in models}
    if not settings:
        settings = {model: {"model": model} for model in models}
        if beside and (searched(study) or tables.of_stage("search")):
            each = ("default", *range(2, 2 + study.get("runners_up", 0)))
            more = {f"{model}-{one}": {"model": model} for model in models for one in each}
            settings, others = settings | more, [*more]
    first = [name for name in settings if name not in others]
    return {
        f"{name}-s{number}": (hp["model"], hp.get("epochs", study.get("epochs", 0)))
        for names, seeds in ((first, study.get("seeds", 0)), (others, beside))
        for number in range(seeds)
        for name in names
        for hp in (settings[name],)
    }


def done(name: str, tables: Tables) -> int:
    row: Row = tables.last.get(name, {"epoch": 0})
    return row["epoch"]
