"""Which hyperparameter matters to a network at one epoch, by Optuna's PED-ANOVA and fANOVA.

Comparing trials at their last epochs would mix fidelities: on a made-up landscape whose end is
decided by weight decay that named lr instead (0.75 to 0.25; the truth 0.03 to 0.97).
"""

from datetime import datetime
from typing import Any, cast

import numpy as np
import optuna
import pandas as pd
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from results.artefacts.load import Findings
from results.facts import forest
from results.facts import statistics as st
from results.facts.search import space

# With 30 trials fANOVA named the strongest of three hyperparameters in 15 of 15 made-up searches
# and the one without effect in 15; with 12 in 14 and 11. PED-ANOVA asks for 5 trials in the top.
ENOUGH = 30
MANY = 300  # more are not looked at, but so many drawn from them: a forest of 1,000 took 2 s
TOP = 0.2  # the share of trials that PED-ANOVA calls good
RESAMPLES = 20
TREES = 32
SHUFFLES = 8  # of the accuracies among the trials, for what a hyperparameter explains by chance
Distribution = FloatDistribution | IntDistribution | CategoricalDistribution
Domains = dict[str, tuple[Any, Distribution]]  # what study.json says, and the axis it is judged on


def importance(
    findings: Findings, trials: pd.DataFrame, resamples: int = RESAMPLES
) -> pd.DataFrame:
    """A row per network, epoch and searched hyperparameter: both measures with 90 % intervals.

    `trials` are search.searched's. Judged at the first and at the furthest of the rungs and ends
    that ENOUGH trials with values inside the space reached (a forest takes a tenth of a second),
    from MANY of them drawn at random where there are more. An epoch on a plateau (`plateaus`) is
    left out.
    ped_anova is a share of the hyperparameters' sum: how much the best fifth differs from all.
    fanova is the share of the forest's variance over the whole space that the hyperparameter
    explains alone; fanova_floor the most that the strongest explains when the accuracies are
    shuffled among the trials, so that none explains anything. Intervals come from resampled trials.
    """
    rows = []
    for model, group in trials[trials["ran"]].groupby("model", sort=False):
        domains = searched_domains(findings, str(model))
        if len(domains) < 2:
            continue
        each = {
            epoch: at_epoch(findings, group, domains, epoch) for epoch in epochs(findings, group)
        }
        enough = [
            epoch
            for epoch, (values, _) in each.items()
            if len(values) >= ENOUGH and not st.on_plateau(values, TOP)
        ]
        for epoch in dict.fromkeys([*enough[:1], *enough[-1:]]):
            values, points = each[epoch]
            found = measured(values, points, domains, resamples)
            for name, measures in found.items():
                rows.append(
                    {
                        "model": model,
                        "epoch": epoch,
                        "trials": min(len(values), MANY),
                        "hyperparameter": name,
                        **measures,
                    }
                )
    columns = (
        "model epoch trials hyperparameter ped_anova ped_low ped_high fanova fanova_low "
        "fanova_high fanova_floor"
    ).split()
    return pd.DataFrame(rows, columns=columns)


def plateaus(findings: Findings, trials: pd.DataFrame) -> pd.DataFrame:
    """The epochs at which ENOUGH trials of a network could be compared, but so many hold one value
    that nothing sets the best apart: how many hold it, of how many, and the value.

    PED-ANOVA would compare all with all and fANOVA explain the variance of a handful of trials;
    without any variance Optuna 5.0's fANOVA raises.
    """
    rows = []
    for model, group in trials[trials["ran"]].groupby("model", sort=False):
        domains = searched_domains(findings, str(model))
        for epoch in epochs(findings, group):
            values, _ = at_epoch(findings, group, domains, epoch)
            if len(values) >= ENOUGH and st.on_plateau(values, TOP):
                value, many = st.commonest(values)
                rows.append(
                    {
                        "model": model,
                        "epoch": epoch,
                        "trials": len(values),
                        "many": many,
                        "value": value,
                    }
                )
    return pd.DataFrame(rows, columns=["model", "epoch", "trials", "many", "value"])


def reached(findings: Findings, trials: pd.DataFrame) -> pd.DataFrame:
    """For each network the epochs that could be judged, and how many trials with values inside the
    space reached them."""
    rows = []
    for model, group in trials[trials["ran"]].groupby("model", sort=False):
        domains = searched_domains(findings, str(model))
        for epoch in epochs(findings, group):
            values, _ = at_epoch(findings, group, domains, epoch)
            rows.append({"model": model, "epoch": epoch, "trials": len(values)})
    return pd.DataFrame(rows, columns=["model", "epoch", "trials"])


def epochs(findings: Findings, group: pd.DataFrame) -> list[int]:
    """The rungs at which its trials were judged, the epoch that all of them reached, the last."""
    rungs = findings.decisions.loc[findings.decisions["trial_id"].isin(group["trial_id"]), "rung"]
    ends = group["last_epoch"]
    return sorted({int(ends.min()), int(ends.max()), *rungs.astype(int)})


def searched_domains(findings: Findings, model: str) -> Domains:
    """Each searched hyperparameter of a network: its domain, and the axis on which it is judged.

    A log range is judged on its logarithm and a list of numbers by rank: Optuna's fANOVA would
    otherwise weigh lr from 0.05 to 0.1 as half of 0.001 to 0.1.
    """
    found: Domains = {}
    for name, domain in space(findings, model).items():
        if isinstance(domain, dict) and {"low", "high"} <= set(domain):
            low, high = (axis(domain, domain[end]) for end in ("low", "high"))
            found[name] = domain, FloatDistribution(low, high)
        elif isinstance(domain, list) and len(domain) > 1:
            numbers = all(type(value) in (int, float) for value in domain)
            choices = CategoricalDistribution(domain)
            found[name] = domain, IntDistribution(0, len(domain) - 1) if numbers else choices
    return found


def axis(domain: Any, value: Any) -> Any:
    """A value where its axis has it; None outside the domain."""
    if isinstance(domain, dict):
        if not domain["low"] <= value <= domain["high"]:
            return None
        return float(np.log10(value) if domain.get("log") else value)
    if value not in domain:
        return None
    numbers = all(type(one) in (int, float) for one in domain)
    return sorted(domain).index(value) if numbers else value


def at_epoch(
    findings: Findings,
    group: pd.DataFrame,
    domains: Domains,
    epoch: int,
) -> tuple[np.ndarray, list[dict[str, Any]]]:
    """judged value at that epoch and the place in the space of each trial that reached it."""
    at = findings.epochs[findings.epochs["epoch"] == epoch].set_index("trial_id")["judged"]
    values, points = [], []
    for _, trial in group.iterrows():
        value = at.get(trial["trial_id"])
        raw = {name: trial.get(f"hp_{name}") for name in domains}
        if value is None or not np.isfinite(value) or any(pd.isna(v) for v in raw.values()):
            continue
        point = {name: axis(domains[name][0], value) for name, value in raw.items()}
        if None not in point.values():
            values.append(float(value))
            points.append(point)
    return np.array(values), points


def measured(
    values: np.ndarray,
    points: list[dict[str, Any]],
    domains: Domains,
    resamples: int,
) -> dict[str, dict[str, float]]:
    """Both measures of each hyperparameter: of all trials, with the 5 and 95 % points of resampled
    ones. Resamples that fall on a plateau tell nothing and are left out."""
    rng = np.random.default_rng(0)
    if len(values) > MANY:
        kept = rng.choice(len(values), MANY, replace=False)
        values, points = values[kept], [points[k] for k in kept]
    draws = [rng.integers(len(values), size=len(values)) for _ in range(resamples)]
    draws = [drawn for drawn in draws if not st.on_plateau(values[drawn], TOP)]
    everyone = np.arange(len(values))
    each = [both(values, points, domains, seed, everyone) for seed in range(3)]
    again = [both(values, points, domains, seed, drawn) for seed, drawn in enumerate(draws)]
    shuffled = [rng.permutation(values) for _ in range(SHUFFLES)]
    chance = [explained(mixed, points, domains, 0, everyone) for mixed in shuffled]
    floor = max(max(shares.values()) for shares in chance)
    found: dict[str, dict[str, float]] = {}
    for name in domains:
        found[name] = {"fanova_floor": floor}
        for place, (measure, short) in enumerate((("ped_anova", "ped"), ("fanova", "fanova"))):
            middle = float(np.mean([one[place][name] for one in each]))
            drawn = [one[place][name] for one in again]
            ends = np.quantile(drawn, [0.05, 0.95]) if drawn else [np.nan, np.nan]
            found[name] |= {
                measure: middle,
                f"{short}_low": min(ends[0], middle),
                f"{short}_high": max(ends[1], middle),
            }
    return found


def both(
    values: np.ndarray,
    points: list[dict[str, Any]],
    domains: Domains,
    seed: int,
    drawn: np.ndarray,
) -> tuple[dict[str, float], dict[str, float]]:
    """PED-ANOVA's shares and fANOVA's, of the drawn trials."""
    # Here, since it brings scikit-learn, two seconds that most studies never need.
    from optuna.importance import PedAnovaImportanceEvaluator

    axes: dict[str, BaseDistribution] = {name: axis for name, (_, axis) in domains.items()}
    study = cast(optuna.Study, Drawn([points[k] for k in drawn], values[drawn], axes))
    ped = PedAnovaImportanceEvaluator(target_quantile=TOP).evaluate(study)
    whole = sum(ped.values()) or 1.0
    return (
        {name: float(ped.get(name, 0.0)) / whole for name in domains},
        explained(values, points, domains, seed, drawn),
    )


class Drawn:
    """What PED-ANOVA asks of a study. Optuna 5.0 copies each trial deeply into a true one's memory,
    which took half of the time of importance."""

    directions = (optuna.study.StudyDirection.MAXIMIZE,)

    def __init__(
        self,
        points: list[dict[str, Any]],
        values: np.ndarray,
        axes: dict[str, BaseDistribution],
    ) -> None:
        done, now = optuna.trial.TrialState.COMPLETE, datetime.now()
        self.trials = [
            optuna.trial.FrozenTrial(k, done, value, now, now, point, axes, {}, {}, {}, k)
            for k, (point, value) in enumerate(zip(points, values.tolist(), strict=True))
        ]

    def get_trials(self, deepcopy: bool, states: object) -> list[optuna.trial.FrozenTrial]:
        return self.trials

    def _is_multi_objective(self) -> bool:
        return False


def explained(
    values: np.ndarray,
    points: list[dict[str, Any]],
    domains: Domains,
    seed: int,
    drawn: np.ndarray,
) -> dict[str, float]:
    """fANOVA's shares, of the drawn trials."""
    axes = {name: axis for name, (_, axis) in domains.items()}
    x, bounds, places = forest.encoded(points, axes)
    return forest.fanova(x[drawn], values[drawn], bounds, places, TREES, seed)
