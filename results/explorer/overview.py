"""The overview's written parts, as HTML: the answer, and where each study stands."""

import math
from datetime import UTC, datetime
from itertools import takewhile

import pandas as pd

from results.artefacts.load import Findings, answers
from results.explorer.markup import blocks_html, sections
from results.facts import progress, status
from results.report import page
from results.report.blocks import Block, Figure, Table, Text, table
from results.report.inputs import Inputs
from results.words import DASH, listed

FAILURE_COLUMNS = "error trials:count failed:count networks first"
TIMES = {  # shown in hours and minutes; the CSV's are in seconds
    "seconds, wall-clock": "wall-clock time",
    "seconds in epochs, all trials": "time in epochs, all trials",
}


def answer(given: Inputs) -> str:
    """Where the study stands in a line, then what was found; lines of several come after the
    sentences and the picture."""
    blocks = [block for section in sections(given, "answer") for block in section.blocks]
    sentences = list(takewhile(lambda block: isinstance(block, Text | Figure), blocks))
    first = len(sentences) if len(given.studies) > 1 else 0
    states = "".join(map(state, given.studies))
    return blocks_html(blocks[:first]) + states + blocks_html(blocks[first:])


def waiting(studies: list[Findings]) -> str:
    """The same while the measures are still being computed."""
    words = "Computing the intervals of the confirmed models …"
    return f'{"".join(map(state, studies))}<p class="quiet">{words}</p>'


def state(one: Findings) -> str:
    """A line on how far a study came, and what to know before any number."""
    trials = listed([f"{n:,} {word}" for word, n in status.counts(one).items()]) or "no trial yet"
    warned = status.warnings(one, answers(one))
    notes = "".join(f"<li>{page.code(note)}</li>" for note in warned)
    many = "1 note" if len(warned) == 1 else f"{len(warned)} notes"
    fold = f'data-fold="{page.escape(f"notes of {one.name}")}"'  # by which it stays open
    folded = f"<details {fold}><summary>{many} on these figures</summary><ul>{notes}</ul></details>"
    words = f"{one.name}: {one.study.get('status', 'unknown')}; {trials}; "
    words += f"{status.duration(progress.record(one).wall_seconds)} wall-clock time."
    return f'<div class="state"><p>{page.escape(words)}</p>{folded if warned else ""}</div>'


def bookkeeping(studies: list[Findings]) -> str:
    """Configuration, progress, budgets, notes and failures of each study."""
    return "".join(study(one, len(studies) > 1) for one in studies)


def study(one: Findings, several: bool) -> str:
    warnings = status.warnings(one, answers(one))
    notes = "".join(f'<li class="note">{page.code(note)}</li>' for note in warnings)
    head = f"<h3>{page.escape(one.name)}</h3>" if several else ""
    left = [*spent(one), *failures(one)]
    return (
        f'<div class="study">{head}{tiles(one)}<ul class="notes">{notes}</ul><div class="pair">'
        f"<div>{blocks_html(left)}</div><div>{blocks_html([configuration(one)])}</div></div></div>"
    )


def tiles(one: Findings) -> str:
    """Where it stands, in four numbers."""
    limit = progress.epochs_asked(one)
    trials = listed([f"{n} {word}" for word, n in status.counts(one).items()])
    seen = f"last event {status.moment(one.last_event)}" if one.last_event else ""
    epochs = f"of {limit:,.0f} if none were stopped" if limit else ""
    parts = [
        ("Status", str(one.study.get("status", "unknown")), str(one.study.get("reason") or "")),
        ("Trials", f"{len(one.trials):,}", trials),
        ("Epochs", f"{len(one.epochs):,}", epochs),
        ("Wall-clock time", status.duration(progress.record(one).wall_seconds), seen),
    ]
    shown = "".join(
        f"<div><dt>{page.escape(name)}</dt><dd>{page.escape(value)}</dd>"
        f"<dd class='quiet'>{page.escape(more)}</dd></div>"
        for name, value, more in parts
    )
    return f'<dl class="tiles">{shown}</dl>'


def spent(one: Findings) -> list[Block]:
    """What of each budget is spent and left, and when the study is expected to end."""
    frame = progress.budget(one)
    shown = {
        heading: [
            amount(kind, value) for kind, value in zip(frame["budget"], frame[column], strict=True)
        ]
        for column, heading in (("spent", "spent"), ("limit", "of"), ("left", "left"))
    }
    names = frame["budget"].replace(TIMES)
    whole = pd.DataFrame({"budget": names, **shown}, dtype=object)
    words = progress.forecast(one, datetime.now(UTC))
    budget = Table(f"budget-{one.name}", "Budget", frame, whole)
    return [budget, Text(words)] if words else [budget]


def amount(kind: str, value: float) -> str:
    if math.isnan(value):
        return DASH
    if kind.startswith("seconds"):
        return status.duration(value)
    return f"{value:,.2f}" if kind == "GPU hours" else f"{value:,.0f}"


def failures(one: Findings) -> list[Block]:
    frame = progress.failures(one)
    if frame.empty:
        return []
    labels = {"failed": "failed for good"}
    name, title = f"failures-{one.name}", "Retries and failures"
    return [table(name, title, frame, FAILURE_COLUMNS, labels=labels)]


def configuration(one: Findings) -> Table:
    frame = status.overview(one)
    columns, labels = {column: "text" for column in frame}, {"what": " ", one.name: "  "}
    title = "Configuration, data, environment"
    return table(f"overview-{one.name}", title, frame, columns, labels=labels)
