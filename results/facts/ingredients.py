"""Ablations: settings of one network (arms) that differ from a base in one hyperparameter, or in
one group of them, compared with it seed by seed.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from fer_stats import crossed
from fer_stats.verdicts import MARGIN, Comparison
from results.artefacts.load import Findings
from results.facts import paper, verdicts
from results.facts import statistics as st
from results.facts.evaluation import CLEAN_VAL, PRIMARY, Evaluated, chosen, copies

# Hyperparameters that are one idea: an arm may change several of a group.
GROUPS = (
    {"flip", "shift", "rotation", "scale", "erasing", "brightness", "contrast"},
    {"schedule", "warmup_epochs", "lr_decay", "lr_steps", "patience"},
)
OPPOSITE = {"better": "worse", "worse": "better"}
Values = dict[str, Any]


@dataclass(frozen=True)
class Arm:
    """A setting beside its base; `changed` holds hyperparameter -> (base's value, its own)."""

    model: str
    base: str
    setting: str
    changed: dict[str, tuple[Any, Any]]
    together: bool  # several arms at once

    @property
    def words(self) -> str:
        return ", ".join(f"{name} {shown(a)} → {shown(b)}" for name, (a, b) in self.changed.items())


def shown(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def arms(findings: Findings) -> list[Arm]:
    """The arms of each network with confirmed settings; [] where there is no base with one.

    The base is the setting from which most others are one step away; of several, the first. The
    paper's nine settings are no ablation, nor what is confirmed beside a search's best: sections of
    their own compare them.
    """
    apart = {*paper.experiments(), *verdicts.others(findings)}
    trials = findings.trials[findings.trials["stage"] == "confirm"]
    trials = trials[~trials["setting"].isin(apart)]
    found: list[Arm] = []
    for model, group in trials.groupby("hp_model", sort=False):
        settings = {
            str(name): values(rows.iloc[0]) for name, rows in group.groupby("setting", sort=False)
        }
        if len(settings) > 1:
            found += arms_of(str(model), settings)
    return found


def values(trial: pd.Series) -> Values:
    """A trial's hyperparameters, without hp_; None where its network has none."""
    kept = {name[3:]: value for name, value in trial.items() if name.startswith("hp_")}
    return {
        name: None if pd.isna(value) else value
        for name, value in kept.items()
        if name not in ("seed", "model")
    }


def arms_of(model: str, settings: dict[str, Values]) -> list[Arm]:
    """The arms about the best base of one network's settings."""

    def about(base: str) -> dict[str, dict[str, tuple[Any, Any]]]:
        return {
            name: changed
            for name, values in settings.items()
            if name != base and one_step(changed := difference(settings[base], values))
        }

    base = max(settings, key=lambda name: len(about(name)))  # the first of equals
    single = about(base)
    found = [Arm(model, base, name, changed, False) for name, changed in single.items()]
    parts = [set(changed.items()) for changed in single.values()]
    for name, values in settings.items():
        changed = difference(settings[base], values)
        inside = [part for part in parts if part <= set(changed.items())]
        if name not in single and len(inside) > 1 and set.union(*inside) == set(changed.items()):
            found.append(Arm(model, base, name, changed, True))
    return found


def difference(base: Values, other: Values) -> dict[str, tuple[Any, Any]]:
    return {name: (base[name], other[name]) for name in base if base[name] != other[name]}


def one_step(changed: dict[str, Any]) -> bool:
    """Whether it is one hyperparameter, or several of one group."""
    return len(changed) == 1 or (bool(changed) and any(set(changed) <= one for one in GROUPS))


def effects(
    found: list[Arm], settings: list[Evaluated], compared: list[Comparison]
) -> pd.DataFrame:
    """A row per arm and scope (PRIMARY; val, without duplicates where they are known): accuracies
    of base and arm over the seeds that both have, their difference, its sd over seeds, interval.

    On PRIMARY interval, verdict and p (Holm's) are those of `compared`, which is verdicts.of the
    settings: no pair is judged twice. On val the interval is corrected by Holm for the arms of a
    network, and there is no verdict.
    """
    by_name = {one.answers.setting: one for one in settings}
    there = [arm for arm in found if arm.base in by_name and arm.setting in by_name]
    val = CLEAN_VAL if all(CLEAN_VAL in one.scopes for one in by_name.values()) else "val"
    rows = []
    for model in dict.fromkeys(arm.model for arm in there):
        own = [arm for arm in there if arm.model == model]
        rows += judged(family(own, by_name, PRIMARY), by_name, compared)
        rows += corrected(family(own, by_name, val))
    columns = (
        "model base arm changed together scope seeds base_accuracy accuracy difference low "
        "high sd verdict holm"
    ).split()
    return pd.DataFrame(rows, columns=columns)


def judged(
    rows: list[dict[str, Any]], by_name: dict[str, Evaluated], compared: list[Comparison]
) -> list[dict[str, Any]]:
    """The rows with what the one rule says of arm and base, by all of their seeds where it wasn't
    seed by seed."""
    known = {frozenset((one.first, one.second)): one for one in compared}
    for row in rows:
        arm, base = by_name[row["arm"]], by_name[row["base"]]
        one = known.get(frozenset((arm.name, base.name)))
        if one:
            ends = (one.low, one.high) if one.first == arm.name else (-one.high, -one.low)
            word = one.verdict if one.first == arm.name else OPPOSITE.get(one.verdict, one.verdict)
            row |= {"low": ends[0], "high": ends[1], "verdict": word, "holm": one.p}
            if not one.paired and not np.isnan(one.low):
                whole = [each.scopes[PRIMARY]["accuracy"].mean for each in (base, arm)]
                row |= {"base_accuracy": whole[0], "accuracy": whole[1]}
                row["difference"] = whole[1] - whole[0]
    return rows


def corrected(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows of one network's arms with intervals, corrected by Holm for all of them."""
    found = crossed.verdicts([row["estimate"] for row in rows], MARGIN)
    return [row | {"low": one.low, "high": one.high} for row, one in zip(rows, found, strict=True)]


def family(arms: list[Arm], by_name: dict[str, Evaluated], scope: str) -> list[dict[str, Any]]:
    """The rows of one network's arms on one scope, without intervals and verdicts."""
    rows = []
    for arm in arms:
        base, other = by_name[arm.base].answers, by_name[arm.setting].answers
        seeds = [seed for seed in base.seeds if seed in other.seeds]
        inside = chosen(base, scope)
        if not seeds or not inside.any():
            continue
        right = [
            (one.guess[[one.seeds.index(seed) for seed in seeds]] == one.label)[:, inside]
            for one in (base, other)
        ]
        apart = st.mean(right[1].astype(float) - right[0], copies(base, inside))
        rows.append(
            {
                "model": arm.model,
                "base": arm.base,
                "arm": arm.setting,
                "changed": arm.words,
                "together": arm.together,
                "scope": scope,
                "seeds": len(seeds),
                "base_accuracy": right[0].mean(),
                "accuracy": right[1].mean(),
                "difference": apart.mean,
                "estimate": apart.estimate,
                "sd": apart.by_seed.std(ddof=1) if len(seeds) > 1 else np.nan,
                "verdict": "",
                "holm": np.nan,
            }
        )
    return rows
