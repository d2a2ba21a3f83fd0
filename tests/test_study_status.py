"""`python -m study.status`: what it tells of a study, and what it costs to ask."""

import fcntl
import json
import os
import resource
import shutil
import socket
import subprocess
import sys
from dataclasses import MISSING, fields
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from test_record_tables import HP, at, done, ended, started

from fer_record.journal import read
from fer_record.tables import Tables
from study import status
from study.driver import session
from study.record import outcome, progress
from study.record.journal import Journal
from study.record.schemas import write_tables

ROOT = Path(__file__).parents[1]
STUDY = {
    "name": "one",
    "models": ["alexnet", "resnet34"],
    "stages": ["search", "confirm"],
    "trials": 4,
    "epochs": 3,
    "seeds": 2,
    "time_budget": 600.0,
}
HEADER = {
    "study": STUDY,
    "status": "running",
    "reason": "",
    "started_at": "2026-11-27T20:00:00.000+00:00",
    "networks": {"alexnet": [{"multiply_adds": 10}], "resnet34": [{"multiply_adds": 20}]},
}
ALEX, RES = {**HP, "model": "alexnet"}, {**HP, "model": "resnet34"}


def driver(host: str = "") -> dict:
    host = host or socket.gethostname()
    return at(0, "driver_started", host=host, pid=os.getpid(), resumed=False)


def study(folder: Path, *events: dict, header: dict = HEADER) -> Path:
    folder.mkdir(parents=True)
    (folder / "study.json").write_text(json.dumps(header))
    with Journal(folder / "events.jsonl") as journal:
        for event in events:
            journal.append(event)
    return folder


SEARCHED = (
    started(1, "t0000", ALEX),
    done(3, "t0000", 1, 0.25),
    ended(4, "t0000", "stopped"),
    started(5, "t0001", RES),
    done(8, "t0001", 1, 0.5),
)


def test_a_search_at_work(tmp_path, capsys):
    folder = study(tmp_path / "one", driver("elsewhere"), *SEARCHED)
    facts = progress.of(folder)
    assert facts["state"] == "unknown" and facts["stage"] == "search" and facts["epochs"] == 2
    wanted = {"wanted": 4, "completed": 0, "stopped": 1, "failed": 0, "running": 1}
    assert facts["search"] == wanted and facts["confirm"]["wanted"] == 4
    assert [(one["network"], one["val_accuracy"]) for one in facts["best"]] == [
        ("alexnet", 0.25),
        ("resnet34", 0.5),
    ]
    assert facts["budget"]["time_budget"] == 600.0 and facts["budget"]["seconds_spent"] == 8.0
    assert status.main([str(folder)]) == 0
    told = capsys.readouterr().out
    assert "1/4 trials ended (1 stopped, 1 running)" in told and "elsewhere" in told
    assert "Best resnet34 of the search: 50.0 % on val after 1 epoch (t0001)" in told
    assert "Spent: 8 s of 10 min" in told


def test_it_says_that_val_is_without_copies_of_training_images(tmp_path, capsys):
    """Also where it was asked for, and no other image was left."""
    asked = HEADER | {"study": STUDY | {"val_copies": "without"}}
    for copies, told in ((9, "val without duplicates"), (10, "val")):
        data = {"counts": {"val": {"happy": 4, "sad": 6}}, "val_duplicates": 8}
        data |= {"val_near_copies": copies - 8}
        one = study(tmp_path / f"{copies}", driver("a"), *SEARCHED, header=asked | {"data": data})
        assert status.main([str(one)]) == 0
        assert f"search: 50.0 % on {told} after 1 epoch (t0001)" in capsys.readouterr().out
        assert progress.of(one)["val_copies"] == ("with" if told == "val" else "without")
    assert progress.of(study(tmp_path / "old", *SEARCHED))["val_copies"] == "with"


def test_the_best_are_those_of_the_study(tmp_path):
    """status has no other rule for the best than the study that chooses them."""
    tables = Tables.of([driver(), *SEARCHED])
    asked = type("Asked", (), {"models": ("alexnet", "resnet34"), "objective": "val_accuracy"})()
    assert outcome.best(tables, asked) == tables.best(STUDY["models"])


def test_the_terminal_and_the_status_tell_the_same_time(tmp_path, monkeypatch):
    """Of the same journal at the same moment: a second core, a pace measured before the first
    epoch, the answers on test and a trial that is silent are known to both."""
    moment = Tables.of([driver(), *SEARCHED]).moment

    class Then(datetime):
        @classmethod
        def now(cls, tz: object = UTC) -> datetime:
            return moment + timedelta(seconds=1)

    for module in (progress, session):
        monkeypatch.setattr(module, "datetime", Then)
    data = {"images": {"train": 100, "val": 10, "test": 50}, "counts": {"val": {"a": 40, "b": 60}}}
    header = HEADER | {"data": data, "trials_at_once": 2}
    study(folder := tmp_path / "one", driver("elsewhere"), *SEARCHED, header=header)
    nothing = dict.fromkeys(f.name for f in fields(session.Session) if f.default is MISSING)
    known = nothing | {"header": header, "tables": Tables.of(read(folder / "events.jsonl"))}
    told = session.Session(**known).seconds_left()
    # an epoch of t0001 that began 1 s ago, and beside it two of a search; 4 models of 3 epochs of
    # 2 s, and of each half an epoch's time for the answers
    assert progress.of(folder)["seconds_left"] == told == 3 + 12 + 2
    header |= {"study": STUDY, "seconds_per_epoch": {"alexnet": 1.0, "resnet34": 2.0}}
    study(folder := tmp_path / "two", driver("elsewhere"), header=header)
    known |= {"header": header, "tables": Tables.of(read(folder / "events.jsonl"))}
    assert progress.of(folder)["seconds_left"] == session.Session(**known).seconds_left() > 0


@pytest.mark.skipif(not Path("/proc/locks").exists(), reason="who holds a lock is asked of Linux")
def test_running_is_whose_lock_is_held(tmp_path):
    folder = study(tmp_path / "one", driver(), *SEARCHED)
    assert progress.of(folder)["state"] == "dead"
    with (folder / "events.jsonl").open("rb") as journal:
        fcntl.flock(journal, fcntl.LOCK_EX)
        assert progress.of(folder)["state"] == "running"


@pytest.mark.skipif(not Path("/proc/locks").exists(), reason="who holds a lock is asked of Linux")
@pytest.mark.parametrize(
    ("pid", "state"), [(1, "running"), (os.getpid(), "complete")], ids=["resumed", "closing"]
)
def test_a_study_that_had_ended_runs_as_soon_as_a_driver_goes_on_with_it(tmp_path, pid, state):
    """Until its first event, seconds later, it was called ended, and --watch ended with it."""
    over = at(17, "study_ended", status="complete", reason="all stages done")
    folder = study(tmp_path / "one", driver() | {"pid": pid}, *SEARCHED, over)
    assert progress.of(folder)["state"] == "complete"
    with (folder / "events.jsonl").open("rb") as journal:
        fcntl.flock(journal, fcntl.LOCK_EX)
        told = progress.of(folder)
    assert (told["state"], told["seconds_left"]) == (state, None)
    assert told["budget"]["seconds_spent"] == 17.0, "and not the pause"


@pytest.mark.skipif(not Path("/proc/locks").exists(), reason="who holds a lock is asked of Linux")
def test_what_is_spent_counts_on_between_the_events(tmp_path, monkeypatch):
    """Of a running study it stood still from one epoch to the next, unlike in its terminal."""
    folder = study(tmp_path / "one", driver(), *SEARCHED)
    moment = Tables.of(read(folder / "events.jsonl")).moment

    class Then(datetime):
        @classmethod
        def now(cls, tz: object = UTC) -> datetime:
            return moment + timedelta(seconds=30)

    monkeypatch.setattr(progress, "datetime", Then)
    assert progress.of(folder)["budget"]["seconds_spent"] == 8.0
    with (folder / "events.jsonl").open("rb") as journal:
        fcntl.flock(journal, fcntl.LOCK_EX)
        assert progress.of(folder)["budget"]["seconds_spent"] == 38.0


LOCKS = """\
1: POSIX  ADVISORY  READ  31 00:2d:1234 128 128
2: FLOCK  ADVISORY  WRITE 40 00:2d:1234 0 EOF
3: FLOCK  ADVISORY  WRITE 41 fe:01:77 0 EOF
"""


@pytest.mark.parametrize(
    ("minor", "inode", "pid", "held"),
    [
        (0x2D, 1234, 9, True),  # of another namespace of process numbers
        (0x31, 1234, 40, True),  # btrfs: stat tells the subvolume's device
        (0x31, 1234, None, True),
        (0x31, 1234, 41, False),  # a lock of another program's on another file system
        (0x31, 1234, 31, False),  # SQLite's locks are no driver's
        (0x2D, 234, 40, False),
        (0x2D, 123, None, False),
    ],
)
def test_a_lock_is_known_by_its_inode_and_by_device_or_process(minor, inode, pid, held):
    """By the device alone a study that runs on btrfs was called dead."""
    assert progress.held(LOCKS, os.makedev(0, minor), inode, pid) is held


@pytest.mark.skipif(not Path("/proc/locks").exists(), reason="who holds a lock is asked of Linux")
def test_a_study_without_an_event_runs_while_its_journal_is_held(tmp_path):
    """It was running for ever, and --watch never ended."""
    here = HEADER | {"hardware": {"host": socket.gethostname()}}
    folder = study(tmp_path / "one", header=here)
    assert progress.of(folder)["state"] == "dead"
    with (folder / "events.jsonl").open("rb") as journal:
        fcntl.flock(journal, fcntl.LOCK_EX)
        assert progress.of(folder)["state"] == "running"
    (folder / "events.jsonl").unlink()  # killed when it had made the folder
    assert progress.of(folder)["state"] == "dead"
    elsewhere = HEADER | {"hardware": {"host": "elsewhere"}}
    assert progress.of(study(tmp_path / "two", header=elsewhere))["state"] == "unknown"
    refused = HEADER | {"status": "interrupted", "reason": "node b differs"}
    told = progress.of(study(tmp_path / "three", header=refused))
    assert (told["state"], told["why"]) == ("interrupted", "node b differs")


def test_a_study_that_has_ended_says_how(tmp_path, capsys):
    confirmed = (
        at(10, "chosen", setting="alexnet", from_trial="t0000", hp=ALEX),
        started(11, "alexnet-s0", ALEX, "confirm") | {"setting": "alexnet"},
        done(12, "alexnet-s0", 1, 0.75),
        ended(13, "alexnet-s0", "completed"),
        started(14, "alexnet-s1", ALEX, "confirm") | {"setting": "alexnet"},
        ended(15, "alexnet-s1", "failed", error="a bad end"),
        at(16, "test_opened", trial_id="alexnet-s0", images=9),
        at(17, "study_ended", status="complete", reason="all stages done"),
    )
    folder = study(tmp_path / "one", driver(), *SEARCHED, *confirmed)
    assert status.main([str(folder)]) == 0
    told = capsys.readouterr().out
    assert "complete (all stages done)" in told and "left" not in told
    assert "Confirmed alexnet: 75.0 % on val after 1 epoch (one seed)" in told
    assert "Failed: alexnet-s1, a bad end" in told


def test_a_confirmation_that_goes_on_after_test_was_opened_is_where_it_stands(tmp_path):
    """With more of a spent budget it trained for hours, and was said to be at test."""
    of_alex = {"setting": "alexnet"}
    opened = (
        at(10, "chosen", setting="alexnet", from_trial="t0000", hp=ALEX),
        started(11, "alexnet-s0", ALEX, "confirm") | of_alex,
        done(12, "alexnet-s0", 1, 0.75),
        ended(13, "alexnet-s0", "completed"),
        at(14, "test_opened", trial_id="alexnet-s0", images=9),
        at(15, "study_ended", status="interrupted", reason="time budget of 9 s spent"),
    )
    events = (driver("elsewhere"), *SEARCHED, *opened)
    assert progress.of(study(tmp_path / "one", *events))["stage"] == "test"
    again = at(16, "driver_started", host="elsewhere", pid=1, resumed=True)
    goes_on = (*events, again, started(17, "alexnet-s1", ALEX, "confirm") | of_alex)
    assert progress.of(study(tmp_path / "two", *goes_on))["stage"] == "confirm"
    over = (*goes_on, done(18, "alexnet-s1", 1), ended(19, "alexnet-s1", "completed"))
    assert progress.of(study(tmp_path / "three", *over))["stage"] == "test"


def test_a_confirmed_network_has_the_mean_of_its_completed_seeds(tmp_path, capsys):
    """In what the study is judged by, and in accuracy."""
    seeds = ((0.75, 0.5, "completed"), (0.25, 0.3, "completed"), (0.9, 0.9, "stopped"))
    confirmed = [at(10, "chosen", setting="alexnet", from_trial="t0000", hp=ALEX)]
    for number, (accuracy, f1, status_) in enumerate(seeds):
        name = f"alexnet-s{number}"
        confirmed += [
            started(11, name, ALEX, "confirm") | {"setting": "alexnet"},
            done(12, name, 1, accuracy) | {"val_macro_f1": f1},
            ended(13, name, status_),
        ]
    header = HEADER | {"study": STUDY | {"metric": "macro_f1"}}
    folder = study(tmp_path / "one", driver("elsewhere"), *SEARCHED, *confirmed, header=header)
    (one,) = [row for row in progress.of(folder)["best"] if row["stage"] == "confirm"]
    assert (one["seeds"], one["val_accuracy"], one["val_macro_f1"]) == (2, 0.5, 0.4)
    assert status.main([str(folder)]) == 0
    told = capsys.readouterr().out
    assert "Confirmed alexnet: 40.0 % macro-F1 on val after 1 epoch (mean of 2 seeds)" in told


def test_a_list_of_studies_and_one_that_cannot_be_read(tmp_path, capsys):
    study(tmp_path / "one", driver("elsewhere"), *SEARCHED)
    study(tmp_path / "two")
    (tmp_path / "two" / "study.json").write_text("{")
    assert status.main(["--json", str(tmp_path)]) == 1
    told = capsys.readouterr()
    (line,) = told.out.splitlines()
    assert json.loads(line)["name"] == "one"
    assert told.err.count("\n") == 1 and "two/study.json is damaged" in told.err


@pytest.mark.parametrize(
    ("other", "events", "error"),
    [
        ({"study": STUDY | {"metric": "acceracy"}}, SEARCHED, "KeyError"),
        ({"study": STUDY | {"models": None}}, SEARCHED, "TypeError"),
        ({"study": STUDY | {"seeds": "many"}}, SEARCHED, "TypeError"),
        ({"study": STUDY | {"models": []}}, SEARCHED, "ValueError"),
        ({"study": STUDY | {"models": []}}, SEARCHED[3:], "ZeroDivisionError"),
        ({"data": ["fer2013"]}, SEARCHED, "AttributeError"),
    ],
)
def test_a_study_json_that_says_something_else_is_a_sentence(
    other, events, error, tmp_path, capsys, monkeypatch
):
    """A changed byte, or a hand, was a traceback, also of a list of studies."""
    moment = Tables.of([driver(), *SEARCHED]).moment  # at which nothing is overdue
    now = SimpleNamespace(now=lambda zone: moment)
    monkeypatch.setattr(progress, "datetime", now)
    folder = study(tmp_path / "s", driver("elsewhere"), *events, header=HEADER | other)
    assert status.main([str(folder)]) == 2
    told = capsys.readouterr().err
    assert (
        told.count("\n") == 1 and f"s/study.json is damaged ({error}" in told and "--resume" in told
    )


def test_a_damaged_study_ends_neither_the_watch_over_others_nor_their_telling(
    tmp_path, capsys, monkeypatch
):
    """It ended the command after the first look, with exit code 2."""
    one = study(tmp_path / "one", driver("elsewhere"), *SEARCHED)
    two = study(tmp_path / "two", driver("elsewhere"), *SEARCHED)
    journal = (two / "events.jsonl").read_bytes()
    (two / "events.jsonl").write_bytes(journal.replace(b"t0000", b"t0009"))
    end = at(9, "study_ended", status="complete", reason="all stages done")

    def sleep(seconds):
        with Journal(one / "events.jsonl") as journal:
            journal.append(end)

    monkeypatch.setattr(status.time, "sleep", sleep)
    for words in ([str(tmp_path)], [str(one), str(two)]):
        assert status.main(["--watch", *words]) == 1
        told = capsys.readouterr()
        assert "complete" in told.out and "two/events.jsonl line" in told.err
    assert status.main(["--watch", str(two)]) == 2


def test_published_studies_are_told_as_such(capsys):
    assert status.main([str(ROOT / "results" / "published")]) == 0
    assert "results/published/search  complete" in capsys.readouterr().out


@pytest.mark.skipif(not Path("/proc/locks").exists(), reason="who holds a lock is asked of Linux")
def test_a_study_that_waits_for_its_first_trial_is_no_published_copy(tmp_path, capsys):
    """Its tables are there from its first event on: it was told to be a copy, and to run for ever
    where its driver had died."""
    folder = study(tmp_path / "one", driver())
    write_tables(Tables.of(read(folder / "events.jsonl")), folder)
    with (folder / "events.jsonl").open("rb") as journal:
        fcntl.flock(journal, fcntl.LOCK_EX)
        assert status.main([str(folder)]) == 0
        told = capsys.readouterr().out
    assert "running\n" in told and "Search: 0/4 trials ended (none begun)" in told
    assert "published" not in told
    assert progress.of(folder)["state"] == "dead"


@pytest.mark.parametrize("name", ["nowhere", "empty"])
def test_what_is_no_study_is_a_mistake(name, tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    assert status.main([str(tmp_path / name)]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and name in error


def test_it_needs_neither_ray_nor_torch_and_half_a_second(tmp_path):
    """Of processor time, on a journal of 300 trials of 10 epochs; the least of five."""
    trials = [f"t{number:04d}" for number in range(300)]
    events = [
        event
        for name in trials
        for event in (
            started(1, name, RES),
            *(done(2, name, epoch) for epoch in range(1, 11)),
            ended(9, name, "completed"),
        )
    ]
    header = {**HEADER, "study": {**STUDY, "trials": 300}}
    folder = study(tmp_path / "one", header=header)
    with Journal(folder / "events.jsonl") as journal:
        journal.append(driver())
        journal.append(*events)
    code = (
        "import sys; from study import status; status.main(sys.argv[1:]); "
        "sys.exit(not {'torch', 'ray', 'numpy', 'pyarrow', 'pandas'}.isdisjoint(sys.modules))"
    )
    spent = []
    for _ in range(5):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-c", code, folder], check=True, capture_output=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent.append(sum(after[:2]) - sum(before[:2]))
    assert min(spent) < 0.5
    shutil.rmtree(folder)
