import math

import pytest

from study import watch
from study.config import from_dict
from study.record import Tables
from study.watch import Watch


def watching(monkeypatch, **given):
    """A watch over a small trial `a` and a network ten times as large, `b`; and its clock."""
    clock = [0.0]
    monkeypatch.setattr(watch.time, "monotonic", lambda: clock[0])
    tables = Tables()
    tables.trials = {"a": {"multiply_adds": 5}, "b": {"multiply_adds": 50}}
    return Watch(from_dict(given), tables), clock


def test_a_trial_has_hung_after_the_stated_time_without_a_report(monkeypatch):
    found, clock = watching(monkeypatch, hang_seconds=30)
    found.hear("a")
    found.hear("b")
    clock[0] = 20.0
    found.hear("b")
    clock[0] = 31.0
    assert list(found.hung()) == [("a", 30.0)]
    found.forget("a")
    assert list(found.hung()) == []


def test_0_seconds_is_never(monkeypatch):
    found, clock = watching(monkeypatch, hang_seconds=0)
    found.hear("a")
    clock[0] = 1e9
    assert list(found.hung()) == []
    assert found.limit({"multiply_adds": 5}) == math.inf


@pytest.mark.parametrize(
    ("seen", "small", "large"),
    [
        ({}, watch.FIRST_SECONDS, watch.FIRST_SECONDS),
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
        found.saw(name, seconds)
        found.saw(name, seconds / 2)
    limits = [found.limit(row) for row in found.tables.trials.values()]
    assert limits == [small, large]


def test_the_epochs_before_a_restart_count(monkeypatch):
    found, _ = watching(monkeypatch)
    found.tables.epochs[("a", 1)] = {"epoch_seconds": 100.0}
    again = Watch(found.study, found.tables)
    assert again.limit({"multiply_adds": 5}) == 2000.0
