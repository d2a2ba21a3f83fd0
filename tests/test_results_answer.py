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
    event,
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
from results.report.report import report
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


def test_the_seeds_of_a_confirmed_setting_are_not_called_fresh(tmp_path):
    """The command has the study's seed, and so the very seeds that the setting had."""
    first, _ = section.again(setting.best(searched(tmp_path), []))
    assert first.caption == "Train it again, with fresh seeds"
    one = load(confirmed(tmp_path / "y", {"a": "alexnet"}, {"a": lambda k: True}, seed=4))
    first, _ = section.again(setting.best(one, evaluated(one)))
    assert first.caption == "Train it again, with its own seeds first"
    assert "--seed 4" in first.text


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
    told = lost(one.trials, one.epochs.assign(row=0), [np.zeros(0)] * 2)
    start = moments(one.trials["started_at"])[0]
    assert told["trial"] == [0.0]
    assert (told["from"][0] - start, told["to"][0] - start) == (20_000, 90_000)


def confirmed(path, names, right, duplicate=(), **study):
    """A study of settings (name -> which of the 28 images it gets right), one seed each."""
    rows = [trial(f"{name}-s0", names[name], "confirm", setting=name) for name in names]
    curves = [row for name in names for row in epochs(f"{name}-s0", [0.5] * 4)]
    told = []
    for name in names:
        said = [label if right[name](k) else (label + 1) % 7 for k, label in enumerate(LABELS)]
        told += predictions(f"{name}-s0", said, LABELS, SPLITS, duplicate=duplicate)
    return folder(path, header(study=study), rows, curves, [], told)


def test_what_was_confirmed_beside_the_best_of_a_search_is_not_said_to_lead(tmp_path):
    """ "cbam_resnet34 beats cbam_resnet34-2" was the answer to which network is best."""
    names = {"alexnet": "alexnet", "alexnet-2": "alexnet", "resnet34": "resnet34"}
    right = {
        "alexnet": lambda k: True,
        "alexnet-2": lambda k: k % 9,
        "resnet34": lambda k: k % 2,
    }
    path = confirmed(tmp_path / "x", names, right)
    beside = {"alexnet-2": {"beside": "alexnet"}}
    each = [event(event="chosen", setting=n, from_trial="t", **beside.get(n, {})) for n in names]
    (path / "events.jsonl").write_bytes(b"".join(each))
    one = load(path)
    settings = evaluated(one)
    found = verdicts.of([one], settings)
    (words,) = answer.sentences([one], settings, found)
    assert words.startswith("alexnet leads resnet34 by ") and "hint" not in words


def test_a_pair_that_was_not_fixed_before_is_a_hint(tmp_path):
    names = {"a": "alexnet", "b": "alexnet", "c": "resnet34"}
    right = {"a": lambda k: True, "b": lambda k: k % 9, "c": lambda k: k % 2}
    one = load(confirmed(tmp_path / "x", names, right, pairs=["a:c"]))
    settings = evaluated(one)
    (words,) = answer.sentences([one], settings, verdicts.of([one], settings))
    assert words.startswith("a leads b by ")
    assert words.endswith("This pair was not fixed before: a hint, not a finding.")


@pytest.mark.parametrize(
    ("copies", "best", "images", "words"),
    [("with", "a", 14, "14 images of val, "), ("without", "b", 8, "8 images of val without dup")],
)
def test_the_best_setting_is_best_on_the_val_that_choices_were_made_on(
    tmp_path, copies, best, images, words
):
    """Six of 14 val images are copies, of which one setting has more right and of the rest less."""
    names = {"a": "alexnet", "b": "alexnet"}
    right = {"a": lambda k: k < 10, "b": lambda k: k > 5}
    given = confirmed(tmp_path / "x", names, right, range(6), val_copies=copies)
    one = load(given)
    found = setting.best(one, evaluated(one))
    assert (found.name, found.val_images) == (best, images)
    assert words in section.curve(found).summary
    assert section.curve(found).summary.endswith("; the best on val of what was confirmed.")
    scopes = set(answer.accuracies([one], evaluated(one))["scope"])
    clean = "val, no duplicates"
    assert (clean in scopes) == (copies == "without") and ("val" in scopes) == (copies == "with")


def test_two_searches_of_one_network_are_two_lines_and_accuracy_is_accuracy(tmp_path):
    asked = {"stages": ["search"], "metric": "macro_f1"}
    curve = [row | {"val_macro_f1": 0.1} for row in epochs("a", [0.2, 0.3])]
    studies = [
        load(folder(tmp_path / x, header(study=asked | {"name": x}), [trial("a")], curve, []))
        for x in ("x", "y")
    ]
    frame = answer.accuracies(studies, [])
    assert frame["setting"].tolist() == ["alexnet (x)", "alexnet (y)"]
    assert frame["mean"].tolist() == [0.3, 0.3] and (frame["low"] < 0.3).all()
    assert len(charts.answer(frame).layout.yaxis.ticktext) == 2
    words = section.curve(setting.best(studies[0], [])).summary
    assert words.endswith("; the best on val of the trials of the search that came furthest.")


def test_one_highest_value_on_a_page(tmp_path):
    """45.0 % at its head, of any epoch, and 43.0 % below, of the last."""
    head = header(study={"stages": ["search"]})
    one = load(folder(tmp_path / "x", head, [trial("a")], epochs("a", [0.2, 0.45, 0.43]), []))
    (words,) = answer.sentences([one], [], [])
    assert "43.0 %" in words and "43.0 %" in report([one]).lead


def test_epochs_of_a_study_without_a_search_are_told_before_test_is_opened(tmp_path):
    """A running study of the paper's settings was said to have no epoch yet."""
    rows = [trial("A-s0", stage="confirm", setting="A", status="running")]
    head = header(study={"stages": ["confirm"]}, status="running")
    one = load(folder(tmp_path / "x", head, rows, epochs("A-s0", [0.2, 0.4]), []))
    assert "so far is 40.0 % (A-s0, epoch 2)" in answer.sentences([one], [], [])[0]
