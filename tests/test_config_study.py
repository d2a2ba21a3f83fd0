import errno
import json
import os
import re
from dataclasses import replace
from pathlib import Path

import pytest

from fer_stats.plans import Plan
from study import Mistake
from study.config.hyperparameters import (
    FIELDS,
    MODELS,
    Hyperparameters,
    applies,
    checked,
    expected,
    having,
    kind,
    present,
)
from study.config.study import (
    FIXED,
    PRESETS,
    Range,
    Setting,
    Study,
    configuration,
    domain,
    domains,
    from_dict,
    named_by_default,
    pairs_of,
    read_preset,
    to_dict,
    with_possible_pairs,
)

SEARCHABLE = [name for name in FIELDS if name not in FIXED]

KNOWN = ", ".join(MODELS)


def choices(option: str) -> str:
    return ", ".join(Study.__dataclass_fields__[option].metadata["choices"])


def refusal(call, *args, **kwargs) -> str:
    """What the Mistake says that the call must end in."""
    with pytest.raises(Mistake) as caught:
        call(*args, **kwargs)
    return str(caught.value)


def preset_file(tmp_path, text: str) -> str:
    path = tmp_path / "mine.toml"
    path.write_text(text)
    return str(path)


def test_every_hyperparameter_is_named_with_its_default_its_range_and_help():
    assert {name: (field.default, expected(name)) for name, field in FIELDS.items()} == {
        "model": ("resnet34", f"one of {KNOWN}"),
        "seed": (0, "a whole number from 0"),
        "epochs": (30, "a whole number from 1"),
        "batch_size": (128, "a whole number from 1"),
        "lr": (0.05, "a number above 0"),
        "optimizer": ("sgd", "one of sgd, adam, adamw"),
        "momentum": (0.9, "a number from 0 to 0.9999"),
        "weight_decay": (0.0005, "a number from 0"),
        "schedule": ("cosine", "one of constant, step, cosine, plateau"),
        "warmup_epochs": (1.0, "a number from 0"),
        "lr_decay": (0.1, "a number above 0 to 1"),
        "lr_steps": (2, "a whole number from 1"),
        "patience": (5, "a whole number from 0"),
        "dropout": (0.0, "a number from 0 to 0.95"),
        "label_smoothing": (0.0, "a number from 0 to 0.95"),
        "class_weights": (0.0, "a number from 0 to 2"),
        "balanced_sampling": (0.0, "a number from 0 to 2"),
        "logit_adjustment": (0.0, "a number from 0 to 4"),
        "flip": (0.5, "a number from 0 to 1"),
        "shift": (0.0, "a number from 0 to 1"),
        "rotation": (0.0, "a number from 0 to 180"),
        "scale": (0.0, "a number from 0 to 0.9"),
        "erasing": (0.0, "a number from 0 to 1"),
        "brightness": (0.0, "a number from 0 to 1"),
        "contrast": (0.0, "a number from 0 to 1"),
        "image_px": (48, "a whole number from 32 to 512"),
        "batch_norm": (True, "one of true, false"),
        "stem": ("small", "one of small, imagenet"),
        "residual_init": (1.0, "a number from 0 to 2"),
        "cbam_order": ("serial", "one of serial, parallel"),
        "cbam_reduction": (16, "a whole number from 1 to 64"),
        "precision": ("auto", "one of auto, float32, bfloat16"),
    }
    assert present(Hyperparameters(model="cbam_resnet34")) == {
        name: "cbam_resnet34" if name == "model" else field.default
        for name, field in FIELDS.items()
        if name != "batch_norm"
    }
    assert all(len(field.metadata["help"]) > 5 for field in FIELDS.values())


@pytest.mark.parametrize("name", SEARCHABLE)
def test_every_hyperparameter_can_be_fixed_or_searched(name):
    rule, default = FIELDS[name].metadata, FIELDS[name].default
    assert domain(name, default) == default
    assert type(domain(name, default)) is kind(name)
    if rule["choices"]:
        assert domain(name, list(rule["choices"])) == rule["choices"]
        return
    low = default if default else rule["low"]
    high = rule["high"] if rule["high"] is not None and rule["high"] > low else low + 1
    found = domain(name, {"low": low, "high": high})
    assert found == Range(low, high) and type(found.low) is type(found.high) is kind(name)
    assert domain(name, [low, high]) == (low, high)


@pytest.mark.parametrize("name", FIXED)
def test_model_epochs_and_seed_are_not_searched(name):
    said = "models" if name == "model" else name
    assert refusal(domain, name, [1, 2]) == f"{name} can't be searched: it is set by {said}"


def test_a_list_of_one_value_is_that_value_and_copies_are_dropped():
    assert domain("batch_size", [64]) == 64
    assert domain("batch_size", [64, 32, 64]) == (64, 32)
    assert domain("lr", {"low": 0.001, "high": 1, "log": True}) == Range(0.001, 1.0, True)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"lr": 0}, "lr is 0.0: expected a number above 0"),
        ({"lr": -0.1}, "lr is -0.1: expected a number above 0"),
        ({"lr": float("nan")}, "lr is nan: expected a number above 0"),
        ({"lr": float("inf")}, "lr is inf: expected a number above 0"),
        ({"lr": "0.1"}, "lr is '0.1': expected a number above 0"),
        ({"epochs": -1}, "epochs is -1: expected a whole number from 1"),
        ({"epochs": 0}, "epochs is 0: expected a whole number from 1"),
        ({"epochs": 2.0}, "epochs is 2.0: expected a whole number from 1"),
        ({"batch_size": True}, "batch_size is True: expected a whole number from 1"),
        ({"lr": True}, "lr is True: expected a number above 0"),
        ({"batch_norm": 1}, "batch_norm is 1: expected one of true, false"),
        ({"momentum": 1.0}, "momentum is 1.0: expected a number from 0 to 0.9999"),
        ({"lr_decay": 0}, "lr_decay is 0.0: expected a number above 0 to 1"),
        ({"flip": 1.5}, "flip is 1.5: expected a number from 0 to 1"),
        ({"image_px": 31}, "image_px is 31: expected a whole number from 32 to 512"),
        ({"image_px": 513}, "image_px is 513: expected a whole number from 32 to 512"),
        ({"model": "vgg"}, f"model is 'vgg': expected one of {KNOWN}"),
        ({"optimizer": "rmsprop"}, "optimizer is 'rmsprop': expected one of sgd, adam, adamw"),
        ({"stem": "none"}, "stem is 'none': expected one of small, imagenet"),
    ],
)
def test_bad_hyperparameter_is_refused_with_what_is_expected(given, said):
    assert refusal(Hyperparameters, **given) == said


def test_bounds_themselves_are_allowed_unless_the_rule_says_above():
    hp = Hyperparameters(momentum=0, lr_decay=1, flip=1, image_px=512, dropout=0.95)
    assert (hp.momentum, hp.lr_decay, hp.flip, hp.image_px, hp.dropout) == (
        0.0,
        1.0,
        1.0,
        512,
        0.95,
    )
    assert type(hp.momentum) is float


def test_unknown_hyperparameter_lists_the_known_ones():
    assert refusal(checked, "learning_rate", 1) == (
        f"unknown hyperparameter 'learning_rate': known are {', '.join(FIELDS)}"
    )


def test_a_warmup_longer_than_the_training_is_kept_as_asked():
    assert Hyperparameters(epochs=2, warmup_epochs=5).warmup_epochs == 5.0


def test_each_network_has_its_own_hyperparameters_and_no_other():
    own = {"batch_norm", "stem", "residual_init", "cbam_order", "cbam_reduction"}
    had = {
        "alexnet": {"batch_norm"},
        "resnet34": {"stem", "residual_init"},
        "cbam_resnet34": {"stem", "residual_init", "cbam_order", "cbam_reduction"},
    }
    for model, names in had.items():
        assert own & set(present(Hyperparameters(model=model))) == names
        assert all(applies(name, model) for name in set(FIELDS) - own)
    assert having("stem")[:2] == ("resnet34", "cbam_resnet34")
    assert having("lr") == tuple(MODELS)


def test_options_are_what_the_constructor_takes():
    assert Hyperparameters(model="alexnet", dropout=0.5).options == {
        "dropout": 0.5,
        "batch_norm": True,
    }
    assert Hyperparameters(model="cbam_resnet34").options == {
        "dropout": 0.0,
        "stem": "small",
        "residual_init": 1.0,
        "cbam_order": "serial",
        "cbam_reduction": 16,
    }


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"epochs": -3}, "epochs is -3: expected a number from 1 on"),
        ({"trials": 0}, "trials is 0: expected a number from 1 on"),
        ({"trials": True}, "trials is True: expected a whole number"),
        ({"trials": 2.0}, "trials is 2.0: expected a whole number"),
        ({"name": 3}, "name is 3: expected text"),
        ({"gpu_hours": float("nan")}, "gpu_hours is nan: expected a number from 0 on"),
        ({"gpu_hours": float("inf")}, "gpu_hours is inf: expected a number from 0 on"),
        ({"sampler": "cma"}, f"unknown sampler 'cma': known are {choices('sampler')}"),
        ({"scheduler": "pbt"}, f"unknown scheduler 'pbt': known are {choices('scheduler')}"),
        ({"device": "tpu"}, "unknown device 'tpu': known are auto, cpu, cuda"),
        (
            {"models": ["resnet34", "vgg"]},
            f"unknown model 'vgg': known are {KNOWN}",
        ),
        ({"stages": ["serve"]}, "unknown stage 'serve': known are search, confirm"),
        ({"models": []}, f"models is empty: expected some of {KNOWN}"),
        ({"gpus_per_trial": 1.5}, "gpus_per_trial is 1.5: above 1 only whole GPUs"),
        ({"reduction_factor": 1}, "reduction_factor is 1: expected a number from 2 on"),
        ({"name": "a/b"}, "name is 'a/b': expected a plain folder name, without slashes"),
        ({"name": ".."}, "name is '..': expected a plain folder name, without slashes"),
        ({"trails": 3}, None),
        ({"own": {}}, None),
    ],
)
def test_bad_option_is_refused_with_what_is_expected(given, said):
    if said is None:
        known = "address, attention_images, baseline_seeds, classes, cpus_per_trial, crop, data, "
        said = f"unknown key '{next(iter(given))}': known are {known}"
        assert refusal(from_dict, given).startswith(said)
    else:
        assert refusal(from_dict, given) == said


@pytest.mark.parametrize("key", ["models", "stages", "space"])
@pytest.mark.parametrize("value", [5, "alexnet"])
def test_key_of_the_wrong_shape_is_refused_by_name(key, value):
    assert refusal(from_dict, {key: value}).startswith(f"{key} is {value!r}: expected a ")


@pytest.mark.parametrize("value", [5, ["A-alexnet"]])
def test_settings_that_are_no_tables_are_refused(value):
    said = f"settings is {value!r}: expected tables, each under [[settings]]"
    assert refusal(from_dict, {"settings": value}) == said


def test_network_part_of_a_space_that_is_no_table_is_refused():
    said = "space.alexnet is 5: expected a table"
    assert refusal(from_dict, {"space": {"alexnet": 5}}) == said


@pytest.mark.parametrize(
    ("name", "raw", "said"),
    [
        ("lr", {"low": 0.1, "high": 0.1}, "lr from 0.1 to 0.1 is no range: expected low < high"),
        ("lr", {"low": 0.2, "high": 0.1}, "lr from 0.2 to 0.1 is no range: expected low < high"),
        (
            "dropout",
            {"low": 0, "high": 0.5, "log": True},
            "dropout from 0.0 to 0.5 is no range: expected low < high, above 0 on a log axis",
        ),
        ("lr", {"low": 0, "high": 0.5}, "lr is 0.0: expected a number above 0"),
        ("lr", {"low": 0.1}, "lr is {'low': 0.1}: expected low, high and perhaps log = true"),
        ("flip", {"low": 0, "high": 2}, "flip is 2.0: expected a number from 0 to 1"),
        ("stem", {"low": 0, "high": 1}, "stem can't be a range: list its values"),
        (
            "batch_norm",
            {"low": False, "high": True},
            "batch_norm can't be a range: list its values",
        ),
        ("batch_size", [], "batch_size is an empty list: expected at least one value"),
        ("batch_size", [32, "64"], "batch_size is '64': expected a whole number from 1"),
        (
            "batch_size",
            {"low": 8, "high": 9.5},
            "batch_size is 9.5: expected a whole number from 1",
        ),
        (
            "lr",
            {"low": 0.1, "high": 0.2, "log": 1},
            "lr is {'low': 0.1, 'high': 0.2, 'log': 1}: expected low, high and perhaps log = true",
        ),
    ],
)
def test_bad_domain_is_refused_with_what_is_expected(name, raw, said):
    assert refusal(domain, name, raw) == said


@pytest.mark.parametrize("raw", [0.1, [0.1, 0.2], {"low": 0.1, "high": 0.2}])
def test_unknown_name_in_a_space_lists_the_known_ones(raw):
    said = f"unknown hyperparameter 'lrate': known are {', '.join(FIELDS)}"
    assert refusal(domain, "lrate", raw) == said


def test_a_network_is_not_given_what_it_does_not_have():
    space = {"alexnet": {"stem": "small"}}
    assert refusal(from_dict, {"space": space}) == "alexnet has no stem"
    setting = {"name": "A", "model": "alexnet", "cbam_order": "serial"}
    said = "setting 'A': alexnet has no cbam_order"
    assert refusal(from_dict, {"settings": [setting]}) == said


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (
            [{"name": "A", "lr": 0.1}],
            f"setting 'A' has model None: known are {KNOWN}",
        ),
        ([{"name": "A", "model": "alexnet", "lr": 0}], "lr is 0.0: expected a number above 0"),
        (
            [{"name": "A", "model": "alexnet"}, {"name": "A", "model": "resnet34"}],
            "two settings have the name 'A': expected each its own",
        ),
        ([{"model": "alexnet"}], "a setting has the name '': expected a plain word"),
        (
            [{"name": "a/b", "model": "alexnet"}],
            "a setting has the name 'a/b': expected a plain word",
        ),
        (
            [{"name": "A", "model": "alexnet", "published": 58.36}],
            "setting 'A' has published 58.36: expected an accuracy as a fraction above 0",
        ),
    ],
)
def test_bad_setting_is_refused(settings, said):
    assert refusal(from_dict, {"settings": settings}) == said


def test_fixed_values_are_under_a_setting_and_searched_ones_fall_to_the_default():
    study = from_dict(
        {
            "epochs": 7,
            "space": {
                "weight_decay": 0.01,
                "lr": {"low": 0.001, "high": 0.1},
                "batch_size": [16, 32],
                "alexnet": {"weight_decay": 0.02, "dropout": 0.5},
            },
        }
    )
    found = configuration(study, Setting("A", {"model": "alexnet", "dropout": 0.25}))
    assert found == Hyperparameters(
        model="alexnet", epochs=7, weight_decay=0.02, dropout=0.25, lr=0.05, batch_size=128
    )
    other = configuration(study, Setting("B", {"model": "resnet34", "epochs": 3}))
    assert other == Hyperparameters(model="resnet34", epochs=3, weight_decay=0.01)


def test_a_networks_own_domain_goes_before_that_of_all_and_has_its_label():
    space = {"lr": 0.1, "dropout": 0.2, "stem": "small", "alexnet": {"dropout": [0.0, 0.5]}}
    study = from_dict({"space": space})
    assert domains(study, "alexnet") == {
        "lr": ("lr", 0.1),
        "dropout": ("alexnet.dropout", (0.0, 0.5)),
    }
    assert domains(study, "resnet34") == {
        "lr": ("lr", 0.1),
        "dropout": ("dropout", 0.2),
        "stem": ("stem", "small"),
    }


def test_a_study_on_a_base_changes_only_what_it_says():
    base = from_dict({"trials": 5, "space": {"lr": 0.1, "alexnet": {"dropout": 0.5}}})
    found = from_dict({"seeds": 2, "space": {"flip": 0.0, "alexnet": {"lr": 0.2}}}, base)
    assert (found.trials, found.seeds) == (5, 2)
    assert found.space == {"lr": 0.1, "flip": 0.0}
    assert found.own == {"alexnet": {"dropout": 0.5, "lr": 0.2}}
    assert base.own == {"alexnet": {"dropout": 0.5}} and base.space == {"lr": 0.1}


@pytest.mark.parametrize("hardware", ["cpu", "gpu"])
@pytest.mark.parametrize("name", PRESETS)
def test_preset_survives_dict_and_json(name, hardware):
    study, why = read_preset(name, hardware)
    assert study.preset == name and bool(why) == (name in ("search", "fair", "ingredients"))
    assert from_dict(to_dict(study)) == study
    assert from_dict(json.loads(json.dumps(to_dict(study)))) == study
    assert list(to_dict(study)) == list(to_dict(Study()))


def test_a_domain_of_each_kind_survives_json():
    space = {
        "lr": {"low": 0.001, "high": 0.1, "log": True},
        "batch_size": {"low": 16, "high": 64},
        "momentum": [0.0, 0.9],
        "optimizer": "adam",
        "alexnet": {"batch_norm": [True, False], "image_px": 32},
    }
    study = from_dict({"name": "x", "models": ["alexnet"], "space": space})
    back = from_dict(json.loads(json.dumps(to_dict(study))))
    assert back == study
    assert back.space["lr"] == Range(0.001, 0.1, True)
    assert back.own["alexnet"] == {"batch_norm": (True, False), "image_px": 32}


def test_search_preset_is_smaller_without_a_gpu():
    (cpu, why_cpu), (gpu, why_gpu) = read_preset("search", "cpu"), read_preset("search", "gpu")
    assert cpu.trials < gpu.trials and cpu.epochs < gpu.epochs and why_cpu != why_gpu
    assert 0 < cpu.train_images <= 4096 and gpu.train_images == 0
    assert configuration(cpu, Setting("", {"model": "resnet34"})).stem == "imagenet"
    assert configuration(gpu, Setting("", {"model": "resnet34"})).stem == "small"


def test_paper_preset_is_the_papers_nine_settings():
    study, _ = read_preset("paper", "gpu")
    said = {s.name: configuration(study, s) for s in study.settings}
    found = {name: (hp.model, hp.batch_size, hp.lr, hp.epochs) for name, hp in said.items()}
    assert list(found.items())[:6] == [
        ("A-alexnet", ("alexnet", 256, 0.005, 50)),
        ("A-resnet34", ("resnet34", 256, 0.005, 50)),
        ("B-alexnet", ("alexnet", 128, 0.005, 50)),
        ("B-resnet34", ("resnet34", 128, 0.005, 35)),
        ("C-alexnet", ("alexnet", 128, 0.007, 20)),
        ("C-resnet34", ("resnet34", 128, 0.007, 20)),
    ]
    # Of these three the paper gives the network and one number each; the rest is our reading.
    assert list(found)[6:] == ["D-cbam128", "D-cbam64", "E-cbam50"]
    assert found["D-cbam128"][:2] == ("cbam_resnet34", 128)
    assert found["D-cbam64"][:2] == ("cbam_resnet34", 64)
    assert (found["E-cbam50"][0], found["E-cbam50"][3]) == ("cbam_resnet34", 50)
    assert study.stages == ("confirm",) and study.scheduler == "none"


def test_paper_preset_has_the_accuracies_of_the_papers_matrices():
    study, _ = read_preset("paper", "gpu")
    assert {s.name: s.published for s in study.settings if s.published} == {
        "A-alexnet": 0.583589,
        "A-resnet34": 0.58944,
        "B-alexnet": 0.593341,
        "B-resnet34": 0.598356,
        "C-alexnet": 0.576762,
        "C-resnet34": 0.598356,
        "D-cbam128": 0.574255,  # or of batch size 64: the paper doesn't say
        "E-cbam50": 0.597381,
    }


def test_search_tries_the_papers_settings_first():
    paper = {s.name: s for s in read_preset("paper", "gpu")[0].settings}
    for setting in read_preset("search", "gpu")[0].settings:
        same = {k: paper[setting.name].values[k] for k in ("model", "batch_size", "lr")}
        assert setting.values == same


def test_ingredients_preset_has_a_plain_setting_arms_and_all_of_them_together():
    study, _ = read_preset("ingredients", "gpu")
    for model in study.models:
        own = {s.name: s.values for s in study.settings if s.values["model"] == model}
        plain = own.pop(f"{model}-plain")
        assert plain == {"model": model}
        every = own.pop(f"{model}-all")
        parts = [{k: v for k, v in arm.items() if k != "model"} for arm in own.values()]
        assert every == plain | {k: v for arm in parts for k, v in arm.items()}
        assert sum(map(len, parts)) + 1 == len(every)  # no two arms share a hyperparameter


def test_preset_of_a_file_has_its_own_hardware_part(tmp_path):
    text = 'trials = 3\n[space]\nlr = 0.1\n[hardware.cpu]\ntrials = 2\nwhy = "a laptop"\n'
    path = preset_file(tmp_path, text + "[hardware.cpu.space]\nflip = 0.0\n")
    cpu, why = read_preset(path, "cpu")
    assert (cpu.preset, cpu.trials, cpu.space, why) == (
        path,
        2,
        {"lr": 0.1, "flip": 0.0},
        "a laptop",
    )
    gpu, why = read_preset(path, "gpu")
    assert (gpu.trials, gpu.space, why) == (3, {"lr": 0.1}, "")


def test_unknown_preset_lists_the_known_ones():
    said = "unknown preset 'serch': known are {}, or a .toml file".format(", ".join(PRESETS))
    assert refusal(read_preset, "serch", "cpu") == said


def test_missing_preset_file_is_named():
    said = "there is no file mine.toml: give one, or a preset: {}".format(", ".join(PRESETS))
    assert refusal(read_preset, "mine.toml", "cpu") == said


def test_a_file_may_begin_with_the_mark_of_some_editors(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text("trials = 3", "utf-8-sig")
    assert read_preset(str(path), "cpu")[0].trials == 3


@pytest.mark.parametrize("content", [b"trials 3", b"\xff\xfe"])
def test_file_that_is_not_toml_is_refused(tmp_path, content):
    path = tmp_path / "mine.toml"
    path.write_bytes(content)
    assert refusal(read_preset, str(path), "cpu").startswith(f"{path} is not TOML: ")


def test_unknown_key_in_a_file_is_refused(tmp_path):
    path = preset_file(tmp_path, "trails = 3")
    assert refusal(read_preset, path, "cpu").startswith("unknown key 'trails': known are address,")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("hardware = 5", "hardware is 5: expected a table"),
        ("[hardware]\ncpu = 5", "hardware.cpu is 5: expected a table"),
        ("[hardware.laptop]", "hardware has laptop: known are cpu and gpu"),
    ],
)
def test_hardware_part_of_the_wrong_shape_is_refused(tmp_path, text, said):
    assert refusal(read_preset, preset_file(tmp_path, text), "cpu") == said


def test_a_study_made_in_python_is_checked_too():
    assert refusal(Study, space={"lr": 0.0}) == "lr is 0.0: expected a number above 0"
    setting = Setting("A", {"model": "alexnet", "lr": 0.0})
    assert refusal(Study, settings=(setting,)) == "lr is 0.0: expected a number above 0"


def test_study_and_hyperparameters_are_frozen_and_equal_by_value():
    assert Study() == Study() and replace(Study(), trials=3) != Study()
    for value in (Study(), Hyperparameters()):
        with pytest.raises(AttributeError):
            value.epochs = 3


def test_options_have_these_defaults():
    assert to_dict(Study()) == {
        "preset": "search",
        "name": "",
        "out": "runs",
        "storage": "",
        "data": "faces",
        "classes": (),
        "without": (),
        "crop": 0.0,
        "train_images": 0,
        "val_images": 0,
        "models": tuple(MODELS),
        "stages": ("search", "confirm"),
        "settings": [],
        "trials": 24,
        "epochs": 30,
        "seed": 0,
        "seeds": 12,
        "pairs": (),
        "margin": 0.5,
        "baseline_seeds": 0,
        "runners_up": 0,
        "val_copies": "without",
        "attention_images": 64,
        "sampler": "tpe",
        "scheduler": "asha",
        "metric": "accuracy",
        "grace_epochs": 1,
        "reduction_factor": 3,
        "device": "auto",
        "execution": "auto",
        "gpus_per_trial": 0.0,
        "cpus_per_trial": 1,
        "max_concurrent": 0,
        "time_budget": 0.0,
        "minutes": 0.0,
        "gpu_hours": 0.0,
        "retries": 2,
        "hang_seconds": -1.0,
        "address": "",
        "space": {},
    }


def test_pairs_are_two_names_each_and_those_that_flags_leave_stay():
    study = from_dict({"pairs": ["alexnet:resnet34", "resnet34:cbam_resnet34"]})
    assert pairs_of(study) == [("alexnet", "resnet34"), ("resnet34", "cbam_resnet34")]
    fewer = replace(study, models=("alexnet", "resnet34"))
    assert with_possible_pairs(fewer).pairs == ("alexnet:resnet34",)
    for text in ("alexnet", "alexnet:", "alexnet:alexnet", "a:b:c"):
        said = f"pairs has {text!r}: expected two names, as alexnet:resnet34"
        assert refusal(from_dict, {"pairs": [text]}) == said
    said = "pairs has alexnet:resnet34 and resnet34:alexnet: expected each pair once"
    assert refusal(from_dict, {"pairs": ["alexnet:resnet34", "resnet34:alexnet"]}) == said


@pytest.mark.parametrize("name", ["search", "fair", "paper", "ingredients"])
def test_presets_name_pairs_that_they_confirm_and_on_a_gpu_have_seeds_to_decide_them(name):
    study, _ = read_preset(name, "gpu")
    assert with_possible_pairs(study).pairs == study.pairs != ()
    same = name == "ingredients"
    assert Plan(study.seeds, 3100, len(study.pairs), same).decides


def test_fair_has_one_size_and_one_space_for_every_network():
    study, _ = read_preset("fair", "gpu")
    assert study.own == {} and study.space["image_px"] == 48 and study.models == tuple(MODELS)
    searched = {model: {*domains(study, model)} - {"stem"} for model in MODELS}
    assert searched["resnet34"] == searched["cbam_resnet34"] == searched["alexnet"]


@pytest.mark.parametrize(
    ("name", "least"),
    [
        *((name, 0) for name in ("train_images", "val_images", "seed", "attention_images")),
        *((name, 0) for name in ("time_budget", "gpu_hours", "retries", "margin")),
        *((name, 1) for name in ("trials", "epochs", "seeds", "grace_epochs", "cpus_per_trial")),
        ("reduction_factor", 2),
    ],
)
def test_options_are_taken_from_their_least_value_on(name, least):
    found = getattr(from_dict({name: least}), name)
    assert found == least and type(found) is type(getattr(Study(), name))
    wanted = type(getattr(Study(), name))
    said = f"{name} is {wanted(least - 1)}: expected a number from {least} on"
    assert refusal(from_dict, {name: least - 1}) == said


def test_whole_gpus_and_any_share_of_one_are_taken():
    assert [from_dict({"gpus_per_trial": g}).gpus_per_trial for g in (0.25, 1, 3)] == [0.25, 1, 3]


def test_a_preset_that_can_not_be_read_is_a_mistake(tmp_path, monkeypatch):
    path = tmp_path / "mine.toml"
    path.touch()

    def refused(self):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(self))

    monkeypatch.setattr(Path, "read_bytes", refused)
    said = f"{path} can't be read (Permission denied): check its permissions"
    assert refusal(read_preset, str(path), "cpu") == said


def test_classes_are_any_names_and_nothing_else():
    assert from_dict({"classes": ["smile", "no smile"]}).classes == ("smile", "no smile")
    for wrong in ("smile", ["smile", 1], [""], 3):
        assert refusal(from_dict, {"classes": wrong}) == (
            f"classes is {wrong!r}: expected a list of names"
        )


def test_studies_that_begin_in_one_second_have_names_of_their_own():
    """Two machines that share a storage, or two rows of a batch script, had one."""
    names = {named_by_default("presets/my.toml") for _ in range(100)}
    assert len(names) == 100
    assert all(re.fullmatch(r"my-\d{8}-\d{6}-[0-9a-f]{6}", name) for name in names)
