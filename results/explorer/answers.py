"""What the confirmed networks answered, image by image, small enough for the page's script."""

from pathlib import Path

import numpy as np
import pandas as pd

from results import Mistake
from results.artefacts.load import Answers, Findings, answers, stored
from results.explorer.payload import Encoded, array, words
from results.facts import learning

IMAGE_KEY = ["digest", "split", "image"]
NOWHERE = 255  # the answer of a network that diverged


def answers_payload(studies: list[Findings]) -> Encoded:
    """The images with predictions, and every network's predictions of them.

    Images are told apart by the data's digest. Probabilities are 0…255 (half a percent is lost);
    predicted classes are those of the full precision, 255 where a network diverged.
    """
    found = [(number, each) for number, one in enumerate(studies) for each in answers(one)]
    shown = images([each for _, each in found])
    keys = shown[IMAGE_KEY].itertuples(index=False, name=None)
    place = {key: row for row, key in enumerate(keys)}
    networks: list[Encoded] = []
    rows_of: list[Encoded] = []  # mostly one: all answered the same images
    for number, each in found:
        rows = array(
            [
                place[each.digest, split, int(image)]
                for split, image in zip(each.split, each.image, strict=True)
            ],
            "i4",
        )
        if rows not in rows_of:
            rows_of.append(rows)
        names = trial_names(studies[number], each)
        flat = set(learning.unlearned([each])["seed"])
        rest = each.seeds, each.probability, each.guess
        for name, seed, p, guess in zip(names, *rest, strict=True):
            networks.append(
                {
                    "study": number,
                    "trial": name,
                    "setting": each.setting,
                    "model": each.model,
                    "unlearned": seed in flat,
                    "rows": rows_of.index(rows),
                    "guess": array(np.where(guess < 0, NOWHERE, guess), "u1"),
                    "probability": array(np.round(255 * np.nan_to_num(p)).ravel(), "u1"),
                }
            )
    return {
        "classes": list(found[0][1].classes) if found else [],
        "images": {
            "digest": words(shown["digest"]),
            "split": words(shown["split"]),
            "image": array(shown["image"], "i4"),
            "label": array(shown["label"], "u1"),
            "duplicate": array(shown["duplicate"], "u1"),
        },
        "rows": rows_of,
        "networks": networks,
        "attention": attention(studies, place),
    }


def pictures(studies: list[Findings]) -> pd.DataFrame:
    """The images that any network of the studies answered, in the payload's order."""
    return images([each for one in studies for each in answers(one)])


def images(settings: list[Answers]) -> pd.DataFrame:
    """digest, split, image, label, duplicate (exact or near, as far as any study knows), pixels: a
    row per image that any network answered, sorted.

    Refuses studies whose classes differ: one matrix can't hold both.
    """
    if len({each.classes for each in settings}) > 1:
        raise Mistake("these studies have different classes: open them one at a time")
    frames = [
        pd.DataFrame(
            {
                "digest": each.digest,
                "split": each.split,
                "image": each.image,
                "label": each.label,
                "duplicate": each.duplicate | (False if each.near is None else each.near),
                "pixels": each.pixels,
            }
        )
        for each in settings
    ]
    columns = [*IMAGE_KEY, "label", "duplicate", "pixels"]
    frame = pd.concat(frames) if frames else pd.DataFrame(columns=columns)
    frame["duplicate"] = frame.groupby(IMAGE_KEY)["duplicate"].transform("max")
    frame = frame.drop_duplicates(IMAGE_KEY)
    return frame.sort_values(IMAGE_KEY).reset_index(drop=True)


def trial_names(one: Findings, each: Answers) -> list[str]:
    """The trials of a setting in the order of its seeds."""
    trials = one.trials[
        (one.trials["stage"] == "confirm") & (one.trials["setting"] == each.setting)
    ]
    return [
        str(trials["trial_id"][pd.to_numeric(trials["hp_seed"]) == seed].iloc[0])
        for seed in each.seeds
    ]


def attention(studies: list[Findings], place: dict[tuple[str, str, int], int]) -> list[Encoded]:
    """The spatial attention of attention.parquet: per network the images it has maps of.

    A map is (side, side) in 0…255, from the float16 in 0..1 that the confirmation stored.
    """
    found = []
    for number, one in enumerate(studies):
        path = one.folder / "attention.parquet"
        if not path.exists():
            continue
        frame = attention_table(path)
        frame = frame[frame["trial_id"].isin(one.trials["trial_id"])]
        digest = str(one.study["data"].get("digest"))
        keys = [
            (digest, split, int(image))
            for split, image in zip(frame["split"], frame["image"], strict=True)
        ]
        frame = frame.assign(row=[place.get(key, -1) for key in keys])
        for (trial, side), group in frame[frame["row"] >= 0].groupby(["trial_id", "side"]):
            maps = np.stack([np.frombuffer(raw, "<f2") for raw in group["weights"]])
            clean = np.nan_to_num(maps.astype(np.float32)).clip(0, 1)
            found.append(
                {
                    "study": number,
                    "trial": str(trial),
                    "side": int(side),
                    "rows": array(group["row"], "i4"),
                    "weights": array(np.round(255 * clean).ravel(), "u1"),
                }
            )
    return found


def attention_table(path: Path) -> pd.DataFrame:
    """The maps that are whole: (trial_id, split, image, side, weights of side² float16)."""
    wanted = ["trial_id", "split", "image", "side", "weights"]
    frame = stored(path, wanted)
    whole = frame["weights"].map(len) == 2 * pd.to_numeric(frame["side"]) ** 2
    return frame[whole.astype(bool)]
