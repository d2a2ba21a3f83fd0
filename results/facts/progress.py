"""Where a study stands: what was spent, what is left, how long it will take, what failed.

What is left is what `python -m study.status` says, too (fer_record.remaining).
"""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd

from fer_record import remaining
from fer_record.journal import Event
from fer_record.tables import Tables
from results.artefacts.load import Findings
from results.artefacts.once import once
from results.facts.status import duration

BUDGETS: dict[str, Any] = {"time_budget": 0, "gpu_hours": 0}  # as a study has them without a limit


def budget(one: Findings) -> pd.DataFrame:
    """A row per kind of budget: spent, of how much, and what is left of it (NaN: no limit)."""
    config, trials, epochs, known = one.study["study"], one.trials, one.epochs, record(one)
    each = pd.to_numeric(epochs["epoch_seconds"])
    seconds, gpu = each.sum(), (each * epochs["gpus"]).sum() / 3600
    searched = int((trials["stage"] == "search").sum())
    due = remaining.due(config, known)
    rows = [
        ("trials of the search", searched, remaining.searched(config) or searched),
        ("models of the confirmation", len(trials) - searched, len(due)),
        ("epochs", len(epochs), epochs_asked(one)),
        ("seconds, wall-clock", known.wall_seconds, config.get("time_budget") or np.nan),
        ("seconds in epochs, all trials", seconds, np.nan),
        ("GPU hours", gpu, config.get("gpu_hours") or np.nan),
    ]
    frame = pd.DataFrame(rows, columns=["budget", "spent", "limit"])
    frame[["spent", "limit"]] = frame[["spent", "limit"]].astype(float)
    left = (frame["limit"] - frame["spent"]).clip(lower=0)
    left[frame["budget"] == "epochs"] = epochs_left(one)  # stopped trials leave none
    frame = frame.assign(left=left)
    return frame[(frame["spent"] > 0) | (frame["limit"] > 0)].reset_index(drop=True)


@once
def record(one: Findings) -> Tables:
    """The study as its journal tells it or, where that doesn't know the trials, as its tables do:
    a published copy's journal tells of drivers and of what was chosen alone."""
    if {*one.trials["trial_id"]} <= one.record.trials.keys():
        return one.record
    trials = one.trials[["trial_id", "stage", "status", "hp_model"]]
    epochs = one.epochs[["trial_id", "epoch"]].sort_values("epoch")
    rows, last = (
        {row["trial_id"]: row for row in frame.to_dict("records")} for frame in (trials, epochs)
    )
    return replace(Tables.of(signs(one)), trials=rows, last=last, chosen=one.record.chosen)


def signs(one: Findings) -> list[Event]:
    """When its drivers began, and whatever else its tables know the time of, as events."""
    begun = [one.study.get("started_at"), *(driver["time"] for driver in one.drivers[1:])]
    when = [one.epochs["finished_at"], one.trials["started_at"], one.trials["ended_at"]]
    heard = [*pd.concat(when).dropna(), one.study.get("ended_at") or one.last_event]
    told = [("driver_started", at) for at in begun] + [("", at) for at in heard]
    moments = [(pd.Timestamp(at), name) for name, at in told if at]
    return [
        {"event": name, "time": at.isoformat()}
        for at, name in sorted(moments, key=lambda moment: moment[0])
    ]


def epochs_left(one: Findings) -> float:
    """Epochs that are expected to be trained yet."""
    config, known = one.study["study"], record(one)
    jobs = *remaining.searches(config, known), *remaining.confirmations(config, known)
    return sum(max(0.0, epochs) for _, _, epochs in jobs)


def epochs_asked(one: Findings) -> float:
    """Epochs if nothing were stopped: those of the trials that began, and of those to come."""
    config, known = one.study["study"], record(one)
    new = sum(not name for name, _, _ in remaining.searches(config, known))
    due = remaining.due(config, known).items()
    confirmed = sum(epochs for name, (_, epochs) in due if name not in known.trials)
    begun = float(pd.to_numeric(one.trials["hp_epochs"]).sum())
    return begun + new * (config.get("epochs") or 0) + confirmed


def seconds_left(one: Findings, now: datetime) -> float | None:
    """Until a study that runs ends; None if that can't be said."""
    running = one.study.get("status") == "running"
    return remaining.seconds(one.study, one.record, now) if running else None


def forecast(one: Findings, now: datetime) -> str:
    """The same in words, with the moment that it is counted from: a page stays open."""
    left = seconds_left(one, now)
    if left is None:
        return ""
    unlimited = one.study | {"study": one.study["study"] | BUDGETS}
    words = (
        f"About {duration(left)} left at {now:%Y-%m-%d %H:%M} UTC, at the pace so far: until about "
        f"{now + timedelta(seconds=left):%Y-%m-%d %H:%M}."
    )
    ends = left < (remaining.seconds(unlimited, one.record, now) or 0)
    return words + " Its budget ends it by then." * ends


def failures(one: Findings) -> pd.DataFrame:
    """What failed or had to be started again: a row per error, the most frequent first."""
    trials = one.trials
    bad = trials[(trials["status"] == "failed") | (pd.to_numeric(trials["retries"]) > 0)]
    frame = bad.assign(
        error=bad["error"].replace("", None).fillna(bad["reason"]).fillna(""),
        failed=bad["status"] == "failed",
    )
    grouped = frame.groupby("error", as_index=False).agg(
        trials=("trial_id", "size"),
        failed=("failed", "sum"),
        networks=("hp_model", lambda names: ", ".join(sorted(set(map(str, names))))),
        first=("trial_id", "first"),
    )
    return grouped.sort_values("trials", ascending=False).reset_index(drop=True)
