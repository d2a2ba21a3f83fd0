"""Whole searches again: studies that differ in their seed alone, and what holds for new searches.

A row of answers is a search: the mean over the seeds with which it confirmed its best. Its scatter
holds that of the search's choice and of the seeds, so the interval is for new searches, new seeds
and new images.
"""

import json

import numpy as np
import pandas as pd

from fer_stats import crossed, verdicts
from fer_stats.verdicts import Answered, Comparison
from fer_stats.words import reaching, signed
from results.artefacts.load import Findings
from results.facts.evaluation import PRIMARY, Evaluated, chosen, digest
from results.facts.verdicts import clusters, fixed, others, within

# What may differ between searches that are the same but for chance: where they are kept, and how
# much of a machine they had. Where their data lie, too: those are the same by their digest.
APART = (
    "name seed out storage address data stages time_budget gpu_hours max_concurrent "
    "cpus_per_trial gpus_per_trial retries hang_seconds device execution"
).split()


def repeated(studies: list[Findings]) -> list[list[Findings]]:
    """Studies with a search that are one another's but for the seed, two and more of each; of those
    of one seed the first."""
    groups: dict[str, dict[int, Findings]] = {}
    for one in studies:
        if asked := but_for_the_seed(one):
            groups.setdefault(asked, {}).setdefault(seed(one), one)
    return [[*each.values()] for each in groups.values() if len(each) > 1]


def twice(group: list[Findings], studies: list[Findings]) -> list[Findings]:
    """Of the studies those that are a search of the group a second time, with its seed."""
    asked, there = but_for_the_seed(group[0]), {one.name for one in group}
    return [one for one in studies if one.name not in there and but_for_the_seed(one) == asked]


def but_for_the_seed(one: Findings) -> str:
    """The same for studies with a search and its confirmation, begun with --resume or not, that
    differ in nothing but the seed; else empty."""
    asked = one.study["study"]
    if not one.searches or "confirm" not in asked.get("stages", []):
        return ""
    same = {name: value for name, value in asked.items() if name not in APART}
    return json.dumps([same, one.study["data"].get("digest")], sort_keys=True)


def seed(one: Findings) -> int:
    return int(one.study["study"].get("seed") or 0)


def answered(group: list[Findings], settings: list[Evaluated], scope: str) -> list[Answered]:
    """Each setting that every search confirmed on the same images, a row of answers a search."""
    found: dict[str, list[np.ndarray]] = {}
    on: dict[str, set[str]] = {}
    for one in group:
        for each in settings:
            if each.answers.study == one.name and scope in each.scopes:
                own, inside = each.answers, chosen(each.answers, scope)
                right = own.guess[:, inside] == own.label[inside]
                found.setdefault(own.setting, []).append(right.mean(0))
                on.setdefault(own.setting, set()).add(digest(own, scope))
    numbers = tuple(map(seed, group))
    return [
        Answered(name, np.array(rows), numbers)
        for name, rows in found.items()
        if len(rows) == len(group) and len(on[name]) == 1
    ]


def accuracies(
    group: list[Findings], settings: list[Evaluated], scope: str = PRIMARY
) -> pd.DataFrame:
    """A row per setting: mean over the searches, its 95 % interval, sd over searches."""
    rows = []
    for one in answered(group, settings, scope):
        low, high = crossed.of_one(one.right, cluster(group, settings, scope)).interval()
        each = one.right.mean(1)
        row = {"setting": one.name, "searches": len(each), "mean": each.mean()}
        rows.append({**row, "low": max(low, 0.0), "high": min(high, 1.0), "sd": each.std(ddof=1)})
    return pd.DataFrame(rows, columns=["setting", "searches", "mean", "low", "high", "sd"])


def cluster(group: list[Findings], settings: list[Evaluated], scope: str) -> np.ndarray | None:
    """Which of the images that the group answered are identical."""
    names = {one.name for one in group}
    return clusters([each for each in settings if each.answers.study in names], scope)


def compared(
    group: list[Findings], settings: list[Evaluated], scope: str = PRIMARY
) -> list[Comparison]:
    """The verdicts on the searches' best, under the rule of all comparisons."""
    beside = {name for one in group for name in others(one)}
    there = [one for one in answered(group, settings, scope) if one.name not in beside]
    return verdicts.of(
        there,
        fixed(group[0]) or None,
        within(group[0]),
        cluster(group, settings, scope) if there else None,
    )


def words(one: Comparison, many: int) -> str:
    """What is said of two networks over searches, without its end."""
    apart = f"{one.first} − {one.second}: {signed(100 * one.difference)} points"
    return f"{apart} ({reaching(one.low, one.high)}; {many} searches): {one.verdict}"
