"""`python -m results.readme`: what was found, in the documents, from results/published.

The answer and one figure go into README.md, everything else into docs/results.md.
"""

import argparse
import re
import sys
from pathlib import Path

import plotly.graph_objects as go

from results import Mistake, command, say
from results.artefacts.load import Findings, all_of, folders, named_apart
from results.documents.pictures import Picture, files, pictures
from results.documents.text import FOLDER, PAGE, README, answer, section
from results.figures import images
from results.publish import PUBLISHED

START, END = "<!-- figures -->\n", "<!-- end -->"
# An SVG inside an <img> sees the reader's colour scheme, but not the page's.
DARK = """<style>@media (prefers-color-scheme: dark) {
text { fill: #b6bcc4 !important }
[style*="stroke: rgb(0, 114, 178)"] { stroke: #56b4e9 !important }
[style*="fill: rgb(0, 114, 178)"] { fill: #56b4e9 !important }
}</style>"""


def published(root: Path = PUBLISHED) -> list[Findings]:
    """The published studies, in the order of their names."""
    found = folders(root)
    if found == [root]:
        raise Mistake(f"{root} holds no study: publish one with python -m results.publish RUN")
    return named_apart(all_of(found))


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
            f"no figures: {reason}; they need a Chromium and choreographer (pip install "
            "choreographer)"
        ) from None
    for path in plots:
        path.write_text(re.sub(r"(<svg[^>]*>)", rf"\1{DARK}", settled(path), count=1))
    for path in set(folder.glob("*.svg")) - set(plots):
        path.unlink()


def settled(path: Path) -> str:
    """A figure without Plotly's random numbers in ids and classes: drawn again it is the same."""
    svg = re.sub(r" trace[0-9a-f]{6}\b", "", path.read_text())
    number = re.search(r'id="defs-(\w+)"', svg)
    return re.sub(rf"(?<=[a-z-]){number[1]}", f"-{path.stem}-", svg) if number else svg


def placed(path: Path, words: str) -> str:
    """A document with what is between its marks replaced."""
    before, mark, rest = path.read_text().partition(START)
    if not mark or END not in rest:
        raise Mistake(f"{path} has no {START.strip()} ... {END}: put them where figures belong")
    return before + mark + words + rest[rest.index(END) :]


def main(argv: list[str] | None = None) -> int:
    argparse.ArgumentParser(prog="python -m results.readme", description=__doc__).parse_args(argv)
    return command("results.readme", written)


def written() -> int:
    """Write the figures and both documents; the exit code."""
    studies = published()
    shown = list(pictures(studies))
    draw(shown, FOLDER)
    for path, words in ((README, answer(studies)), (PAGE, section(studies, shown))):
        path.write_text(placed(path, words))
    say(f"{README}, {PAGE} and {len(list(FOLDER.glob('*.svg')))} figures in {FOLDER}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
