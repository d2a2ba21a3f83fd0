"""Nothing that a person gives is ignored: it does something in the study, or it is refused."""

import pytest

from fer_record.tables import Tables
from study import Mistake
from study.config import flags
from study.config.study import PRESETS, Study, confirmed_names, from_dict, preset, read_preset
from study.driver.given import (
    each_once,
    refuse_idle,
    refuse_idle_file,
    refuse_less,
    refuse_other_networks,
    refuse_other_stages,
    refuse_outside,
    refuse_unnamed,
    refuse_unsearched,
    whole_grid,
)
from study.run import main

# What was asked for, and what is said of it; each of these was once begun without a word.
REFUSED = {
    # a range or a list that nothing searches
    "--preset paper --lr 0.001:0.1": "--lr does nothing here, since nothing is searched",
    "--preset paper --batch-size 32,64": "--batch-size does nothing here, since nothing is",
    "--stages confirm --lr 0.001:0.1": "--lr does nothing here, since nothing is searched",
    "--stages confirm": "settings of search are where its search begins: say which to confirm as",
    "--stages confirm --models alexnet": "as they are (--settings alexnet-first), confirm what a",
    "--preset paper --stages search,confirm": "setting 'A-alexnet' has batch_size 256, which the",
    "--preset smoke --stages confirm": "nothing is searched, but batch_size, lr, cbam_red",
    "--preset fair --stages confirm": "nothing is searched, but batch_size, lr, weight_decay, drop",
    "--preset smoke --models alexnet --stages confirm --lr 0.01": "but batch_size has more",
    # commas for points, and between thousands
    "--weight-decay 0,0005": "--weight-decay is 0,0005: a decimal has a point, as 0.0005",
    "--dropout 0,5": "--dropout is 0,5: a decimal has a point, as 0.5",
    "--contrast 0,1": "--contrast is 0,1: a decimal has a point, as 0.1; if two values are meant",
    "--lr 0,001:0,1": "--lr is '0,001': expected a number, and decimals have a point",
    "--batch-size 1,024": "--batch-size is 1,024: is that one number? Then leave out the comma",
    "--train-images 10,000": "--train-images is '10,000': expected a whole number, and decimals",
    "--time-budget 3,5": "--time-budget is '3,5': expected a number, and decimals have a point",
    # who stops trials, where nobody can
    "--grace-epochs 5 --epochs 1": "may be stopped before epoch 5, and a trial has 1 epoch",
    "--grace-epochs 4 --epochs 4": "may be stopped before epoch 4, and a trial has 4 epochs",
    "--preset smoke --reduction-factor 3 --epochs 1": "--reduction-factor does nothing here",
    "--scheduler none --grace-epochs 2": "since scheduler is none, which stops no trial",
    "--scheduler none --reduction-factor 4": "since scheduler is none, which stops no trial",
    # of the stage that there isn't
    "--preset paper --trials 5": "--trials does nothing here, since nothing is searched",
    "--preset paper --sampler random": "--sampler does nothing here, since nothing is searched",
    "--preset paper --scheduler asha": "--scheduler does nothing here, since nothing is searched",
    "--stages search --seeds 5": "--seeds does nothing here, since nothing is confirmed",
    "--stages search --attention-images 9": "--attention-images does nothing here",
    # of networks, settings and values that there aren't
    "--models alexnet --attention-images 9": "none of the networks has attention to look at",
    "--optimizer adam --momentum 0.5": "--momentum does nothing here, since it acts with optimizer",
    "--schedule cosine --patience 3": "--patience does nothing here, since it acts with schedule",
    "--lr-steps 3": "--lr-steps does nothing here, since it acts with schedule step alone",
    "--schedule plateau --lr-steps 3": "--lr-steps does nothing here",
    "--preset paper --settings A-alexnet --cbam-reduction 8": "no network that is trained has it",
    "--preset paper --settings A-resnet34 --models alexnet": "A-resnet34 is of a network that",
    "--preset ingredients --models cbam_resnet34": "none of the settings is of cbam_resnet34",
    "--sampler grid --settings alexnet-first --lr 0.001": "--settings does nothing here, since a",
    "--preset smoke --sampler grid --models alexnet --lr 0.01,0.1 --trials 9": "than 4 points",
    # twice, or nothing
    "--lr 0.01 --lr 0.1": "argument --lr: given twice, as 0.01 and as 0.1",
    "--trials 3 --trials=4": "argument --trials: given twice, as 3 and as 4",
    "--resume a --resume b": "argument --resume: given twice, as a and as b",
    "--hang-seconds -0.5": "hang_seconds is -0.5: expected -1, 0 or more",
    # numbers that no column and no seed can hold
    "--seed 18446744073709551616": "seed is 18446744073709551616: expected a number up to 92233720",
    "--seed 92233720368547": "seed is 92233720368547: expected a number up to 92233720368546",
    "--trials 50001": "trials is 50001: expected a number up to 50000",
    "--epochs 9223372036854775808": "epochs is 9223372036854775808: expected",
    "--patience 99999999999999999999 --schedule plateau": "patience is 99999999999999999999",
}


@pytest.mark.parametrize("words", REFUSED)
def test_what_would_be_ignored_is_refused_before_anything_is_begun(
    tmp_path, monkeypatch, capsys, words
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RAY_TMPDIR", str(tmp_path))  # no head is found here
    assert main([*words.split(), "--device", "cpu"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert REFUSED[words] in line
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize("flag", ["--resume", "--out", "--data", "--preset", "--lr", "--models"])
def test_a_flag_of_which_the_variable_was_never_set_is_refused(tmp_path, monkeypatch, capsys, flag):
    monkeypatch.chdir(tmp_path)
    for empty in ("", " ", ", "):
        assert main([flag, empty]) == 2
        assert f"{flag} is empty: give it a value" in capsys.readouterr().err
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--name", "\udcff"], "--name is '\\udcff': expected text in UTF-8"),
        (["--out", "runs\udcff"], "--out is 'runs\\udcff': expected text in UTF-8"),
        (["--name", "n" * 300], "can't be used (File name too long)"),
    ],
)
def test_a_name_that_no_file_system_or_nobody_can_read_is_refused(
    tmp_path, monkeypatch, capsys, words, said
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RAY_TMPDIR", str(tmp_path))
    assert main(["--preset", "smoke", "--device", "cpu", *words]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert said in line


ACTS = [
    "--optimizer sgd,adam --momentum 0.5",
    "--schedule step,cosine --lr-decay 0.5",
    "--lr 0.01,0.1",
    "--preset paper --lr 0.01 --epochs 3",
    "--preset paper --scheduler none",
    "--dropout 0.0,0.5",
    "--preset paper --settings A-alexnet --batch-size 64",
    "--preset ingredients --seeds 9",
    "--stages confirm --settings alexnet-first,resnet34-first",
    "--preset smoke --stages confirm --lr 0.01 --batch-size 16 --cbam-reduction 8",
    "--grace-epochs 2 --epochs 3",
    "--trials 7 --trials 7",
    "--batch-size 32,64",
    "--rotation 5,10",
    "--seed 92233720368546",
    "--seed 4294967296",
    "--models alexnet --stages search --trials 5",
    "--preset smoke --sampler grid --lr 0.01,0.1",
    "--hang-seconds 0.5",
    "--epochs 1",
]


@pytest.mark.parametrize("words", ACTS)
def test_what_does_something_is_taken(words):
    given = flags.given(flags.parser().parse_args(words.split()))
    base, _ = read_preset(given.pop("preset", "search"), "cpu")
    study = flags.with_flags(base, given)
    refuse_other_networks(study)
    refuse_unnamed(base, study, given)
    refuse_idle(study, given)
    refuse_unsearched(study)


@pytest.mark.parametrize(
    ("words", "kept", "told"),
    [
        ("", "A-alexnet,B-alexnet,C-alexnet,D-cbam128,D-cbam64,E-cbam50", ""),
        ("--epochs 3", "A-alexnet,B-alexnet,C-alexnet,D-cbam128,D-cbam64", "E-cbam50 D-cbam128"),
        (
            "--batch-size 128",
            "A-alexnet,C-alexnet,D-cbam128,E-cbam50",
            "B-alexnet A-alexnet; D-cbam64 D-cbam128",
        ),
    ],
)
def test_settings_that_flags_have_made_one_are_trained_once(words, kept, told):
    words = f"--preset paper --models alexnet,cbam_resnet34 {words}"
    given = flags.given(flags.parser().parse_args(words.split()))
    base, _ = read_preset(given.pop("preset"), "cpu")
    said: list[str] = []
    study = each_once(flags.with_flags(base, given), said.append)
    assert confirmed_names(study) == kept.split(",")
    assert said == [
        f"{other} is left out: here it trains the same networks as {first}."
        for other, first in (pair.split() for pair in told.split("; ") if pair)
    ]


def test_what_only_a_gpu_does_is_refused_once_there_is_none():
    for name, value in (("gpus_per_trial", 0.5), ("execution", "graphs")):
        study = Study(**{name: value})
        refuse_idle(study, [name])
        refuse_idle(study, [name], device="cuda")
        with pytest.raises(Mistake, match=f"--{name.replace('_', '-')} does nothing here, since"):
            refuse_idle(study, [name], device="cpu")


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("hardware", ["cpu", "gpu"])
def test_no_preset_of_ours_says_what_does_nothing(name, hardware):
    study, _ = read_preset(name, hardware)
    refuse_idle_file(study, preset(name), hardware)
    refuse_unsearched(study)
    refuse_other_networks(study)


SAYS_ITS_OWN = "does nothing here, since every network or setting says its own"
SETTING = '[[settings]]; name = "A"; model = "alexnet"'
FILES = {  # a line of the file behind each semicolon
    'stages = ["confirm"]; trials = 9': "trials does nothing here, since nothing is searched",
    "grace_epochs = 5; epochs = 2": "grace_epochs does nothing here, since no trial may be stopped",
    '[space]; optimizer = "adam"; momentum = 0.5': "momentum does nothing here, since it acts with",
    "[space.alexnet]; patience = 3": "patience does nothing here, since it acts with schedule",
    'models = ["resnet34"]; [space.alexnet]; dropout = 0.5': "space.alexnet does nothing here",
    'models = ["alexnet"]; [space]; flip = 0.1; [space.alexnet]; flip = 0.5': SAYS_ITS_OWN,
    f'stages = ["confirm"]; [space]; lr = 1; {SETTING}; lr = 0.2': f"lr {SAYS_ITS_OWN}",
    f'{SETTING}; schedule = "step"; patience = 2': "setting 'A' has patience, which acts with",
    f'stages = ["confirm"]; {SETTING}; replaced = 3': "setting 'A' has replaced 3, which only a",
    f"{SETTING}; replaced = {{ lr = 0.1 }}": "setting 'A' has replaced {'lr': 0.1}, which only a",
    '[hardware.cpu]; stages = ["search"]; seeds = 4': "seeds does nothing here, since nothing is",
    '[hardware.cpu]; device = "cpu"': "hardware.cpu has device, by which it is chosen",
    'models = ["alexnet", "resnet34"]; [space.alexnet]; optimizer = "adam"; momentum = 0.5': (
        "space.alexnet has momentum, which acts with optimizer sgd alone"
    ),
    "[hardware.cpu]; why = 3": "hardware.cpu has why 3: expected text",
    "[hardware.gpu]; epoch = 3": "unknown key 'epoch'",
    "[hardware.gpu.space]; lr = 0": "lr is 0.0: expected a number above 0",
    'preset = "paper"': "has the key preset, but it is one",
    "lr = 0.1": "a hyperparameter belongs below [space]",
    'device = "gpu"': "unknown device 'gpu': known are auto, cpu, cuda",
    "address = 3": "address is 3: expected text",
    '[[settings]]; name = "A"; model = ["alexnet"]': "setting 'A' has model ['alexnet']: known are",
    'models = [["alexnet"]]': "models has ['alexnet']: expected a network's name",
    f'stages = ["confirm"]; {SETTING}; seed = 3': "setting 'A' has a seed, but the study's seed",
    'stages = ["confirm"]; [space]; lr = [0.1, 0.2]': "lr does nothing here, since nothing is",
}


@pytest.mark.parametrize("text", FILES)
def test_a_file_of_ones_own_is_held_to_the_same(tmp_path, monkeypatch, capsys, text):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RAY_TMPDIR", str(tmp_path))
    (tmp_path / "my.toml").write_text(text.replace("; ", "\n"))
    assert main(["--preset", "my.toml"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert FILES[text] in line
    assert not (tmp_path / "runs").exists()


def test_a_files_device_and_address_are_heard_before_it_is_sized(tmp_path, monkeypatch):
    """The machine has a GPU, and a head runs on it; the file wants neither."""
    from study.driver import begin as run

    asked = []

    def kind(device: str) -> str:
        asked.append(device)
        return "cpu"

    monkeypatch.setattr(run.resources, "hardware_kind", kind)
    monkeypatch.setattr(run.connection, "wanted", lambda address: asked.append(address) or "")
    (tmp_path / "my.toml").write_text('device = "cpu"\naddress = "local"\ndata = "nowhere.csv"')
    assert main(["--preset", str(tmp_path / "my.toml")]) == 2
    assert asked == ["local", "cpu"]
    asked.clear()
    words = ["--device", "cuda", "--address", "10.0.0.1:6379"]
    assert main(["--preset", str(tmp_path / "my.toml"), *words]) == 2
    assert asked == ["10.0.0.1:6379", "cuda"], "a flag beats the file"


def test_a_study_that_goes_on_is_not_asked_for_less_than_was_begun():
    tables = Tables()
    for name, stage in (("t0000", "search"), ("t0001", "search"), ("a-s-s2", "confirm")):
        tables.trials[name] = {"stage": stage}
    before = from_dict({"trials": 9, "seeds": 4})
    refuse_less(before, from_dict({"trials": 2, "seeds": 3}), ["trials", "seeds"], tables, 4)
    refuse_less(before, from_dict({"trials": 1, "seeds": 1}), ["retries"], tables, 4)
    with pytest.raises(Mistake, match="--trials is 1, but 2 have been begun"):
        refuse_less(before, from_dict({"trials": 1}), ["trials"], tables, 4)
    with pytest.raises(Mistake, match="--seeds is 2, but 3 have been begun"):
        refuse_less(before, from_dict({"seeds": 2}), ["seeds"], tables, 4)


def test_seeds_that_were_planned_are_not_left_out_once_test_was_opened():
    """After a budget had ended it a study could be cut, unsaid, to the seeds that it had."""
    tables = Tables(trials={"a-s0": {"stage": "confirm"}}, opened=["a-s0"])
    before, fewer = from_dict({"seeds": 4}), from_dict({"seeds": 3})
    with pytest.raises(Mistake, match="--seeds is 3, but 4 are planned and test was opened.* out$"):
        refuse_less(before, fewer, ["seeds"], tables, 4)
    refuse_less(before, before, ["seeds"], tables, 4)
    tables.opened.clear()
    refuse_less(before, fewer, ["seeds"], tables, 4)


def test_seeds_that_were_added_after_test_are_taken_back_as_long_as_none_has_begun():
    """The number that was planned was refused, as if test had been opened with the added ones."""
    tables = Tables(trials={"a-s0": {"stage": "confirm"}}, opened=["a-s0"])
    before, planned = from_dict({"seeds": 4}), from_dict({"seeds": 1})
    refuse_less(before, planned, ["seeds"], tables, 1)
    with pytest.raises(Mistake, match="but 4 are planned .* leave it out, or give 1 as when"):
        refuse_less(before, from_dict({"seeds": 2}), ["seeds"], tables, 1)
    tables.trials["a-s1"] = {"stage": "confirm"}
    with pytest.raises(Mistake, match="--seeds is 1, but 2 have been begun"):
        refuse_less(before, planned, ["seeds"], tables, 1)


def test_a_study_that_goes_on_confirms_only_what_was_tried_and_searches_only_before():
    """It trained the first points of the search, or searched what nobody would choose from."""
    both, confirm = from_dict({}), from_dict({"stages": ["confirm"]})
    with pytest.raises(Mistake, match="--stages is confirm, but nothing has been tried"):
        refuse_other_stages(both, confirm, Tables())
    begun = Tables(trials={"t0000": {"stage": "search"}})
    refuse_other_stages(both, confirm, begun)
    refuse_other_stages(confirm, both, begun)
    chosen = Tables(trials=begun.trials, chosen={"alexnet": {}})
    refuse_other_stages(both, both, chosen)
    with pytest.raises(Mistake, match="--stages search does nothing any more"):
        refuse_other_stages(confirm, both, chosen)


@pytest.mark.parametrize(
    ("own", "said"),
    [
        ({"lr": 0.01}, ""),
        ({"lr": 0.5}, "lr 0.5, which the search never tries .lr is searched from 0.001 to 0.1"),
        ({"weight_decay": 0.0}, "weight_decay 0.0, which the search never tries .* is 0.0005"),
        ({"epochs": 9}, "epochs 9"),
    ],
)
def test_a_setting_that_the_search_cannot_try_is_refused(own, said):
    """What it had outside the space was passed over: a search tried something else first."""
    setting = {"name": "x", "model": "alexnet", **own}
    given = {"space": {"lr": {"low": 0.001, "high": 0.1}}, "settings": [setting]}
    refuse_outside(from_dict(given | {"stages": ["confirm"]}))
    refuse_outside(from_dict(given | {"models": ["resnet34"]}))
    if not said:
        return refuse_outside(from_dict(given))
    with pytest.raises(Mistake, match=said):
        refuse_outside(from_dict(given))


def test_a_pair_of_what_is_not_confirmed_is_refused():
    study = from_dict({"pairs": ["alexnet:resnet34"], "models": ["alexnet"]})
    with pytest.raises(Mistake, match="--pairs does nothing here, since resnet34 isn't confirmed"):
        refuse_idle(study, ["pairs"])
    refuse_idle(from_dict({"pairs": ["alexnet:resnet34"]}), ["pairs"])


def test_a_grid_has_as_many_trials_as_were_given_else_all_its_points():
    """A file's trials, and those of --resume for a whole grid, were passed over without a word."""
    study = from_dict({"sampler": "grid", "models": ["alexnet"], "space": {"lr": [0.1, 0.2, 0.3]}})
    assert whole_grid(study, ()).trials == 3
    few = flags.with_flags(study, {"trials": "2"})
    assert whole_grid(few, ["trials"]).trials == 2
    assert whole_grid(from_dict({"trials": 9}), ()).trials == 9


def begun(tmp_path, monkeypatch, text: str, *words: str) -> tuple[int, list[Study]]:
    """What `study.run` says of a file, and the study as far as it came: to its images."""
    from study.driver import begin

    came: list[Study] = []

    def images(study: Study, *_: object) -> None:
        came.append(study)
        raise Mistake("so far")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RAY_TMPDIR", str(tmp_path))
    monkeypatch.setattr(begin, "read_images", images)
    (tmp_path / "my.toml").write_text(text.replace("; ", "\n"))
    return main(["--preset", "my.toml", *words]), came


def test_a_files_trials_of_a_grid_are_taken(tmp_path, monkeypatch, capsys):
    cells = 'models = ["alexnet"]; trials = 2; [space]; lr = [0.1, 0.2, 0.3]'
    _, (study,) = begun(tmp_path, monkeypatch, cells, "--sampler", "grid")
    assert study.trials == 2


LEFT_IDLE = {  # a file's key, and the flag that leaves it nothing to do
    ("seeds = 5", "--stages search"): "seeds of my.toml does nothing here, since nothing is conf",
    (
        "trials = 9",
        "--stages confirm --models alexnet",
    ): "trials of my.toml does nothing here, since",
    ("trials = 9; [space]; lr = [0.1, 0.2]", "--sampler grid --models alexnet"): "than 2 points",
    ("gpus_per_trial = 0.5", ""): "gpus_per_trial of my.toml does nothing here, since the trials",
    ("[hardware.cpu]; seeds = 5", "--stages search"): "seeds of my.toml does nothing here",
    ("seeds = 5", "--stages search --seeds 4"): "--seeds does nothing here",
}


@pytest.mark.parametrize("given", LEFT_IDLE)
def test_what_a_flag_leaves_idle_of_a_file_is_refused_in_the_files_words(
    tmp_path, monkeypatch, capsys, given
):
    """It was called a flag that nobody had given, after images were read and Ray had started."""
    text, words = given
    code, came = begun(tmp_path, monkeypatch, text, *words.split(), "--device", "cpu")
    assert code == 2 and not came
    assert LEFT_IDLE[given] in capsys.readouterr().err


@pytest.mark.parametrize(
    ("lr", "words", "goes"),
    [
        ("0.5", "--stages confirm", True),
        ("0.5", "--lr 0.001:1", True),
        ("0.5", "--lr 0.05", True),
        ("0.5", "", False),
        ("0.005", "", True),
        ("0.005", "--lr 0.01:0.1", False),
    ],
)
def test_a_files_setting_is_held_against_the_search_that_is_asked_for(
    tmp_path, monkeypatch, capsys, lr, words, goes
):
    """It was held against the file's alone: the two ways out that its refusal names were refused,
    and a flag that left the setting outside was passed over."""
    space = "[space]; lr = { low = 0.001, high = 0.1 }"
    text = f'models = ["alexnet"]; {space}; {SETTING}; lr = {lr}'
    _, came = begun(tmp_path, monkeypatch, text, *words.split(), "--device", "cpu")
    assert bool(came) == goes
    assert ("which the search never tries" in capsys.readouterr().err) != goes
