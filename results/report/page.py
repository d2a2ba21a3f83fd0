"""Sections as one HTML page that asks the network for nothing. plotly.js is embedded once."""

import base64
import html
import json
import re
from functools import singledispatch
from pathlib import Path

import pandas as pd

from results.facts import evaluation
from results.figures import style
from results.figures.style import CONFIG
from results.report.blocks import Code, Faces, Figure, Matrix, Section, Side, Table, Text
from results.words import DASH, whole_or_tenth

HERE, FIGURES = Path(__file__).parent, Path(style.__file__).parent
# The browser itself refuses whatever the page might ask of the network.
POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
    "img-src data: blob:; font-src data:"
)


def css() -> str:
    return (HERE / "page.css").read_text()


def script() -> str:
    return f"const config = {json.dumps(CONFIG)};\n{shared()}\n{(HERE / 'page.js').read_text()}"


def shared() -> str:
    """The scripts of report and explorer: what is in a Code block copied, plots on a phone."""
    files = (HERE / "copy.js", FIGURES / "legend.js", HERE / "narrow.js")
    return "\n".join(path.read_text() for path in files)


def plotly_js() -> str:
    """plotly.js with what the pages draw: lines and marks. The whole is four times as large."""
    return (FIGURES / "plotly-basic.min.js").read_text(encoding="utf-8")


def page(title: str, lead: str, notes: list[str], sections: list[Section], foot: str) -> str:
    """The whole document."""
    first, *rest = [section_html(section) for section in sections] or [""]
    body = "\n".join([first, noted(notes), *rest])
    links = " ".join(
        f'<a href="#{anchor(section.title)}">{escape(section.title)}</a>' for section in sections
    )
    drawn = 'class="plot"' in body
    scripts = (
        f"<script>{plotly_js()}</script>\n" if drawn else ""
    ) + f"<script>{script()}</script>"
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{POLICY}">
<title>{escape(title)}</title>
<style>
{css()}</style>
</head>
<body>
<header>
<h1>{escape(title)}</h1>
<p class="lead">{escape(lead)}</p>
{pointer(notes)}
<nav aria-label="Contents">{links}</nav>
</header>
<main>
{body}
</main>
<footer>{escape(foot)}</footer>
{scripts}
</body>
</html>
"""


def noted(notes: list[str]) -> str:
    """What a reader must know, after the answer that it is about."""
    each = "".join(f'<li class="note">{code(note)}</li>' for note in notes)
    return f'<ul class="notes" id="notes">{each}</ul>' if notes else ""


def pointer(notes: list[str]) -> str:
    """Where the notes stand, and the first of them."""
    if not notes:
        return ""
    more = f" and {len(notes) - 1} more" if len(notes) > 1 else ""
    return f'<p class="quiet"><a href="#notes">{code(notes[0])}</a>{more}</p>'


def escape(text: object) -> str:
    """As HTML; a number and its % stay on one line."""
    return html.escape(str(text)).replace(" %", "\u00a0%")


def code(text: str) -> str:
    """What stands in `backticks` as code."""
    return flags(re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text)))


def flags(markup: str) -> str:
    """A command's flag isn't broken after its hyphens."""
    return re.sub(r"--[a-z][\w-]*", r'<span class="flag">\g<0></span>', markup)


def lines(value: str) -> str:
    first, _, rest = flags(escape(value)).partition("\n")
    return f"{first}<small>{rest}</small>" if rest else first


def anchor(title: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")


def section_html(section: Section) -> str:
    blocks = "\n".join(markup(block) for block in section.blocks)
    head = f"<h2>{escape(section.title)}</h2>"
    return f'<section id="{anchor(section.title)}">\n{head}\n{blocks}\n</section>'


@singledispatch
def markup(block: object) -> str:
    """A block as HTML."""
    raise TypeError(block)


@markup.register
def _(block: Text) -> str:
    if not block.words:
        return ""
    kind = f' class="{block.kind}"' if block.kind else ""
    return f"<p{kind}>{flags(escape(block.words))}</p>"


@markup.register
def _(block: Table) -> str:
    if block.shown.empty:
        return ""
    kind = "scroll pairs" if block.pairs else "scroll"
    inside = f'<div class="{kind}" tabindex="0">{table_html(block.shown)}</div>'
    if block.folded:
        return f"<details><summary>{escape(block.caption)}</summary>{inside}</details>"
    return f"<h3>{escape(block.caption)}</h3>{inside}"


def table_html(shown: pd.DataFrame) -> str:
    """Numbers to the right, words to the left, long words wrapped; a share also as a bar."""
    kinds = {name: kind_of(shown[name]) for name in shown}
    head = "".join(f'<th class="{kinds[name]}">{escape(name)}</th>' for name in shown)
    rows = []
    for row in shown.itertuples(index=False, name=None):
        cells = []
        for name, value in zip(shown, row, strict=True):
            bar = name.endswith("(bar)") and value != DASH
            extra = f' style="--part: {value.replace(" ", "")}"' if bar else ""
            cells.append(
                f'<td class="{"bar word" if bar else kinds[name]}"{extra}>{lines(value)}</td>'
            )
        rows.append(f"<tr>{''.join(cells)}</tr>")
    head = head.replace(" (bar)", "")
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"


def kind_of(column: pd.Series) -> str:
    values = [value for value in column if value not in (DASH, "")]
    if all(re.match(r"[+−<\d.]", value) and len(value) < 28 for value in values):
        return ""
    return "word long" if any(len(value) > 24 for value in values) else "word"


@markup.register
def _(block: Figure) -> str:
    plots = "".join(
        f'<div><p class="plot-title">{escape(title)}</p><div class="plot" role="img" '
        f'style="min-height: {plot.layout.height}px" '
        f'aria-label="{escape(f"{block.caption}: {title}. {block.summary}")}">'
        f'<script type="application/json">{as_json(plot.to_json())}</script></div></div>'
        for title, plot in block.plots
    )
    return (
        f"<figure><h3>{escape(block.caption)}</h3><p>{escape(block.summary)}</p>"
        f'<div class="{f"plots {block.width}".strip()}">{plots}</div>{markup(block.table)}</figure>'
    )


def as_json(text: str) -> str:
    """JSON that can't end the script element it stands in."""
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


@markup.register
def _(block: Side) -> str:
    inside = "".join(f"<div>{markup(one)}</div>" for one in block.blocks)
    return f'<div class="side">{inside}</div>'


@markup.register
def _(block: Code) -> str:
    save = f' data-file="{escape(block.file)}"' if block.file else ""
    text = html.escape(block.text)
    if not block.file:  # a command: broken between its flags alone
        text = re.sub(r"--\S+( (?!--)\S+)?", r"<span>\g<0></span>", text)
    inside = f'<div class="code"{save}><pre tabindex="0">{text}</pre></div>'
    if block.folded:
        return f"<details><summary>{escape(block.caption)}</summary>{inside}</details>"
    return f"<h4>{escape(block.caption)}</h4>{inside}"


@markup.register
def _(block: Faces) -> str:
    strips = "".join(
        f'<div><p class="plot-title">{escape(name)}</p><img alt="faces labelled {escape(name)}" '
        f'src="data:image/png;base64,{base64.b64encode(png).decode()}"></div>'
        for name, png in block.strips
    )
    return f'<h3>{escape(block.caption)}</h3><div class="strips">{strips}</div>'


@markup.register
def _(block: Matrix) -> str:
    counts = block.counts
    share = evaluation.shares(counts, block.per_class)
    heads = "".join(
        f'<th class="col" title="{escape(name)}" scope="col">{escape(name)}</th>'
        for name in block.classes
    )
    rows = []
    for k, name in enumerate(block.classes):
        cells = "".join(
            f'<td class="cell" style="--a: {part:.2f}">'
            f"{whole_or_tenth(count)}<small>{100 * part:.0f}%</small></td>"
            for count, part in zip(counts[k], share[k], strict=True)
        )
        line = block.per_class.iloc[k]
        rows.append(
            f'<tr><th class="row" scope="row">{escape(name)}</th>{cells}{edge(line, "recall")}</tr>'
        )
    foot = "".join(edge(line, "precision") for _, line in block.per_class.iterrows())
    return (
        f"<div><h3>{escape(block.caption)}</h3>"
        f'<table class="matrix"><thead><tr><th class="row">truth ↓</th>{heads}'
        f'<th class="col">recall</th></tr></thead><tbody>{"".join(rows)}'
        f'<tr><th class="row">precision</th>{foot}<td></td></tr></tbody></table></div>'
    )


def edge(line: pd.Series, measure: str) -> str:
    """A class's recall or precision with the half-width of its interval."""
    if pd.isna(line[measure]):
        return f'<td class="edge">{DASH}</td>'
    half = 50 * (line[f"{measure}_high"] - line[f"{measure}_low"])
    return f'<td class="edge">{100 * line[measure]:.0f}%<small>±{half:.0f}</small></td>'
