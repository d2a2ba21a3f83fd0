"""An artefact folder written with study.record.schemas, and how artefacts.load reads it."""

import importlib
import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

import results
from fer_data import fer2013
from results import Mistake
from results.artefacts import load
from results.facts import paper
from study.record import schemas
from study.record.journal import block_of, line_of

CLASSES = ["angry", "disgust", "fear", "happy", "neutral", "sad", "surprise"]
START = pd.Timestamp("2026-01-02T03:04:05Z")


STATED = paper.experiments()


def trial(name, model="alexnet", stage="search", status="completed", epochs=4, **more):
    """A row of trials.parquet."""
    row = {
        "trial_id": name,
        "stage": stage,
        "setting": model if stage == "confirm" else "",
        "status": status,
        "reason": "all epochs done",
        "error": "",
        "retries": 0,
        "node": "here",
        "device": "cpu",
        "gpus": 0.0,
        "started_at": START,
        "ended_at": None if status == "running" else START + pd.Timedelta(seconds=60),
        "parameters": 100,
        "multiply_adds": 1000,
        "hp_model": model,
        "hp_seed": 0,
        "hp_epochs": epochs,
        "hp_batch_size": 64,
        "hp_lr": 0.01,
    }
    said = STATED.get(more.get("setting"), {})
    return row | {f"hp_{n}": said[n] for n in ("batch_size", "lr") if said.get(n)} | more


def epochs(name, accuracies, losses=None):
    """Rows of epochs.parquet."""
    return [
        {
            "trial_id": name,
            "epoch": k,
            "train_loss": 1.0,
            "train_accuracy": value + 0.1,
            "val_loss": (losses or [1.0] * len(accuracies))[k - 1],
            "val_accuracy": value,
            "lr": 0.01,
            "epoch_seconds": 2.0,
            "images_per_second": 10.0,
            "memory_mib": 5.0,
            "finished_at": START + pd.Timedelta(seconds=10 * k),
        }
        for k, value in enumerate(accuracies, 1)
    ]


def predictions(name, guesses, labels, splits, sure=0.7, duplicate=()):
    """Rows of predictions.parquet: `sure` on the guess, the rest shared evenly."""
    rows = []
    for image, (guess, label, split) in enumerate(zip(guesses, labels, splits, strict=True)):
        shares = {f"p_{c}": (1 - sure) / (len(CLASSES) - 1) for c in CLASSES}
        shares[f"p_{CLASSES[guess]}"] = sure
        rows.append(
            {
                "trial_id": name,
                "split": split,
                "image": image,
                "label": CLASSES[label],
                "duplicate": image in duplicate,
                **shares,
            }
        )
    return rows


def stop(*_, **__):
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("module", "name", "words"),
    [
        ("results.__main__", "refuse_idle", ["run"]),
        ("results.datasets", "read", ["one", "two"]),
        ("results.explorer.__main__", "refuse_idle", ["run"]),
        ("results.publish", "publish", ["run"]),
        ("results.readme", "published", []),
    ],
)
def test_ctrl_c_is_a_line_and_its_exit_code(monkeypatch, capsys, module, name, words):
    program = importlib.import_module(module)
    monkeypatch.setattr(program, name, stop)
    assert program.main(words) == 130
    assert capsys.readouterr().err == f"{module.removesuffix('.__main__')}: stopped\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_a_full_disk_is_a_sentence(whole, monkeypatch, capsys):
    """Of `python -m results RUN --health > FILE` it was a traceback."""
    with Path("/dev/full").open("w") as full, monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", full)
        assert importlib.import_module("results.__main__").main([str(whole), "--health"]) == 2
    told = capsys.readouterr().err
    assert told == "results: its output can't be read or written (No space left on device)\n"


def header(**more):
    asked = {
        "preset": "smoke",
        "name": "mine",
        "models": ["alexnet", "resnet34"],
        "settings": [],
        "stages": ["search", "confirm"],
        "trials": 6,
        "epochs": 4,
        "seeds": 2,
        "sampler": "tpe",
        "scheduler": "asha",
        "train_images": 0,
        "val_images": 0,
        "space": {
            "lr": {"low": 0.001, "high": 0.1, "log": True},
            "batch_size": [32, 64, 128],
            "resnet34": {"lr": {"low": 0.01, "high": 1.0, "log": True}},
        },
    }
    data = {
        "name": "fer2013",
        "digest": "abc",
        "synthetic": False,
        "classes": CLASSES,
        "images": {"train": 100, "val": 14, "test": 14},
        "test_duplicates": 1,
        "notes": [],
    }
    layers = [
        {
            "name": "layer1.conv",
            "kind": "Conv2d",
            "shape": [8, 4, 4],
            "parameters": 80,
            "multiply_adds": 900,
        },
        {
            "name": "layer1.relu",
            "kind": "ReLU",
            "shape": [8, 4, 4],
            "parameters": 0,
            "multiply_adds": 0,
        },
        {"name": "fc", "kind": "Linear", "shape": [7], "parameters": 20, "multiply_adds": 100},
    ]
    study = asked | more.pop("study", {})
    data |= more.pop("data", {})
    return {
        "study": study,
        "data": data,
        "networks": {"alexnet": layers},
        "status": "complete",
        "reason": "all stages done",
        "started_at": "2026-01-02T03:04:05+00:00",
        "ended_at": "2026-01-02T04:04:05+00:00",
        "git": {"commit": "f" * 40, "dirty": False},
        "versions": {"python": "3.11"},
        "hardware": {"processor": "p", "cores": 2, "gpus": []},
        "why_this_size": "",
        **more,
    }


PAPERS = header(data={"digest": fer2013.PUBLISHED[0]})  # of a study on the images of the paper


def folder(path, head=None, trials=None, epoch_rows=None, decisions=None, told=None, events=()):
    """Write an artefact folder with the study's own writer; None leaves a table out."""
    path.mkdir(parents=True, exist_ok=True)
    (path / "study.json").write_text(json.dumps(head or header()))
    for name, rows in (("trials", trials), ("epochs", epoch_rows), ("decisions", decisions)):
        if rows is not None:
            schemas.write_table(path / f"{name}.parquet", rows, getattr(schemas, name.upper()))
    if told:
        columns = schemas.predictions_columns(CLASSES)
        schemas.write_table(path / "predictions.parquet", told, columns)
    (path / "events.jsonl").write_bytes(b"".join(events))
    return path


def event(**row):
    return json.dumps({"time": "2026-01-02T04:00:00.000+00:00", **row}).encode() + b"\n"


LABELS = [*range(7), *range(7), *range(7), *range(7)]
BEST = {"setting": "alexnet", "from_trial": "a0", "hp": {"model": "alexnet", "epochs": 4}}
SPLITS = ["val"] * 14 + ["test"] * 14
FAIR = [label if k % 2 else 3 for k, label in enumerate(LABELS)]


@pytest.fixture
def whole(tmp_path):
    """Two networks: a completed, a stopped, a failed, a diverged trial each; two seeds."""
    rows, curves, judged, told = [], [], [], []
    for model, base, seed in (("alexnet", 0.2, 0), ("resnet34", 0.3, 10)):
        short = model[0]
        rows += [
            trial(f"{short}0", model, hp_seed=seed, hp_lr=0.02),
            trial(f"{short}1", model, status="stopped", reason="asha", hp_lr=0.1, hp_seed=seed),
            trial(
                f"{short}2",
                model,
                status="failed",
                reason="error",
                error="out of <b>memory",
                hp_batch_size=32,
            ),
            trial(f"{short}3", model, hp_lr=0.05, hp_batch_size=128),
        ]
        curves += epochs(f"{short}0", [base, base + 0.1, base + 0.2, base + 0.3])
        curves += epochs(f"{short}1", [base - 0.1])
        curves += epochs(f"{short}3", [base, 0.1], [1.0, float("nan")])
        judged += [
            {
                "trial_id": f"{short}0",
                "epoch": 1,
                "rung": 1,
                "value": base,
                "cutoff": None,
                "trials_at_rung": 0,
                "decision": "continue",
            },
            {
                "trial_id": f"{short}1",
                "epoch": 1,
                "rung": 1,
                "value": base - 0.1,
                "cutoff": base,
                "trials_at_rung": 1,
                "decision": "stop",
            },
        ]
        for number in (0, 1):
            name = f"{model}-s{number}"
            rows.append(trial(name, model, "confirm", hp_seed=50000 + number))
            curves += epochs(name, [base, base + 0.1, base + 0.2, base + 0.25 + number / 100])
            said = FAIR if number else [3] * 28
            said = LABELS[:21] + said[21:] if model == "resnet34" else said
            told += predictions(name, said, LABELS, SPLITS, duplicate=(14,))
    events = [
        event(event="driver_started"),
        event(event="chosen", val_accuracy=0.5, epoch=4, **BEST),
        event(event="study_ended"),
        b'{"event": "trial_st',
    ]
    return folder(tmp_path / "mine", None, rows, curves, judged, told, events)


def test_a_folder_written_by_the_study_is_read_whole(whole):
    found = load.load(whole)
    assert found.name == "mine"
    assert len(found.trials) == 12 and len(found.decisions) == 4
    assert found.chosen.to_dict("records") == [
        {"setting": "alexnet", "from_trial": "a0", "judged": 0.5, "epoch": 4, "beside": None}
    ]
    assert found.last_event == "2026-01-02T04:00:00.000+00:00"
    assert found.notes == ("the journal's last line is half-written and was passed over",)


def test_every_column_that_is_read_is_one_of_the_studys():
    for name, columns in load.COLUMNS.items():
        assert set(columns) <= set(getattr(schemas, name.upper()))


def test_answers_keep_seeds_images_and_duplicates(whole):
    first, second = load.answers(load.load(whole))
    assert (first.setting, first.seeds, second.model) == ("alexnet", (50000, 50001), "resnet34")
    assert first.guess.shape == (2, 28)
    by_image = first.guess[1][np.argsort(first.image)]
    assert by_image.tolist() == FAIR
    assert first.duplicate.sum() == 1


def test_a_diverged_networks_answer_is_no_class():
    answers = load.Answers(
        "s",
        "x",
        "m",
        "d",
        ("a", "b"),
        1,
        (0,),
        np.array(["val"]),
        np.array([0]),
        np.array([""]),
        np.array([False]),
        np.array([0]),
        np.full((1, 1, 2), np.nan),
    )
    assert answers.guess.tolist() == [[-1]]


def test_a_repeated_epoch_counts_once_and_the_last_wins(tmp_path):
    path = folder(tmp_path / "s", None, [trial("a")], epochs("a", [0.1]) + epochs("a", [0.4]), [])
    assert load.load(path).epochs["val_accuracy"].tolist() == [0.4]


def test_a_study_that_has_just_begun_is_welcome(tmp_path):
    found = load.load(folder(tmp_path / "s", header(status="running")))
    assert found.trials.empty and found.epochs.empty and load.answers(found) == []
    assert "trials.parquet isn't there yet" in found.notes
    by_f1 = header(status="running", study={"metric": "macro_f1"})
    assert load.load(folder(tmp_path / "f1", by_f1)).epochs.empty


def test_a_damaged_line_in_the_journal_is_told(tmp_path):
    path = folder(tmp_path / "s", events=[b"not json\n", event(event="driver_started")])
    assert "line 1 of events.jsonl is not JSON and was passed over" in load.load(path).notes


def test_a_folder_of_studies_stands_for_all_of_them(tmp_path):
    """`python -m results runs` was refused, where `python -m study.status runs` lists them."""
    for name in ("b", "a", ".a.part", "c"):  # one that is being written is none yet
        folder(tmp_path / "runs" / name)
    (tmp_path / "runs" / "notes").mkdir()
    alone = folder(tmp_path / "alone")
    found = load.all_of([tmp_path / "runs", alone])
    assert [one.folder for one in found] == [*(tmp_path / "runs" / name for name in "abc"), alone]


@pytest.mark.parametrize(
    ("write", "sentence"),
    [
        (lambda path: None, "is not a folder"),
        (lambda path: path.mkdir(), "holds no study.json"),
        (lambda path: (path.mkdir(), (path / "study.json").write_text("{")), "is not JSON"),
        (lambda path: (path.mkdir(), (path / "study.json").write_text("[]")), "isn't a study's"),
        (
            lambda path: (
                path.mkdir(),
                (path / "study.json").write_text('{"study": {}, "data": {}}'),
            ),
            "isn't a study's",
        ),
        (lambda path: (path / "study.json").mkdir(parents=True), "study.json can't be read"),
        (
            lambda path: (
                (folder(path) / "events.jsonl").unlink(),
                (path / "events.jsonl").mkdir(),
            ),
            "events.jsonl can't be read",
        ),
    ],
)
def test_what_is_no_study_is_refused_in_a_sentence(tmp_path, write, sentence):
    write(tmp_path / "x")
    with pytest.raises(Mistake, match=sentence):
        load.load(tmp_path / "x")


def test_a_missing_column_is_named(tmp_path, whole):
    table = pq.read_table(whole / "trials.parquet").drop_columns(["hp_lr"])
    pq.write_table(table, whole / "trials.parquet")
    with pytest.raises(Mistake, match="trials.parquet lacks hp_lr"):
        load.load(whole)


def test_a_broken_table_is_refused(whole):
    (whole / "epochs.parquet").write_bytes(b"PAR1")
    with pytest.raises(Mistake, match="epochs.parquet can't be read"):
        load.load(whole)


def test_damage_that_can_be_read_is_refused_too(whole):
    path = whole / "predictions.parquet"
    content = bytearray(path.read_bytes())
    known = load.load(whole).predictions
    refused = 0
    for place in range(4, len(content) - 8, 97):
        path.write_bytes(
            content[:place]
            + bytes(b ^ 0x55 for b in content[place : place + 8])
            + content[place + 8 :]
        )
        try:
            assert load.load(whole).predictions.equals(known)
        except Mistake as mistake:
            assert "predictions.parquet can't be read" in str(mistake) or "lacks" in str(mistake)
            refused += 1
    assert refused > 5


def test_a_line_of_the_journal_that_is_not_what_was_written_is_told(tmp_path):
    line = line_of({"event": "chosen", "setting": "a", "val_accuracy": 0.5, "epoch": 2})
    path = folder(tmp_path / "s", events=[line, line.replace(b"0.5", b"0.9")])
    found = load.load(path)
    assert found.chosen["judged"].tolist() == [0.5]
    assert "line 2 of events.jsonl isn't what was written there and was passed over" in found.notes


def test_a_block_that_is_there_in_part_does_not_count(tmp_path):
    """As for the study itself: what it says it chose, it chooses anew."""
    chosen = [{"event": "chosen", "setting": one, "from_trial": "t0"} for one in "ab"]
    whole = block_of(chosen)
    path = folder(tmp_path / "s", events=[line_of({"event": "driver_started"}), whole])
    assert load.load(path).chosen["setting"].tolist() == ["a", "b"]
    for left in (whole[:-3], whole[: whole.index(b"\n") + 1]):
        (path / "events.jsonl").write_bytes(left)
        found = load.load(path)
        assert found.chosen.empty
        assert "the journal's last block is half-written and was passed over" in found.notes


def test_networks_that_answered_other_images_are_refused(tmp_path):
    rows = [trial(f"alexnet-s{k}", stage="confirm") for k in (0, 1)]
    told = predictions("alexnet-s0", [0, 1], [0, 1], ["val", "test"])
    told += predictions("alexnet-s1", [0], [0], ["val"])
    path = folder(tmp_path / "s", None, rows, epochs("alexnet-s0", [0.1]), [], told)
    with pytest.raises(Mistake, match="alexnet-s1 answered other images than alexnet-s0"):
        load.answers(load.load(path))


def test_results_need_neither_torch_nor_ray_nor_the_study():
    source = Path(results.__file__).parent
    for path in source.rglob("*.py"):
        for line in path.read_text().splitlines():
            if line.startswith(("import ", "from ")):
                assert line.split()[1].split(".")[0] not in {"torch", "ray", "study"}
