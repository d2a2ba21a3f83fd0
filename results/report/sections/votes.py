"""The report's section on label noise, where the voters' table is given."""

import pandas as pd

from results import Mistake
from results.facts import votes
from results.facts.evaluation import Evaluated
from results.figures import charts
from results.report.blocks import Block, Figure, Section, Table, Text, table
from results.words import counted, listed, ranges, seeds, within

SCOPE = "test"
COLUMNS = (
    "setting voters images:count label:percent label_interval majority:percent majority_interval "
    "label_agrees:percent seeds:count"
)
LABELS = {
    "voters": "voters who agree",
    "label": "right by the label",
    "majority": "right by the voters",
    "label_interval": "95 %",
    "majority_interval": "95 % ",
    "label_agrees": "label is the majority's",
}
NEVER_LABELS = {
    "answer": "most networks answer",
    "share": "share of the networks",
    "majority": "most voters say",
    "sure": "share of the voters",
}
HOW = (
    "Ten voters looked at each image (FER+, Barsoum et al. 2016). The majority is the answer with "
    "most votes, unknown and not a face among them; where two lead there is none. Accuracies here "
    "are on the images whose majority is one of the seven emotions, of which {rows:,} test images "
    "have {images:,}. Intervals are for new images and new seeds. Identical images have identical "
    "votes (2,352 of 2,352 pairs), which were copied: a copy is no second opinion, and a network "
    "that was trained on votes has seen those of its copies in test. Of 5,121 images labelled fear "
    "the majority says fear in 12.5 %, neutral in 31 %."
)


def label_noise(settings: list[Evaluated], cast: pd.DataFrame) -> Section:
    """Accuracy against label and voters, and what no network gets right; refuses other images."""
    known = [one for one in settings if votes.matched(one.answers) and SCOPE in one.scopes]
    known = [one for one in known if one.answers.digest == known[0].answers.digest]
    if not known:
        raise Mistake(
            "the votes belong to no confirmed model here: expected predictions on FER-2013's own "
            "images, pixel for pixel, as fer2013.csv has them in any order (not the JPEGs of a "
            "folder copy, nor a study begun by an older version on a copy in another order): leave "
            "out --votes"
        )
    frame = votes.accuracies(known, cast, SCOPE)
    rows, _ = votes.with_answers(known[0], cast, SCOPE, votes.once(known, SCOPE))
    never = votes.never_right(known, cast, SCOPE)
    blocks: list[Block] = [accuracy(frame), errors(known, cast)]
    blocks += [*nobody(known, rows, never), *voters(rows)]
    others = [one.name for one in settings if one not in known]
    if others:
        blocks.append(Text(f"Not on these images, so not here: {listed(others)}.", "quiet"))
    how = HOW.format(rows=len(rows), images=frame["images"].max())
    return Section("Label noise", [*blocks, Text(how, "quiet")])


def accuracy(frame: pd.DataFrame) -> Figure:
    """Accuracy by the share of voters who agree."""
    sure = frame[frame["voters"] != votes.ANY]
    shown = frame.assign(
        label_interval=ranges(frame, "label_low", "label_high"),
        majority_interval=ranges(frame, "majority_low", "majority_high"),
    )
    plots = [
        ("Right by the label", charts.sureness(sure, "label")),
        ("Right by the voters' majority", charts.sureness(sure, "majority")),
    ]
    behind = table("voters", "Against label and voters", shown, COLUMNS, True, LABELS)
    caption = "Accuracy by how sure the voters were"
    return Figure("voters", caption, accuracy_words(frame, sure), plots, behind)


def accuracy_words(frame: pd.DataFrame, sure: pd.DataFrame) -> str:
    whole = frame[frame["voters"] == votes.ANY]
    best = whole.loc[whole["majority"].idxmax()]
    ends = sure[sure["setting"] == best["setting"]]
    label, majority = (
        f"{100 * best[name]:.1f} % by the {word}{within(best[f'{name}_low'], best[f'{name}_high'])}"
        for name, word in (("label", "label"), ("majority", "voters"))
    )
    few, all_of_them = (
        f"{100 * ends['majority'].iloc[k]:.1f} % where {ends['voters'].iloc[k]}" for k in (0, -1)
    )
    return (
        f"The label itself is what most voters see in {100 * best['label_agrees']:.1f} % of "
        f"{best['images']:,} images. {best['setting']} ({seeds(best['seeds'])}) is right on "
        f"{label} and on {majority}. By the voters it is right on {few} of them agree, and on "
        f"{all_of_them} do."
    )


def errors(known: list[Evaluated], cast: pd.DataFrame) -> Table:
    """What most voters say of the images that each setting gets wrong by the label."""
    columns = {"setting": "text", "wrong": "count"} | dict.fromkeys(votes.VOTERS_SAY, "percent")
    caption = "Where a network is wrong by the label, most voters say"
    frame = votes.errors(known, cast, SCOPE)
    return table("voters-of-errors", caption, frame, columns | {"seeds": "count"})


def nobody(known: list[Evaluated], rows: pd.DataFrame, never: pd.DataFrame) -> list[Block]:
    """The images that every network gets wrong."""
    counts = votes.by_class(rows, never)
    columns = {name: "text" if name == "class" else "count" for name in counts}
    caption = f"These {len(never):,} images, by their row in fer2013.csv"
    each = "image label answer share:share majority sure:share"
    return [
        Text(nobody_words(known, len(rows), counts.drop(columns="class").sum())),
        table(
            "never-right-by-class", "Images that no network gets right, by label", counts, columns
        ),
        table("never-right", caption, never, each, True, NEVER_LABELS),
    ]


def nobody_words(known: list[Evaluated], images: int, sums: pd.Series) -> str:
    many = sum(len(one.answers.seeds) for one in known)
    networks = "the one network" if many == 1 else f"each of {many} networks"
    wrong = max(int(sums["never_right"]), 1)
    as_networks, as_label = (
        f"{sums[name]:,} ({100 * sums[name] / wrong:.0f} %)"
        for name in ("voters_say_as_networks", "voters_say_as_label")
    )
    return (
        f"{sums['never_right']:,} of {images:,} test images are answered wrongly, by the label, "
        f"by {networks}. Of these the voters call {as_networks} what most networks answer, "
        f"{as_label} what the label says, and {sums['voters_see_no_face']:,} no face."
    )


def voters(rows: pd.DataFrame) -> list[Block]:
    """What the voters see, by label; what isn't a face."""
    counts = votes.majorities(rows)
    faceless = rows[rows["majority"] == "not a face"]
    certain = int((faceless["sure"] == 1).sum())
    words = (
        f"{counted(len(faceless), 'test image')} most voters call no face, {certain:,} of them all "
        "voters"
    )
    if len(faceless):
        example = "for example " if len(faceless) > 12 else ""
        words += f": {example}rows {listed([str(n) for n in faceless['image'].head(12)])}"
    columns = {name: "text" if name == "label" else "count" for name in counts}
    caption = "What most voters see, by label"
    return [Text(f"{words}."), table("majorities", caption, counts, columns)]
