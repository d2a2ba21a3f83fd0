"""The paper's own numbers: the oddities found are exactly those in the data."""

import copy
from dataclasses import replace

import numpy as np
import pytest
from test_results_load import PAPERS, epochs, folder, predictions, trial

from results.artefacts.load import answers, load
from results.facts import paper
from results.facts.evaluation import evaluated
from results.report.sections.confusion import matrix


def test_the_paper_prints_nine_settings_and_eight_matrices():
    published = paper.published()
    assert len(published["experiments"]) == 9
    assert {len(entry["matrix"]) for entry in published["confusions"].values()} == {7}
    assert len(published["confusions"]) == 8


def test_every_matrix_counts_twice_the_test_images():
    frame = paper.image_counts(paper.published())
    assert frame["images"].tolist() == [7178] * 8
    assert frame["ratio"].tolist() == [2.0] * 8


def test_one_matrix_stands_under_two_learning_rates():
    frame = paper.same_matrices(paper.published())
    row = frame.iloc[0]
    assert len(frame) == 1
    assert (row["first"], row["second"]) == ("Fig. 9", "Fig. 14")
    assert (row["lr_first"], row["lr_second"]) == (0.005, 0.007)


def test_four_claims_are_not_their_matrix():
    frame = paper.claims(paper.published())
    apart = frame[~frame["agrees"]]
    assert apart["setting"].tolist() == ["A-resnet34", "B-alexnet", "B-resnet34", "C-resnet34"]
    assert apart["right"].tolist() == [4231, 4259, 4295, 4295]
    # 58.3589 % printed as 58.35 is a cut, not a contradiction
    assert frame.set_index("setting").loc["A-alexnet", "agrees"]


def test_the_printed_column_is_no_usual_measure_but_a_fitted_sum():
    frame = paper.printed_column(paper.published())
    assert frame["cells"].tolist() == [56] * 6
    assert frame["equal"].tolist() == [0, 0, 0, 16, 24, 56]
    assert frame["fitted"].tolist() == [False] * 4 + [True] * 2


def test_column_measures_by_hand():
    cells = np.array([[4, 1, 0], [2, 3, 1], [0, 0, 5]])
    found = list(paper.column_measures(cells).values())
    assert found[0].tolist() == [4 / 5, 3 / 6, 1.0]
    assert found[1].tolist() == [4 / 6, 3 / 4, 5 / 6]
    # of 16: class 1 is right 3 times and rightly rejected 4 + 0 + 0 + 5 times
    assert found[3][1] == 12 / 16
    assert found[4][1] == (3 + 4 + 5) / 16


def test_numbers_without_oddities_give_none():
    sound = copy.deepcopy(paper.published())
    cells = np.eye(7, dtype=int) * 500
    cells[0, 0] += 89
    for number, entry in enumerate(sound["confusions"].values()):
        entry["matrix"] = (cells + np.diag([number, -number, 0, 0, 0, 0, 0])).tolist()
        del entry["printed_accuracy_column"]
    for entry in sound["experiments"]:
        entry["claimed_accuracy"] = 1.0 if entry["confusion"] else None
    assert paper.image_counts(sound).empty
    assert paper.same_matrices(sound).empty
    assert paper.claims(sound)["agrees"].all()
    assert paper.printed_column(sound).empty


def test_without_ours_the_table_holds_theirs():
    frame = paper.settings_table(paper.published(), [], [])
    assert len(frame) == 9
    assert frame["val+test"].isna().all()
    assert frame["matrix"].notna().sum() == 8
    assert round(frame["matrix"][0], 6) == 0.583589


def confirmed(path, **more):
    rows = [trial("A-alexnet-s0", stage="confirm", setting="A-alexnet", epochs=50, **more)]
    told = predictions("A-alexnet-s0", [0] * 10, [0, 1] * 5, ["val"] * 5 + ["test"] * 5)
    return load(folder(path, PAPERS, rows, epochs("A-alexnet-s0", [0.5] * 12), [], told))


def test_a_matrix_stands_beside_the_papers_where_the_classes_have_other_usual_names(tmp_path):
    """Of folders called anger, disgusted, ... it was of test alone, without the paper's."""
    published = paper.published()
    (one,) = evaluated(answers(confirmed(tmp_path / "s")))
    usual = {"angry": "anger", "disgust": "disgusted"}
    classes = tuple(usual.get(name, name) for name in one.answers.classes)
    other = replace(one, answers=replace(one.answers, classes=classes))
    for each in (one, other):
        side, _ = matrix(each, published)
        ours, theirs = side.blocks
        assert ours.counts[0, 0] == 5 and ours.counts[1, 0] == 5  # of 10 on val and test, all angry
        assert ours.caption.startswith("A-alexnet, val+test") and theirs.classes[0] == "angry"
    assert ours.classes[:2] == ["anger", "disgusted"]
    third = replace(one, answers=replace(one.answers, classes=(*classes[:-1], "contempt")))
    assert len(matrix(third, published)[0].blocks) == 1


@pytest.mark.parametrize(
    ("status", "far"),
    [("running", (12, 50)), ("stopped", (12, 50)), ("failed", None), ("completed", None)],
)
def test_a_training_that_failed_is_not_under_way(tmp_path, status, far):
    found = paper.under_way([confirmed(tmp_path / "s", status=status)])
    assert found.get("A-alexnet") == far
