"""The names of classes: those that a source gives, those of a known source, or none at all.

Seven orders of the same seven words are in use, so a number alone names nothing.
"""

import re
import unicodedata

import numpy as np

from fer_data import Mistake
from fer_data.known import EMOTIONS, FER2013, Recognised, recognised

# In the place of names for the numbers: what versions before these checks took them for. Only a
# study that was begun with such names goes on with them.
ASSUMED = ("",)


def named(
    where: str, labels: np.ndarray, splits: np.ndarray, given: tuple[str, ...], table: bool
) -> tuple[np.ndarray, str, tuple[str, ...]]:
    """Class names (N,) for a source's labels, the known data set that it is (or ""), and notes.

    `given` are the names of the class numbers in their order, as a person gives them.
    """
    if given == ASSUMED:
        return assumed(labels, table), "", ()
    numbers = numbered(labels)
    if given and not numbers:
        raise Mistake(
            f"{where} names its classes itself ({listed(sorted(set(labels.tolist())))}); "
            "expected --classes for class numbers only: leave it out"
        )
    names, notes = (labels, ()) if numbers else one_spelling(labels)
    found = recognised(names, splits)
    known = found.known.name if found and found.whole else ""
    if not numbers:
        return names, known, notes + contradicted(found)
    if given:
        return by_hand(where, labels, numbers, given, found), known, given_note(numbers, given)
    if found:
        return renamed(labels, found.names), known, found_note(found)
    note = (
        f"the class numbers {listed(numbers)} are not named, since their images per split are "
        "those of no data set that is known here; --classes A,B,... names them in this order"
    )
    return renamed(labels, {number: plain(number) for number in numbers}), "", (note,)


def plain(number: str) -> str:
    """What stands for the name of a class number that nothing names."""
    return f"class {number}"


def unnamed(labels: np.ndarray, names: np.ndarray) -> bool:
    """Whether the names of a source's labels are numbers that nothing names: they say which of its
    images are alike, and match no class of another data set, whatever that calls its own."""
    return bool(numbered(labels)) and str(names[0]) == plain(str(labels[0]))


def numbers_alone(source: str, names: np.ndarray) -> str:
    """That a source's classes are `unnamed`, for a sentence that goes on with what to do."""
    there = sorted(set(names.tolist()), key=lambda name: (len(name), name))  # class 2, class 10
    return f"{source} has class numbers without names ({listed(there)})"


def numbered(labels: np.ndarray) -> list[str]:
    """The class numbers in their order; empty where a label is a word."""
    each = set(labels.tolist())
    return sorted(each, key=int) if all(label.isdecimal() for label in each) else []


def written(value: object, at: str) -> str:
    """A label of a file as text, whole numbers without a fraction. Mistake where it is none: empty,
    NaN, None, or negative, as releases have it whose answers are kept back.
    """
    text = str(value).strip()
    if WHOLE.fullmatch(text):
        text = text.partition(".")[0]
    if not text or text.casefold() in MISSING or text.startswith("-"):
        raise Mistake(
            f"{at} has the label {text!r}, which is none; expected one: leave it out, or get a "
            "copy that has all labels"
        )
    return text


def renamed(labels: np.ndarray, names: dict[str, str]) -> np.ndarray:
    each, places = np.unique(labels, return_inverse=True)
    return np.array([names[label] for label in each.tolist()])[places]


def by_hand(
    where: str,
    labels: np.ndarray,
    numbers: list[str],
    given: tuple[str, ...],
    found: Recognised | None,
) -> np.ndarray:
    """The names that a person gives, unless there are too few or the counts contradict them."""
    if len(given) != len(numbers) or len(set(given)) != len(given):
        raise Mistake(
            f"--classes names {len(set(given))} classes ({listed(given)}), but {where} has the "
            f"{len(numbers)} class numbers {listed(numbers)}: expected a name of its own for each"
        )
    names = dict(zip(numbers, given, strict=True))
    for number, name in names.items():
        if not found:
            continue
        truth = found.names[number]
        if folded(name) != truth and folded(name) in found.names.values():
            raise Mistake(
                f"--classes names class {number} {name}, but {where} has as many images of it in "
                f"every split as {found.known.title} has of {truth}: give the names in the order "
                f"{','.join(found.names[number] for number in numbers)}, or leave out --classes"
            )
    return renamed(labels, names)


def given_note(numbers: list[str], given: tuple[str, ...]) -> tuple[str, ...]:
    pairs = [f"{number} {name}" for number, name in zip(numbers, given, strict=True)]
    return (f"the classes have the names that --classes gives: {', '.join(pairs)}",)


def found_note(found: Recognised) -> tuple[str, ...]:
    """What was taken for granted, but for FER-2013 as it was published, where nothing was."""
    if found.known is FER2013 and found.names == dict(
        zip(map(str, range(len(EMOTIONS))), EMOTIONS, strict=True)
    ):
        return ()
    pairs = [f"{label} {found.names[label]}" for label in sorted(found.names, key=int)]
    part = "" if found.whole else "part of "
    return (
        f"the class numbers are taken for {part}{found.known.title}, which has as many images of "
        f"each class in every split: {', '.join(pairs)}",
    )


def contradicted(found: Recognised | None) -> tuple[str, ...]:
    """Names of the source that stand for other classes by their counts."""
    if not found:
        return ()
    wrong = {
        name: truth
        for name, truth in found.names.items()
        if folded(name) != truth and folded(name) in found.known.classes
    }
    if not wrong:
        return ()
    return (
        f"by their images per split, the classes called {', '.join(wrong)} are "
        f"{found.known.title}'s {', '.join(wrong.values())}",
    )


def one_spelling(labels: np.ndarray) -> tuple[np.ndarray, tuple[str, ...]]:
    """Names that differ in case, or in how their accents are encoded, become one class."""
    names = {label: unicodedata.normalize("NFC", label) for label in set(labels.tolist())}
    alike: dict[str, list[str]] = {}
    for name in sorted(set(names.values())):
        alike.setdefault(name.casefold(), []).append(name)
    several = [" and ".join(alike) + " are one" for alike in alike.values() if len(alike) > 1]
    notes = (f"classes that differ in case only are one: {listed(several)}",) if several else ()
    last = {label: alike[name.casefold()][-1] for label, name in names.items()}
    return renamed(labels, last), notes


def assumed(labels: np.ndarray, table: bool) -> np.ndarray:
    """See ASSUMED: numbers of a table below 7 in FER-2013's order, names of folders as they are."""
    if not table:
        return labels
    highest = max(map(int, labels.tolist()))
    names = EMOTIONS if highest < len(EMOTIONS) else [f"class {k}" for k in range(highest + 1)]
    return np.array([names[int(label)] for label in labels.tolist()])


WHOLE = re.compile(r"-?\d+\.0+")  # as pandas writes whole numbers of which one is missing
MISSING = ("nan", "nat", "none", "null", "n/a", "<na>")  # as programs write that there is no label
FOLDED = {
    "anger": "angry",
    "angry": "angry",
    "disgust": "disgust",
    "disgusted": "disgust",
    "fear": "fear",
    "fearful": "fear",
    "scared": "fear",
    "happy": "happy",
    "happiness": "happy",
    "joy": "happy",
    "sad": "sad",
    "sadness": "sad",
    "surprise": "surprise",
    "surprised": "surprise",
    "neutral": "neutral",
    "contempt": "contempt",
}


def folded(name: str) -> str:
    """The plain word for an emotion's name in its usual variants; other names as they are."""
    return FOLDED.get(name.casefold().strip(), name)


def listed(names: list[str] | tuple[str, ...]) -> str:
    """The first eight, for a sentence."""
    return ", ".join(map(str, names[:8])) + (", ..." if len(names) > 8 else "")
