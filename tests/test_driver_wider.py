"""A study that goes on with a wider space or more epochs; where that isn't sound, a sentence."""

import pytest
from test_record_tables import at, done, ended, started

from fer_record.tables import Tables
from study import Mistake
from study.config import flags
from study.config.hyperparameters import Hyperparameters, present
from study.config.study import Study, from_dict
from study.driver import wider
from study.driver.scheduling import asha
from study.search.proposals import Optimiser

SPACE = {"lr": {"low": 0.01, "high": 0.1, "log": True}, "batch_size": [16, 32], "momentum": 0.9}


def study(**given) -> Study:
    raw = {"name": "s", "epochs": 4, "trials": 6, "models": ["alexnet"], "space": SPACE}
    return from_dict(raw | given)


def trials(*states: str, chosen=False, **given) -> Tables:
    """A search's, two epochs each."""
    values = {"epochs": 4, "batch_size": 16, "lr": 0.02, "schedule": "plateau", **given}
    hp = present(Hyperparameters(model="alexnet", **values))
    events = [at(0, "driver_started", host="a", pid=1, resumed=False)]
    for number, state in enumerate(states):
        name = f"t{number:04d}"
        events += [started(1, name, hp), done(2, name, 1, 0.2), done(2, name, 2, 0.3)]
        events += [ended(3, name, state)] * (state != "running")
    events += [at(4, "chosen", setting="alexnet", from_trial="t0000", hp=hp)] * chosen
    return Tables.of(events)


def changed(before: Study, tables: Tables, **given: str) -> list[dict]:
    return wider.changes(before, flags.with_flags(before, given), given, tables)


def test_what_was_widened_is_kept_with_the_trials_before_it():
    given = {"lr": "0.001:1:log", "batch_size": "16,32,64", "momentum": "0.5:0.9", "trials": "9"}
    (one,) = changed(study(), trials("stopped", "running"), **given)
    assert one["trials"] == 2 and one["what"] == {
        "trials": ["6", "9"],
        "lr": ["searched from 0.01 to 0.1, log", "searched from 0.001 to 1, log"],
        "batch_size": ["searched: 16,32", "searched: 16,32,64"],
        "momentum": ["0.9", "searched from 0.5 to 0.9"],
    }
    assert wider.words(one).startswith("after 2 trials: trials 6, now 9; lr searched from ")
    assert wider.words(one | {"trials": 1}).startswith("after 1 trial: ")


def test_the_same_again_and_a_study_without_trials_have_changed_nothing():
    assert changed(study(), trials("stopped"), lr="0.01:0.1:log") == []
    assert changed(study(), trials(), lr="0.001:1:log") == []


UNSOUND = [
    ({"lr": "0.02:1:log"}, {}, {}, "--lr can't change from searched from 0.01 to 0.1, log to"),
    ({"lr": "0.01,0.1"}, {}, {}, "a space only gets wider"),
    ({"batch_size": "16,64"}, {}, {}, "a space only gets wider"),
    ({"momentum": "0.8"}, {}, {}, "a space only gets wider"),
    ({"lr": "0.001:1"}, {"sampler": "qmc"}, {}, "sampler qmc fills the space"),
    ({"lr": "0.001:1"}, {}, {"chosen": True}, "has been chosen"),
    ({"lr": "0.001:1"}, {"stages": ["confirm"]}, {}, "nothing is searched"),
    ({"epochs": "8"}, {}, {"schedule": "cosine"}, "t0000 was trained with schedule cosine"),
    ({"epochs": "8"}, {}, {"schedule": "step"}, "t0000 was trained with schedule step"),
    ({"epochs": "3"}, {}, {}, "--epochs can't change from 4 to 3: 2 trials have begun"),
    ({"epochs": "8"}, {}, {"chosen": True}, "has been chosen"),
]


@pytest.mark.parametrize(("given", "of_study", "of_trials", "why"), UNSOUND)
def test_what_is_not_sound_is_refused_in_a_sentence(given, of_study, of_trials, why):
    with pytest.raises(Mistake) as caught:
        changed(study(**of_study), trials("stopped", "running", **of_trials), **given)
    assert why in str(caught.value) and "start another" in str(caught.value)


def test_a_trial_that_has_done_all_its_epochs_cannot_get_more():
    with pytest.raises(Mistake, match="t0001 has done all its 4 epochs"):
        changed(study(), trials("stopped", "completed"), epochs="8")


def test_more_epochs_go_to_what_runs_and_add_rungs_above():
    tables = trials("stopped", "running")
    (one,) = changed(study(), tables, epochs="30")
    assert one["what"] == {"epochs": ["4", "30"]}
    tables.add(at(5, "rung_judged", trial_id="t0001", epoch=1, rung=1, value=0.2, cutoff=None,
                  trials_at_rung=0, decision="continue"))  # fmt: skip
    rungs = asha(flags.with_flags(study(), {"epochs": "30"}), tables).rules["alexnet"].rungs
    assert [*rungs] == [1, 3, 9, 27] and rungs[1] == {"t0001": 0.2}
    tables.add(at(6, "trial_continued", trial_id="t0001", epochs=30))
    assert tables.trials["t0001"]["hp_epochs"] == 30
    assert tables.trials["t0000"]["hp_epochs"] == 4, "who was stopped stays as it was"


def asked(optimiser: Optimiser, many: int) -> list[dict]:
    return [optimiser.ask() for _ in range(many)]


def rows(configs: list[dict]) -> dict[str, dict]:
    """As the journal has what was asked for."""
    found = {}
    for one in configs:
        hp = {f"hp_{k}": v for k, v in one.items() if k != "trial_id"}
        found[one["trial_id"]] = hp | {"trial_id": one["trial_id"], "status": "running"}
    return found


@pytest.mark.parametrize("sampler", ["tpe", "random"])
def test_the_sampler_goes_on_in_the_wider_space(tmp_path, capsys, sampler):
    before = study(sampler=sampler)
    first = Optimiser(before, tmp_path)
    old = asked(first, 6)
    for one in old:
        first.report(one["trial_id"], 4, 0.5)
        first.tell(one["trial_id"], "completed")
    given = {"lr": "0.0001:1:log", "batch_size": "16,32,64", "momentum": "0.5:0.9"}
    after = flags.with_flags(before, given)
    again = Optimiser(after, tmp_path, rows(old))
    assert (
        "is written anew from the journal: the space that is searched has changed"
        in capsys.readouterr().out
    )
    assert [again.point(row)["lr"] for row in rows(old).values()] == [one["lr"] for one in old]
    for one in old:
        again.report(one["trial_id"], 4, 0.5)
        again.tell(one["trial_id"], "completed")
    new = asked(again, 24)
    assert [one["trial_id"] for one in new] == [f"t{n:04d}" for n in range(6, 30)]
    assert any(not 0.01 <= one["lr"] <= 0.1 for one in new)
    assert any(one["batch_size"] == 64 for one in new) and len({o["momentum"] for o in new}) > 9
    every = rows(old + new)
    assert Optimiser(after, tmp_path, every).difference(every) == ""


def test_a_log_that_only_the_space_makes_another_is_made_anew(tmp_path, capsys):
    old = asked(Optimiser(study(), tmp_path), 2)
    Optimiser(study(), tmp_path, rows(old))
    assert capsys.readouterr().out == ""
    after = flags.with_flags(study(), {"lr": "0.001:1:log"})
    Optimiser(after, tmp_path, rows(old))
    assert "the space that is searched has changed" in capsys.readouterr().out


def test_a_trial_that_was_proposed_and_not_begun_is_proposed_in_the_wider_space(tmp_path):
    asked(Optimiser(study(), tmp_path), 1)
    after = flags.with_flags(study(), {"batch_size": "16,32,64"})
    assert Optimiser(after, tmp_path, {}).left_over(set()) == []


def test_a_wider_grid_tries_what_it_has_not_tried(tmp_path):
    cells = {"batch_size": [16, 32], "momentum": 0.9}
    before = study(sampler="grid", space=cells)
    old = asked(Optimiser(before, tmp_path), 2)
    after = flags.with_flags(before, {"batch_size": "8,16,32", "momentum": "0.5,0.9"})
    again = Optimiser(after, tmp_path, rows(old))
    new = asked(again, 4)
    points = [(one["batch_size"], one["momentum"]) for one in old + new]
    assert points == [(16, 0.9), (32, 0.9), (8, 0.5), (8, 0.9), (16, 0.5), (32, 0.5)]
