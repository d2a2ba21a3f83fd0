"""The report's section on ingredients, where a study has arms for them."""

from collections.abc import Iterator

import pandas as pd

from results.artefacts.load import Findings
from results.facts.evaluation import PRIMARY
from results.facts.ingredients import arms, effects
from results.figures import charts
from results.report.blocks import Block, Figure, Section, Table, Text, table
from results.report.inputs import Inputs
from results.words import points, seeds, signed

TITLE = "Ablation: effect of each ingredient"
COLUMNS = "model arm changed test verdict holm:p val sd:gap accuracy:percent seeds:count"
LABELS = {
    "model": "network",
    "holm": "p with Holm",
    "sd": "sd over seeds",
    "val": "on val",
    "test": "on test without duplicates",
}
ALL_COLUMNS = (
    "model base arm changed scope seeds:count base_accuracy:percent accuracy:percent "
    "difference:points low:points high:points sd:gap verdict holm:p"
)


def ingredients(given: Inputs) -> Iterator[Section]:
    """A section for each study with arms."""
    for one in given.studies:
        settings = [each for each in given.settings if each.answers.study == one.name]
        frame = effects(arms(one), settings, given.verdicts)
        if len(frame):
            title = f"{TITLE}: {one.name}" if given.several else TITLE
            yield Section(title, blocks(one, frame))


def blocks(one: Findings, frame: pd.DataFrame) -> list[Block]:
    """The figure of all arms, their table, and how the intervals were computed."""
    plots = [
        (f"{model}, against {part['base'].iloc[0]}", charts.differences(part, str(model)))
        for model, part in frame.groupby("model", sort=False)
    ]
    first = frame[frame["scope"] == PRIMARY]
    summary = [base_words(str(base), part) for base, part in first.groupby("base", sort=False)]
    behind = table("ingredients-all", "Every arm on test and on val", frame, ALL_COLUMNS, True)
    width = "narrow" if len(plots) == 1 else ""
    caption = "Difference from the base"
    return [
        Figure("ingredients", caption, f"{'. '.join(summary)}.", plots, behind, width),
        arms_table(frame),
        Text(how(epochs_of(one, {*frame["base"]})), "quiet"),
    ]


def base_words(base: str, part: pd.DataFrame) -> str:
    """The base's accuracy, and the arms whose verdict isn't open."""
    single = part[~part["together"]]
    sure = single[single["verdict"] != "not settled"]
    effect = [
        f"{row['arm']} {row['verdict']}, {signed(100 * row['difference'], 1)} ({points(row)})"
        for _, row in sure.iterrows()
    ]
    fullest = part.loc[part["seeds"].idxmax()]
    words = (
        f"{base} has {100 * fullest['base_accuracy']:.1f} % on test without duplicates "
        f"({seeds(int(fullest['seeds']))}). "
    )
    if effect:
        words += f"Settled, in points with Holm's intervals: {'; '.join(effect)}"
    else:
        words += "No arm is settled: each may as well give nothing"
    whole = part[part["together"]]
    if len(whole):
        words += (
            f". All of them together: {signed(100 * whole['difference'].iloc[0], 1)}; the sum of "
            f"the single ones {signed(100 * single['difference'].sum(), 1)}"
        )
    return words


def arms_table(frame: pd.DataFrame) -> Table:
    """A row per arm: the difference on test and on val, and the statistics of test."""
    rows = []
    for (_, arm), part in frame.groupby(["model", "arm"], sort=False):
        at = part.set_index("scope")
        first = at.iloc[0]
        differences = {
            scope.partition(",")[0]: f"{signed(100 * row['difference'], 2)}\n{reach(row)}".rstrip()
            for scope, row in at.iterrows()
        }
        rest = {name: first[name] for name in ("verdict", "holm", "sd", "accuracy", "seeds")}
        rows.append(
            {"model": first["model"], "arm": arm, "changed": first["changed"]} | differences | rest
        )
    caption = "Against the base, in points of accuracy"
    return table("ingredients", caption, pd.DataFrame(rows), COLUMNS, labels=LABELS)


def reach(row: pd.Series) -> str:
    """The interval, where there is one."""
    return "" if pd.isna(row["low"]) else points(row)


def epochs_of(one: Findings, bases: set[str]) -> str:
    """Epochs that the bases were given."""
    given = one.trials.loc[one.trials["setting"].isin(bases), "hp_epochs"]
    return " and ".join(f"{epochs:g}" for epochs in sorted({*given}))


def how(epochs: str) -> str:
    """How the verdicts are to be read."""
    return (
        "Verdicts and intervals on test are those of 'Are the differences real?', for new seeds "
        "and new images; with one seed there is neither. Those on val are corrected by Holm for "
        "the arms of a network: choose by them, test is there to see whether the choice holds. An "
        f"ingredient's worth is that at {epochs} epochs and this base: regularisation pays late."
    )
