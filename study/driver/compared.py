"""Who is better than whom, at a study's end: the answers of its models under the one rule. Driver.

results.facts.verdicts does the same from the artefact folder; a test compares the two.
"""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from fer_record.tables import Tables, settings_of
from fer_stats import verdicts
from fer_stats.verdicts import Answered, Comparison
from study.config.study import Study, pairs_of
from study.driver import learning
from study.record.outcome import copied, kept

SHOWN = 6  # sentences; the report has the others


@dataclass(frozen=True)
class Given:
    """What the comparisons of a study are made of."""

    folder: Path
    study: Study
    tables: Tables
    predictions: pd.DataFrame
    classes: list[str]

    @cached_property
    def test(self) -> pd.DataFrame:
        """Answers to test without duplicates."""
        rows = self.predictions
        return rows[(rows["split"] == "test") & ~copied(self.folder, rows)]

    @cached_property
    def settings(self) -> list[Answered]:
        each = [
            answered(name, self.study, self.tables, self.test, self.classes)
            for name in self.tables.chosen
        ]
        return [one for one in each if one.right.size]

    @cached_property
    def cluster(self) -> np.ndarray | None:
        return copies(self.folder, np.sort(self.test["image"].unique()))

    @property
    def unit(self) -> str:
        confirmed = self.tables.of_stage("confirm")
        epochs = self.tables.epochs.items()
        paid = any(row["gpus"] for (name, _), row in epochs if name in confirmed)
        return "GPU-hours" if paid else "core-hours"


def of(given: Given) -> list[Comparison]:
    """The confirmed settings, two by two, on test without duplicates; the primary pairs first."""
    chosen = given.tables.chosen
    beside = [name for name, row in chosen.items() if row.get("beside")]
    pairs = verdicts.primary(pairs_of(given.study), beside, [*chosen])
    margin = given.study.margin / 100
    return verdicts.of(given.settings, pairs, margin, given.cluster, given.unit)


def gained(given: Given) -> list[str]:
    """What the search gained over the default, a sentence for each network, and of how many
    searches all this is; [] where nothing was searched."""
    chosen, searched = given.tables.chosen, given.tables.of_stage("search")
    if not searched:
        return []
    others = [(row["beside"], name) for name, row in chosen.items() if row.get("beside")]
    defaults = [(best, name) for best, name in others if not chosen[name]["from_trial"]]
    margin = given.study.margin / 100
    found = verdicts.gains(given.settings, defaults, margin, given.cluster, given.unit)
    told = [f"  {verdicts.gain_words(one)}." for one in found]
    if given.study.baseline_seeds:
        bests = [name for name, row in chosen.items() if not row.get("beside")]
        same = set(bests) - {best for best, _ in defaults}
        told += [f"  {best}: the default is the best." for best in bests if best in same]
    heading = [f"{verdicts.GAIN}:"] if told else []
    intervals = any(len(one.seeds) > 1 for one in given.settings)
    warned = [f"{verdicts.ONE_SEARCH}."] * intervals
    return [*heading, *told, *warned, *[""] * bool(told or warned)]


def answered(
    setting: str, study: Study, tables: Tables, test: pd.DataFrame, classes: list[str]
) -> Answered:
    """A setting's right and wrong answers, a row per seed; none where it has no answers yet."""
    trials = {n: row for n, row in tables.of_stage("confirm").items() if row["setting"] == setting}
    rows: list[np.ndarray] = []
    seeds: list[int] = []
    shape: dict[str, Any] = {}
    for name, one in test[test["trial_id"].isin(trials)].groupby("trial_id", sort=False):
        one = one.sort_values("image")
        rows.append(learning.answers(one, classes) == one["label"].to_numpy())
        shape = trials[str(name)]
        seeds.append(int(shape.get("hp_seed", len(seeds))))
    begins = start(settings_of(shape))
    return Answered(setting, np.array(rows), tuple(seeds), begins, hours(study, tables, trials))


def start(hp: dict[str, Any]) -> str:
    """As `verdicts.start`, by the hyperparameters that a network has."""
    return verdicts.start(*(hp.get(name) for name in ("model", "stem", "image_px", "batch_norm")))


def hours(study: Study, tables: Tables, trials: dict[str, dict[str, Any]]) -> float:
    """What one training took, in GPU-hours, or in core-hours without a GPU."""
    taken = {name: 0.0 for name, row in trials.items() if row["status"] == "completed"}
    for (name, _), row in tables.epochs.items():
        if name in taken:
            share = row["gpus"] or row["cores"] or study.cpus_per_trial
            taken[name] += row["epoch_seconds"] * share / 3600
    return sum(taken.values()) / len(taken) if any(taken.values()) else np.nan


def copies(folder: Path, images: np.ndarray) -> np.ndarray | None:
    """(n,) a number for each group of identical test images; None where no digests are kept."""
    table, _ = kept(folder / "images.parquet", key="image")
    if table is None:
        return None
    rows = table.to_pandas()
    pixels = rows[rows["split"] == "test"].set_index("image")["pixels"]
    return pd.factorize(pixels.reindex(images))[0]


def lines(found: list[Comparison]) -> list[str]:
    """The primary verdicts as the terminal prints them."""
    primary = [one for one in found if one.primary]
    told = [f"  {one.words}.{chance(one)}" for one in primary[:SHOWN]]
    if not told:
        return []
    more = [f"  {len(primary) - SHOWN} more: in the report."] if len(primary) > SHOWN else []
    heading = "Who is better, for new seeds and images (95 %, Holm), on test without duplicates:"
    return [heading, *told, *more, ""]


def chance(one: Comparison) -> str:
    """How likely the one that leads, trained anew, is better on new images; "" with one seed."""
    if np.isnan(one.chance):
        return ""
    ahead, p = (one.first, one.chance) if one.difference >= 0 else (one.second, 1 - one.chance)
    return f" P({ahead} is better): {p:.2f}."
