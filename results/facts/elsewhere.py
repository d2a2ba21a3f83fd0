"""Trained on, tested on: what a study's networks said to the faces of other data sets.

The answers are those that `python -m study.evaluate` keeps in a study's folder `elsewhere`.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from fer_stats import crossed
from fer_stats.measures import guesses
from results import Mistake
from results.artefacts.load import Findings, stored
from results.facts.evaluation import PRIMARY, Evaluated, chosen

FEW = 10  # faces of a group below which an accuracy says nothing


@dataclass(frozen=True)
class Elsewhere:
    """A setting's answers to another data set: S seeds, N faces."""

    setting: Evaluated
    trained: str
    tested: str
    notes: tuple[str, ...]
    label: np.ndarray  # (N,) 0...K-1
    right: np.ndarray  # (S, N) bool
    about: pd.DataFrame  # N rows: an attribute a column, None where it isn't told


def of(studies: list[Findings], settings: list[Evaluated]) -> list[Elsewhere]:
    """Each setting on each data set that it was asked about."""
    return [found for one in studies for found in of_study(one, settings)]


def of_study(one: Findings, settings: list[Evaluated]) -> Iterator[Elsewhere]:
    """A set that was asked about twice, as a folder and its archive, is there once; sets of one
    name have a number."""
    known: set[int] = set()
    many: dict[str, int] = {}
    for path in sorted((one.folder / "elsewhere").glob("*.parquet")):
        try:
            frame = stored(path)
            about = json.loads(pq.read_schema(path).metadata[b"elsewhere"])
        except (Mistake, KeyError, TypeError, ValueError) as error:
            raise Mistake(f"{path} can't be read ({error}): run study.evaluate again") from None
        if (same := content(frame)) in known:
            continue
        known.add(same)
        number = many[about["name"]] = many.get(about["name"], 0) + 1
        about["name"] += f" ({number})" * (number > 1)
        frame["setting"] = frame["trial_id"].str.rpartition("-s")[0]
        for setting in settings:
            part = frame[frame["setting"] == setting.answers.setting]
            if setting.answers.study == one.name and len(part):
                yield answers(setting, part, one.study["data"]["name"], about)


def content(frame: pd.DataFrame) -> int:
    """The same for the same answers to the same faces, in whichever order."""
    return int(pd.util.hash_pandas_object(frame.drop(columns="image"), index=False).sum())


def answers(
    setting: Evaluated, frame: pd.DataFrame, trained: str, about: dict[str, Any]
) -> Elsewhere:
    classes = list(setting.answers.classes)
    each = [part for _, part in frame.groupby("trial_id", sort=True)]
    label = np.array([classes.index(name) for name in each[0]["label"]])
    guess = np.stack([guesses(part[[f"p_{c}" for c in classes]].to_numpy(float)) for part in each])
    told = pd.DataFrame([json.loads(text) for text in each[0]["about"]])
    return Elsewhere(
        setting, trained, about["name"], tuple(about["notes"]), label, guess == label, told
    )


def fall(own: crossed.Estimate, there: crossed.Estimate) -> crossed.Estimate:
    """How much lower a share is there: new seeds, new faces here and there. The same networks are
    in both, whose luck is counted twice, so that its interval is rather too wide than too narrow.
    """
    return crossed.Estimate(
        own.mean - there.mean, (*own.parts, *there.parts), own.images + there.images
    )


def at_home(one: Elsewhere) -> np.ndarray:
    """(N,) which images its own test is: without copies of those trained on, which no face
    elsewhere is either, and which would pass for a drop; all of test where they are all copies."""
    mine = one.setting.answers
    clean = chosen(mine, PRIMARY)
    return clean if clean.any() else chosen(mine, "test")


def right_at_home(one: Elsewhere) -> np.ndarray:
    """(S, n) bool: the setting's answers to its own test."""
    mine, inside = one.setting.answers, at_home(one)
    return mine.guess[:, inside] == mine.label[inside]


def tested(found: list[Elsewhere]) -> pd.DataFrame:
    """A row per setting and data set: accuracy there and the drop, each with its interval, the own
    test, and what of the drop is the other mix of classes alone."""
    rows = []
    for one in found:
        there = crossed.of_one(one.right)
        low, high = np.clip(there.interval(), 0, 1)  # of a share
        own = crossed.of_one(right_at_home(one))
        drop = fall(own, there)
        drop_low, drop_high = np.clip(drop.interval(), -1, 1)
        rows.append(
            {
                "setting": one.setting.name,
                "trained on": one.trained,
                "tested on": one.tested,
                "faces": len(one.label),
                "seeds": len(one.right),
                "accuracy": there.mean,
                "low": low,
                "high": high,
                "own test": own.mean,
                "drop": drop.mean,
                "drop low": drop_low,
                "drop high": drop_high,
                "by the mix": mix(one),
            }
        )
    return pd.DataFrame(rows)


def mix(one: Elsewhere) -> float:
    """What accuracy would fall by if every class kept its recall and had its share of the faces
    there. With what each class `carries` it is the drop."""
    mine, inside = one.setting.answers, at_home(one)
    here, there = mine.label[inside], one.label
    right = right_at_home(one)
    return float(
        sum(
            ((here == k).mean() - (there == k).mean()) * right[:, here == k].mean()
            for k in np.unique(here)
        )
    )


def classes(found: list[Elsewhere]) -> pd.DataFrame:
    """A row per setting, data set and class: recall there and on the own test, the drop with its
    interval, and what it `carries` of the accuracy's drop: by its share of the faces there."""
    rows = []
    for one in found:
        mine, inside = one.setting.answers, at_home(one)
        for k, name in enumerate(mine.classes):
            here = one.label == k
            right = right_at_home(one)[:, mine.label[inside] == k]
            if not (here.any() and right.size):
                continue
            recall, before = crossed.of_one(one.right[:, here]), crossed.of_one(right)
            drop = fall(before, recall)
            low, high = np.clip(drop.interval(), -1, 1)  # of shares
            rows.append(
                {
                    "setting": one.setting.name,
                    "tested on": one.tested,
                    "class": name,
                    "faces": int(here.sum()),
                    "recall": recall.mean,
                    "own test": before.mean,
                    "drop": drop.mean,
                    "low": low,
                    "high": high,
                    "carries": drop.mean * float(here.mean()),
                }
            )
    return pd.DataFrame(rows)


def groups(found: list[Elsewhere]) -> pd.DataFrame:
    """A row per setting, data set, attribute and its value: accuracy with its interval."""
    rows = []
    for one in found:
        for attribute in one.about:
            for value in sorted(one.about[attribute].dropna().unique()):
                inside = (one.about[attribute] == value).to_numpy()
                if inside.sum() < FEW:
                    continue
                there = crossed.of_one(one.right[:, inside])
                low, high = np.clip(there.interval(), 0, 1)
                rows.append(
                    {
                        "setting": one.setting.name,
                        "tested on": one.tested,
                        "attribute": attribute,
                        "value": value,
                        "faces": int(inside.sum()),
                        "accuracy": there.mean,
                        "low": low,
                        "high": high,
                    }
                )
    return pd.DataFrame(rows)
