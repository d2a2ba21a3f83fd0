"""`python -m results.readme`: what was found, in the documents, from results/published.

The answer and one figure go into README.md, everything else into docs/results.md.
"""

import argparse
import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import plotly.graph_objects as go

from results import Mistake, fail, say
from results.artefacts.load import Findings, answers, load, named_apart
from results.facts import architecture, evaluation, halving, paper, status, verdicts
from results.facts import search as searching
from results.facts.evaluation import PRIMARY, Evaluated
from results.facts.ingredients import arms, effects
from results.figures import charts, diagrams, images
from results.publish import PUBLISHED
from results.report.blocks import cell
from results.report.files import markdown
from results.words import counted, listed, points, ranged, seeds, signed, within

ROOT = Path(__file__).parents[1]
README, PAGE = ROOT / "README.md", ROOT / "docs" / "results.md"
FOLDER = PUBLISHED / "figures"
START, END = "<!-- figures -->\n", "<!-- end -->"
# An SVG inside an <img> sees the reader's colour scheme, but not the page's.
DARK = """<style>@media (prefers-color-scheme: dark) {
text { fill: #b6bcc4 !important }
[style*="stroke: rgb(0, 114, 178)"] { stroke: #56b4e9 !important }
[style*="fill: rgb(0, 114, 178)"] { fill: #56b4e9 !important }
}</style>"""


@dataclass(frozen=True)
class Picture:
    name: str
    words: str  # what it shows, with n
    plots: list[go.Figure]
    px: int = 720  # width of each


def published(root: Path = PUBLISHED) -> list[Findings]:
    """The published studies, in the order of their names."""
    folders = sorted(path.parent for path in root.glob("*/study.json"))
    if not folders:
        raise Mistake(f"{root} holds no study: publish one with python -m results.publish RUN")
    return named_apart([load(folder) for folder in folders])


def pictures(studies: list[Findings]) -> Iterator[Picture]:
    """What the published studies allow to draw."""
    settings = evaluation.evaluated([one for study in studies for one in answers(study)])
    printed = paper.settings_table(paper.published(), settings, studies)
    ours = printed[printed["seeds"].notna()]
    if len(ours):
        compared, others = paper.comparable(studies, settings)
        yield accuracy(compared, ours)
        yield from curves([one for one in studies if one.name not in others], ours)
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
    kept = dots.merge(
        ours[["setting", "val+test"]], left_on=["setting", "mean"], right_on=["setting", "val+test"]
    )
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


def curves(studies: list[Findings], ours: pd.DataFrame) -> Iterator[Picture]:
    """Accuracy on val by epoch of the same settings, a picture for each part of val that epochs
    were judged on."""
    each = pd.concat(
        [status.curves_on_val(one) for one in paper.newest_last(studies)[::-1]],
        ignore_index=True,
    )
    part = each[each["setting"].isin(ours["setting"]) & (each["measure"] == "val_accuracy")]
    wanted = dict(zip(ours["setting"], ours["our_epochs"], strict=True))
    longest = part.groupby("setting")["epoch"].max()
    part = part[part["setting"].map(longest) == part["setting"].map(wanted)]
    part = part.drop_duplicates(["setting", "epoch"])
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
    stopped = int((frame["status"] == "stopped").sum())
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


def beside(studies: list[Findings]) -> str:
    """The paper's settings that were run, as a table."""
    settings = evaluation.evaluated([one for study in studies for one in answers(study)])
    frame = paper.settings_table(paper.published(), settings, studies)
    frame = frame[frame["seeds"].notna() | begun(frame)]
    rows = [
        {
            "setting": row["setting"],
            "epochs, ours and the paper's": epochs_of(row),
            "seeds": cell(row["seeds"], "count"),
            "val+test, 95 %": f"{100 * row['val+test']:.2f} %{within(row['low'], row['high'])}"
            if pd.notna(row["seeds"])
            else "not ended",
            "the paper's matrix": f"{100 * row['matrix']:.2f} %"
            if pd.notna(row["matrix"])
            else "none",
            "val": cell(row["val"], "percent"),
            "test": cell(row["test"], "percent"),
            "test, no duplicates": cell(row[PRIMARY], "percent"),
            "its images": cell(row["clean"], "count"),
        }
        for _, row in frame.iterrows()
    ]
    _, others = paper.comparable(studies, settings)
    apart = "".join(f"\n`{name}` isn't compared: {why}.\n" for name, why in others.items())
    return (markdown(pd.DataFrame(rows)) if rows else "") + apart


def answer(studies: list[Findings]) -> str:
    """The README's part as Markdown: the paper's settings that were run, and what they leave
    open."""
    settings = evaluation.evaluated([one for study in studies for one in answers(study)])
    every = paper.settings_table(paper.published(), settings, studies)
    frame = every[every["seeds"].notna()]
    if frame.empty:
        return "\nNo setting of the paper has been published.\n\n"
    compared, _ = paper.comparable(studies, settings)
    run = {one.answers.setting: one for one in paper.by_length(compared)}
    rows = [answer_row(row, run[row["setting"]]) for _, row in frame.iterrows()]
    others = every[every["seeds"].isna() & begun(every)]
    rows += [begun_row(row) for _, row in others.iterrows()]
    sizes = run[frame["setting"].iloc[0]].answers.split
    clean = [int(count) for count in frame["clean"]]
    if len({*clean}) > 1:  # newer studies leave near copies out, too
        for row, count in zip(rows, clean, strict=False):
            row["clean"] += f" of {count:,}"
    images = f"{clean[0]:,} images" if len({*clean}) == 1 else "its images beside it"
    heads = {
        "clean": f"test without duplicates ({images}), 95 %",
        "test": f"test ({(sizes == 'test').sum():,})",
        "both": f"val and test ({len(sizes):,}), 95 %",
    }
    table = markdown(pd.DataFrame(rows).rename(columns=heads))
    whole = [
        run[row["setting"]] for _, row in frame.iterrows() if row["our_epochs"] == row["epochs"]
    ]
    told = [one.words for one in verdicts.of(studies, whole) if one.primary]
    words = " ".join([open_questions(frame), *(f"{one}." for one in told)]).strip()
    on_test = dict.fromkeys(map(status.chosen_on_test, studies))
    chosen = "".join(f"{one}\n\n" for one in on_test if one)
    figure = f'<img alt="Accuracy with 95 % intervals" src="{image(ROOT, "accuracy.svg")}">\n'
    searches = "".join(searched_alike(study, settings) for study in studies)
    return f"\n{table}\n{words}\n\n{chosen}{figure}\n{searches}"


def searched_alike(study: Findings, settings: list[Evaluated]) -> str:
    """What a search says of its networks: the best of each, confirmed, the verdicts between them
    and what was gained over the defaults; empty where it confirmed nothing."""
    own = {one.answers.setting: one for one in settings if one.answers.study == study.name}
    beside = verdicts.others(study)
    of_search = study.chosen.loc[study.chosen["from_trial"].astype(bool), "setting"]
    best = [own[name] for name in of_search if name in own and name not in beside]
    if not best:
        return ""
    defaults = {top: share(own[name], PRIMARY) for name, top in beside.items() if name in own}
    scope = evaluation.judged_on(study, best[0])
    val, test = (int(evaluation.chosen(best[0].answers, part).sum()) for part in (scope, PRIMARY))
    rows = [
        {
            "network": one.answers.setting,
            "seeds": len(one.answers.seeds),
            f"{scope} ({val:,}), 95 %": share(one, scope),
            f"{PRIMARY} ({test:,}), 95 %": share(one, PRIMARY),
        }
        | ({"its default there": defaults.get(one.answers.setting, "the same")} if defaults else {})
        for one in best
    ]
    told = dict(status.overview(study).to_numpy())
    pairs = [f"{one.words}." for one in verdicts.of([study], [*own.values()]) if one.primary]
    said = filter(None, [" ".join(pairs), *verdicts.gained(study, settings)])
    return (
        f"Each network searched alike, its best confirmed with fresh seeds (`{study.name}`: "
        f"{told['Search']}; {told.get('Used in training') or told['Images']}):\n\n"
        f"{markdown(pd.DataFrame(rows))}\n" + "".join(f"{words}\n\n" for words in said)
    )


def share(one: Evaluated, scope: str) -> str:
    """55.1 % (54.0 to 56.2)."""
    found = one.scopes[scope]["accuracy"]
    return f"{100 * found.mean:.1f} %{within(*found.interval)}"


def answer_row(row: pd.Series, one: Evaluated) -> dict[str, str]:
    """A setting's row of the README's table."""
    test = one.scopes["test"]["accuracy"]
    asked = f"{row['epochs']:.0f}" if pd.notna(row["epochs"]) else "?"
    return {
        "setting": row["setting"],
        "seeds": f"{row['seeds']:.0f}",
        "epochs, of the paper's": f"{row['our_epochs']:.0f} of {asked}",
        "clean": share(one, PRIMARY),
        "test": f"{100 * test.mean:.1f} %",
        "both": f"{100 * row['val+test']:.1f} %{within(row['low'], row['high'])}",
        "the paper, val and test": cell(row["matrix"], "percent"),
    }


def reach(row: pd.Series) -> str:
    return "" if pd.isna(row["low"]) else ranged(row["low"], row["high"])


def begun(frame: pd.DataFrame) -> pd.Series:
    """Which settings of the paper are under way, and have an epoch."""
    return frame["came"] > 0


def begun_row(row: pd.Series) -> dict[str, str]:
    """The same of a setting whose training hasn't come to its end: no figure stands for it."""
    far = {"setting": row["setting"], "seeds": "–", "epochs, of the paper's": epochs_of(row)}
    theirs = {"the paper, val and test": cell(row["matrix"], "percent")}
    return {**far, "clean": "–", "test": "–", "both": "–", **theirs}


def open_questions(frame: pd.DataFrame) -> str:
    """What keeps these settings from an answer, in a sentence; or where the tests are."""
    few = frame.loc[frame["seeds"] < 2, "setting"]
    short = frame[frame["our_epochs"] < frame["epochs"]]
    lacking = (
        [
            f"{listed(list(few))} {'has' if len(few) == 1 else 'have'} one seed, which has no "
            "interval and settles nothing"
        ]
        if len(few)
        else []
    )
    lacking += [
        f"{row['setting']} has {row['our_epochs']:.0f} of its {row['epochs']:.0f} epochs"
        for _, row in short.iterrows()
    ]
    if not lacking:
        return ""
    return f"Which network is best is **not settled** by these: {'; '.join(lacking)}."


def image(folder: Path, name: str) -> str:
    """A figure's address in a document of that folder."""
    return os.path.relpath(FOLDER / name, folder)


def epochs_of(row: pd.Series) -> str:
    """20 and 50, or 20 of 50 epochs so far, of a training that hasn't come to its end."""
    if pd.isna(row["seeds"]):
        return f"{row['came']:.0f} of {row['wanted']:.0f} epochs so far"
    theirs = f"{row['epochs']:.0f}" if pd.notna(row["epochs"]) else "not said"
    return f"{row['our_epochs']:.0f} and {theirs}"


def provenance(one: Findings) -> str:
    """A line on what was run, where and when."""
    told = dict(status.overview(one).to_numpy())
    head = one.study
    machine = head.get("hardware") or {}
    images = status.used(head) or told.get("Images", "")
    epochs = sorted(set(one.trials["hp_epochs"]))
    parts = [
        f"`{one.name}`: {told.get('Stages')}",
        f"trials of {listed([str(n) for n in epochs])} epochs: {told.get('Trials')}",
        f"{head['data']['name']}, {images}",
        f"{machine.get('processor')}, {status.cores(machine)}, "
        + (listed(machine.get("gpus") or []) or "no GPU"),
        f"torch {head.get('versions', {}).get('torch')}",
        f"{told.get('Time in epochs')} in epochs, {told.get('Started', '')[:10]}",
    ]
    return "; ".join(parts)


def section(studies: list[Findings], shown: list[Picture]) -> str:
    """The section of docs/results.md as Markdown."""
    lines = []
    for picture in shown:
        width = f' width="{96 // len(picture.plots)}%"' if len(picture.plots) > 1 else ""
        images = " ".join(
            f'<img alt="{picture.name}"{width} src="{image(PAGE.parent, file)}">'
            for file in files(picture)
        )
        lines += [f"{picture.words}\n", f"{images}\n"]
    table = beside(studies)
    sources = "\n".join(f"- {provenance(one)}" for one in studies)
    return (
        "\n"
        + (f"{table}\n" if table else "")
        + "\n".join(lines)
        + f"\nWhat was run (`python -m results results/published/NAME` gives the whole report):\n\n"
        f"{sources}\n\n"
    )


def files(picture: Picture) -> list[str]:
    if len(picture.plots) == 1:
        return [f"{picture.name}.svg"]
    return [f"{picture.name}-{number}.svg" for number in range(1, len(picture.plots) + 1)]


def draw(shown: list[Picture], folder: Path) -> None:
    """Every picture as SVG, legible on white and on black."""
    folder.mkdir(parents=True, exist_ok=True)
    plots = {
        folder / file: go.Figure(plot).update_layout(width=picture.px)
        for picture in shown
        for plot, file in zip(picture.plots, files(picture), strict=True)
    }
    try:
        images.write(plots)
    except images.NoBrowser as reason:
        raise Mistake(
            f"figures need choreographer and a Chromium ({reason}): pip install choreographer"
        ) from None
    for path in plots:
        path.write_text(re.sub(r"(<svg[^>]*>)", rf"\1{DARK}", path.read_text(), count=1))
    for path in set(folder.glob("*.svg")) - set(plots):
        path.unlink()


def placed(path: Path, words: str) -> str:
    """A document with what is between its marks replaced."""
    before, mark, rest = path.read_text().partition(START)
    if not mark or END not in rest:
        raise Mistake(f"{path} has no {START.strip()} ... {END}: put them where figures belong")
    return before + mark + words + rest[rest.index(END) :]


def main(argv: list[str] | None = None) -> int:
    argparse.ArgumentParser(prog="python -m results.readme", description=__doc__).parse_args(argv)
    try:
        studies = published()
        shown = list(pictures(studies))
        draw(shown, FOLDER)
        for path, words in ((README, answer(studies)), (PAGE, section(studies, shown))):
            path.write_text(placed(path, words))
        say(f"{README}, {PAGE} and {len(list(FOLDER.glob('*.svg')))} figures in {FOLDER}")
    except (Mistake, KeyboardInterrupt) as mistake:
        return fail("results.readme", mistake)
    return 0


if __name__ == "__main__":
    sys.exit(main())
