import math

import pytest

from fer_record.tables import Tables
from study.config.study import from_dict
from study.driver import failures
from study.driver.failures import Failures, Watch, machine_gone


def watching(monkeypatch, **given):
    """A watch over a small trial `a` and a network ten times as large, `b`; and its clock."""
    clock = [0.0]
    monkeypatch.setattr(failures.time, "monotonic", lambda: clock[0])
    tables = Tables()
    tables.trials = {"a": {"multiply_adds": 5}, "b": {"multiply_adds": 50}}
    return Watch(from_dict(given), tables), clock


def test_a_trial_has_hung_after_the_stated_time_without_a_report(monkeypatch):
    found, clock = watching(monkeypatch, hang_seconds=30)
    found.reported("a")
    found.reported("b")
    clock[0] = 20.0
    found.reported("b")
    clock[0] = 31.0
    assert list(found.hung()) == [("a", 30.0)]
    found.forget("a")
    assert list(found.hung()) == []


def test_0_seconds_is_never(monkeypatch):
    found, clock = watching(monkeypatch, hang_seconds=0)
    found.reported("a")
    clock[0] = 1e9
    assert list(found.hung()) == []
    assert found.limit({"multiply_adds": 5}) == math.inf


@pytest.mark.parametrize(
    ("seen", "small", "large"),
    [
        ({}, failures.FIRST_SECONDS, failures.FIRST_SECONDS),
        ({"a": 2.0}, 600.0, 600.0),
        ({"a": 100.0}, 2000.0, 20_000.0),  # a network ten times as large may take ten times longer
        ({"b": 100.0}, 2000.0, 2000.0),
    ],
)
def test_by_itself_the_limit_follows_the_longest_epoch_and_the_size(
    monkeypatch, seen, small, large
):
    found, _ = watching(monkeypatch)
    for name, seconds in seen.items():
        found.epoch_took(name, seconds)
        found.epoch_took(name, seconds / 2)
    limits = [found.limit(row) for row in found.tables.trials.values()]
    assert limits == [small, large]


def test_a_network_whose_layers_count_no_multiply_adds_tells_nothing_of_others(monkeypatch):
    """One of one's own, of parameters alone: the first of its epochs ended the study."""
    found, _ = watching(monkeypatch)
    found.tables.trials["own"] = {"multiply_adds": 0}
    found.epoch_took("own", 100.0)
    limits = [found.limit(row) for row in found.tables.trials.values()]
    assert limits == [failures.FIRST_SECONDS, failures.FIRST_SECONDS, 2000.0]
    found.epoch_took("a", 50.0)
    limits = [found.limit(row) for row in found.tables.trials.values()]
    assert limits == [1000.0, 10_000.0, 2000.0]


def test_the_epochs_before_a_restart_count(monkeypatch):
    found, _ = watching(monkeypatch)
    found.tables.epochs[("a", 1)] = {"epoch_seconds": 100.0}
    again = Watch(found.study, found.tables)
    assert again.limit({"multiply_adds": 5}) == 2000.0


def test_what_ray_says_of_a_machine_that_is_gone_is_told_from_a_workers_own_death():
    assert machine_gone("The actor died because its node has died. Node Id: 12")
    assert machine_gone(
        "The actor 7b is unavailable: The actor is temporarily unavailable: RpcError"
    )
    assert not machine_gone("The actor died unexpectedly. The worker process has died.")


def test_a_trials_own_failures_use_up_its_retries():
    counted = Failures(retries=2)
    assert [counted.too_many("a", False) for _ in range(3)] == [False, False, True]
    assert not counted.too_many("b", False)


def test_a_machine_that_is_taken_away_uses_up_none():
    counted = Failures(retries=0)
    for _ in range(20):
        assert not counted.too_many("a", True)
        counted.went_on("a")
    assert counted.too_many("a", False)


def test_a_trial_that_brings_down_one_machine_after_another_comes_to_an_end():
    counted = Failures(retries=2)
    assert [counted.too_many("a", True) for _ in range(4)] == [False, False, False, True]
