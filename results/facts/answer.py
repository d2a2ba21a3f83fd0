"""The answer first: each network's accuracy with its interval, and whether the first is ahead."""

import pandas as pd

from fer_stats.share import wilson
from fer_stats.verdicts import Comparison
from results.artefacts.load import Findings
from results.facts import evaluation, search, verdicts
from results.facts.evaluation import PRIMARY, Evaluated
from results.words import listed, ranged, seeds

COLUMNS = "study setting model scope mean low high seeds epochs images digest trained whole".split()


def accuracies(studies: list[Findings], settings: list[Evaluated]) -> pd.DataFrame:
    """A row per confirmed setting and scope (PRIMARY, test, the val it was chosen on), best on
    PRIMARY first; of a study that confirmed nothing its search's best of each network, on val.

    `trained` says for how many epochs, on what and with how many seeds; `whole`: on as much as any
    other on the same images.
    """
    frame = evaluation.confirmed(settings)
    by_name = {one.name: one for one in studies}
    chose = {s.name: evaluation.judged_on(by_name[s.answers.study], s) for s in settings}
    shown = frame["scope"].isin([PRIMARY, "test"]) | (frame["scope"] == frame["setting"].map(chose))
    frame = frame[frame["measure"].eq("accuracy") & shown]
    confirmed = set(frame["study"])
    rest = [searched(one) for one in studies if one.name not in confirmed]
    there = pd.concat([frame.drop_duplicates("setting"), *rest])["setting"]
    twice = set(there[there.duplicated()])
    for part in rest:  # a network that two studies have is two lines
        apart = part["setting"].astype(str) + " (" + part["study"] + ")"
        part["setting"] = part["setting"].where(~part["setting"].isin(twice), apart)
    parts = [part for part in [frame, *rest] if len(part)]
    if not parts:
        return pd.DataFrame(columns=COLUMNS)
    return pd.concat([told(part) for part in parts], ignore_index=True)[COLUMNS]


def searched(one: Findings) -> pd.DataFrame:
    """The accuracy of the best trial of each network of the search, whatever it was judged by, in
    the form of evaluation.confirmed."""
    best, images = search.best(search.searched(one)), search.val_images(one)
    train = one.study["data"].get("images", {}).get("train", 0)
    ends = [wilson(accuracy * images, images) for accuracy in best["val_accuracy"]]
    return pd.DataFrame(
        {
            "study": one.name,
            "setting": best["model"],
            "model": best["model"],
            "scope": "val",
            "mean": best["val_accuracy"],
            "low": [low for low, _ in ends],
            "high": [high for _, high in ends],
            "seeds": 1,
            "epochs": best["last_epoch"].astype(int),
            "images": images,
            "train_images": min(train, one.study["study"].get("train_images") or train),
            "digest": str(one.study["data"].get("digest")),
        }
    )


def told(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows of one kind with `trained` and `whole`, in the order of PRIMARY, else of val. The
    digest of all rows of a setting is that of the images on which it is ordered."""
    first = frame["scope"] == PRIMARY
    rest = ~frame["setting"].isin(frame.loc[first, "setting"])
    first |= rest & frame["scope"].str.startswith("val")
    of_setting = frame[first].set_index("setting")["digest"]
    frame = frame.assign(digest=frame["setting"].map(of_setting))
    parts = []
    for _, same in frame.groupby("digest", sort=False):
        ordered = evaluation.alike(same[first.loc[same.index]])
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
        told = [s for s in settings if s.answers.study == one.name]
        beside = verdicts.others(one)  # defaults and next bests aren't what leads a search
        own = [s for s in told if PRIMARY in s.scopes]
        own = [s for s in own if s.answers.setting not in beside] or own
        words = lead(own, found) or so_far(one, any("test" in s.scopes for s in told))
        each.append(f"{one.name}: {words}" if len(studies) > 1 else words)
    return each


def maximised(studies: list[Findings], settings: list[Evaluated]) -> list[str]:
    """What each reached on val by what its study was judged by, best first: a sentence for each
    study that was judged by something other than accuracy."""
    each = []
    for one in studies:
        own = [s for s in settings if s.answers.study == one.name]
        chose = [(s, evaluation.judged_on(one, s)) for s in own]
        worth = [(s.name, s.scopes[at][one.metric].mean) for s, at in chose if at in s.scopes]
        if not worth:
            best = search.best(search.searched(one))
            worth = [*zip(best["model"], best["judged"], strict=True)]
        if one.metric == "accuracy" or not worth:
            continue
        told = [f"{name} {100 * value:.1f} %" for name, value in sorted(worth, key=lambda w: -w[1])]
        whose = f"{one.name} was" if len(studies) > 1 else "The study was"
        each.append(f"{whose} judged by {one.judged}: {listed(told)}.")
    return each


def so_far(one: Findings, copies: bool) -> str:
    """The highest value so far, of a study that has nothing on PRIMARY, as `untested`."""
    found = highest(one)
    if found is None:
        return "No epoch has ended yet."
    return (
        f"{untested(copies)} The highest {one.judged} so far is "
        f"{100 * found[0]:.1f} % ({found[1]}), the best of many and so optimistic."
    )


def untested(copies: bool) -> str:
    """That nothing was evaluated on PRIMARY, in a sentence; `copies`: since test has only those."""
    if copies:
        return "Every test image is a copy of one in train or val: nothing can be compared."
    return "No confirmed model has been evaluated on test."


def highest(one: Findings) -> tuple[float, str] | None:
    """The highest value by which a study is judged, and whose: of those of its search's trials that
    came furthest, or without a search of all epochs. None where none has ended."""
    best = search.best(search.searched(one))
    if len(best):
        row = best.loc[best["judged"].idxmax()]
        return row["judged"], f"{row['model']}, {row['trial_id']}, epoch {row['last_epoch']:.0f}"
    judged = pd.to_numeric(one.epochs["judged"])
    if not judged.notna().any():
        return None
    row = one.epochs.loc[judged.idxmax()]
    return float(row["judged"]), f"{row['trial_id']}, epoch {row['epoch']:.0f}"


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
    hint = "" if compared.primary else " This pair was not fixed before: a hint, not a finding."
    return f"{compared.words}.{hint}{uneven(ordered[0], ordered[1])}"


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
