import re

import pytest

from study import Mistake
from study.config.flags import OPTIONS, fail, flag, parser, with_flags
from study.config.hyperparameters import FIELDS, MODELS
from study.config.study import FIXED, Range, Study, configuration, from_dict, read_preset

SAMPLERS = ", ".join(Study.__dataclass_fields__["sampler"].metadata["choices"])
KNOWN = ", ".join(MODELS)
BASE = {
    "space": {"lr": {"low": 0.01, "high": 0.1}, "alexnet": {"lr": 0.2, "dropout": 0.5}},
    "settings": [
        {"name": "A", "model": "alexnet", "lr": 0.3, "epochs": 9},
        {"name": "B", "model": "resnet34", "batch_size": 64},
    ],
}


def study(*words: str, base: dict = BASE) -> Study:
    """What the command line makes of a base."""
    given = {k: v for k, v in vars(parser().parse_args(words)).items() if v is not None}
    given.pop("resume", None)
    return with_flags(from_dict(base), given)


def settings(found: Study) -> dict[str, dict]:
    return {s.name: s.values for s in found.settings}


def refusal(*words: str, base: dict = BASE) -> str:
    with pytest.raises(Mistake) as caught:
        study(*words, base=base)
    return str(caught.value)


def test_every_option_and_every_searchable_hyperparameter_has_one_flag():
    flags = [name for action in parser()._actions for name in action.option_strings]
    wanted = [*OPTIONS, *(name for name in FIELDS if name not in FIXED)]
    ours = ["-h", "--help", "--resume", "--repeats", "--after-test", "--from", "--notify"]
    assert sorted(flags) == sorted([*ours, *map(flag, wanted)])


def test_help_tells_what_is_in_force_in_the_preset():
    paper = " ".join(parser(read_preset("paper", "cpu")[0]).format_help().split())
    assert "in [] what the preset paper has on this machine" in paper
    assert "(not of biases and norms): a number from 0 [0]" in paper
    assert "[alexnet: 0.005, 0.007 by setting; resnet34: 0.005, 0.007 by setting; " in paper
    assert "passes over the training images [20, 35, 50 by setting]" in paper
    assert "[alexnet: 0.5; resnet34: 0; cbam_resnet34: 0" in paper
    large = " ".join(parser(read_preset("search", "gpu")[0]).format_help().split())
    assert "a number above 0 [searched from 0.001 to 0.1, log]" in large
    assert "images per step: a whole number from 1 [searched: 32,64,128,256,512]" in large
    assert "configurations that the search tries [60]" in large


def test_every_flag_of_help_has_help_text_and_a_default_is_said():
    text = parser().format_help()
    blocks = re.split(r"\n  (?=-)", text)[1:]
    assert len(blocks) == len(parser()._actions)
    for block in blocks:
        words = re.sub(r"^(-h, )?--[\w-]+( [A-Z]\S*| [a-z0-9|]+\|[a-z0-9|]+)?", "", block).split()
        assert len(words) >= 3, block
    one_line = " ".join(text.split())
    assert "--trials N configurations that the search tries [24]" in one_line
    assert "--lr DOMAIN peak learning rate: a number above 0 [0.05]" in one_line
    assert re.search(
        r"--sampler tpe(\|\w+)+ sampler that proposes configurations \[tpe\]", one_line
    )
    assert "one of serial, parallel; cbam_resnet34 only [serial]" in one_line
    assert (
        "--models A,B networks to compare, of one's own as FILE.py:NAME or timm:NAME ["
        + ",".join(MODELS)
        + "]"
        in one_line
    )


def test_without_flags_a_study_stays_as_it_is():
    assert study() == from_dict(BASE)


def test_options_come_in_their_types():
    found = study(
        *("--trials", "7", "--gpus-per-trial", "0.25", "--name", "x", "--models", "resnet34"),
        *("--stages", "search,confirm", "--sampler", "qmc", "--seed", "3", "--time-budget", "60"),
    )
    assert (found.trials, found.gpus_per_trial, found.name) == (7, 0.25, "x")
    assert (found.models, found.stages) == (("resnet34",), ("search", "confirm"))
    assert (found.sampler, found.seed, found.time_budget) == ("qmc", 3, 60.0)


def test_hyperparameter_flag_is_a_value_choices_or_a_range():
    found = study(
        *("--lr", "0.001:0.1:log", "--batch-size", "32:64", "--dropout", "0.1,0.2"),
        *("--optimizer", "sgd,adamw", "--weight-decay", "0", "--batch-norm", "True,false"),
        *("--flip", "0.25:0.75", "--schedule", "step", "--patience", "3"),
    )
    assert found.space == {
        "lr": Range(0.001, 0.1, True),
        "batch_size": Range(32, 64),
        "dropout": (0.1, 0.2),
        "optimizer": ("sgd", "adamw"),
        "weight_decay": 0.0,
        "batch_norm": (True, False),
        "flip": Range(0.25, 0.75),
        "schedule": "step",
        "patience": 3,
    }


def test_flag_beats_the_preset_for_all_networks_and_within_one():
    found = study("--lr", "0.4")
    assert found.space["lr"] == 0.4
    assert found.own == {"alexnet": {"dropout": 0.5}}


def test_fixed_flag_beats_every_setting_whose_network_has_it():
    found = settings(study("--lr", "0.4", "--stem", "imagenet", "--epochs", "2"))
    assert found == {
        "A": {"model": "alexnet", "lr": 0.4, "epochs": 2},
        "B": {
            "model": "resnet34",
            "batch_size": 64,
            "lr": 0.4,
            "stem": "imagenet",
            "epochs": 2,
        },
    }


def test_searched_flag_leaves_the_settings():
    found = study("--lr", "0.4:0.5", "--batch-size", "16,32")
    assert settings(found) == settings(from_dict(BASE))
    assert found.space["lr"] == Range(0.4, 0.5)


def test_a_list_of_one_value_is_that_value_in_the_settings_too():
    """In the space it was, and the settings kept their own: the flag did nothing, unsaid."""
    found = study("--lr", "0.4,0.4")
    assert found.space["lr"] == 0.4
    assert {one["lr"] for one in settings(found).values()} == {0.4}


def test_flags_beat_the_papers_settings():
    base, _ = read_preset("paper", "cpu")
    found = with_flags(base, {"epochs": "3", "batch_size": "32", "lr": "0.01"})
    hps = [configuration(found, s) for s in found.settings]
    assert [(hp.epochs, hp.batch_size, hp.lr) for hp in hps] == [(3, 32, 0.01)] * 9


def test_settings_flag_picks_by_name_in_its_order():
    assert list(settings(study("--settings", "B,A"))) == ["B", "A"]
    assert settings(study("--settings", "B", "--lr", "0.4"))["B"]["lr"] == 0.4


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--lr", "0"], "lr is 0.0: expected a number above 0"),
        (["--lr", "fast"], "--lr is 'fast': expected a number"),
        (["--lr", "nan"], "lr is nan: expected a number above 0"),
        (["--lr", ""], "--lr is '': expected a number"),
        (["--lr", "0.1:0.1"], "lr from 0.1 to 0.1 is no range: expected low < high"),
        (["--lr", "0:0.1:log"], "lr is 0.0: expected a number above 0"),
        (
            ["--dropout", "0:0.5:log"],
            "dropout from 0.0 to 0.5 is no range: expected low < high, above 0 on a log axis",
        ),
        (["--lr", "0.1:0.2:ln"], "--lr is 0.1:0.2:ln: a range is low:high or low:high:log"),
        (["--lr", "0.1:0.2:0.3"], "--lr is 0.1:0.2:0.3: a range is low:high or low:high:log"),
        (["--batch-size", "32.5"], "--batch-size is '32.5': expected a whole number"),
        (["--batch-size", "32,"], "--batch-size is '': expected a whole number"),
        (["--batch-norm", "1"], "--batch-norm is 1: expected true or false"),
        (["--stem", "small:imagenet"], "stem can't be a range: list its values"),
        (["--optimizer", "lion"], "optimizer is 'lion': expected one of sgd, adam, adamw"),
        (["--epochs", "-1"], "epochs is -1: expected a number from 1 on"),
        (["--epochs", "2.5"], "--epochs is '2.5': expected a whole number"),
        (["--models", "vgg"], f"unknown model 'vgg': known are {KNOWN}"),
        (["--models", ","], f"models is empty: expected some of {KNOWN}"),
        (["--sampler", "cma"], f"unknown sampler 'cma': known are {SAMPLERS}"),
        (["--settings", "A, C"], "unknown setting 'C': known are A, B"),
        (["--nmae", "x"], "unrecognized arguments: --nmae x; --help lists what there is"),
        (["--trial", "3"], "unrecognized arguments: --trial 3; --help lists what there is"),
        (["--trials"], "argument --trials: expected one argument; --help lists what there is"),
    ],
)
def test_bad_flag_is_refused_in_one_sentence(words, said):
    assert refusal(*words) == said


def test_setting_asked_for_twice_is_refused_as_the_flag_that_it_is():
    said = "--settings names 'A' twice: name it once (--seeds for more seeds)"
    assert refusal("--settings", "A,B,A") == said


def test_setting_asked_for_where_there_is_none_is_refused():
    said = "unknown setting 'A': known are none"
    assert refusal("--settings", "A", base={}) == said


def test_mistake_is_one_line_on_stderr_and_code_2(capsys):
    assert fail(Mistake("lr is 0")) == 2
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", "study.run: lr is 0\n")


def test_a_flag_that_no_chosen_network_has_is_refused():
    with pytest.raises(Mistake, match="--stem is a hyperparameter of resnet34 and cbam_resnet34"):
        with_flags(Study(), {"models": "alexnet", "stem": "small"})
    assert with_flags(Study(), {"models": "alexnet,resnet34", "stem": "small"}).space["stem"]


@pytest.mark.parametrize(
    "words",
    [
        ["--classes", "angry, happy"],
        ["--models", "alexnet, resnet34"],
        ["--settings", "A, B"],
        ["--pairs", "A:B, A:C"],
        ["--optimizer", "sgd, adam"],
        ["--batch-norm", "true, false"],
        ["--lr", "0.1 : 0.2 : log"],
    ],
    ids=lambda words: words[0],
)
def test_blanks_of_a_list_are_no_part_of_its_names(words):
    """A class was named " happy", and a network " resnet34" unknown."""
    assert study(*words) == study(words[0], words[1].replace(" ", ""))
