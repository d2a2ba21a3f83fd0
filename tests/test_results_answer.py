"""What stands first: accuracies sorted, who leads and how surely, and the best setting, whole."""

import shlex
import tomllib

import numpy as np
import pandas as pd
import pytest
from test_results_load import (
    CLASSES,
    FAIR,
    LABELS,
    SPLITS,
    epochs,
    folder,
    header,
    predictions,
    trial,
    whole,
)

from fer_models import preset_file
from results.artefacts.load import answers, load
from results.explorer.payload import lost, moments
from results.facts import answer, evaluation, setting, verdicts
from results.figures import charts
from results.report import page
from results.report.sections import answer as section
from study.config import flags
from study.config.hyperparameters import present
from study.config.study import configuration, from_dict, preset
from study.driver.given import refuse_idle, refuse_idle_file
from study.record.outcome import wanted

__all__ = ["whole"]
HP = {
    "hp_batch_size": 64,
    "hp_lr": 0.0175182260528646,
    "hp_dropout": 0.25,
    "hp_optimizer": "sgd",
    "hp_momentum": 0.9,
    "hp_schedule": "cosine",
    "hp_lr_decay": 0.1,
    "hp_warmup_epochs": 1.0,
    "hp_batch_norm": True,
    "hp_image_px": 32,
    "hp_cbam_order": None,
}


def evaluated(one):
    return evaluation.evaluated(answers(one))


def test_accuracies_are_sorted_by_test_without_duplicates_and_the_other_scopes_stand_beside(whole):
    one = load(whole)
    frame = answer.accuracies([one], evaluated(one))
    own = one.predictions.merge(one.trials[["trial_id", "setting"]], on="trial_id")
    guess = own[[f"p_{name}" for name in CLASSES]].to_numpy().argmax(1)
    own["hit"] = np.array(CLASSES)[guess] == own["label"]
    for _, row in frame.iterrows():
        split, _, clean = row["scope"].partition(", ")
        part = own[(own["setting"] == row["setting"]) & (own["split"] == split)]
        part = part[~part["duplicate"].astype(bool)] if clean else part
        assert row["mean"] == pytest.approx(part["hit"].mean())
    test = frame[frame["scope"] == evaluation.PRIMARY]["mean"].tolist()
    assert test == sorted(test, reverse=True) and len(test) == 2
    assert set(frame["scope"]) == {"val", "test", evaluation.PRIMARY}


def test_the_picture_says_epochs_and_is_hollow_where_they_differ():
    frame = pd.DataFrame(
        {
            "setting": ["a", "a", "b"],
            "model": ["alexnet", "alexnet", "resnet34"],
            "scope": ["test", "val", "test"],
            "mean": [0.5, 0.52, 0.4],
            "low": 0.3,
            "high": 0.6,
            "images": 100,
            "trained": ["9 epochs, one seed"] * 2 + ["3 of 9 epochs, one seed"],
            "whole": [True, True, False],
        }
    )
    figure = charts.answer(frame)
    assert list(figure.layout.yaxis.ticktext) == [
        "a<br>9 epochs, one seed",
        "b<br>3 of 9 epochs, one seed",
    ]
    drawn = {trace.marker.symbol[0] for trace in figure.data if trace.x[0] == 0.4}
    assert drawn == {"square-open"}
    assert figure.data[0].marker.size > figure.data[1].marker.size  # test is the large one


def test_one_seed_settles_nothing_and_the_sentence_says_what_would(tmp_path):
    rows = [trial(f"{m}-s0", m, "confirm", setting=m) for m in ("alexnet", "resnet34")]
    told = predictions("alexnet-s0", FAIR, LABELS, SPLITS) + predictions(
        "resnet34-s0", [0] * len(LABELS), LABELS, SPLITS
    )
    curves = epochs("alexnet-s0", [0.2]) + epochs("resnet34-s0", [0.1])
    one = load(folder(tmp_path / "x", None, rows, curves, [], told))
    found = evaluated(one)
    (words,) = answer.sentences([one], found, verdicts.of([one], found))
    assert words.startswith("alexnet leads resnet34 by ")
    assert "one seed each: not settled; " in words


def test_a_search_alone_has_its_best_and_the_word_optimistic(tmp_path):
    head = header(study={"stages": ["search"]})
    one = load(folder(tmp_path / "x", head, [trial("a")], epochs("a", [0.2, 0.3]), []))
    (words,) = answer.sentences([one], [], [])
    assert "30.0 % (alexnet, a, epoch 2)" in words and "optimistic" in words
    assert answer.accuracies([one], [])["mean"].tolist() == [0.3]


def searched(tmp_path):
    head = header(study={"stages": ["search"], "data": "faces:300", "train_images": 200, "seed": 4})
    rows = [trial("a", **HP), trial("b", **HP | {"hp_lr": 0.5})]
    curves = epochs("a", [0.2, 0.4]) + epochs("b", [0.3, 0.1])
    return load(folder(tmp_path / "x", head, rows, curves, []))


def test_the_best_setting_has_all_that_its_network_has(tmp_path):
    found = setting.best(searched(tmp_path), [])
    assert (found.trial, found.model, found.judged, found.epoch) == ("a", "alexnet", 0.4, 2)
    assert found.hyperparameters["lr"] == 0.0175182260528646
    assert "cbam_order" not in found.hyperparameters and "seed" not in found.hyperparameters
    curve = found.curve[found.curve["measure"] == "val_accuracy"]
    assert curve["mean"].tolist() == [0.2, 0.4]


def test_hyperparameters_stand_in_as_many_columns_as_find_room(tmp_path):
    block = section.whole(setting.best(searched(tmp_path), []))
    assert list(block.shown) == ["hyperparameter", "value"]
    assert len(block.shown) == len(block.frame) > 3
    assert '<div class="scroll pairs"' in page.markup(block)


def test_the_command_and_best_toml_train_that_very_setting(tmp_path):
    found = setting.best(searched(tmp_path), [])
    words = shlex.split(setting.command(found))
    assert words[:3] == ["python", "-m", "study.run"]
    given = flags.given(flags.parser().parse_args(words[3:]))
    by_flags = flags.with_flags(from_dict(preset(given.pop("preset"))), given)
    refuse_idle(by_flags, given)
    by_file = from_dict(tomllib.loads(setting.toml(found)))
    refuse_idle_file(by_file, tomllib.loads(setting.toml(found)), "cpu")
    for study in (by_flags, by_file):
        (one,) = wanted(study)
        hp = present(configuration(study, one))
        kept = preset_file.acting(found.hyperparameters)
        assert "momentum" in kept and "lr_decay" in {*found.hyperparameters} - {*kept}
        assert {key: hp[key] for key in kept} == kept
        assert study.stages == ("confirm",) and study.data == "faces:300"
        assert study.train_images == 200 and study.seed == 4  # which part they are
        assert study.val_copies == "with"  # as a study has it that was begun before there were two


def test_the_command_judges_by_the_metric_and_cuts_the_faces_as_the_study_did(tmp_path):
    head = header(study={"stages": ["search"], "metric": "macro_f1", "crop": 0.2})
    curve = [row | {"val_macro_f1": 0.3} for row in epochs("a", [0.2, 0.4])]
    one = load(folder(tmp_path / "x", head, [trial("a", **HP)], curve, []))
    words = shlex.split(setting.command(setting.best(one, [])))
    given = flags.given(flags.parser().parse_args(words[3:]))
    assert (given["metric"], given["crop"]) == ("macro_f1", "0.2")


def test_time_lost_is_the_longest_gap_of_a_trial_that_was_started_again(tmp_path):
    rows = [trial("a", retries=1), trial("b")]
    curves = epochs("a", [0.1, 0.2, 0.3])
    began = pd.Timestamp(rows[0]["started_at"])
    for k, seconds in enumerate((10, 20, 100)):
        curves[k] |= {"epoch_seconds": 10.0, "finished_at": began + pd.Timedelta(seconds=seconds)}
    rows[0]["ended_at"] = began + pd.Timedelta(seconds=101)
    one = load(folder(tmp_path / "x", None, rows, curves, []))
    told = lost(one.trials, one.epochs.assign(row=0))
    start = moments(one.trials["started_at"])[0]
    assert told["trial"] == [0.0]
    assert (told["from"][0] - start, told["to"][0] - start) == (20_000, 90_000)
