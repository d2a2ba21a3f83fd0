"""The report's learning curves: the paper's pairs of settings, then whatever else was confirmed."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from results.artefacts.load import Findings
from results.facts import paper, search, status
from results.figures import charts
from results.report.blocks import Block, Figure, Section, Text, kinds, table
from results.words import listed, measure_words, seeds

MEASURES = {  # what a study was judged by first, where that isn't accuracy
    "val_macro_f1": "Macro-F1, val",
    "val_balanced_accuracy": "Balanced accuracy, val",
    "val_accuracy": "Accuracy, val",
    "train_accuracy": "Accuracy, train",
    "val_loss": "Loss, val (nats per image)",
    "train_loss": "Loss, train (nats per image)",
}
COLUMNS = kinds("setting epoch:count seeds:count") | {
    measure: "number" if "loss" in measure else "percent" for measure in MEASURES
}
MOST = 7  # settings in a figure: as many as there are colours
HOW = (
    "Lines are means over seeds, bands reach from the lowest seed to the highest. train is "
    "measured while training, with augmentation and dropout; val is not."
)


def curves(studies: list[Findings]) -> Section | None:
    """Accuracy and loss by epoch of the confirmed settings."""
    each = [
        status.curves_on_val(one).assign(
            study=one.name,
            data=f"{one.study['data'].get('name')} {one.study['data'].get('digest')}",
        )
        for one in studies
    ]
    frame = pd.concat(each, ignore_index=True)
    if frame.empty:
        return None
    twice = frame.groupby("setting")["study"].transform("nunique") > 1
    named = frame["setting"].astype(str) + " (" + frame["study"] + ")"
    frame["setting"] = frame["setting"].where(~twice, named)
    changed = {
        name
        for one in studies
        for name in frame.loc[frame["study"] == one.name, "setting"].unique()
        if paper.otherwise(one, name)
    }
    groups = [
        (caption + judged_on, rows)
        for caption, names in curve_groups(frame, changed)
        for judged_on, rows in on_one_val(frame[frame["setting"].isin(names)])
    ]
    figures: list[Block] = [
        figure(f"curves-{number}", caption, rows)
        for number, (caption, rows) in enumerate(groups, 1)
    ]
    return Section("Learning curves", [Text(HOW + of_val(studies), "quiet"), *figures])


def on_one_val(frame: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """The rows that were judged on the same images of val together, and which these are where there
    are several."""
    groups = frame.groupby(["data", "images", "clean"], sort=False)
    several = frame["data"].nunique() > 1
    for (data, images, clean), rows in groups:
        whose = f" of {data}" if several else ""
        told = f", on {status.images_of_val(images, clean, whose)}"
        yield told * (groups.ngroups > 1), rows


def of_val(studies: list[Findings]) -> str:
    """Where an epoch was judged on a part of val: on how many images, since tables on confirmed
    settings are of all of it."""
    parts = [
        f"{search.val_images(one):,} images" + (f" in {one.name}" if len(studies) > 1 else "")
        for one in studies
        if search.val_images(one) < sum(counts(one).get("val", {}).values())
    ]
    if not parts:
        return ""
    return f" val is here the part that each epoch was judged on: {listed(parts)}."


def counts(one: Findings) -> dict[str, dict[str, int]]:
    """Images of each class by split, of the whole data set; {} of older studies."""
    return one.study["data"].get("counts") or {}


def curve_groups(frame: pd.DataFrame, changed: set[str]) -> list[tuple[str, list[str]]]:
    """Which settings share a figure: as in the paper, but for those `changed` from its own, else
    those of a study, MOST at a time."""
    there = list(dict.fromkeys(frame["setting"]))
    papers = [s for s in there if s not in changed]
    groups = [
        (f"Settings of the paper's {name}", [s for s in wanted if s in papers])
        for name, wanted in paper.CURVES
        # A figure whose own settings (the last letter's) weren't run would repeat another.
        if any(s in papers and s.split("-")[0] == wanted[-1].split("-")[0] for s in wanted)
    ]
    named = {name for _, wanted in paper.CURVES for name in wanted}
    rest = [s for s in there if s in changed or s not in named]
    own = frame.drop_duplicates("setting").set_index("setting")["study"]
    for study in dict.fromkeys(own[rest]):
        names = [s for s in rest if own[s] == study]
        parts = [names[k : k + MOST] for k in range(0, len(names), MOST)]
        groups += [(f"Confirmed: {listed(part)}", part) for part in parts]
    return groups


def figure(name: str, caption: str, part: pd.DataFrame) -> Figure:
    """Every measure of these settings by epoch."""
    plots = [
        (title, charts.curve(part, measure, measure_words(measure).partition(" ")[2]))
        for measure, title in MEASURES.items()
        if measure in set(part["measure"])
    ]
    index = ["setting", "epoch", "seeds"]
    wide = part.pivot_table(index=index, columns="measure", values="mean", sort=False)
    behind = table(name, "Means over seeds by epoch", wide.reset_index(), COLUMNS, True)
    return Figure(name, caption, summary(part), plots, behind)


def summary(part: pd.DataFrame) -> str:
    """Where each setting ends."""
    last, trained = (
        part[part["measure"] == measure].groupby("setting", sort=False).last()
        for measure in ("val_accuracy", "train_accuracy")
    )
    ends = [
        f"{name} at epoch {row['epoch']} of {row['epochs']}: val {100 * row['mean']:.1f} %, "
        f"train {100 * trained['mean'].get(name, np.nan):.1f} %"
        f"{judged(part[part['setting'] == name])} ({seeds(row['seeds'])})"
        for name, row in last.iterrows()
    ]
    return f"{'; '.join(ends)}."


def judged(part: pd.DataFrame) -> str:
    """What a setting's study was judged by, where it ends and where that isn't accuracy."""
    last = part[part["measure"].isin(["val_macro_f1", "val_balanced_accuracy"])].tail(1)
    each = zip(last["measure"], last["mean"], strict=True)
    return "".join(f", {measure_words(name)} {100 * value:.1f} %" for name, value in each)
