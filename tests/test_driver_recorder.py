"""What is made of Tune's news of a trial; whole stages are run in test_study_run.py."""

from dataclasses import fields
from types import SimpleNamespace

import pytest

from study.config.study import Study
from study.driver import recorder
from study.driver.failures import last_line
from study.driver.recorder import Recorder
from study.driver.session import Session
from study.record.tables import Tables
from study.training.loop import EpochRecord

STARTED = {"event": "trial_started", "trial_id": "t0000", "stage": "search", "setting": "",
           "gpus": 0.0, "multiply_adds": 1, "hp": {"model": "alexnet"}}  # fmt: skip
DONE = {"event": "epoch_done", "trial_id": "t0000", "epoch": 1, "epoch_seconds": 1.0, "node": "a",
        "device": "b", "microbatches": 1}  # fmt: skip
RESULT = {f.name: 0 for f in fields(EpochRecord)} | {
    "node": "a", "device": "b", "microbatches": 1, "node_ip": "10.0.0.1", "again": False,
}  # fmt: skip


@pytest.fixture
def news(tmp_path):
    """A recorder of a study with a trial at work, what it wrote and said, and that trial as Tune's,
    whose failures are added by `news.fails(text)`."""
    tables = Tables.of({"time": "2026-01-01T00:00:00+00:00", **e} for e in (STARTED, DONE))
    written, said = [], []
    at_work = Session(
        study=Study(retries=1), tables=tables, folder=tmp_path, header={}, dataset=None,
        whole_val=None, device="cpu", need={}, slots=1, journal=None, trainable=object,
        tell=said.append, show=lambda s: None,
    )  # fmt: skip
    at_work.log = lambda *events: written.extend(events)
    made = Recorder(at_work, "search")
    errors = tmp_path / "error.txt"
    trial = SimpleNamespace(config={"trial_id": "t0000", "epochs": 9}, error_file=str(errors))

    def fails(text: str) -> None:
        with errors.open("a") as file:
            file.write(f"Failure # 1 (occurred at noon)\n{text}\n")

    return SimpleNamespace(recorder=made, written=written, said=said, trial=trial, fails=fails)


def names(events):
    return [event["event"] for event in events]


def test_a_trial_that_does_an_epoch_again_is_told(news):
    news.recorder.session.tables.last["t0000"]["epoch"] = 4
    assert not news.recorder.fell_back("t0000", 5)
    assert news.said == news.written == []
    assert news.recorder.fell_back("t0000", 3)
    assert news.written == [{"event": "fell_back", "trial_id": "t0000", "epoch": 3, "told": 4}]
    assert news.said == ["t0000 does epoch 3 again: no checkpoint of it is whole"]


def test_the_last_line_of_an_error_that_says_something_is_kept():
    assert last_line("Traceback\n  x\nValueError: no\n\n") == "ValueError: no"
    assert last_line("") == "no message"


def test_an_epoch_told_again_is_written_only_if_the_journal_lacks_it(news):
    news.recorder.failures.too_many("t0000", True)
    stranded = []
    for epoch, again in [(1, True), (2, True), (1, False)]:
        told = RESULT | {"epoch": epoch, "again": again}
        news.recorder.on_trial_result(0, [], news.trial, told)
        stranded.append("t0000" in news.recorder.failures.stranded)
    assert stranded == [True, False, False], "what is told again is no step forward"
    done = [event["epoch"] for event in news.written if event["event"] == "epoch_done"]
    assert done == [2, 1], "what was trained again is told again"


def test_a_trial_is_started_again_as_often_as_it_may_fail_and_then_given_up(news):
    for _ in range(2):
        news.fails("Traceback\nValueError: no")
        news.recorder.on_trial_recover(0, [], news.trial)
    assert names(news.written) == ["trial_retried"]
    assert news.said == ["t0000 is started again, after epoch 1: ValueError: no"]
    assert news.recorder.given_up == [news.trial]
    news.recorder.on_trial_complete(0, [], news.trial)  # the scheduler has ended it
    ended = news.written[-1]
    assert (ended["status"], ended["error"]) == ("failed", "ValueError: no")
    assert ended["traceback"].count("Failure # ") == 2


def test_a_failure_that_tune_tells_twice_counts_once_and_the_trial_is_proposed_again(news):
    news.fails("The actor died because its node has died. Node Id: 12")
    news.recorder.on_trial_recover(0, [], news.trial)
    news.recorder.on_trial_error(0, [], news.trial)
    assert names(news.written) == ["trial_retried"]
    assert news.recorder.left == {"t0000": news.trial.config}
    news.recorder.on_trial_start(0, [], news.trial)
    news.fails("ValueError: no")
    news.recorder.on_trial_error(0, [], news.trial)
    assert names(news.written) == ["trial_retried", "trial_retried"]


def test_what_was_given_up_and_is_told_again_has_ended(news):
    for _ in range(2):
        news.fails("ValueError: no")
        news.recorder.on_trial_recover(0, [], news.trial)
    news.recorder.on_trial_error(0, [], news.trial)
    assert names(news.written) == ["trial_retried", "trial_ended"]
    assert news.recorder.left == news.recorder.failed == {}


@pytest.mark.parametrize(("stays", "counted"), [(True, 1), (False, 0)])
def test_a_worker_that_dies_before_its_machine_leaves_is_the_machines_loss(
    news, monkeypatch, stays, counted
):
    there = [{"NodeManagerAddress": "10.0.0.1"}] if stays else []
    monkeypatch.setattr(recorder.nodes, "alive", lambda: there)
    monkeypatch.setattr(recorder, "LEAVES_SECONDS", 0.1)
    monkeypatch.setattr(recorder.ray.util, "get_node_ip_address", lambda: "10.0.0.9")
    news.recorder.on_trial_result(0, [], news.trial, RESULT | {"epoch": 2})
    news.fails("The actor is dead because its worker process has died.")
    news.recorder.on_trial_recover(0, [], news.trial)
    assert news.recorder.failures.counted["t0000"] == counted
    assert ("its machine is gone" in news.written[-1]["error"]) is not stays
