"""Whole searches again."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from test_results_load import whole

from fer_stats import crossed
from results.artefacts.load import Findings, answers, load
from results.facts import evaluation, searches, verdicts
from results.facts.evaluation import PRIMARY
from results.report.blocks import Table, Text
from results.report.contents import sections
from results.report.inputs import Inputs
from results.report.sections.search import gained
from results.report.sections.searches import searches as again

__all__ = ["whole"]


def study(one: Findings, name: str, seed: int, **more: object) -> Findings:
    asked = {**one.study["study"], "stages": ["search", "confirm"], "seed": seed, **more}
    return replace(one, name=name, study={**one.study, "study": asked})


def test_studies_are_searches_again_where_they_differ_in_the_seed_alone(whole):
    one = load(whole)
    a, b = study(one, "a", 0, out="x"), study(one, "b", 1, out="y")
    assert [[each.name for each in group] for group in searches.repeated([a, b])] == [["a", "b"]]
    assert searches.repeated([a, study(one, "b", 0)]) == []  # the same search twice
    assert searches.repeated([a, study(one, "b", 1, trials=99)]) == []
    assert searches.repeated([one, a]) == []
    for moved in ({"data": "/other/fer2013.csv.xz"}, {"stages": ["confirm"]}):
        later = study(one, "b", 1, **moved)  # as --resume may have left it
        assert searches.repeated([a, later]) == [[a, later]]
    assert searches.repeated([a, study(one, "b", 1, stages=["search"])]) == []


def test_of_searches_with_one_seed_the_first_stands_and_the_others_are_named(whole):
    """The whole section was gone where one of three searches was given a second time."""
    one = load(whole)
    group = [study(one, name, k) for k, name in enumerate("abc")] + [study(one, "d", 1)]
    assert [[each.name for each in found] for found in searches.repeated(group)] == [[*"abc"]]
    settings = evaluation.evaluated([s for each in group for s in answers(each)])
    (found,) = again(Inputs(group, settings))
    told = "3 searches: a, b and c. Left out, since their seeds are there: d."
    assert found and found.blocks[0].words == told


def test_two_repeated_searches_have_sections_of_two_names(whole):
    """Both were "The search repeated", with one id in the page."""
    one = load(whole)
    group = [study(one, name, k % 2, trials=9 + k // 2) for k, name in enumerate("abcd")]
    settings = evaluation.evaluated([s for each in group for s in answers(each)])
    titles = [each.title for each in again(Inputs(group, settings)) if each]
    assert titles == ["The search repeated: a and b", "The search repeated: c and d"]
    titles = [each.title for each in again(Inputs(group[:2], settings)) if each]
    assert titles == ["The search repeated"]


def test_only_where_there_are_intervals_are_they_said_to_be_of_one_search(whole):
    one = load(whole)
    for seeds, words in ((2, ["All intervals are of this one search"]), (1, [])):
        each = [
            replace(a, seeds=a.seeds[:seeds], probability=a.probability[:seeds])
            for a in answers(one)
        ]
        told = gained(one, Inputs([one], evaluation.evaluated(each)))
        assert [block.words.partition(":")[0] for block in told if isinstance(block, Text)] == words


# As if the other network were the default of the best.
DEFAULT = pd.DataFrame(
    [("alexnet", "a0", None), ("resnet34", "", "alexnet")],
    columns=["setting", "from_trial", "beside"],
)


def test_what_a_search_gained_has_one_verdict(whole):
    """Of one pair the sentence said "it lost", and the table beneath "not settled"."""
    one = replace(load(whole), chosen=DEFAULT)
    settings = evaluation.evaluated(answers(one))
    (beside,) = [each for each in gained(one, Inputs([one], settings)) if isinstance(each, Table)]
    assert beside.frame["primary"].tolist() == [True]  # of gains' own family


def test_where_every_test_image_is_a_copy_no_search_gained_anything(whole):
    one = load(whole)
    each = [replace(a, duplicate=np.ones(len(a.label), bool)) for a in answers(one)]
    assert verdicts.gains(replace(one, chosen=DEFAULT), evaluation.evaluated(each)) == []
    group = [study(one, name, k) for k, name in enumerate("ab")]
    copies = [replace(a, duplicate=each[0].duplicate) for some in group for a in answers(some)]
    assert searches.accuracies(group, evaluation.evaluated(copies)).empty


def test_searches_that_answered_other_images_are_not_averaged(whole):
    """One that knows no near copies has more images without duplicates: a ValueError of NumPy."""
    one = load(whole)
    group = [study(one, name, k) for k, name in enumerate("ab")]
    first, second = (answers(each) for each in group)
    near = [replace(s, near=s.image == s.image[s.split == "test"][-1]) for s in second]
    settings = evaluation.evaluated([*first, *near])
    assert searches.answered(group, settings, PRIMARY) == []
    assert len(searches.answered(group, settings, "test")) == len(first)


def test_a_search_is_one_draw(whole):
    one = load(whole)
    group = [study(one, name, seed) for seed, name in enumerate("abc")]
    settings = evaluation.evaluated([s for each in group for s in answers(each)])
    rng = np.random.default_rng(0)
    settings = [  # each search has found something else
        replace(
            each,
            answers=replace(
                each.answers, probability=rng.permuted(each.answers.probability, axis=2)
            ),
        )
        for each in settings
    ]
    first, *_ = searches.accuracies(group, settings).to_dict("records")
    own = [each.answers for each in settings if each.answers.setting == first["setting"]]
    inside = evaluation.chosen(own[0], PRIMARY)
    rows = [(each.guess[:, inside] == each.label[inside]).mean(0) for each in own]
    by_hand = crossed.of_one(np.array(rows), evaluation.copies(own[0], inside))
    assert first["searches"] == 3 and first["mean"] == pytest.approx(np.mean(rows))
    low, high = by_hand.interval()
    assert (first["low"], first["high"]) == pytest.approx((max(low, 0), min(high, 1)))
    (found,) = searches.compared(group, settings)
    assert found.seeds == (3, 3) and not found.paired
    assert searches.compared([replace(one, chosen=DEFAULT) for one in group], settings) == []
    titles = [section.title for section in sections(Inputs(group, settings), "comparison")]
    assert "The search repeated" in titles
