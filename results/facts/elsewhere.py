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
from results import Mistake
from results.artefacts.load import Findings, stored
from results.facts.evaluation import Evaluated, chosen

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
    for path in sorted((one.folder / "elsewhere").glob("*.parquet")):
        try:
            frame = stored(path)
            about = json.loads(pq.read_schema(path).metadata[b"elsewhere"])
        except (Mistake, KeyError, TypeError, ValueError) as error:
            raise Mistake(f"{path} can't be read ({error}): run study.evaluate again") from None
        frame["setting"] = frame["trial_id"].str.rpartition("-s")[0]
        for setting in settings:
            part = frame[frame["setting"] == setting.answers.setting]
            if setting.answers.study == one.name and len(part):
                yield answers(setting, part, one.study["data"]["name"], about)


def answers(
    setting: Evaluated, frame: pd.DataFrame, trained: str, about: dict[str, Any]
) -> Elsewhere:
    classes = list(setting.answers.classes)
    each = [part for _, part in frame.groupby("trial_id", sort=True)]
    label = np.array([classes.index(name) for name in each[0]["label"]])
    guess = np.stack([part[[f"p_{c}" for c in classes]].to_numpy().argmax(1) for part in each])
    told = pd.DataFrame([json.loads(text) for text in each[0]["about"]])
    return Elsewhere(
        setting, trained, about["name"], tuple(about["notes"]), label, guess == label, told
    )


def tested(found: list[Elsewhere]) -> pd.DataFrame:
    """A row per setting and data set: accuracy there with its interval, and on its own test."""
    rows = []
    for one in found:
        there = crossed.of_one(one.right)
        low, high = there.interval()
        inside = chosen(one.setting.answers, "test")
        own = float((one.setting.answers.guess == one.setting.answers.label)[:, inside].mean())
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
                "own test": own,
                "drop": own - there.mean,
            }
        )
    return pd.DataFrame(rows)


def classes(found: list[Elsewhere]) -> pd.DataFrame:
    """A row per setting, data set and class: recall there and on the own test, and the drop."""
    rows = []
    for one in found:
        mine = one.setting.answers
        inside = chosen(mine, "test")
        for k, name in enumerate(mine.classes):
            here, own = one.label == k, inside & (mine.label == k)
            if here.any() and own.any():
                recall = float(one.right[:, here].mean())
                before = float((mine.guess[:, own] == k).mean())
                rows.append(
                    {
                        "setting": one.setting.name,
                        "tested on": one.tested,
                        "class": name,
                        "faces": int(here.sum()),
                        "recall": recall,
                        "own test": before,
                        "drop": before - recall,
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
                low, high = there.interval()
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
