"""The report's section on label noise, where the voters' table is given."""

from typing import Any

import pandas as pd

from results import Mistake
from results.facts import statistics as st
from results.facts import votes
from results.facts.evaluation import Judged
from results.figures import charts
from results.report.blocks import Figure, Section, Text, table
from results.words import listed, ranged

SCOPE = "test"


def label_noise(settings: list[Judged], told: pd.DataFrame, resamples: int) -> Section:
    """Accuracy against label and voters, and what no network gets right; refuses other images."""
    known = [one for one in settings if votes.matched(one.answers, told)]
    known = [one for one in known if SCOPE in one.scopes]
    known = [one for one in known if one.answers.digest == known[0].answers.digest]
    if not known:
        raise Mistake(
            "the votes belong to no confirmed model here: expected predictions on the rows of "
            "fer2013.csv (images from a folder have other numbers): leave out --votes"
        )
    frame = votes.accuracies(known, told, SCOPE, resamples)
    rows, _ = votes.beside(known[0], told, SCOPE)
    never = votes.never_right(known, told, SCOPE)
    blocks: list[Any] = [accuracy(frame, rows), *nobody(known, rows, never), *voters(rows)]
    others = [one.name for one in settings if one not in known]
    if others:
        blocks.append(Text(f"Not on these images, so not here: {listed(others)}.", "quiet"))
    blocks.append(
        Text("Ten voters looked at each image (FER+, Barsoum et al. 2016). The majority is the "
             "answer with most votes, unknown and not a face among them; where two lead there is "
             "none. Accuracies here are on the images whose majority is one of the seven emotions, "
             f"of which {len(rows):,} test images have "
             f"{frame['images'].max():,}. Intervals draw images and seeds anew "
             f"({st.RESAMPLES:,} samples).", "quiet")
    )  # fmt: skip
    return Section("Label noise", blocks)


def accuracy(frame: pd.DataFrame, rows: pd.DataFrame) -> Figure:
    whole = frame[frame["voters"] == votes.ANY]
    sure = frame[frame["voters"] != votes.ANY]
    best = whole.loc[whole["majority"].idxmax()]
    ends = sure[sure["setting"] == best["setting"]]
    summary = (
        f"The label itself is what most voters see in {100 * best['label_agrees']:.1f} % of "
        f"{best['images']:,} images. {best['setting']} is right on {100 * best['label']:.1f} % by "
        f"the label ({ranged(best['label_low'], best['label_high'])}) and on "
        f"{100 * best['majority']:.1f} % by the voters "
        f"({ranged(best['majority_low'], best['majority_high'])}). By the voters it is right on "
        f"{100 * ends['majority'].iloc[0]:.1f} % where {ends['voters'].iloc[0]} of them agree, and "
        f"on {100 * ends['majority'].iloc[-1]:.1f} % where {ends['voters'].iloc[-1]} do."
    )
    shown = frame.assign(
        label_interval=[ranged(*p) for p in frame[["label_low", "label_high"]].to_numpy()],
        majority_interval=[ranged(*p) for p in frame[["majority_low", "majority_high"]].to_numpy()],
    )
    kinds = {"setting": "text", "voters": "text", "images": "count", "label": "percent",
             "label_interval": "text", "majority": "percent", "majority_interval": "text",
             "label_agrees": "percent", "seeds": "count"}  # fmt: skip
    labels = {"voters": "voters who agree", "label": "right by the label",
              "majority": "right by the voters", "label_interval": "95 %",
              "majority_interval": "95 % ", "label_agrees": "label is the majority's"}  # fmt: skip
    plots = [
        ("Right by the label", charts.sureness(sure, "label")),
        ("Right by the voters' majority", charts.sureness(sure, "majority")),
    ]
    behind = table("voters", "Against label and voters", shown, kinds, True, labels)
    return Figure("voters", "Accuracy by how sure the voters were", summary, plots, behind)


def nobody(known: list[Judged], rows: pd.DataFrame, never: pd.DataFrame) -> list[Any]:
    """The images that every network gets wrong."""
    many = sum(len(one.answers.seeds) for one in known)
    networks = "the one network" if many == 1 else f"each of {many} networks"
    counts = votes.by_class(rows, never)
    sums = counts.drop(columns="class").sum()
    parts = {
        name: f"{sums[name]:,} ({100 * sums[name] / max(int(sums['never_right']), 1):.0f} %)"
        for name in ("voters_say_as_networks", "voters_say_as_label")
    }
    words = (
        f"{sums['never_right']:,} of {len(rows):,} test images are answered wrongly, by the label, "
        f"by {networks}. Of these the voters call "
        f"{parts['voters_say_as_networks']} what most networks answer, "
        f"{parts['voters_say_as_label']} what the label says, and {sums['voters_see_no_face']:,} "
        "no face."
    )
    kinds = {"class": "text"} | {name: "count" for name in counts if name != "class"}
    each = {"image": "text", "label": "text", "answer": "text", "share": "share",
            "majority": "text", "sure": "share"}  # fmt: skip
    labels = {"answer": "most networks answer", "share": "share of the networks",
              "majority": "most voters say", "sure": "share of the voters"}  # fmt: skip
    return [
        Text(words),
        table("never-right-by-class", "Images that no network gets right, by label", counts, kinds),
        table("never-right", f"These {len(never):,} images, by their row in fer2013.csv", never,
              each, True, labels),
    ]  # fmt: skip


def voters(rows: pd.DataFrame) -> list[Any]:
    """What the voters see, by label; what isn't a face."""
    counts = votes.majorities(rows)
    faceless = rows[rows["majority"] == "not a face"]
    certain = int((faceless["sure"] == 1).sum())
    words = (
        f"Not a face, say most voters of {len(faceless):,} test images, and all of {certain:,}"
        + (f": rows {listed([str(n) for n in faceless['image'].head(12)])}"
           f"{' and more' if len(faceless) > 12 else ''}." if len(faceless) else ".")
    )  # fmt: skip
    kinds = {name: "text" if name == "label" else "count" for name in counts}
    return [Text(words), table("majorities", "What most voters see, by label", counts, kinds)]
