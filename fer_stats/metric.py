"""What a study may be judged by, and on which images of val, in words. Needs the standard library
alone."""

from collections.abc import Mapping, Sequence
from typing import Any

WORDS = {"accuracy": "accuracy", "balanced_accuracy": "balanced accuracy", "macro_f1": "macro-F1"}


def constant(measure: str, images: Sequence[int]) -> float:
    """What always answering the most frequent class gives, from the images of each class."""
    share = max(images) / sum(images)
    there = sum(many > 0 for many in images)
    each = {"accuracy": share, "balanced_accuracy": 1 / there}
    return each.get(measure, 2 * share / (1 + share) / there)


def copies_in_val(data: Mapping[str, Any]) -> int:
    """How many val images are exact or near copies of training images, as far as was counted;
    `data` is that of study.json."""
    return (data.get("val_duplicates") or 0) + (data.get("val_near_copies") or 0)


def without_copies(asked: str | None, data: Mapping[str, Any]) -> bool:
    """Whether a study judges its epochs on val without copies of training images: `val_copies` is
    so `asked` for, and other images are left."""
    whole = sum(((data.get("counts") or {}).get("val") or {}).values())
    return asked == "without" and not 0 < whole <= copies_in_val(data)


def of_val(clean: bool) -> str:
    """The images of val on which a study judges."""
    return "val without duplicates" if clean else "val"


def on_val(measure: str, clean: bool) -> str:
    """After a percentage: on val, where it is accuracy, else macro-F1 on val."""
    where = f"on {of_val(clean)}"
    return where if measure == "accuracy" else f"{WORDS[measure]} {where}"
