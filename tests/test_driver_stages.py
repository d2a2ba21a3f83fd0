"""How a study ends, and what a crash between two writes leaves to be settled; whole studies are run
in test_study_run.py."""

from types import SimpleNamespace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from test_record_tables import HP, at, done, ended, judged, started

from fer_record.tables import Tables
from study.config.study import from_dict
from study.driver import stages
from study.driver.session import Ending
from study.search.proposals import Optimiser

BUDGET = Ending("time_budget", "time budget of 9 s spent")
CHOSEN = at(4, "chosen", setting="alexnet", from_trial="t0000", hp=HP)


def at_its_end(tables: Tables, folder=None, ending: Ending | None = None, **given):
    study = from_dict({"models": ["alexnet"], "trials": 2, "seeds": 2, **given})
    about = {"cause": ending.cause if ending else "", "reason": ending.reason if ending else ""}
    return SimpleNamespace(study=study, tables=tables, folder=folder, ending=ending, **about)


def searched(*ends: str, reason: str = "all epochs done") -> list[dict]:
    """A search's trials, an epoch each; "running" has not ended."""
    events = []
    for number, status in enumerate(ends):
        name = f"t{number:04d}"
        events += [started(1, name), done(2, name, 1)]
        events += [ended(3, name, status) | {"reason": reason}] * (status != "running")
    return events


def confirmed(*ends: str) -> list[dict]:
    events = [CHOSEN]
    for number, status in enumerate(ends):
        name = f"alexnet-s{number}"
        events += [started(5, name, stage="confirm") | {"setting": "alexnet"}]
        events += [ended(6, name, status)] * (status != "running")
    return events


@pytest.mark.parametrize(
    ("ending", "answered", "code"),
    [
        (None, True, 0),
        (None, False, 1),
        (BUDGET, True, 0),
        (BUDGET, False, 1),
        (Ending("signal", "SIGINT", 2), True, 130),
        (Ending("signal", "SIGTERM", 15), False, 143),
        (Ending("storage", "disk full"), True, 2),
        (Ending("node", "node b has torch 2"), True, 2),
    ],
)
def test_exit_codes_of_a_confirmation_are_those_that_the_documents_list(
    tmp_path, ending, answered, code
):
    if answered:
        pq.write_table(pa.table({"trial_id": ["alexnet-s0"]}), tmp_path / "predictions.parquet")
    assert stages.exit_code(at_its_end(Tables(), tmp_path, ending)) == code


@pytest.mark.parametrize(("ends", "code"), [(["stopped"], 0), (["failed"], 1), ([], 1)])
def test_a_search_alone_has_come_to_something_with_one_usable_trial(tmp_path, ends, code):
    tables = Tables.of(searched(*ends))
    assert stages.exit_code(at_its_end(tables, tmp_path, stages=["search"])) == code


@pytest.mark.parametrize(
    ("events", "whole"),
    [
        (searched("stopped", "completed") + confirmed("completed", "failed"), True),
        (searched("stopped", "completed") + confirmed("completed", "stopped"), False),
        (searched("stopped", "completed") + confirmed("completed", "running"), False),
        (searched("stopped", "completed") + confirmed("completed"), False),
        (searched("stopped", "completed"), False),
        (searched("stopped"), False),
        (searched("stopped", "running"), False),
    ],
)
def test_a_budget_that_is_spent_by_the_last_of_the_work_interrupts_nothing(events, whole):
    """A seed of the confirmation that it stopped may go on, and so may the study."""
    assert stages.finished(at_its_end(Tables.of(events), ending=BUDGET)) is whole


@pytest.mark.parametrize(
    ("ends", "reason", "whole"),
    [
        (["stopped", "completed"], "asha: below the cutoff at rung 1", True),
        (["stopped", "completed"], BUDGET.reason, False),
        (["stopped"], "asha: below the cutoff at rung 1", False),
    ],
)
def test_a_search_that_a_budget_has_cut_is_not_whole(ends, reason, whole):
    tables = Tables.of(searched(*ends, reason=reason))
    assert stages.finished(at_its_end(tables, ending=BUDGET, stages=["search"])) is whole


def test_what_a_crash_left_between_two_writes_is_told_to_optuna_and_acted_upon():
    """Epochs and ends of which Optuna hasn't heard, and a decision to stop that nobody followed."""
    told, over = [], []
    events = [*searched("completed", "running"), judged(3, "t0001", "stop")]
    session = at_its_end(Tables.of(events + [started(4, "t0002")] + confirmed("running")))
    optimiser = SimpleNamespace(
        report=lambda *given: told.append(given), tell=lambda *given: told.append(given)
    )
    recorder = SimpleNamespace(end=lambda name, how: over.append((name, how["status"])))
    stages.settle(session, recorder, optimiser)
    assert told == [("t0000", 1, 0.5), ("t0001", 1, 0.5), ("t0000", "completed")]
    assert over == [("t0001", "stopped")]


@pytest.mark.parametrize(
    ("ending", "over"), [(BUDGET, ["t0001"]), (Ending("signal", "SIGINT", 2), []), (None, [])]
)
def test_a_spent_budget_ends_what_still_runs_and_a_signal_leaves_it(ending, over):
    found: list[str] = []
    recorder = SimpleNamespace(stage="search", end=lambda name, how: found.append(name))
    tables = Tables.of(searched("completed", "running") + confirmed("running"))
    stages.stop_unfinished(at_its_end(tables, ending=ending), recorder)
    assert found == over


def test_a_trial_that_was_only_proposed_is_trained_as_long_as_there_is_room(tmp_path, monkeypatch):
    """Ctrl-C while the sixth began: --resume --trials 5 trained it all the same."""
    given = {"name": "s", "space": {"lr": {"low": 0.001, "high": 0.1}}}
    optimiser = Optimiser(at_its_end(Tables(), **given).study, tmp_path)
    events = []
    for config in [optimiser.ask() for _ in range(6)][:5]:
        name = config.pop("trial_id")
        events += [started(1, name, config), done(2, name, 1), ended(3, name, "completed")]
    counts: list[int] = []
    monkeypatch.setattr(stages, "run_stage", lambda *given: counts.append(given[3]))
    display = SimpleNamespace(begin=lambda *given: None)
    for trials in (5, 6, 7):
        session = at_its_end(Tables.of(events), tmp_path, trials=trials, **given)
        session.header = {}
        stages.search_stage(session, display)
    assert counts == [0, 1, 2]
