"""A study that goes on elsewhere, up to where its trials would begin; whole ones are run in
test_study_run.py."""

import json
import shutil
import signal
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from study import Mistake
from study.cluster.resources import Machine
from study.config.study import Study, to_dict
from study.data import datasets
from study.driver import begin as run
from study.driver import prepare
from study.record import progress
from study.record.journal import Journal
from study.run import main
from study.storage import atomic, lease, places

DRIVE = run.drive  # which `begun` replaces


@pytest.fixture
def begun(tmp_path, monkeypatch):
    """A study that was begun on a CPU; `machines(...)` makes up where it goes on, and `drive` is
    what it would be driven with."""
    monkeypatch.chdir(tmp_path)
    whole = datasets.load("faces:56")
    study = Study(name="s", data="faces:56", models=("alexnet",), stages=("search",), trials=3)
    study = prepare.replace(study, space={"batch_size": 8, "image_px": 32})
    header = {
        "study": to_dict(study),
        "device": "cpu",
        "started_at": "2026-11-24T10:00:00+00:00",
        "data": prepare.described(whole, whole),
        "networks": {},
    }
    prepare.make_folder(Path("runs/s"), header)
    with Journal(Path("runs/s/events.jsonl")):
        pass
    driven = []

    def drive(study, folder, header, whole, need, joined, trainable, notifier) -> int:
        driven.append(SimpleNamespace(study=study, header=header, need=need))
        return 0

    def machines(*nodes: Machine) -> None:
        total = {
            "CPU": sum(node.cores for node in nodes),
            "GPU": sum(node.gpus for node in nodes),
        }
        monkeypatch.setattr(run.resources, "capacity", lambda: total)
        monkeypatch.setattr(run.resources, "nodes_there", lambda: list(nodes))
        monkeypatch.setattr(run.resources, "nodes_to_come", list)

    monkeypatch.setattr(run, "drive", drive)
    monkeypatch.setattr(run.connection, "connect", lambda address: "joined")
    gpu = SimpleNamespace(free_mib=40_000.0)
    monkeypatch.setattr(run.resources, "gpus_have", lambda: (gpu.free_mib, True))
    machines(Machine(2, 0))
    return SimpleNamespace(machines=machines, driven=driven, folder=Path("runs/s"), gpu=gpu)


def test_a_study_begun_on_a_cpu_trains_on_the_gpu_that_it_is_given_then(begun, capsys):
    begun.machines(Machine(8, 1))
    assert main(["--resume", "s", "--device", "cuda"]) == 0
    (driven,) = begun.driven
    assert driven.need["gpu"] > 0 and driven.header["device"] == "cuda"
    assert driven.study.gpus_per_trial == 0.0, "asked for is still what they need"
    assert main(["--resume", "s"]) == 2, "and by itself it doesn't change"
    assert "was begun on cpu, but its trials would go on on cuda" in capsys.readouterr().err


@pytest.mark.parametrize("when", ["while Ray starts", "before a study hears it"])
def test_sigterm_before_a_study_hears_it_is_told_and_no_code_of_rays(
    begun, monkeypatch, capsys, when
):
    """Ray ended the process with 15 or 1, which says that nothing could be confirmed."""
    before = signal.getsignal(signal.SIGTERM)

    def connect(address: str) -> str:
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
        if when == "while Ray starts":
            signal.raise_signal(signal.SIGTERM)
        return "joined"

    def drive(*given: object) -> int:
        signal.raise_signal(signal.SIGTERM)
        return 0

    monkeypatch.setattr(run.connection, "connect", connect)
    monkeypatch.setattr(run, "drive", drive)
    try:
        assert main(["--resume", "s"]) == 143
    finally:
        signal.signal(signal.SIGTERM, before)
    assert capsys.readouterr().err.endswith("study.run: stopped at once\n")


def test_a_folder_of_storage_is_storage_by_its_path_too(begun, tmp_path, monkeypatch, capsys):
    """A study's end names it so, "On another machine: ...", which was refused: the folder was taken
    for the study's own."""
    place = tmp_path / "shared" / "s"
    header = json.loads((begun.folder / "study.json").read_text())
    header["study"] |= {"storage": str(place.parent), "address": "local"}
    atomic.write_json(begun.folder / "study.json", header)
    shutil.copytree(begun.folder, place)
    lease.write(place, "", {})
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    begun.machines(Machine(2, 0))
    assert main(["--resume", str(place)]) == 0, capsys.readouterr().err
    (driven,) = begun.driven
    assert places.at(driven.study.storage) == place.parent
    assert (tmp_path / "elsewhere" / "runs" / "s" / "study.json").is_file()


def test_what_a_trial_gets_can_be_changed_as_the_refusal_says(begun, capsys):
    assert main(["--resume", "s", "--cpus-per-trial", "4"]) == 2
    assert "cpus_per_trial is 4, but the cluster has 2: ask for fewer" in capsys.readouterr().err
    path = begun.folder / "study.json"
    path.write_text(path.read_text().replace('"cpus_per_trial": 1', '"cpus_per_trial": 4'))
    assert main(["--resume", "s"]) == 2
    assert main(["--resume", "s", "--cpus-per-trial", "2"]) == 0
    assert begun.driven[0].need == {"cpu": 2, "gpu": 0.0}
    begun.machines(Machine(8, 2))
    words = ["--resume", "s", "--device", "cuda", "--cpus-per-trial", "1"]
    assert main([*words, "--gpus-per-trial", "0.5"]) == 0
    assert begun.driven[1].need == {"cpu": 1, "gpu": 0.5}


def test_a_share_of_a_gpu_that_one_machine_was_given_binds_no_other(begun):
    """It follows from the memory that is free: a smaller GPU takes fewer trials."""
    begun.machines(Machine(8, 1))
    shares = []
    for begun.gpu.free_mib in (40_000.0, 1_000.0):
        assert main(["--resume", "s", "--device", "cuda"]) == 0
        shares.append(begun.driven[-1].need["gpu"])
        header = json.loads((begun.folder / "study.json").read_text())
        header["study"] = to_dict(begun.driven[-1].study)
        (begun.folder / "study.json").write_text(json.dumps(header))
    assert shares == [0.25, 1.0]


REFUSED = {
    "--preset paper": "--preset can't change in a study that exists",
    "--lr 0.1": "--lr can't change from 0.05 to 0.1: a space only gets wider",
    "--seeds 4": "--seeds does nothing here, since nothing is confirmed",
    "--out elsewhere": "--resume names the folder runs/s, which isn't in --out",
    "--gpus-per-trial 1": "--gpus-per-trial does nothing here, since the trials train on a CPU",
    "--device cuda": "device is cuda, but the cluster has no GPU",
}


@pytest.mark.parametrize("words", REFUSED)
def test_what_would_be_ignored_on_resume_is_refused(begun, capsys, words):
    assert main(["--resume", "runs/s", *words.split()]) == 2
    assert REFUSED[words] in capsys.readouterr().err
    assert begun.driven == []


def test_out_that_says_where_the_study_is_is_taken(begun):
    assert main(["--resume", "runs/s", "--out", "./runs/"]) == 0
    assert main(["--resume", "s", "--out", "runs"]) == 0


def test_a_lost_study_json_is_made_anew_with_all_that_it_says(begun, capsys):
    from study.driver import header

    path = begun.folder / "study.json"
    before = json.loads(path.read_text())
    told = header.of_journal(before | {"git": {"code": "aaaa"}})
    with Journal(begun.folder / "events.jsonl") as journal:
        journal.append(
            {"event": "driver_started", "time": before["started_at"], "host": "h", "pid": 1, **told}
        )
    path.unlink()
    assert main(["--resume", "s"]) == 0
    made = begun.driven[0].header
    assert made["data"] == before["data"] and made["networks"]["alexnet"]
    assert {k: made[k] for k in ("device", "started_at", "git")} == {
        "device": "cpu",
        "started_at": before["started_at"],
        "git": {"code": "aaaa"},
    }
    assert "made anew from the journal" in capsys.readouterr().out


def test_seeds_that_are_added_after_test_are_kept_and_can_be_taken_back(begun, capsys):
    """Since some were added, test was said to have been opened with those, and the number with
    which it was opened was refused."""

    def go_on(**header: object) -> None:
        path.write_text(json.dumps(json.loads(path.read_text()) | header))

    path = begun.folder / "study.json"
    planned = json.loads(path.read_text())["study"] | {"stages": ["confirm"], "seeds": 2}
    go_on(study=planned)
    row = {"stage": "confirm", "setting": "alexnet", "gpus": 0, "parameters": 1, "multiply_adds": 1}
    start = {"event": "trial_started", "trial_id": "alexnet-s0", "hp": {"model": "alexnet"}, **row}
    opened = {"event": "test_opened", "trial_id": "alexnet-s0", "images": 14}
    with Journal(begun.folder / "events.jsonl") as journal:
        for event in (start, opened):
            journal.append({"time": "2026-11-24T10:00:00+00:00", **event})
    assert main(["--resume", "s", "--seeds", "4", "--after-test"]) == 0
    added = begun.driven[-1]
    assert added.header["seeds_after_test"] == [2, 4]
    go_on(study=to_dict(added.study), seeds_after_test=[2, 4])
    capsys.readouterr()
    assert main(["--resume", "s", "--seeds", "5"]) == 2
    assert "test was opened with 2 seeds: to add some" in capsys.readouterr().err
    assert main(["--resume", "s"]) == 0
    assert begun.driven[-1].header["seeds_after_test"] == [2, 4]
    assert main(["--resume", "s", "--seeds", "2"]) == 0
    back = begun.driven[-1]
    assert back.study.seeds == 2 and "seeds_after_test" not in back.header


def test_a_study_keeps_what_was_given_to_it(begun, monkeypatch):
    """By which a health check's next command is of a study like it."""
    from study.driver import header

    monkeypatch.setattr(run, "drive", lambda study, folder, *more: 0)
    monkeypatch.setattr(run.provenance, "of_driver", dict)
    given = {"data": "faces:56", "name": "new", "models": "alexnet", "image_px": "32"}
    given |= {"stages": "search", "batch_size": "8"}
    words = [word for name, text in given.items() for word in (run.flags.flag(name), text)]
    assert main(["--preset", "smoke", *words]) == 0
    kept = json.loads(Path("runs/new/study.json").read_text())
    assert kept["flags"] == given
    assert header.of_journal(kept)["flags"] == given


def test_a_study_that_goes_on_keeps_what_was_given_to_it_since(begun):
    assert main(["--resume", "s", "--trials", "4"]) == 0
    assert "flags" not in begun.driven[-1].header, "what an older one was begun with isn't known"
    path = begun.folder / "study.json"
    kept = {"name": "s", "stages": "search", "lr": "0.1", "trials": "3"}
    path.write_text(json.dumps(json.loads(path.read_text()) | {"flags": kept}))
    assert main(["--resume", "s", "--trials", "5"]) == 0
    assert begun.driven[-1].header["flags"] == kept | {"trials": "5"}
    assert main(["--resume", "s", "--stages", "search,confirm", "--seeds", "2"]) == 0
    assert begun.driven[-1].header["flags"] == {
        "name": "s",
        "lr": "0.1",
        "trials": "3",
        "seeds": "2",
    }


@pytest.mark.parametrize(
    ("end", "code", "why"),
    [
        (Mistake("node b has torch 2"), 2, "node b has torch 2"),
        (KeyboardInterrupt(), 130, "stopped at once"),
    ],
)
def test_a_study_that_ends_before_its_first_event_says_why(begun, monkeypatch, end, code, why):
    """Its study.json said for ever that it was running."""

    def check(place):
        raise end

    monkeypatch.setattr(run, "drive", DRIVE)
    monkeypatch.setattr(run.nodes, "check", check)
    monkeypatch.setattr(run.provenance, "of_driver", dict)
    assert main(["--resume", "s"]) == code
    told = progress.of(begun.folder)
    assert (told["state"], told["why"]) == ("interrupted", why)


def test_ctrl_c_when_a_study_has_ended_changes_nothing_of_how(begun, monkeypatch, capsys):
    """Exit code 130, "stopped at once before anything was begun"."""

    def close(notifier):
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(run, "drive", DRIVE)
    monkeypatch.setattr(run.nodes, "check", lambda place: {})
    monkeypatch.setattr(run.provenance, "of_driver", dict)
    monkeypatch.setattr(run.summary, "opening", lambda *given: "")
    monkeypatch.setattr(run.resources, "inventory", str)
    monkeypatch.setattr(run.stages, "run", lambda *given: 1)
    monkeypatch.setattr(run.Notifier, "close", close)
    assert main(["--resume", "s"]) == 1
    assert "stopped" not in capsys.readouterr().err


@pytest.fixture
def elsewhere(begun, tmp_path, monkeypatch):
    """A study with a relative --storage in its study.json, and the folder that it meant; one works
    in another folder now."""
    header = json.loads((begun.folder / "study.json").read_text())
    header["study"]["storage"] = "shared"
    (begun.folder / "study.json").write_text(json.dumps(header))
    with Journal(begun.folder / "events.jsonl") as journal:
        event = {"event": "study_ended", "status": "interrupted", "reason": "SIGINT"}
        journal.append({"time": "2026-11-24T10:00:00+00:00", **event})
    kept = tmp_path / "shared" / "s"
    (kept / "checkpoints" / "t0000").mkdir(parents=True)
    (kept / "checkpoints" / "t0000" / "epoch_00001.pt").write_bytes(b"weights")
    (tmp_path / "other").mkdir()
    monkeypatch.chdir(tmp_path / "other")
    return kept


def test_a_new_study_keeps_where_its_storage_is_not_how_it_was_named(here, monkeypatch):
    given = []

    def prepared(study, folder, say):
        given.append(study.storage)
        raise Mistake("far enough")

    monkeypatch.setattr(run.handover, "prepare", prepared)
    words = ["--preset", "smoke", "--data", "faces:56", "--name", "s", "--storage"]
    for storage in ("shared", "s3://bucket/faces"):
        assert main([*words, storage]) == 2
    assert given == [str(here / "shared"), "s3://bucket/faces"]


def test_storage_that_was_named_from_another_folder_is_not_looked_for_here(
    elsewhere, begun, tmp_path, capsys
):
    assert main(["--resume", "../runs/s"]) == 2
    told = capsys.readouterr().err
    assert f"{tmp_path}/other/shared/s, where ../runs/s had its storage, isn't there" in told
    assert not list((tmp_path / "other").iterdir()) and not begun.driven


def test_storage_is_where_it_was_however_it_is_named(
    elsewhere, begun, tmp_path, monkeypatch, capsys
):
    assert main(["--resume", "../runs/s", "--storage", "../shared"]) == 0
    assert "begin again" not in capsys.readouterr().out, "nothing had to be copied"
    monkeypatch.chdir(tmp_path)
    assert main(["--resume", "s"]) == 0
    assert [one.study.storage for one in begun.driven] == [str(tmp_path / "shared")] * 2
    assert [one.header["study"]["storage"] for one in begun.driven] == [
        str(tmp_path / "shared")
    ] * 2


def test_checkpoints_that_are_left_behind_are_told(elsewhere, begun, capsys):
    assert main(["--resume", "../runs/s", "--storage", "new"]) == 0
    told = capsys.readouterr().out
    assert "unfinished trials begin again" in told and "other/shared/s/checkpoints" in told
