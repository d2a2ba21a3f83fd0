"""Facts of confirmed models: exact small tables."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
from test_results_load import CLASSES, PAPERS, epochs, folder, header, predictions, trial, whole

from fer_data import fer2013
from results.artefacts.load import answers, load
from results.facts import answer, evaluation, paper, status
from results.figures import charts
from results.report.blocks import Side, Text
from results.report.inputs import Inputs
from results.report.page import markup
from results.report.sections import confusion as sections_confusion
from results.report.sections import curves as sections_curves
from results.report.sections import paper as sections_paper
from results.report.sections.answer import answer as answer_section
from results.report.sections.confirmed import highest
from results.report.sections.overview import overview

__all__ = ["whole"]


def judged(path):
    return evaluation.evaluated(answers(load(path)))


def test_scopes_split_the_images(whole):
    one = answers(load(whole))[0]
    sizes = {scope: int(evaluation.chosen(one, scope).sum()) for scope in evaluation.SCOPES}
    assert sizes == {
        "val": 14,
        "test": 14,
        "val+test": 28,
        "val, no duplicates": 14,
        "test, no duplicates": 13,
    }


def test_near_copies_are_no_more_in_a_scope_without_duplicates_than_exact_ones(whole):
    one = answers(load(whole))[0]
    near = np.isin(one.image, (0, 15))
    marked = replace(one, near=near)
    for scope, images in (("val, no duplicates", 13), ("test, no duplicates", 12), ("test", 14)):
        assert evaluation.chosen(marked, scope).sum() == images


def test_where_nobody_looked_for_copies_in_val_no_figure_is_said_to_be_without_them(whole):
    one = answers(load(whole))[0]
    clean = "val, no duplicates"
    assert clean not in evaluation.evaluated([one])[0].scopes
    looked = replace(one, near=np.zeros(len(one.image), bool))
    assert clean in evaluation.evaluated([looked])[0].scopes


def test_confirmed_accuracy_exactly(whole):
    frame = evaluation.confirmed(judged(whole))
    at = frame[frame["measure"] == "accuracy"].set_index(["setting", "scope"])
    # always "happy" is right on 2 of 14; FAIR on those and on every odd image: 8 of 14
    assert at.loc[("alexnet", "test"), "mean"] == pytest.approx((2 / 14 + 8 / 14) / 2)
    assert at.loc[("alexnet", "test"), "sd"] == pytest.approx(np.std([2, 8], ddof=1) / 14)
    assert at.loc[("resnet34", "val"), "mean"] == 1.0
    assert (at["seeds"] == 2).all()
    assert (at["low"] <= at["mean"]).all() and (at["mean"] <= at["high"]).all()


def test_one_seed_has_neither_interval_nor_sd(tmp_path):
    told = predictions("alexnet-s0", [0, 1, 2, 3], [0, 1, 3, 3], ["val", "val", "test", "test"])
    rows = [trial("alexnet-s0", stage="confirm")]
    path = folder(tmp_path / "s", None, rows, epochs("alexnet-s0", [0.5]), [], told)
    frame = evaluation.confirmed(judged(path))
    assert frame["sd"].isna().all() and (frame["seeds"] == 1).all()
    row = frame[(frame["scope"] == "test") & (frame["measure"] == "accuracy")].iloc[0]
    assert row["mean"] == 0.5 and np.isnan([row["low"], row["high"]]).all()


def test_pairs_hold_the_differences_and_their_tests(whole):
    row = evaluation.pairs(judged(whole)).iloc[0]
    assert (row["first"], row["second"]) == ("alexnet", "resnet34")
    # alexnet's votes tie between happy and FAIR: equally sure, the lower class wins
    assert row["difference"] < 0
    assert row["only_first_right"] == 0
    assert row["mcnemar_holm"] == row["mcnemar_p"]
    assert row["permutation_least"] == pytest.approx(1 / 3)


def test_a_study_has_its_p_whatever_is_shown_beside_it(whole):
    other = header(study={"name": "other"})
    beside = shutil.copytree(whole, whole.with_name("other"))
    (beside / "study.json").write_text(json.dumps(other))
    said = [one for path in (whole, beside) for one in answers(load(path))]
    frame = evaluation.pairs(evaluation.evaluated(said)).set_index("family")
    (alone,) = evaluation.pairs(judged(whole)).to_dict("records")
    names = ["mcnemar_holm", "permutation_holm", "permutation_least"]
    for study in ("mine", "other"):
        assert frame.loc[study, names].tolist() == [alone[name] for name in names]
    assert frame.loc["", "permutation_least"].tolist() == [1] * 4  # 4 / 3, at most 1


def test_settings_on_other_data_are_no_pair(tmp_path, whole):
    told = predictions("alexnet-s0", [0, 1], [0, 1], ["test", "test"])
    rows = [trial("alexnet-s0", stage="confirm")]
    other = folder(
        tmp_path / "o",
        header(study={"name": "other"}, data={"digest": "xyz"}),
        rows,
        epochs("alexnet-s0", [0.5]),
        [],
        told,
    )
    both = evaluation.evaluated(answers(load(whole)) + answers(load(other)))
    assert [one.name for one in both] == ["alexnet (mine)", "resnet34", "alexnet (other)"]
    frame = evaluation.pairs(both)
    assert len(frame) == 1 and set(frame.iloc[0][["first", "second"]]) == {
        "alexnet (mine)",
        "resnet34",
    }


def test_a_matrix_is_in_the_order_asked_for(whole):
    one = answers(load(whole))[1]
    counts = evaluation.matrix(one, "val", CLASSES)
    assert counts.tolist() == (2 * np.eye(7)).tolist()
    turned = evaluation.matrix(one, "test", CLASSES[::-1])
    assert turned.sum() == 14
    assert turned[::-1, ::-1].tolist() == evaluation.matrix(one, "test", CLASSES).tolist()


def test_the_hardest_images_are_those_that_every_network_gets_wrong(whole):
    """Of test, whose second half resnet34 answers as alexnet does: happy, or right if odd."""
    frame = evaluation.hardest(judged(whole)).set_index("class")
    assert frame["images"].tolist() == [2] * 7
    assert frame.index[frame["all_wrong"] > 0].tolist() == ["disgust", "sad"]
    assert frame["all_wrong"].sum() == 2 == frame.loc["happy", "all_right"]
    assert frame["all_right"].sum() == 2


def test_per_class_by_hand():
    frame = evaluation.per_class(np.array([[8, 2], [0, 0]]), ["a", "b"])
    first, second = frame.to_dict("records")
    assert (first["recall"], first["precision"]) == (0.8, 1.0)
    assert (round(first["recall_low"], 4), round(first["recall_high"], 4)) == (0.4902, 0.9433)
    assert np.isnan(second["recall"]) and np.isnan(second["recall_low"])
    assert second["precision"] == 0.0


def test_calibration_by_hand(whole):
    eces, bins = evaluation.calibration(judged(whole))
    row = eces[eces["setting"] == "alexnet"].iloc[0]
    assert row["confidence"] == pytest.approx(0.7)
    assert row["ece"] == pytest.approx(((0.7 - 2 / 14) + (0.7 - 8 / 14)) / 2)
    assert bins.groupby("setting")["images"].sum().tolist() == [14.0, 14.0]


def test_a_diverged_network_is_wrong_everywhere_and_in_no_calibration(tmp_path):
    told = predictions("alexnet-s0", [0, 1], [0, 1], ["test", "test"], sure=float("nan"))
    rows = [trial("alexnet-s0", stage="confirm")]
    path = folder(tmp_path / "s", None, rows, epochs("alexnet-s0", [0.5]), [], told)
    settings = judged(path)
    frame = evaluation.confirmed(settings)
    assert frame[(frame["scope"] == "test")]["mean"].tolist() == [0.0, 0.0, 0.0]
    assert evaluation.calibration(settings)[0].empty
    # of two seeds, one of which diverged, accuracy is .5, and so is the recall of either class
    (half,) = judged(
        folder(
            tmp_path / "half",
            None,
            [*rows, trial("alexnet-s1", stage="confirm")],
            epochs("alexnet-s0", [0.5]) + epochs("alexnet-s1", [0.5]),
            [],
            told + predictions("alexnet-s1", [0, 1], [0, 1], ["test", "test"]),
        )
    )
    assert half.scopes["test"]["accuracy"].mean == 0.5
    (table,) = (
        block
        for block in sections_confusion.matrix(half, {})
        if getattr(block, "name", "") == "classes-alexnet"
    )
    assert table.frame["recall"].tolist()[:2] == [0.5, 0.5]
    assert table.frame["images"].tolist()[:2] == [1, 1]
    # and the matrix tells the same share of either class, not 100 % of what was answered
    (matrix,) = sections_confusion.matrix(half, {})[0].blocks
    drawn = charts.confusion(matrix.counts, matrix.classes, matrix.per_class)
    assert "0.5<small>50%</small>" in markup(matrix)
    assert drawn.layout.annotations[0].text == "0.5<br>50%"


def test_curves_are_means_over_seeds(whole):
    frame = status.curves(load(whole))
    last = frame[(frame["measure"] == "val_accuracy") & (frame["epoch"] == 4)]
    row = last[last["setting"] == "alexnet"].iloc[0]
    assert (row["mean"], row["low"], row["high"]) == pytest.approx((0.455, 0.45, 0.46))
    assert row["seeds"] == 2


@pytest.fixture
def by_f1(tmp_path):
    """Two settings with a seed each, of a study that was judged by macro-F1."""
    rows = [trial(f"{m}-s0", m, "confirm") for m in ("alexnet", "resnet34")]
    curve = epochs("alexnet-s0", [0.6, 0.6]) + epochs("resnet34-s0", [0.5, 0.5])
    curve = [row | {"val_macro_f1": row["val_accuracy"] / 2} for row in curve]
    splits = ["val", "test", "test"]
    told = predictions("alexnet-s0", [0, 0, 0], [0, 1, 0], splits)
    told += predictions("resnet34-s0", [0, 1, 0], [0, 1, 0], splits)
    head = header(study={"stages": ["confirm"], "metric": "macro_f1"})
    return folder(tmp_path / "s", head, rows, curve, [], told)


def test_what_a_study_was_judged_by_stands_in_its_tables_and_figures(by_f1):
    """They knew accuracy alone, which a study by macro-F1 doesn't maximise."""
    one = load(by_f1)
    (trials,) = (t for t in overview([one]).blocks if t.name == "trials-mine")
    assert trials.shown["val macro-F1"].tolist() == ["30.00 %", "25.00 %"]
    assert trials.shown["val accuracy"].tolist() == ["60.00 %", "50.00 %"]
    assert dict(status.overview(one).to_numpy())["Judged by"] == "val macro-F1"
    _, curves = sections_curves.curves([one]).blocks
    assert [title for title, _ in curves.plots][:2] == ["Macro-F1, val", "Accuracy, val"]
    assert curves.plots[0][1].layout.yaxis.title.text == "macro-F1"
    assert "train 70.0 %, val macro-F1 30.0 % (one seed)" in curves.summary
    found = answer_section(Inputs([one], judged(by_f1)))
    told = [block.words for block in found.blocks if isinstance(block, Text)]
    assert "The study was judged by val macro-F1: alexnet 100.0 % and resnet34 100.0 %." in told
    (side,) = (block for block in found.blocks if isinstance(block, Side))
    ((title, plot),) = side.blocks[1].plots
    assert title == "Accuracy and macro-F1 of alexnet by epoch"
    drawn = {trace.name: list(trace.y) for trace in plot.data if trace.name}
    assert drawn["val macro-F1"] == [0.3, 0.3] and drawn["val accuracy"] == [0.6, 0.6]


def test_curves_that_were_judged_with_and_without_copies_have_a_picture_each(tmp_path):
    """Of the paper's settings, which share a picture: without copies accuracy is 5 points lower."""
    found = []
    for name, setting, copies in (("a", "B-alexnet", "with"), ("b", "B-resnet34", "without")):
        rows = [trial(f"{setting}-s0", setting[2:], "confirm", setting=setting)]
        head = header(study={"name": name, "stages": ["confirm"], "val_copies": copies})
        curve = epochs(f"{setting}-s0", [0.5])
        found.append(load(folder(tmp_path / name, head, rows, curve, [])))
    _, *figures = sections_curves.curves(found).blocks
    assert [one.summary.split(" at ")[0] for one in figures] == ["B-alexnet", "B-resnet34"]
    assert [one.caption.partition(", on ")[2] for one in figures] == [
        "14 images of val",
        "14 images of val, none of them a copy of a training image",
    ]
    (alone,) = sections_curves.curves(found[:1]).blocks[1:]
    assert not alone.caption.endswith("of val")


def test_infinite_losses_are_gaps(tmp_path):
    rows = [trial("alexnet-s0", stage="confirm")]
    path = folder(tmp_path / "s", None, rows, epochs("alexnet-s0", [0.5, 0.5], [1, np.inf]), [])
    frame = status.curves(load(path))
    assert frame[frame["measure"] == "val_loss"]["epoch"].tolist() == [1]


def test_the_papers_settings_are_met_by_name(tmp_path):
    right = [0] * 5 + [1] * 2 + [6] * 3
    told = predictions("A-alexnet-s0", right, [0] * 5 + [1] * 5, ["val"] * 5 + ["test"] * 5)
    rows = [trial("A-alexnet-s0", stage="confirm", setting="A-alexnet")]
    path = folder(tmp_path / "s", PAPERS, rows, epochs("A-alexnet-s0", [0.5]), [], told)
    row = paper.settings_table(paper.published(), judged(path), [load(path)]).iloc[0]
    assert (row["val+test"], row["val"], row["test"]) == (0.7, 1.0, 0.4)
    assert row["difference"] == pytest.approx(0.7 - 4189 / 7178)
    assert row["within"] and row["our_epochs"] == 4
    assert row["clean"] == 5  # of test, none of them a copy


def test_a_setting_of_another_learning_rate_than_the_papers_is_not_set_beside_it(tmp_path):
    """--preset paper --lr .02: its matrix and its accuracy stood beside the paper's."""
    told = predictions("A-alexnet-s0", [0] * 10, [0] * 10, ["val"] * 5 + ["test"] * 5)
    mine = {"stage": "confirm", "setting": "A-alexnet", "hp_lr": 0.02, "hp_batch_size": 32}
    rows = [trial("A-alexnet-s0", **mine)]
    rows += [trial("B-alexnet-s0", **mine | {"setting": "B-alexnet", "status": "running"})]
    curve = epochs("A-alexnet-s0", [0.5]) + epochs("B-alexnet-s0", [0.5])
    path = folder(tmp_path / "s", PAPERS, rows, curve, [], told)
    one = load(path)
    frame = paper.settings_table(paper.published(), judged(path), [one])
    assert frame["seeds"].isna().all() and frame["came"].isna().all()
    why = "its batch size is 32 instead of 256 and its learning rate is 0.02 instead of 0.005"
    assert paper.comparable([one], judged(path)) == ([], {f"A-alexnet of {one.name}": why})
    _, figure = sections_curves.curves([one]).blocks
    assert figure.caption == "Confirmed: A-alexnet and B-alexnet"
    rows = [trial("A-alexnet-s0", stage="confirm", setting="A-alexnet")]
    first = load(folder(tmp_path / "first", PAPERS, rows, epochs("A-alexnet-s0", [0.5]), []))
    begun = load(folder(tmp_path / "s", PAPERS, [trial("A-alexnet-s0", **mine)], [], []))
    _, figure = sections_curves.curves([first, replace(begun, name="begun")]).blocks
    assert figure.caption == "Settings of the paper's Figs. 3 and 4", "of the study that trained it"


def test_where_the_paper_says_nothing_another_value_than_the_presets_is_not_compared(tmp_path):
    mine = {"stage": "confirm", "setting": "E-cbam50", "hp_lr": 0.02, "hp_batch_size": 128}
    rows = [trial("E-cbam50-s0", "cbam_resnet34", **mine)]
    named = {"name": "E-cbam50", "model": "cbam_resnet34", "lr": 0.02, "replaced": {"lr": 0.005}}
    for changed, why in ((named, "its learning rate is 0.02 instead of 0.005"), ({}, "")):
        head = header(study={"settings": [changed] if changed else []})
        path = folder(tmp_path / f"s{len(why)}", head, rows, epochs("E-cbam50-s0", [0.5]), [])
        assert paper.otherwise(load(path), "E-cbam50") == why


def test_a_setting_that_has_not_come_to_its_end_is_told_by_its_epochs_and_has_no_figure(tmp_path):
    rows = [
        trial("B-resnet34-s0", "resnet34", "confirm", "stopped", 35, setting="B-resnet34"),
        trial("B-resnet34-s1", "resnet34", "confirm", "running", 35, setting="B-resnet34"),
        trial("E-cbam50-s0", "cbam_resnet34", "confirm", "running", 50, setting="E-cbam50"),
        trial("A-alexnet-s0", stage="confirm", setting="A-alexnet"),
    ]
    curves = epochs("B-resnet34-s0", [0.3, 0.4, 0.5]) + epochs("B-resnet34-s1", [0.3])
    real = load(folder(tmp_path / "real", PAPERS, rows, curves, []))
    drawn = header(data={"synthetic": True})
    rows = [trial("D-cbam64-s0", stage="confirm", status="running", setting="D-cbam64")]
    faces = load(folder(tmp_path / "drawn", drawn, rows, epochs("D-cbam64-s0", [0.9]), []))
    frame = paper.settings_table(paper.published(), [], [faces, real]).set_index("setting")
    far = frame[["came", "wanted"]].dropna().T.to_dict("list")
    assert far == {"B-resnet34": [3, 35], "E-cbam50": [0, 50]}
    assert frame["val+test"].isna().all()
    _, table = sections_paper.beside(frame.reset_index(), {}).blocks
    assert table.shown["our seeds"].tolist() == ["–"] * 3 + ["3 of 35 epochs"] + ["–"] * 4 + [
        "0 of 50 epochs"
    ]
    _, figure, *_ = sections_curves.curves([real]).blocks
    assert "B-resnet34 at epoch 3 of 35: val 50.0 %" in figure.summary


def test_a_trial_that_diverged_has_no_loss_in_the_table_of_trials(whole):
    """It had that of the epoch before, beside the accuracy of the last."""
    row = status.trials(load(whole)).set_index("trial").loc["a3"]
    assert row["epochs"] == "2/4" and row["val_accuracy"] == 0.1 and np.isnan(row["val_loss"])


def test_warnings_say_what_a_reader_must_know(whole):
    found = load(whole)
    told = " ".join(status.warnings(found, answers(found)))
    assert "2 trials failed: a2, r2" in told
    assert "loss of 2 trials is no number: a3, r3" in told
    assert "half-written" in told
    assert "One seed" not in told


def test_warnings_say_what_the_sampler_knew_before_and_where_the_search_was_changed(whole):
    earlier = {"study": "old", "folder": "runs/old", "trials": 4, "left_out": {}, "known": [{}] * 3}
    changed = {"time": "2026-01-01", "trials": 6, "what": {"lr": ["0.1", "searched: 0.1,0.2"]}}
    head = header(earlier=[earlier], changed=[changed])
    (whole / "study.json").write_text(json.dumps(head))
    found = load(whole)
    told = " ".join(status.warnings(found, answers(found)))
    assert "The sampler knew 3 of 4 trials of old before its first" in told
    assert "The search was changed after 6 trials: lr 0.1, now searched: 0.1,0.2." in told


def test_warnings_say_what_was_known_of_test_and_where_it_chose(tmp_path, whole):
    head = header(
        study={"settings": [{"name": "A", "model": "alexnet", "published": 0.5}]},
        data={"digest": fer2013.PUBLISHED[0]},
        look_at_test=3,
        seeds_after_test=[2, 5],
    )
    (whole / "study.json").write_text(json.dumps(head))
    found = load(whole)
    told = " ".join(status.warnings(found, answers(found)))
    assert "was first chosen by val and test together" in told
    assert (
        "study number 3 of those that its machine and storage know to have opened these test"
        in told
    )
    assert "Test was opened with 2 seeds, and 3 were added after" in told
    for other in ({"synthetic": True}, {"known": "raf-db"}):  # by whose test nothing was chosen
        data = head["data"] | {"digest": "d"} | other
        (whole / "study.json").write_text(json.dumps(head | {"data": data}))
        found = load(whole)
        said = " ".join(status.warnings(found, answers(found)))
        assert "was first chosen" not in said and "study number 3" in said


def test_duplicates_by_class(whole):
    frame = evaluation.copies_by_class(answers(load(whole))[0]).set_index("class")
    assert frame["images"].tolist() == [2] * 7
    assert frame["copied"].to_dict() == {name: 0.5 * (name == CLASSES[0]) for name in CLASSES}


def test_of_a_class_without_test_images_none_is_a_copy(whole):
    """It had 100 %, and the report said that all of its test images occur in train."""
    one = answers(load(whole))[0]
    kept = (one.split != "test") | (one.label != 3)
    per_image = {n: getattr(one, n)[kept] for n in "split image pixels duplicate label".split()}
    less = replace(one, probability=one.probability[:, kept], **per_image)
    frame = evaluation.copies_by_class(less).set_index("class")
    assert frame["images"]["happy"] == 0 and np.isnan(frame["copied"]["happy"])
    assert frame["copied"].drop("happy").max() == 0.5


def test_uneven_duplicates_are_told_of_each_data_set(whole):
    """Of several studies those of the first alone were, as if they were of all."""
    one = load(whole)
    data = {**one.study["data"], "digest": "other"}
    other = replace(one, name="other", study={**one.study, "data": data})
    settings = evaluation.evaluated([*answers(one), *answers(other)])
    found = sections_confusion.of_settings(settings, Inputs([one, other], settings))
    told = [block.words for block in found.blocks if isinstance(block, Text)]
    each = [words.partition(":")[0] for words in told if words.startswith("Duplicates are")]
    assert each == ["Duplicates are uneven in mine", "Duplicates are uneven in other"]


def test_warnings_of_a_study_that_runs_on_drawn_faces(tmp_path):
    head = header(status="running", reason="", data={"synthetic": True, "notes": ["drawn"]})
    found = load(folder(tmp_path / "s", head))
    told = status.warnings(found, [])
    assert told[0] == "Drawn."
    assert "The study isn't complete (running): the results are preliminary." in told
    assert "No trial has started yet." in told


def test_overview_in_words(whole):
    frame = status.overview(load(whole))
    told = dict(zip(frame["what"], frame["mine"], strict=True))
    assert told["Trials"] == "8 completed, 2 stopped, 2 failed"
    assert told["Search"] == "6 trials of up to 4 epochs, tpe, asha"
    assert told["Git"] == "ffffffffffff"


def test_overview_has_the_settings_of_the_studys_networks_alone(whole):
    """Preset search's first points of networks that --models leaves out were among them."""
    settings = [{"name": f"{name}-first", "model": name} for name in ("alexnet", "cbam_resnet34")]
    (whole / "study.json").write_text(json.dumps(header(study={"settings": settings})))
    assert dict(status.overview(load(whole)).to_numpy())["Settings"] == "alexnet-first"


def test_one_of_anything_is_told_in_the_singular(whole):
    study = {"trials": 1, "epochs": 1}
    head = header(study=study, hardware={"cores": 1, "nodes": 1}, seeds_after_test=[2, 3])
    (whole / "study.json").write_text(json.dumps(head))
    found = load(whole)
    frame = status.overview(found)
    told = dict(zip(frame["what"], frame["mine"], strict=True))
    assert told["Search"] == "1 trial of up to 1 epoch, tpe, asha"
    assert told["Machine"] == "1 core, 1 node"
    assert "2 seeds, and 1 was added after" in " ".join(status.warnings(found, answers(found)))


@pytest.mark.parametrize(
    ("seconds", "words"), [(12.4, "12 s"), (200, "3 min 20 s"), (3900, "1 h 05 min"), (0, "0 s")]
)
def test_durations_in_words(seconds, words):
    assert status.duration(seconds) == words


def test_cost_knows_who_is_beaten(whole):
    found = load(whole)
    frame = evaluation.cost([found], judged(whole)).set_index("setting")
    assert frame["seconds"].tolist() == [8.0, 8.0]
    assert frame["undominated"].tolist() == [False, True]  # as slow, and less accurate


def test_without_near_copies_are_other_images_than_with_them(whole):
    """Of one data set a study knew near copies and another didn't: their accuracies without
    duplicates, of 3,275 images and of 2,987, had one picture, one highest and one cheapest."""
    one = load(whole)
    alexnet, resnet = answers(one)
    knowing = replace(alexnet, study="other", near=np.isin(alexnet.image, (0, 15)))
    settings = evaluation.evaluated([alexnet, resnet, knowing])
    studies = [one, replace(one, name="other")]
    frame = evaluation.confirmed(settings).query("measure == 'accuracy'")
    sets = frame.groupby("scope")["digest"].nunique()
    assert sets[evaluation.PRIMARY] == 2 and sets["test"] == sets["val+test"] == 1
    assert highest(frame).count("Highest: ") == 2
    assert evaluation.cost(studies, settings)["undominated"].tolist() == [False, True, True]
    shown = answer.accuracies(studies, settings)
    assert shown.groupby("setting")["digest"].nunique().tolist() == [1, 1, 1]
    together = shown.groupby("digest")["setting"].unique().map(set).tolist()
    assert {"alexnet (other)"} in together and {"alexnet (mine)", "resnet34"} in together


def test_a_part_of_the_images_is_told(tmp_path):
    counts = {"train": {"a": 60, "b": 40}, "val": {"a": 14}}
    for train, said in ((30, "30 of 100 train"), (100, "")):
        data = {"counts": counts, "images": {"train": train, "val": 14, "test": 14}}
        found = load(folder(tmp_path / str(train), header(data=data)))
        assert status.used(found.study) == said
        told = " ".join(status.warnings(found, []))
        assert ("Trained on a part of the images: 30 of 100 train." in told) == bool(said)
