"""What was found by the confirmed models: frames that the report prints and the figures draw.

Accuracies are fractions. `settings` are Answers, one per confirmed setting, of one or more studies.
"""

import hashlib
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd

from fer_stats import metric
from fer_stats.share import wilson
from results.artefacts.load import Answers, Findings
from results.facts import drivers
from results.facts import statistics as st

FEW = 20  # images of a bin below which its accuracy says nothing
PRIMARY = "test, no duplicates"  # what is told first, and on which comparisons stand
CLEAN_VAL = "val, no duplicates"
SCOPES = (PRIMARY, "test", CLEAN_VAL, "val", "val+test")


@dataclass(frozen=True)
class Evaluated:
    """A setting's Answers with its measures on each scope: scope -> measure -> Measured."""

    name: str  # the setting, with its study where two studies have one of that name
    answers: Answers
    scopes: dict[str, dict[str, st.Measured]]


def chosen(answers: Answers, scope: str) -> np.ndarray:
    """(N,) which images are in the scope. Without duplicates is without exact and near copies of
    images trained on (test: or validated on), as far as the study marked them."""
    if scope == "val+test":
        return np.ones(len(answers.label), bool)
    split, _, without = scope.partition(", ")
    part = answers.split == split
    if without:
        part = part & ~answers.duplicate
    return part & ~answers.near if without and answers.near is not None else part


def digest(answers: Answers, scope: str) -> str:
    """The same for those who answered the same images of a scope: of one data set a study that
    looked for near copies has fewer without duplicates than one that didn't."""
    images = answers.image[chosen(answers, scope)].astype("<i8").tobytes()
    return hashlib.sha256(answers.digest.encode() + images).hexdigest()[:16]


def without_copies(header: dict) -> bool:
    """Whether a study's epochs were judged on val without copies of training images."""
    return metric.without_copies(header["study"].get("val_copies"), header["data"])


def judged_on(study: Findings, one: "Evaluated") -> str:
    """The scope of val on which the study made its choices."""
    return CLEAN_VAL if without_copies(study.study) and CLEAN_VAL in one.scopes else "val"


def evaluated(settings: list[Answers]) -> list[Evaluated]:
    """Each setting with its measures on each scope."""
    several = pd.Series([answers.setting for answers in settings]).duplicated(keep=False)
    found: list[Evaluated] = []
    for answers, twice in zip(settings, several, strict=True):
        scopes = {}
        for scope in SCOPES:
            inside = chosen(answers, scope)
            if inside.any() and not (scope == CLEAN_VAL and unmarked(answers)):
                scopes[scope] = st.measured(
                    answers.label[inside],
                    answers.guess[:, inside],
                    len(answers.classes),
                    copies(answers, inside),
                )
        name = f"{answers.setting} ({answers.study})" if twice else answers.setting
        found.append(Evaluated(name, answers, scopes))
    return found


def unmarked(answers: Answers) -> bool:
    """Whether nobody looked for copies in val: older studies marked those of test alone."""
    return answers.near is None and not answers.duplicate[answers.split == "val"].any()


def copies(answers: Answers, inside: np.ndarray) -> np.ndarray | None:
    """(n,) a number for each group of identical images; None where no digests were kept."""
    pixels = answers.pixels[inside]
    if (pixels == "").all():
        return None
    alone = np.array([f"image {place}" for place in range(len(pixels))])
    return np.unique(np.where(pixels == "", alone, pixels), return_inverse=True)[1]


def confirmed(settings: list[Evaluated]) -> pd.DataFrame:
    """A row per setting, scope and measure: mean over seeds, 95 % interval, sd over seeds, and the
    `digest` of the images."""
    rows = []
    for one in settings:
        for scope, found in one.scopes.items():
            for measure, value in found.items():
                low, high = value.interval
                many = len(value.by_seed)
                rows.append(
                    {
                        "study": one.answers.study,
                        "setting": one.name,
                        "model": one.answers.model,
                        "scope": scope,
                        "measure": measure,
                        "seeds": many,
                        "epochs": one.answers.epochs,
                        "train_images": one.answers.train_images,
                        "digest": digest(one.answers, scope),
                        "images": int(chosen(one.answers, scope).sum()),
                        "mean": value.mean,
                        "low": low,
                        "high": high,
                        "sd": value.by_seed.std(ddof=1) if many > 1 else np.nan,
                    }
                )
    columns = (
        "study setting model scope measure seeds epochs train_images digest images mean low high sd"
    ).split()
    return pd.DataFrame(rows, columns=columns)


def alike(frame: pd.DataFrame, asked: dict[str, float] | None = None) -> pd.DataFrame:
    """`confirmed`'s rows for one picture, best first, with `trained`, what sets their training
    apart (epochs, images) or "", and `whole`: trained as long as asked for, on as much as any.

    `asked`: setting -> epochs that it should have had, NaN where nobody says; of others as many as
    the longest had.
    """
    asked, longest = asked or {}, frame["epochs"].max()
    wanted = frame["setting"].map(asked)
    short = frame["epochs"] < wanted.where(frame["setting"].isin(asked), longest)
    part = frame["train_images"] < frame["train_images"].max()
    tell_epochs = bool(short.any()) or frame["epochs"].nunique() > 1
    words = []
    for (_, row), of in zip(frame.iterrows(), wanted, strict=True):
        of_all = f" of {of:.0f}" if row["epochs"] < of else ""
        told = f"{row['epochs']}{of_all} epochs"
        images = f"{row['train_images']:,} images" if part.any() else ""
        words.append(", ".join([told] * tell_epochs + [images] * bool(images)))
    ordered = frame.assign(trained=words, whole=~(short | part))
    return ordered.sort_values("mean", ascending=False, kind="stable")


def by_seed(settings: list[Evaluated]) -> pd.DataFrame:
    """Accuracy of every single network, a row per setting, seed and scope."""
    rows = [
        {
            "setting": one.name,
            "model": one.answers.model,
            "seed": seed,
            "scope": scope,
            "accuracy": value,
        }
        for one in settings
        for scope, found in one.scopes.items()
        for seed, value in zip(one.answers.seeds, found["accuracy"].by_seed, strict=True)
    ]
    return pd.DataFrame(rows, columns=["setting", "model", "seed", "scope", "accuracy"])


def pairs(settings: list[Evaluated], scope: str = PRIMARY) -> pd.DataFrame:
    """Every two settings on the same images: the two tests that speak of less than the settings.

    McNemar compares the votes of each setting's seeds: these models, on images like these. The
    permutation exchanges the seeds: new seeds, on just these images; `permutation_least` is the
    smallest p that it can give after Holm. Holm corrects each within a `family`: a study's own
    pairs, or those of two studies, so that what is shown beside a study changes none of its p. What
    may be concluded of the settings is `verdicts.of`'s to say.
    """
    rows = []
    for a, b in combinations([one for one in settings if scope in one.scopes], 2):
        first, second = a.answers, b.answers
        inside, there = chosen(first, scope), chosen(second, scope)
        if digest(first, scope) != digest(second, scope):
            continue
        one, two = a.scopes[scope]["accuracy"].by_seed, b.scopes[scope]["accuracy"].by_seed
        right = st.votes(first.probability[:, inside]) == first.label[inside]
        other = st.votes(second.probability[:, there]) == second.label[there]
        only_first, only_second, p = st.mcnemar(right, other)
        rows.append(
            {
                "first": a.name,
                "second": b.name,
                "family": first.study if first.study == second.study else "",
                "difference": one.mean() - two.mean(),
                "only_first_right": only_first,
                "only_second_right": only_second,
                "mcnemar_p": p,
                "permutation_p": st.permutation(one, two),
                "permutation_least": st.least_permutation(len(one), len(two)),
            }
        )
    columns = (
        "first second family difference only_first_right only_second_right mcnemar_p "
        "permutation_p permutation_least"
    )
    frame = pd.DataFrame(rows, columns=columns.split())
    families = frame.groupby("family", sort=False)
    for name in ("mcnemar", "permutation"):
        each = families[f"{name}_p"]
        frame[f"{name}_holm"] = each.transform(lambda p: st.holm(p.to_numpy(float)))
    tested = families["permutation_p"].transform("count")  # an absent p is no member
    return frame.assign(permutation_least=(frame["permutation_least"] * tested).clip(upper=1.0))


def matrix(answers: Answers, scope: str, classes: list[str]) -> np.ndarray:
    """(K, K) counts in the order of `classes`, truth down, mean over seeds."""
    inside = chosen(answers, scope)
    each = [
        st.confusion(answers.label[inside], said[inside], len(answers.classes))
        for said in answers.guess
    ]
    order = [answers.classes.index(name) for name in classes]
    return np.mean(each, 0)[np.ix_(order, order)]


def of_class(answers: Answers, scope: str, classes: list[str]) -> np.ndarray:
    """(K,) how many images of the scope each of the `classes` has."""
    label = answers.label[chosen(answers, scope)]
    return np.array([(label == answers.classes.index(name)).sum() for name in classes])


def per_class(
    counts: np.ndarray, classes: list[str], images: np.ndarray | None = None
) -> pd.DataFrame:
    """Recall and precision of each class with their Wilson intervals, from a (K, K) matrix.

    Counts that are means over seeds give the interval of the images, of one network. `images` of
    each class, where some had no answer: a network that diverged is wrong there.
    """
    truth = counts.sum(1) if images is None else images
    rows = []
    for k, name in enumerate(classes):
        row = {"class": name, "images": truth[k], "answers": counts[:, k].sum()}
        for measure, whole in (("recall", row["images"]), ("precision", row["answers"])):
            low, high = wilson(counts[k, k], whole)
            share = counts[k, k] / whole if whole else np.nan
            row |= {measure: share, f"{measure}_low": low, f"{measure}_high": high}
        rows.append(row)
    return pd.DataFrame(rows)


def shares(counts: np.ndarray, per_class: pd.DataFrame) -> np.ndarray:
    """(K, K) counts as shares of each class's images, as recall is of the diagonal: where a network
    diverged a row adds up to less than 1."""
    return counts / per_class["images"].to_numpy(float)[:, None].clip(min=1e-9)


def calibration(
    settings: list[Evaluated], scope: str = "test"
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """ECE by setting, mean over seeds; images, confidence and accuracy by bin, seeds pooled.

    A network that diverged has no probabilities and isn't in it.
    """
    rows, bins = [], []
    for one in settings:
        answers, inside = one.answers, chosen(one.answers, scope)
        label = answers.label[inside]
        whole = [p[inside] for p in answers.probability if not np.isnan(p[inside]).any()]
        if not whole or not inside.any():
            continue
        eces = [st.reliability(p, label)[1] for p in whole]
        sure = np.mean([p.max(1).mean() for p in whole])
        right = np.mean([(p.argmax(1) == label).mean() for p in whole])
        rows.append(
            {
                "setting": one.name,
                "model": answers.model,
                "seeds": len(whole),
                "ece": np.mean(eces),
                "confidence": sure,
                "accuracy": right,
            }
        )
        table, _ = st.reliability(np.concatenate(whole), np.tile(label, len(whole)))
        for count, confidence, accuracy in table[table[:, 0] > 0]:
            low, high = wilson(accuracy * count / len(whole), count / len(whole))
            bins.append(
                {
                    "setting": one.name,
                    "model": answers.model,
                    "images": count / len(whole),
                    "confidence": confidence,
                    "accuracy": accuracy,
                    "low": low,
                    "high": high,
                }
            )
    return (
        pd.DataFrame(rows, columns="setting model seeds ece confidence accuracy".split()),
        pd.DataFrame(bins, columns="setting model images confidence accuracy low high".split()),
    )


def cost(studies: list[Findings], settings: list[Evaluated]) -> pd.DataFrame:
    """A row per setting: accuracy on PRIMARY and what it cost, mean of its networks.

    `undominated`: no other on the same images is at least as accurate for at most as many seconds,
    and better in one.
    """
    frame = confirmed(settings)
    frame = frame[(frame["scope"] == PRIMARY) & (frame["measure"] == "accuracy")]
    rows = []
    for one in settings:
        study = next(study for study in studies if study.name == one.answers.study)
        trials = study.trials[
            (study.trials["setting"] == one.answers.setting)
            & (study.trials["status"] == "completed")
        ]
        seconds = study.epochs.groupby("trial_id")["epoch_seconds"].sum()
        rows.append(
            {
                "setting": one.name,
                "seconds": pd.to_numeric(trials["trial_id"].map(seconds)).mean(),
                "multiply_adds": pd.to_numeric(trials["multiply_adds"]).mean(),
                "parameters": pd.to_numeric(trials["parameters"]).mean(),
                "device": drivers.devices(trials),
            }
        )
    columns = ["setting", "seconds", "multiply_adds", "parameters", "device"]
    table = frame.merge(pd.DataFrame(rows, columns=columns), on="setting")
    accuracy, seconds = table["mean"].to_numpy(float), table["seconds"].to_numpy(float)
    as_good = (accuracy >= accuracy[:, None]) & (seconds <= seconds[:, None])
    better = (accuracy > accuracy[:, None]) | (seconds < seconds[:, None])
    same = table["digest"].to_numpy() == table["digest"].to_numpy()[:, None]
    return table.assign(undominated=~(as_good & better & same).any(1)).drop(
        columns=["scope", "measure"]
    )


def copies_by_class(answers: Answers, split: str = "test") -> pd.DataFrame:
    """By class: images of the split, and the share that also occurs among those trained on (of
    test, or validated on), exactly or, where the study looked, nearly."""
    inside, clean = chosen(answers, split), chosen(answers, f"{split}, no duplicates")
    size = len(answers.classes)
    images = np.bincount(answers.label[inside], minlength=size)
    left = np.bincount(answers.label[clean], minlength=size)
    share = np.where(images > 0, 1 - left / np.maximum(images, 1), np.nan)
    return pd.DataFrame({"class": answers.classes, "images": images, "copied": share})


def hardest(settings: list[Evaluated], scope: str = "test") -> pd.DataFrame:
    """By class: how many images every network of every setting gets wrong, and how many none."""
    there = [one for one in settings if scope in one.scopes]
    if len({digest(one.answers, scope) for one in there}) != 1:
        return pd.DataFrame(columns=["class", "images", "all_wrong", "all_right"])
    first = there[0].answers
    inside = chosen(first, scope)
    right = np.concatenate(
        [one.answers.guess[:, inside] == one.answers.label[inside] for one in there]
    )
    frame = pd.DataFrame(
        {
            "class": np.array(first.classes)[first.label[inside]],
            "images": 1,
            "all_wrong": ~right.any(0),
            "all_right": right.all(0),
        }
    )
    return frame.groupby("class", as_index=False)[["images", "all_wrong", "all_right"]].sum()
