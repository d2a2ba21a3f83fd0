"""The views that are written here and not drawn by the script: the report's blocks, as HTML.

Every table carries its frame as CSV, so that the page can hand it over in full precision.
"""

from pathlib import Path

import pandas as pd

from results.artefacts.load import Findings, answers
from results.explorer import overview
from results.facts import evaluation, paper, status
from results.facts import statistics as st
from results.facts.evaluation import Judged
from results.facts.votes import read as read_votes
from results.report import page
from results.report.blocks import Block, Figure, Side, Table, Text, table
from results.report.sections import confirmed as sections
from results.report.sections import curves as sections_curves
from results.report.sections import ingredients as sections_ingredients
from results.report.sections import networks as sections_networks
from results.report.sections import paper as sections_paper
from results.report.sections import search as sections_search
from results.report.sections import votes as sections_votes
from results.words import listed, ranged

UNTESTED = "No confirmed model has answered images yet: what needs one will stand here."


def judged(studies: list[Findings], resamples: int = st.RESAMPLES) -> list[Judged]:
    """Every confirmed setting of the studies with its bootstraps."""
    return evaluation.judged([found for one in studies for found in answers(one)], resamples)


def overview_html(studies: list[Findings], settings: list[Judged] | None) -> str:
    """What was asked, where it stands, what it cost, what came of it, what failed.

    None: the bootstraps are still being computed, and their place says so.
    """
    return "".join(study_html(one, settings, len(studies) > 1) for one in studies)


def study_html(one: Findings, settings: list[Judged] | None, several: bool) -> str:
    own = answers(one)
    notes = "".join(
        f'<li class="note">{page.code(note)}</li>' for note in status.warnings(one, own)
    )
    head = f"<h3>{page.escape(one.name)}</h3>" if several else ""
    left: list[Block] = []
    best = overview.best(one, settings or [])
    if settings is None and own:
        left.append(Text("The intervals of the confirmed networks are being computed.", "quiet"))
    if len(best):
        left.append(best_table(one, best))
        if "val" in set(best["split"]):
            words = "A figure on val is the highest of many and so too high; test was opened once."
            left.append(Text(words, "quiet"))
    left.append(budget_table(one))
    told = overview.forecast_words(one)
    if told:
        left.append(Text(told))
    failed = overview.failures(one)
    if len(failed):
        kinds = {"error": "text", "trials": "count", "failed": "count", "networks": "text",
                 "first": "text"}  # fmt: skip
        labels = {"failed": "of them failed for good"}
        title = "What failed, and why"
        left.append(table(f"failures-{one.name}", title, failed, kinds, labels=labels))
    asked = status.overview(one)
    kinds, labels = {c: "text" for c in asked}, {"what": " ", one.name: "  "}
    right: list[Block] = [table(f"overview-{one.name}", "What was asked, of what, with what", asked,
                                kinds, labels=labels)]  # fmt: skip
    return (
        f'<div class="study">{head}{tiles(one)}<ul class="notes">{notes}</ul><div class="pair">'
        f"<div>{markup(left)}</div><div>{markup(right)}</div></div></div>"
    )


def tiles(one: Findings) -> str:
    """Where it stands, in four numbers."""
    ran, asked = len(one.epochs), overview.epochs_asked(one)
    counts = status.counts(one)
    parts = [
        ("Status", str(one.study.get("status", "unknown")), str(one.study.get("reason") or "")),
        ("Trials", f"{len(one.trials):,}", listed([f"{n} {word}" for word, n in counts.items()])),
        ("Epochs", f"{ran:,}", f"of {asked:,.0f} if none were stopped" if asked else ""),
        ("By the clock", status.duration(overview.clock(one)),
         f"last event {status.moment(one.last_event)}" if one.last_event else ""),
    ]  # fmt: skip
    shown = "".join(
        f"<div><dt>{page.escape(name)}</dt><dd>{page.escape(value)}</dd>"
        f"<dd class='quiet'>{page.escape(more)}</dd></div>"
        for name, value, more in parts
    )
    return f'<dl class="tiles">{shown}</dl>'


def best_table(one: Findings, best: pd.DataFrame) -> Table:
    shown = best.assign(
        interval=[ranged(*pair) for pair in best[["low", "high"]].to_numpy(float)],
        best=[f"{row['of']}, epoch {row['epoch']:.0f}" if row["epoch"] == row["epoch"]
              else row["of"] for _, row in best.iterrows()],
    )  # fmt: skip
    kinds = {"model": "text", "accuracy": "percent", "interval": "text", "split": "text",
             "best": "text", "seeds": "count", "images": "count"}  # fmt: skip
    labels = {"model": "network", "interval": "95 %", "split": "on"}
    return table(f"best-{one.name}", "Best of each network", shown, kinds, labels=labels)


def budget_table(one: Findings) -> Table:
    frame = overview.budget(one)
    shown = pd.DataFrame(
        {
            "budget": frame["budget"],
            **{
                column: [amount(kind, value) for kind, value in zip(frame["budget"], frame[column],
                                                                    strict=True)]
                for column in ("spent", "limit", "left")
            },
        },
        dtype=object,
    )  # fmt: skip
    return Table(f"budget-{one.name}", "Budget", frame, shown.rename(columns={"limit": "of"}))


def amount(kind: str, value: float) -> str:
    if value != value:
        return "–"
    if kind.startswith("seconds"):
        return status.duration(value)
    return f"{value:,.2f}" if kind == "GPU hours" else f"{value:,.0f}"


def texts(studies: list[Findings], settings: list[Judged], votes: Path | None) -> dict[str, str]:
    """The three views that are written here, as HTML; `searches_html` takes longer."""
    return {
        "overview": overview_html(studies, settings),
        "comparison": comparison_html(studies, settings, votes),
        "paper": paper_html(studies, settings),
    }


def comparison_html(
    studies: list[Findings], settings: list[Judged], votes: Path | None = None
) -> str:
    """What is known of the confirmed settings: intervals, tests, cost, calibration, label noise."""
    if not settings:
        return f"<p>{UNTESTED}</p>"
    published = paper.published()
    printed = paper.settings_table(published, real(studies, settings))
    parts = [
        sections.confirmed(settings, printed),
        sections_paper.pairs(settings),
        sections.cost(studies, settings),
        sections.calibration(settings),
        *sections_ingredients.given(studies, settings, st.RESAMPLES),
        sections_votes.label_noise(settings, read_votes(votes), st.RESAMPLES) if votes else None,
    ]
    return "".join(section_html(part) for part in parts if part)


def searches_html(studies: list[Findings], settings: list[Judged]) -> str:
    """What each whole search says: edges of the space, the winner's curse, fANOVA and PED-ANOVA."""
    frame = evaluation.confirmed(settings)
    parts = [sections_search.beyond(one, frame, len(studies) > 1) for one in studies]
    return "".join(section_html(part) for part in parts if part)


def real(studies: list[Findings], settings: list[Judged]) -> list[Judged]:
    """The settings of studies on real faces: only they can be held against the paper."""
    names = {one.name for one in studies if not one.synthetic}
    return [one for one in settings if one.answers.study in names]


def paper_html(studies: list[Findings], settings: list[Judged]) -> str:
    """The paper's tables, curves and matrices beside ours, and what doesn't add up in it."""
    published = paper.published()
    compared = real(studies, settings)
    parts = [sections_paper.beside(paper.settings_table(published, compared, studies))]
    printed = {e["id"] for e in published["experiments"] if e["confusion"]}
    known = {one.answers.setting for one in compared} & printed
    if known:
        ours = [one for one in compared if one.answers.setting in known]
        parts.append(sections.matrices(ours, published, {one.answers.study for one in ours}))
    else:
        parts.append(theirs(published))
    curves = sections_curves.curves(studies)
    if curves:
        parts.append(curves)
    parts += [sections_networks.networks(studies), sections_paper.oddities(published)]
    return "".join(section_html(part) for part in parts if part)


def theirs(published: dict) -> sections.Section:
    """The paper's printed matrices alone, where no setting of it was confirmed on real faces."""
    classes = published["classes"]
    words = ("None of the settings that have a printed matrix was confirmed on real faces here: "
             "these are the paper's alone.")  # fmt: skip
    blocks: list[Block] = [Text(words, "quiet")]
    of: dict[str, list[str]] = {}
    for entry in published["experiments"]:
        if entry["confusion"]:
            of.setdefault(entry["confusion"], []).append(entry["id"])
    matrices = [
        sections.Matrix(name, f"{paper.figure(name)}, {listed(ids)}", paper.counts(published, name),
                        classes, evaluation.per_class(paper.counts(published, name), classes))
        for name, ids in of.items()
    ]  # fmt: skip
    return sections.Section("Confusion matrices", [*blocks, Side(matrices)])


def section_html(section: sections.Section) -> str:
    return f"<section><h3>{page.escape(section.title)}</h3>{markup(section.blocks)}</section>"


def markup(blocks: list[Block]) -> str:
    return "\n".join(f'<div class="block">{page.markup(block)}{csv(block)}</div>'
                     for block in blocks)  # fmt: skip


def csv(block: Block) -> str:
    """The frames behind a block, for the page to hand over."""
    told = block.table if isinstance(block, Figure) else block
    if not isinstance(told, Table) or told.frame.empty:
        return ""
    text = page.as_json(told.frame.to_csv(index=False))
    return f'<script type="text/csv" data-name="{page.escape(told.name)}">{text}</script>'
