"""Accuracy, balanced accuracy and macro-F1 from counts by class: what a study may be judged by, and
what its results tell. One definition for both."""

import numpy as np

from fer_stats.metric import constant
from fer_stats.share import wilson

MEASURES = ("accuracy", "macro_f1", "balanced_accuracy")


def measures(truth: np.ndarray, told: np.ndarray, hits: np.ndarray) -> dict[str, np.ndarray]:
    """MEASURES from counts by class on the last axis: images of it, answers with it, both.

    A class without images counts in none of the means; one never answered has an F1 of 0.
    """
    there = truth > 0
    many = there.sum(-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        recall = np.where(there, hits / truth, 0.0)
        f1 = np.where(there, 2 * hits / (truth + told), 0.0)
        return {
            "accuracy": hits.sum(-1) / truth.sum(-1),
            "macro_f1": f1.sum(-1) / many,
            "balanced_accuracy": recall.sum(-1) / many,
        }


def learned(metric: str, label: np.ndarray, guess: np.ndarray, classes: int) -> bool:
    """Whether answers (N,) to images (N,) tell that a network has learned; both are numbers from 0
    to `classes` - 1. Its 95 % interval (Wilson) lies above the share of the most frequent class, or
    there is but one; or it has more of a study's `metric`, for which it may have given accuracy up,
    than always that class has.
    """
    truth = np.bincount(label, minlength=classes)
    right = np.bincount(label[label == guess], minlength=classes)
    low, _ = wilson(int(right.sum()), len(label))
    if low > truth.max() / len(label) or truth.max() == len(label):
        return True
    found = measures(truth, np.bincount(guess, minlength=classes), right)
    return metric != "accuracy" and float(found[metric]) > constant(metric, truth.tolist())
