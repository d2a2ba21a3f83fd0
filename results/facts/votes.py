"""Label noise: what ten voters of FER+ (Barsoum et al. 2016) saw in each image of FER-2013, beside
its label and the networks' answers. Row k of their table is row k of fer2013.csv as published; it
holds no pixels, so of another copy the row is found by the pixels of the image.
"""

import hashlib
from pathlib import Path

import numpy as np
import pandas as pd

from fer_data import fer2013
from fer_data.classes import folded
from results import Mistake
from results.artefacts.load import Answers
from results.facts import statistics as st
from results.facts.evaluation import Evaluated, chosen, copies

EMOTIONS = {
    "neutral": "neutral",
    "happiness": "happy",
    "surprise": "surprise",
    "sadness": "sad",
    "anger": "angry",
    "disgust": "disgust",
    "fear": "fear",
}
OTHERS = {"contempt": "contempt", "unknown": "unknown", "NF": "not a face"}
TIED = "tied"
PUBLISHED = "935d1852901cf134"  # of microsoft/FERPlus at ae2128a: see `votes_digest`
# Share of the votes for the winner: above the first number, up to the second.
SURE = {
    "at most half": (0.0, 0.5),
    "6 or 7 in 10": (0.5, 0.7),
    "8 or 9 in 10": (0.7, 0.9),
    "all": (0.9, 1.0),
}
ANY = "any"
# What the voters' majority may be of an image that a network gets wrong.
VOTERS_SAY = ["network's answer", "label", "another emotion", "none of the seven"]


def read(path: Path) -> pd.DataFrame:
    """A row per row of fer2013.csv: split, votes for each word, the word with most, its share.

    The most votes of all ten answers win; a tie of the first two is TIED.
    """
    try:
        raw = pd.read_csv(path)
    except (OSError, ValueError) as error:  # pandas' own errors are ValueErrors
        reason = " ".join(str(error).split())[:100]
        raise Mistake(f"{path} can't be read ({reason}): expected fer2013new.csv of FER+") from None
    words = EMOTIONS | OTHERS
    lacking = [name for name in ("Usage", *words) if name not in raw]
    if lacking:
        raise Mistake(f"{path} lacks {', '.join(lacking)}: expected fer2013new.csv of FER+")
    votes = raw[list(words)].rename(columns=words)
    numbers = all(pd.api.types.is_numeric_dtype(votes[name]) for name in votes)
    if not numbers or votes.isna().to_numpy().any():
        raise Mistake(f"{path} has votes that are no numbers: expected fer2013new.csv of FER+")
    if votes_digest(votes) != PUBLISHED:
        raise Mistake(
            f"{path} holds other votes than fer2013new.csv of FER+, or in another order, so whose "
            "they are can't be told: give the file of github.com/microsoft/FERPlus"
        )
    ordered = np.sort(votes.to_numpy(float), 1)
    winner = votes.columns.to_numpy(str)[votes.to_numpy().argmax(1)]
    tied = ordered[:, -1] == ordered[:, -2]
    return votes.assign(
        majority=np.where(tied, TIED, winner),
        sure=ordered[:, -1] / np.maximum(ordered.sum(1), 1),
    )


def votes_digest(votes: pd.DataFrame) -> str:
    """16 hex digits of the sha256 over the ten counts of each row, a byte each."""
    return hashlib.sha256(votes.to_numpy(np.uint8).tobytes()).hexdigest()[:16]


def matched(answers: Answers) -> bool:
    """Whether each of a setting's images is a row of the voters' table."""
    return bool((rows_of(answers) >= 0).all())


def rows_of(answers: Answers) -> np.ndarray:
    return fer2013.rows_of(answers.digest, answers.split, answers.image, answers.pixels)


def with_answers(
    one: Evaluated, votes: pd.DataFrame, scope: str, images: np.ndarray
) -> tuple[pd.DataFrame, np.ndarray]:
    """The voters' rows of those `images` of a scope, with the label; and (S, N) a setting's answers
    to them."""
    inside = chosen(one.answers, scope) & np.isin(one.answers.image, images)
    names = np.array([folded(name) for name in one.answers.classes])
    rows = votes.iloc[rows_of(one.answers)[inside]].reset_index(drop=True)
    guess = one.answers.guess[:, inside]
    answered = np.where(guess >= 0, names[guess], "")
    return rows.assign(
        image=one.answers.image[inside], label=names[one.answers.label[inside]]
    ), answered


def once(settings: list[Evaluated], scope: str) -> np.ndarray:
    """The images of a scope on which all settings are judged. Of identical ones the first alone, as
    far as any study kept digests: their votes were copied, so they are no second vote."""
    known = [one.answers for one in settings if (one.answers.pixels != "").any()]
    answers = (known or [settings[0].answers])[0]
    inside = chosen(answers, scope)
    groups = copies(answers, inside)
    images = answers.image[inside]
    return images if groups is None else images[np.unique(groups, return_index=True)[1]]


def groups(rows: pd.DataFrame) -> dict[str, np.ndarray]:
    """The images whose majority is one of the seven emotions, then those by how many agree."""
    named = rows["majority"].isin(list(EMOTIONS.values())).to_numpy()
    found = {ANY: named}
    for name, (low, high) in SURE.items():
        inside = (rows["sure"] > low + 1e-9) & (rows["sure"] <= high + 1e-9)
        found[name] = named & inside.to_numpy()
    return found


def accuracies(settings: list[Evaluated], votes: pd.DataFrame, scope: str) -> pd.DataFrame:
    """A row per setting and group of images: accuracy against the label and against the majority,
    each with its interval, and how often the label is the majority's."""
    rows, images = [], once(settings, scope)
    for one in settings:
        labelled, answered = with_answers(one, votes, scope, images)
        for name, mask in groups(labelled).items():
            if not mask.any():
                continue
            part, guesses = labelled[mask], answered[:, mask]
            agree = part["label"] == part["majority"]
            row = {
                "setting": one.name,
                "model": one.answers.model,
                "voters": name,
                "images": int(mask.sum()),
                "seeds": len(guesses),
                "label_agrees": agree.mean(),
            }
            for yardstick in ("label", "majority"):
                right = guesses == part[yardstick].to_numpy(str)
                found = st.mean(right, bounds=(0.0, 1.0))
                low, high = found.interval
                row |= {yardstick: found.mean, f"{yardstick}_low": low, f"{yardstick}_high": high}
            rows.append(row)
    columns = (
        "setting model voters images seeds label label_low label_high majority majority_low "
        "majority_high label_agrees"
    ).split()
    return pd.DataFrame(rows, columns=columns)


def errors(settings: list[Evaluated], votes: pd.DataFrame, scope: str) -> pd.DataFrame:
    """A row per setting: how many images it gets wrong by the label (mean over seeds), and in what
    share of them the voters' majority is the network's answer, the label, another of the seven
    emotions, or none of them."""
    rows, images = [], once(settings, scope)
    for one in settings:
        labelled, answered = with_answers(one, votes, scope, images)
        seed, image = np.nonzero(answered != labelled["label"].to_numpy(str))
        label, majority = (labelled[name].to_numpy(str)[image] for name in ("label", "majority"))
        as_network, emotion = majority == answered[seed, image], list(EMOTIONS.values())
        tests = [as_network, majority == label, np.isin(majority, emotion)]
        said = pd.Series(np.select(tests, VOTERS_SAY[:3], VOTERS_SAY[3]))
        shares = said.value_counts().reindex(VOTERS_SAY, fill_value=0) / len(said)
        wrong = len(seed) / len(answered)
        rows.append({"setting": one.name, "wrong": wrong, **shares, "seeds": len(answered)})
    return pd.DataFrame(rows)


def never_right(settings: list[Evaluated], votes: pd.DataFrame, scope: str) -> pd.DataFrame:
    """The images that every network of every setting gets wrong by the label, with what most of
    the networks answer and what the voters say. Settings must be on the same images."""
    images = once(settings, scope)
    first, _ = with_answers(settings[0], votes, scope, images)
    answered = np.concatenate([with_answers(one, votes, scope, images)[1] for one in settings])
    wrong = ~(answered == first["label"].to_numpy(str)).any(0)
    rows = first.loc[wrong, ["image", "label", "majority", "sure"]].reset_index(drop=True)
    guesses = pd.DataFrame(answered[:, wrong])
    if len(rows):
        answer = [guesses[k].mode().iloc[0] for k in guesses]
        rows["answer"] = answer
        rows["share"] = [
            (guesses[k] == word).mean() for k, word in zip(guesses, answer, strict=True)
        ]
    else:
        rows = rows.assign(answer=pd.Series(dtype=object), share=pd.Series(dtype=float))
    return rows[["image", "label", "answer", "share", "majority", "sure"]]


def by_class(rows: pd.DataFrame, never: pd.DataFrame) -> pd.DataFrame:
    """By label: images, those that no network gets right, and of these how many the voters call
    what most networks answer, how many what the label says, and how many not a face."""
    frame = pd.DataFrame({"images": rows.groupby("label").size()})
    of = never.groupby("label")
    frame["never_right"] = of.size()
    for name, mask in {
        "voters_say_as_networks": never["majority"] == never["answer"],
        "voters_say_as_label": never["majority"] == never["label"],
        "voters_see_no_face": never["majority"] == "not a face",
    }.items():
        frame[name] = never[mask].groupby("label").size()
    return frame.fillna(0).astype(int).reset_index(names="class")


def majorities(rows: pd.DataFrame) -> pd.DataFrame:
    """What the voters' majority says of the images, by the label they have: counts."""
    order = [*EMOTIONS.values(), *OTHERS.values(), TIED]
    table = pd.crosstab(rows["label"], rows["majority"])
    return table.reindex(columns=[word for word in order if word in table]).reset_index()
