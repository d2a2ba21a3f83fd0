"""Where a study stands: what was spent, what is left, how long it will take, what failed."""

from typing import Any

import numpy as np
import pandas as pd

from results.artefacts.load import Findings
from results.facts.status import duration, settings_of


def budget(one: Findings) -> pd.DataFrame:
    """A row per kind of budget: spent, of how much, and what is left of it (NaN: no limit)."""
    config, trials, epochs = one.study["study"], one.trials, one.epochs
    each = pd.to_numeric(epochs["epoch_seconds"])
    seconds, gpu = each.sum(), (each * epochs["gpus"]).sum() / 3600
    searched = trials[trials["stage"] == "search"]
    asked = config.get("trials") if "search" in config.get("stages", []) else len(searched)
    rows = [
        ("trials of the search", len(searched), asked),
        ("models of the confirmation", len(trials) - len(searched), len(confirmations(one))),
        ("epochs", len(epochs), epochs_asked(one)),
        ("seconds, wall-clock", clock(one), config.get("time_budget") or np.nan),
        ("seconds in epochs, all trials", seconds, np.nan),
        ("GPU hours", gpu, config.get("gpu_hours") or np.nan),
    ]
    frame = pd.DataFrame(rows, columns=["budget", "spent", "limit"])
    frame[["spent", "limit"]] = frame[["spent", "limit"]].astype(float)
    left = (frame["limit"] - frame["spent"]).clip(lower=0)
    left[frame["budget"] == "epochs"] = epochs_left(one)  # stopped trials leave none
    frame = frame.assign(left=left)
    return frame[(frame["spent"] > 0) | (frame["limit"] > 0)].reset_index(drop=True)


def confirmations(one: Findings) -> dict[str, float]:
    """The models that the confirmation trains, begun or not, by the names of their trials, and the
    epochs of each, as far as one can say: each setting or the best of each network with each of its
    seeds, and what is confirmed beside the best."""
    config = one.study["study"]
    if "confirm" not in config.get("stages", []):
        return {}
    whole, own = float(config.get("epochs") or 0), {} if one.searches else named_epochs(one)
    first = list(one.chosen.loc[one.chosen["beside"].isna(), "setting"])
    beside = list(one.chosen.loc[one.chosen["beside"].notna(), "setting"])
    if not first and one.searches:
        first = config.get("models", [])
        each = ["default", *range(2, 2 + int(config.get("runners_up") or 0))]
        beside = [f"{model}-{which}" for model in first for which in each]
    elif not first:
        first = settings_of(config)
    seeds = (first, config.get("seeds") or 1), (beside, config.get("baseline_seeds") or 0)
    return {
        f"{name}-s{number}": own.get(name, whole)
        for names, many in seeds
        for number in range(int(many))
        for name in names
    }


def named_epochs(one: Findings) -> dict[str, float]:
    """Named setting -> epochs of its own."""
    named = one.study["study"].get("settings") or []
    return {each["name"]: float(each["epochs"]) for each in named if each.get("epochs")}


def to_come(one: Findings) -> tuple[int, float]:
    """Trials of the search, and epochs of the confirmation, that haven't begun."""
    begun = set(one.trials["trial_id"])
    epochs = sum(many for name, many in confirmations(one).items() if name not in begun)
    config, searched = one.study["study"], int((one.trials["stage"] == "search").sum())
    if "search" not in config.get("stages", []) or len(one.chosen):
        return 0, epochs
    return max(0, (config.get("trials") or 0) - searched), epochs


def under_way(one: Findings) -> float:
    """Epochs that the trials which haven't ended still have before them."""
    trials = one.trials[one.trials["status"] == "running"]
    run = one.epochs.groupby("trial_id").size().reindex(trials["trial_id"], fill_value=0)
    left = trials["hp_epochs"].to_numpy(float) - run.to_numpy(float)
    return float(left.clip(min=0).sum())


def epochs_left(one: Findings) -> float:
    """Epochs that may still be run: those under way, and all of the trials to come."""
    trials, epochs = to_come(one)
    return under_way(one) + trials * (one.study["study"].get("epochs") or 0) + epochs


def epochs_asked(one: Findings) -> float:
    """Epochs if nothing were stopped: those of the trials that began, and of those to come."""
    begun = float(pd.to_numeric(one.trials["hp_epochs"]).sum())
    return begun + epochs_left(one) - under_way(one)


def clock(one: Findings) -> float:
    """Seconds that its drivers were at work, to the end or to the last event of a study that still
    runs, as its time budget counts them: what lies between one's last sign and --resume isn't."""
    begin, end = one.study.get("started_at"), one.study.get("ended_at") or one.last_event
    if not begin or not end:
        return 0.0
    starts = [at(begin), *(at(driver["time"]) for driver in one.drivers[1:])]
    when = [one.epochs["finished_at"], one.trials["started_at"], one.trials["ended_at"]]
    signs = np.array([at(end), *map(at, pd.concat(when).dropna())])
    spans = zip(starts, [*starts[1:], np.inf], strict=True)
    worked = (np.max(signs[(a <= signs) & (signs < b)], initial=a) - a for a, b in spans)
    return float(sum(worked))


def at(moment: Any) -> float:
    """Seconds since 1970."""
    return pd.Timestamp(moment).timestamp()


def forecast(one: Findings) -> dict[str, Any]:
    """Epochs still to be run and how long they take at the pace so far; empty when it ended.

    Trials to come are expected to run as many epochs as those of the search that ended did on
    average; a running one is counted to its last epoch. So it is high where ASHA still stops some.
    """
    if one.study.get("status") != "running" or one.epochs.empty:
        return {}
    config, trials = one.study["study"], one.trials
    ended = trials[(trials["status"] != "running") & (trials["stage"] == "search")]
    run = one.epochs.groupby("trial_id").size().reindex(ended["trial_id"], fill_value=0)
    mean = float(run.mean() if len(run) else config.get("epochs") or 0)
    new, confirmed = to_come(one)
    left = under_way(one) + new * mean + confirmed
    pace = clock(one) / len(one.epochs)
    seconds = left * pace
    limit = max(0.0, (config.get("time_budget") or np.inf) - clock(one))
    return {
        "epochs": left,
        "seconds": min(seconds, limit),
        "pace": pace,
        "limited": limit < seconds,
    }


def forecast_words(one: Findings) -> str:
    ahead = forecast(one)
    if not ahead:
        return ""
    end = pd.Timestamp(one.last_event or one.study["started_at"]) + pd.Timedelta(
        seconds=ahead["seconds"]
    )
    words = (
        f"About {ahead['epochs']:,.0f} epochs are left, {duration(ahead['seconds'])} at "
        f"{ahead['pace']:.3g} s of wall time an epoch so far: until about "
        f"{end:%Y-%m-%d %H:%M} UTC."
    )
    return words + (" Its time budget ends it by then." if ahead["limited"] else "")


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
