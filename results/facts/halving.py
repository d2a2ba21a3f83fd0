"""What ASHA saved, how well its rungs predicted, what more aggressive settings would have done."""

from bisect import insort
from dataclasses import dataclass

import numpy as np
import pandas as pd

from results.artefacts.load import Findings
from results.facts import statistics as st

FACTORS = (2, 3, 4, 6, 8, 12)  # reduction factors that are replayed, from the study's own


def stopped_early(findings: Findings, trials: pd.DataFrame) -> pd.Series:
    """Which of the trials ASHA stopped; a spent budget or --resume ends some as well."""
    ruled = findings.decisions.loc[findings.decisions["decision"] == "stop", "trial_id"]
    return (trials["status"] == "stopped") & trials["trial_id"].isin(ruled)


def savings(findings: Findings, trials: pd.DataFrame) -> pd.DataFrame:
    """Epochs asked and run by network and in all; only trials that ended.

    Saved are the epochs after a decision to stop. What failed, or was ended by a spent budget, is
    asked for no more than it ran: those epochs are lost, or still to come.
    """
    done = trials[trials["status"] != "running"]
    stopped = stopped_early(findings, done)
    frame = done.assign(
        asked=pd.to_numeric(done["hp_epochs"]).where(stopped, done["epochs_run"]),
        stopped=stopped,
        failed=done["status"] == "failed",
    )
    sums = {
        "trials": ("trial_id", "size"),
        "stopped": ("stopped", "sum"),
        "failed": ("failed", "sum"),
        "epochs_asked": ("asked", "sum"),
        "epochs_run": ("epochs_run", "sum"),
        "seconds": ("seconds", "sum"),
    }
    table = frame.groupby("model", sort=False).agg(**sums).reset_index()
    if len(table) > 1:
        table.loc[len(table)] = {"model": "all"} | table.drop(columns="model").sum().to_dict()
    table["saved"] = 1 - table["epochs_run"] / table["epochs_asked"]
    return table


def rungs(findings: Findings, trials: pd.DataFrame) -> pd.DataFrame:
    """Each network's rungs: judged, stopped, and the rank correlation of their values with the
    end's.

    Within a network, since networks that differ would correlate by that alone. Only trials that
    came to their last epoch have an end, so the correlation is of survivors.
    """
    ended = trials[trials["status"] == "completed"].set_index("trial_id")["judged"]
    models = trials.set_index("trial_id")["model"]
    judged = findings.decisions.assign(model=findings.decisions["trial_id"].map(models))
    rows = []
    for (model, rung), group in judged.groupby(["model", "rung"]):
        end = group["trial_id"].map(ended)
        there = end.notna()
        rows.append(
            {
                "model": model,
                "rung": int(rung),
                "judged": len(group),
                "stopped": int((group["decision"] == "stop").sum()),
                "reached_the_end": int(there.sum()),
                "spearman": st.spearman(
                    pd.to_numeric(group["value"][there]).to_numpy(float),
                    end[there].to_numpy(float),
                ),
            }
        )
    columns = ["model", "rung", "judged", "stopped", "reached_the_end", "spearman"]
    return pd.DataFrame(rows, columns=columns)


def in_one_pool(findings: Findings, trials: pd.DataFrame) -> bool:
    """Whether the study judged its networks in one pool; otherwise each among its own.

    Read from the decisions: the first at a rung has no cutoff, and where each network has rungs
    of its own, the first of each network has none.
    """
    judged = findings.decisions.assign(
        model=findings.decisions["trial_id"].map(trials.set_index("trial_id")["model"])
    )
    first = judged.dropna(subset=["model"]).drop_duplicates(["model", "rung"])
    return bool(first["cutoff"].notna().any())


def judged_among(one: Findings, trials: pd.DataFrame) -> str:
    """In one sentence, with whom a trial was compared at a rung."""
    if in_one_pool(one, trials):
        return (
            "All networks were judged in one pool: a network that begins slowly was stopped by "
            "the values of one that begins fast, so their best don't compare evenly."
        )
    return "Each trial was judged among those of its own network."


def schedule(findings: Findings) -> dict[str, int]:
    """`grace` epochs and reduction `factor` of a study that ASHA stopped; empty without it."""
    asked = findings.study["study"]
    if asked.get("scheduler") != "asha":
        return {}
    return {"grace": asked.get("grace_epochs", 1), "factor": asked.get("reduction_factor", 2)}


def factors(findings: Findings) -> list[int]:
    """The study's own reduction factor and larger ones: a curve ends where it was stopped."""
    own = schedule(findings).get("factor", 2)
    return [own, *(factor for factor in FACTORS if factor > own)]


def graces(findings: Findings, trials: pd.DataFrame) -> list[int]:
    """The study's own grace epochs and earlier first rungs; without ASHA, up to 8."""
    if used := schedule(findings):
        return list(range(1, used["grace"] + 1))
    ran = trials.loc[trials["ran"], "last_epoch"]
    return list(range(1, max(1, min(int(ran.min()), 8)) + 1)) if len(ran) else [1]


@dataclass(frozen=True)
class Replay:
    """The stored curves under another ASHA. Accuracies are fractions; NaN without a trial."""

    reduction_factor: int
    grace_epochs: int
    epochs_run: int
    of: int  # epochs that the study itself ran
    best: float  # judged value of the best trial of those that came furthest, as search.best
    top: float  # the same of the study itself
    stopped: dict[str, int]  # trial -> epoch at which it would have been stopped, and was not


class Curves:
    """A search's curves as `replay` walks them, worked out once for all factors."""

    def __init__(self, findings: Findings, trials: pd.DataFrame) -> None:
        ran = trials[trials["ran"]].sort_values("started_at", kind="stable")
        pooled = in_one_pool(findings, trials)
        epochs = findings.epochs[findings.epochs["trial_id"].isin(ran["trial_id"])]
        self.model = dict(zip(ran["trial_id"], ran["model"], strict=True))
        self.pool = {name: "" if pooled else model for name, model in self.model.items()}
        self.asked = dict(zip(ran["trial_id"], ran["hp_epochs"].astype(int), strict=True))
        self.failed = set(ran.loc[ran["status"] == "failed", "trial_id"])
        self.value = {
            (name, int(epoch)): float(value)
            for name, epoch, value in zip(
                epochs["trial_id"], epochs["epoch"], epochs["judged"], strict=True
            )
        }
        self.last = dict(zip(ran["trial_id"], ran["last_epoch"].astype(int), strict=True))
        # Who came to an epoch before whom: as judged, elsewhere as the epochs ended.
        start = {name: place for place, name in enumerate(ran["trial_id"])}
        ended = epochs.assign(start=epochs["trial_id"].map(start)).sort_values(
            ["finished_at", "start"], kind="stable"
        )
        judged = findings.decisions[findings.decisions["trial_id"].isin(start)]
        came = pd.concat(
            [
                judged[["trial_id", "rung"]].rename(columns={"rung": "epoch"}),
                ended[["trial_id", "epoch"]],
            ]
        ).drop_duplicates()
        self.came: dict[int, list[str]] = {
            int(epoch): list(names) for epoch, names in came.groupby("epoch")["trial_id"]
        }

    def best(self, last: dict[str, int]) -> float:
        """The highest judged value of those that came furthest, over each network's own."""
        found: dict[str, tuple[int, float]] = {}
        for name, epoch in last.items():
            if name not in self.failed:
                here = epoch, self.value[name, epoch]
                found[self.model[name]] = max(found.get(self.model[name], here), here)
        return max((value for _, value in found.values()), default=np.nan)


def replay(curves: Curves, factor: int, grace: int) -> Replay:
    """The stored curves under ASHA with these settings, judged in the pools and in the order in
    which the study judged. A trial that the study stopped at a rung was judged there too, so it
    is in that rung's values; its curve ends there, and so it does here.
    """
    last, stopped = dict(curves.last), {}
    rung = grace
    while rung < max(curves.asked.values(), default=0):
        seen: dict[str, list[float]] = {}
        for name in curves.came.get(rung, []):
            value = curves.value.get((name, rung), np.nan)
            if last[name] < rung or rung >= curves.asked[name] or np.isnan(value):
                continue
            values = seen.setdefault(curves.pool[name], [])
            if values and value < quantile(values, 1 - 1 / factor) and rung < last[name]:
                last[name] = stopped[name] = rung
            insort(values, value)
        rung *= factor
    return Replay(
        factor,
        grace,
        sum(last.values()),
        sum(curves.last.values()),
        curves.best(last),
        curves.best(curves.last),
        stopped,
    )


def quantile(ordered: list[float], share: float) -> float:
    """numpy's linear quantile of values in order, to the last bit, as study judges by it: thirty
    times as fast as numpy's own for a list that grows by one at a time."""
    place = (len(ordered) - 1) * (100 * share / 100)
    k = int(place)
    low, high = ordered[k], ordered[min(k + 1, len(ordered) - 1)]
    part = place - k
    return high - (high - low) * (1 - part) if part >= 0.5 else low + (high - low) * part


def replays(findings: Findings, trials: pd.DataFrame) -> list[Replay]:
    """Every replay that report and explorer show: each grace with each factor."""
    curves = Curves(findings, trials)
    if not curves.last:
        return []
    return [
        replay(curves, factor, grace)
        for grace in graces(findings, trials)
        for factor in factors(findings)
    ]


def table(found: list[Replay]) -> pd.DataFrame:
    """A row per replay: epochs run, the share saved of what was run, best, points lost."""
    rows = [
        {
            "reduction_factor": one.reduction_factor,
            "grace_epochs": one.grace_epochs,
            "epochs_run": one.epochs_run,
            "of": one.of,
            "saved": 1 - one.epochs_run / one.of,
            "best": one.best,
            "lost": one.top - one.best,
            "stopped": len(one.stopped),
        }
        for one in found
    ]
    columns = "reduction_factor grace_epochs epochs_run of saved best lost stopped".split()
    return pd.DataFrame(rows, columns=columns)


def trial_curves(findings: Findings, trials: pd.DataFrame) -> pd.DataFrame:
    """(model, trial, epoch) -> judged value, an empty row after each trial; `stopped` ends by ASHA.

    The empty rows are gaps: one line draws all the trials of a network.
    """
    ended = trials[["trial_id", "model"]].assign(ruled=stopped_early(findings, trials))
    frame = findings.epochs.merge(ended, on="trial_id").sort_values(["model", "trial_id", "epoch"])
    frame = frame[["model", "trial_id", "epoch", "judged", "ruled"]]
    last = frame.drop_duplicates("trial_id", keep="last").index
    frame["stopped"] = frame.index.isin(last) & frame["ruled"]
    gaps = frame.loc[last].assign(epoch=np.nan, judged=np.nan, stopped=False)
    whole = pd.concat([frame, gaps]).sort_values(
        ["model", "trial_id", "epoch"], na_position="last", kind="stable"
    )
    return whole.drop(columns="ruled").reset_index(drop=True)
