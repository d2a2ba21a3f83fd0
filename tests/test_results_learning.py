"""A network that answers one class is said to have learned nothing, wherever it is told of."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binom
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
)

from fer_record.tables import Tables
from fer_stats.learning import unlearned
from results.artefacts.load import Answers, answers, load, named_apart
from results.facts import learning
from results.facts.evaluation import evaluated
from results.report.blocks import Text
from results.report.report import report
from study.config.study import from_dict
from study.driver import learning as told


def answered(path, *said, more=()):
    """A study of alexnet whose seeds answered so, and of resnet34, which is mostly right."""
    rows = [trial(f"alexnet-s{k}", stage="confirm", hp_seed=k) for k in range(len(said))]
    rows.append(trial("resnet34-s0", "resnet34", "confirm"))
    rest = [
        row
        for k, one in enumerate(said)
        for row in predictions(f"alexnet-s{k}", one, LABELS, SPLITS)
    ]
    rest += predictions("resnet34-s0", LABELS[:27] + [0], LABELS, SPLITS)
    return load(folder(path, None, [*rows, *more], epochs("alexnet-s0", [0.2]), [], rest))


def notes(found):
    """The report's notes, and the notes within its sections by title."""
    made = report([found])
    inside = {
        section.title: [
            block.words
            for block in section.blocks
            if isinstance(block, Text) and block.kind == "note"
        ]
        for section in made.sections
    }
    return made.notes, inside


def test_a_network_that_answers_one_class_has_not_learned(tmp_path):
    said, inside = notes(answered(tmp_path / "s", [3] * 28))
    assert (
        "alexnet has not learned: it answers one class (happy, 100 % of its answers), 14.3 % right "
        "on test, and always answering angry gives 14.3 %." in said
    )
    for title in ("Are the differences real?", "Confusion matrices", "Calibration"):
        assert any("alexnet has not learned" in words for words in inside[title]), title
    assert not any("resnet34" in words for words in said)


def test_of_several_seeds_it_is_said_how_many_have_not_learned(tmp_path):
    said, _ = notes(answered(tmp_path / "s", [3] * 28, FAIR))
    assert any(words.startswith("alexnet (1 of 2 seeds) has not learned: it") for words in said)


def test_of_several_seeds_that_have_not_learned_the_worst_is_told_as_the_worst(tmp_path):
    """Its share stood as the setting's, beside a mean that was higher."""
    said, _ = notes(answered(tmp_path / "s", [3] * 28, [3] * 24 + [0] + [3] * 3))
    (words,) = [one for one in said if one.startswith("alexnet (2 of 2 seeds) has not learned, ")]
    assert "14 images of test tell: the worst 7.1 % right (1.3 to 31.5), and always" in words


def of(right, images, classes=("a", "b"), share=0.5):
    """Answers on so many test images, so many of them right, the others of the other class."""
    label = (np.arange(images) >= share * images).astype(int)
    hit = np.random.default_rng(0).permutation(images) < right
    guess = np.where(hit, label, 1 - label)
    probability = np.eye(len(classes))[guess][None]
    return Answers(
        "s",
        "x",
        "m",
        "d",
        classes,
        1,
        (0,),
        np.full(images, "test"),
        np.arange(images),
        np.full(images, ""),
        np.zeros(images, bool),
        label,
        probability,
    )


def test_a_caution_counts_the_seeds_and_calls_no_answer_constant(tmp_path):
    """Of a seed of two it said that the setting had not learned, and that its matrix was that of a
    constant answer, which it isn't."""
    settings = evaluated([*answers(answered(tmp_path / "s", [3] * 28, FAIR))])
    assert learning.caution(settings, "the matrix of") == (
        "alexnet (1 of 2 seeds) has not learned: read nothing from the matrix of a network that is "
        "no better than a constant answer."
    )


@pytest.mark.parametrize(("right", "flat"), [(500, True), (525, True), (540, False), (900, False)])
def test_what_lies_within_chance_of_the_most_frequent_class_is_not_learned(right, flat):
    frame = learning.unlearned([of(right, 1000)])  # 540 of 1,000: from 50.9 %
    assert len(frame) == flat
    if flat:
        (words,) = learning.sentences(frame)
        assert words.startswith("x has not learned, as far as 1,000 images of test tell: ")


def test_what_a_study_of_balanced_accuracy_learned_is_judged_by_that():
    """60 % right where 80 % are of one class, but both classes alike: it tells them apart."""
    one = of(600, 1000, share=0.8)
    assert len(learning.unlearned([one])) == 1
    assert learning.unlearned([replace(one, metric="balanced_accuracy")]).empty
    constant = replace(one, probability=np.eye(2)[np.zeros(1000, int)][None])
    for metric in ("accuracy", "balanced_accuracy", "macro_f1"):
        assert len(learning.unlearned([replace(constant, metric=metric)])) == 1


UNEVEN = np.repeat(range(7), [250] + [75] * 6)


def test_answers_that_know_nothing_have_not_learned_by_whatever_the_study_was_judged():
    """Of macro-F1 they have 13.4 %, and always the first class 7.5 %: they passed."""
    for metric in ("accuracy", "balanced_accuracy", "macro_f1"):
        found = unlearned(metric, UNEVEN, np.arange(700) % 7, CLASSES)
        assert found and found.accuracy == 100 / 700


@pytest.mark.parametrize("metric", ["balanced_accuracy", "macro_f1"])
def test_answers_at_random_pass_once_in_forty(metric):
    """Dealt out evenly; and those that are right in 30 % beside that have learned."""
    rng = np.random.default_rng(0)
    told = [rng.permutation(700) % 7 for _ in range(400)]
    passed = sum(unlearned(metric, UNEVEN, said, CLASSES) is None for said in told)
    assert passed <= binom.ppf(0.999, 400, 0.025)
    knows = [np.where(rng.random(700) < 0.2, UNEVEN, said) for said in told]
    assert not any(unlearned(metric, UNEVEN, said, CLASSES) for said in knows)


def test_a_network_that_diverged_gave_no_answers_at_all(tmp_path):
    told = predictions("alexnet-s0", FAIR, LABELS, SPLITS, sure=float("nan"))
    rows = [trial("alexnet-s0", stage="confirm")]
    found = load(folder(tmp_path / "s", None, rows, epochs("alexnet-s0", [0.2]), [], told))
    assert learning.unlearned(answers(found)).empty


def test_a_caution_says_of_which_study_the_setting_is(tmp_path):
    """With two studies of one setting it said "alexnet has not learned", whichever it was."""
    studies = named_apart([answered(tmp_path / "s", LABELS), answered(tmp_path / "t", [3] * 28)])
    settings = evaluated([one for study in studies for one in answers(study)])
    assert learning.caution(settings, "the matrix of").startswith("alexnet (mine 2) has not")


@pytest.mark.parametrize(
    ("accuracy", "words"),
    [
        (
            0.25,
            "No trial of alexnet has learned: the best, t0, has the 25.0 % on val that always "
            "answering happy gives.",
        ),
        (
            0.27,
            "No trial of alexnet has learned, as far as 1,000 images of val tell: the best, t0, "
            "has 27.0 % (24.3 to 29.8), and always answering happy gives 25.0 %.",
        ),
        (0.30, ""),
    ],
)
def test_a_search_whose_best_is_the_majority_class_says_so(tmp_path, accuracy, words):
    counts = {"val": dict.fromkeys(CLASSES, 125) | {"happy": 250}}
    data = {"counts": counts, "images": {"train": 100, "val": 1000, "test": 14}}
    rows = [trial("t0"), trial("t1", status="stopped")]
    curves = epochs("t0", [0.25, accuracy]) + epochs("t1", [0.5])
    found = load(folder(tmp_path / "s", header(data=data), rows, curves, []))
    said, _ = notes(found)
    assert (words in said) if words else not any("has learned" in one for one in said)


def test_the_terminal_says_the_same(tmp_path):
    """From the journal's tables and from the artefacts."""
    for name, said in (("one", [[3] * 28]), ("some", [FAIR, [3] * 28]), ("near", [LABELS[::-1]])):
        found = answered(tmp_path / name, *said)
        tables = Tables()
        tables.trials = found.trials.set_index("trial_id").to_dict("index")
        here = learning.sentences(learning.unlearned(answers(found)))
        assert here and told.confirmed(tables, found.predictions, CLASSES) == here


@pytest.mark.parametrize("accuracy", [0.25, 0.27, 0.30])
def test_the_terminal_says_the_same_of_a_search(tmp_path, accuracy):
    counts = {"val": dict.fromkeys(CLASSES, 125) | {"happy": 250}}
    data = {"counts": counts, "images": {"train": 100, "val": 1000, "test": 14}}
    found = load(
        folder(tmp_path / "s", header(data=data), [trial("t0")], epochs("t0", [accuracy] * 4), [])
    )
    tables = Tables()
    tables.trials = found.trials.set_index("trial_id").to_dict("index")
    tables.last = {"t0": {"epoch": 4, "val_accuracy": accuracy}}
    labels = np.repeat(range(7), [125, 125, 125, 250, 125, 125, 125])
    study = from_dict({"epochs": 4})
    assert told.searched(tables, study, labels, tuple(CLASSES)) == learning.searched(found)


def test_a_search_is_held_against_the_classes_of_what_it_was_judged_on(tmp_path):
    """Val without copies has more happy faces than all of it: always answering happy passed."""
    whole = dict.fromkeys(CLASSES, 449) | {"happy": 895}
    judged = dict.fromkeys(CLASSES, 371) | {"happy": 833}
    images = {"train": 28709, "val": 3059, "test": 3589}
    accuracy = 833 / 3059
    for name, data in (("new", {"judged": judged}), ("begun between", {})):
        head = header(
            study={"val_copies": "without"},
            data={"counts": {"val": whole}, "images": images} | data,
        )
        found = load(folder(tmp_path / name, head, [trial("t0")], epochs("t0", [accuracy]), []))
        said = learning.searched(found)
        if data:
            assert "that always answering happy gives" in said[0]
        else:
            assert not said, "its study.json doesn't say what an epoch was judged on"
