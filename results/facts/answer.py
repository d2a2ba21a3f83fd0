"""The answer first: each network's accuracy with its interval, and whether the first is ahead."""

import pandas as pd

from fer_stats.verdicts import Comparison
from results.artefacts.load import Findings
from results.facts import evaluation, progress
from results.facts.evaluation import PRIMARY, Evaluated
from results.words import listed, ranged, seeds

COLUMNS = "study setting model scope mean low high seeds epochs images digest trained whole".split()


def accuracies(studies: list[Findings], settings: list[Evaluated]) -> pd.DataFrame:
    """A row per confirmed setting and scope (PRIMARY, test, val), best on PRIMARY first; of a study
    that confirmed nothing its search's best trial of each network, on val.

    `trained` says for how many epochs, on what and with how many seeds; `whole`: on as much as any
    other on the same images.
    """
    frame = evaluation.confirmed(settings)
    frame = frame[frame["measure"].eq("accuracy") & frame["scope"].isin([PRIMARY, "test", "val"])]
    confirmed = set(frame["study"])
    rest = [searched(one) for one in studies if one.name not in confirmed]
    parts = [part for part in [frame, *rest] if len(part)]
    if not parts:
        return pd.DataFrame(columns=COLUMNS)
    return pd.concat([told(part) for part in parts], ignore_index=True)[COLUMNS]


def searched(one: Findings) -> pd.DataFrame:
    """The best trial of each network of the search, in the form of evaluation.confirmed."""
    best = progress.best(one, [])
    images = one.study["data"].get("images", {}).get("train", 0)
    return best.assign(
        study=one.name,
        setting=best["model"],
        scope=best["split"],
        mean=best["accuracy"],
        epochs=best["epoch"].fillna(0).astype(int),
        train_images=min(images, one.study["study"].get("train_images") or images),
        digest=str(one.study["data"].get("digest")),
    )


def told(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows of one kind with `trained` and `whole`, in the order of PRIMARY, else of val."""
    scope = PRIMARY if PRIMARY in set(frame["scope"]) else "val"
    parts = []
    for _, same in frame.groupby("digest", sort=False):
        ordered = evaluation.alike(same[same["scope"] == scope])
        place = {name: number for number, name in enumerate(ordered["setting"])}
        short = ordered.set_index("setting")[["trained", "whole"]]
        rows = same[same["setting"].isin(place)].join(short, on="setting")
        plain = rows["epochs"].astype(str) + " epochs"
        rows["trained"] = rows["trained"].where(rows["trained"] != "", plain)
        rows["trained"] += ", " + rows["seeds"].map(seeds)
        parts.append(rows.sort_values("setting", key=lambda names: names.map(place), kind="stable"))
    return pd.concat(parts)


def sentences(
    studies: list[Findings], settings: list[Evaluated], found: list[Comparison]
) -> list[str]:
    """What is ahead, by how much and how sure: a sentence for each study, or what there is.

    `found` is verdicts.of the settings.
    """
    each = []
    for one in studies:
        own = [each for each in settings if each.answers.study == one.name]
        words = lead([each for each in own if PRIMARY in each.scopes], found) or so_far(one)
        each.append(f"{one.name}: {words}" if len(studies) > 1 else words)
    return each


def so_far(one: Findings) -> str:
    """The search's best, of a study that confirmed nothing."""
    best = progress.best(one, [])
    if best.empty:
        return "No epoch has ended yet."
    row = best.loc[best["accuracy"].idxmax()]
    return (
        f"No confirmed model has been evaluated on test. The highest {one.judged} so far is "
        f"{100 * row['accuracy']:.1f} % ({row['model']}, {row['of']}, epoch {row['epoch']:.0f}), "
        "the best of many and so optimistic."
    )


def lead(settings: list[Evaluated], found: list[Comparison]) -> str:
    """The first on PRIMARY against the second, by the rule of all comparisons; of one its
    accuracy."""
    if not settings:
        return ""
    ordered = sorted(settings, key=lambda one: -one.scopes[PRIMARY]["accuracy"].mean)
    first, names = ordered[0], {one.name for one in ordered[:2]}
    if len(ordered) == 1:
        accuracy = first.scopes[PRIMARY]["accuracy"]
        low, high = accuracy.interval
        many = seeds(len(accuracy.by_seed))
        reach = "" if pd.isna(low) else f"{ranged(low, high)}, "
        where = f"{first.name} has {100 * accuracy.mean:.1f} % ({reach}{many}) on test"
        return f"{where} without duplicates."
    compared = next((one for one in found if {one.first, one.second} == names), None)
    if compared is None:
        return f"{listed([one.name for one in ordered[:2]])} answered other test images."
    return f"{compared.words}.{uneven(ordered[0], ordered[1])}"


def uneven(one: Evaluated, other: Evaluated) -> str:
    """That two settings were not trained alike, in a sentence."""
    apart = [
        f"{first:,} and {second:,} {what}"
        for first, second, what in (
            (one.answers.epochs, other.answers.epochs, "epochs"),
            (one.answers.train_images, other.answers.train_images, "train images"),
        )
        if first != second
    ]
    return f" It isn't an even comparison: {listed(apart)}." if apart else ""
