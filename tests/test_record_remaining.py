"""How long a study will still take."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from fer_record import remaining
from fer_record.tables import Tables
from study.config.study import from_dict, to_dict

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
SIZES = {"alexnet": 10, "resnet34": 40, "cbam_resnet34": 60}
NETWORKS = {model: [{"multiply_adds": size}] for model, size in SIZES.items()}


def told(*events: tuple) -> Tables:
    """Tables of (second after noon, event, trial, ...): its network, its epoch, or how it ended."""
    tables = Tables()
    for second, name, trial, *more in events:
        event = {"event": name, "trial_id": trial}
        event["time"] = (NOON + timedelta(seconds=second)).isoformat()
        if name == "trial_started":
            hp = {"model": more[0], "epochs": 10}
            stage = "confirm" if "-s" in trial else "search"
            event |= {"stage": stage, "setting": "", "gpus": 0.0, "hp": hp}
        elif name == "epoch_done":
            event |= {
                "epoch": more[0],
                "epoch_seconds": more[1],
                "node": "n",
                "device": "d",
                "microbatches": 1,
            }
        elif name == "trial_ended":
            event |= {"status": more[0], "reason": ""}
        elif name == "chosen":
            del event["trial_id"]
            event |= {"setting": trial, "hp": {"model": trial, "epochs": more[0]}}
        tables.add(event)
    return tables


def left(tables: Tables, now: float, slots: int = 2, answers: float = 0.0, paces=(), **given):
    study = from_dict({"models": ["alexnet"], "epochs": 10, "stages": ["search"]} | given)
    answered = {"counts": {"val": {"a": 60 * answers}}, "images": {"train": 20, "test": 0}}
    header = {"study": to_dict(study), "networks": NETWORKS, "data": answered}
    header |= {"trials_at_once": slots, "seconds_per_epoch": dict(paces)}
    return remaining.seconds(header, tables, NOON + timedelta(seconds=now))


ONE = (0, "trial_started", "t0000", "alexnet"), (0, "trial_started", "t0001", "alexnet")
# one trial has ended after 4 epochs of 6 s, one has just done its first
SEARCH = told(
    *ONE,
    *((6 * n, "epoch_done", "t0000", n, 6.0) for n in range(1, 5)),
    (24, "trial_ended", "t0000", "stopped"),
    (24, "epoch_done", "t0001", 1, 6.0),
)


def test_nothing_is_known_before_the_first_epoch():
    assert left(told(), 0) is left(told(*ONE), 5) is None


def test_a_pace_measured_before_is_believed_until_an_epoch_of_the_network_is_seen():
    known = {"slots": 1, "trials": 2, "paces": {"alexnet": 3.0}}
    # rungs are at 1, 3 and 9, and the second of two goes on past each half of the time it is there
    assert left(told(), 0, **known) == 2 * 3.0 + 1.5 * 2 * 3.0 + 1.25 * 6 * 3.0 + 1.125 * 3.0
    assert left(SEARCH, 24, **known) == left(SEARCH, 24, slots=1, trials=2)


def test_the_epochs_left_at_the_pace_so_far_by_as_many_at_once_as_fit():
    # 3 epochs of the one at work, 4 of each of the two to come: the last begins after 18 s
    assert left(SEARCH, 24, trials=4) == 42.0
    assert left(SEARCH, 24, trials=4, slots=1) == 66.0
    assert left(SEARCH, 24, trials=4, slots=100) == 24.0, "no less than the longest"


def test_it_counts_down_between_the_epochs():
    times = [left(SEARCH, 24 + second, trials=2) for second in range(8)]
    assert times == [18.0, 17.0, 16.0, 15.0, 14.0, 13.0, 12.0, 12.0]
    assert times[6] == times[7] == 12.0, "an epoch that is due may end at any moment"


def test_where_no_epoch_comes_in_time_nobody_can_say():
    assert left(SEARCH, 24 + 12, trials=2) == 12.0
    assert left(SEARCH, 24 + 13, trials=2) is None
    assert left(SEARCH, 24 + 13, trials=2, stages=["search", "confirm"]) is None


def test_a_trial_of_an_earlier_driver_is_silent_since_this_one_began():
    tables = replace(SEARCH, began=NOON + timedelta(hours=9))
    assert left(tables, 9 * 3600 + 2, trials=2) == 16.0


def test_the_pace_is_that_of_the_newest_driver_which_may_train_with_other_cores():
    """It was the mean over all drivers: after --resume --cpus-per-trial long nobody could say."""
    hour = NOON + timedelta(hours=1)
    tables = replace(SEARCH, began=hour, epochs=dict(SEARCH.epochs), last=dict(SEARCH.last))
    assert left(tables, 3600, trials=2) == 18.0, "as before, until an epoch of this one"
    row = {"epoch": 2, "epoch_seconds": 1.0, "gpus": 0.0, "finished_at": hour}
    tables.epochs["t0001", 2] = tables.last["t0001"] = row
    assert left(tables, 3600, trials=2) == 2.0


def test_where_no_driver_has_told_how_many_trials_fit_it_is_those_at_work():
    """A study that an older version began."""
    header = {"study": to_dict(from_dict({"models": ["alexnet"], "stages": ["search"]}))}
    two = left(told(*ONE, (6, "epoch_done", "t0000", 1, 6.0)), 6, epochs=30)
    tables = told(*ONE, (6, "epoch_done", "t0000", 1, 6.0))
    assert remaining.seconds(header, tables, NOON + timedelta(seconds=6)) == two > 0


def test_it_is_of_the_search_the_confirmation_and_the_answers():
    # two trials of alexnet stay 4 epochs each, side by side; then 3 seeds of 10 epochs, of which
    # the last begins after 60 s; then 3 answers of half an epoch, likewise
    both = {"stages": ["search", "confirm"], "seeds": 3, "trials": 1}
    done = told(
        *ONE[:1],
        *((6 * n, "epoch_done", "t0000", n, 6.0) for n in range(1, 5)),
        (24, "trial_ended", "t0000", "stopped"),
    )
    assert left(done, 24, answers=0.5, **both) == 120.0 + 6.0
    assert left(done, 24, answers=0.5, **both | {"trials": 3}) == 24.0 + 120.0 + 6.0
    tables = told(
        *ONE[:1],
        (6, "epoch_done", "t0000", 1, 6.0),
        (6, "chosen", "alexnet", 5),
        (6, "trial_started", "alexnet-s0", "alexnet"),
        (12, "epoch_done", "alexnet-s0", 1, 6.0),
    )
    tables.trials["t0000"]["status"] = "completed"
    assert left(tables, 12, slots=1, **both) == 4 * 6 + 2 * 30, "no longer the search"
    tables.trials["alexnet-s0"]["status"] = "completed"
    tables.opened.append("alexnet-s0")
    assert left(tables, 12, slots=1, answers=0.5, **both) == 2 * 30 + 2 * 3
    only = {"stages": ["confirm"], "settings": [{"name": "A", "model": "alexnet", "epochs": 3}]}
    tables = told((0, "trial_started", "A-s0", "alexnet"), (2, "epoch_done", "A-s0", 1, 2.0))
    assert left(tables, 2, slots=1, seeds=2, **only) == 2 * 2 + 3 * 2


def test_each_network_has_its_own_pace_and_one_not_seen_yet_that_of_its_size():
    three = {"models": list(SIZES), "trials": 3, "epochs": 2}
    tables = told((0, "trial_started", "t0000", "alexnet"), (5, "epoch_done", "t0000", 1, 5.0))
    assert left(tables, 5, slots=1, **three) == 5 + 2 * 20 + 2 * 30
    tables.add(
        {
            "event": "trial_started",
            "time": NOON.isoformat(),
            "trial_id": "t0001",
            "stage": "search",
            "setting": "",
            "gpus": 0.0,
            "hp": {"model": "resnet34"},
        }
    )
    tables.add(
        {
            "event": "epoch_done",
            "time": (NOON + timedelta(seconds=5)).isoformat(),
            "trial_id": "t0001",
            "epoch": 1,
            "epoch_seconds": 100.0,
            "node": "n",
            "device": "d",
            "microbatches": 1,
        }
    )
    assert left(tables, 5, slots=1, **three) == 5 + 100 + 2 * (30 + 150) / 2


@pytest.mark.parametrize(("budget", "seconds"), [(100.0, 42.0), (40.0, 16.0), (10.0, 0.0)])
def test_a_budget_ends_it_before(budget, seconds):
    SEARCH.wall_seconds = 24.0
    assert left(SEARCH, 24, trials=4, time_budget=budget) == seconds
    SEARCH.wall_seconds = 0.0


@pytest.mark.parametrize(("spent", "seconds"), [(0.0, 42.0), (3590.0, 20.0), (9999.0, 0.0)])
def test_gpu_hours_end_it_before_at_the_rate_of_the_trials_at_work(spent, seconds):
    """It told the whole of a study that its budget ends long before."""
    tables = replace(SEARCH, gpu_seconds=spent, last=dict(SEARCH.last))
    tables.last["t0001"] = tables.last["t0001"] | {"gpus": 0.5}
    whole = left(tables, 24, trials=4)
    assert left(tables, 24, trials=4, gpu_hours=1.0) == min(whole, seconds)


def test_a_budget_is_spent_between_the_events_too():
    """What was left of it stood still during an epoch."""
    tables = replace(SEARCH, wall_seconds=24.0, moment=NOON + timedelta(seconds=24))
    assert [left(tables, 24 + second, trials=4, time_budget=40.0) for second in (0, 5)] == [16, 11]
    assert remaining.spent(tables, NOON) == 24.0, "by a clock that is behind"
    assert remaining.spent(Tables(), NOON) == 0.0


def test_the_best_is_confirmed_before_what_is_beside_it_seed_by_seed_the_longest_first():
    """In the order of --models the last and longest one trained alone, the other core idle; and
    with a search's defaults among the first seeds a budget cut the best's own."""
    seconds = {"alexnet": 8.0, "resnet34": 6.0, "cbam_resnet34": 9.0}
    tables = told(
        *((number, "trial_started", f"t{number}", model) for number, model in enumerate(seconds)),
        *((9, "epoch_done", f"t{n}", 1, each) for n, each in enumerate(seconds.values())),
    )
    given = {"models": [*seconds], "epochs": 10, "seeds": 3, "baseline_seeds": 2}
    study = to_dict(from_dict(given))
    longest = ["cbam_resnet34", "alexnet", "resnet34"]
    best = [f"{model}-s{n}" for n in range(3) for model in longest]
    others = [f"{model}-default-s{n}" for n in range(2) for model in longest]

    def order() -> list[str]:
        return [
            name for name, _, _ in remaining.in_order(study, tables, remaining.pace({}, tables))
        ]

    assert order() == best + others, "before anything is chosen"
    for model in seconds:
        hp = {"model": model, "epochs": 10}
        tables.chosen[model] = {"hp": hp}
        tables.chosen[f"{model}-default"] = {"hp": hp, "beside": model}
    assert order() == best + others
    tables.trials["alexnet-s0"] = {"stage": "confirm", "status": "completed"}
    assert order() == [name for name in best + others if name != "alexnet-s0"]


def test_a_network_whose_layers_count_no_multiply_adds_is_as_slow_as_the_others():
    """One of one's own, of parameters alone: the first of its epochs ended the study."""
    sizes = {"own": 0, "alexnet": 5, "resnet34": 50}
    assert remaining.Pace({"own": 2.0}, sizes).of("alexnet") == 2.0
    two = remaining.Pace({"own": 2.0, "alexnet": 4.0}, sizes)
    assert two.of("own") == 2.0 and two.of("resnet34") == 40.0
    assert remaining.Pace({"alexnet": 4.0}, sizes).of("own") == 4.0
    assert remaining.Pace({"alexnet": 4.0, "own": 2.0}, {}).of("resnet34") == 3.0


def test_settings_are_confirmed_in_the_order_in_which_they_were_given():
    settings = [
        {"name": name, "model": model} for name, model in (("A", "alexnet"), ("B", "resnet34"))
    ]
    study = to_dict(from_dict({"stages": ["confirm"], "settings": settings, "seeds": 2}))
    jobs = remaining.in_order(study, told(), remaining.Pace({"alexnet": 1.0, "resnet34": 2.0}, {}))
    assert [name for name, _, _ in jobs] == ["A-s0", "B-s0", "A-s1", "B-s1"]
