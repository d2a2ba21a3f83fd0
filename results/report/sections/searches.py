"""The report's section on whole searches that were done again with other seeds."""

from results.artefacts.load import Findings
from results.facts import searches as facts
from results.facts import verdicts
from results.report.blocks import Block, Section, Text, table
from results.report.inputs import Inputs
from results.words import listed, ranges

COLUMNS = "setting searches:count mean:percent interval sd:percent"
LABELS = {"interval": "95 %", "sd": "sd over searches"}
PAIR_COLUMNS = "first second difference:points low:points high:points verdict"
HOW = (
    "Each search is one draw: the mean over the seeds with which it confirmed its best. These "
    "intervals and verdicts are for new searches, new seeds and new images, on test without "
    "duplicates; those of one study alone are of its one search."
)


def searches(given: Inputs) -> list[Section | None]:
    """A section for each group of studies that are one another's but for the seed, which is in its
    title where there are several."""
    groups = facts.repeated(given.studies)
    return [section(group, given, len(groups) > 1) for group in groups]


def section(group: list[Findings], given: Inputs, several: bool) -> Section | None:
    frame = facts.accuracies(group, given.settings)
    if frame.empty:
        return None
    found = facts.compared(group, given.settings)
    names = listed([one.name for one in group])
    told = [facts.words(one, len(group)) for one in found if one.primary]
    shown = frame.assign(interval=ranges(frame, "low", "high"))
    others = [one.name for one in facts.twice(group, given.studies)]
    left = f" Left out, since their seeds are there: {listed(others)}." if others else ""
    blocks: list[Block] = [Text(f"{len(group)} searches: {names}.{left}")]
    blocks += [Text(f"{'; '.join(told)}.", "answer")] if told else []
    blocks.append(table("searches", "Accuracy over searches", shown, COLUMNS, labels=LABELS))
    pairs = verdicts.frame(found).drop(columns=["words", "settle"])
    blocks.append(table("searches-pairs", "Over searches, two by two", pairs, PAIR_COLUMNS, True))
    title = f"The search repeated: {names}" if several else "The search repeated"
    return Section(title, [*blocks, Text(HOW, "quiet")])
