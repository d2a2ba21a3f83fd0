"""What is made of Tune's news of a trial; whole stages are run in test_study_run.py."""

import math
from dataclasses import asdict, fields
from types import SimpleNamespace

import pytest

from fer_record.tables import Tables
from study.cluster.resources import Machine
from study.config.study import Study
from study.driver import recorder, stages
from study.driver.failures import last_line
from study.driver.recorder import Recorder
from study.driver.scheduling import NoEarlyStopping
from study.driver.session import Session
from study.search.asha import Decision
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
    written, said, fsyncs = [], [], []

    def extend(blocks) -> None:
        for events in blocks:
            written.extend({k: v for k, v in event.items() if k != "time"} for event in events)
        fsyncs.append(len(written))

    at_work = Session(
        study=Study(retries=1), tables=tables, folder=tmp_path, header={}, dataset=None,
        whole_val=None, device="cpu", need={"gpu": 0.5}, slots=1,
        journal=SimpleNamespace(extend=extend), trainable=object,
        say=said.append, show=lambda s: None, written=math.inf,
    )  # fmt: skip
    made = Recorder(at_work, "search", NoEarlyStopping())
    errors = tmp_path / "error.txt"
    trial = SimpleNamespace(config={"trial_id": "t0000", "epochs": 9}, error_file=str(errors))

    def fails(text: str) -> None:
        with errors.open("a") as file:
            file.write(f"Failure # 1 (occurred at noon)\n{text}\n")

    return SimpleNamespace(
        recorder=made, written=written, fsyncs=fsyncs, said=said, trial=trial, fails=fails
    )


def names(events):
    return [event["event"] for event in events]


def test_a_trial_that_does_an_epoch_again_is_told(news):
    news.recorder.session.tables.last["t0000"]["epoch"] = 4
    assert not news.recorder.fell_back("t0000", 5)
    assert news.said == news.written == []
    assert news.recorder.fell_back("t0000", 3)
    assert news.written == [{"event": "fell_back", "trial_id": "t0000", "epoch": 3, "told": 4}]
    assert news.said == ["t0000 does epoch 3 again: no checkpoint of it is whole"]


def test_a_trial_of_a_search_that_is_left_for_the_confirmation_has_ended(news):
    """After Ctrl-C and --resume --stages confirm it was running for good, in tables, in Optuna and
    with its states on disk."""
    at_work = news.recorder.session
    at_work.tables.epochs["t0000", 1]["val_accuracy"] = 0.5
    states = at_work.folder / "checkpoints" / "t0000"
    states.mkdir(parents=True)
    stages.leave_search(at_work)
    (ended,) = news.written
    assert (ended["event"], ended["status"]) == ("trial_ended", "stopped")
    assert at_work.tables.trials["t0000"]["reason"] == "left for the confirmation"
    assert not states.exists()
    trials = (at_work.folder / "optuna.log").read_text()
    assert '"state":2' in trials.replace(" ", ""), "pruned, as Optuna has it"
    stages.leave_search(at_work)
    assert len(news.written) == 1


def test_the_last_line_of_an_error_that_says_something_is_kept():
    assert last_line("Traceback\n  x\nValueError: no\n\n") == "ValueError: no"
    assert last_line("") == "no message"


def test_an_epoch_says_the_share_of_a_gpu_that_its_driver_gives(news):
    """Of t0000, which another driver began without a GPU."""
    told = RESULT | {"epoch": 2, "epoch_seconds": 4.0}
    news.recorder.on_trial_result(0, [], news.trial, told)
    news.recorder.commit()
    assert news.written[0]["gpus"] == 0.5 and news.recorder.session.tables.gpu_seconds == 2.0


def test_an_epoch_told_again_is_written_only_if_the_journal_lacks_it(news):
    news.recorder.failures.too_many("t0000", True)
    stranded = []
    for epoch, again in [(1, True), (2, True), (1, False)]:
        told = RESULT | {"epoch": epoch, "again": again}
        news.recorder.on_trial_result(0, [], news.trial, told)
        stranded.append("t0000" in news.recorder.failures.stranded)
    assert stranded == [True, False, False], "what is told again is no step forward"
    news.recorder.commit()
    done = [event["epoch"] for event in news.written if event["event"] == "epoch_done"]
    assert done == [2, 1], "what was trained again is told again"


def of_two(news, told):
    """The trials t0000 and t0001, and an optimiser that keeps what it is told in `told`."""
    news.recorder.session.log(STARTED | {"trial_id": "t0001", "parameters": 1})
    news.recorder.watched = math.inf  # machines aren't looked for
    news.recorder.optimiser = SimpleNamespace(
        report=lambda name, epoch, value: told.append((name, epoch, len(news.fsyncs))),
        tell=lambda name, status: told.append((name, status, len(news.fsyncs))),
    )
    news.written.clear()
    news.fsyncs.clear()
    return [SimpleNamespace(config=news.trial.config | {"trial_id": f"t000{n}"}) for n in (0, 1)]


def test_epochs_that_come_together_are_written_together_and_told_only_then(news, monkeypatch):
    monkeypatch.setattr(recorder, "TOGETHER_SECONDS", math.inf)  # on however busy a machine
    told = []
    trials = of_two(news, told)
    for trial in trials:
        news.recorder.on_trial_result(0, [], trial, RESULT | {"epoch": 2})
        news.recorder.on_step_end(0, [])
    assert news.written == told == []
    assert ("t0000", 2) not in news.recorder.session.tables.epochs
    news.recorder.on_step_end(0, [])  # a step without news
    assert news.fsyncs == [2]
    assert told == [("t0000", 2, 1), ("t0001", 2, 1)]
    assert ("t0001", 2) in news.recorder.session.tables.epochs
    news.recorder.on_step_end(0, [])
    assert news.fsyncs == [2], "nothing waits"


def test_a_trials_end_and_its_next_epoch_write_what_waits_first(news):
    told = []
    first, second = of_two(news, told)
    news.recorder.on_trial_result(0, [], first, RESULT | {"epoch": 2})
    news.recorder.on_trial_result(0, [], second, RESULT | {"epoch": 9})
    news.recorder.on_trial_complete(0, [], second)
    assert names(news.written) == ["epoch_done", "epoch_done", "trial_ended"]
    assert news.fsyncs == [3], "an end and what came before it are one write"
    assert news.written[-1]["status"] == "completed"
    assert told == [("t0000", 2, 1), ("t0001", 9, 1), ("t0001", "completed", 1)]
    for epoch in (3, 4):
        news.recorder.on_trial_result(0, [], first, RESULT | {"epoch": epoch})
    assert news.fsyncs == [3, 4]


def test_an_epoch_waits_no_longer_than_it_may(news, monkeypatch):
    monkeypatch.setattr(recorder, "TOGETHER_SECONDS", -1)
    news.recorder.watched = math.inf  # machines aren't looked for
    news.recorder.on_trial_result(0, [], news.trial, RESULT | {"epoch": 2})
    news.recorder.on_step_end(0, [])
    assert news.fsyncs == [1]


def test_a_trial_is_started_again_as_often_as_it_may_fail_and_then_given_up(news):
    for _ in range(2):
        news.fails("Traceback\nValueError: no")
        news.recorder.on_trial_recover(0, [], news.trial)
    assert names(news.written) == ["trial_retried"]
    assert news.said == ["t0000 is started again, after epoch 1: ValueError: no"]
    assert news.recorder.scheduler.given_up == [news.trial]
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


def test_a_trial_that_the_scheduler_stops_ends_with_its_reason(news):
    """Tune asks the scheduler, tells the callbacks of the result, then of the trial's end."""
    decision = Decision("t0000", 2, 1, 0.4, 0.5, 3, "stop")
    news.recorder.scheduler.decisions = lambda: [decision]
    news.recorder.on_trial_result(0, [], news.trial, RESULT | {"epoch": 2})
    news.recorder.on_trial_complete(0, [], news.trial)
    assert names(news.written) == ["epoch_done", "rung_judged", "trial_ended"]
    assert news.written[1] == {"event": "rung_judged", **asdict(decision)}
    assert (news.written[2]["status"], news.written[2]["reason"]) == (
        "stopped",
        "asha: below the cutoff at rung 1",
    )


def test_a_trial_stopped_by_a_scheduler_that_gives_no_reason_has_ended_all_the_same(news):
    news.recorder.on_trial_result(0, [], news.trial, RESULT | {"epoch": 2})
    news.recorder.on_trial_complete(0, [], news.trial)
    assert (news.written[-1]["status"], news.written[-1]["reason"]) == ("stopped", "the scheduler")


STATES = ["epoch_00001.pt", "epoch_00002.pt"]


def kept(news, name: str, stage: str, status: str):
    """The folder of a trial that has two states."""
    news.recorder.session.tables.trials[name] = {"stage": stage, "status": status}
    folder = news.recorder.session.checkpoints(name)
    folder.mkdir(parents=True)
    for state in STATES:
        (folder / state).touch()
    return folder


@pytest.mark.parametrize(
    ("stage", "status", "left"),
    [
        *(("search", status, []) for status in ("completed", "stopped", "failed")),
        ("confirm", "completed", STATES[1:]),
        ("confirm", "stopped", STATES),  # by a budget: it may yet go on
        ("confirm", "failed", []),
    ],
)
def test_what_a_trials_end_leaves_of_its_states(news, stage, status, left):
    folder = kept(news, "t0000", stage, "running")
    news.recorder.stage = stage
    news.recorder.end("t0000", {"status": status, "reason": "", "error": ""})
    assert sorted(path.name for path in folder.glob("*")) == left


@pytest.mark.parametrize(
    ("stage", "swept"),
    [("search", ["search-completed", "search-failed", "search-stopped"]),
     ("confirm", ["confirm-failed"])],
)  # fmt: skip
def test_a_sweep_leaves_what_was_confirmed_and_what_may_go_on(news, stage, swept):
    folders = [
        kept(news, f"{where}-{status}", where, status)
        for where in ("search", "confirm")
        for status in ("running", "completed", "stopped", "failed")
    ]
    news.recorder.stage = stage
    news.recorder.sweep()
    assert sorted(folder.name for folder in folders if not folder.exists()) == swept


def test_a_trial_given_up_in_a_stages_last_step_has_ended(news):
    """The scheduler, which ends such trials at the next step, isn't asked any more."""
    for _ in range(2):
        news.fails("ValueError: no")
        news.recorder.on_trial_recover(0, [], news.trial)
    news.recorder.end_given_up()
    assert names(news.written) == ["trial_retried", "trial_ended"]
    assert news.recorder.scheduler.given_up == []


def test_trials_that_wait_for_a_machine_that_is_not_there_any_more_are_told_once(news, monkeypatch):
    machines = [[Machine(2, 0)], [], [Machine(1, 0)], [], [Machine(2, 0)], []]
    waiting, running = (
        SimpleNamespace(status=s, RUNNING="RUNNING") for s in ("PENDING", "RUNNING")
    )
    news.recorder.session.need = {"cpu": 2, "gpu": 0.0}
    for there in machines:
        monkeypatch.setattr(recorder.resources, "nodes_there", lambda there=there: there)
        news.recorder.tell_if_none_holds([waiting])
        news.recorder.tell_if_none_holds([waiting])
    assert len(news.said) == 2 and news.said[0].startswith("No node with 2 cores is left: waiting")
    news.recorder.waits = False
    news.recorder.tell_if_none_holds([waiting, running])
    assert len(news.said) == 2


def test_the_first_result_is_what_the_study_is_judged_by_and_says_on_which_images(news):
    """It was accuracy, and said val where that is without copies of training images."""
    heard, at_work = [], news.recorder.session
    at_work.notifier = SimpleNamespace(once=lambda event, text, **about: heard.append(text))
    at_work.study = Study(metric="macro_f1")
    news.recorder.told("t0000", RESULT | {"val_accuracy": 0.5, "val_macro_f1": 0.25})
    at_work.study = Study(val_copies="with")
    news.recorder.told("t0000", RESULT | {"val_accuracy": 0.5, "val_macro_f1": 0.25})
    assert heard == [
        "t0000: 25.0 % macro-F1 on val without duplicates after its first epoch",
        "t0000: 50.0 % on val after its first epoch",
    ]
