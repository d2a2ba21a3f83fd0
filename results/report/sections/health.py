"""The report's section on a study's health checks: results.facts.health as a table."""

import pandas as pd

from results.artefacts.load import Findings
from results.facts import health as facts
from results.report.blocks import Block, Code, Section, Text, table
from results.report.inputs import Inputs

COLUMNS = "verdict check words"
LABELS = {"verdict": " ", "words": "what was found"}


def health(one: Findings, given: Inputs) -> Section | None:
    """PASS or WARN, a sentence each, and the next commands."""
    checks = facts.of(one, given.settings, given.verdicts)
    if not checks:
        return None
    rows = [(c.verdict, c.name, c.words, c.command) for c in checks]
    frame = pd.DataFrame(rows, columns=["verdict", "check", "words", "command"])
    warned = [check for check in checks if not check.passed]
    words = f"{len(checks) - len(warned)} of {len(checks)} checks pass."
    blocks: list[Block] = [
        Text(words),
        table(f"health-{one.name}", "Health checks", frame, COLUMNS, labels=LABELS),
    ]
    blocks += [Code(check.name, check.command) for check in warned if check.command]
    return Section(f"Health of {one.name}" if given.several else "Health", blocks)
