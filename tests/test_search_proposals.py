import json
import shutil
import time
from collections import Counter
from pathlib import Path

import optuna
import pytest
from optuna.storages.journal import JournalFileBackend, JournalStorage
from optuna.trial import TrialState
from ray.tune.search import Searcher

from study import Mistake
from study.config.hyperparameters import Hyperparameters
from study.config.study import Study, from_dict, read_preset
from study.driver.tuner import Proposals
from study.search.proposals import Config, Optimiser, first_points, grid, suggested

PAPERS = ["alexnet", "resnet34", "cbam_resnet34"]
SPACE = {
    "lr": {"low": 0.001, "high": 0.1, "log": True},
    "batch_size": [16, 32, 64],
    "momentum": {"low": 0.5, "high": 0.9},
    "flip": 0.25,
    "alexnet": {"dropout": {"low": 0.0, "high": 0.6}},
    "cbam_resnet34": {"cbam_order": ["serial", "parallel"], "stem": "imagenet"},
}
CELLS = {
    "batch_size": [16, 32],
    "lr": 0.01,
    "alexnet": {"batch_norm": [True, False]},
    "resnet34": {"stem": ["small", "imagenet"], "dropout": [0.0, 0.2, 0.4]},
}


def study(**given) -> Study:
    return from_dict({"name": "s", "epochs": 4, "space": SPACE} | given)


def optimiser(folder: Path, **given) -> Optimiser:
    return Optimiser(study(**given), folder)


def states(found: Optimiser) -> list[TrialState]:
    return [trial.state for trial in found.optuna.trials]


def value(config: Config) -> float:
    """An invented val_accuracy: best near a learning rate of 0.01."""
    return round(0.5 - abs(config["lr"] - 0.01) + config["momentum"] / 10, 6)


def proposals(folder: Path, trials: int, restart: bool, value=value, **given) -> list[Config]:
    """Trials in pairs, told back to front: completed, stopped or failed in turn."""
    folder.mkdir()
    found, asked = optimiser(folder, **given), []
    for first in range(0, trials, 2):
        pair = []
        for _ in range(2):
            found = optimiser(folder, **given) if restart else found
            pair.append(found.ask())
        asked += pair
        for config in reversed(pair):
            found = optimiser(folder, **given) if restart else found
            name = config["trial_id"]
            found.report(name, 1, value(config))
            found.tell(name, ("completed", "completed", "stopped", "failed")[first // 2 % 4])
    return asked


def test_every_kind_of_domain_gives_values_in_range_and_plain_types(tmp_path):
    space = {
        "batch_size": {"low": 16, "high": 64},
        "image_px": {"low": 32, "high": 96, "log": True},
        "lr": {"low": 0.001, "high": 0.1, "log": True},
        "momentum": {"low": 0.5, "high": 0.9},
        "optimizer": ["sgd", "adamw"],
        "patience": [1, 2],
        "dropout": [0.1, 0.3],
        "batch_norm": [True, False],
        "flip": 0.25,
    }
    found = optimiser(tmp_path, sampler="random", models=["alexnet"], space=space)
    asked = [found.ask() for _ in range(30)]
    drawn = {name: [config[name] for config in asked] for name in asked[0]}
    assert drawn.pop("trial_id") == [f"t{number:04}" for number in range(30)]
    for name, values in drawn.items():
        assert {type(v) for v in values} == {type(getattr(Hyperparameters(), name))}, name
    for name, low, high in [
        ("batch_size", 16, 64),
        ("image_px", 32, 96),
        ("lr", 0.001, 0.1),
        ("momentum", 0.5, 0.9),
    ]:
        assert low <= min(drawn[name]) < max(drawn[name]) <= high, name
        assert len(set(drawn[name])) > 10, name
    assert sum(lr < 0.01 for lr in drawn["lr"]) in range(8, 23)  # half of them on a log axis
    for name in ("optimizer", "patience", "dropout", "batch_norm"):
        assert set(drawn[name]) == set(space[name]), name
    assert set(drawn["flip"]) == {0.25} and set(drawn["epochs"]) == {4}
    assert json.loads(json.dumps(asked)) == asked


def test_a_network_has_only_its_own_hyperparameters(tmp_path):
    found = optimiser(tmp_path, sampler="random", models=PAPERS)
    asked = [found.ask() for _ in range(12)]
    had = {
        c["model"]: {"batch_norm", "stem", "residual_init", "cbam_order", "cbam_reduction"} & set(c)
        for c in asked
    }
    assert had == {
        "alexnet": {"batch_norm"},
        "resnet34": {"stem", "residual_init"},
        "cbam_resnet34": {"stem", "residual_init", "cbam_order", "cbam_reduction"},
    }
    for config in asked:
        hp = Hyperparameters(**{k: v for k, v in config.items() if k != "trial_id"})
        searched = config["model"] == "alexnet"
        assert (hp.dropout > 0) == searched
        assert hp.stem == ("imagenet" if config["model"] == "cbam_resnet34" else "small")


@pytest.mark.parametrize("sampler", ["tpe", "random", "qmc", "grid"])
def test_a_restart_before_every_step_changes_no_proposal(tmp_path, sampler):
    given = {"sampler": sampler, "seed": 3}
    if sampler == "grid":
        given["space"] = {"momentum": [0.5, 0.7, 0.9], "lr": [0.01, 0.02, 0.03]}
    whole = proposals(tmp_path / "whole", 16, restart=False, **given)
    assert proposals(tmp_path / "cut", 16, restart=True, **given) == whole
    hyper = [{k: v for k, v in c.items() if k not in ("trial_id", "seed")} for c in whole]
    assert all(hyper.count(one) == 1 for one in hyper)


@pytest.mark.parametrize("sampler", ["tpe", "random", "qmc"])
def test_a_seed_fixes_the_proposals_and_another_changes_them(tmp_path, sampler):
    one, again, other = (
        proposals(tmp_path / name, 4, False, sampler=sampler, seed=seed)
        for name, seed in [("one", 1), ("again", 1), ("other", 2)]
    )
    assert one == again
    assert all(a["lr"] != b["lr"] for a, b in zip(one, other, strict=True))


def test_tpe_learns_from_what_it_was_told_and_random_does_not(tmp_path):
    def reverse(config: Config) -> float:
        return 1 - value(config)

    for sampler, learns in [("tpe", True), ("random", False)]:
        one, other = (
            proposals(tmp_path / f"{sampler}{told.__name__}", 30, False, told, sampler=sampler)
            for told in (value, reverse)
        )
        assert one[:10] == other[:10]  # five of each network at random
        assert (one != other) == learns


@pytest.mark.parametrize("sampler", ["tpe", "random", "qmc"])
def test_samplers_say_nothing_on_the_terminal(tmp_path, capfd, sampler):
    proposals(tmp_path / "s", 4, False, sampler=sampler)
    assert capfd.readouterr() == ("", "")


def test_qmc_spreads_its_points_more_evenly_than_chance(tmp_path):
    given = {"sampler": "qmc", "space": {"lr": SPACE["lr"], "momentum": SPACE["momentum"]}}
    asked = proposals(tmp_path / "qmc", 18, False, models=["resnet34"], **given)
    # Sobol's first 16 points hit each sixteenth once; its space is learnt from the first trial.
    momenta = [config["momentum"] for config in asked[1:17]]
    assert Counter(int((m - 0.5) / 0.4 * 16) for m in momenta) == Counter(range(16))


def test_qmc_goes_on_in_its_sequence_where_trials_have_failed(tmp_path):
    """As long as all of a network's had, it drew at random and lost the sequence's first points."""
    asked: dict[str, list[Config]] = {}
    space = {"lr": SPACE["lr"], "momentum": SPACE["momentum"]}
    for status in ("completed", "failed"):
        (tmp_path / status).mkdir()
        found = optimiser(tmp_path / status, sampler="qmc", models=["resnet34"], space=space)
        for _ in range(4):
            asked.setdefault(status, []).append(found.ask())
            name = asked[status][-1]["trial_id"]
            found.report(name, 1, 0.5)
            found.tell(name, status)
    assert asked["completed"] == asked["failed"]


def test_a_trials_seed_is_of_the_study_and_its_number(tmp_path):
    found = optimiser(tmp_path, seed=2, sampler="random")
    assert [found.ask()["seed"] for _ in range(3)] == [200_000, 200_001, 200_002]


def test_the_papers_settings_are_tried_first(tmp_path):
    preset, _ = read_preset("search", "gpu")
    found = Optimiser(from_dict({"name": "s"}, preset), tmp_path)
    asked = [found.ask() for _ in range(9)]
    assert [(c["model"], c["batch_size"], c["lr"]) for c in asked[:8]] == [
        ("alexnet", 256, 0.005),
        ("resnet34", 256, 0.005),
        ("alexnet", 128, 0.005),
        ("resnet34", 128, 0.005),
        ("alexnet", 128, 0.007),
        ("resnet34", 128, 0.007),
        ("cbam_resnet34", 128, 0.005),
        ("cbam_resnet34", 64, 0.005),
    ]
    assert asked[8]["lr"] not in (0.005, 0.007)
    assert {c["epochs"] for c in asked} == {40}


def test_what_a_setting_has_outside_the_space_is_left_to_the_sampler(tmp_path):
    settings = [
        {"name": "A", "model": "alexnet", "lr": 0.5, "batch_size": 32, "dropout": 0.5},
        {"name": "B", "model": "resnet34", "lr": 0.01},
        {"name": "C", "model": "alexnet", "lr": 0.4, "batch_size": 32, "dropout": 0.5},
    ]
    given = study(settings=settings, models=["alexnet"])
    point = {"model": "alexnet", "batch_size": 32, "alexnet.dropout": 0.5}
    assert first_points(given) == [point]
    first = Optimiser(given, tmp_path).ask()
    assert (first["batch_size"], first["dropout"]) == (32, 0.5)
    assert 0.001 <= first["lr"] <= 0.1


def test_a_crash_between_giving_a_point_and_asking_for_it_loses_none(tmp_path, monkeypatch):
    given = dict(sampler="grid", models=["alexnet"], space=CELLS)
    found = optimiser(tmp_path, **given)
    with monkeypatch.context() as patch:
        patch.setattr(type(found.optuna), "ask", None)
        with pytest.raises(TypeError):
            found.ask()
    found = optimiser(tmp_path, **given)
    asked = [found.ask() for _ in range(4)]
    cells = [(c["batch_size"], c["batch_norm"]) for c in asked]
    assert cells == [(16, True), (16, False), (32, True), (32, False)]


@pytest.mark.parametrize("sampler", ["tpe", "random", "qmc"])
def test_the_networks_take_turns_after_the_first_points(tmp_path, sampler):
    settings = [{"name": n, "model": "alexnet", "lr": lr} for n, lr in [("A", 0.01), ("B", 0.02)]]

    def alexnet_leads(config: Config) -> float:
        return 0.9 if config["model"] == "alexnet" else 0.1

    given = {"sampler": sampler, "settings": settings, "models": ["resnet34", "alexnet"]}
    asked = proposals(tmp_path / "s", 24, False, alexnet_leads, **given)
    assert [c["model"] for c in asked[:6]] == ["alexnet"] * 2 + ["resnet34"] * 2 + [
        "resnet34", "alexnet",
    ]  # fmt: skip
    assert Counter(c["model"] for c in asked) == {"alexnet": 12, "resnet34": 12}


def test_what_one_network_was_told_does_not_sway_the_proposals_for_another(tmp_path):
    """TPE within a network: another's values, however good, change nothing."""

    def but_for_alexnet(config: Config) -> float:
        return value(config) if config["model"] != "alexnet" else 1 - value(config)

    models = ["alexnet", "resnet34"]
    one, other = (
        proposals(tmp_path / told.__name__, 40, False, told, models=models)
        for told in (value, but_for_alexnet)
    )
    for model, same in [("resnet34", True), ("alexnet", False)]:
        found = ([c for c in asked if c["model"] == model] for asked in (one, other))
        assert (next(found) == next(found)) == same


def test_a_lock_that_a_killed_driver_left_is_not_waited_for(tmp_path, monkeypatch):
    def waited(seconds: float) -> None:
        raise AssertionError("Optuna waits for its lock")

    optimiser(tmp_path).ask()
    monkeypatch.setattr(time, "sleep", waited)
    for left in (Path.touch, lambda path: path.symlink_to(tmp_path / "optuna.log")):
        left(tmp_path / "optuna.log.lock")
        assert optimiser(tmp_path).ask()["trial_id"] > "t0000"


def test_optunas_own_backend_reads_the_log_and_ours_goes_on_with_one_that_it_wrote(tmp_path):
    ours = optimiser(tmp_path)
    ours.ask()
    ours.report("t0000", 1, 0.25)
    log = tmp_path / "optuna.log"
    theirs = optuna.load_study(
        study_name=ours.study.name, storage=JournalStorage(JournalFileBackend(str(log)))
    )
    assert theirs.trials == ours.optuna.trials
    assert theirs.trials[0].intermediate_values == {1: 0.25}
    theirs.tell(0, 0.5)
    again = optimiser(tmp_path)
    assert again.optuna.trials == theirs.trials
    assert again.ask()["trial_id"] == "t0001"


def test_grid_covers_each_cell_exactly_once(tmp_path):
    found = optimiser(tmp_path, sampler="grid", space=CELLS, models=PAPERS)
    assert len(grid(found.study)) == 4 + 12 + 2
    asked = [found.ask() for _ in range(18)]
    names = ("model", "batch_size", "dropout", "batch_norm", "stem")
    cells = Counter(tuple(config.get(name) for name in names) for config in asked)
    wanted = [("alexnet", b, 0.0, norm, None) for b in (16, 32) for norm in (True, False)]
    wanted += [
        ("resnet34", b, drop, None, stem)
        for b in (16, 32)
        for stem in ("small", "imagenet")
        for drop in (0.0, 0.2, 0.4)
    ]
    wanted += [("cbam_resnet34", b, 0.0, None, "small") for b in (16, 32)]
    assert cells == Counter(wanted)


def test_grid_over_a_range_is_refused_with_a_way_out():
    with pytest.raises(Mistake) as caught:
        grid(study(space={"weight_decay": {"low": 0.001, "high": 0.1}}))
    assert str(caught.value) == (
        "weight_decay is a range from 0.001 to 0.1, which a grid can't walk: give values, for "
        "example --weight-decay 0.001,0.1, or another --sampler"
    )


def test_states_are_told_and_none_stays_running(tmp_path):
    found = optimiser(tmp_path)
    told = [
        ("completed", [0.3, 0.5, 0.4]),
        ("stopped", [0.2, 0.1]),
        ("stopped", []),
        ("failed", [0.9]),
        ("failed", []),
    ]
    for status, values in told:
        name = found.ask()["trial_id"]
        for epoch, accuracy in enumerate(values, 1):
            found.report(name, epoch, accuracy)
        found.tell(name, status)
    trials = optimiser(tmp_path).optuna.trials
    assert [(t.state.name, t.value) for t in trials] == [
        ("COMPLETE", 0.4),
        ("PRUNED", 0.1),
        ("FAIL", None),
        ("FAIL", None),
        ("FAIL", None),
    ]
    assert trials[0].intermediate_values == {1: 0.3, 2: 0.5, 3: 0.4}


def test_what_was_told_before_a_restart_may_be_told_again(tmp_path):
    found = optimiser(tmp_path)
    name = found.ask()["trial_id"]
    found.report(name, 1, 0.3)
    found.report(name, 1, 0.7)
    found.tell(name, "completed")
    again = optimiser(tmp_path)
    again.report(name, 1, 0.9)
    again.report(name, 2, 0.9)
    again.tell(name, "failed")
    (trial,) = again.optuna.trials
    assert (trial.state, trial.value) == (TrialState.COMPLETE, 0.3)
    assert trial.intermediate_values == {1: 0.3}


def test_asked_counts_proposals_and_not_what_waits(tmp_path):
    found = optimiser(tmp_path, sampler="grid", space=CELLS)
    found.optuna.enqueue_trial({})
    assert (len(states(found)), found.asked()) == (1, 0)
    found.ask()
    name = found.ask()["trial_id"]
    found.tell(name, "failed")
    assert found.asked() == optimiser(tmp_path, sampler="grid", space=CELLS).asked() == 2


def test_left_over_is_what_the_journal_does_not_know(tmp_path):
    found = optimiser(tmp_path)
    asked = [found.ask() for _ in range(4)]
    found.tell("t0000", "failed")
    again = optimiser(tmp_path)
    assert again.left_over({"t0000", "t0001", "t0003"}) == [asked[2]]
    assert again.left_over({"t0000", "t0001", "t0002", "t0003"}) == []
    assert optimiser(tmp_path).left_over({"t0000"}) == asked[1:]


def test_a_proposal_cut_short_by_a_crash_is_made_whole(tmp_path, monkeypatch):
    calls = []

    def cut(study, trial):
        calls.append(trial)
        if len(calls) == 1:  # the sampler's own study
            return suggested(study, trial)
        trial.suggest_categorical("model", study.models)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("study.search.proposals.suggested", cut)
        with pytest.raises(KeyboardInterrupt):
            optimiser(tmp_path).ask()
    shutil.copytree(tmp_path, tmp_path / "copy")
    again = optimiser(tmp_path)
    (config,) = again.left_over(set())
    assert optimiser(tmp_path / "copy").left_over(set()) == [config]
    assert config["model"] == again.optuna.trials[0].params["model"]
    assert config["trial_id"] == "t0000" and 0.001 <= config["lr"] <= 0.1
    assert optimiser(tmp_path).left_over(set()) == [config]
    assert again.ask()["trial_id"] == "t0001"


def test_a_log_of_optuna_that_was_cut_short_goes_on(tmp_path):
    found = optimiser(tmp_path)
    first = found.ask()
    log = tmp_path / "optuna.log"
    whole = log.read_bytes()
    found.report("t0000", 1, 0.5)
    log.write_bytes(log.read_bytes()[:-5])
    again = optimiser(tmp_path)
    assert log.read_bytes().startswith(whole) and log.read_bytes().endswith(b"}\n")
    assert all(map(json.loads, log.read_bytes().splitlines()))
    again.report("t0000", 1, 0.5)
    again.tell("t0000", "completed")
    last = optimiser(tmp_path)
    assert (states(last), last.optuna.best_value) == ([TrialState.COMPLETE], 0.5)
    assert first["trial_id"] == "t0000" and last.ask()["trial_id"] == "t0001"


def test_ray_gets_what_is_unfinished_first_and_then_new_proposals_until_there_are_none():
    fresh = iter([{"trial_id": "t0002"}, None])
    found = Proposals([{"trial_id": "t0000"}, {"trial_id": "t0001"}], lambda: next(fresh))
    given = [found.suggest(f"ray{number}") for number in range(4)]
    assert [c["trial_id"] for c in given[:3]] == ["t0000", "t0001", "t0002"]
    assert given[3] == Searcher.FINISHED


def test_ray_keeps_nothing_of_a_search(tmp_path):
    found = Proposals([{"trial_id": "t0000"}], lambda: None)
    found.on_trial_complete("ray0", {"val_accuracy": 0.5})
    found.save(str(tmp_path / "searcher"))
    assert found.__getstate__() == {} and list(tmp_path.iterdir()) == []
    with pytest.raises(NotImplementedError, match="a study goes on from its journal"):
        found.restore(str(tmp_path / "searcher"))
