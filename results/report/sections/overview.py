"""The report's section on what was asked of the studies and where they stand."""

import pandas as pd

from results.artefacts.load import Findings
from results.facts import status
from results.report.blocks import Block, Section, kinds, table


def overview(studies: list[Findings]) -> Section:
    """A column per study, and a table of every study's trials."""
    each = [status.overview(one).set_index("what") for one in studies]
    order = dict.fromkeys(what for column in each for what in column.index)
    frame = pd.concat(each, axis=1).reindex(order).fillna("").reset_index(names="what")
    labels = {"what": " "} | ({studies[0].name: "  "} if len(studies) == 1 else {})
    columns = {column: "text" for column in frame}
    blocks: list[Block] = [
        table("overview", "Configuration, data, environment", frame, columns, labels=labels)
    ]
    for one in studies:
        trials = status.trials(one)
        judged = f"val_{one.metric}"
        shown = kinds(f"{judged}:percent val_accuracy:percent val_loss:number")
        columns = {c: "text" for c in trials} | shown
        caption, labels = f"The trials of {one.name} ({len(trials):,})", {judged: one.judged}
        blocks.append(table(f"trials-{one.name}", caption, trials, columns, True, labels))
    return Section("The study", blocks)
