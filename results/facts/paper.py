"""The student paper's own numbers (published.json): its figures, its settings, its oddities."""

import json
from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from fer_data import fer2013
from fer_data.classes import folded
from fer_stats.verdicts import MARGIN, Comparison, family
from results.artefacts.load import Findings
from results.facts import statistics as st
from results.facts import verdicts
from results.facts.evaluation import PRIMARY, Evaluated, chosen
from results.words import listed, seeds

TEXT_TEST_IMAGES = 3589  # "28,709 training images and 3,589 test images", section II
STATED = {"model": "network", "batch_size": "batch size", "lr": "learning rate"}
ROUNDING = 1e-4  # the paper prints accuracies with two decimals of a percent, cut or rounded
# Which settings each pair of learning-curve figures compares; the paper doesn't say with which
# runs of the other two networks it compares CBAM: those of the same batch size stand here.
CURVES = (
    ("Figs. 3 and 4", ("A-alexnet", "A-resnet34")),
    ("Figs. 7 and 8", ("B-alexnet", "B-resnet34")),
    ("Figs. 11 and 12", ("C-alexnet", "C-resnet34")),
    ("Figs. 16 and 17", ("B-alexnet", "B-resnet34", "D-cbam128", "D-cbam64")),
    ("Fig. 19", ("B-alexnet", "B-resnet34", "E-cbam50")),
)
# What preset paper is to decide: alike in all but the network, and in what the paper says of CBAM.
PAIRS = (("A-resnet34", "A-alexnet"), ("C-resnet34", "C-alexnet"), ("E-cbam50", "B-resnet34"))
ACROSS = (
    "The pairs that preset paper fixed before training, their settings from several studies (for "
    "new seeds and images; test without duplicates; 95 %, Holm):"
)


def published() -> dict[str, Any]:
    return json.loads((Path(__file__).parent / "published.json").read_text())


@cache
def experiments() -> dict[str, dict[str, Any]]:
    """The paper's nine settings by their names."""
    return {entry["id"]: entry for entry in published()["experiments"]}


def epochs(one: Evaluated) -> int:
    """Those of the paper for a setting; our own where it says none."""
    said = experiments().get(one.answers.setting, {})
    return said.get("epochs") or one.answers.epochs


def figure(name: str) -> str:
    """fig14 -> Fig. 14"""
    return f"Fig. {name.removeprefix('fig')}"


def matrices(paper: dict[str, Any]) -> dict[str, str]:
    """Setting -> the figure with its printed matrix, for those that have one."""
    each = {entry["id"]: entry["confusion"] for entry in paper["experiments"]}
    return {setting: figure for setting, figure in each.items() if figure}


def counts(paper: dict[str, Any], name: str) -> np.ndarray:
    return np.array(paper["confusions"][name]["matrix"])


def in_its_order(classes: Iterable[str], order: list[str]) -> list[str]:
    """The names of a study's classes in the `order` of the paper's; [] where they are others."""
    ours = {folded(name): name for name in classes}
    return [ours[name] for name in order] if {*ours} == {*order} else []


def by_length(settings: list[Evaluated]) -> list[Evaluated]:
    """Of several studies with one setting the one that counts comes last: it trained longest, but
    not longer than the paper's, then with most seeds, then in the newest study."""

    def place(one: Evaluated) -> tuple[bool, int, int]:
        trained = one.answers.epochs
        return trained <= epochs(one), trained, len(one.answers.seeds)

    return sorted(settings, key=place)


def newest_last(studies: Iterable[Findings]) -> list[Findings]:
    return sorted(studies, key=lambda one: str(one.study.get("started_at", "")))


def comparable(
    studies: list[Findings], settings: list[Evaluated]
) -> tuple[list[Evaluated], dict[str, str]]:
    """The settings whose val and test together are the images that the paper judged on, trained as
    it says, those of the newest study last; and of the others that have the name of one of its
    settings: study, or setting of a study -> why it isn't compared."""
    order = [one.name for one in newest_last(studies)]
    settings = sorted(settings, key=lambda one: order.index(one.answers.study))
    why = {
        (one.name, str(one.study["data"].get("digest"))): fer2013.not_the_papers(one.study["data"])
        for one in studies
    }
    by_name = {one.name: one for one in studies}
    alike: list[Evaluated] = []
    others: dict[str, str] = {}
    for one in settings:
        setting, study = one.answers.setting, one.answers.study
        if reason := why[study, one.answers.digest]:
            others |= {study: reason} if setting in experiments() else {}
        elif reason := otherwise(by_name[study], setting):
            others[f"{setting} of {study}"] = reason
        else:
            alike.append(one)
    return alike, others


def otherwise(one: Findings, setting: str) -> str:
    """What the confirmed setting of this name has otherwise than the paper says of it, or where it
    says nothing than the preset reads it, in words; "" where it agrees or isn't one of the paper's.
    Epochs aren't asked: every table tells them."""
    said = experiments().get(setting)
    rows = one.trials[(one.trials["stage"] == "confirm") & (one.trials["setting"] == setting)]
    if said is None or rows.empty:
        return ""
    named = {each["name"]: each for each in one.study["study"].get("settings") or []}
    wanted = named.get(setting, {}).get("replaced", {}) | {k: v for k, v in said.items() if v}
    ours = {name: rows[f"hp_{name}"].iloc[0] for name in STATED}
    return listed(
        [
            f"its {words} is {ours[name]} instead of {wanted[name]}"
            for name, words in STATED.items()
            if name in wanted and ours[name] != wanted[name]
        ]
    )


def under_way(studies: Iterable[Findings]) -> dict[str, tuple[int, int]]:
    """Setting -> epochs so far and in all of those that are being trained on the images of the
    paper, or were stopped. Of several the one that came furthest."""
    found: dict[str, tuple[int, int]] = {}
    for one in studies:
        confirmed = one.trials[one.trials["stage"] == "confirm"]
        done = one.epochs.groupby("trial_id")["epoch"].max()
        for _, row in confirmed[confirmed["status"].isin(["running", "stopped"])].iterrows():
            came = int(done.get(row["trial_id"], 0)), int(row["hp_epochs"])
            elsewhere = fer2013.not_the_papers(one.study["data"])
            if not elsewhere and not otherwise(one, row["setting"]):
                found[row["setting"]] = max(came, found.get(row["setting"], came))
    return found


def by_setting(studies: list[Findings], settings: list[Evaluated]) -> dict[str, list[Evaluated]]:
    """Setting -> those of that name on the images that the paper judged on; the last one counts."""
    found: dict[str, list[Evaluated]] = {}
    for one in by_length(comparable(studies, settings)[0]):
        found.setdefault(one.answers.setting, []).append(one)
    return found


def across(studies: list[Findings], settings: list[Evaluated]) -> list[Comparison]:
    """The pairs that the preset fixed before training (PAIRS), as one family, by the settings that
    count, ended their epochs and answered the same images without duplicates. Only where these are
    of several studies: one study has its own verdicts. Studies from before pairs were fixed are
    left out. Settings are named without their study.
    """
    studies = [one for one in studies if one.study["study"].get("pairs") is not None]
    named = {one.name for one in studies}
    settings = [one for one in settings if one.answers.study in named]
    standing = {name: each[-1] for name, each in by_setting(studies, settings).items()}
    whole = [
        replace(one, name=name)
        for name, one in standing.items()
        if one.answers.epochs == epochs(one)
    ]
    of_pairs = [one for one in whole if any(one.name in pair for pair in PAIRS)]
    group = max(verdicts.alike(of_pairs, PRIMARY), key=len, default=[])
    if len({one.answers.study for one in group}) < 2:
        return []
    there = {one.name: verdicts.tested(studies, one, PRIMARY) for one in group}
    paid = {one.name: verdicts.unit(studies, [one]) for one in group}
    pairs = [(there[a], there[b]) for a, b in PAIRS if {a, b} <= set(there)]
    found = family(pairs, True, MARGIN, verdicts.clusters(group, PRIMARY), "")
    return [verdicts.in_unit(one, paid[one.first], paid[one.second]) for one in found]


def told_across(found: Iterable[Comparison]) -> list[str]:
    """What `across` found, a sentence each, after what they are of; [] for nothing."""
    told = [f"{one.words}." for one in found]
    return [ACROSS, *told] if told else []


def settings_table(
    paper: dict[str, Any], settings: list[Evaluated], studies: list[Findings]
) -> pd.DataFrame:
    """A row per setting of the paper: what it claims, what its matrix says, what we found.

    Ours stands beside it where one of `studies` confirmed a setting of that name, trained as the
    paper says, on the images that it judged on: on val+test (the 7,178 images of its test folder),
    val, test, and test without duplicates; `study` says whose it is, and `others` what the other
    studies have that confirmed it. Of the others it says how far their training has come.
    """
    ours = by_setting(studies, settings)
    far = under_way(studies)
    rows = []
    for entry in paper["experiments"]:
        name = entry["confusion"]
        row: dict[str, Any] = {
            "setting": entry["id"],
            "model": entry["model"],
            "batch_size": entry["batch_size"],
            "lr": entry["lr"],
            "epochs": entry["epochs"],
            "claimed": entry["claimed_accuracy"],
            "figure": figure(name) if name else "",
            "matrix": np.trace(counts(paper, name)) / counts(paper, name).sum() if name else None,
        }
        row["came"], row["wanted"] = far.get(entry["id"], (None, None))
        row["others"] = ""
        if entry["id"] in ours:
            *others, one = ours[entry["id"]]
            row |= {"seeds": len(one.answers.seeds), "our_epochs": one.answers.epochs}
            row |= {"study": one.answers.study, "others": "; ".join(map(told, others))}
            for scope, found in one.scopes.items():
                row[scope] = found["accuracy"].mean
            row["clean"] = int(chosen(one.answers, PRIMARY).sum())
            both = one.scopes["val+test"]["accuracy"]
            low, high = both.interval
            next_low, next_high = st.next_seed(both)
            row |= {"low": low, "high": high, "next_low": next_low, "next_high": next_high}
            if name:
                row["difference"] = row["val+test"] - row["matrix"]
                if len(both.by_seed) > 1:
                    row["within"] = bool(next_low <= row["matrix"] <= next_high)
        rows.append(row)
    columns = (
        "setting model batch_size lr epochs claimed figure matrix came wanted seeds "
        "our_epochs study others val+test low high next_low next_high difference within val test"
    ).split()
    return pd.DataFrame(rows, columns=[*columns, PRIMARY, "clean"])


def told(one: Evaluated) -> str:
    """paper-alexnet: 56.69 %, 50 epochs, one seed."""
    mean = one.scopes["val+test"]["accuracy"].mean
    trained = f"{one.answers.epochs} epochs, {seeds(len(one.answers.seeds))}"
    return f"{one.answers.study}: {100 * mean:.2f} %, {trained}"


def taken(frame: pd.DataFrame) -> str:
    """Of the settings that several studies confirmed (`settings_table`): whose figures stand for
    them, and what the others have; "" where there are none."""
    each = [
        f"{row['setting']} is from {row['study']} ({row['others']})"
        for _, row in frame[frame["others"] != ""].iterrows()
    ]
    if not each:
        return ""
    return (
        "Where several studies confirmed a setting, seeds aren't pooled: the longest trained, up "
        "to the paper's epochs, stands here, then that with most seeds, then the newest. "
        f"{'; '.join(each)}."
    )


def image_counts(paper: dict[str, Any]) -> pd.DataFrame:
    """Matrices that count another number of images than the text."""
    rows = [
        {
            "figure": figure(name),
            "images": int(counts(paper, name).sum()),
            "text": TEXT_TEST_IMAGES,
            "ratio": counts(paper, name).sum() / TEXT_TEST_IMAGES,
        }
        for name in paper["confusions"]
    ]
    frame = pd.DataFrame(rows, columns=["figure", "images", "text", "ratio"])
    return frame[frame["images"] != frame["text"]].reset_index(drop=True)


def same_matrices(paper: dict[str, Any]) -> pd.DataFrame:
    """Pairs of figures with one matrix under two different settings."""
    of = {entry["confusion"]: entry for entry in paper["experiments"] if entry["confusion"]}
    rows = []
    for a, b in combinations(sorted(of, key=lambda name: int(name[3:])), 2):
        if np.array_equal(counts(paper, a), counts(paper, b)):
            pair = {
                f"{key}_{side}": of[name][key]
                for side, name in (("first", a), ("second", b))
                for key in ("id", "batch_size", "lr", "epochs", "claimed_accuracy")
            }
            rows.append({"first": figure(a), "second": figure(b), **pair})
    return pd.DataFrame(rows)


def claims(paper: dict[str, Any]) -> pd.DataFrame:
    """Claimed accuracies beside right / all of the printed matrix; `agrees` up to the rounding."""
    rows = []
    for entry in paper["experiments"]:
        if entry["claimed_accuracy"] is None or not entry["confusion"]:
            continue
        cells = counts(paper, entry["confusion"])
        right, images = int(np.trace(cells)), int(cells.sum())
        gap = entry["claimed_accuracy"] - right / images
        rows.append(
            {
                "setting": entry["id"],
                "figure": figure(entry["confusion"]),
                "right": right,
                "images": images,
                "matrix": right / images,
                "claimed": entry["claimed_accuracy"],
                "difference": gap,
                "agrees": abs(gap) < ROUNDING,
            }
        )
    columns = "setting figure right images matrix claimed difference agrees".split()
    return pd.DataFrame(rows, columns=columns)


def column_measures(cells: np.ndarray) -> dict[str, np.ndarray]:
    """What a column beside a (K, K) matrix could mean: measure -> (K,)."""
    whole, hits = cells.sum(), np.diag(cells)
    truth, predicted = cells.sum(1), cells.sum(0)
    recall, precision = hits / truth, hits / predicted
    size = range(len(cells))
    blocks = np.array([hits[k] + cells[:k, :k].sum() + cells[k + 1 :, k + 1 :].sum() for k in size])
    row = np.array([cells[k, :k].sum() if 2 <= k < len(cells) - 1 else 0 for k in size])
    return {
        "recall: right / images of the class": recall,
        "precision: right / answers of the class": precision,
        "F1 of the two": 2 * recall * precision / (recall + precision),
        "one class against the rest: (right + rightly rejected) / all": (
            (whole - truth - predicted + 2 * hits) / whole
        ),
        "as before, but rejections only from the blocks above-left and below-right": blocks / whole,
        "as before, and the wrong answers left of the diagonal counted as right for the third to "
        "the last but one class": (blocks + row) / whole,
    }


def printed_column(paper: dict[str, Any]) -> pd.DataFrame:
    """How many cells of the printed "Accuracy" columns each measure gives, to two decimals.

    `fitted`: no measure in use, but a sum that was looked for until it gave the column.
    """
    printed: list[float] = []
    could: dict[str, list[float]] = {}
    for name, entry in paper["confusions"].items():
        if "printed_accuracy_column" not in entry:
            continue
        printed += entry["printed_accuracy_column"]
        for measure, each in column_measures(counts(paper, name)).items():
            could.setdefault(measure, []).extend(each)
    rows = []
    for measure, values in could.items():
        apart = np.abs(np.array(values) - np.array(printed))
        equal = apart <= 0.005 + 1e-9
        rows.append(
            {
                "measure": measure,
                "fitted": measure.startswith("as before"),
                "equal": int(equal.sum()),
                "cells": len(printed),
                "mean_distance": apart.mean(),
                "largest_distance": apart.max(),
            }
        )
    return pd.DataFrame(
        rows, columns=["measure", "fitted", "equal", "cells", "mean_distance", "largest_distance"]
    )
