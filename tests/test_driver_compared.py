"""The terminal's verdicts are those of the report, README and explorer."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest
from test_results_load import CLASSES, header, whole

from fer_record.tables import Tables
from fer_stats import verdicts as fer_verdicts
from fer_stats.plans import Plan
from results.artefacts.load import answers, load
from results.facts import evaluation, verdicts
from results.facts.evaluation import evaluated
from study.config.study import from_dict
from study.driver import compared
from study.record import schemas

__all__ = ["whole"]


def tables(folder) -> Tables:
    """A study's tables as its driver has them."""
    found = Tables()
    for row in pq.read_table(folder / "trials.parquet").to_pylist():
        found.trials[row["trial_id"]] = row
    for row in pq.read_table(folder / "epochs.parquet").to_pylist():
        found.epochs[row["trial_id"], row["epoch"]] = row
    found.chosen = {name: {"setting": name} for name in ("alexnet", "resnet34")}
    return found


def images(folder) -> None:
    """The digests and near copies of a study's images: a third of test are near copies, and of the
    others every two are identical."""
    of = pd.read_parquet(folder / "predictions.parquet")[["split", "image"]].drop_duplicates()
    near = (of["split"] == "test") & (of["image"] % 3 == 0)
    rows = of.assign(pixels=[f"{k // 2:016x}" for k in range(len(of))], near=near)
    schemas.write_table(folder / "images.parquet", rows.to_dict("records"), schemas.IMAGES)


@pytest.mark.parametrize("known", [False, True])
def test_the_terminal_and_the_report_say_the_same(whole, tmp_path, known):
    whole = Path(shutil.copytree(whole, tmp_path / "one"))
    if known:
        images(whole)
    study = load(whole)
    (theirs,) = verdicts.of([study], evaluation.evaluated(answers(study)))
    told = pd.read_parquet(whole / "predictions.parquet")
    (ours,) = compared.of(compared.Given(whole, from_dict({}), tables(whole), told, CLASSES))
    assert repr(ours) == repr(theirs)
    p = max(ours.chance, 1 - ours.chance)
    told_so = f"  {ours.words}. P({ours.words.split()[0]} is better): {p:.2f}."
    assert told_so in compared.lines([ours])
    given = compared.Given(whole, from_dict({}), tables(whole), told, CLASSES)
    assert (given.cluster is not None) == known


def test_the_chance_is_that_of_the_setting_which_leads(whole):
    """ "B leads A by 1.0 points ... P(A is better): 0.34"."""
    (one,) = verdicts.of([load(whole)], evaluation.evaluated(answers(load(whole))))
    behind = replace(one, difference=-0.01, chance=0.34)
    assert compared.chance(behind) == f" P({one.second} is better): 0.66."
    assert compared.chance(replace(behind, difference=0.01)) == f" P({one.first} is better): 0.34."


def cut(row) -> bool:
    return row["trial_id"] == "resnet34-s1"


@pytest.mark.parametrize(
    ("searched", "gpus", "unit", "each"),
    [(0.0, 0.0, "core", 3), (0.25, 0.25, "GPU", 0.25), (1.0, 0.0, "core", 3), (0.0, 1.0, "GPU", 1)],
)
def test_more_seeds_cost_the_cores_or_the_share_of_a_gpu_that_a_confirmation_has(
    whole, searched, gpus, unit, each
):
    """As whole trainings took: one that was cut short says nothing of it. Of a search on a GPU and
    a confirmation on a CPU the report called core-hours GPU-hours."""
    asked = {"cpus_per_trial": 3}
    (whole / "study.json").write_text(json.dumps(header(study=asked)))
    for name, columns in (("trials", schemas.TRIALS), ("epochs", schemas.EPOCHS)):
        rows = pq.read_table(whole / f"{name}.parquet").to_pylist()
        rows = [row for row in rows if row.get("epoch", 0) < 3 or not cut(row)]
        rows = [row | {"gpus": gpus if "-s" in row["trial_id"] else searched} for row in rows]
        rows = [
            row | ({"status": "stopped"} if name == "trials" and cut(row) else {}) for row in rows
        ]
        schemas.write_table(whole / f"{name}.parquet", rows, columns)
    study, told = load(whole), pd.read_parquet(whole / "predictions.parquet")
    (theirs,) = verdicts.of([study], evaluated(answers(study)))
    (ours,) = compared.of(compared.Given(whole, from_dict(asked), tables(whole), told, CLASSES))
    assert repr(ours) == repr(theirs) and ours.unit == f"{unit}-hours"
    # two settings, whose trainings took four epochs of 2 s
    assert ours.hours == pytest.approx((ours.needed - 2) * 2 * 4 * 2 * each / 3600)


def test_core_hours_are_of_the_cores_that_each_epoch_was_trained_with(whole):
    """After --resume with other --cpus-per-trial, those of every epoch became the newest's."""
    asked = {"cpus_per_trial": 4}
    (whole / "study.json").write_text(json.dumps(header(study=asked)))
    rows = pq.read_table(whole / "epochs.parquet").to_pylist()
    rows = [row | {"cores": 1 if row["epoch"] < 4 else 4} for row in rows]
    schemas.write_table(whole / "epochs.parquet", rows, schemas.EPOCHS)
    study, told = load(whole), pd.read_parquet(whole / "predictions.parquet")
    (theirs,) = verdicts.of([study], evaluated(answers(study)))
    (ours,) = compared.of(compared.Given(whole, from_dict(asked), tables(whole), told, CLASSES))
    assert repr(ours) == repr(theirs)
    assert ours.hours == pytest.approx((ours.needed - 2) * 2 * 2 * (1 + 1 + 1 + 4) / 3600)


def test_a_setting_without_answers_is_in_no_pair(whole):
    told = pd.read_parquet(whole / "predictions.parquet")
    told = told[told["trial_id"].str.startswith("alexnet")]
    found = compared.of(compared.Given(whole, from_dict({}), tables(whole), told, CLASSES))
    assert found == [] == compared.lines(found)


def test_what_the_search_gained_is_said_alike_in_terminal_and_report(whole):
    study, told = load(whole), pd.read_parquet(whole / "predictions.parquet")
    rows = [("alexnet", "a0", None), ("resnet34", "", "alexnet")]  # as if the other were a default
    beside = pd.DataFrame(rows, columns=["setting", "from_trial", "beside"])
    (theirs,) = verdicts.gains(replace(study, chosen=beside), evaluated(answers(study)))
    found = tables(whole)
    for name, trial, best in rows:
        found.chosen[name] |= {"from_trial": trial} | ({"beside": best} if best else {})
    given = compared.Given(whole, from_dict({"baseline_seeds": 2}), found, told, CLASSES)
    heading, ours, *_, one_search, _ = compared.gained(given)
    assert ours == f"  {fer_verdicts.gain_words(theirs)}." and heading.startswith("What the search")
    assert "of this one search" in one_search
    assert not any(one.primary for one in compared.of(given))  # a default is of no primary pair
    found.chosen["resnet34"]["from_trial"] = beside.loc[1, "from_trial"] = "r0"  # the next best
    assert verdicts.gains(replace(study, chosen=beside), evaluated(answers(study))) == []
    assert not any("points" in line for line in compared.gained(given))


def test_a_plan_says_what_its_seeds_can_decide():
    assert Plan(12, 3275, 3).decides and not Plan(5, 3275, 3).decides
    assert "a difference of 2.0 points is found four times in five" in Plan(12, 3275, 3).words
    assert "--seeds 12 would find 2 points" in Plan(5, 3275, 3).words
    assert "One seed each: nothing will be settled" in Plan(1, 3275, 3).words
    assert "Not even --seeds 100 would find 2 points" in Plan(12, 48, 1).words
    assert "not even a difference of 100 points is found" in Plan(2, 48, 3).words  # not 155.3
    none = Plan(3, 0, 3)  # a ZeroDivisionError after Ray had started
    assert none.words.startswith("Every test image is a copy") and none.enough is None
    assert Plan(12, 3275, 0).words == ""
    # in pairs there are as many differences as seeds, and more of them are asked for
    assert Plan(5, 3100, 3, True).enough > Plan(5, 3100, 3).enough
