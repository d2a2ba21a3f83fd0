"""The first section: how accurate each network is, which leads and how surely, and the best
setting, whole. The explorer shows the same."""

import pandas as pd

from fer_stats.metric import WORDS
from results.facts import answer as facts
from results.facts import paper, setting
from results.facts.evaluation import PRIMARY
from results.facts.setting import Best
from results.figures import charts
from results.report.blocks import Block, Code, Figure, Section, Side, Table, Text, table
from results.report.inputs import Inputs
from results.words import listed, ranges

COLUMNS = "setting model scope mean:percent interval epochs:count seeds:count images:count"
LABELS = {"mean": "accuracy", "interval": "95 %", "scope": "on", "model": "network"}
CURVE_COLUMNS = "measure epoch:count seeds:count mean:number low:number high:number"
HOW = (
    "Bars are 95 % intervals for new seeds and new images; with one seed there is none. What was "
    "chosen on val is optimistic there. Don't compare what differs in epochs or images (hollow)."
)


OF_IMAGES = (
    "Of a search alone, the best trial of each network: bars are 95 % intervals of the choice of "
    "val images alone (Wilson), and each was chosen for being high. Don't compare what differs in "
    "epochs (hollow)."
)


def answer(given: Inputs) -> Section | None:
    """Accuracies, the sentence on who leads, and each study's best setting."""
    frame = facts.accuracies(given.studies, given.settings)
    if frame.empty:
        return None
    words = facts.sentences(given.studies, given.settings, given.verdicts)
    blocks: list[Block] = [
        Text(one, "answer") for one in [*paper.told_across(given.across), *words]
    ]
    blocks += map(Text, facts.maximised(given.studies, given.settings))
    found = [setting.best(one, given.settings) for one in given.studies]
    each = [one for one in found if one]
    if len(given.studies) == 1 and each:
        best = each[0]
        return Section(
            "Result", [*blocks, Side([picture(frame), curve(best)]), whole(best), *again(best)]
        )
    blocks.append(picture(frame))
    for one in each:
        blocks += [Side([curve(one, f" of {one.study}"), whole(one)]), *again(one)]
    return Section("Result", blocks)


def picture(frame: pd.DataFrame) -> Figure:
    """A plot for each set of images: on others nothing is comparable."""
    drawn = frame[frame["scope"] != "test"]
    plots = [
        (f"Accuracy of {listed(list(dict.fromkeys(part['study'])))}", charts.answer(part))
        for _, part in drawn.groupby("digest", sort=False)
    ]
    shown = frame.assign(interval=ranges(frame, "low", "high"))
    test = frame["scope"].isin([PRIMARY, "test"])
    searched = ~frame["study"].isin(frame.loc[test, "study"])
    how = " ".join([HOW] * bool(test.any()) + [OF_IMAGES] * bool(searched.any()))
    behind = table("answer", "Accuracies", shown, COLUMNS, True, LABELS)
    return Figure("answer", "Accuracy of each network", how, plots, behind)


def curve(found: Best, of: str = "") -> Figure:
    """How the best setting learned."""
    judged = WORDS[found.metric]
    of_metric = "" if found.metric == "accuracy" else f" {judged}"
    words = (
        f"{100 * found.judged:.1f} %{of_metric} on {found.val_images:,} images of {found.val}, "
        f"after "
        f"{found.epoch} of {found.epochs} epochs; the best on val of {found.among}."
    )
    behind = table(f"best-curve-{found.study}", "By epoch", found.curve, CURVE_COLUMNS, True)
    title = f"Accuracy{of_metric and f' and{of_metric}'} of {found.name} by epoch"
    plots = [(title, charts.learning(found.curve))] if len(found.curve) else []
    return Figure("best-curve", f"Best setting{of}: {found.name}", words, plots, behind)


def again(found: Best) -> list[Block]:
    """How it is trained again: as a command, and as a file."""
    return [
        Code(f"Train it again, {setting.seeds_of(found)}", setting.command(found)),
        Code("The same as best.toml, for --preset", setting.toml(found), "best.toml", True),
    ]


def whole(found: Best) -> Table:
    """Every hyperparameter that its network has, those that were searched first."""
    names = list(found.hyperparameters)
    kinds = ["searched" if name in found.searched else "fixed" for name in names]
    values = [value_words(value) for value in found.hyperparameters.values()]
    exact = pd.Series([*found.hyperparameters.values()], dtype=object)
    frame = pd.DataFrame({"hyperparameter": names, "value": exact, "kind": kinds})
    small = ["\nsearched" if kind == "searched" else "" for kind in kinds]
    shown = pd.DataFrame({"hyperparameter": [name.replace("_", " ") for name in names]})
    shown["value"] = [value + below for value, below in zip(values, small, strict=True)]
    caption = f"All hyperparameters, from {found.trial}"
    return Table(f"best-{found.study}", caption, frame, shown.astype(object), pairs=True)


def value_words(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.4g}" if isinstance(value, float) else str(value)
