"""What the terminal says of networks that have learned nothing (fer_stats.learning)."""

import numpy as np
import pandas as pd

from fer_record.tables import Tables
from fer_stats.learning import Unlearned, no_trial_has, setting_has_not, unlearned
from fer_stats.measures import guesses
from study.config.study import Study
from study.record.outcome import best


def confirmed(
    tables: Tables, predictions: pd.DataFrame, classes: list[str], metric: str = "accuracy"
) -> list[str]:
    """A sentence for each setting with a seed that hasn't learned, by its answers to test."""
    test = predictions[predictions["split"] == "test"]
    found: dict[str, list[Unlearned]] = {}
    seeds: dict[str, int] = {}
    for name, rows in test.groupby("trial_id", sort=False):
        setting = tables.trials[str(name)]["setting"]
        seeds[setting] = seeds.get(setting, 0) + 1
        label = rows["label"].map({name: k for k, name in enumerate(classes)}).to_numpy(int)
        one = unlearned(metric, label, answered(rows, classes), classes)
        if one:
            found.setdefault(setting, []).append(one)
    return [setting_has_not(name, "test", those, seeds[name]) for name, those in found.items()]


def answered(rows: pd.DataFrame, classes: list[str]) -> np.ndarray:
    """A network's answers (N,); -1 where it diverged and gave none."""
    return guesses(rows[[f"p_{name}" for name in classes]].to_numpy())


def answers(rows: pd.DataFrame, classes: list[str]) -> np.ndarray:
    """The same in words; empty where there is none."""
    return np.array([*classes, ""])[answered(rows, classes)]


def searched(
    tables: Tables, study: Study, labels: np.ndarray, classes: tuple[str, ...]
) -> list[str]:
    """A sentence for each network whose best trial isn't above the most frequent class of val;
    `labels` are those of the images that an epoch is judged on."""
    many = np.bincount(labels, minlength=len(classes)).tolist()
    counts = dict(zip(classes, many, strict=True))
    found = [
        no_trial_has(
            model,
            row["trial_id"],
            row["val_accuracy"],
            row[study.objective],
            study.metric,
            counts,
            len(labels),
        )
        for model, row in best(tables, study).items()
    ]
    return [words for words in found if words]
