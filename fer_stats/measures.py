"""Accuracy, balanced accuracy and macro-F1 from counts by class: what a study may be judged by, and
what its results tell. One definition for both."""

import numpy as np

MEASURES = ("accuracy", "macro_f1", "balanced_accuracy")


def guesses(probability: np.ndarray) -> np.ndarray:
    """(..., N) the class with the highest probability (..., N, K); -1 where a network that diverged
    has none: NumPy would take the first."""
    return np.where(np.isnan(probability).any(-1), -1, probability.argmax(-1))


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


def of_answers(label: np.ndarray, guess: np.ndarray, classes: int) -> dict[str, np.ndarray]:
    """MEASURES of a network's answers (N,) to images (N,), numbers from 0 on; -1 for none."""
    each = (label, guess[guess >= 0], label[label == guess])
    return measures(*(np.bincount(one, minlength=classes) for one in each))
