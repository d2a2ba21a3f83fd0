"""Figures of the first screen and the payload, recomputed from the tables alone: nothing of results
is used but what is held against them."""

import base64
import json
import math
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from results.artefacts.load import load
from results.explorer import written
from results.explorer.payload import payload

RUN = Path(__file__).parents[1] / "results" / "published" / "search"


@pytest.fixture(scope="module")
def told():
    one = load(RUN)
    texts = written.texts([one], written.evaluated([one]))
    words = {name: re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", t)) for name, t in texts.items()}
    return words | {"payload": payload([one])}


@pytest.fixture(scope="module")
def tables():
    return {
        name: pd.read_parquet(RUN / f"{name}.parquet")
        for name in ("trials", "epochs", "decisions", "predictions", "images")
    }


def accuracy(tables, model, part):
    """The share of right answers of the best of a network, confirmed, on a split or on what of it
    is no copy or near copy of an image trained or chosen on."""
    split, _, without = part.partition(", ")
    trials, p = tables["trials"], tables["predictions"].merge(tables["images"])
    p = p[~(p["duplicate"] | p["near"])] if without else p
    own = trials[(trials["stage"] == "confirm") & (trials["setting"] == model)]["trial_id"]
    rows = p[p["trial_id"].isin(own) & (p["split"] == split)]
    names = [name for name in rows if name.startswith("p_")]
    guess = rows[names].to_numpy().argmax(1)
    return float(
        np.mean([names[k][2:] == label for k, label in zip(guess, rows["label"], strict=True)])
    )


@pytest.mark.parametrize("model", ["alexnet", "resnet34", "cbam_resnet34"])
@pytest.mark.parametrize("part", ["val, no duplicates", "test", "test, no duplicates"])
def test_each_accuracy_of_the_answer(told, tables, model, part):  # nine figures
    share = 100 * accuracy(tables, model, part)
    assert re.search(
        rf"\b{model} {model} {part} {share:.2f}\s%", told["answer"].replace("\xa0", " ")
    )


def test_the_best_setting(told, tables):
    best = max(
        ("alexnet", "resnet34", "cbam_resnet34"),
        key=lambda m: accuracy(tables, m, "val, no duplicates"),
    )
    (chosen,) = [
        event
        for line in (RUN / "events.jsonl").read_text().splitlines()
        if (event := json.loads(line)).get("event") == "chosen" and event["setting"] == best
    ]
    assert f"Best setting: {best}" in told["answer"]
    assert f"--lr {chosen['hp']['lr']} " in told["answer"]
    assert f"--batch-size {chosen['hp']['batch_size']} " in told["answer"]


def test_the_time_that_it_took(told):
    head = json.loads((RUN / "study.json").read_text())
    seconds = pd.Timestamp(head["ended_at"]) - pd.Timestamp(head["started_at"])
    hours, rest = divmod(round(seconds.total_seconds()), 3600)
    minutes, rest = divmod(rest, 60)
    took = f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {rest:02d} s"
    assert f"{took} wall-clock time" in told["answer"]


def test_epochs_and_how_trials_ended(told, tables):
    assert f"Epochs {len(tables['epochs'])} of" in told["study"]
    ends = tables["trials"]["status"].value_counts()
    assert f"{ends['completed']} completed and {ends['stopped']} stopped" in told["study"]


def floats(encoded):
    kind = {"f4": "<f4", "f8": "<f8", "i4": "<i4"}[encoded["kind"]]
    return np.frombuffer(base64.b64decode(encoded["base64"]), kind)


def test_throughput_and_memory_of_each_trial(told, tables):
    sent = told["payload"]["trials"]
    speed, memory = floats(sent["images_per_second"]), floats(sent["memory_mib"])
    for row, name in enumerate(tables["trials"]["trial_id"]):
        own = tables["epochs"][tables["epochs"]["trial_id"] == name]
        ordered = sorted(own["images_per_second"])
        middle = (ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / 2
        assert math.isclose(speed[row], middle, rel_tol=1e-5)
        assert math.isclose(memory[row], max(own["memory_mib"]), rel_tol=1e-5)
