"""Which networks have learned nothing: no better than always answering the most frequent class.

The same rule and words as results.facts.learning, which can't be imported here; a test compares
them. Runs on the driver.
"""

from typing import Any

import numpy as np
import pandas as pd

from fer_stats.measures import learned
from fer_stats.metric import constant
from fer_stats.share import wilson
from study.config.study import Study
from study.record.outcome import best
from study.record.tables import Tables

ONE = 0.95  # share of its answers from which on a network answers one class


def confirmed(
    tables: Tables, predictions: pd.DataFrame, classes: list[str], metric: str = "accuracy"
) -> list[str]:
    """A sentence for each setting with a seed whose 95 % interval on test doesn't lie above the
    share of the most frequent class."""
    test = predictions[predictions["split"] == "test"]
    found: dict[str, list[dict[str, Any]]] = {}
    seeds: dict[str, int] = {}
    for name, rows in test.groupby("trial_id", sort=False):
        setting = tables.trials[str(name)]["setting"]
        seeds[setting] = seeds.get(setting, 0) + 1
        answer = alone(rows, classes, metric)
        if answer:
            found.setdefault(setting, []).append(answer)
    return [sentence(setting, rows, seeds[setting]) for setting, rows in found.items()]


def alone(rows: pd.DataFrame, classes: list[str], metric: str) -> dict[str, Any]:
    """What a network's answers to the test images come to, if it has not learned; else empty."""
    share = rows[[f"p_{name}" for name in classes]].to_numpy()
    if np.isnan(share).any():
        return {}  # it diverged and gave no answers
    label = rows["label"].map({name: k for k, name in enumerate(classes)}).to_numpy(int)
    guess = share.argmax(1)
    if learned(metric, label, guess, len(classes)):
        return {}
    said, truth = (np.bincount(each, minlength=len(classes)) for each in (guess, label))
    hits = int((guess == label).sum())
    low, high = wilson(hits, len(rows))
    return {
        "images": len(rows),
        "accuracy": hits / len(rows),
        "low": low,
        "high": high,
        "majority": classes[truth.argmax()],
        "majority_share": truth.max() / len(rows),
        "answer": classes[said.argmax()],
        "answer_share": said.max() / len(rows),
    }


def sentence(setting: str, rows: list[dict[str, Any]], seeds: int) -> str:
    row = min(rows, key=lambda one: one["accuracy"])
    many = "one seed" if seeds == 1 else f"{seeds} seeds"
    who = setting if seeds == 1 else f"{setting} ({len(rows)} of {many})"
    constant = f"always answering {row['majority']} gives {100 * row['majority_share']:.1f} %"
    if all(one["answer_share"] >= ONE for one in rows):
        return (
            f"{who} has not learned: it answers one class ({row['answer']}, "
            f"{100 * row['answer_share']:.0f} % of its answers), {100 * row['accuracy']:.1f} % "
            f"right on test, and {constant}."
        )
    return (
        f"{who} has not learned, as far as {row['images']:,} images of test tell: "
        f"{100 * row['accuracy']:.1f} % right ({100 * row['low']:.1f} to {100 * row['high']:.1f}), "
        f"and {constant}; {100 * row['answer_share']:.0f} % of its answers are {row['answer']}."
    )


def searched(
    tables: Tables, study: Study, labels: np.ndarray, classes: tuple[str, ...]
) -> list[str]:
    """A sentence for each network whose best trial isn't above the most frequent class of val;
    `labels` are those of the images that an epoch is judged on."""
    counts = np.bincount(labels, minlength=len(classes))
    majority, share = classes[counts.argmax()], counts.max() / len(labels)
    found = []
    for model, row in best(tables, study).items():
        if study.metric != "accuracy" and row[study.objective] > constant(
            study.metric, counts.tolist()
        ):
            continue  # balanced answers may have less accuracy than the most frequent class
        value = row["val_accuracy"]
        low, high = wilson(value * len(labels), len(labels))
        if abs(value - share) < 1 / len(labels):
            found.append(
                f"No trial of {model} has learned: the best, {row['trial_id']}, has the "
                f"{100 * value:.1f} % on val that always answering {majority} gives."
            )
        elif low <= share:
            found.append(
                f"No trial of {model} has learned, as far as {len(labels):,} images of val tell: "
                f"the best, {row['trial_id']}, has {100 * value:.1f} % ({100 * low:.1f} to "
                f"{100 * high:.1f}), and always answering {majority} gives {100 * share:.1f} %."
            )
    return found
