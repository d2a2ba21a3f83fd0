"""Studies as sections, and sections as files: one HTML page and, beside it, every table."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import plotly.graph_objects as go

from results import Mistake
from results.artefacts.load import Findings, answers, named_apart
from results.facts import evaluation, paper, votes
from results.facts import statistics as st
from results.facts.status import warnings
from results.figures import charts, images
from results.report import page
from results.report.blocks import Block, Figure, Matrix, Section, Side, Table
from results.report.sections import confirmed as sections
from results.report.sections import curves as sections_curves
from results.report.sections import faces as sections_faces
from results.report.sections import ingredients as sections_ingredients
from results.report.sections import networks as sections_networks
from results.report.sections import paper as sections_paper
from results.report.sections import search as sections_search
from results.report.sections import votes as sections_votes
from results.words import listed, seeds


@dataclass(frozen=True)
class Report:
    title: str
    lead: str
    notes: list[str]
    sections: list[Section]


def report(
    studies: list[Findings],
    resamples: int = st.RESAMPLES,
    faces: Path | None = None,
    voters: Path | None = None,
) -> Report:
    """Everything that these studies allow to say, in the order in which a reader asks.

    `faces` is the source of the photographs, `voters` FER+'s table: sections of their own.
    """
    studies = named_apart(studies)
    published = paper.published()
    each = [answers(one) for one in studies]
    settings = evaluation.judged([found for some in each for found in some], resamples)
    real = {one.name for one in studies if not one.synthetic}
    printed = paper.settings_table(
        published, [one for one in settings if one.answers.study in real], studies
    )
    frame = evaluation.confirmed(settings)
    notes = [
        f"{one.name}: {note}" if len(studies) > 1 else note
        for one, some in zip(studies, each, strict=True)
        for note in warnings(one, some)
    ]
    if len({one.study["data"].get("digest") for one in studies}) > 1:
        notes.append("The studies aren't on the same data: only settings on the same images are "
                     "tested against one another.")  # fmt: skip
    parts = [
        sections.overview(studies),
        sections_faces.grid(studies, faces) if faces else None,
        sections.confirmed(settings, printed if real else printed.head(0)) if settings else None,
        sections_paper.beside(printed),
        sections_paper.pairs(settings),
        *sections_ingredients.given(studies, settings, resamples),
        sections_curves.curves(studies),
        sections.matrices(settings, published, real) if settings else None,
        sections_votes.label_noise(settings, votes.read(voters), resamples) if voters else None,
        sections.calibration(settings),
        sections.cost(studies, settings),
        *[sections_search.found(one, frame, len(studies) > 1) for one in studies],
        sections_networks.networks(studies),
        sections_paper.oddities(published),
    ]
    return Report(
        title=f"What was found: {listed([one.name for one in studies])}",
        lead=lead(frame, studies),
        notes=list(dict.fromkeys(notes)),
        sections=[part for part in parts if part],
    )


def lead(frame: pd.DataFrame, studies: list[Findings]) -> str:
    """The answer in two sentences, or what there is instead."""
    test = frame[(frame["scope"] == "test") & (frame["measure"] == "accuracy")]
    if test.empty:
        best = [one.epochs["val_accuracy"].max() for one in studies if len(one.epochs)]
        told = f" The highest val accuracy so far is {100 * max(best):.1f} %." if best else ""
        return f"No confirmed model has been judged on test.{told}"
    told = [
        f"{row['setting']} {100 * row['mean']:.1f} % ({100 * row['low']:.1f} to "
        f"{100 * row['high']:.1f}, {seeds(row['seeds'])})"
        for _, row in test.sort_values("mean", ascending=False).head(4).iterrows()
    ]
    more = f", and {len(test) - 4} more" if len(test) > 4 else ""
    images = f"{test['images'].iloc[0]:,} test" if test["images"].nunique() == 1 else "test"
    return (
        f"Accuracy on {images} images, on which nothing was chosen, with 95 % intervals: "
        f"{'; '.join(told)}{more}."
    )


def write(found: Report, file: Path) -> list[str]:
    """The page into `file` and the tables into the folder FILE-tables; lines that say so."""
    folder = file.with_name(f"{file.stem}-tables")
    foot = (
        "Made by python -m results from the artefact folders alone; it asks nothing of a network."
    )
    text = page.page(found.title, found.lead, found.notes, found.sections, foot)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise Mistake(f"can't write {file} ({error.strerror}): give another --out") from None
    blocks = [block for section in found.sections for block in flat(section.blocks)]
    tables = list(every_table(blocks))
    for name, frame, shown in tables:
        frame.to_csv(folder / f"{name}.csv", index=False)
        (folder / f"{name}.md").write_text(markdown(shown), encoding="utf-8")
    return [f"Page: {file}", f"Tables: {folder} ({len(tables)}, each as CSV and Markdown)",
            draw(blocks, folder)]  # fmt: skip


def flat(blocks: list[Block]) -> Iterator[Block]:
    for block in blocks:
        yield from block.blocks if isinstance(block, Side) else [block]


def every_table(blocks: list[Block]) -> Iterator[tuple[str, pd.DataFrame, pd.DataFrame]]:
    """(file name, frame, what people read) of each table, figure's table and matrix; names once."""
    used: dict[str, int] = {}
    for block in blocks:
        if isinstance(block, Figure):
            block = block.table
        if isinstance(block, Table):
            frame, shown = block.frame, block.shown
        elif isinstance(block, Matrix):
            frame = pd.DataFrame(block.counts, columns=block.classes)
            frame.insert(0, "truth", block.classes)
            shown = frame.round(1).astype(str)
        else:
            continue
        name = file_name(block.name)
        used[name] = used.get(name, 0) + 1
        yield (name if used[name] == 1 else f"{name}-{used[name]}"), frame, shown


def file_name(name: str) -> str:
    return re.sub(r"[^\w.+-]+", "-", name).strip("-.") or "table"


def markdown(shown: pd.DataFrame) -> str:
    """A pipe table; what would end a cell or a line is written otherwise."""

    def line(values: list[object]) -> str:
        cells = [re.sub(r"\s+", " ", str(value)).replace("|", "\\|") for value in values]
        return f"| {' | '.join(cells)} |"

    heads = [line(list(shown.columns)), line(["---"] * shown.shape[1])]
    return "\n".join(heads + [line(list(row)) for row in shown.to_numpy()]) + "\n"


def draw(blocks: list[Block], folder: Path) -> str:
    """Figures and matrices as SVG and PNG beside the tables where kaleido and a browser are; else
    why not."""
    drawn: dict[str, go.Figure] = {}
    for block in blocks:
        if isinstance(block, Figure):
            for number, (_, plot) in enumerate(block.plots, 1):
                drawn[f"{block.name}-{number}"] = plot
        elif isinstance(block, Matrix):
            plot = charts.confusion(block.counts, block.classes, block.per_class)
            drawn[block.name] = plot
    plots = {
        folder / f"{file_name(name)}.{kind}": plot
        for name, plot in drawn.items()
        for kind in ("svg", "png")
    }
    if not plots:
        return "No figure to write as an image"
    try:
        images.write(plots)
    except images.NoBrowser as reason:
        return f"No SVG or PNG: they need kaleido and a Chromium ({reason})"
    return f"Figures: {len(plots) // 2} in {folder}, as SVG and PNG"
