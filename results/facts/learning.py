"""Which networks have learned nothing: no better than always answering the most frequent class.

Whatever else is said of such a network (its matrix, calibration, tests against others) is said of a
constant answer, so every page that says it says this too.
"""

import numpy as np
import pandas as pd

from fer_stats.measures import learned
from fer_stats.metric import constant
from fer_stats.share import wilson
from results.artefacts.load import Answers, Findings
from results.facts import search
from results.words import listed, ranged, seeds

ONE = 0.95  # share of its answers from which on a network answers one class
COLUMNS = (
    "study setting model seed seeds split images accuracy low high majority majority_share "
    "answer answer_share"
).split()


def unlearned(settings: list[Answers]) -> pd.DataFrame:
    """A row per setting and seed whose 95 % interval (Wilson) doesn't lie above the share of the
    most frequent class: on test, or on val where test wasn't opened. Shares are fractions. Where a
    study chose by another metric than accuracy, that isn't above a constant answer's either.

    A network that diverged gave no answers and isn't among them. `seeds` counts its setting's.
    """
    rows = []
    for one in settings:
        split = "test" if (one.split == "test").any() else "val"
        inside = one.split == split
        label, size = one.label[inside], len(one.classes)
        truth = np.bincount(label, minlength=size)
        for seed, guess in zip(one.seeds, one.guess[:, inside], strict=True):
            if (guess < 0).any():
                continue
            if learned(one.metric, label, guess, size):
                continue
            hits, said = int((guess == label).sum()), np.bincount(guess, minlength=size)
            low, high = wilson(hits, len(label))
            rows.append(
                {
                    "study": one.study,
                    "setting": one.setting,
                    "model": one.model,
                    "seed": seed,
                    "seeds": len(one.seeds),
                    "split": split,
                    "images": len(label),
                    "accuracy": hits / len(label),
                    "low": low,
                    "high": high,
                    "majority": one.classes[truth.argmax()],
                    "majority_share": truth.max() / len(label),
                    "answer": one.classes[said.argmax()],
                    "answer_share": said.max() / len(label),
                }
            )
    return pd.DataFrame(rows, columns=COLUMNS)


def sentences(frame: pd.DataFrame) -> list[str]:
    """One for each setting of `unlearned`."""
    found = []
    for setting, part in frame.groupby("setting", sort=False):
        row = part.loc[part["accuracy"].idxmin()]
        many = int(row["seeds"])
        who = str(setting) if many == 1 else f"{setting} ({len(part)} of {seeds(many)})"
        constant = f"always answering {row['majority']} gives {100 * row['majority_share']:.1f} %"
        if (part["answer_share"] >= ONE).all():
            found.append(
                f"{who} has not learned: it answers one class ({row['answer']}, "
                f"{100 * row['answer_share']:.0f} % of its answers), {100 * row['accuracy']:.1f} % "
                f"right on {row['split']}, and {constant}."
            )
        else:
            found.append(
                f"{who} has not learned, as far as {row['images']:,} images of {row['split']} "
                f"tell: {100 * row['accuracy']:.1f} % right ({ranged(row['low'], row['high'])}), "
                f"and {constant}; {100 * row['answer_share']:.0f} % of its answers are "
                f"{row['answer']}."
            )
    return found


def caution(settings: list[Answers], what: str) -> str:
    """A sentence for where `what` ("its calibration is that") is told of networks some of which
    have learned nothing; or ""."""
    names = list(dict.fromkeys(unlearned(settings)["setting"]))
    if not names:
        return ""
    return (
        f"{listed(names)} {'has' if len(names) == 1 else 'have'} not learned: {what} "
        "of a constant answer, and says nothing of the network."
    )


def searched(findings: Findings) -> list[str]:
    """A sentence for each network whose best trial of the search isn't above the most frequent
    class of val; nothing where the study didn't keep the counts of its classes."""
    counts = (findings.study["data"].get("counts") or {}).get("val") or {}
    images = search.val_images(findings)
    if not counts or not images:
        return []
    majority = max(counts, key=counts.__getitem__)
    share = counts[majority] / sum(counts.values())
    found = []
    for _, row in search.best(search.searched(findings)).iterrows():
        metric, least = findings.metric, constant(findings.metric, [*counts.values()])
        if metric != "accuracy" and row["judged"] > least:
            continue  # balanced answers may have less accuracy than the most frequent class
        low, high = wilson(row["val_accuracy"] * images, images)
        if abs(row["val_accuracy"] - share) < 1 / images:
            found.append(
                f"No trial of {row['model']} has learned: the best, {row['trial_id']}, has the "
                f"{100 * row['val_accuracy']:.1f} % on val that always answering {majority} gives."
            )
        elif low <= share:
            found.append(
                f"No trial of {row['model']} has learned, as far as {images:,} images of val tell: "
                f"the best, {row['trial_id']}, has {100 * row['val_accuracy']:.1f} % "
                f"({ranged(low, high)}), and always answering {majority} gives {100 * share:.1f} %."
            )
    return found
