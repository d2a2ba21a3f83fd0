"""Label noise: exact small tables, and the votes of other images refused."""

import shutil
from dataclasses import replace

import pandas as pd
import pytest
from test_results_load import CLASSES, epochs, folder, header, predictions, trial
from test_results_report import words

from fer_data import fer2013
from results import Mistake, __main__
from results.artefacts.load import answers, load, named_apart
from results.facts import evaluation, votes
from results.report import files
from results.report.sections.votes import label_noise
from study.record import schemas

WORDS = [*votes.EMOTIONS, *votes.OTHERS]
HAPPY, SAD, ANGRY = (CLASSES.index(name) for name in ("happy", "sad", "angry"))


def table(path, rows):
    """A voters' table: a row per (Usage, votes by FER+'s word)."""
    frame = pd.DataFrame(
        [
            {"Usage": usage, "Image name": ""} | dict.fromkeys(WORDS, 0) | told
            for usage, told in rows
        ]
    )
    frame.to_csv(path, index=False)
    return path


# Test images 2 to 7 of a table of eight rows, with their labels and what two networks answer.
TOLD = [
    ("Training", {"fear": 10}),
    ("PublicTest", {"happiness": 10}),
    ("PrivateTest", {"happiness": 10}),  # label happy, both say happy
    ("PrivateTest", {"sadness": 6, "anger": 4}),  # label angry, both say sad: the voters too
    ("PrivateTest", {"happiness": 5, "anger": 5}),  # tied
    ("PrivateTest", {"NF": 10}),  # not a face
    ("PrivateTest", {"anger": 8, "contempt": 2}),  # label angry, one says angry
    ("PrivateTest", {"sadness": 5, "fear": 3, "unknown": 2}),  # label sad, both say happy
]
LABELS = [HAPPY, HAPPY, ANGRY, ANGRY, ANGRY, ANGRY, SAD]
FIRST = [HAPPY, HAPPY, SAD, SAD, SAD, ANGRY, HAPPY]
SECOND = [HAPPY, HAPPY, SAD, HAPPY, SAD, SAD, HAPPY]


@pytest.fixture
def study(tmp_path):
    rows = [trial(f"alexnet-s{k}", stage="confirm", hp_seed=k) for k in (0, 1)]
    told = []
    for name, said in (("alexnet-s0", FIRST), ("alexnet-s1", SECOND)):
        part = predictions(name, said, LABELS, ["val"] + ["test"] * 6)
        told += [row | {"image": row["image"] + 1} for row in part]
    curves = epochs("alexnet-s0", [0.5]) + epochs("alexnet-s1", [0.5])
    return folder(tmp_path / "mine", None, rows, curves, [], told)


@pytest.fixture
def told(tmp_path, monkeypatch):
    """The voters' table, taken for the published one; the study's data for FER-2013's table."""
    path = table(tmp_path / "fer2013new.csv", TOLD)
    counts = pd.read_csv(path)[WORDS]
    monkeypatch.setattr(votes, "PUBLISHED", votes.votes_digest(counts))
    monkeypatch.setattr(fer2013, "PUBLISHED", (header()["data"]["digest"],))
    return votes.read(path)


def judged(path):
    return evaluation.evaluated(answers(load(path)))


def test_the_majority_and_how_many_agree(told):
    assert told["majority"].tolist() == [
        "fear",
        "happy",
        "happy",
        "sad",
        "tied",
        "not a face",
        "angry",
        "sad",
    ]
    assert told["sure"].tolist() == [1, 1, 1, 0.6, 0.5, 1, 0.8, 0.5]


def test_accuracies_by_label_and_by_voters(study, told):
    frame = votes.accuracies(judged(study), told, "test").set_index("voters")
    assert frame["images"].to_dict() == {
        "any": 4,
        "at most half": 1,
        "6 or 7 in 10": 1,
        "8 or 9 in 10": 1,
        "all": 1,
    }
    # by the label: happy both, angry 3 neither, angry 6 one, sad neither: 2/4 and 1/4
    assert frame.loc["any", "label"] == pytest.approx(3 / 8)
    # by the voters the third row's answer, sad, is right in both
    assert frame.loc["any", "majority"] == pytest.approx(5 / 8)
    assert frame.loc["any", "label_agrees"] == 3 / 4
    assert frame.loc["all", ["label", "majority", "seeds"]].tolist() == [1, 1, 2]
    there = frame["label_low"].notna()  # one image says nothing of others
    assert there["any"] and (frame["label_low"] <= frame["label"])[there].all()
    assert (frame["label"] <= frame["label_high"])[there].all()


def test_a_class_by_another_usual_name_is_the_voters_word(study, told):
    """Of folders called Anger, happiness and sadness no label was the voters' majority."""
    (one,) = judged(study)
    usual = {"sad": "sadness", "happy": "happiness", "angry": "Anger"}
    classes = tuple(usual.get(name, name) for name in one.answers.classes)
    other = replace(one, answers=replace(one.answers, classes=classes))
    for make in (votes.accuracies, votes.errors, votes.never_right):
        pd.testing.assert_frame_equal(make([other], told, "test"), make([one], told, "test"))
    agrees = votes.accuracies([other], told, "test").set_index("voters")["label_agrees"]
    assert agrees["any"] == 3 / 4  # of happy, angry (sad by the voters), angry and sad


def test_what_no_network_gets_right(study, told):
    frame = votes.never_right(judged(study), told, "test").set_index("image")
    assert frame.index.tolist() == [3, 4, 5, 7]
    assert frame.loc[3, ["label", "answer", "majority"]].tolist() == ["angry", "sad", "sad"]
    assert frame.loc[3, "share"] == 1.0 and frame.loc[4, "share"] == 0.5
    one = judged(study)
    rows, _ = votes.with_answers(one[0], told, "test", votes.once(one, "test"))
    counts = votes.by_class(rows, frame.reset_index()).set_index("class")
    assert counts.loc["angry"].tolist() == [4, 3, 1, 0, 1]
    assert counts.loc["sad"].tolist() == [1, 1, 0, 1, 0]
    assert counts.loc["happy"].tolist() == [1, 0, 0, 0, 0]


def test_what_the_voters_say_of_each_networks_errors(study, told):
    found = votes.errors(judged(study), told, "test").iloc[0]
    # wrong by the label: images 3, 4, 5, 6 and 7 of either seed, but 6 of the second alone
    assert found["wrong"] == 4.5 and found["seeds"] == 2
    # image 3 twice as the network; 6 as the label; 7, sad, twice as the label; 4 and 5 are tied
    # and no face
    assert found[votes.VOTERS_SAY].tolist() == pytest.approx([2 / 9, 3 / 9, 0, 4 / 9])


def test_an_accuracy_of_one_seed_stands_without_an_empty_interval(tmp_path, told):
    part = predictions("alexnet-s0", FIRST, LABELS, ["val"] + ["test"] * 6)
    part = [row | {"image": row["image"] + 1} for row in part]
    rows = [trial("alexnet-s0", stage="confirm")]
    path = folder(tmp_path / "s", None, rows, epochs("alexnet-s0", [0.5]), [], part)
    figure = label_noise(judged(path), told).blocks[0]
    assert "alexnet (one seed) is right on 50.0 % by the label and on" in figure.summary


def test_networks_that_get_all_right_leave_an_empty_table(tmp_path, told):
    part = predictions("alexnet-s0", LABELS, LABELS, ["val"] + ["test"] * 6)
    part = [row | {"image": row["image"] + 1} for row in part]
    rows = [trial("alexnet-s0", stage="confirm")]
    path = folder(tmp_path / "s", None, rows, epochs("alexnet-s0", [0.5]), [], part)
    section = label_noise(judged(path), told)
    _, errors, nobody = section.blocks[:3]
    assert errors.frame.loc[0, "wrong"] == 0
    assert errors.frame.loc[0, votes.VOTERS_SAY].isna().all()
    told = "0 of 6 test images are answered wrongly, by the label, by the one network"
    assert told in str(nobody)


def test_votes_of_another_table_or_in_another_order_are_refused(tmp_path, told):
    for rows in (TOLD[::-1], TOLD[:5]):
        with pytest.raises(Mistake, match="holds other votes than fer2013new.csv of FER.*give the"):
            votes.read(table(tmp_path / "other.csv", rows))


def test_images_that_are_none_of_fer2013s_are_refused(study, told, monkeypatch):
    monkeypatch.setattr(fer2013, "PUBLISHED", ("another",))
    assert not votes.matched(judged(study)[0].answers)
    with pytest.raises(Mistake, match="the votes belong to no confirmed model here: expected pred"):
        label_noise(judged(study), told)


def test_votes_are_joined_by_pixels_where_the_rows_have_another_order(study, told, monkeypatch):
    """As by row, though the study numbers the same images backwards."""
    images = pd.read_parquet(study / "predictions.parquet").drop_duplicates("image")
    digests = {int(k): f"{k:08x}{'0' * 8}" for k in images["image"]}
    by_row = votes.accuracies(judged(study), told, "test")
    reverse = {k: 7 - k for k in range(8)}
    frame = pd.read_parquet(study / "predictions.parquet")
    rows = frame.assign(image=frame["image"].map(reverse)).to_dict("records")
    schemas.write_table(study / "predictions.parquet", rows, schemas.predictions_columns(CLASSES))
    kept = [
        {"split": split, "image": reverse[k], "pixels": digests[k]}
        for split, k in images[["split", "image"]].itertuples(index=False)
    ]
    schemas.write_table(study / "images.parquet", kept, schemas.IMAGES)
    monkeypatch.setattr(fer2013, "PUBLISHED", ("another",))
    monkeypatch.setattr(fer2013, "table_rows", lambda: {d[:8]: k for k, d in digests.items()})
    by_pixels = votes.accuracies(judged(study), told, "test")
    exact = ["voters", "images", "label", "majority", "label_agrees"]  # the rest is drawn by place
    pd.testing.assert_frame_equal(by_pixels[exact], by_row[exact])


@pytest.mark.parametrize("text", ["", "a,b\n1,2\n", ",".join(["Usage", *WORDS]) + "\nx" * 11])
def test_what_is_no_table_of_votes_is_refused(tmp_path, text):
    (tmp_path / "x.csv").write_text(text)
    with pytest.raises(Mistake, match="expected fer2013new.csv of FER"):
        votes.read(tmp_path / "x.csv")


def test_a_table_that_is_not_there_is_a_mistake(tmp_path):
    with pytest.raises(Mistake, match="can't be read"):
        votes.read(tmp_path / "x.csv")


def test_the_command_takes_votes(study, tmp_path, monkeypatch, told):
    monkeypatch.setattr(files, "draw", lambda *_: "")
    out = tmp_path / "r.html"
    given = [str(study), "--votes", str(tmp_path / "fer2013new.csv"), "--out", str(out)]
    assert __main__.main(given) == 0
    text = words(out.read_text())
    assert "4 of 6 test images are answered wrongly" in text
    assert "1 test image most voters call no face, 1 of them all voters: rows 5." in text
    made = pd.read_csv(tmp_path / "r-tables" / "never-right.csv")
    assert made["image"].tolist() == [3, 4, 5, 7]


def test_studies_that_kept_digests_and_that_did_not_are_judged_on_the_same_images(study, told):
    """The first kept all six test images, the second five of them: a traceback."""
    beside = study.with_name("beside")
    shutil.copytree(study, beside)
    kept = [
        {"split": "test" if k > 1 else "val", "image": k, "pixels": "same" if k > 5 else f"{k}"}
        for k in range(1, 8)
    ]
    schemas.write_table(beside / "images.parquet", kept, schemas.IMAGES)
    studies = named_apart([load(study), load(beside)])
    both = evaluation.evaluated([each for one in studies for each in answers(one)])
    for given in (both, both[::-1]):
        assert sorted(votes.once(given, "test")) == [2, 3, 4, 5, 6]
        assert votes.never_right(given, told, "test")["image"].tolist() == [3, 4, 5]
        frame = votes.accuracies(given, told, "test")
        assert frame.groupby("setting")["images"].max().nunique() == 1
