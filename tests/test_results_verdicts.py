"""The rule on a study's folder: scope, pairs, margin, cost."""

import json
import shutil
from dataclasses import replace

import numpy as np
from test_results_load import header, whole

from results.artefacts.load import answers, load, named_apart
from results.facts import evaluation, verdicts
from results.report.report import report
from results.report.sections.pairs import compared
from study.record import schemas

__all__ = ["whole"]


def of(path):
    return verdicts_of(load(path))


def verdicts_of(findings):
    return verdicts.of([findings], evaluation.evaluated(answers(findings)))


def fixed(path, **study):
    (path / "study.json").write_text(json.dumps(header(study=study)))
    return path


def test_every_two_settings_are_compared_on_the_primary_scope(whole):
    (one,) = of(whole)
    assert (one.first, one.second, one.seeds) == ("alexnet", "resnet34", (2, 2))
    assert one.images == 13 and one.primary and not one.paired
    assert one.margin == 0.005 and one.unit == "core-hours"
    # four epochs of 2 s on one core, both settings
    assert one.needed > 2 and np.isclose(one.hours, (one.needed - 2) * 2 * 8 / 3600)


def test_pairs_and_margin_are_the_studys(whole):
    (one,) = of(fixed(whole, pairs=["resnet34:alexnet"], margin=2.0))
    assert (one.first, one.second, one.margin) == ("resnet34", "alexnet", 0.02)


def test_a_study_has_its_verdicts_whatever_is_shown_beside_it(whole):
    alone = load(whole)
    studies = named_apart([alone, load(fixed(whole, name="other", pairs=["resnet34:alexnet"]))])
    settings = evaluation.evaluated([one for study in studies for one in answers(study)])
    found = verdicts.of(studies, settings)
    primary = [one for one in found if one.primary]
    (own,) = of_alone = verdicts.of([alone], evaluation.evaluated(answers(alone)))
    assert len(found) == 6 and len(primary) == 2 and found[:2] == primary and of_alone
    assert (primary[0].low, primary[0].p) == (own.low, own.p)  # Holm's family is its own study's
    assert [one.first.split()[0] for one in primary] == ["alexnet", "resnet34"]


def test_what_seeds_of_two_studies_cost_is_told_in_the_unit_in_which_both_are_paid(whole):
    """Core-hours of one study were added to GPU-hours of the other, and called those."""
    here = load(whole)
    there = replace(here, name="there", epochs=here.epochs.assign(gpus=0.5))
    beside = replace(there, name="beside")
    alexnet, resnet = (
        replace(one, seeds=one.seeds[:1], probability=one.probability[:1]) for one in answers(here)
    )
    said = [alexnet, replace(resnet, study="there"), replace(alexnet, study="beside")]
    found = verdicts.of([here, there, beside], evaluation.evaluated(said))
    mixed, _, same = found
    assert mixed.needed and np.isnan(mixed.hours) and mixed.cost_words == ""
    assert same.unit == "GPU-hours"  # whatever a third is paid in
    assert np.isclose(same.hours, 2 * (same.needed - 1) * 4 * 2 * 0.5 / 3600)
    seconds = replace(here, name="there")
    (told,) = verdicts.of([here, seconds], evaluation.evaluated(said[:2]))
    assert told.unit == "core-hours" and told.hours > 0


def test_a_cbam_begins_as_the_resnet_of_its_stem(whole):
    findings = load(whole)
    resnet = answers(findings)[1]
    trials = findings.trials.assign(hp_stem="small")
    one = verdicts.start(findings, resnet)
    cbam = replace(resnet, model="cbam_resnet34")
    assert verdicts.start(findings, cbam) == one
    assert verdicts.start(replace(findings, trials=trials), cbam) != one


def test_the_report_says_the_verdict_and_what_the_other_tests_speak_of(whole):
    section = next(
        one for one in report([load(whole)]).sections if one.title == "Are the differences real?"
    )
    told = " ".join(getattr(block, "words", "") for block in section.blocks)
    assert f"{of(whole)[0].words}." in told
    assert "these very models" in told and "these images" in told


def test_a_difference_that_no_two_accuracies_have_is_not_told_to_be_found(whole):
    """Two seeds at the level of many pairs would find 1,762.60 points, said the table."""
    one = of(whole)[0]
    each = [replace(one, smallest=smallest) for smallest in (0.0213, 17.626, np.nan)]
    shown = compared(each).shown["found 4 times in 5"]
    assert list(shown) == ["2.13", "none, not even 100", "–"]


def test_each_study_tells_its_own_pairs_and_margin_where_they_differ(whole):
    """Those of both together were "fixed before training", by the margin of the first."""

    def told(*studies):
        made = report(list(studies)).sections
        blocks = next(one for one in made if one.title == "Are the differences real?").blocks
        return " ".join(getattr(block, "words", "") for block in blocks)

    alone = load(whole)
    other = load(fixed(whole, name="other", pairs=["resnet34:alexnet"], margin=2.0))
    settled = [one.settled for one in (*of(whole), *verdicts_of(alone))]
    assert f"1 primary pair (fixed before training): {settled[0]:d} settled. " in told(other)
    both = told(alone, other)
    assert (
        "mine: 1 primary pair (every two settings of a study; equal within 0.5 points): "
        f"{settled[1]:d} settled. other: 1 primary pair (fixed before training; equal within "
        f"2 points): {settled[0]:d} settled. 4 others are secondary: hints, not findings." in both
    )
    assert "within 0.5 or 2 points" in both


def test_identical_images_are_one_draw_in_the_study_that_knows_them_and_there_alone(whole):
    """Named second it was judged without, and named first it judged the other with them."""
    knowing = whole.with_name("knowing")
    shutil.copytree(whole, knowing)
    kept = [
        {"split": "val" if k < 14 else "test", "image": k, "pixels": f"{k // 3}"} for k in range(28)
    ]
    schemas.write_table(knowing / "images.parquet", kept, schemas.IMAGES)
    alone = {path: of(path)[0] for path in (whole, knowing)}
    assert alone[whole].p != alone[knowing].p
    for order in ((whole, knowing), (knowing, whole)):
        studies = named_apart([load(path) for path in order])
        settings = evaluation.evaluated([one for study in studies for one in answers(study)])
        found = [one for one in verdicts.of(studies, settings) if one.primary]
        assert [(one.p, one.high) for one in found] == [
            (alone[path].p, alone[path].high) for path in order
        ]


def test_in_short_what_is_not_settled_stands_in_one_sentence(whole):
    """README gave each of four pairs three lines."""
    (one,) = of(whole)
    one = replace(one, difference=-0.01, low=-0.05, high=0.03, verdict="not settled", needed=7)
    lead = f"{one.second} leads {one.first} by 1.0 points (−3.0 to +5.0)"
    assert verdicts.in_short([one]) == (
        f"Not settled within a study: {lead}; 7 seeds each would settle it."
    )
    never, more = replace(one, needed=None), replace(one, needed=3)
    assert verdicts.in_short([one, more]).endswith("; 3 to 7 seeds each would settle them.")
    assert verdicts.in_short([one, never]).endswith("; 7 seeds each would settle 1 of them.")
    assert verdicts.in_short([never]).endswith(f"{lead}.")
    settled = replace(one, verdict="worse")
    assert verdicts.in_short([one, settled]).startswith(f"{settled.words}. Not settled")
    assert verdicts.in_short([settled]) == f"{settled.words}."
    assert verdicts.in_short([replace(one, low=np.nan)]) == "", "one seed has no interval"
