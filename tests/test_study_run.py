"""The driver through its command line: whole studies on drawn faces, and what may go wrong."""

import json
import os
import pickle
import re
import shutil
import threading
import time
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest
import torch
from small_study import (
    ONE_BY_ONE,
    PATIENCE,
    SMALL,
    driver,
    end_group,
    optuna_states,
    small,
    tables,
    tables_of_search,
    told,
    wait_for,
)

from benchmarks.sleeping import Sleeping
from fer_record.journal import read
from study import Mistake, run
from study.cluster import connection
from study.config.hyperparameters import Hyperparameters
from study.data.datasets import load
from study.driver import prepare, tuner
from study.record import schemas
from study.run import main
from study.training import loop

CLOCKS = [
    "started_at",
    "ended_at",
    "finished_at",
    "epoch_seconds",
    "images_per_second",
    "memory_mib",
]


@pytest.fixture(scope="module")
def undisturbed(ray_two_cpus, tmp_path_factory):
    """The folder of a study with one worker that nothing disturbed, and what it printed."""
    folder = tmp_path_factory.mktemp("undisturbed")
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(StringIO()) as out:
        patch.chdir(folder)
        patch.setenv("FER_STUDY_CACHE", str(folder / "cache"))
        assert main([*ONE_BY_ONE, "--notify", "sh -c 'cat >> notified.jsonl'"]) == 0
    return folder / "runs" / "small", out.getvalue()


@pytest.mark.ray
def test_a_study_leaves_the_whole_artefact_folder(undisturbed):
    folder, out = undisturbed
    found = tables(folder)
    study = json.loads((folder / "study.json").read_text())
    assert (study["status"], study["reason"]) == ("complete", "all stages done")
    assert study["data"]["synthetic"] and study["git"].keys() == {"commit", "dirty", "code"}
    for name in ("trials", "epochs", "decisions"):
        columns = getattr(schemas, name.upper())
        assert pq.read_schema(folder / f"{name}.parquet") == schemas.schema(columns)
    trials = found["trials"].set_index("trial_id")
    search = trials[trials["stage"] == "search"]
    assert list(search.index) == ["t0000", "t0001", "t0002", "t0003"]
    assert set(search["status"]) <= {"completed", "stopped"} and search["error"].eq("").all()
    assert trials["hp_stem"].isna().all(), "alexnet has no stem: absent, not a default"
    confirmed = trials[trials["stage"] == "confirm"]
    assert list(confirmed["status"]) == ["completed"] * 2
    assert set(confirmed["hp_seed"]).isdisjoint(search["hp_seed"])
    (network,) = study["confirmed_networks"]
    sums = [sum(row[name] for row in network["layers"]) for name in ("parameters", "multiply_adds")]
    assert confirmed[["parameters", "multiply_adds"]].to_numpy().tolist() == [sums] * 2
    epochs = found["epochs"].set_index(["trial_id", "epoch"])
    assert epochs.index.is_unique and len(epochs.loc["alexnet-s0"]) == 3
    chosen = told(folder, "chosen")[0]
    full = search.index[search["status"] == "completed"]
    assert chosen["val_accuracy"] == max(epochs.loc[(t, 3), "val_accuracy"] for t in full)
    kept = sorted(path.parent.name for path in folder.glob("checkpoints/*/*.pt"))
    assert kept == ["alexnet-s0", "alexnet-s1"], "one state of each confirmed network, no other"
    assert out.count("the numbers say nothing of real faces") == 2
    assert "--seeds 4" not in out, "more seeds after test was seen are no advice"


@pytest.mark.ray
def test_first_result_and_end_of_a_study_are_told_to_a_command(undisturbed):
    folder, out = undisturbed
    lines = (folder.parents[1] / "notified.jsonl").read_text().splitlines()
    first, ended = map(json.loads, lines)
    assert (first["event"], first["trial_id"]) == ("first_result", "t0000")
    assert (ended["event"], ended["status"], ended["exit_code"]) == ("ended", "complete", 0)
    assert ended["study"]["state"] == "complete" and ended["study"]["confirm"]["completed"] == 2
    assert "--notify" not in out and "notified" not in (folder / "study.json").read_text()


@pytest.mark.ray
def test_answers_that_were_damaged_are_asked_for_again_without_opening_test_again(
    undisturbed, here, capsys
):
    folder = here / "runs" / "small"
    shutil.copytree(undisturbed[0], folder)
    os.truncate(folder / "predictions.parquet", 1000)
    (folder / "epochs.parquet").write_bytes(b"PAR1")
    assert main(["--resume", "small"]) == 0
    assert "predictions.parquet can't be read" in capsys.readouterr().out
    for name, frame in tables(undisturbed[0]).items():
        pd.testing.assert_frame_equal(tables(folder)[name], frame)
    assert len(told(folder, "test_opened")) == 2


@pytest.mark.ray
def test_test_is_opened_once_per_model_after_all_training(undisturbed):
    folder, _ = undisturbed
    names = [e["event"] for e in read(folder / "events.jsonl")]
    opened = [e["trial_id"] for e in told(folder, "test_opened")]
    assert opened == ["alexnet-s0", "alexnet-s1"]
    assert names.index("test_opened") > max(k for k, n in enumerate(names) if n == "epoch_done")
    predictions = tables(folder)["predictions"]
    share = predictions[[c for c in predictions if c.startswith("p_")]]
    assert share.shape[1] == 7 and share.sum(axis=1).sub(1).abs().max() < 1e-5
    assert not predictions.duplicated(["trial_id", "split", "image"]).any()
    last = tables(folder)["epochs"].set_index(["trial_id", "epoch"]).loc[("alexnet-s1", 3)]
    val = predictions.query("trial_id == 'alexnet-s1' and split == 'val'")
    hit = share.loc[val.index].idxmax(axis=1) == "p_" + val["label"]
    assert hit.mean() == last["val_accuracy"], "the stored network is the one that was trained"


@pytest.mark.ray
def test_optuna_is_told_how_each_trial_ended(here, ray_two_cpus):
    assert main(small("--stages", "search", "--lr", "0.01,1e30", "--sampler", "grid")) == 0
    folder = here / "runs" / "small"
    trials = tables_of_search(folder).sort_values("trial_id")
    as_told = {"completed": "COMPLETE", "stopped": "PRUNED", "failed": "FAIL"}
    assert optuna_states(folder) == [as_told[status] for status in trials["status"]]
    diverged = trials[trials["status"] == "failed"]
    assert list(diverged["hp_lr"]) == [1e30] * 2 and set(diverged["reason"]) == {"diverged"}
    assert diverged["error"].str.contains("loss is not a number in epoch 1").all()


@pytest.mark.ray
def test_a_trial_in_a_used_worker_equals_the_same_trial_in_a_fresh_one(undisturbed):
    folder, _ = undisturbed
    hp = next(e["hp"] for e in told(folder, "trial_started") if e["trial_id"] == "t0002")
    header = json.loads((folder / "study.json").read_text())
    dataset = load(header["study"]["data"], folder.parents[1] / "cache")
    data = loop.resident(dataset.train, dataset.val, hp["image_px"], torch.device("cpu"))
    observed = [r for r, _ in loop.fit(Hyperparameters(**hp), data, 7, torch.device("cpu"))]
    used = tables(folder)["epochs"].query("trial_id == 't0002'")
    for name in ("train_loss", "val_loss", "val_accuracy", "lr"):
        assert list(used[name]) == [getattr(r, name) for r in observed[: len(used)]]


@pytest.mark.ray
def test_every_slot_is_at_work_though_trials_are_shorter_than_a_workers_start(here, ray_two_cpus):
    class Marking(Sleeping):
        """Leaves a file named after its process, and doesn't do all while another is started."""

        seconds = 0.2

        def step(self):
            (self.checkpoints.parent / f"worker-{os.getpid()}").touch()
            until = time.monotonic() + 120
            while len(list(self.checkpoints.parent.glob("worker-*"))) < 2:
                if time.monotonic() > until:
                    break
                time.sleep(0.1)
            return super().step()

    words = small("--stages", "search", "--epochs", "1", "--scheduler", "none", "--trials", "40")
    assert main(words, trainable=Marking) == 0
    assert len(list((here / "runs" / "small").glob("worker-*"))) == 2


@pytest.mark.ray
def test_a_spent_time_budget_ends_the_search_and_its_trials(here, ray_two_cpus, monkeypatch):
    stop_all = tuner.Limits.stop_all

    def soon(limits):
        """Its 25 seconds pass when there is something to end, on however busy a machine."""
        limits.before = 25.0 if limits.session.tables.epochs else -1e9
        return stop_all(limits)

    monkeypatch.setattr(tuner.Limits, "stop_all", soon)
    assert main(small("--epochs", "5000", "--time-budget", "25", "--scheduler", "none")) == 1
    folder = here / "runs" / "small"
    trials = tables_of_search(folder)
    assert set(trials["status"]) == {"stopped"}
    assert trials["reason"].str.contains("time budget of 25 s spent").all()
    told = [state for state in optuna_states(folder) if state != "RUNNING"]
    assert len(told) == len(trials)  # one that waits for its worker is begun by a resume
    assert json.loads((folder / "study.json").read_text())["reason"].startswith("time budget")


@pytest.mark.ray
def test_a_budget_spent_in_the_confirmation_opens_test_for_what_is_done_and_more_goes_on(
    here, ray_two_cpus, monkeypatch, capsys
):
    folder, confirmed = here / "runs" / "small", ["alexnet-s0", "alexnet-s1", "alexnet-s2"]

    def one_is_done(limits):
        tables = limits.session.tables
        if "alexnet-s0" in tables.trials and tables.trials["alexnet-s0"]["status"] == "completed":
            limits.session.end("time_budget", "time budget of 7 s spent")
        return bool(limits.session.ending)

    budget = small("--trials", "1", "--seeds", "3", "--time-budget", "7", base=ONE_BY_ONE)
    with monkeypatch.context() as patch:
        patch.setattr(tuner.Limits, "stop_all", one_is_done)
        assert main(budget) == 0
    out = capsys.readouterr().out
    assert "Budget spent (time budget of 7 s spent); 1 of 3 confirmed" in out
    more = re.search(
        r"Go on with: python -m study.run --resume runs/small --time-budget (\d+)", out
    )
    assert more and int(more[1]) >= 14  # twice what was given, or more where more was used
    assert set(tables(folder)["predictions"]["trial_id"]) == {"alexnet-s0"}
    assert json.loads((folder / "study.json").read_text())["status"] == "interrupted"
    rows = tables(folder)["trials"].query("stage == 'confirm'")
    assert "running" not in set(rows["status"])
    assert main(["--resume", "small", "--time-budget", "4000"]) == 0
    assert list(dict.fromkeys(tables(folder)["predictions"]["trial_id"])) == confirmed
    assert [e["trial_id"] for e in told(folder, "test_opened")] == confirmed
    assert set(tables(folder)["trials"]["status"]) == {"completed"}
    assert json.loads((folder / "study.json").read_text())["status"] == "complete"


@pytest.mark.ray
def test_when_every_trial_fails_it_says_so_and_the_exit_code_is_1(here, ray_two_cpus, capsys):
    assert main(small("--trials", "2", "--epochs", "1", "--lr", "1e30")) == 1
    out = capsys.readouterr().out
    assert "Not confirmed: alexnet, since of its 2 trials none finished an epoch" in out
    assert "Nothing could be confirmed: test stays closed." in out
    assert "--seeds" not in out


@pytest.mark.ray
def test_a_study_does_not_change_its_device_by_itself(here, ray_two_cpus, capsys):
    one = ["--trials", "1", "--epochs", "1", "--stages", "search"]
    assert main(small(*one)) == 0
    path = here / "runs" / "small" / "study.json"
    path.write_text(path.read_text().replace('"device": "cpu"', '"device": "cuda"', 1))
    assert main(["--resume", "small"]) == 2
    assert "was begun on cuda, but its trials would go on on cpu" in capsys.readouterr().err
    assert main(["--resume", "small", "--device", "cpu"]) == 0
    assert json.loads(path.read_text())["device"] == "cpu"


class Trap:
    """A pickle that leaves a mark where it is trusted."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self):
        return Path.touch, (self.mark,)


@pytest.mark.ray
def test_nothing_in_a_strangers_study_is_executed(undisturbed, here):
    folder, mark = here / "runs" / "small", here / "mark"
    shutil.copytree(undisturbed[0], folder)
    poison = pickle.dumps(Trap(mark))
    pickle.loads(poison)
    assert mark.exists(), "the trap works"
    mark.unlink()
    for path in [*folder.rglob("*.pkl"), *folder.rglob("*.pt")]:
        path.write_bytes(poison)
    for name in ("search/tuner.pkl", "confirm/tuner.pkl", "search/trainable.pkl"):
        (folder / "ray" / name).write_bytes(poison)
    (folder / "predictions.parquet").unlink()
    more = ["--resume", "small", "--seeds", "3"]
    assert main(more) == 2, "test was seen"
    main([*more, "--after-test"])  # a third model is trained; the others are lost
    assert not mark.exists()
    assert set(tables(folder)["predictions"]["trial_id"]) == {"alexnet-s2"}


@pytest.mark.ray
def test_the_cluster_that_a_strangers_study_names_is_not_joined(undisturbed, here, monkeypatch):
    folder, asked = here / "runs" / "small", []
    shutil.copytree(undisturbed[0], folder)
    header = json.loads((folder / "study.json").read_text())
    header["study"]["address"] = "10.9.9.9:6379"
    (folder / "study.json").write_text(json.dumps(header))

    def connect(address: str) -> str:
        asked.append(address)
        raise Mistake("as far as it matters here")

    monkeypatch.setattr(connection, "connect", connect)
    assert main(["--resume", "small"]) == 2
    assert main(["--resume", "small", "--address", "10.1.1.1:6379"]) == 2
    assert asked == ["", "10.1.1.1:6379"]


@pytest.mark.ray
def test_killed_anywhere_and_resumed_equals_never_having_been_disturbed(here, undisturbed):
    folder = here / "runs" / "small"
    process = driver(*ONE_BY_ONE, folder=here)
    for mark in ('"trial_id": "t0001", "epoch": 1', '"trial_id": "alexnet-s0", "epoch": 2'):
        wait_for(folder / "events.jsonl", mark, process)
        process.kill()
        process.communicate()
        end_group(process)
        process = driver("--resume", "small", folder=here)
    out = process.communicate(timeout=PATIENCE)[0]
    assert process.returncode == 0, out
    resumed = tables(folder)
    for name, frame in tables(undisturbed[0]).items():
        pd.testing.assert_frame_equal(
            resumed[name].drop(columns=CLOCKS, errors="ignore"),
            frame.drop(columns=CLOCKS, errors="ignore"),
        )
    assert "RUNNING" not in optuna_states(folder)


@pytest.mark.ray
def test_a_study_can_be_run_outside_the_main_thread(here, ray_two_cpus):
    """As a notebook's server or a web application runs it: there are no signals."""
    words, codes = small("--stages", "search", "--trials", "1", "--epochs", "1"), []
    thread = threading.Thread(target=lambda: codes.append(main(words)))
    thread.start()
    thread.join()
    assert codes == [0]


@pytest.mark.parametrize(
    ("words", "gpu", "lr"),
    [
        (["--help"], True, "[searched from 0.001 to 0.1, log]"),
        (["--help"], False, "[searched from 0.0005 to 0.004, log]"),
        (["--preset", "smoke", "-h"], False, "[searched from 0.005 to 0.05, log]"),
    ],
)
def test_help_is_that_of_the_preset_that_is_asked_for(capsys, monkeypatch, words, gpu, lr):
    """And of the machine: without a GPU the default study trains with AdamW."""
    monkeypatch.setattr(run, "nvidia_gpu_here", lambda: gpu)
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 0
    assert f"peak learning rate: a number above 0 {lr}" in " ".join(capsys.readouterr().out.split())


def test_a_studys_folder_is_there_with_its_header_or_not_at_all(tmp_path, monkeypatch):
    folder = tmp_path / "runs" / "s"
    with monkeypatch.context() as patch:
        patch.setattr(prepare.atomic, "write_json", lambda path, header: os._exit(9))
        child = os.fork()
        if child == 0:
            try:
                prepare.make_folder(folder, {})
            finally:
                os._exit(1)  # the tests go on in one process alone
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    assert not folder.exists()
    prepare.make_folder(folder, {"study": {}})
    assert json.loads((folder / "study.json").read_text())["status"] == "running"


def test_a_folder_that_another_study_made_in_between_is_refused_and_left_as_it_is(tmp_path):
    """Looked for before the images were read, it may be there after; it was a traceback."""
    folder = tmp_path / "s"
    prepare.make_folder(folder, {"study": {}})
    before = (folder / "study.json").read_bytes()
    with pytest.raises(Mistake, match="s exists: go on with it by --resume .*another --name"):
        prepare.make_folder(folder, {"study": {"seed": 1}})
    assert (folder / "study.json").read_bytes() == before and [*tmp_path.iterdir()] == [folder]


MISTAKES = {
    "--data nowhere.csv": "nowhere.csv",
    "--models lenet": "unknown model 'lenet': known are alexnet, resnet34, cbam_resnet34",
    "--sampler cma": "unknown sampler 'cma': known are tpe, random, qmc",
    "--preset tiny": "unknown preset 'tiny': known are smoke, search, fair, paper, ingredients",
    "--preset tiny.toml": "there is no file tiny.toml",
    "--lr 0": "lr is 0.0: expected a number above 0",
    "--epochs -3": "epochs is -3",
    "--batch-size 512": "batch_size goes up to 512, but there are 384 training images",
    "--device cuda": "no CUDA device is found here",
    "--gpu-hours 2": "gpu_hours is 2, but the trials train on a CPU and use none",
    "--out /proc": "can't be used",
    "--cpus-per-trial 99": "cpus_per_trial is 99, but the cluster has",
    "--name ../elsewhere": "name is '../elsewhere'",
    "--resume nothing": "nothing holds no study.json",
    "--lr 0.1:0.01": "no range",
    "--wings 2": "--wings",
    "--preset paper --settings Z": "unknown setting 'Z': known are A-alexnet",
}


@pytest.mark.ray
@pytest.mark.parametrize("words", MISTAKES)
def test_a_mistake_is_one_sentence_and_exit_code_2(here, ray_two_cpus, capsys, words):
    given = words.split() if "--preset" in words else ["--preset", "smoke", *words.split()]
    assert main(given) == 2
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1 and MISTAKES[words] in lines[0], lines
    assert not (here / "runs").exists(), "nothing was begun"


@pytest.mark.ray
def test_an_existing_study_is_neither_overwritten_nor_run_twice_at_once(here, ray_two_cpus, capsys):
    assert main(small("--stages", "search", "--trials", "1", "--minutes", "9")) == 0
    out = capsys.readouterr().out
    measured, promised = out.index("Measuring a step of each network"), out.index("Time: about ")
    assert measured < promised < out.index(" t0000 "), "told before the first trial"
    before = (here / "runs" / "small" / "events.jsonl").read_bytes()
    assert main(SMALL) == 2
    assert "--resume" in capsys.readouterr().err
    assert (here / "runs" / "small" / "events.jsonl").read_bytes() == before
    assert main(["--resume", "small", "--lr", "0.1"]) == 2
    assert "--lr can't change" in capsys.readouterr().err
    assert main(["--resume", "small"]) == 0
