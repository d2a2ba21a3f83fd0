"""Arms found by code, and what they give, seed by seed."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from test_results_load import epochs, folder, header, predictions, trial

from results.artefacts.load import answers, load
from results.facts import evaluation, ingredients, verdicts
from results.report.report import report

PLAIN = {
    "flip": 0.0,
    "shift": 0.0,
    "label_smoothing": 0.0,
    "lr": 0.01,
    "batch_size": 64,
    "epochs": 8,
    "cbam_order": None,
}


def found(**settings):
    whole = {name: PLAIN | changed for name, changed in settings.items()}
    return {arm.setting: arm for arm in ingredients.arms_of("alexnet", whole)}


def test_one_hyperparameter_or_one_group_makes_an_arm():
    arms = found(
        plain={},
        flip={"flip": 0.5},
        moved={"flip": 0.5, "shift": 0.1},
        smooth={"label_smoothing": 0.1},
        other={"lr": 0.1, "batch_size": 32},
    )
    assert set(arms) == {"flip", "moved", "smooth"}
    assert {arm.base for arm in arms.values()} == {"plain"}
    assert arms["moved"].words == "flip 0 → 0.5, shift 0 → 0.1"


def test_all_arms_at_once_are_told_apart_from_an_arm():
    arms = found(
        flip={"flip": 0.5},
        plain={},
        smooth={"label_smoothing": 0.1},
        all={"flip": 0.5, "label_smoothing": 0.1},
        lr={"lr": 0.1},
    )
    assert arms["all"].together and not arms["flip"].together
    assert arms["flip"].base == "plain"  # the one with most arms, though not the first


def test_leaving_one_out_is_an_arm_too():
    both = {"flip": 0.5, "label_smoothing": 0.1, "lr": 0.1}
    arms = found(
        whole=both,
        flipless=both | {"flip": 0.0},
        sharp=both | {"label_smoothing": 0.0},
        slow=both | {"lr": 0.01},
    )
    assert {arm.base for arm in arms.values()} == {"whole"} and len(arms) == 3


def test_settings_far_from_one_another_have_no_arm():
    assert found(a={}, b={"lr": 0.1, "batch_size": 32}) == {}
    assert found(a={}, b={}) == {}


LABELS = [k % 7 for k in range(28)]
SPLITS = ["val"] * 14 + ["test"] * 14


def said(wrong):
    """The labels, but for the first `wrong` images of each split."""
    return [(label + 1) % 7 if k % 14 < wrong else label for k, label in enumerate(LABELS)]


def study(path, wrong):
    """Settings of alexnet by name: (flip, smoothing, wrong answers by seed)."""
    rows, told, curves = [], [], []
    for name, (flip, smoothing, by_seed) in wrong.items():
        for seed, number in enumerate(by_seed):
            trial_id = f"{name}-s{seed}"
            rows.append(
                trial(
                    trial_id,
                    stage="confirm",
                    setting=name,
                    hp_seed=seed,
                    hp_flip=flip,
                    hp_label_smoothing=smoothing,
                )
            )
            told += predictions(trial_id, said(number), LABELS, SPLITS)
            curves += epochs(trial_id, [0.5])
    return folder(path, header(study={"epochs": 8}), rows, curves, [], told)


THREE = {
    "plain": (0.0, 0.0, [8, 6, 7]),
    "flip": (0.5, 0.0, [6, 4, 5]),
    "smooth": (0.0, 0.1, [8, 7, 6]),
}


def effects(one):
    settings = evaluation.evaluated(answers(one))
    return ingredients.effects(ingredients.arms(one), settings, verdicts.of([one], settings))


def test_what_is_confirmed_beside_a_searchs_best_is_no_ablation(tmp_path):
    """A search of one hyperparameter with --baseline-seeds: the best was "the base"."""
    one = load(study(tmp_path / "s", THREE))
    assert {arm.setting for arm in ingredients.arms(one)} == {"flip", "smooth"}
    rows = [("plain", "t0", None), ("flip", "", "plain"), ("smooth", "t1", "plain")]
    beside = pd.DataFrame(rows, columns=["setting", "from_trial", "beside"])
    assert ingredients.arms(replace(one, chosen=beside)) == []


def test_settings_of_the_paper_are_no_ablation(tmp_path):
    """A-alexnet was an arm of B-alexnet, at the epochs of the whole study."""
    one = load(study(tmp_path / "s", THREE))
    assert {arm.base for arm in ingredients.arms(one)} == {"plain"}
    named = {"plain": "B-alexnet", "flip": "A-alexnet", "smooth": "C-alexnet"}
    one.trials["setting"] = one.trials["setting"].replace(named)
    assert ingredients.arms(one) == []


def test_effects_are_paired_by_seed(tmp_path):
    one = load(study(tmp_path / "s", THREE))
    frame = effects(one)
    at = frame.set_index(["arm", "scope"])
    row = at.loc[("flip", evaluation.PRIMARY)]
    assert row["difference"] == pytest.approx(2 / 14) and row["seeds"] == 3
    assert row["sd"] == pytest.approx(0)  # two more right with every seed
    assert row["base_accuracy"] == pytest.approx(7 / 14)
    assert row["verdict"] in ("better", "not settled")
    assert (row["low"] > 0) == (row["verdict"] == "better") == (row["holm"] < 0.05)
    assert row["low"] <= row["difference"] <= row["high"]
    assert at.loc[("flip", "val")]["verdict"] == ""  # a pair has one verdict
    other = at.loc[("smooth", evaluation.PRIMARY)]
    assert other["difference"] == pytest.approx(0)
    assert other["sd"] == pytest.approx(np.std([0, -1, 1], ddof=1) / 14)
    assert other["low"] < 0 < other["high"]


def test_only_seeds_that_both_have_count(tmp_path):
    few = THREE | {"flip": (0.5, 0.0, [6])}
    one = load(study(tmp_path / "s", few))
    frame = effects(one)
    row = frame.set_index(["arm", "scope"]).loc[("flip", evaluation.PRIMARY)]
    assert (row["seeds"], row["base_accuracy"]) == (1, pytest.approx(6 / 14))
    assert np.isnan([row["sd"], row["low"], row["holm"]]).all()
    assert row["verdict"] == "not settled"


def test_where_a_pair_is_not_judged_seed_by_seed_the_difference_is_that_of_its_interval(tmp_path):
    """With two seeds of three the interval was of all seeds, and the difference of the common."""
    few = THREE | {"plain": (0.0, 0.0, [2, 3, 12]), "flip": (0.5, 0.0, [2, 2])}
    one = load(study(tmp_path / "s", few))
    row = effects(one).set_index(["arm", "scope"]).loc[("flip", evaluation.PRIMARY)]
    assert row["difference"] == pytest.approx((17 / 3 - 2) / 14)
    assert row["difference"] == pytest.approx(row["accuracy"] - row["base_accuracy"])
    section = next(one for one in report([one]).sections if one.title.startswith("Ablation"))
    assert section.blocks[0].summary.startswith("plain has 59.5 % on test without duplicates (3 ")


def test_the_section_says_what_each_gives(tmp_path):
    whole = THREE | {"flip": (0.5, 0.0, [1, 0, 1]), "all": (0.5, 0.1, [0, 0, 0])}
    sections = report([load(study(tmp_path / "s", whole))]).sections
    accuracy = next(one for one in sections if one.title == "Confirmed accuracy")
    assert "chosen by one search" not in accuracy.blocks[1].words
    section = next(one for one in sections if one.title == "Ablation: effect of each ingredient")
    summary = section.blocks[0].summary
    assert summary.startswith("plain has 50.0 % on test without duplicates (3 seeds).")
    assert "flip better, +45.2 (" in summary and "smooth" not in summary
    assert "All of them together: +50.0; the sum of the single ones +45.2" in summary
    assert "those of 'Are the differences real?'" in section.blocks[-1].words


def test_an_arm_has_the_verdict_that_its_pair_has_elsewhere(tmp_path):
    few = THREE | {"flip": (0.5, 0.0, [1, 0, 1])}
    one = load(study(tmp_path / "s", few))
    settings = evaluation.evaluated(answers(one))
    pair = next(c for c in verdicts.of([one], settings) if {c.first, c.second} == {"plain", "flip"})
    assert (pair.first, pair.verdict) == ("plain", "worse")
    row = effects(one).set_index(["arm", "scope"]).loc[("flip", evaluation.PRIMARY)]
    assert (row["verdict"], row["holm"]) == ("better", pair.p)
    assert (row["low"], row["high"]) == (-pair.high, -pair.low)


def test_a_study_without_arms_has_no_such_section(tmp_path):
    only = {"plain": THREE["plain"]}
    sections = report([load(study(tmp_path / "s", only))]).sections
    assert not [one for one in sections if "ingredient" in one.title]
