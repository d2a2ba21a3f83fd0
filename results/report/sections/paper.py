"""The report's sections on the paper's own numbers and on whether differences are real."""

from typing import Any

import pandas as pd

from results.facts import evaluation, paper
from results.facts.evaluation import Judged
from results.report.blocks import Section, Text, table
from results.words import listed, ranged, signed

PAIRS = {
    "first": "text", "second": "text", "difference": "points", "interval": "text",
    "only_first_right": "count", "only_second_right": "count", "mcnemar_p": "p",
    "mcnemar_holm": "p", "permutation_p": "p", "permutation_holm": "p",
    "permutation_least": "p", "smallest_by_images": "gap", "smallest_by_seeds": "gap",
}  # fmt: skip


def beside(frame: pd.DataFrame) -> Section:
    """All nine settings: claimed, printed matrix, ours."""
    shown = frame.assign(
        setting_in_words=[setting_words(row) for _, row in frame.iterrows()],
        interval=[ranged(*pair) for pair in frame[["low", "high"]].to_numpy(float)],
        ours=[epochs_words(row) for _, row in frame.iterrows()],
    )
    kinds = {"setting": "text", "setting_in_words": "text", "claimed": "percent", "figure": "text",
             "matrix": "percent", "ours": "text", "val+test": "percent", "interval": "text",
             "difference": "points", "within": "yes", "val": "percent", "test": "percent",
             "test, no duplicates": "percent"}  # fmt: skip
    labels = {"setting_in_words": "batch, lr, epochs", "matrix": "its printed matrix",
              "val+test": "ours, same images", "interval": "95 %", "within": "paper within?",
              "difference": "ours − matrix", "ours": "our seeds"}  # fmt: skip
    ran = int(frame["seeds"].notna().sum())
    if not ran:
        kinds = {name: kinds[name] for name in list(kinds)[: 6 if any(frame["under_way"]) else 5]}
    compared = frame[frame["within"].notna()]
    words = [
        f"{ran} of the paper's {len(frame)} settings {'was' if ran == 1 else 'were'} confirmed on "
        "real faces here."
    ]
    if len(compared):
        inside = [row["setting"] for _, row in compared.iterrows() if row["within"]]
        gaps = 100 * compared["difference"].astype(float)
        reach = signed(gaps.min(), 2)
        reach += f" to {signed(gaps.max(), 2)}" if len(gaps) > 1 else ""
        words.append(
            f"Ours less the paper's printed matrix on the same images: {reach} points; the paper's "
            f"figure lies in our interval for {len(inside)} of {len(compared)}"
            f"{f' ({listed(inside)})' if inside else ''}."
        )
    short = compared[compared["our_epochs"] < compared["epochs"].astype(float)]
    if len(short):
        words.append(f"Trained for fewer epochs than the paper: {', '.join(short['setting'])}.")
    return Section(
        "The paper's settings, theirs and ours",
        [
            Text(" ".join(words)),
            table("paper", "Nine settings", shown, kinds, labels=labels),
            Text("The same images: the 7,178 of val and test together, which are the test folder "
                 "that the paper judged on. 'within' says whether the printed matrix's accuracy "
                 "lies in our 95 % interval; the paper's own figure has one of about ±1.1 points "
                 "by the choice of images alone.", "quiet"),
        ],
    )  # fmt: skip


def setting_words(row: pd.Series) -> str:
    parts = [("{:.0f}", row["batch_size"]), ("{:g}", row["lr"]), ("{:.0f}", row["epochs"])]
    return ", ".join(form.format(value) if pd.notna(value) else "?" for form, value in parts)


def epochs_words(row: pd.Series) -> str:
    if pd.isna(row["seeds"]):
        return row["under_way"] or "–"
    fewer = pd.notna(row["epochs"]) and row["our_epochs"] != row["epochs"]
    of = f"\n{row['our_epochs']:.0f} epochs instead of {row['epochs']:.0f}" if fewer else ""
    return f"{row['seeds']:.0f}{of}"


def oddities(published: dict[str, Any]) -> Section:
    """What doesn't add up in the paper's printed numbers, with the arithmetic."""
    blocks: list[Any] = [
        Text("Found by arithmetic in the numbers that the paper prints. None of it needs a run of "
             "ours, and none of it says why.", "quiet")
    ]  # fmt: skip
    images = paper.image_counts(published)
    if len(images):
        many = images["images"].iloc[0]
        blocks.append(
            Text(f"The text speaks of {paper.TEXT_TEST_IMAGES:,} test images; the cells of "
                 f"{len(images)} printed matrices add up to {many:,}, which is "
                 f"{images['ratio'].iloc[0]:g} × {paper.TEXT_TEST_IMAGES:,}: val and test.")
        )  # fmt: skip
        kinds = {"figure": "text", "images": "count", "text": "count", "ratio": "number"}
        blocks.append(table("oddity-images", "Images counted", images, kinds, True))
    same = paper.same_matrices(published)
    for _, row in same.iterrows():
        blocks.append(
            Text(f"{row['first']} and {row['second']} are one matrix, equal in every cell, under "
                 f"two settings: {row['id_first']} (lr {row['lr_first']:g}, "
                 f"{row['epochs_first']:.0f} epochs, claimed "
                 f"{100 * row['claimed_accuracy_first']:.2f} %) and {row['id_second']} (lr "
                 f"{row['lr_second']:g}, {row['epochs_second']:.0f} epochs, claimed "
                 f"{100 * row['claimed_accuracy_second']:.2f} %).")
        )  # fmt: skip
    if len(same):
        kinds = {column: "text" for column in same}
        blocks.append(table("oddity-same", "Equal matrices", same, kinds, True))
    claims = paper.claims(published)
    apart = claims[~claims["agrees"]]
    if len(apart):
        row = apart.loc[apart["difference"].abs().idxmax()]
        blocks.append(
            Text(f"{len(apart)} of {len(claims)} claimed accuracies are not those of the matrix "
                 f"printed for them. The widest: {row['setting']} claims "
                 f"{100 * row['claimed']:.2f} %, its matrix gives {row['right']:,} / "
                 f"{row['images']:,} = {100 * row['matrix']:.2f} %, "
                 f"{signed(100 * row['difference'], 2)} points.")
        )  # fmt: skip
        kinds = {"setting": "text", "figure": "text", "right": "count", "images": "count",
                 "matrix": "percent", "claimed": "percent", "difference": "points",
                 "agrees": "yes"}  # fmt: skip
        blocks.append(table("oddity-claims", "Claimed and printed", claims, kinds))
    column = paper.printed_column(published)
    if len(column):
        usual, found = column[~column["fitted"]], column[column["equal"] == column["cells"]]
        words = (
            'The column printed as "Accuracy" beside the matrices is no usual measure of a class: '
            f"at most {usual['equal'].max()} of its {column['cells'].iloc[0]} cells agree with one."
        )
        if len(found) and found["fitted"].all():
            words += (
                " All of them are had by a rule fitted to them afterwards: (right + the block "
                "above-left + the block below-right of the class's own cell) / all, where for "
                "fear, happy, neutral and sad the wrong answers left of that cell count as well. "
                "That sum is no accuracy."
            )
        blocks.append(Text(words))
        kinds = {"measure": "text", "equal": "count", "cells": "count", "mean_distance": "gap",
                 "largest_distance": "gap"}  # fmt: skip
        blocks.append(table("oddity-column", "What the column could be", column, kinds))
    return Section("What doesn't add up in the paper", blocks)


def pairs(settings: list[Judged]) -> Section | None:
    """Differences between every two settings, tested, and what could have been seen."""
    frame = evaluation.pairs(settings)
    if frame.empty:
        return None
    shown = frame.assign(interval=[interval(row) for _, row in frame.iterrows()])
    many = len(frame)
    by_images = int((frame["mcnemar_holm"] < 0.05).sum())
    by_seeds = int((frame["permutation_holm"] < 0.05).sum())
    words = (
        f"{many} {'pair' if many == 1 else 'pairs'} of settings on the test images, corrected by "
        f"Holm for their number: {by_images} differ by McNemar's test on images, "
    )
    if frame["permutation_p"].isna().all():
        words += "and with one seed there is no test over seeds."
    else:
        words += f"{by_seeds} by a permutation of seeds."
    small = 100 * frame["smallest_by_images"]
    reach = f"{small.min():.1f}" + (f" to {small.max():.1f}" if many > 1 else "")
    words += (
        f" The smallest difference that so many images would show four times in five is {reach} "
        "points of accuracy, before Holm."
    )
    labels = {"interval": "95 %", "mcnemar_p": "McNemar p", "mcnemar_holm": "with Holm",
              "permutation_p": "seeds p", "permutation_holm": "seeds with Holm",
              "permutation_least": "least possible", "smallest_by_images": "visible, images",
              "smallest_by_seeds": "visible, seeds"}  # fmt: skip
    return Section(
        "Are the differences real?",
        [
            Text(words),
            table("pairs", "Every two settings on the test images, in points of accuracy", shown,
                  PAIRS, many > 12, labels),
            Text("McNemar's test (exact) compares what most seeds of each setting answer, image by "
                 "image, so it speaks of these networks, not of the architecture. The permutation "
                 "exchanges seeds and speaks of the settings; with few seeds it can't go below its "
                 "least possible p. The interval of the difference draws images and seeds anew. "
                 "Visible: the difference that a test at 5 % finds four times in five.", "quiet"),
        ],
    )  # fmt: skip


def interval(row: pd.Series) -> str:
    return f"{signed(100 * row['low'], 1)} to {signed(100 * row['high'], 1)}"
