"""What may end a stage, and what an error leaves; whole stages are run in test_run.py."""

import signal
from dataclasses import fields
from pathlib import Path
from types import SimpleNamespace

import pytest

from study.config import Study
from study.drive import Limits, Recorder, last_line
from study.record import Tables
from study.session import Session, signals
from study.train import EpochRecord


def session(tables: Tables, **budget: float) -> Session:
    nothing = {"folder": Path("x"), "header": {}, "dataset": None, "whole_val": None,
               "device": "cpu", "need": {}, "slots": 1, "journal": None,
               "trainable": object, "tell": print,
               "expected": {}}  # fmt: skip
    return Session(study=Study(**budget), tables=tables, show=lambda s: None, **nothing)


def one_epoch(seconds: float, gpus: float) -> Tables:
    started = {"event": "trial_started", "trial_id": "t0000", "stage": "search", "setting": "",
               "gpus": gpus, "multiply_adds": 1, "hp": {"model": "alexnet"}}  # fmt: skip
    done = {"event": "epoch_done", "trial_id": "t0000", "epoch": 1, "epoch_seconds": seconds,
            "node": "a", "device": "b", "microbatches": 1}  # fmt: skip
    return Tables.of({"time": "2026-01-01T00:00:00+00:00", **e} for e in (started, done))


def test_gpu_hours_are_epoch_seconds_times_the_share_of_the_gpu():
    assert session(one_epoch(3600.0, 0.25)).gpu_hours_spent == 0.25
    assert session(one_epoch(3600.0, 0.0)).gpu_hours_spent == 0.0


@pytest.mark.parametrize(("hours", "stops"), [(0.2, True), (0.3, False), (0.0, False)])
def test_a_gpu_hour_budget_ends_the_study_once_it_is_spent(hours, stops):
    at_work = session(one_epoch(3600.0, 0.25), gpu_hours=hours)
    limits = Limits(at_work)
    limits.checked = -2.0  # looked at no more than once a second
    assert limits.stop_all() is stops
    assert at_work.stop == (f"{hours:g} GPU-hours spent" if stops else "")
    assert not at_work.interrupted, "a spent budget is an end, not an interruption"


def test_the_time_of_earlier_drivers_counts_towards_the_time_budget():
    tables = Tables()
    tables.wall_seconds = 100.0
    assert Limits(session(tables, time_budget=100.0)).stop_all()
    assert not Limits(session(tables, time_budget=200.0)).stop_all()


def test_a_first_signal_asks_and_a_second_one_ends_at_once():
    at_work, before = session(Tables()), signal.getsignal(signal.SIGTERM)
    with signals(at_work, lambda: None):
        signal.raise_signal(signal.SIGTERM)
        assert (at_work.stop, at_work.interrupted) == ("SIGTERM", True)
        with pytest.raises(KeyboardInterrupt, match="--resume x"):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_trial_that_does_an_epoch_again_is_told(tmp_path):
    said, tables = [], one_epoch(1.0, 0.0)
    at_work = session(tables)
    at_work.tell, at_work.log = said.append, said.append
    recorder = Recorder(at_work, "search")
    tables.last["t0000"]["epoch"] = 4
    recorder.compare("t0000", 5)
    assert said == []
    recorder.compare("t0000", 3)
    assert said[0] == {"event": "fell_back", "trial_id": "t0000", "epoch": 3, "told": 4}
    assert said[1] == "t0000 does epoch 3 again: no checkpoint of it is whole"


def test_the_last_line_of_an_error_that_says_something_is_kept():
    assert last_line("Traceback\n  x\nValueError: no\n\n") == "ValueError: no"
    assert last_line("") == "no message"


def test_a_session_leaves_nothing_in_rays_pickles():
    assert session(Tables()).__getstate__() == {}


def test_limits_never_stop_a_single_trial():
    assert Limits(session(Tables()))("t", SimpleNamespace()) is False


def test_an_epoch_told_again_is_written_only_if_the_journal_lacks_it():
    at_work, written = session(one_epoch(1.0, 0.0)), []
    at_work.log = lambda *events: written.extend(events)
    recorder = Recorder(at_work, "search")
    trial = SimpleNamespace(config={"trial_id": "t0000"})
    fixed = {f.name: 0 for f in fields(EpochRecord)} | {
        "node": "a", "device": "b", "microbatches": 1
    }  # fmt: skip
    recorder.failures.too_many("t0000", True)
    stranded = []
    for epoch, again in [(1, True), (2, True), (1, False)]:
        recorder.on_trial_result(0, [], trial, fixed | {"epoch": epoch, "again": again})
        stranded.append("t0000" in recorder.failures.stranded)
    assert stranded == [True, False, False], "what is told again is no step forward"
    done = [event["epoch"] for event in written if event["event"] == "epoch_done"]
    assert done == [2, 1], "what was trained again is told again"
