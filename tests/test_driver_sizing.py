"""The search cut to the minutes that a new study is to take, by a measured speed."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from ray.exceptions import GetTimeoutError

from fer_data.dataset import Split
from study.config.hyperparameters import Hyperparameters
from study.config.study import from_dict, preset, read_preset
from study.driver import sizing
from study.search import proposals
from study.worker import speed

PAPERS = ["alexnet", "resnet34", "cbam_resnet34"]
EACH = {"alexnet": 10.0, "resnet34": 20.0, "cbam_resnet34": 30.0}  # seconds of an epoch


def study(**given):
    return from_dict({"models": PAPERS, "trials": 6, "epochs": 3, "seeds": 1, "minutes": 5} | given)


def paces(factor: float) -> dict[str, float]:
    return {model: factor * seconds for model, seconds in EACH.items()}


def test_what_is_expected_is_the_search_and_the_confirmation_as_they_will_be_scheduled():
    # of two trials of a network the second goes on past epoch 1 half of the time: 2.5 epochs each.
    # One core has 25, 75 and 75 s of them, the other 50, 25 and 50; then 3 of 30 beside 3 of 20 and
    # of 10. In the preset's order no core waits for the last long trial.
    assert sizing.expected(study(), paces(1), 2) == 175 + 90
    order = list(read_preset("search", "cpu")[0].models)
    assert sizing.expected(study(models=order), paces(1), 2) == 150 + 90


def test_a_slow_machine_leaves_trials_out_but_none_of_the_networks():
    trials = [sizing.cut(study(), (), paces(factor), 2).trials for factor in (0.5, 1, 1.5, 2, 99)]
    assert trials[0] == 6 and trials[-1] == 3 and trials == sorted(trials, reverse=True)
    assert 3 < trials[2] < 6
    told = sizing.left_out(study(), study(trials=4))
    assert told == "4 of 6 trials, since with all of them it would take more than 5 min here"
    assert sizing.left_out(study(), study()) == ""
    for factor in (1, 1.5):
        assert sizing.expected(sizing.cut(study(), (), paces(factor), 2), paces(factor), 2) <= 300


def test_why_a_preset_is_sized_so_names_the_flags_that_said_otherwise():
    """Beside --epochs 30 it told of few epochs, and of the ImageNet stem beside --stem small."""
    sized = preset("search")["hardware"]["cpu"]
    _, why = read_preset("search", "cpu")
    assert sizing.reasons(why, sized, ["name", "seed", "pairs"]) == why
    given = ["epochs", "name", "stem", "residual_init"]
    assert sizing.reasons(why, sized, given) == f"{why}; --epochs, --stem, --residual-init as given"
    assert sizing.reasons("", {}, given) == ""


def test_a_time_budget_that_is_shorter_than_the_minutes_sizes_the_search_too():
    """It cut what was expected, too, so that nothing was left out: all went into the search."""
    assert sizing.expected(study(time_budget=60), paces(1), 2) == 175 + 90
    trials = {
        seconds: sizing.cut(study(time_budget=seconds), (), paces(1), 2).trials
        for seconds in (0, 60, 250, 299, 3600)
    }
    assert trials == {0: 6, 60: 3, 250: 5, 299: 6, 3600: 6}
    told = sizing.left_out(study(time_budget=60), study(time_budget=60, trials=3))
    assert told.endswith("it would take more than the time budget of 60 s here")
    told = sizing.left_out(study(time_budget=3600), study(time_budget=3600, trials=3))
    assert told.endswith("it would take more than 5 min here")


def test_the_answers_on_val_and_test_are_part_of_the_time():
    """They were told in "Time: about" and not counted where trials were left out."""
    data = {"images": {"train": 20, "test": 30}, "counts": {"val": {"happy": 30}}}  # an epoch each
    assert sizing.expected(study(), paces(1), 2, data) == 175 + 90 + 40
    assert sizing.cut(study(), (), paces(1), 2, data).trials < 6


def test_none_of_the_networks_is_left_out_where_first_points_or_a_grid_come_one_by_one(tmp_path):
    """On a GPU the first points of the default are of two networks; a grid's were of the first."""
    gpu = replace(read_preset("search", "gpu")[0], minutes=5.0)
    cells = {"batch_size": [8, 16], "lr": [0.1, 0.2]}
    grid = study(sampler="grid", trials=12, space=cells)
    for number, (whole, least) in enumerate([(gpu, 7), (grid, 3)]):
        few = sizing.cut(whole, (), paces(99), 2)
        folder = tmp_path / str(number)
        folder.mkdir()
        optimiser = proposals.Optimiser(few, folder)
        assert few.trials == least == proposals.enough(whole)
        assert {optimiser.ask()["model"] for _ in range(least)} == set(PAPERS)


@pytest.mark.parametrize("said", ["trials", "epochs", "train_images"])
def test_a_size_that_a_person_chose_is_kept(said):
    assert sizing.cut(study(), {said}, paces(99), 2) == study()


def test_nothing_is_cut_where_nothing_is_known_or_searched():
    assert sizing.cut(study(), (), {}, 2) == study()
    only = study(stages=["confirm"])
    assert sizing.cut(only, (), paces(99), 2) == only


def test_nothing_is_measured_without_minutes():
    assert sizing.begin(study(minutes=0), None, None)() == {}


@pytest.mark.parametrize(
    ("slots", "shares"),
    [
        (1, [PAPERS]),
        (2, [["alexnet", "cbam_resnet34"], ["resnet34"]]),
        (4, [["alexnet"], ["resnet34"], ["cbam_resnet34"], ["alexnet"]]),
    ],
)
def test_each_network_is_measured_and_each_worker_is_busy(monkeypatch, slots, shares):
    asked = []

    def remote(trials: list[Hyperparameters], *given: object) -> dict[str, float]:
        asked.append([hp.model for hp in trials])
        return {hp.model: float(len(asked)) for hp in trials}

    ask = SimpleNamespace(options=lambda **need: SimpleNamespace(remote=remote))
    monkeypatch.setattr(sizing.ray, "remote", lambda function: ask)
    monkeypatch.setattr(sizing.ray, "get", lambda told, timeout: told)
    monkeypatch.setattr(sizing.resources, "slots", lambda *_: slots)
    faces = SimpleNamespace(train=Split(*split(64)), val=Split(*split(8)), classes=range(7))
    found = sizing.begin(study(), faces, {"cpu": 1.0, "gpu": 0.0})()
    assert asked == shares and set(found) == set(PAPERS)
    assert found["alexnet"] == (2.5 if slots == 4 else 1.0)  # the mean of all that measured it


@pytest.mark.parametrize(("gpu", "batch"), [(0.0, 32), (1.0, 512)])
def test_on_a_cpu_a_step_is_of_few_images_and_what_cannot_be_measured_is_said(
    monkeypatch, capsys, gpu, batch
):
    """Two steps of 512 images took longer than anybody waits, and --minutes did nothing, unsaid."""
    asked, ended = [], []

    def late(told, timeout):
        raise GetTimeoutError

    def remote(trials, train, *given):
        asked.append(([hp.batch_size for hp in trials], len(train.labels)))

    ask = SimpleNamespace(options=lambda **need: SimpleNamespace(remote=remote))
    monkeypatch.setattr(sizing.ray, "remote", lambda function: ask)
    monkeypatch.setattr(sizing.ray, "get", late)
    monkeypatch.setattr(sizing.ray, "cancel", lambda one, force: ended.append(one))
    monkeypatch.setattr(sizing.resources, "slots", lambda *_: 1)
    faces = SimpleNamespace(train=Split(*split(600)), val=Split(*split(8)), classes=range(7))
    given = study(models=["alexnet"], space={"batch_size": [256, 512]})
    assert sizing.begin(given, faces, {"cpu": 1.0, "gpu": gpu})() == {}
    assert asked == [([batch], batch)] and len(ended) == 1
    first, second = capsys.readouterr().out.splitlines()
    assert ("on 32 images" in first) == (not gpu)
    assert "(no answer in 60 s)" in second and "--minutes leaves no trial out" in second


def test_the_steps_are_those_of_a_first_setting_else_of_the_middle_of_the_space():
    default, _ = read_preset("search", "cpu")
    for setting in default.settings:
        hp = proposals.typical(default, setting.values["model"])
        assert {name: getattr(hp, name) for name in setting.values} == setting.values
    space = {
        "batch_size": [16, 64, 256],
        "lr": {"low": 0.001, "high": 0.1, "log": True},
        "dropout": {"low": 0.1, "high": 0.5},
    }
    settings = [{"name": "a", "model": "alexnet", "batch_size": 16, "lr": 0.5}]
    given = study(space=space, settings=settings)
    alexnet, resnet = (proposals.typical(given, model) for model in PAPERS[:2])
    assert (alexnet.batch_size, resnet.batch_size) == (16, 64)
    assert alexnet.lr == resnet.lr == pytest.approx(0.01) and resnet.dropout == pytest.approx(0.3)


def test_an_epoch_is_as_long_as_its_images_at_the_speed_of_the_second_step(monkeypatch):
    """The first step makes kernels and loads libraries."""

    def fit(hp, data, classes, device):
        assert hp.epochs == 2 and len(data.train_labels) == 8 and len(data.val_labels) == 4
        for ips, whole in ((1.0, 99.0), (4.0, 2.0 + 0.4)):  # 8 images in 2 s, 4 judged in .4 s
            yield SimpleNamespace(images_per_second=ips, epoch_seconds=whole), {}

    monkeypatch.setattr(speed.loop, "fit", fit)
    images = Split(*split(8)), Split(*split(4))
    hp = Hyperparameters(model="alexnet", batch_size=8, image_px=32)
    found = speed.seconds([hp], *images, (800, 100), 7, "cpu", 1)
    assert found == {"alexnet": pytest.approx(800 / 4 + 100 * 0.1)}


def split(images: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    faces = np.random.default_rng(0).integers(0, 256, (images, 48, 48), np.uint8)
    return faces, np.arange(images) % 7, np.arange(images)
