"""The report's section on ingredients, where a study has arms for them."""

from collections.abc import Iterator

import pandas as pd

from results.artefacts.load import Findings
from results.facts import statistics as st
from results.facts.ingredients import arms, effects
from results.figures import charts
from results.report.blocks import Block, Figure, Section, Table, Text, table
from results.report.inputs import Inputs
from results.words import points, seeds, signed

TITLE = "What each ingredient gives"
COLUMNS = "model arm changed val test p:p holm:p sd:gap accuracy:percent seeds:count"
LABELS = {
    "model": "network",
    "p": "p, val",
    "holm": "with Holm",
    "sd": "sd over seeds, val",
    "accuracy": "accuracy, val",
    "val": "on val",
    "test": "on test",
}
ALL_COLUMNS = (
    "model base arm changed scope seeds:count base_accuracy:percent accuracy:percent "
    "difference:points low:points high:points sd:gap p:p holm:p"
)


def ingredients(given: Inputs) -> Iterator[Section]:
    """A section for each study with arms."""
    for one in given.studies:
        settings = [each for each in given.settings if each.answers.study == one.name]
        frame = effects(arms(one), settings, given.resamples)
        if len(frame):
            title = f"{TITLE}: {one.name}" if given.several else TITLE
            yield Section(title, blocks(one, frame))


def blocks(one: Findings, frame: pd.DataFrame) -> list[Block]:
    """The figure of all arms, their table, and how the intervals were computed."""
    plots = [
        (f"{model}, against {part['base'].iloc[0]}", charts.differences(part, str(model)))
        for model, part in frame.groupby("model", sort=False)
    ]
    on_val = frame[frame["scope"] == "val"]
    summary = [base_words(str(base), part) for base, part in on_val.groupby("base", sort=False)]
    behind = table("ingredients-all", "Every arm on val and on test", frame, ALL_COLUMNS, True)
    width = "narrow" if len(plots) == 1 else ""
    caption = "What each gives"
    return [
        Figure("ingredients", caption, f"{'. '.join(summary)}.", plots, behind, width),
        arms_table(frame),
        Text(how(int(frame["seeds"].min()), one.study["study"].get("epochs")), "quiet"),
    ]


def base_words(base: str, part: pd.DataFrame) -> str:
    """The base's accuracy on val, and the arms whose interval lies clear of it."""
    single = part[~part["together"]]
    sure = single[(single["low"] > 0) | (single["high"] < 0)]
    effect = [
        f"{row['arm']} {signed(100 * row['difference'], 1)} ({points(row)})"
        for _, row in sure.iterrows()
    ]
    words = (
        f"{base} has {100 * part['base_accuracy'].iloc[0]:.1f} % on val "
        f"({seeds(int(part['seeds'].min()))}). "
    )
    if effect:
        words += f"Different by an interval without 0, in points: {', '.join(effect)}"
    else:
        words += "No arm's interval lies clear of 0"
    whole = part[part["together"]]
    if len(whole):
        words += (
            f". All of them together: {signed(100 * whole['difference'].iloc[0], 1)}; the sum of "
            f"the single ones {signed(100 * single['difference'].sum(), 1)}"
        )
    return words


def arms_table(frame: pd.DataFrame) -> Table:
    """A row per arm: the difference on val and on test, and the statistics of val."""
    rows = []
    for (_, arm), part in frame.groupby(["model", "arm"], sort=False):
        at = part.set_index("scope")
        first = at.loc["val"] if "val" in at.index else at.iloc[0]
        differences = {
            scope: f"{signed(100 * row['difference'], 2)}\n{points(row)}"
            for scope, row in at.iterrows()
        }
        rest = {name: first[name] for name in ("p", "holm", "sd", "accuracy", "seeds")}
        rows.append(
            {"model": first["model"], "arm": arm, "changed": first["changed"]} | differences | rest
        )
    caption = "Against the base, in points of accuracy"
    return table("ingredients", caption, pd.DataFrame(rows), COLUMNS, labels=LABELS)


def how(few: int, epochs: int | None) -> str:
    """How the intervals and the p of the fewest seeds of any arm are to be read."""
    if few > 1:
        least = f" and can't go below {2 / 2**few:.3g} with {seeds(few)}"
    else:
        least = ": with one seed there is none, and the interval is of the images alone"
    return (
        "Base and arm share seeds and images, and the intervals (95 %) draw both anew in pairs. p "
        f"exchanges base and arm within each seed{least}. Choose by val; test is there to see "
        "whether the choice holds. An ingredient's worth is that at "
        f"{epochs} epochs and this base: regularisation pays late. {st.too_narrow(few)}"
    )
