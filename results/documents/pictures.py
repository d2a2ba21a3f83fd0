"""The documents' figures, each with what it shows in words."""

from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd
import plotly.graph_objects as go

from results.artefacts.load import Findings, answers
from results.facts import architecture, evaluation, halving, paper, status, verdicts
from results.facts import search as searching
from results.facts.evaluation import PRIMARY, Evaluated
from results.facts.ingredients import arms, effects
from results.figures import charts, diagrams
from results.words import counted, points, ranged, seeds, signed


@dataclass(frozen=True)
class Picture:
    name: str
    words: str  # what it shows, with n
    plots: list[go.Figure]
    px: int = 720  # width of each


def pictures(studies: list[Findings]) -> Iterator[Picture]:
    """What the published studies allow to draw."""
    settings = evaluation.evaluated([one for study in studies for one in answers(study)])
    printed = paper.settings_table(paper.published(), settings, studies)
    ours = printed[printed["seeds"].notna()]
    if len(ours):
        yield accuracy(settings, ours)
        yield from curves(studies, ours)
    for study in studies:
        yield from ingredients(study, settings)
    for study in studies:
        yield from trials(study)
    yield networks(studies)


def accuracy(settings: list[Evaluated], ours: pd.DataFrame) -> Picture:
    """The paper's settings that were run, with the paper's figure on the same images."""
    plain = {one.name: one.answers.setting for one in settings}  # a name twice has its study too
    frame = evaluation.confirmed(settings)
    frame["setting"] = frame["setting"].map(plain)
    dots = frame[(frame["scope"] == "val+test") & (frame["measure"] == "accuracy")]
    kept = ours[["setting", "study"]].merge(dots)
    asked = dict(zip(ours["setting"], ours["epochs"], strict=True))
    kept = evaluation.alike(kept, asked)
    told = [
        f"{row['setting']} {100 * row['mean']:.1f} % "
        f"({', '.join(filter(None, [reach(row), row['trained'], seeds(row['seeds'])]))})"
        for _, row in kept.iterrows()
    ]
    words = (
        f"Accuracy on val and test together ({kept['images'].iloc[0]:,} images, the paper's test "
        f"folder) with 95 % intervals: {'; '.join(told)}. Stars: what the matrices that the paper "
        "prints get right."
        + (
            ""
            if kept["whole"].all()
            else " Hollow: trained for fewer epochs than the paper's, so "
            "neither comparable with its star nor with those that were trained to their end."
        )
    )
    plot = charts.interval_dots(kept, ours[ours["matrix"].notna()])
    return Picture("accuracy", words, [plot])


def reach(row: pd.Series) -> str:
    return "" if pd.isna(row["low"]) else ranged(row["low"], row["high"])


def curves(studies: list[Findings], ours: pd.DataFrame) -> Iterator[Picture]:
    """Accuracy on val by epoch of the same settings, a picture for each part of val that epochs
    were judged on."""
    each = [status.curves_on_val(one).assign(study=one.name) for one in studies]
    rows = ours[["setting", "study"]].merge(pd.concat(each, ignore_index=True))
    part = rows[rows["measure"] == "val_accuracy"]
    groups = sorted(part.groupby(["images", "clean"]), key=lambda group: group[0], reverse=True)
    for number, ((size, clean), rows) in enumerate(groups, 1):
        ends = rows.groupby("setting", sort=False).last()
        told = [
            f"{name} {100 * row['mean']:.1f} % after {row['epoch']}"
            for name, row in ends.iterrows()
        ]
        words = f"Accuracy on {status.images_of_val(size, clean)}, by epoch: {'; '.join(told)}."
        name = f"curves-{number}" if len(groups) > 1 else "curves"
        yield Picture(name, words, [charts.curve(rows, "val_accuracy", "val accuracy")])


def ingredients(study: Findings, settings: list[Evaluated]) -> Iterator[Picture]:
    own = [one for one in settings if one.answers.study == study.name]
    found = arms(study)
    if not found:
        return
    frame = effects(found, own, verdicts.of([study], own))
    for model, part in frame.groupby("model", sort=False):
        test = part[part["scope"] == PRIMARY]
        if test.empty:
            continue
        told = [
            f"{row['arm']} {signed(100 * row['difference'], 1)} ({points(row)}; {row['verdict']})"
            for _, row in test.iterrows()
        ]
        words = (
            f"Effect of each ingredient against {part['base'].iloc[0]} "
            f"({100 * test['base_accuracy'].iloc[0]:.1f} %), in points on test without duplicates "
            f"with intervals for new seeds and images, corrected by Holm "
            f"({seeds(int(test['seeds'].min()))}, "
            f"{study.study['study']['epochs']} epochs): {'; '.join(told)}."
        )
        yield Picture(f"ingredients-{model}", words, [charts.differences(part, str(model))])


def trials(study: Findings) -> Iterator[Picture]:
    """A search's trials by epoch."""
    frame = searching.searched(study)
    lines, rungs = halving.trial_curves(study, frame), halving.rungs(study, frame)
    if lines.empty:
        return
    best = searching.best(frame)
    told = [
        f"{row['model']} {100 * row['judged']:.1f} % at epoch {row['last_epoch']:.0f}"
        for _, row in best.iterrows()
    ]
    stopped = int(lines["stopped"].sum())
    words = (
        f"Every trial of the search `{study.name}` on val: {counted(len(frame), 'trial')}, "
        f"{stopped} stopped early (crosses); the best that came furthest: {'; '.join(told)}."
        + (f" {halving.judged_among(study, frame)}" if stopped else "")
    )
    yield Picture(f"search-{study.name}", words, [charts.trial_lines(lines, rungs, study.judged)])


def networks(studies: list[Findings]) -> Picture:
    """Each network once, side by side: as it was trained, where a study stored that; of several,
    that of the study which saw most images with it."""
    found: dict[str, tuple[tuple[bool, int], architecture.Network]] = {}
    for study in studies:
        for one in architecture.networks(study):
            ran = study.trials.loc[study.trials["hp_model"] == one.model, "trial_id"]
            images = int(study.study["data"].get("images", {}).get("train") or 1)
            seen = images * int(study.epochs["trial_id"].isin(ran).sum())
            rank = bool(len(ran)) and not one.apart, seen
            if one.model not in found or rank > found[one.model][0]:
                found[one.model] = rank, one
    each = [one for _, one in found.values()]
    told = [
        f"{one.model} {one.layers['parameters'].sum():,} parameters, "
        f"{one.layers['multiply_adds'].sum() / 1e6:.1f} M multiply-adds an image"
        + (f" ({one.apart})" if one.apart else "")
        for one in each
    ]
    words = (
        f"{'; '.join(told)}. A box is a stage's output, as high as the map's side and as long as "
        "it has channels (square roots); the line is its share of the multiply-adds."
    )
    plots = [diagrams.network(architecture.steps(one.layers), one.model) for one in each]
    return Picture("networks", words, plots, diagrams.WIDTH)


def files(picture: Picture) -> list[str]:
    if len(picture.plots) == 1:
        return [f"{picture.name}.svg"]
    return [f"{picture.name}-{number}.svg" for number in range(1, len(picture.plots) + 1)]
