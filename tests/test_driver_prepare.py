"""How a new study is sized; what it refuses at its beginning is tried in test_study_run.py."""

import pytest

from study.config.study import from_dict
from study.driver import prepare
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
    found = [(one.model, one.batch_size, one.image_px) for one in prepare.largest_trials(study)]
    assert found == [("alexnet", 500, 48), ("resnet34", 64, 64)]


def test_a_confirmation_of_settings_is_sized_by_them():
    settings = [{"name": "a", "model": "alexnet", "batch_size": 17}]
    study = from_dict({"stages": ["confirm"], "settings": settings})
    assert [one.batch_size for one in prepare.largest_trials(study)] == [17]


@pytest.mark.parametrize(
    ("free", "cores", "together"),
    [(0, 16, 1), (2500, 16, 1), (5000, 16, 2), (99000, 16, 4), (99000, 2, 2), (99000, 0.5, 1)],
)
def test_trials_share_a_gpu_by_memory_and_cores(monkeypatch, free, cores, together):
    monkeypatch.setattr(gpu_memory, "memory_mib", lambda *_: 2000.0)
    assert prepare.trials_per_gpu(from_dict({"models": ["alexnet"]}), 7, 0, free, cores) == together


def test_the_networks_of_the_very_configurations_that_are_confirmed_are_stored():
    base = {"model": "cbam_resnet34", "epochs": 1, "image_px": 32, "stem": "imagenet"}
    chosen = {
        "alexnet": {"hp": {"model": "alexnet", "epochs": 1, "image_px": 32, "dropout": 0.1}},
        "cbam": {"hp": base | {"cbam_reduction": 8, "lr": 0.1}},
        "same": {"hp": base | {"cbam_reduction": 8, "lr": 0.2}},
        "other": {"hp": base | {"cbam_reduction": 16}},
    }
    found = prepare.confirmed_networks(chosen, 7)
    assert [(one["model"], one["settings"]) for one in found] == [
        ("alexnet", ["alexnet"]),
        ("cbam_resnet34", ["cbam", "same"]),
        ("cbam_resnet34", ["other"]),
    ]
    sizes = [sum(row["parameters"] for row in one["layers"]) for one in found]
    assert sizes[1:] == [21_597_927, 21_440_743]  # as a trial counts them
