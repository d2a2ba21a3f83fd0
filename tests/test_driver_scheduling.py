"""Which trial Tune begins next, and which it stops; the rule itself is in test_search_asha."""

from dataclasses import asdict, fields
from types import SimpleNamespace

from ray.tune.schedulers import TrialScheduler

from fer_record.tables import Tables
from study.config.study import Study, from_dict
from study.driver.scheduling import SCHEDULERS, EarlyStopping, NoEarlyStopping
from study.record.schemas import DECISIONS
from study.search.asha import Halving

GO, STOP = TrialScheduler.CONTINUE, TrialScheduler.STOP


def trial(name: str, model: str = "alexnet") -> SimpleNamespace:
    return SimpleNamespace(trial_id=f"ray-{name}", config={"trial_id": name, "model": model})


def result(epoch: int, value: float) -> dict:
    return {"epoch": epoch, "val_accuracy": value}


def test_the_schedulers_are_those_that_a_study_may_name():
    (choices,) = [f.metadata["choices"] for f in fields(Study) if f.name == "scheduler"]
    assert tuple(SCHEDULERS) == choices
    for name in choices:
        made = SCHEDULERS[name](from_dict({"scheduler": name}), Tables())
        assert isinstance(made, NoEarlyStopping) and made.decisions() == []


def test_each_decision_is_told_as_a_row_of_the_table_and_then_acted_upon():
    asha = EarlyStopping({"alexnet": Halving(10, 1, 2)})
    assert asha.on_trial_result(None, trial("a"), result(1, 0.5)) == GO
    assert asha.on_trial_result(None, trial("b"), result(1, 0.4)) == STOP
    told = asha.decisions()
    assert asha.on_trial_result(None, trial("a"), result(2, 0.5)) == GO
    assert asha.on_trial_result(None, trial("a"), result(3, 0.5)) == GO
    told += asha.decisions()
    assert asha.decisions() == []
    assert [(d.trial_id, d.rung, d.decision) for d in told] == [
        ("a", 1, "continue"),
        ("b", 1, "stop"),
        ("a", 2, "continue"),
    ]
    assert told[1].reason == "asha: below the cutoff at rung 1"
    assert list(asdict(told[0])) == list(DECISIONS)


def test_a_result_without_val_accuracy_is_not_judged():
    asha = EarlyStopping({"alexnet": Halving(10, 1, 2)})
    assert asha.on_trial_result(None, trial("a"), {"diverged": "loss", "done": True}) == GO
    assert asha.decisions() == []


def test_trials_are_judged_by_the_studys_metric():
    asha = SCHEDULERS["asha"](
        from_dict({"metric": "macro_f1", "models": ["alexnet"], "reduction_factor": 2}), Tables()
    )
    for name, accuracy, f1, expected in (("a", 0.5, 0.4, GO), ("b", 0.9, 0.3, STOP)):
        values = result(1, accuracy) | {"val_macro_f1": f1}
        assert asha.on_trial_result(None, trial(name), values) == expected
    assert [one.value for one in asha.decisions()] == [0.4, 0.3]


def test_a_network_that_begins_slowly_is_judged_among_its_own():
    asha = EarlyStopping({model: Halving(10, 1, 2) for model in ("alexnet", "resnet34")})
    assert asha.on_trial_result(None, trial("a"), result(1, 0.5)) == GO
    assert asha.on_trial_result(None, trial("b", "resnet34"), result(1, 0.2)) == GO
    assert asha.on_trial_result(None, trial("c"), result(1, 0.4)) == STOP
    assert asha.on_trial_result(None, trial("d", "resnet34"), result(1, 0.1)) == STOP


def test_rungs_are_as_the_journal_left_them():
    rows = [("a", "alexnet", 0.5), ("b", "resnet34", 0.9)]
    decisions = {
        (name, 1): {"trial_id": name, "epoch": 1, "rung": 1, "value": value, "cutoff": None,
                    "trials_at_rung": 0, "decision": "continue"}
        for name, _, value in rows
    }  # fmt: skip
    trials = {name: {"hp_model": model} for name, model, _ in rows}
    asha = SCHEDULERS["asha"](Study(), Tables(trials=trials, decisions=decisions))
    assert asha.on_trial_result(None, trial("a"), result(1, 0.5)) == GO, "not judged again"
    assert asha.on_trial_result(None, trial("c"), result(1, 0.4)) == STOP
    assert asha.on_trial_result(None, trial("d"), result(1, 0.6)) == GO
    assert [(d.trial_id, d.trials_at_rung) for d in asha.decisions()] == [("c", 1), ("d", 2)]


def test_who_has_failed_goes_first_and_who_has_failed_too_often_is_ended():
    def waits(status="PENDING"):
        return SimpleNamespace(status=status, PENDING="PENDING")

    ended = []
    scheduler, controller = NoEarlyStopping(), SimpleNamespace(stop_trial=ended.append)
    assert scheduler.choose_trial_to_run(controller) is None
    first, second = waits(), waits()
    scheduler.on_trial_error(controller, first)
    scheduler.on_trial_error(controller, second)
    assert scheduler.choose_trial_to_run(controller) is first
    first.status = "RUNNING"
    assert scheduler.choose_trial_to_run(controller) is second
    scheduler.give_up(second)
    second.status = "TERMINATED"
    assert scheduler.choose_trial_to_run(controller) is None
    assert ended == [second]
