"""How a new study is sized; what it refuses at its beginning is tried in test_study_run.py."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from fer_record.tables import Tables
from fer_stats.plans import Plan
from study.config.study import from_dict
from study.data import datasets
from study.driver import networks, prepare, summary
from study.record import outcome
from study.training import gpu_memory


def test_the_largest_trial_of_a_study_decides():
    study = from_dict(
        {
            "models": ["alexnet", "resnet34"],
            "space": {
                "batch_size": [64, 32],
                "alexnet": {"batch_size": {"low": 8, "high": 500}},
                "resnet34": {"image_px": [48, 64]},
            },
        }
    )
    found = [(one.model, one.batch_size, one.image_px) for _, one in prepare.extremes(study)]
    assert found == [("alexnet", 500, 48), ("resnet34", 64, 64)]


def test_a_confirmation_of_settings_is_sized_by_them():
    settings = [{"name": "a", "model": "alexnet", "batch_size": 17}]
    study = from_dict({"stages": ["confirm"], "settings": settings})
    assert [one.batch_size for _, one in prepare.extremes(study)] == [17]


def test_a_confirmation_after_a_search_is_sized_by_what_was_searched():
    """It was sized by the preset's first points, whatever the search had chosen."""
    settings = [{"name": "a", "model": "alexnet", "batch_size": 32}]
    given = {"models": ["alexnet", "resnet34"], "settings": settings}
    study = from_dict(given | {"stages": ["confirm"], "space": {"batch_size": [32, 512]}})
    tables = Tables(trials={"t0000": {"stage": "search"}})
    searched = outcome.with_search(study, tables)
    found = [(one.model, one.batch_size) for _, one in prepare.extremes(searched)]
    assert found == [("alexnet", 512), ("resnet34", 512)]
    assert outcome.with_search(study, Tables()) == study


def test_a_confirmation_after_a_search_is_announced_as_that_of_a_search():
    """The first points were announced as what is compared, and no default beside the best."""
    settings = [{"name": "a", "model": "alexnet"}, {"name": "b", "model": "alexnet"}]
    given = {"models": ["alexnet", "resnet34", "cbam_resnet34"], "settings": settings}
    study = from_dict(given | {"stages": ["confirm"], "baseline_seeds": 4})
    searched = outcome.with_search(study, Tables(trials={"t0000": {"stage": "search"}}))
    exact, near = np.arange(3200) < 120, np.arange(3200) >= 3120
    images = SimpleNamespace(duplicate=exact, near=near)  # no comparison uses either
    assert summary.decides(searched, images) == Plan(12, 3000, 3, False)
    assert summary.decides(study, images) == Plan(12, 3000, 1, True)
    assert summary.beside(searched) == ", its default, 4 seeds each" and summary.beside(study) == ""


@pytest.mark.parametrize(
    ("first", "second", "paired"),
    [
        ({"model": "resnet34", "stem": "small"}, {"model": "resnet34", "stem": "imagenet"}, False),
        ({"model": "resnet34"}, {"model": "cbam_resnet34", "stem": "imagenet"}, False),
        ({"model": "resnet34", "image_px": 32}, {"model": "resnet34"}, False),
        ({"model": "alexnet", "batch_norm": False}, {"model": "alexnet"}, False),
        ({"model": "resnet34", "lr": 0.1}, {"model": "resnet34", "lr": 0.2}, True),
        ({"model": "resnet34", "dropout": 0.1}, {"model": "cbam_resnet34"}, True),
    ],
)
def test_what_seeds_decide_is_worked_out_in_pairs_where_the_comparison_is(first, second, paired):
    """Of one network with two stems it was, and promised a difference that isn't found."""
    given = [{"name": "a", **first}, {"name": "b", **second}]
    study = from_dict({"stages": ["confirm"], "seeds": 5, "settings": given})
    none = np.zeros(3000, bool)
    images = SimpleNamespace(duplicate=none, near=none)
    assert summary.decides(study, images) == Plan(5, 3000, 1, paired)


@pytest.mark.parametrize(
    ("free", "cores", "together"),
    [(0, 16, 1), (2500, 16, 1), (5000, 16, 2), (99000, 16, 4), (99000, 2, 2), (99000, 0.5, 1)],
)
def test_trials_share_a_gpu_by_memory_and_cores(monkeypatch, free, cores, together):
    monkeypatch.setattr(gpu_memory, "memory_mib", lambda *_: 2000.0)
    study = from_dict({"models": ["alexnet"]})
    assert prepare.trials_per_gpu(study, 7, 0, free, cores, True) == together


@pytest.mark.parametrize(
    ("precision", "native", "together"),
    [("auto", True, 4), ("auto", False, 2), ("bfloat16", False, 4), ("float32", True, 2)],
)
def test_where_auto_is_float32_fewer_trials_share_a_gpu(monkeypatch, precision, native, together):
    def mib(hp, *_):
        return 2000.0 if hp.precision == "float32" else 1000.0

    monkeypatch.setattr(gpu_memory, "memory_mib", mib)
    study = from_dict({"models": ["alexnet"], "space": {"precision": precision}})
    assert prepare.trials_per_gpu(study, 7, 0, 4500.0, 16, native) == together


def test_the_networks_of_the_very_configurations_that_are_confirmed_are_stored():
    base = {"model": "cbam_resnet34", "epochs": 1, "image_px": 32, "stem": "imagenet"}
    chosen = {
        "alexnet": {"hp": {"model": "alexnet", "epochs": 1, "image_px": 32, "dropout": 0.1}},
        "cbam": {"hp": base | {"cbam_reduction": 8, "lr": 0.1}},
        "same": {"hp": base | {"cbam_reduction": 8, "lr": 0.2}},
        "other": {"hp": base | {"cbam_reduction": 16}},
    }
    found = networks.confirmed(chosen, 7)
    assert [(one["model"], one["settings"]) for one in found] == [
        ("alexnet", ["alexnet"]),
        ("cbam_resnet34", ["cbam", "same"]),
        ("cbam_resnet34", ["other"]),
    ]
    sizes = [sum(row["parameters"] for row in one["layers"]) for one in found]
    assert sizes[1:] == [21_597_927, 21_440_743]  # as a trial counts them


@pytest.fixture(scope="module")
def marked():
    """Drawn faces of which ten of val are exact copies of training images and ten near ones."""
    whole = datasets.drawn((140, 70, 14))
    at = np.arange(70)
    return replace(whole, val_duplicate=at < 10, val_near=(at >= 10) & (at < 20))


def test_val_is_judged_on_without_copies_of_training_images(marked):
    found = prepare.parts(from_dict({}), marked)
    assert np.array_equal(found.val.images, marked.val.images[20:])
    assert np.array_equal(found.val.labels, marked.val.labels[20:])
    assert len(found.train.labels) == 140 and len(found.test.labels) == 14
    part = prepare.parts(from_dict({"val_images": 30}), marked)
    drawn = {image.tobytes() for image in part.val.images}
    assert len(part.val.labels) == 30
    assert drawn <= {image.tobytes() for image in marked.val.images[20:]}


def test_with_them_where_that_is_asked_for_or_nothing_else_is_left(marked):
    asked = prepare.parts(from_dict({"val_copies": "with"}), marked)
    assert len(asked.val.labels) == 70
    only = replace(marked, val_duplicate=np.ones(70, bool))
    assert len(prepare.parts(from_dict({}), only).val.labels) == 70


def test_a_presets_part_of_val_shrinks_to_what_is_left_without_copies(marked):
    study = from_dict({"val_images": 60})
    assert prepare.at_most(study, marked, ()).val_images == 0  # all 50 of them
    assert prepare.at_most(study, marked, ("val_images",)).val_images == 60
    assert prepare.at_most(from_dict({"val_images": 50}), marked, ()).val_images == 50
