"""The overview: where each study stands, as HTML."""

import math

import pandas as pd

from results.artefacts.load import Findings, answers
from results.explorer.markup import blocks_html
from results.facts import progress, status
from results.facts.evaluation import Evaluated
from results.report import page
from results.report.blocks import Block, Table, Text, table
from results.words import DASH, listed, ranges

BEST_COLUMNS = "model accuracy:percent interval split best seeds:count images:count"
BEST_LABELS = {"model": "network", "interval": "95 %", "split": "on"}
FAILURE_COLUMNS = "error trials:count failed:count networks first"


def overview(studies: list[Findings], settings: list[Evaluated] | None) -> str:
    """Configuration, progress, budgets, best results and failures of each study.

    `settings` is None while the bootstraps are still being computed; their place says so.
    """
    return "".join(study(one, settings, len(studies) > 1) for one in studies)


def study(one: Findings, settings: list[Evaluated] | None, several: bool) -> str:
    confirmed = answers(one)
    warnings = status.warnings(one, confirmed)
    notes = "".join(f'<li class="note">{page.code(note)}</li>' for note in warnings)
    head = f"<h3>{page.escape(one.name)}</h3>" if several else ""
    waiting = settings is None and bool(confirmed)
    left = [*best(one, settings or [], waiting), *spent(one), *failures(one)]
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
        ("By the clock", status.duration(progress.clock(one)), seen),
    ]
    shown = "".join(
        f"<div><dt>{page.escape(name)}</dt><dd>{page.escape(value)}</dd>"
        f"<dd class='quiet'>{page.escape(more)}</dd></div>"
        for name, value, more in parts
    )
    return f'<dl class="tiles">{shown}</dl>'


def best(one: Findings, settings: list[Evaluated], waiting: bool) -> list[Block]:
    """The best of each network, and what to think of a figure on val."""
    blocks: list[Block] = []
    if waiting:
        blocks.append(Text("The intervals of the confirmed networks are being computed.", "quiet"))
    frame = progress.best(one, settings)
    if frame.empty:
        return blocks
    names = [
        row["of"] if math.isnan(row["epoch"]) else f"{row['of']}, epoch {row['epoch']:.0f}"
        for _, row in frame.iterrows()
    ]
    shown = frame.assign(interval=ranges(frame, "low", "high"), best=names)
    title = "Best of each network"
    blocks.append(table(f"best-{one.name}", title, shown, BEST_COLUMNS, labels=BEST_LABELS))
    if "val" in set(frame["split"]):
        words = "A figure on val is the highest of many and so too high; test was opened once."
        blocks.append(Text(words, "quiet"))
    return blocks


def spent(one: Findings) -> list[Block]:
    """What of each budget is spent and left, and when the study is expected to end."""
    frame = progress.budget(one)
    shown = {
        heading: [
            amount(kind, value) for kind, value in zip(frame["budget"], frame[column], strict=True)
        ]
        for column, heading in (("spent", "spent"), ("limit", "of"), ("left", "left"))
    }
    whole = pd.DataFrame({"budget": frame["budget"], **shown}, dtype=object)
    words = progress.forecast_words(one)
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
    labels = {"failed": "of them failed for good"}
    name, title = f"failures-{one.name}", "What failed, and why"
    return [table(name, title, frame, FAILURE_COLUMNS, labels=labels)]


def configuration(one: Findings) -> Table:
    frame = status.overview(one)
    columns, labels = {column: "text" for column in frame}, {"what": " ", one.name: "  "}
    title = "What was asked, of what, with what"
    return table(f"overview-{one.name}", title, frame, columns, labels=labels)
