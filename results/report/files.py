"""A report as files: one HTML page and, beside it, every table and figure."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import pandas as pd
import plotly.graph_objects as go

from results import Mistake
from results.figures import charts, images
from results.report import page
from results.report.blocks import Block, Figure, Matrix, Side, Table
from results.report.report import Report

LONGEST = 200  # bytes


def write(found: Report, file: Path) -> list[str]:
    """The page into `file` and the tables into the folder FILE-tables; lines that say so."""
    folder = file.with_name(f"{file.stem}-tables")
    foot = (
        "Made by python -m results from the artefact folders alone; it asks nothing of a network."
    )
    text = page.page(found.title, found.lead, found.notes, found.sections, foot)
    blocks = [block for section in found.sections for block in flat(section.blocks)]
    tables = list(every_table(blocks))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        clear(folder)
        for name, frame, shown in tables:
            frame.to_csv(folder / f"{name}.csv", index=False)
            (folder / f"{name}.md").write_text(markdown(shown), encoding="utf-8")
    except OSError as error:
        raise Mistake(f"can't write {file} ({error.strerror}): give another --out") from None
    return [
        f"Page: {file}",
        f"Tables: {folder} ({len(tables)}, each as CSV and Markdown)",
        draw(blocks, folder),
    ]


def clear(folder: Path) -> None:
    """Remove the tables and figures of an earlier report, of which this one may have fewer: each is
    a pair of files, so that a file of somebody else's stays."""
    for kinds in ((".csv", ".md"), (".svg", ".png")):
        first, second = ({path.stem: path for path in folder.glob(f"*{kind}")} for kind in kinds)
        for name in first.keys() & second.keys():
            first[name].unlink()
            second[name].unlink()


def flat(blocks: Sequence[Block]) -> Iterator[Block]:
    for block in blocks:
        yield from flat(block.blocks) if isinstance(block, Side) else [block]


def every_table(blocks: list[Block]) -> Iterator[tuple[str, pd.DataFrame, pd.DataFrame]]:
    """(file name, frame, what people read) of each table, figure's table and matrix; names once."""
    used: set[str] = set()
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
        yield file_name(block.name, used), frame, shown


def short(name: str) -> str:
    """As much of a name as leaves room for a prefix and a suffix in a file's, of 255 bytes."""
    return name.encode()[:LONGEST].decode(errors="ignore")


def file_name(name: str, used: set[str]) -> str:
    """A name as a file's; with a number where that is among the `used`, to which it is added."""
    plain = re.sub(r"[^\w.+-]+", "-", short(name)).strip("-.") or "table"
    found, number = plain, 1
    while found.casefold() in used:  # one file to some file systems
        number += 1
        found = f"{plain}-{number}"
    used.add(found.casefold())
    return found


def markdown(shown: pd.DataFrame) -> str:
    """A pipe table; what would end a cell or a line is written otherwise."""

    def line(values: list[object]) -> str:
        cells = [re.sub(r"\s+", " ", str(value)).replace("|", "\\|") for value in values]
        return f"| {' | '.join(cells)} |"

    heads = [line(list(shown.columns)), line(["---"] * shown.shape[1])]
    return "\n".join(heads + [line(list(row)) for row in shown.to_numpy()]) + "\n"


def draw(blocks: list[Block], folder: Path) -> str:
    """Figures and matrices as SVG and PNG beside the tables where choreographer and a browser are;
    else why not."""
    drawn: dict[str, go.Figure] = {}
    used: set[str] = set()
    for block in blocks:
        if isinstance(block, Figure):
            for number, (_, plot) in enumerate(block.plots, 1):
                drawn[file_name(f"{block.name}-{number}", used)] = plot
        elif isinstance(block, Matrix):
            plot = charts.confusion(block.counts, block.classes, block.per_class)
            drawn[file_name(block.name, used)] = plot
    plots = {
        folder / f"{name}.{kind}": plot for name, plot in drawn.items() for kind in ("svg", "png")
    }
    if not plots:
        return "No figure to write as an image"
    try:
        images.write(plots)
    except images.NoBrowser as reason:
        return f"No SVG or PNG: they need choreographer and a Chromium ({reason})"
    return f"Figures: {len(plots) // 2} in {folder}, as SVG and PNG"
