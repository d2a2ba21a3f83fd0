"""Importance on made-up searches whose truth is known, at one fidelity."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import optuna
import pandas as pd
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.importance import FanovaImportanceEvaluator, PedAnovaImportanceEvaluator
from test_results_load import epochs, folder, header, trial

from results.artefacts.load import load
from results.facts import forest, importance, kept, search
from results.report.blocks import Text
from results.report.report import report
from results.report.sections.importance import important

SPACE = {
    "lr": {"low": 0.001, "high": 0.1, "log": True},
    "batch_size": [32, 64, 128, 256],
    "weight_decay": {"low": 0.0, "high": 0.01},
}


def made_up(path, many, curve, space=SPACE, decisions=()):
    """A search of alexnet: `curve(lr place 0...1, batch place 0...3, decay place 0...1, rng)` gives
    a trial's accuracies by epoch."""
    rng = np.random.default_rng(0)
    rows, told = [], []
    for k in range(many):
        lr, batch, decay = rng.random(), int(rng.integers(4)), rng.random()
        rows.append(
            trial(
                f"t{k}",
                hp_lr=10 ** (-3 + 2 * lr),
                hp_batch_size=32 * 2**batch,
                hp_weight_decay=0.01 * decay,
            )
        )
        told += epochs(f"t{k}", curve(lr, batch, decay, rng))
    head = header(study={"space": space, "models": ["alexnet"]})
    return load(folder(path, head, rows, told, list(decisions)))


def of(found, resamples=8):
    return importance.importance(found, search.searched(found), resamples)


def plain(lr, batch, decay, rng):
    return [0.5 - 0.3 * (lr - 0.6) ** 2 - 0.005 * batch + rng.normal(0, 0.003)]


def test_the_order_of_a_known_landscape_is_found(tmp_path):
    frame = of(made_up(tmp_path / "s", 60, plain)).set_index("hyperparameter")
    assert set(frame["trials"]) == {60} and set(frame["epoch"]) == {1}
    for measure, short in (("fanova", "fanova"), ("ped_anova", "ped")):
        assert frame[measure].idxmax() == "lr"
        assert (frame[f"{short}_low"] <= frame[measure]).all()
        assert (frame[measure] <= frame[f"{short}_high"]).all()
    order = frame["fanova"].sort_values(ascending=False).index.tolist()
    assert order == ["lr", "batch_size", "weight_decay"]
    assert frame["ped_anova"].sum() == pytest.approx(1)
    assert frame["fanova"].sum() < 1.05  # the rest is interaction


def test_a_log_axis_is_judged_as_one(tmp_path):
    """Half of the space's lr lies below 0.01; on a linear axis it would be a tenth."""

    def low_is_bad(lr, batch, decay, rng):
        return [0.4 + 0.2 * (lr > 0.3) - 0.05 * batch / 3 + rng.normal(0, 0.003)]

    frame = of(made_up(tmp_path / "s", 60, low_is_bad)).set_index("hyperparameter")
    assert frame["fanova"].idxmax() == "lr" and frame.loc["lr", "fanova"] > 0.8


def stopped_early(lr, batch, decay, rng):
    """lr decides the first epoch, weight decay the last; a slow start is stopped at epoch 1."""
    first = 0.2 + 0.3 * lr + rng.normal(0, 0.003)
    end = 0.6 + 0.1 * decay + rng.normal(0, 0.003)
    return [first, first + 0.1, end] if lr > 0.4 else [first]


def test_fidelities_are_never_mixed(tmp_path):
    found = made_up(tmp_path / "s", 80, stopped_early)
    trials = search.searched(found)
    frame = of(found).set_index(["epoch", "hyperparameter"])
    assert frame.loc[1, "fanova"].idxmax() == "lr"
    assert frame.loc[3, "fanova"].idxmax() == "weight_decay"
    assert frame.loc[3, "ped_anova"].idxmax() == "weight_decay"
    assert frame.loc[(3, "lr"), "trials"] == (trials["last_epoch"] == 3).sum()
    # The trap: every trial at its last epoch says lr, which decides nothing at the end.
    mixed = trials.assign(value=trials["val_accuracy"])
    domains = importance.searched_domains(found, "alexnet")
    points = [
        {name: importance.axis(asked, row[f"hp_{name}"]) for name, (asked, _) in domains.items()}
        for _, row in mixed.iterrows()
    ]
    _, forest = importance.both(
        mixed["value"].to_numpy(float), points, domains, 0, np.arange(len(mixed))
    )
    assert max(forest, key=forest.get) == "lr" and forest["lr"] > 4 * forest["weight_decay"]


def test_too_few_trials_are_refused_in_a_sentence(tmp_path):
    found = made_up(tmp_path / "s", 12, plain)
    assert of(found).empty
    block = important(found, search.searched(found))[0]
    assert "fewer than 30 trials at one epoch (alexnet 12)" in block.words


def plateau(off):
    """36 trials, all but so many at the share of the majority class."""
    count = iter(range(36))
    return lambda lr, batch, decay, rng: [0.3 + 0.1 * lr if next(count) < off else 0.25]


@pytest.mark.parametrize("off", [0, 1, 3, 7])
def test_on_a_plateau_nothing_is_told_and_the_rest_is_written(tmp_path, off):
    found = made_up(tmp_path / "s", 36, plateau(off))
    assert of(found, 20).empty
    (block,) = important(found, search.searched(found))
    assert f"{36 - off} of 36 trials have the same val accuracy, 25.0 %" in block.words
    assert "can't be told" in block.words
    text = " ".join(
        block.words
        for section in report([found]).sections
        for block in section.blocks
        if isinstance(block, Text)
    )
    assert "can't be told at epoch 1" in text and "explains" not in text


def test_off_the_plateau_importance_is_told_although_some_resamples_lie_on_it(tmp_path):
    frame = of(made_up(tmp_path / "s", 36, plateau(19)), 20)
    assert frame.notna().to_numpy().all() and (frame["fanova_low"] <= frame["fanova"]).all()
    assert (frame["ped_anova"] > 0).any()


def test_the_search_of_one_hyperparameter_is_not_said_to_have_too_few_trials(tmp_path):
    found = made_up(tmp_path / "s", 36, plain, {"lr": SPACE["lr"]})
    assert important(found, search.searched(found)) == []


def test_values_outside_the_space_are_left_out(tmp_path):
    narrow = SPACE | {"batch_size": [32, 64, 128]}
    found = made_up(tmp_path / "s", 60, plain, narrow)
    few = importance.reached(found, search.searched(found))
    assert 30 < few["trials"].iloc[0] < 60


@pytest.mark.parametrize(
    ("asked", "value", "place"),
    [
        (SPACE["lr"], 0.01, -2.0),
        (SPACE["lr"], 0.2, None),
        (SPACE["weight_decay"], 0.002, 0.002),
        ([256, 32, 64], 64, 1),
        ([32, 64], 128, None),
        (["serial", "parallel"], "serial", "serial"),
        ([True, False], True, True),
    ],
)
def test_where_a_value_lies_on_its_axis(asked, value, place):
    assert importance.axis(asked, value) == (
        pytest.approx(place) if type(place) is float else place
    )


def test_each_network_has_its_own_space(tmp_path):
    own = SPACE | {
        "alexnet": {"dropout": {"low": 0.0, "high": 0.5}},
        "cbam_resnet34": {"cbam_order": ["serial", "parallel"]},
    }
    found = made_up(tmp_path / "s", 3, plain, own)
    found.trials["hp_dropout"] = 0.1
    assert list(importance.searched_domains(found, "alexnet")) == [*SPACE, "dropout"]
    assert list(importance.searched_domains(found, "cbam_resnet34")) == [*SPACE, "cbam_order"]


def test_what_a_network_lacks_is_not_in_its_space(tmp_path):
    """cbam_order, given for all: without a gate no trial has it, and none would be left."""
    found = made_up(tmp_path / "s", 40, plain, SPACE | {"cbam_order": ["serial", "parallel"]})
    found.trials["hp_cbam_order"] = None
    assert list(importance.searched_domains(found, "alexnet")) == list(SPACE)
    assert importance.reached(found, search.searched(found))["trials"].max() == 40


def test_the_section_draws_both_measures_at_the_furthest_epoch(tmp_path):
    found = made_up(tmp_path / "s", 80, stopped_early)
    figure = important(found, search.searched(found), 4)[0]
    assert [title for title, _ in figure.plots] == [
        "alexnet, epoch 3, " + str((search.searched(found)["last_epoch"] == 3).sum()) + " trials"
    ]
    assert "weight_decay" in figure.summary
    assert set(figure.table.frame["epoch"]) == {1, 3}


def test_importance_is_worked_out_once_for_a_state_of_a_study(tmp_path, monkeypatch):
    one = made_up(tmp_path / "s", 40, plain)
    said, made = [], []
    real = importance.importance
    monkeypatch.setattr(importance, "importance", lambda *all: made.append(1) or real(*all))
    first = kept.importances(one, 2, said.append)
    monkeypatch.setattr(kept, "_known", {})  # another process
    again = kept.importances(one, 2, said.append)
    pd.testing.assert_frame_equal(first, again, check_exact=True)  # pandas 3.1 keeps ten decimals
    assert made == [1] and len(said) == 1 and "40 trials" in said[0]
    other = replace(one, epochs=one.epochs.assign(judged=one.epochs["judged"] / 2))
    kept.importances(other, 2)
    assert made == [1, 1]  # what it is made of has changed


def test_importance_is_worked_out_again_where_its_code_has_changed(tmp_path, monkeypatch):
    """What is kept was shown after a change of the forest, since its state knew libraries alone."""
    one = made_up(tmp_path / "s", 40, plain)
    trials = search.searched(one)
    before = kept.state(one, trials, 2)
    changed = tmp_path / "forest.py"
    changed.write_text(Path(forest.__file__).read_text() + "\nMOST = 1\n")
    monkeypatch.setattr(forest, "__file__", str(changed))
    assert kept.state(one, trials, 2) != before


def test_a_folder_that_cannot_be_written_or_holds_rubbish_still_has_its_importance(tmp_path):
    one = made_up(tmp_path / "s", 40, plain)
    (one.folder / "explorer").write_text("in the way")
    assert len(kept.importances(one, 2)) == 3
    assert kept.read(one.folder / "explorer", "x") is None


AXES = {
    "lr": FloatDistribution(-3, -1),
    "batch_size": IntDistribution(0, 3),
    "order": CategoricalDistribution(["serial", "parallel"]),
    "pool": CategoricalDistribution(["max", "mean", None]),
}


def drawn_points(rng, many):
    numbers = {"lr": rng.uniform(-3, -1, many), "batch_size": rng.integers(4, size=many)}
    words = {name: rng.integers(len(AXES[name].choices), size=many) for name in ("order", "pool")}
    return [
        {"lr": float(numbers["lr"][k]), "batch_size": int(numbers["batch_size"][k])}
        | {name: AXES[name].choices[words[name][k]] for name in words}
        for k in range(many)
    ]


@pytest.mark.parametrize("seed", [0, 1])
def test_both_measures_are_optunas_own(seed):
    rng = np.random.default_rng(seed)
    points = drawn_points(rng, 60)
    values = np.array(
        [
            -0.1 * (p["lr"] + 2) ** 2 + 0.05 * (p["pool"] == "max") * (p["order"] == "serial")
            for p in points
        ]
    ) + rng.normal(0, 0.01, 60)
    drawn = rng.integers(60, size=60)  # some twice
    study = optuna.create_study(direction="maximize")
    for k in drawn:
        study.add_trial(
            optuna.trial.create_trial(params=points[k], distributions=AXES, value=values[k])
        )
    domains = {name: (None, axis) for name, axis in AXES.items()}
    ped, shares = importance.both(values, points, domains, seed, drawn)
    theirs = FanovaImportanceEvaluator(n_trees=importance.TREES, seed=seed).evaluate(study)
    assert shares == pytest.approx(theirs, abs=1e-12)
    asked = PedAnovaImportanceEvaluator(target_quantile=importance.TOP).evaluate(study)
    whole = sum(asked.values())
    assert ped == pytest.approx({name: value / whole for name, value in asked.items()})
