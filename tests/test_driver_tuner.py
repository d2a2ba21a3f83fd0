"""What may end a stage, and what an error leaves; whole stages are run in test_study_run.py."""

import signal
from pathlib import Path
from types import SimpleNamespace

import pytest
from ray.air.execution._internal.actor_manager import RayActorManager
from ray.exceptions import OutOfMemoryError, RayActorError, RayTaskError
from ray.tune.progress_reporter import TrialProgressCallback
from ray.tune.utils.callback import _create_default_callbacks

from fer_record.tables import Tables
from study.config.study import Study
from study.driver.session import Session
from study.driver.signals import Signals
from study.driver.tuner import Limits, Silent, every_error_a_trials


def session(tables: Tables, **budget: float) -> Session:
    nothing = {"folder": Path("x"), "header": {}, "dataset": None, "whole_val": None,
               "device": "cpu", "need": {}, "slots": 1, "journal": None,
               "trainable": object, "say": print,
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


def test_an_epoch_trained_again_costs_again_and_one_only_told_again_does_not():
    tables = one_epoch(3600.0, 0.5)
    again = {"event": "epoch_done", "trial_id": "t0000", "epoch": 1, "node": "a", "device": "b",
             "microbatches": 1, "time": "2026-01-01T00:00:00+00:00"}  # fmt: skip
    tables.add(again | {"epoch_seconds": 3600.0})
    assert session(tables).gpu_hours_spent == 0.5
    tables.add(again | {"epoch_seconds": 1800.0})
    assert session(tables).gpu_hours_spent == 0.75


def test_epochs_of_a_trial_that_goes_on_with_another_share_are_counted_by_it():
    """Begun on a quarter of a GPU, or on a CPU, it went on for a quarter or for nothing."""
    for begun in (0.25, 0.0):
        tables = one_epoch(3600.0, begun)
        more = {"event": "epoch_done", "trial_id": "t0000", "node": "a", "device": "b",
                "microbatches": 1, "time": "2026-01-01T00:00:00+00:00"}  # fmt: skip
        tables.add(more | {"epoch": 2, "epoch_seconds": 3600.0, "gpus": 1.0})
        assert session(tables).gpu_hours_spent == begun + 1
        assert [row["gpus"] for row in tables.epochs.values()] == [begun, 1.0]


@pytest.mark.parametrize(("hours", "stops"), [(0.2, True), (0.3, False), (0.0, False)])
def test_a_gpu_hour_budget_ends_the_study_once_it_is_spent(hours, stops):
    at_work = session(one_epoch(3600.0, 0.25), gpu_hours=hours)
    limits = Limits(at_work)
    limits.checked = -2.0  # looked at no more than once a second
    assert limits.stop_all() is stops
    assert at_work.reason == (f"{hours:g} GPU-hours spent" if stops else "")
    assert not at_work.interrupted, "a spent budget is an end, not an interruption"


def test_the_time_of_earlier_drivers_counts_towards_the_time_budget():
    tables = Tables()
    tables.wall_seconds = 100.0
    assert Limits(session(tables, time_budget=100.0)).stop_all()
    assert not Limits(session(tables, time_budget=200.0)).stop_all()


def test_a_first_signal_asks_and_a_second_one_ends_at_once():
    at_work, before = session(Tables()), signal.getsignal(signal.SIGTERM)
    with Signals(at_work):
        signal.raise_signal(signal.SIGTERM)
        assert (at_work.reason, at_work.interrupted) == ("SIGTERM", True)
        with pytest.raises(KeyboardInterrupt, match="--resume x"):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGTERM) is before


def test_the_command_to_go_on_names_the_cluster_that_was_named():
    here = "python -m study.run --resume x"
    assert session(Tables()).go_on == session(Tables(), address="local").go_on == here
    assert session(Tables(), address="10.0.0.1:6379").go_on == f"{here} --address 10.0.0.1:6379"


def test_a_session_leaves_nothing_in_rays_pickles():
    assert session(Tables()).__getstate__() == {}


def test_limits_never_stop_a_single_trial():
    assert Limits(session(Tables()))("t", SimpleNamespace()) is False


def test_what_ray_says_of_a_worker_killed_for_memory_is_its_trials_failure(monkeypatch):
    seen = []
    monkeypatch.setattr(RayActorManager, "_actor_task_failed", lambda *given: seen.append(given))
    before, raised = RayActorManager._actor_task_failed, RayTaskError("f", "tb", ValueError("x"))
    with every_error_a_trials():
        for error in (OutOfMemoryError("memory is low\nRead the manual."), raised):
            RayActorManager._actor_task_failed(
                "manager", tracked_actor_task="task", exception=error
            )
    assert RayActorManager._actor_task_failed is before
    (_, task, death), (_, _, same) = seen
    assert task == "task" and isinstance(death, RayActorError) and same is raised
    assert str(death).splitlines()[-1] == "OutOfMemoryError: memory is low"


def test_tune_prints_nothing_of_a_trial_that_ends_without_an_epoch(monkeypatch, capsys):
    """It printed "Trial Trial_5595e77f completed. Last result:" of one that had failed."""
    monkeypatch.setenv("TUNE_DISABLE_AUTO_CALLBACK_LOGGERS", "1")
    trial = type("Trial", (), {"last_result": {}})()
    for each in _create_default_callbacks([Silent()], air_verbosity=None):
        if isinstance(each, TrialProgressCallback):
            each.on_trial_complete(iteration=1, trials=[trial], trial=trial)
    assert capsys.readouterr().out == ""
