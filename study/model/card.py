"""The model card beside an exported network: what it is, how good, and what it is not for.

After Mitchell et al. 2019, Model Cards for Model Reporting.
"""

from typing import Any

import numpy as np

from fer_data.catalogue import of_study
from fer_models import preset_file
from fer_stats.metric import of_val, without_copies
from fer_stats.share import wilson
from fer_stats.words import percent
from study.config.hyperparameters import present
from study.model import conformal
from study.model.confirmed import Confirmed, Run, answers

BINS = 15  # of the calibration error, as Guo et al. 2017 have them
NOT_FOR = """\
- **Not at work or at school.** The European Union forbids AI systems that infer emotions of
  people there, but for medical or safety reasons (Regulation (EU) 2024/1689, Article 5(1)(f)).
- **Not for decisions about a person**: hiring, credit, policing, border control, diagnosis,
  advertising that aims at a mood. A face doesn't tell what someone feels (Barrett et al. 2019):
  the classes are what others called an expression.
- **Not on people who haven't agreed to it.**"""
FER = """\
FER-2013's photographs were found on the web by emotion words and belong to their owners:
research only, not to be redistributed, and so is, by the same care, what was trained on them.
Many of its labels are wrong (FER+ has ten votes for each image to compare with), its classes
are uneven (disgust is one image in 65), and nobody knows whose faces it has: age, skin and sex
of the people were never balanced or recorded, so what the network gets wrong for whom can't be
said, and a bias has to be expected."""
DRAWN = """\
**It was trained on drawn faces.** Its figures say nothing of photographs: it is for trying the
programs out."""
OTHER = """\
Who is in these images, how they were labelled and under which licence they may be used, the
study doesn't know: see to it before passing the model on."""
PUBLISHED = """\
It is {title}. Licence: {licence}. What was trained on it is to be treated by the same terms.
Who is in these images and how they were labelled is for its authors to say
({get})."""


def card(run: Run, one: Confirmed, files: list[str], measured: list[str]) -> str:
    """Markdown: data, settings, accuracy with intervals, calibration, failures, limits."""
    whole, whole_labels = answers(run, [one], "test")
    shares, labels = answers(run, [one], "test", unseen=True)
    classes, data = run.classes, run.header["data"]
    sets = conformal.calibrated(*answers(run, [one], "val", unseen=True))
    share, size = conformal.coverage(sets, shares, labels)
    low, high = wilson(share * len(labels), len(labels))
    without = with_them = ""
    if copies := len(whole_labels) - len(labels):
        without = f", without {copies:,} that are copies of images of train or val"
        with_them = f" With them {percent((whole.argmax(1) == whole_labels).mean())} are right."
    return "\n".join(
        [
            f"# {one.name}: {one.hp.model} that reads facial expressions",
            "",
            f"From the study `{run.header['study']['name']}`, begun "
            f"{run.header['started_at'][:10]}. "
            f"Files: {', '.join(f'`{name}`' for name in files)}.",
            "",
            f"Takes faces, cropped as those of its data set{wider(run)}, as uint8 (B, H, W, 3): "
            "red, green, blue; grey ones three times. Grey, resize and scaling are inside. Gives "
            f"probabilities, float32 (B, {len(classes)}), in this order: {', '.join(classes)}.",
            "",
            *(f"- {line}" for line in measured),
            "",
            "## Must not be used for",
            "",
            NOT_FOR,
            "",
            "## Data and licence",
            "",
            f"{data['name']}, content digest {data['digest']}: "
            + ", ".join(f"{many:,} {name}" for name, many in data["images"].items())
            + f". {data.get('test_duplicates', 0):,} test images are in train or val too.",
            "",
            about_data(data, run.study.data),
            "",
            "The code that made it is under the Apache License 2.0.",
            "",
            "## Accuracy on test",
            "",
            f"{len(labels):,} images that no choice was made on{without}; 95 % intervals by "
            f"Wilson, for the choice of images, with this one seed.{with_them}",
            "",
            "| class | images | right | 95 % |",
            "|---|--:|--:|---|",
            *accuracy(shares, labels, classes),
            "",
            "## Calibration",
            "",
            f"Expected calibration error on test, {BINS} bins: "
            f"{100 * calibration_error(shares, labels):.1f} percentage points. "
            "A set of classes that is to hold the right one with 90 % (conformal, calibrated on "
            f"val) held it for {percent(share)} of test (95 %: {percent(low)} to {percent(high)}), "
            f"with {size:.1f} classes on average. Both without copies.",
            "",
            "## Known failures",
            "",
            *failures(shares, labels, classes),
            "",
            "## Settings and seed",
            "",
            f"- seed: {one.hp.seed}",
            *(f"- {name}: {value}" for name, value in preset_file.acting(present(one.hp)).items()),
            f"- accuracy: {on_val(run, one)}",
            f"- made with: {versions(run.header)}",
            "",
        ]
    )


def on_val(run: Run, one: Confirmed) -> str:
    """Its accuracy on val, and on which images of it."""
    where = of_val(without_copies(run.study.val_copies, run.header["data"]))
    return f"{percent(one.val_accuracy)} on {where} ({one.val_images:,} images)"


def wider(run: Run) -> str:
    """By how much its faces are wider than their boxes, for a sentence."""
    return f", {100 * run.study.crop:g} % of a box's side wider on each side" * (run.study.crop > 0)


def about_data(data: dict[str, Any], asked: str = "") -> str:
    """What is known of the images that study.json has as `data`; `asked` is the study's --data."""
    if data.get("synthetic"):
        return DRAWN
    source, name = of_study(data, asked), str(data["name"]).lower()
    if source and source.kind not in ("fer2013", "ferplus"):
        return PUBLISHED.format(title=source.title, licence=source.licence, get=source.get)
    if source and source.kind == "ferplus":
        return f"It is FER+. Licence: {source.licence}.\n\n{FER}"
    return FER if source or ("fer" in name and "2013" in name) else OTHER


def accuracy(shares: np.ndarray, labels: np.ndarray, classes: list[str]) -> list[str]:
    """Table rows: each class, then all."""
    right = shares.argmax(1) == labels
    rows = []
    for name, own in [*((c, labels == k) for k, c in enumerate(classes)), ("all", labels >= 0)]:
        if own.any():
            low, high = wilson(right[own].sum(), own.sum())
            part = f"{percent(low)} to {percent(high)}"
            rows.append(f"| {name} | {own.sum():,} | {percent(right[own].mean())} | {part} |")
    return rows


def calibration_error(shares: np.ndarray, labels: np.ndarray) -> float:
    """Mean distance between confidence and accuracy, over bins of equal width (Guo et al. 2017)."""
    sure, right = shares.max(1), shares.argmax(1) == labels
    bins = np.minimum((sure * BINS).astype(int), BINS - 1)
    parts = [bins == number for number in range(BINS)]
    gaps = [own.sum() * abs(right[own].mean() - sure[own].mean()) for own in parts if own.any()]
    return float(sum(gaps) / len(labels))


def failures(shares: np.ndarray, labels: np.ndarray, classes: list[str]) -> list[str]:
    """The most frequent confusions, as shares of the class that is confused, and what is never
    answered."""
    guess = shares.argmax(1)
    pairs = []
    for k, name in enumerate(classes):
        for other, answer in enumerate(classes):
            own = labels == k
            if k != other and own.any():
                pairs.append((float((guess[own] == other).mean()), name, answer))
    found = [
        f"- {name} is answered as {answer}: {percent(share)} of its images"
        for share, name, answer in sorted(pairs, reverse=True)[:5]
        if share
    ]
    never = [name for k, name in enumerate(classes) if not (guess == k).any()]
    return found + [f"- never answered on test: {', '.join(never)}"] * bool(never)


def versions(header: dict[str, Any]) -> str:
    found = header.get("versions") or {}
    return ", ".join(f"{name} {value}" for name, value in found.items()) or "versions not kept"
