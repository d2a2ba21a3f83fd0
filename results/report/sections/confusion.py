"""The report's section on confusion matrices, the paper's beside ours where it prints one."""

from typing import Any

import pandas as pd

from results.facts import evaluation, paper
from results.facts.evaluation import Evaluated
from results.report.blocks import Block, Matrix, Section, Side, Table, Text, table
from results.report.inputs import Inputs
from results.report.sections.caution import cautions
from results.words import listed, ranges, seeds

TITLE = "Confusion matrices"
HOW = (
    "Rows: true class; columns: predicted. In each cell the images (mean over seeds) and their "
    "share of the class; recall and precision with the half-width of their 95 % interval (Wilson)."
)
COPIED = "class images:count copied:share"
CLASS_COLUMNS = (
    "class images:count recall:percent recall_interval answers:count precision:percent "
    "precision_interval"
)


def matrices(given: Inputs) -> Section | None:
    """Confusion matrices on test, or on val+test beside the paper's where it prints one."""
    return of_settings(given.settings, given) if given.settings else None


def of_settings(settings: list[Evaluated], given: Inputs) -> Section:
    blocks: list[Block] = [Text(HOW, "quiet")]
    compared = {one.name for one in given.compared}
    for one in settings:
        blocks += matrix(one, given.published if one.name in compared else {})
    blocks += cautions(settings, "the matrix of")
    each: dict[str, Evaluated] = {}  # of each data set
    for one in settings:
        each.setdefault(one.answers.digest, one)
    for one in each.values():
        blocks += uneven(one, len(each) > 1)
    return Section(TITLE, [*blocks, *hardest(settings)])


def uneven(one: Evaluated, several: bool) -> list[Block]:
    """That the duplicates aren't spread evenly over the classes, where they are not; `several`: of
    the data set of which study."""
    frame = evaluation.copies_by_class(one.answers).dropna().sort_values("copied")
    if frame.empty:
        return []
    least, most = frame.iloc[0], frame.iloc[-1]
    if most["copied"] < 0.05 or most["copied"] < 2 * least["copied"]:
        return []
    words = (
        f"Duplicates are uneven{f' in {one.answers.study}' if several else ''}: of the test images "
        f"of {most['class']} "
        f"{100 * most['copied']:.0f} % also occur in train or val, of {least['class']} "
        f"{100 * least['copied']:.0f} %. Recall of the classes with most, macro F1 and balanced "
        "accuracy are too high for it; 'test, no duplicates' leaves them out."
    )
    return [Text(words, "note"), table("copied", "Duplicates by class", frame, COPIED, True)]


def papers_matrices(given: Inputs) -> Section:
    """The paper's matrices, beside ours of those of its settings that were confirmed."""
    printed = paper.matrices(given.published)
    ours = [one for one in given.compared if one.answers.setting in printed]
    return of_settings(ours, given) if ours else alone(given.published)


def matrix(one: Evaluated, published: dict[str, Any]) -> list[Block]:
    """A setting's matrix and its table by class, with the paper's matrix of the same setting."""
    as_paper = paper.in_its_order(one.answers.classes, published.get("classes", []))
    theirs = paper.matrices(published).get(one.answers.setting) if as_paper else None
    scope = "val+test" if theirs else "test"
    if scope not in one.scopes:
        return []
    classes = as_paper or list(one.answers.classes)
    counts = evaluation.matrix(one.answers, scope, classes)
    images = evaluation.of_class(one.answers, scope, classes)
    rows = evaluation.per_class(counts, classes, images)
    name = f"confusion-{one.name}"
    caption = f"{one.name}, {scope}, {seeds(len(one.answers.seeds))}"
    pair = [Matrix(name, caption, counts, classes, rows)]
    if theirs:
        caption = f"The paper's {paper.figure(theirs)}"
        pair.append(printed(published, theirs, f"{name}-paper", caption))
    return [Side(pair), class_table(f"classes-{one.name}", rows)]


def printed(published: dict[str, Any], figure: str, name: str, caption: str) -> Matrix:
    """A matrix that the paper prints."""
    counts, classes = paper.counts(published, figure), published["classes"]
    return Matrix(name, caption, counts, classes, evaluation.per_class(counts, classes))


def class_table(name: str, rows: pd.DataFrame) -> Table:
    """Recall and precision by class with their intervals."""
    shown = rows.assign(
        recall_interval=ranges(rows, "recall_low", "recall_high"),
        precision_interval=ranges(rows, "precision_low", "precision_high"),
    )
    return table(name, "Recall and precision by class", shown, CLASS_COLUMNS, True)


def hardest(settings: list[Evaluated]) -> list[Block]:
    """How many images every network gets wrong."""
    frame = evaluation.hardest(settings)
    if frame.empty:
        return []
    wrong, images = frame["all_wrong"].sum(), frame["images"].sum()
    networks = sum(len(one.answers.seeds) for one in settings)
    words = (
        f"{wrong:,} of {images:,} test images are misclassified by "
        f"{'the one model' if networks == 1 else f'all {networks} models'}, "
        f"{frame['all_right'].sum():,} correctly classified."
    )
    columns = "class images:count all_wrong:count all_right:count"
    return [Text(words), table("hardest", "By class", frame, columns, True)]


def alone(published: dict[str, Any]) -> Section:
    """The printed matrices, where no setting that has one was confirmed on the paper's images."""
    words = (
        "None of the settings that have a printed matrix was confirmed here as the paper trained "
        "it, on the images that it judged on: these are the paper's alone."
    )
    settings: dict[str, list[str]] = {}
    for setting, figure in paper.matrices(published).items():
        settings.setdefault(figure, []).append(setting)
    each = [
        printed(published, figure, figure, f"{paper.figure(figure)}, {listed(names)}")
        for figure, names in settings.items()
    ]
    return Section(TITLE, [Text(words, "quiet"), Side(each)])
