import json
import random
from dataclasses import asdict
from types import SimpleNamespace

import numpy as np
import pytest
from ray.tune.schedulers import AsyncHyperBandScheduler, TrialScheduler

from fer_record import rungs
from study.driver.scheduling import EarlyStopping
from study.search.asha import Decision, Halving

GO, STOP = TrialScheduler.CONTINUE, TrialScheduler.STOP


def trial(name: str, model: str = "alexnet") -> SimpleNamespace:
    return SimpleNamespace(trial_id=f"ray-{name}", config={"trial_id": name, "model": model})


def result(epoch: int, value: float) -> dict:
    return {"epoch": epoch, "val_accuracy": value}


def test_rungs_begin_at_the_grace_and_end_before_the_last_epoch():
    assert list(Halving(30, 1, 3).rungs) == [1, 3, 9, 27]
    assert list(Halving(27, 1, 3).rungs) == [1, 3, 9]
    assert list(Halving(40, 2, 4).rungs) == [2, 8, 32]
    assert list(Halving(4, 4, 2).rungs) == []


def test_decisions_worked_out_by_hand():
    halving = Halving(10, 1, 3)
    judged = [
        halving.judge(name, 1, value)
        for name, value in [("a", 0.5), ("b", 0.4), ("c", 0.6), ("d", 0.45), ("e", 0.5)]
    ]
    # two thirds of the way through the sorted values before it
    cutoffs = [None, 0.5, 0.4 + 0.1 * 2 / 3, 0.5 + 0.1 / 3, 0.5]
    assert [d.decision for d in judged] == ["continue", "stop", "continue", "stop", "continue"]
    assert judged[0].cutoff is None
    assert [d.cutoff for d in judged[1:]] == pytest.approx(cutoffs[1:], abs=1e-12)
    assert [d.trials_at_rung for d in judged] == [0, 1, 2, 3, 4]
    assert judged[1] == Decision("b", 1, 1, 0.4, 0.5, 1, "stop")


def test_reduction_by_two_asks_for_the_median():
    halving = Halving(10, 1, 2)
    for name, value in [("a", 0.1), ("b", 0.2), ("c", 0.6)]:
        halving.judge(name, 1, value)
    assert halving.judge("d", 1, 0.2) == Decision("d", 1, 1, 0.2, 0.2, 3, "continue")
    assert halving.judge("e", 1, 0.19).decision == "stop"


def test_nobody_is_judged_before_the_grace_or_between_rungs():
    halving = Halving(10, 2, 3)
    assert halving.judge("a", 1, 0.5) is None
    assert halving.judge("a", 2, 0.5) is not None
    assert [halving.judge("a", epoch, 0.0) for epoch in (3, 4, 5)] == [None] * 3
    assert halving.judge("a", 6, 0.5).rung == 6
    assert [halving.judge("a", epoch, 0.0) for epoch in (7, 8, 9, 10)] == [None] * 4


def test_who_was_judged_is_not_judged_again_and_keeps_its_value():
    halving = Halving(10, 1, 2)
    halving.judge("a", 1, 0.5)
    assert halving.judge("a", 1, 0.9) is None
    assert halving.judge("b", 1, 0.6).cutoff == 0.5


def test_a_trial_that_comes_back_beyond_a_rung_is_judged_at_the_last_one_behind_it_once():
    halving = Halving(30, 1, 3)
    halving.judge("a", 3, 0.5)
    assert halving.judge("b", 5, 0.4) == Decision("b", 5, 3, 0.4, 0.5, 1, "stop")
    assert halving.judge("b", 6, 0.4) is None
    assert "b" not in halving.rungs[1]


def interleaved(seed: int, trials: int, epochs: int) -> list[tuple[str, int, float]]:
    """Curves of random values, a third of them ties, all running at once in a random order."""
    generator = random.Random(seed)
    at = dict.fromkeys((f"t{number}" for number in range(trials)), 0)
    told = []
    while at:
        name = generator.choice(list(at))
        at[name] += 1
        digits = generator.choice([1, 3, 17])
        told.append((name, at[name], round(generator.random(), digits)))
        if at[name] == epochs - 1:
            del at[name]
    return told


def test_decides_as_rays_own_scheduler_on_random_curves():
    found = {GO: 0, STOP: 0}
    for seed in range(150):
        generator = random.Random(seed)
        epochs, grace, factor = (generator.randint(*of) for of in ((3, 30), (1, 3), (2, 5)))
        theirs = AsyncHyperBandScheduler(
            time_attr="epoch",
            metric="val_accuracy",
            mode="max",
            max_t=epochs,
            grace_period=grace,
            reduction_factor=factor,
        )
        ours = EarlyStopping({"alexnet": Halving(epochs, grace, factor)})
        stopped = set()
        for name, epoch, value in interleaved(seed, 12, epochs):
            if name in stopped:
                continue
            if epoch == 1:
                theirs.on_trial_add(None, trial(name))
            answer = ours.on_trial_result(None, trial(name), result(epoch, value))
            assert answer == theirs.on_trial_result(None, trial(name), result(epoch, value))
            if answer == STOP:
                stopped.add(name)
            found[answer] += len(ours.decisions())
    assert found[GO] > 1000 and found[STOP] > 500


@pytest.mark.parametrize("factor", [2, 3])
def test_recalling_half_of_the_decisions_equals_never_having_restarted(factor):
    told = interleaved(7, 30, 20)
    whole, half = Halving(20, 1, factor), Halving(20, 1, factor)
    wanted = [whole.judge(*one) for one in told]
    middle = len(told) // 2
    before = [half.judge(*one) for one in told[:middle]]
    journal = json.loads(json.dumps([asdict(d) for d in before if d]))
    again = Halving(20, 1, factor)
    again.recall(journal)
    assert before + [again.judge(*one) for one in told[middle:]] == wanted
    assert sum(d is not None for d in wanted[middle:]) > 10
    blank = Halving(20, 1, factor)
    assert [blank.judge(*one) for one in told[middle:]] != wanted[middle:]


@pytest.mark.parametrize(("trials", "factor"), [(1, 3), (2, 3), (5, 3), (14, 3), (9, 2)])
def test_the_epochs_to_expect_are_those_of_searches_whose_values_are_chance(trials, factor):
    rng, trained = np.random.default_rng(0), 0
    for _ in range(400):
        rule = Halving(5, 1, factor)
        for trial in range(trials):
            for epoch in range(1, 6):
                trained += 1
                judged = rule.judge(str(trial), epoch, rng.random())
                if judged and judged.decision == "stop":
                    break
    expected = rungs.expected(5, 1, factor, trials)
    assert expected == pytest.approx(trained / 400 / trials, rel=0.08)


def test_where_nothing_may_be_stopped_all_epochs_are_to_be_expected():
    assert rungs.expected(3, 3, 3, 4) == rungs.expected(1, 1, 2, 9.5) * 3 == 3
