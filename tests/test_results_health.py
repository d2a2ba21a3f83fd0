"""The screen that says whether a study can be believed, and the checklist."""

import shlex
import shutil
from dataclasses import replace

import numpy as np
import pytest
from test_results_load import (
    CLASSES,
    LABELS,
    SPLITS,
    epochs,
    folder,
    header,
    predictions,
    trial,
    whole,
)

from results.__main__ import main
from results.artefacts.load import answers, load, named_apart
from results.facts import answer, checklist, evaluation, health, progress, status, verdicts
from results.facts.predictable import cross_validated
from results.report.contents import sections
from results.report.inputs import Inputs
from results.report.report import report
from study.config import flags
from study.config.hyperparameters import FIELDS, kind
from study.config.study import read_preset

__all__ = ["whole"]
FULL = "results/published/full-curves"
SEARCH = "results/published/search"


def checks(folder) -> dict[str, health.Check]:
    one = load(folder)
    settings = evaluation.evaluated(answers(one))
    found = health.of(one, settings, verdicts.of([one], settings))
    return {check.name: check for check in found}


@pytest.fixture(scope="module")
def published(request) -> dict[str, health.Check]:
    return checks(request.config.rootpath / SEARCH)


def test_a_search_that_was_confirmed_has_every_check(published):
    assert list(published) == [
        "Networks learned",
        "Seeds enough",
        "Optimum inside",
        "Search predictable",
        "Winner's curse",
        "Leaks",
        "Looks at test",
        "Budgets equal",
        "Failures",
        "ASHA's loss",
        "Calibration",
    ]
    assert {check.verdict for check in published.values()} == {"PASS", "WARN"}


def test_what_is_to_be_done_next_is_a_command_that_exists(published):
    for check in published.values():
        if not check.command.startswith("python -m study.run"):
            continue
        words = shlex.split(check.command)[3:]
        given = flags.given(flags.parser().parse_args(words))
        study = flags.with_flags(read_preset(given.pop("preset"), "gpu")[0], given)
        assert study.data


def test_a_search_that_is_cut_to_nothing_is_warned_of(whole):
    found = checks(whole)
    assert not found["Search predictable"].passed and not found["Leaks"].passed
    assert not found["Looks at test"].passed  # nobody counted


def test_networks_that_nobody_asked_are_not_said_to_have_learned(tmp_path):
    """After an epoch of a confirmation, and of a network that diverged: it was a PASS."""
    rows = [trial("alexnet-s0", stage="confirm", status="running")]
    begun = folder(tmp_path / "begun", None, rows, epochs("alexnet-s0", [0.2]), [])
    assert "Networks learned" not in checks(begun)
    unknown = folder(tmp_path / "unknown", None, [trial("t0")], epochs("t0", [0.9]), [])
    assert "Networks learned" not in checks(unknown)  # how many of each class val has isn't kept
    told = predictions("alexnet-s0", [0, 1], [0, 1], ["test", "test"], sure=float("nan"))
    rows = [trial("alexnet-s0", stage="confirm")]
    broken = folder(tmp_path / "broken", None, rows, epochs("alexnet-s0", [0.2]), [], told)
    found = checks(broken)["Networks learned"]
    assert not found.passed and found.words == "The loss of alexnet became no number: no answers."
    rows += [trial("alexnet-s1", stage="confirm", hp_seed=1)]
    told += predictions("alexnet-s1", [0, 1], [0, 1], ["test", "test"])
    half = folder(tmp_path / "half", None, rows, epochs("alexnet-s0", [0.2]), [], told)
    words = checks(half)["Networks learned"].words
    assert "The loss of alexnet (1 of 2 seeds) became no number: no answers." in words


def test_looks_pass_where_they_were_counted_and_this_is_the_first(whole, tmp_path):
    one = load(whole)
    own = evaluation.evaluated(answers(one))
    first = replace(one, study={**one.study, "look_at_test": 1})
    third = replace(one, study={**one.study, "look_at_test": 3})
    assert health.looks(first, own).passed
    assert not health.looks(third, own).passed and "number 3" in health.looks(third, own).words
    assert health.looks(third, own).command == ""  # as published: no model to ask
    (tmp_path / "checkpoints").mkdir()
    here = replace(third, folder=tmp_path)
    assert "study.evaluate" in health.looks(here, own).command  # images that nobody looked at
    asked = third.study["study"] | {"storage": "s3://bucket/folder"}  # where checkpoints are, then
    stored = replace(third, study=third.study | {"study": asked})
    assert "study.evaluate" in health.looks(stored, own).command


def test_leaks_pass_where_copies_were_looked_for_and_left_out_of_choices(whole):
    one = load(whole)
    asked = {**one.study["study"], "stages": ["search", "confirm"]}
    (first, *_) = evaluation.evaluated(answers(one))
    near = replace(first.answers, near=np.zeros(len(first.answers.label), bool))
    own = [replace(first, answers=near)]
    for copies, passed in (("without", True), ("with", False)):
        study = {**one.study, "study": {**asked, "val_copies": copies}}
        assert health.leaks(replace(one, study=study), own).passed == passed


def test_leaks_warn_where_no_val_image_but_copies_was_left_to_choose_on(whole):
    """Asked for without copies, val is judged on whole where all of it are copies."""
    one = load(whole)
    asked = {**one.study["study"], "val_copies": "without"}
    data = {**one.study["data"], "counts": {"val": dict.fromkeys(CLASSES, 2)}}
    for copies, passed in ((13, True), (14, False)):
        counted = data | {"val_duplicates": 10, "val_near_copies": copies - 10}
        given = replace(one, study={**one.study, "study": asked, "data": counted})
        found = health.leaks(given, [])
        assert found.passed == passed and found.command == ""
        told = checklist.excluded(checklist.Given(given, [], []))
        assert ("Choices were made without 13 val images" in told) == passed


def test_an_effect_is_found_and_noise_is_not():
    rng = np.random.default_rng(0)
    x, noise = rng.random((40, 3)), rng.standard_normal(40)
    r2, p = cross_validated(x, -((x[:, 0] - 0.3) ** 2) + 0.02 * noise)
    assert r2 > 0.5 and p < 0.01
    r2, p = cross_validated(x, noise)
    assert r2 < 0.2 and p > 0.05


def test_noise_is_significant_in_one_of_twenty():
    rng = np.random.default_rng(1)
    found = [cross_validated(rng.random((15, 2)), rng.standard_normal(15))[1] for _ in range(100)]
    assert np.mean(np.array(found) < 0.05) <= 0.11


def test_the_leave_one_out_errors_are_those_of_leaving_one_out():
    from results.facts.predictable import errors

    rng = np.random.default_rng(0)
    x, y = rng.random((12, 2)), rng.standard_normal((12, 1))
    kernel = np.exp(-((x[:, None] - x[None]) ** 2).sum(2))
    each = []
    for k in range(12):
        rest = np.delete(np.arange(12), k)
        weights = np.linalg.solve(kernel[np.ix_(rest, rest)] + 0.5 * np.eye(11), y[rest])
        each.append(float((y[k] - kernel[k, rest] @ weights).item()) ** 2)
    assert errors(kernel, 0.5, y) == pytest.approx(np.mean(each))


def test_a_range_is_widened_where_its_best_lies():
    log = {"low": 0.001, "high": 0.1, "log": True}
    assert health.wider("lr", [log], {"high"}) == "0.001:1:log"
    assert health.wider("lr", [log], {"low"}) == "0.0001:0.1:log"
    other = {"low": 0.01, "high": 1.0, "log": True}
    assert health.wider("lr", [log, other], {"high"}) == "0.001:10:log", "a flag is of all networks"
    assert health.wider("batch_size", [[32, 64]], {"low"}) == "16,32,64"
    both = health.wider("batch_size", [[32, 64]], {"low", "high"})
    assert both == "16,32,64,128", "two networks, two ends"
    assert health.wider("dropout", [{"low": 0.0, "high": 0.5}], {"high"}) == ""
    assert health.wider("dropout", [[0.0, 0.3, 0.5]], {"high"}) == "", "1.0 is none"
    assert health.wider("image_px", [[32, 40, 48]], {"low"}) == "", "and 16 pixels are too few"
    assert health.wider("image_px", [[32, 40, 48]], {"low", "high"}) == "32,40,48,96"


def test_what_has_no_end_is_known_of_every_hyperparameter():
    numbers = {n: f.metadata for n, f in FIELDS.items() if kind(n) in (int, float)}
    ended = {n: (rule["low"], rule["high"]) for n, rule in numbers.items() if rule["high"]}
    assert health.ENDS == {name: ended[name] for name in ended if kind(name) is int}
    assert {*health.OPEN} == {n for n in numbers if kind(n) is float and n not in ended}


GIVEN = {
    "name": "mine",
    "classes": "a,b c",
    "models": "nets.py:Net,alexnet",
    "val_copies": "with",
    "lr": "0.001:0.1:log",
    "grace_epochs": "2",
    "seeds": "3",
}


def asked_of(command: str) -> dict[str, str]:
    """The flags of a command of study.run, as study.run reads them."""
    words = shlex.split(command)
    assert words[:3] == ["python", "-m", "study.run"]
    return flags.given(flags.parser().parse_args(words[3:]))


def test_the_next_command_has_what_was_given_to_the_study_where_it_still_does_something(whole):
    one = load(whole)
    study = one.study["study"] | {"preset": "smoke", "data": "raf-db:/r f"}
    one = replace(one, study={**one.study, "study": study, "flags": GIVEN})
    same = {"preset": "smoke", "data": "raf-db:/r f"} | GIVEN
    del same["name"], same["val_copies"]
    assert asked_of(health.again(one, val_copies=None)) == same
    twelve = asked_of(health.again(one, seeds="12"))
    assert twelve == same | {"val_copies": "with", "seeds": "12"}
    lone = asked_of(health.again(one, scheduler="none"))
    assert lone["scheduler"] == "none" and "grace_epochs" not in lone, "which would be refused"
    assert asked_of(health.again(one, "fair")) == {
        "preset": "fair",
        "data": "raf-db:/r f",
        "classes": "a,b c",
        "val_copies": "with",
        "models": "nets.py:Net,alexnet",
    }


def test_the_next_command_knows_the_earlier_studies_that_still_fit(whole, tmp_path, monkeypatch):
    """--from isn't among the flags that a study keeps: the search after it began from nothing."""
    one = load(whole)
    earlier = [{"folder": name, "known": []} for name in ("runs/old", "runs/gone")]
    one = replace(one, study={**one.study, "flags": {}, "earlier": earlier})
    (tmp_path / "runs/old").mkdir(parents=True)
    (tmp_path / "runs/old/study.json").write_text("{}")
    monkeypatch.chdir(tmp_path)
    assert asked_of(health.again(one, trials="9")) == {
        "preset": "smoke",
        "from": "runs/old",
        "trials": "9",
    }
    others = health.again(one, epochs="9"), health.again(one, "fair")
    assert not any("--from" in command for command in others), "which would be refused"


def test_an_older_study_that_kept_no_flags_still_has_its_images_and_networks(whole):
    one = load(whole)
    more = {"data": "x", "classes": ["a", "b"], "metric": "macro_f1", "models": ["alexnet"]}
    more |= {"crop": 0.2, "seed": 7, "stages": ["search"]}
    one = replace(one, study={**one.study, "study": one.study["study"] | more})
    assert asked_of(health.again(one)) == {
        "preset": "smoke",
        "data": "x",
        "classes": "a,b",
        "crop": "0.2",
        "metric": "macro_f1",
        "models": "alexnet",
        "stages": "search",
    }


@pytest.mark.parametrize(
    ("name", "of"),
    [
        ("paper-alexnet", {"settings": "A-alexnet"}),
        ("paper-resnets", {"settings": "B-resnet34,E-cbam50", "epochs": "8"}),
    ],
)
def test_an_older_study_of_some_settings_is_not_followed_by_one_of_all(request, name, of):
    one = load(request.config.rootpath / "results/published" / name)
    command = asked_of(health.again(one, seeds="5"))
    assert command == {"preset": "paper", "data": "fer2013.csv.xz", "seeds": "5"} | of


def test_a_grid_is_not_asked_for_more_trials_than_it_has_points(tmp_path):
    rows = [trial(f"t{k}", hp_lr=0.005 * (k + 1)) for k in range(12)]
    curves = [row for k in range(12) for row in epochs(f"t{k}", [0.25])]
    for sampler, many in (("tpe", True), ("grid", False)):
        head = header(study={"sampler": sampler})
        found = checks(folder(tmp_path / sampler, head, rows, curves, []))["Search predictable"]
        assert not found.passed and ("--trials 20" in found.command) == many


def test_so_many_trials_are_asked_for_that_each_network_has_enough_to_be_foretold(tmp_path):
    """Three trials of each of two networks were to become six of each, which still are too few."""
    networks = ("alexnet", "resnet34")
    rows = [trial(f"t{k}", networks[k % 2], hp_lr=0.005 * (k + 1)) for k in range(6)]
    curves = [row for k in range(6) for row in epochs(f"t{k}", [0.2 + 0.01 * k])]
    head = header(study={"trials": 6, "models": [*networks]})
    found = checks(folder(tmp_path / "s", head, rows, curves, []))["Search predictable"]
    assert "Fewer than 10 trials of each" in found.words and "--trials 20" in found.command


def test_terminal_report_and_explorer_say_the_same(whole, capsys):
    one = load(whole)
    given = Inputs([one], evaluation.evaluated(answers(one)))
    (section,) = sections(given, "health")
    shown = section.blocks[1].frame
    assert main([str(whole), "--health"]) == 0
    told = capsys.readouterr().out
    for _, row in shown.iterrows():
        assert f"{row['verdict']}  {row['check']}: {row['words']}" in told


def test_a_study_of_one_pair_is_told_in_the_singular(whole):
    one = load(whole)
    settings = evaluation.evaluated(answers(one))
    (pair,) = verdicts.of([one], settings)
    for verdict, words in (
        ("better", "1 primary comparison is settled."),
        ("not settled", "1 of 1 primary comparison isn't settled"),
    ):
        found = health.seeds(one, settings, [replace(pair, verdict=verdict)])
        assert found and found.words.startswith(words)


def test_trials_of_one_value_are_not_called_too_few(tmp_path):
    """Twelve trials on a plateau were "fewer than 10"."""
    rows = [trial(f"t{k}", hp_lr=0.005 * (k + 1)) for k in range(12)]
    curves = [row for k in range(12) for row in epochs(f"t{k}", [0.25])]
    found = checks(folder(tmp_path / "s", None, rows, curves, []))["Search predictable"]
    assert "alexnet unknown (all 12 trials have the same value at epoch 1)" in found.words
    assert "Fewer" not in found.words and not found.passed


def test_the_checklist_answers_what_the_artefacts_answer_and_leaves_the_rest_open(whole, capsys):
    assert main([str(whole), "--checklist"]) == 0
    rows = [line for line in capsys.readouterr().out.splitlines() if line.startswith("- [")]
    assert len(rows) == 32 == len(checklist.ITEMS)
    by_key = {row.split()[3] if row[3] == " " else row.split()[2]: row for row in rows}
    assert by_key["1a"].endswith("for the author to say")
    assert "digest" in by_key["2a"] and by_key["2a"].startswith("- [x]")
    assert "1 primary comparison by" in by_key["7c"]
    one = load(whole)
    pairs = verdicts.of([one], evaluation.evaluated(answers(one)))
    assert checklist.tests(checklist.Given(one, [], pairs * 8)).endswith("; and 2 more.")
    settings = evaluation.evaluated(answers(load(whole)))
    for one in settings:
        accuracy = one.scopes[evaluation.PRIMARY]["accuracy"].mean
        assert f"{one.name} {100 * accuracy:.1f} % (" in by_key["7b"]
    assert "On test without copies" in by_key["7b"]


def test_the_checklist_tells_what_was_left_out_as_asked_for_and_every_transformation(whole):
    """Of a study --without contempt it said that no image was left out."""
    one = load(whole)
    one.trials["hp_brightness"] = 0.2
    asked = one.study["study"] | {"without": ["contempt"]}
    given = checklist.Given(replace(one, study={**one.study, "study": asked}), [], [])
    assert checklist.excluded(given).strip() == "As asked for: the images of contempt."
    assert "brightness 0.2" in checklist.transformations(given)
    assert checklist.excluded(replace(given, one=one)) == "No image was left out of training."


def test_a_flag_that_does_nothing_beside_them_is_refused(whole, capsys):
    assert main([str(whole), "--health", "--out", "page.html"]) == 2
    assert "--out does nothing with --health" in capsys.readouterr().err


def test_a_search_that_confirmed_nothing_is_asked_about_copies_and_sizes_too(request):
    one = load(request.config.rootpath / FULL)
    found = health.leaks(one, [])
    assert found and not found.passed and "val with copies" in found.words
    asked = {**one.study["study"], "val_copies": "without"}
    assert health.leaks(replace(one, study={**one.study, "study": asked}), []).passed
    half = one.trials.index % 2 == 0
    trials = one.trials.assign(
        hp_model=np.where(half, "alexnet", "resnet34"), hp_image_px=np.where(half, 32, 48)
    )
    even = health.even(replace(one, trials=trials), trials.assign(model=trials["hp_model"]))
    assert not even.passed and "pixels a side (alexnet 32 and resnet34 48)" in even.words


def test_seeds_are_not_enough_while_a_pair_has_a_setting_of_one(request):
    one = load(request.config.rootpath / SEARCH)
    own = evaluation.evaluated(answers(one))
    found = verdicts.of([one], own)
    sure, lone = (
        replace(found[0], verdict="not settled", smallest=smallest, needed=None, seeds=seeds)
        for smallest, seeds in ((0.015, (12, 12)), (np.nan, (12, 1)))
    )
    assert health.seeds(one, own, [sure]).passed
    for pairs in ([sure, lone], [lone, sure]):
        told = health.seeds(one, own, pairs)
        assert not told.passed and "--seeds 12" in told.command, told


def test_pairs_that_200_seeds_would_leave_open_are_not_said_to_be_so_with_any_number(request):
    one = load(request.config.rootpath / SEARCH)
    own = evaluation.evaluated(answers(one))
    pair = verdicts.of([one], own)[0]
    pair = replace(pair, verdict="not settled", smallest=0.1, needed=None, seeds=(12, 12))
    told = health.seeds(one, own, [pair])
    assert told and told.words == (
        "1 of 1 primary comparison isn't settled: not even 200 seeds each would settle it, with "
        "these images."
    )


@pytest.mark.parametrize("seeds", [1, 2])
def test_where_every_test_image_is_a_copy_nothing_is_called_decided(tmp_path, seeds):
    """One seed: a ZeroDivisionError; two: PASS, "Each setting has an interval"."""
    rows = [trial(f"alexnet-s{k}", stage="confirm", hp_seed=k) for k in range(seeds)]
    copies = range(14, 28)
    assert {SPLITS[k] for k in copies} == {"test"} and SPLITS.count("test") == len(copies)
    said = [predictions(row["trial_id"], LABELS, LABELS, SPLITS, duplicate=copies) for row in rows]
    curves = [row for each in rows for row in epochs(each["trial_id"], [0.2])]
    path = folder(tmp_path / "s", None, rows, curves, [], sum(said, []))
    words = "Every test image is a copy of one in train or val: nothing can be compared."
    found = checks(path)["Seeds enough"]
    assert not found.passed and found.words == words
    one = load(path)
    (told,) = answer.sentences([one], evaluation.evaluated(answers(one)), [])
    assert told.startswith(words) and report([one]).lead.startswith(words)


def test_a_search_that_was_left_for_its_confirmation_is_a_search(whole):
    """study.json has its stages as --resume --stages confirm gave them: without the search."""
    one = load(whole)
    named = [{"name": "first", "model": "alexnet", "epochs": 4}]
    asked = {"stages": ["confirm"], "val_copies": "with", "settings": named}
    one = replace(one, study={**one.study, "study": one.study["study"] | asked})
    own = evaluation.evaluated(answers(one))
    assert "chosen on val with copies" in health.leaks(one, own).words
    assert "settings" not in health.given(one), "where its search began"
    given = checklist.Given(one, own, [])
    assert checklist.selected(given).startswith("The highest val accuracy")
    assert checklist.hyperparameters(given).startswith("tpe with asha")
    assert ", of this one search: " in checklist.uncertainty(given)
    assert "Search" in dict(status.overview(one).to_numpy())
    assert progress.budget(one).set_index("budget").loc["trials of the search", "limit"] == 8


def test_seeds_are_counted_for_the_pairs_of_the_studys_own_networks_alone(request):
    """With --models alexnet the 36 pairs of all nine settings were to be decided."""
    one = load(request.config.rootpath / "results/published/paper-alexnet")
    own = evaluation.evaluated(answers(one))
    every = [{"name": "A-alexnet", "model": "alexnet"}, {"name": "B-alexnet", "model": "alexnet"}]
    every += [{"name": f"B-resnet34-{k}", "model": "resnet34"} for k in range(7)]
    asked = one.study["study"] | {"settings": every, "models": ["alexnet"], "pairs": []}
    told = health.seeds(replace(one, study={**one.study, "study": asked}), own, [])
    (pair, all_nine) = (health.enough(one, own, many) for many in (1, 36))
    assert told and f"--seeds {pair}" in told.command and pair < all_nine


def test_the_checklist_of_a_study_tells_its_own_comparisons(whole, tmp_path):
    other = tmp_path / "other"
    shutil.copytree(whole, other)
    studies = named_apart([load(whole), load(other)])
    settings = evaluation.evaluated([one for study in studies for one in answers(study)])
    found = verdicts.of(studies, settings)
    for study in studies:
        (told,) = [row for row in checklist.lines(study, settings, found) if " 7c " in row]
        assert "1 primary comparison" in told and f"({study.name})" in told
        (beside,) = {one.name for one in studies} - {study.name}
        assert f"({beside})" not in told
