"""The report's sections on the paper's own numbers: its settings beside ours, its oddities."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from fer_stats.verdicts import Comparison
from results.facts import paper
from results.facts.evaluation import PRIMARY
from results.report.blocks import Block, Section, Text, kinds, table
from results.words import DASH, listed, ranges, signed

PRINTED_COLUMNS = "setting setting_in_words claimed:percent figure matrix:percent"
OUR_COLUMNS = kinds(
    "ours val+test:percent interval difference:points within:yes val:percent test:percent"
) | {PRIMARY: "percent", "clean": "count"}
LABELS = {
    "setting_in_words": "batch, lr, epochs",
    "matrix": "its printed matrix",
    "val+test": "ours, same images",
    "interval": "95 %",
    "within": "paper within?",
    "difference": "ours − matrix",
    "ours": "our seeds",
    "clean": "its images",
}
HOW = (
    "The same images: the 7,178 of val and test together, which are the test folder that the paper "
    "judged on. 'within' says whether the printed matrix's accuracy lies where one more network of "
    "ours would fall on these images (95 % prediction interval over seeds); the paper ran each "
    "setting once. With one seed of ours nothing is said. AlexNet at 32 px beside ResNets at 48 "
    "compares resolution and compute along with the networks (preset fair has them alike)."
)
ODDITIES = (
    "Found by arithmetic in the numbers that the paper prints. None of it needs a run of ours, and "
    "none of it says why."
)
FITTED = (
    " All of them are had by a rule fitted to them afterwards: (right + the block above-left + the "
    "block below-right of the class's own cell) / all, where for fear, happy, neutral and sad the "
    "wrong answers left of that cell count as well. That sum is no accuracy."
)


def beside(
    frame: pd.DataFrame, others: dict[str, str], across: Sequence[Comparison] = ()
) -> Section:
    """All nine settings (paper.settings_table): claimed, printed matrix, ours; why `others`,
    studies or settings of a study, aren't compared; and the verdicts `across` studies
    (paper.across)."""
    shown = frame.assign(
        setting_in_words=[setting_words(row) for _, row in frame.iterrows()],
        interval=ranges(frame, "low", "high"),
        ours=[epochs_words(row) for _, row in frame.iterrows()],
    )
    ran = int(frame["seeds"].notna().sum())
    ours = {"ours": "text"} if frame["came"].notna().any() else {}
    columns = kinds(PRINTED_COLUMNS) | (OUR_COLUMNS if ran else ours)
    labels, sizes = LABELS, frame["clean"].dropna().unique()
    if len(sizes) == 1:  # then no column needs to say it
        labels = LABELS | {PRIMARY: f"test, no duplicates ({sizes[0]:,.0f} images)"}
        columns.pop("clean", None)
    return Section(
        "The paper's settings, theirs and ours",
        [
            Text(beside_words(frame, ran, others)),
            table("paper", "Nine settings", shown, columns, labels=labels),
            *map(Text, paper.told_across(across)),
            *([Text(HOW, "quiet")] if ran else []),
        ],
    )


def beside_words(frame: pd.DataFrame, ran: int, others: dict[str, str]) -> str:
    """How many settings were run, and how far ours lie from the printed matrices."""
    compared = frame[frame["difference"].notna()]
    judged = compared[compared["within"].notna()]
    words = (
        f"{ran} of the paper's {len(frame)} settings {'was' if ran == 1 else 'were'} confirmed "
        "here on the images that it was judged on."
    )
    words += "".join(f" {name} isn't compared: {why}." for name, why in others.items())
    if len(compared):
        inside = [row["setting"] for _, row in judged.iterrows() if row["within"]]
        gaps = 100 * compared["difference"].astype(float)
        reach = signed(gaps.min(), 2)
        reach += f" to {signed(gaps.max(), 2)}" if len(gaps) > 1 else ""
        words += f" Ours less the paper's printed matrix on the same images: {reach} points; "
        words += (
            f"the paper's figure lies where one more seed of ours would for {len(inside)} of "
            f"{len(judged)}{f' ({listed(inside)})' if inside else ''}."
            if len(judged)
            else "with one seed of ours it can't be said whether the paper's is another seed's."
        )
    short = compared[compared["our_epochs"] < compared["epochs"].astype(float)]
    if len(short):
        words += f" Trained for fewer epochs than the paper: {', '.join(short['setting'])}."
    return f"{words} {paper.taken(frame)}".strip()


def setting_words(row: pd.Series) -> str:
    parts = [("{:.0f}", row["batch_size"]), ("{:g}", row["lr"]), ("{:.0f}", row["epochs"])]
    return ", ".join(form.format(value) if pd.notna(value) else "?" for form, value in parts)


def epochs_words(row: pd.Series) -> str:
    if pd.isna(row["seeds"]):
        begun = pd.notna(row["came"])
        return f"{row['came']:.0f} of {row['wanted']:.0f} epochs" if begun else DASH
    fewer = pd.notna(row["epochs"]) and row["our_epochs"] != row["epochs"]
    of = f"\n{row['our_epochs']:.0f} epochs instead of {row['epochs']:.0f}" if fewer else ""
    return f"{row['seeds']:.0f}{of}"


def oddities(published: dict[str, Any]) -> Section:
    """What doesn't add up in the paper's printed numbers, with the arithmetic."""
    blocks: list[Block] = [
        Text(ODDITIES, "quiet"),
        *images_counted(paper.image_counts(published)),
        *equal_matrices(paper.same_matrices(published)),
        *claims(paper.claims(published)),
        *column(paper.printed_column(published)),
    ]
    return Section("What doesn't add up in the paper", blocks)


def images_counted(frame: pd.DataFrame) -> list[Block]:
    if frame.empty:
        return []
    words = (
        f"The text speaks of {paper.TEXT_TEST_IMAGES:,} test images; the cells of {len(frame)} "
        f"printed matrices add up to {frame['images'].iloc[0]:,}, which is "
        f"{frame['ratio'].iloc[0]:g} × {paper.TEXT_TEST_IMAGES:,}: val and test."
    )
    columns = "figure images:count text:count ratio:number"
    return [Text(words), table("oddity-images", "Images counted", frame, columns, True)]


def equal_matrices(frame: pd.DataFrame) -> list[Block]:
    if frame.empty:
        return []
    texts = [
        Text(
            f"{row['first']} and {row['second']} are one matrix, equal in every cell, under two "
            f"settings: {setting_of(row, 'first')} and {setting_of(row, 'second')}."
        )
        for _, row in frame.iterrows()
    ]
    columns = {column: "text" for column in frame}
    return [*texts, table("oddity-same", "Equal matrices", frame, columns, True)]


def setting_of(row: pd.Series, side: str) -> str:
    """B-alexnet (lr 0.05, 300 epochs, claimed 58.36 %)"""
    return (
        f"{row[f'id_{side}']} (lr {row[f'lr_{side}']:g}, {row[f'epochs_{side}']:.0f} epochs, "
        f"claimed {100 * row[f'claimed_accuracy_{side}']:.2f} %)"
    )


def claims(frame: pd.DataFrame) -> list[Block]:
    apart = frame[~frame["agrees"]]
    if apart.empty:
        return []
    row = apart.loc[apart["difference"].abs().idxmax()]
    words = (
        f"{len(apart)} of {len(frame)} claimed accuracies are not those of the matrix printed for "
        f"them. The widest: {row['setting']} claims {100 * row['claimed']:.2f} %, its matrix gives "
        f"{row['right']:,} / {row['images']:,} = {100 * row['matrix']:.2f} %, "
        f"{signed(100 * row['difference'], 2)} points."
    )
    columns = (
        "setting figure right:count images:count matrix:percent claimed:percent difference:points "
        "agrees:yes"
    )
    return [Text(words), table("oddity-claims", "Claimed and printed", frame, columns)]


def column(frame: pd.DataFrame) -> list[Block]:
    """What the column printed as accuracy beside the matrices could be."""
    if frame.empty:
        return []
    usual, found = frame[~frame["fitted"]], frame[frame["equal"] == frame["cells"]]
    words = (
        'The column printed as "Accuracy" beside the matrices is no usual measure of a class: '
        f"at most {usual['equal'].max()} of its {frame['cells'].iloc[0]} cells agree with one."
    )
    if len(found) and found["fitted"].all():
        words += FITTED
    columns = "measure equal:count cells:count mean_distance:gap largest_distance:gap"
    return [Text(words), table("oddity-column", "What the column could be", frame, columns)]
