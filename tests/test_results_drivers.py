"""With what code, libraries and machines a study was run, from its journal."""

import pandas as pd
import pytest
from test_results_load import epochs, event, folder, header, trial

from results.artefacts.load import load
from results.facts import drivers, status

FIRST = {
    "git": {"commit": "c" * 40, "code": "aaaa"},
    "versions": {"torch": "2.13.0"},
    "hardware": {"processor": "Xeon", "gpus": []},
}
SECOND = {
    "git": {"commit": None, "code": "bbbb"},
    "versions": {"torch": "2.14.1"},
    "hardware": {"processor": "Xeon", "gpus": ["A100"]},
}


def study(path, *begun: dict):
    """A study of these drivers; the first left its own in study.json alone, as older ones did."""
    events = [event(event="driver_started", host="h", pid=1, **one) for one in begun]
    made = folder(path, header(**FIRST), [trial("a")], epochs("a", [0.2]), [], events=events)
    return load(made)


def test_each_driver_is_a_row_with_what_it_ran(tmp_path):
    found = study(tmp_path / "s", {}, SECOND, FIRST)
    rows = drivers.rows(found)
    assert list(rows) == ["Driver 1", "Driver 2", "Driver 3"]
    assert rows["Driver 1"].endswith("UTC: code aaaa, torch 2.13.0, processor Xeon, GPU none")
    assert rows["Driver 2"].endswith("UTC: code bbbb, torch 2.14.1, processor Xeon, GPU A100")
    shown = status.overview(found).set_index("what").iloc[:, 0]
    assert shown["Driver 3"].endswith("code aaaa, torch 2.13.0, processor Xeon, GPU none")


def test_a_study_that_ran_with_different_things_says_so_before_any_number(tmp_path):
    found = study(tmp_path / "s", {}, SECOND, FIRST)
    told = "Not all of it ran with the same: code aaaa, then bbbb; torch 2.13.0, then 2.14.1; GPU "
    assert any(line.startswith(told) for line in status.warnings(found, []))


@pytest.mark.parametrize("begun", [[], [{}], [FIRST], [{}, FIRST], [{}, {}]])
def test_what_ran_with_the_same_or_is_not_known_says_nothing(tmp_path, begun):
    found = study(tmp_path / "s", *begun)
    assert drivers.mixed(found) == ""
    assert len(drivers.rows(found)) == (len(begun) if len(begun) > 1 else 0)
    if len(begun) == 2 and not begun[1]:
        assert drivers.rows(found)["Driver 2"].endswith("code and versions not recorded")


def test_one_thread_is_no_plural():
    trials = pd.DataFrame({"device": ["cpu, 1 threads", "cpu, 1 threads", "cpu, 16 threads", None]})
    assert drivers.devices(trials) == "cpu, 1 thread, cpu, 16 threads"
