"""Which networks have learned nothing: no better than always answering the most frequent class.

Nothing is to be read from whatever else is said of such a network (its matrix, calibration, tests
against others), so the terminal and every page that says it says this too.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from fer_stats.measures import measures
from fer_stats.metric import constant
from fer_stats.share import wilson

ONE = 0.95  # share of its answers from which on a network answers one class


@dataclass(frozen=True)
class Unlearned:
    """What the answers of a network come to that has not learned; shares are fractions, low and
    high the ends of Wilson's 95 % interval."""

    images: int
    accuracy: float
    low: float
    high: float
    majority: str
    majority_share: float
    answer: str
    answer_share: float


def unlearned(
    metric: str, label: np.ndarray, guess: np.ndarray, classes: Sequence[str]
) -> Unlearned | None:
    """What answers (N,) to images (N,) come to, numbers from 0 on, or None if they tell that the
    network has learned: its interval lies above the share of the most frequent class, or there is
    but one; or it has more of a study's `metric`, for which it may have given accuracy up, than
    always that class has, and its interval lies above what its own answers have right if they are
    dealt out at random. None also where an answer is below 0: it diverged and gave none.
    """
    if (guess < 0).any():
        return None
    images = len(label)
    truth, said, right = (
        np.bincount(each, minlength=len(classes)) for each in (label, guess, label[label == guess])
    )
    low, high = wilson(int(right.sum()), images)
    if low > truth.max() / images or truth.max() == images:
        return None
    found = measures(truth, said, right)
    more = metric != "accuracy" and float(found[metric]) > constant(metric, truth.tolist())
    at_random = float(truth / images @ (said / images))
    if more and low > at_random:
        return None
    return Unlearned(
        images,
        int(right.sum()) / images,
        low,
        high,
        classes[int(truth.argmax())],
        truth.max() / images,
        classes[int(said.argmax())],
        said.max() / images,
    )


def setting_has_not(setting: str, split: str, found: Sequence[Unlearned], seeds: int) -> str:
    """The sentence on a setting of so many seeds, some of which have not learned."""
    worst = min(found, key=lambda one: one.accuracy)
    who = setting if seeds == 1 else f"{setting} ({len(found)} of {seeds} seeds)"
    always = f"always answering {worst.majority} gives {100 * worst.majority_share:.1f} %"
    share = f"{100 * worst.answer_share:.0f} % of its answers"
    right = f"{'the worst ' if len(found) > 1 else ''}{100 * worst.accuracy:.1f} % right"
    if all(one.answer_share >= ONE for one in found):
        return (
            f"{who} has not learned: it answers one class ({worst.answer}, {share}), {right} on "
            f"{split}, and {always}."
        )
    return (
        f"{who} has not learned, as far as {worst.images:,} images of {split} tell: {right} "
        f"({100 * worst.low:.1f} to {100 * worst.high:.1f}), and {always}; {share} are "
        f"{worst.answer}."
    )


def no_trial_has(
    model: str,
    trial: str,
    accuracy: float,
    judged: float,
    metric: str,
    counts: Mapping[str, int],
    images: int,
) -> str:
    """The sentence on a network whose best trial of a search isn't above the most frequent class of
    val, or "". `accuracy` and `judged`, its value of `metric`, are on so many `images` of val;
    `counts` are those of each class.
    """
    if metric != "accuracy" and judged > constant(metric, [*counts.values()]):
        return ""  # balanced answers may have less accuracy than the most frequent class
    majority = max(counts, key=counts.__getitem__)
    share = counts[majority] / sum(counts.values())
    low, high = wilson(accuracy * images, images)
    if abs(accuracy - share) < 1 / images:
        return (
            f"No trial of {model} has learned: the best, {trial}, has the {100 * accuracy:.1f} % "
            f"on val that always answering {majority} gives."
        )
    if low > share:
        return ""
    return (
        f"No trial of {model} has learned, as far as {images:,} images of val tell: the best, "
        f"{trial}, has {100 * accuracy:.1f} % ({100 * low:.1f} to {100 * high:.1f}), and always "
        f"answering {majority} gives {100 * share:.1f} %."
    )
