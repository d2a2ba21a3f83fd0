"""--from: which trials of earlier studies fit, and what the sampler makes of them."""

import json
from pathlib import Path

import pytest
from test_record_tables import at, done, ended, started

from fer_record.tables import Tables
from study import Mistake
from study.config.hyperparameters import Hyperparameters, present
from study.config.study import Study, from_dict, recorded, to_dict
from study.driver import prepare
from study.search import earlier
from study.search.proposals import Optimiser

SPACE = {
    "lr": {"low": 0.001, "high": 0.1, "log": True},
    "batch_size": [16, 32],
    "alexnet": {"dropout": {"low": 0.0, "high": 0.6}},
}
ROOT = Path(__file__).parents[1]


def study(**given) -> Study:
    raw = {"name": "s", "epochs": 4, "models": ["alexnet", "resnet34"], "space": SPACE}
    return from_dict(raw | given)


def header(**given) -> dict:
    return {"study": to_dict(study()) | given, "data": {"digest": "d"}}


def hp(**given) -> dict:
    values = {"model": "alexnet", "epochs": 4, "batch_size": 16, "lr": 0.01, "dropout": 0.5}
    return present(Hyperparameters(**{**values, **given}))


def trials(*rows) -> Tables:
    """Of a search: each row is hyperparameters, how it ended and its accuracies."""
    events = [at(0, "driver_started", host="a", pid=1, resumed=False)]
    for number, (values, status, curve) in enumerate(rows):
        name = f"t{number:04d}"
        events.append(started(1, name, values))
        events += [done(2, name, epoch, value) for epoch, value in enumerate(curve, 1)]
        events += [ended(3, name, status)] * (status != "running")
    return Tables.of(events)


OLD = [
    (hp(), "completed", [0.1, 0.2, 0.3, 0.4]),
    (hp(lr=0.02), "stopped", [0.2]),
    (hp(), "failed", [0.1]),
    (hp(), "running", [0.1]),
    (hp(), "stopped", []),
    (hp(lr=0.5), "completed", [0.1] * 4),
    (hp(momentum=0.5), "completed", [0.1] * 4),
    (hp(epochs=9), "completed", [0.1] * 9),
    (hp(model="cbam_resnet34", dropout=0.0), "completed", [0.1] * 4),
]


def test_what_does_not_fit_is_counted_by_its_reason():
    found = earlier.record(study(), "d", "runs/old", header(), trials(*OLD))
    assert [one["trial_id"] for one in found["known"]] == ["t0000", "t0001"]
    assert earlier.words(found) == (
        "2 of 9 trials of runs/old are known to the sampler; 7 left out: 1 failed, 1 not ended, "
        "1 without a finished epoch, 2 outside the space, 1 of other epochs, 1 of another network"
    )


OTHERS = [
    ({"data": {"digest": "e"}}, "of another data set"),
    ({"study": header(metric="macro_f1")["study"]}, "of another metric"),
    ({"study": header(train_images=99)["study"]}, "of another part of the images"),
    ({"study": header(val_copies="with")["study"]}, "judged with copies in val"),
]


@pytest.mark.parametrize(("other", "why"), OTHERS)
def test_nothing_is_known_of_other_images(other, why):
    found = earlier.record(study(), "d", "runs/old", header() | other, trials(*OLD))
    assert found["known"] == [] and found["left_out"] == {why: 9}


def test_a_part_of_the_images_is_the_same_with_the_same_seed_alone():
    part = {"train_images": 99, "seed": 3}
    words = [
        earlier.other_question(study(train_images=99, seed=seed), "d", header(**part))
        for seed in (3, 4)
    ]
    assert words == ["", "of another part of the images"]


def test_where_val_has_no_copies_it_is_the_same_with_and_without():
    none = {"digest": "d", "val_duplicates": 0, "val_near_copies": 0}
    for data, why in ((none, ""), (none | {"val_near_copies": 1}, "judged with copies in val")):
        old = header(val_copies="with") | {"data": data}
        assert earlier.other_question(study(), "d", old) == why


def test_a_network_of_ones_own_is_the_same_if_its_code_is():
    one = {"name": "Mine", "source": "a.py:Mine", "code": "x", "digest": "0"}
    assert earlier.code("Mine", [one]) != earlier.code("Mine", [one | {"code": "y"}])
    assert earlier.code("Mine", [one]) != earlier.code("Mine", [one | {"digest": "1"}])
    elsewhere = one | {"source": "/b/a.py:Mine"}  # was told to be another network
    assert earlier.code("Mine", [one]) == earlier.code("Mine", [elsewhere])
    assert earlier.code("alexnet", [one]) is None


def test_known_trials_are_as_optuna_would_have_made_them(tmp_path):
    """With the very distributions that its own trials have, else TPE would pass them over."""
    record = earlier.record(study(), "d", "runs/old", header(), trials(*OLD))
    record = json.loads(json.dumps(record))  # as study.json gives it back
    known = [*earlier.trials(study(), "alexnet", [record])]
    asked = Optimiser(study(), tmp_path)
    asked.ask()
    own = dict(asked.optuna.trials[0].distributions)
    del own["model"]
    assert [one.distributions for one in known] == [own, own]
    assert [one.params for one in known] == [
        {"lr": lr, "batch_size": 16, "alexnet.dropout": 0.5} for lr in (0.01, 0.02)
    ]
    assert known[0].value == 0.4 and known[1].state.name == "PRUNED"
    assert known[0].intermediate_values == {1: 0.1, 2: 0.2, 3: 0.3, 4: 0.4}
    assert [*earlier.trials(study(), "resnet34", [record])] == []


def test_the_sampler_proposes_near_what_was_good_before(tmp_path):
    """Not in the first trials of an own start, which are drawn at random."""
    rows = [
        (hp(lr=lr, dropout=0.1), "completed", [0.1] * 3 + [0.9 if 0.02 < lr < 0.03 else 0.2])
        for lr in [0.001 * 1.12**k for k in range(40)]
    ]
    record = earlier.record(study(), "d", "runs/old", header(), trials(*rows))
    assert len(record["known"]) == 40
    near = []
    for name, known in (("alone", ()), ("knowing", [record])):
        (tmp_path / name).mkdir()
        asked = Optimiser(study(models=["alexnet"]), tmp_path / name, known=known)
        near.append(sum(0.01 < asked.ask()["lr"] < 0.06 for _ in range(12)))
    assert near[1] > near[0]


def test_what_an_earlier_study_of_the_same_seed_has_tried_is_not_tried_again(tmp_path):
    """Few trials known, its first points and its random draws came again, number by number: on a
    CPU the default study, begun from its predecessor, trained the very same networks."""
    settings = [{"name": m, "model": m, "lr": 0.02} for m in ("alexnet", "resnet34")]
    given = study(settings=settings)

    def six(name: str, known=()) -> list[dict]:
        (tmp_path / name).mkdir()
        search = Optimiser(given, tmp_path / name, known=known)
        return [{k: v for k, v in search.ask().items() if k != "seed"} for _ in range(6)]

    first = six("first")
    rows = [
        ({k: v for k, v in one.items() if k != "trial_id"}, "completed", [0.1] * 4) for one in first
    ]
    record = earlier.record(given, "d", "runs/old", header(name="old"), trials(*rows))
    assert len(record["known"]) == 6
    again = six("again", [record])
    assert [one["lr"] for one in first[:2]] == [0.02, 0.02]
    assert not {one["lr"] for one in first} & {one["lr"] for one in again}
    assert [one["model"] for one in again] == ["alexnet", "resnet34"] * 3
    assert six("as_well", [record]) == again and six("other", [record | {"study": "x"}]) != again


def folder(tmp_path, *rows):
    made = tmp_path / "old"
    made.mkdir()
    (made / "study.json").write_text(json.dumps(header()))
    events = [at(0, "driver_started", host="a", pid=1, resumed=False)]
    for number, (values, status, curve) in enumerate(rows):
        name = f"t{number:04d}"
        events += [started(1, name, values), *(done(2, name, 1, v) for v in curve)]
        events += [ended(3, name, status)]
    (made / "events.jsonl").write_text("".join(f"{json.dumps(one)}\n" for one in events))
    return str(made)


REFUSED = [
    ({"sampler": "random"}, "sampler random proposes the same whatever it knows"),
    ({"stages": ["confirm"]}, "nothing is searched"),
    ({"epochs": 5}, "none fits (0 of 1 trial of"),
]


@pytest.mark.parametrize(("given", "why"), REFUSED)
def test_what_would_do_nothing_is_refused(tmp_path, given, why):
    old = folder(tmp_path, (hp(), "stopped", [0.2]))
    with pytest.raises(Mistake) as caught:
        prepare.earlier_trials(study(**given), old, "d")
    assert "--from does nothing here" in str(caught.value) and why in str(caught.value)


def test_a_study_given_twice_and_none_at_all(tmp_path):
    old = folder(tmp_path, (hp(), "stopped", [0.2]))
    with pytest.raises(Mistake, match="expected each study once"):
        prepare.earlier_trials(study(), f"{old},{old}/../old", "d")
    with pytest.raises(Mistake, match=r"holds no study\.json"):
        prepare.earlier_trials(study(), str(tmp_path / "nowhere"), "d")
    assert prepare.earlier_trials(study(), "", "d") == {}
    (one,) = prepare.earlier_trials(study(), old, "d")["earlier"]
    assert one["study"] == "s" and len(one["known"]) == 1


def test_a_published_study_is_read_from_its_tables():
    path = ROOT / "results" / "published" / "search"
    head = json.loads((path / "study.json").read_text())
    asked = {k: v for k, v in head["study"].items() if k != "preset"}
    same = recorded(head | {"study": asked})
    found = prepare.earlier_trials(same, str(path), head["data"]["digest"])["earlier"][0]
    assert found["trials"] == same.trials and found["known"]
    assert set(found["left_out"]) <= {"failed", "outside the space"}
    model = found["known"][0]["hp"]["model"]
    assert [*earlier.trials(same, model, [found])]
