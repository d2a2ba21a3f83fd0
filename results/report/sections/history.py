"""The report's picture of how each search went. The explorer draws the same of any selection."""

from results.artefacts.load import Findings
from results.facts import search as facts
from results.figures import charts
from results.report.blocks import Block, Figure, Section, table

COLUMNS = (
    "order:count model trial_id status trials:count epochs:count seconds:number judged:percent "
    "best:percent"
)


def history(studies: list[Findings]) -> Section | None:
    """Each search's trials as they ended, and the best so far; None where nothing was searched."""
    blocks: list[Block] = [figure for one in studies for figure in of(one, len(studies) > 1)]
    return Section("Optimisation history", blocks) if blocks else None


def of(one: Findings, several: bool) -> list[Figure]:
    frame = facts.progress(facts.searched(one))
    ran = frame[(frame["status"] != "failed") & frame["judged"].gt(0)]
    if ran.empty:
        return []
    top = ran.loc[ran["judged"].idxmax()]
    words = (
        f"Final {one.judged} of each trial in the order in which they ended; the line is the best "
        f"so far of each network, crosses were stopped early. The highest, "
        f"{100 * top['judged']:.1f} % ({top['trial_id']}), came as number {top['order']} of "
        f"{len(frame)}."
    )
    behind = table(f"progress-{one.name}", "Trials as they ended", frame, COLUMNS, True)
    title = f"The search of {one.name}" if several else "The search"
    plots = [(f"Final {one.judged}", charts.history(ran, one.judged))]
    return [Figure(f"history-{one.name}", title, words, plots, behind, "narrow")]
