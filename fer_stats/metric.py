"""What a study may be judged by, in words. Needs the standard library alone."""

from collections.abc import Sequence

WORDS = {"accuracy": "accuracy", "balanced_accuracy": "balanced accuracy", "macro_f1": "macro-F1"}


def constant(measure: str, images: Sequence[int]) -> float:
    """What always answering the most frequent class gives, from the images of each class."""
    share = max(images) / sum(images)
    there = sum(many > 0 for many in images)
    each = {"accuracy": share, "balanced_accuracy": 1 / there}
    return each.get(measure, 2 * share / (1 + share) / there)


def on_val(measure: str) -> str:
    """After a percentage: on val, where it is accuracy, else macro-F1 on val."""
    return "on val" if measure == "accuracy" else f"{WORDS[measure]} on val"
