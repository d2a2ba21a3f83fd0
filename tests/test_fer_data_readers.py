"""Each layout as it is published, with what a reader that falls into its trap would give."""

import io
import re
import shutil
import tarfile
from collections import Counter
from itertools import product

import layouts
import numpy as np
import pytest
from PIL import Image
from test_fer_data_known import labelled as with_counts
from test_fer_data_known import numbered

from fer_data import Mistake, dataset, readers, sources, splits
from fer_data.catalogue import SOURCES
from fer_data.known import EMOTIONS, FER2013
from fer_data.readers.webdataset import pairs


def counts(rows, split: str = "") -> dict[str, int]:
    inside = rows.splits == split if split else np.full(len(rows.names), True)
    return dict(Counter(rows.names[inside].tolist()))


def noted(rows, words: str) -> str:
    (found,) = [note for note in rows.notes if words in note]
    return found


def near(image: np.ndarray, place: int) -> float:
    """Mean distance in grey levels to a drawn face."""
    return float(np.abs(image.astype(int) - layouts.drawn()[place].astype(int)).mean())


def refusal(path, kind: str = "") -> str:
    with pytest.raises(Mistake) as caught:
        sources.read(path, kind=kind)
    return str(caught.value)


def test_raf_dbs_release_has_its_own_order(tmp_path):
    rows = sources.read(layouts.raf_db(tmp_path / "r"))
    assert rows.known == "raf-db" and len(rows.names) == 42
    assert counts(rows, "train") == dict.fromkeys(SOURCES["raf-db"].numbers.values(), 3)
    # number 1 is surprise; in FER-2013's order it would be disgust, in AffectNet's happy
    first = rows.names[(rows.splits == "train")][0]
    assert first == "surprise"
    assert noted(rows, "it is RAF-DB").endswith("licence: " + SOURCES["raf-db"].licence)
    assert near(rows.images[-1], 21) < 6  # the aligned face, not the photograph
    assert "other counts than published" in noted(rows, "it is RAF-DB")


def test_raf_dbs_attributes_are_its_last_three_lines(tmp_path):
    rows = sources.read(layouts.raf_db(tmp_path / "r"))
    train = rows.splits == "train"
    assert rows.about["gender"][train][:4].tolist() == ["male", "female", "male", "female"]
    assert rows.about["race"][train][:3].tolist() == ["Caucasian", "African-American", "Asian"]
    assert rows.about["age"][train][:5].tolist() == ["0-3", "4-19", "20-39", "40-69", "70+"]


def test_raf_db_in_folders_from_1_to_7(tmp_path):
    rows = sources.read(layouts.raf_db_folders(tmp_path / "r"))
    assert rows.known == "raf-db" and set(rows.splits.tolist()) == {"train", "test"}
    by_file = dict(zip(sorted(Counter(rows.names.tolist())), range(7), strict=True))
    assert by_file.keys() == set(EMOTIONS)
    assert rows.names[:3].tolist() == ["surprise"] * 3  # test/1/, not happy


def test_raf_db_in_folders_loses_no_class_to_another_ending(tmp_path):
    path = layouts.raf_db_folders(tmp_path / "r")
    rows = sources.read(path)
    for file in list(path.rglob("*/3/*.jpg")):
        file.rename(file.with_suffix(".JPEG"))
    assert counts(sources.read(path)) == counts(rows)
    for file in list(path.rglob("*/3/*.JPEG")):
        file.rename(file.with_name(f"new-{file.name}"))
    assert set(sources.read(path).names.tolist()) == {f"class {k}" for k in range(1, 8)}


def test_images_that_a_layout_has_no_face_for_are_counted(tmp_path):
    path = layouts.raf_db(tmp_path / "r")
    many = len(list(path.rglob("original/*.jpg")))
    note = (
        f"images that are no face of its layout were left out: {many} .jpg in basic/Image/original"
    )
    assert note in sources.read(path).notes


def test_images_beside_others_that_a_note_counts_are_counted_too(tmp_path):
    """A note with the words "left out", of whatever files, silenced all others."""
    path = layouts.ferplus(tmp_path / "f")
    (path / "data/FER2013Valid/label.csv").unlink()
    rows = sources.read(path)
    assert noted(rows, "2 of 50 images have no majority")
    assert noted(rows, "no face of its layout").endswith("left out: 17 .png in data/FER2013Valid")
    others = (layouts.kdef, "all black"), (layouts.affectnet_tables, "6 images of no emotion")
    for made, words in others:
        path = made(tmp_path / made.__name__)
        assert not any("no face of its layout" in note for note in sources.read(path).notes)
        layouts.save(path / "more/1.png", layouts.face(1))
        rows = sources.read(path)
        assert noted(rows, words)
        assert noted(rows, "no face of its layout").endswith("left out: 1 .png in more")


def test_raf_db_with_a_line_for_no_image_is_refused(tmp_path):
    path = layouts.raf_db(tmp_path / "r")
    (path / "basic/Image/aligned/train_00003_aligned.jpg").unlink()
    assert "has the line 'train_00003.jpg 3'" in refusal(path)


@pytest.mark.parametrize("text", [False, True], ids=["numbers", "text"])
def test_affectnet_of_2021(tmp_path, text):
    rows = sources.read(layouts.affectnet_arrays(tmp_path / "a", text))
    assert rows.known == "affectnet" and len(rows.names) == 40
    assert counts(rows, "test") == dict.fromkeys(SOURCES["affectnet"].numbers.values(), 2)
    # image 1 has the number 0, neutral; in FER-2013's order it would be angry
    assert rows.names[0] == "neutral" and near(rows.images[0], 1) < 6
    assert rows.names[1] == "happy" and near(rows.images[1], 10) < 6  # 10.jpg comes second
    assert noted(rows, "test is not public")


@pytest.mark.parametrize("lost", ["train", "val"])
def test_affectnets_validation_images_are_the_test_split_only_beside_its_training_images(
    tmp_path, lost
):
    path = layouts.affectnet_arrays(tmp_path / "a")
    shutil.rmtree(path / f"{lost}_set")
    rows = splits.whole(sources.read(path))
    assert noted(rows, "test was carved from train")
    assert not any("validation images are the test split" in note for note in rows.notes)


def test_affectnet_without_an_annotated_image_is_refused(tmp_path):
    path = layouts.affectnet_arrays(tmp_path / "a")
    (path / "train_set/images/3.jpg").unlink()
    assert "has train_set/annotations/3_exp.npy but no train_set/images/3.jpg" in refusal(path)


def test_affectnet_of_2017_has_boxes_of_left_top_width_height(tmp_path):
    rows = sources.read(layouts.affectnet_tables(tmp_path / "a"))
    assert len(rows.names) == 40 and "none" not in counts(rows)
    assert noted(rows, "6 images of no emotion")
    first = sorted(range(1, 25), key=lambda number: f"{number % 3}/{number:08x}.jpg")[0]
    assert near(rows.images[0], first) < 8
    # read as left, top, right, bottom the box would be 30 wide: another picture
    wrong = Image.open(
        tmp_path / f"a/Manually_Annotated_Images/{first % 3}/{first:08x}.jpg"
    ).convert("L")
    wrong = np.asarray(wrong.crop((30, 20, 60, 60)).resize((48, 48)))
    assert near(wrong, first) > 20


def test_affectnet_that_is_cut_short_or_spaced_is_no_traceback(tmp_path):
    path = layouts.affectnet_tables(tmp_path / "a")
    table = path / "training.csv"
    whole = table.read_text()
    table.write_text(whole.replace(",", ", "))
    assert len(sources.read(path).names) == 40
    table.write_text(whole[: whole.rindex(",30,20")])
    assert "has the expression ''; expected 0 to 10: get a whole copy" in refusal(path)
    table.write_text(whole.replace("expression,", "expression ,"))
    assert len(sources.read(path).names) == 40
    for box in ("NULL,NULL,NULL,NULL", "30,20,inf,60"):
        table.write_text(whole.replace("30,20,60,60,1.0;2.0,8,", f"{box},1.0;2.0,8,"))
        assert len(sources.read(path).names) == 40, "of no emotion, and left out"
        table.write_text(whole.replace("30,20,60,60", box, 1))
        told = f"the box '{box.replace(',', ', ')}'; expected left, top, width and height"
        assert f"training.csv has for 1/00000001.jpg {told}" in refusal(path)
    path = layouts.affectnet_arrays(tmp_path / "b")
    for content in (b"", b"no array", (path / "train_set/annotations/3_exp.npy").read_bytes()[:-3]):
        (path / "train_set/annotations/3_exp.npy").write_bytes(content)
        assert "train_set/annotations/3_exp.npy is no array of one number" in refusal(path)


def test_a_box_is_cut_with_the_margin_asked_for(tmp_path):
    """The fixture's faces are 60 pixels from (30, 20): with a fifth of that, 84 from (18, 8)."""
    path = layouts.affectnet_tables(tmp_path / "a")
    rows = sources.read(path, crop=0.2)
    assert any("20 % of its side wider on each side" in note for note in rows.notes)
    first = sorted((path / "Manually_Annotated_Images").rglob("*.jpg"))[0]
    with Image.open(first) as photograph:
        wanted = photograph.crop((18, 8, 102, 92)).convert("L").resize((48, 48), 2)
    assert np.array_equal(rows.images[0], np.asarray(wanted))
    assert rows.images[0][:5].mean() > 250  # the white around the face
    assert not np.array_equal(rows.images[0], sources.read(path).images[0])
    # with a half 120 of the 100 pixels that are there
    noted(sources.read(path, crop=0.5), "50 % of its side wider on each side as far as there is")


def test_a_margin_that_no_portrait_has_room_for_is_refused(tmp_path):
    """KDEF's middle square is as wide as its portrait: no pixel changed, and the note said so."""
    path = layouts.kdef(tmp_path / "k")
    with pytest.raises(Mistake, match="has no boxes around its faces: leave out --crop"):
        sources.read(path, crop=0.2)
    asked = sources.read(path, crop=0.2, trained=False)
    assert np.array_equal(asked.images, sources.read(path).images)
    assert not any("wider on each side" in note for note in asked.notes)


def test_a_margin_without_a_box_is_refused(tmp_path):
    with pytest.raises(Mistake, match="has no boxes around its faces: leave out --crop"):
        sources.read(layouts.raf_db(tmp_path / "r"), crop=0.2)
    with pytest.raises(Mistake, match="margin --crop is -1"):
        sources.read(layouts.expw(tmp_path / "e"), crop=-1)


def test_expws_boxes_are_top_left_right_bottom(tmp_path):
    rows = sources.read(layouts.expw(tmp_path / "e"))
    assert rows.known == "expw" and len(rows.names) == 90
    distances = [near(rows.images[k], k) for k in range(3)]
    assert max(distances) < 8
    # as x, y, w, h the first box (25, 10, 65, 80) is another part of the photograph
    photograph = Image.open(tmp_path / "e/image/origin/happy_0_0.jpg").convert("L")
    wrong = photograph.crop((25, 10, 25 + 65, 10 + 80)).resize((48, 48))
    assert near(np.asarray(wrong), 0) > 20
    assert rows.names[:3].tolist() == list(EMOTIONS[:3])


def test_expws_faces_of_one_photograph_stay_together(tmp_path):
    rows = splits.whole(sources.read(layouts.expw(tmp_path / "e")))
    for group in set(rows.groups.tolist()):
        assert len(set(rows.splits[rows.groups == group].tolist())) == 1
    assert set(rows.splits.tolist()) == {"train", "val", "test"}


def test_ck48_is_split_by_person(tmp_path):
    rows = splits.whole(sources.read(layouts.ck48(tmp_path / "c")))
    assert rows.known == "ckplus" and len(rows.names) == 252
    assert noted(rows, "252 frames are of 84 sequences of 12 persons")
    for person in set(rows.groups.tolist()):
        assert len(set(rows.splits[rows.groups == person].tolist())) == 1
    # by lot, as sets without groups are split, nearly every person of test is in train too
    lot = by_lot(rows)
    crossing = [p for p in set(rows.groups.tolist()) if len(set(lot[rows.groups == p])) > 1]
    assert len(crossing) >= 10
    assert set(counts(rows, "test")) == set(layouts.CK_WORDS)


def test_ckplus_release_has_neutral_0_and_anger_1(tmp_path):
    rows = sources.read(layouts.ck_release(tmp_path / "c"))
    assert len(rows.names) == 70  # a face a sequence, of 210 frames
    assert near(rows.images[0], 6) < 6 < near(rows.images[0], 4)  # the last frame, not the neutral
    # sequence 1 has the number 1; in FER-2013's order that is disgust
    assert rows.names[:7].tolist() == [
        "angry",
        "contempt",
        "disgust",
        "fear",
        "happy",
        "sad",
        "surprise",
    ]


@pytest.mark.parametrize("text", ["", "happy", "nan", "inf", "8.0"])
def test_a_label_of_ckplus_that_is_none_is_no_traceback(tmp_path, text):
    path = layouts.ck_release(tmp_path / "c")
    (path / "Emotion/S005/001/S005_001_00000003_emotion.txt").write_text(f"  {text}\n")
    assert f"_emotion.txt has the label {text!r}; expected a number from 0 to 7" in refusal(path)


def test_ckextended_is_named_by_its_counts(tmp_path):
    rows = {0: 45, 1: 59, 2: 25, 3: 69, 4: 28, 5: 83, 6: 593, 7: 18}
    found = sources.read(layouts.ckextended(tmp_path / "ckextended.csv", rows))
    assert counts(found) == dict(zip((*EMOTIONS, "contempt"), rows.values(), strict=True))
    assert "it has as many of each class" in noted(found, "CK+ as ckextended.csv's")
    licence = SOURCES["ckextended"].licence
    assert found.known == "ckextended", "it is known by its counts"
    assert noted(found, f"as many images of each class as published, licence: {licence}")
    insisted = sources.read(tmp_path / "ckextended.csv", kind="ckextended")
    assert insisted.notes == found.notes and insisted.known == "ckextended"
    few = sources.read(layouts.ckextended(tmp_path / "few.csv", dict.fromkeys(range(8), 10)))
    assert set(few.names.tolist()) == {f"class {k}" for k in range(8)}  # never by guess
    few = sources.read(tmp_path / "few.csv", kind="ckextended")
    assert "--data says so" in noted(few, "CK+ as ckextended.csv's") and few.names[0] == "angry"
    assert noted(few, "other counts than published (angry 10 and not 45") and not few.known


def test_kdefs_sessions_are_of_one_person(tmp_path):
    rows = splits.whole(sources.read(layouts.kdef(tmp_path / "k")))
    assert rows.known == "kdef" and len(rows.names) == 282  # with AF31V and AM31H, no black one
    assert set(rows.groups.tolist()) == {*(f"F{k:02}" for k in range(1, 11)), "F31", "M31"}
    assert (rows.groups == "F01").sum() == 28  # both sessions; by folder it would be 14
    assert len(set(rows.splits[rows.groups == "F01"].tolist())) == 1
    assert noted(rows, "1 file left out: all black") and noted(rows, "2 files whose names")
    assert Counter(rows.about["angle"].tolist()) == {"S": 140, "HL": 141, "HR": 1}
    assert counts(rows)["sad"] == 41  # AF31V is AF31SAHL
    assert counts(rows)["surprise"] == 41  # AM31H is AM31SUHR; its H could be taken for happy


def test_kdefs_face_is_the_middle_square(tmp_path):
    rows = sources.read(layouts.kdef(tmp_path / "k"))
    assert near(rows.images[0], 2) < 6  # AF01AFHL; squeezed to 48 x 48 it would have white bands
    portrait = Image.open(tmp_path / "k/KDEF/AF01/AF01AFHL.JPG").convert("L").resize((48, 48))
    assert near(np.asarray(portrait), 2) > 20


@pytest.mark.parametrize("high", [381, 281])
def test_kdefs_face_is_in_the_same_place_of_a_smaller_portrait(tmp_path, high):
    """At half the size the square was moved up against the lower edge, without brows and eyes; a
    copy that was cut already is taken whole."""
    for number, emotion in enumerate(("AN", "HA")):
        portrait = Image.new("L", (281, high), 255)
        portrait.paste(layouts.face(number, 281), (0, (high - 281) // 2))
        layouts.save(tmp_path / f"KDEF/AF01/AF01{emotion}S.JPG", portrait)
    rows = sources.read(tmp_path)
    assert rows.names.tolist() == ["angry", "happy"]
    assert all(near(image, number) < 6 for number, image in enumerate(rows.images))
    assert ("box" in " ".join(rows.notes)) == (high > 281)


def test_jaffes_FE_is_fear_and_its_women_stay_together(tmp_path):
    rows = splits.whole(sources.read(layouts.jaffe(tmp_path / "j")))
    assert rows.known == "jaffe" and counts(rows) == dict.fromkeys(sorted(EMOTIONS), 30)
    for woman in set(rows.groups.tolist()):
        assert len(set(rows.splits[rows.groups == woman].tolist())) == 1
    assert counts(rows, "test") == dict.fromkeys(EMOTIONS, 3)


def test_folders_of_placesthat_cut_persons_are_passed_over_and_said(tmp_path):
    for place, (split, emotion) in enumerate(product(("train", "test"), ("HA", "SA"))):
        word = {"HA": "happy", "SA": "sad"}[emotion]
        layouts.save(
            tmp_path / f"{split}/{word}/KA.{emotion}{place}.{place}.tiff", layouts.face(place)
        )
    rows = sources.read(tmp_path)
    assert rows.known == "jaffe" and set(rows.splits.tolist()) == {""}
    assert noted(rows, "folders of splits are passed over, so that no person is on two sides")
    assert "passed" not in " ".join(sources.read(tmp_path / "train").notes)
    kept = sources.read(tmp_path, kind="folders")
    assert kept.splits.tolist() == ["test"] * 2 + ["train"] * 2


def test_ferplus_has_its_order_and_leaves_out_what_has_no_majority(tmp_path):
    rows = sources.read(layouts.ferplus(tmp_path / "f"))
    assert rows.known == "ferplus" and len(rows.names) == 64
    # six votes of the first column are neutral; FER-2013's order would call them angry
    train = [name for name, split in zip(rows.names, rows.splits, strict=True) if split == "train"]
    assert train[:8] == [
        "neutral",
        "happy",
        "surprise",
        "sad",
        "angry",
        "disgust",
        "fear",
        "contempt",
    ]
    assert noted(rows, "3 of 67 images have no majority")


def test_ferplus_valid_is_val_and_test_is_test(tmp_path):
    """PublicTest is Valid: were it test, a study would be judged on what everybody tunes on."""
    rows = sources.read(layouts.ferplus(tmp_path / "f"))
    assert Counter(rows.splits.tolist()) == {"train": 32, "val": 16, "test": 16}
    first = {split: rows.images[rows.splits == split][0] for split in ("train", "val", "test")}
    places = {"train": 0, "val": 66, "test": 100}
    assert all(near(first[split], place) == 0 for split, place in places.items())


def test_ferplus_image_that_is_named_twice_has_the_later_votes(tmp_path):
    """As fer0033120: its script wrote a picture that is no face over one that most call neutral."""
    path = layouts.ferplus(tmp_path / "f")
    table = path / "data/FER2013Test/label.csv"
    lines = table.read_text().splitlines()
    name = lines[3].partition(",")[0]
    again = f'{name},"(0, 0, 48, 48)",0,0,0,0,0,0,0,0,0,10'
    table.write_text("\n".join([*lines, again]) + "\n")
    before = sources.read(layouts.ferplus(tmp_path / "g"))
    rows = sources.read(path)
    assert len(rows.names) == len(before.names) - 1  # with the earlier votes it would be as many
    lost = Counter(counts(before, "test")) - Counter(counts(rows, "test"))
    assert lost == {"sad": 1} and noted(rows, "4 of 67 images have no majority")


def test_ferplus_drops_votes_that_stand_alone():
    from fer_data.readers.ferplus import majority

    def votes(*given: int) -> str:
        return majority(np.array([*given, *[0] * (10 - len(given))]))

    assert votes(5, 3, 1, 1) == "neutral"  # 5 of the 8 that are left; of all ten it is no majority
    assert votes(5, 5) == "" and votes(4, 3, 3) == ""
    assert majority(np.array([0] * 9 + [10])) == ""  # no face
    assert majority(np.array([3, 0, 0, 0, 0, 0, 0, 0, 6, 0])) == ""  # unknown
    assert majority(np.array([1] * 10)) == ""


def test_ferplus_shares_are_those_of_its_mode_crossentropy():
    """Worked through ferplus.py of microsoft/FERPlus, line by line."""
    from fer_data.readers.ferplus import distribution

    def shares(*given: int) -> list[float]:
        return [*distribution(np.array([*given, *[0] * (10 - len(given))]))][:4]

    assert shares(10) == [1, 0, 0, 0]
    assert shares(8, 1, 1) == [1, 0, 0, 0], "single votes are dropped"
    assert shares(6, 4) == [0.6, 0.4, 0, 0], "six are no three quarters of ten"
    assert shares(4, 4, 2) == [0.5, 0.5, 0, 0], "eight are, and the two are left"
    assert shares(4, 2, 2, 2) == [], "ties are taken together, and make four"
    assert shares(4, 3, 3) == pytest.approx([0.4, 0.3, 0.3, 0])
    assert distribution(np.array([3, 0, 0, 0, 0, 0, 0, 0, 7, 0])) == (), "unknown leads"
    assert distribution(np.array([6, 0, 0, 0, 0, 0, 0, 0, 4, 0])) == (1, *[0.0] * 7), "it follows"
    assert distribution(np.array([5, 0, 0, 0, 0, 0, 0, 0, 5, 0])) == (), (
        "half is not more than half"
    )
    assert distribution(np.array([1] * 10)) == ()


def test_ferplus_votes_are_what_train_is_trained_towards(tmp_path):
    path = layouts.ferplus(tmp_path / "f")
    found = dataset.read(path, (), "ferplus-votes")
    shares = found.train.shares
    assert shares.shape == (len(found.train.labels), 8) and shares.dtype == np.float32
    assert np.allclose(shares.sum(1), 1) and (shares.argmax(1) == found.train.labels).all()
    row = dict(zip(found.classes, shares[0].tolist(), strict=True))
    assert row["neutral"] == pytest.approx(6 / 9) and row["happy"] == pytest.approx(3 / 9)
    assert found.val.shares is None and found.test.shares is None
    assert any("trained towards the shares" in note for note in found.notes)
    majority = dataset.read(path, (), "ferplus")
    assert majority.train.shares is None and majority.digest != found.digest


def test_classes_are_left_out_where_that_is_asked_for(tmp_path):
    path = layouts.ferplus(tmp_path / "f")
    found = dataset.read(path, (), "ferplus-votes", ("contempt", "sadness"))
    assert len(found.classes) == 6 and not {"contempt", "sad"} & set(found.classes)
    assert np.allclose(found.train.shares.sum(1), 1) and found.train.shares.shape[1] == 6
    assert any("16 images of contempt, sadness left out" in note for note in found.notes)
    with pytest.raises(Mistake, match="has no class bored to leave out; expected some of angry"):
        dataset.read(path, (), "", ("bored",))


def test_ferplus_joins_rows_and_not_the_numbers_in_names(tmp_path):
    """fer0000085 may be row 60: by its number it would get the votes of another face."""
    path = tmp_path / "both"
    path.mkdir()
    pixels = [" ".join(map(str, layouts.drawn()[k].ravel().tolist())) for k in range(24)]
    usages = ["Training"] * 8 + ["PublicTest"] * 8 + ["PrivateTest"] * 8
    lines = [f"0,{p},{u}" for p, u in zip(pixels, usages, strict=True)]
    (path / "fer2013.csv").write_text("\n".join(["emotion,pixels,Usage", *lines]) + "\n")
    head = "Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt"
    votes = [[10 * (k == row % 8) for k in range(8)] + [0, 0] for row in range(24)]
    rows = [
        f"{usage},fer{23 - row:07}.png,{','.join(map(str, vote))}"
        for row, (usage, vote) in enumerate(zip(usages, votes, strict=True))
    ]
    (path / "fer2013new.csv").write_text("\n".join([head + ",unknown,NF", *rows]) + "\n")
    found = sources.read(path, kind="ferplus")
    assert found.names[:4].tolist() == ["neutral", "happy", "surprise", "sad"]
    assert near(found.images[1], 1) == 0
    (path / "fer2013new.csv").write_text("\n".join([head + ",unknown,NF", *rows[:-1]]) + "\n")
    assert "23 rows whose Usage isn't that of the 24 rows" in refusal(path, "ferplus")


def test_parquet_with_names_takes_them(tmp_path):
    labels = {"train": [0, 1, 2] * 5, "valid": [0, 1, 2], "test": [0, 1, 2]}
    path = layouts.parquet(tmp_path / "p", labels, ["angry", "disgust", "fear"])
    rows = sources.read(path)
    assert counts(rows) == {"angry": 7, "disgust": 7, "fear": 7}
    assert dict(Counter(rows.splits.tolist())) == {"train": 15, "val": 3, "test": 3}
    order = {"test": 18, "train": 0, "val": 15}  # files by the alphabet: test, train, valid
    for split, first in order.items():
        part = rows.images[rows.splits == split]
        assert all(near(image, first + k) == 0 for k, image in enumerate(part))


def test_parquet_files_that_number_their_classes_each_by_itself_meet_by_name(tmp_path):
    """As datasets 5.2's DatasetDict.class_encode_column does: test has no disgust, so 1 is fear."""
    path = layouts.parquet(tmp_path / "p", {"train": [0, 1, 2] * 5}, ["angry", "disgust", "fear"])
    layouts.parquet(path, {"test": [0, 1]}, ["angry", "fear"])
    rows = sources.read(path)
    assert counts(rows, "test") == {"angry": 1, "fear": 1}
    assert counts(rows, "train") == {"angry": 5, "disgust": 5, "fear": 5}


@pytest.mark.parametrize("hidden", [-1, None, float("nan")])
@pytest.mark.parametrize("names", [["angry", "disgust", "fear"], None])
def test_answers_that_are_kept_back_are_no_class(tmp_path, hidden, names):
    """-1 would be the last of the names."""
    labels = {"train": [0, 1, 2] * 5, "test": [hidden] * 3}
    sentence = refusal(layouts.parquet(tmp_path / "p", labels, names))
    assert "row 0 of data/test-00000-of-00001.parquet has the label" in sentence


def test_labels_that_pandas_wrote_as_numbers_with_a_point_are_whole(tmp_path):
    labels = {"train": [0.0, 1.0, 2.0] * 5, "test": [0.0, 1.0, 2.0]}
    rows = sources.read(layouts.parquet(tmp_path / "p", labels, ["angry", "disgust", "fear"]))
    assert counts(rows) == {"angry": 6, "disgust": 6, "fear": 6}
    assert "label 3, but the file names 3 classes" in refusal(
        layouts.parquet(tmp_path / "q", {"train": [0, 3]}, ["angry", "disgust", "fear"])
    )


def test_a_damaged_parquet_is_told_in_a_sentence(tmp_path):
    path = layouts.parquet(tmp_path / "p", {"train": [0, 1] * 5, "test": [0, 1]})
    file = path / "data/train-00000-of-00001.parquet"
    file.write_bytes(file.read_bytes()[:-30])
    assert "train-00000-of-00001.parquet is damaged or no Parquet (" in refusal(path)


def test_what_else_a_webdataset_holds_is_no_image_and_what_has_no_label_is_counted(tmp_path):
    path = layouts.webdataset(tmp_path / "w", {"train": [0, 1] * 5, "test": [0, 1]})
    before = sources.read(path)
    with tarfile.open(path / "train/0.tar", "a") as archive:
        for name, content in (("s0000000.json", b"{}"), ("t.jpg", layouts.encoded(3, "JPEG"))):
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    rows = sources.read(path)
    assert counts(rows) == counts(before)
    assert "1 image left out: no .cls beside" in rows.notes


def test_faces_whose_names_have_points_keep_their_own_labels():
    """JAFFE's names: webdataset 1.0.2 writes KA.AN1.39.cls and reads it as a field of a sample KA
    (findings/webdataset-key-ends-at-the-first-dot.sh)."""
    names = ["KA.AN1.39.cls", "KA.AN1.39.tiff", "KA.HA1.29.cls", "KA.HA1.29.tiff", "KA.SA1.33.tiff"]
    found = [(one.image, one.label) for one in pairs("", names)]
    assert found == [("KA.AN1.39.tiff", "KA.AN1.39.cls"), ("KA.HA1.29.tiff", "KA.HA1.29.cls")]
    assert pairs("", ["KA.HA1.29.cls", "KA.SA1.33.tiff"]) == []


def test_the_images_of_a_key_share_its_one_label():
    names = ["0.cls", "0.left.png", "0.right.png", "1.emotion.cls", "1.png"]
    found = [(one.image, one.label) for one in pairs("", names)]
    assert found == [("0.left.png", "0.cls"), ("0.right.png", "0.cls"), ("1.png", "1.emotion.cls")]


def test_a_webdataset_without_answers_is_refused(tmp_path):
    path = layouts.webdataset(tmp_path / "w", {"train": [0, 1] * 5, "test": [-1, -1]})
    assert "test/0.tar:s0000000.cls has the label '-1', which is none" in refusal(path)


def test_parquet_with_bytes_alone_and_one_file(tmp_path):
    labels = {"train": [0, 1, 2] * 5}
    path = layouts.parquet(tmp_path / "p", labels, columns=("img_bytes", "labels"), plain=True)
    rows = sources.read(path / "data/train-00000-of-00001.parquet")
    assert set(rows.names.tolist()) == {"class 0", "class 1", "class 2"}
    assert noted(rows, "all of it is one split, called train")


def test_parquet_in_the_order_of_the_alphabet_is_told_by_its_counts(tmp_path):
    """Read as FER-2013's, 4, 5 and 6 would be sad, surprise and neutral."""
    order = sorted(EMOTIONS)
    labels = {
        split: [number for number, name in enumerate(order) for _ in range(many[name])]
        for split, many in (
            ("train", dict(zip(EMOTIONS, FER2013.train, strict=True))),
            ("valid", dict(zip(EMOTIONS, FER2013.val, strict=True))),
            ("test", dict(zip(EMOTIONS, FER2013.test, strict=True))),
        )
    }
    found = labelled(layouts.parquet, tmp_path / "p", labels)
    assert found.known == "fer2013" and found.names[found.labels == "4"][0] == "neutral"


def raf_parquet(path, less: int = 0):
    """HF mirrors of RAF-DB: numbers 1 to 7 without names, in the published counts."""
    published = SOURCES["raf-db"].counts
    labels = {
        split: [
            number for number, name in SOURCES["raf-db"].numbers.items() for _ in range(c[name])
        ]
        for split, c in published.items()
    }
    labels["test"] = labels["test"][less:]
    numbers = np.array([n for many in labels.values() for n in many])
    parts = np.array([split for split, many in labels.items() for _ in many])
    none = np.full(len(numbers), "")
    return sources.Content(np.zeros((len(numbers), 1, 1), np.uint8), numbers, parts, none, {}, ())


def test_raf_db_in_parquet_is_named_by_its_counts_in_both_splits(tmp_path, monkeypatch):
    """By FER-2013's order 1 would be disgust, by AffectNet's happy; 1 is surprise."""
    found = raf_parquet(tmp_path)
    source = sources.by_counts(found)
    assert source is SOURCES["raf-db"]
    names, told = sources.in_order(found, source, (), False)
    assert Counter(names.tolist())["surprise"] == 1290 + 329 and "it has as many" in told[0]
    assert sources.by_counts(raf_parquet(tmp_path, less=1)) is None  # never by guess
    swapped = raf_parquet(tmp_path)
    swapped.splits[:] = np.where(swapped.splits == "train", "test", "train")
    assert sources.by_counts(swapped) is None
    monkeypatch.setattr(sources, "content", lambda *given: found)
    for kind in ("", "parquet", "raf-db"):
        assert "it has as many" in noted(sources.read(tmp_path, kind=kind), "taken for RAF-DB")
    assert "is RAF-DB (basic) by its images of each class and split" in refusal(
        tmp_path, "affectnet"
    )


def test_a_kind_that_published_counts_contradict_is_refused(tmp_path, monkeypatch):
    """What was insisted on was dropped without a word."""
    labels, parts = with_counts(FER2013, numbered(EMOTIONS))
    images, none = np.zeros((len(labels), 1, 1), np.uint8), np.full(len(labels), "")
    found = sources.Content(images, labels, parts, none, {}, ())
    monkeypatch.setattr(sources, "content", lambda *given: found)
    for kind in ("affectnet", "ckplus", "ckextended"):
        assert refusal(tmp_path, kind) == (
            f"{tmp_path} is FER-2013 by its images of each class and split, but --data says "
            f"{kind}: give fer2013:{tmp_path}, or the path alone"
        )
    assert sources.read(tmp_path, kind="fer2013").known == "fer2013"


def test_a_parquet_of_both_halves_beside_pickles(tmp_path):
    """Jeneral/fer-2013: rows by class, so FER+ can't be joined; its pickles are never opened."""
    labels = {"train": sorted([0, 1, 2] * 5), "test": sorted([0, 1, 2] * 2)}
    path = layouts.parquet(tmp_path / "p", labels, columns=("img_bytes", "labels"), plain=True)
    for name in ("train.pt", "test.pt"):
        (path / name).write_bytes(b"cos\nsystem\n(S'exit 1'\ntR.")
    rows = sources.read(path)
    assert Counter(rows.splits.tolist()) == {"train": 15, "test": 6}
    assert set(rows.names.tolist()) == {"class 0", "class 1", "class 2"}
    layouts.write(path / "fer2013new.csv", "Usage,Image name\n")
    assert "expected the table fer2013.csv" in refusal(path, "ferplus")


def test_folders_with_capitals_below_a_name_with_blanks_win_over_a_table_beside_them(tmp_path):
    """mstjebashazida/affectnet: archive (3)/Train/anger, archive (3)/Test/Anger and labels.csv."""
    for place in range(24):
        split, word = ("Train", "Test")[place % 2], ("anger", "Happy", "contempt")[place // 2 % 3]
        word = word.title() if split == "Test" else word
        layouts.save(tmp_path / f"a/archive (3)/{split}/{word}/{place}.png", layouts.face(place))
    layouts.write(tmp_path / "a/archive (3)/labels.csv", ",pth,label\n0,anger/0.png,Happy\n")
    rows = sources.read(tmp_path / "a")
    assert Counter(rows.splits.tolist()) == {"train": 12, "test": 12}
    assert {name.casefold(): many for name, many in counts(rows).items()} == {
        "anger": 8,
        "happy": 8,
        "contempt": 8,
    }


def labelled(build, path, labels):
    """The names alone: no need to draw 35,887 faces."""
    from types import SimpleNamespace

    from fer_data import classes

    numbers = np.array([str(n) for split in labels.values() for n in split])
    words = {"train": "train", "valid": "val", "test": "test"}
    splits = np.array([words[s] for s, many in labels.items() for _ in many])
    names, known, _ = classes.named("s", numbers, splits, (), table=False)
    return SimpleNamespace(known=known, names=names, labels=numbers)


def test_webdataset_numbers_have_no_names_of_their_own(tmp_path):
    labels = {"train": list(range(7)) * 3, "test": list(range(7)) * 2}
    path = layouts.webdataset(tmp_path / "w", labels)
    rows = sources.read(path)
    assert set(rows.names.tolist()) == {f"class {k}" for k in range(7)}
    assert dict(Counter(rows.splits.tolist())) == {"test": 14, "train": 21}
    test = rows.images[rows.splits == "test"]
    assert all(near(image, 21 + k) < 6 for k, image in enumerate(test))
    rows = sources.read(path, tuple(sorted(EMOTIONS)))
    assert rows.names[rows.splits == "test"][4:7].tolist() == ["neutral", "sad", "surprise"]
    for encoding in ("utf-8", "utf-8-sig"):  # with the mark of some editors a class had it too
        (path / "classnames.txt").write_text("\n".join(sorted(EMOTIONS)) + "\n", encoding)
        assert sources.read(path).names[rows.splits == "test"][4] == "neutral"
        assert set(sources.read(path).names.tolist()) == {*EMOTIONS}
    single = sources.read(path / "test/0.tar")
    assert len(single.names) == 14 and set(single.splits.tolist()) == {""}


@pytest.mark.parametrize("made", [layouts.parquet, layouts.webdataset])
def test_the_ending_of_a_file_may_be_in_capitals(tmp_path, made):
    path = made(tmp_path / "x", {"train": [0, 1, 2] * 5, "test": [0, 1, 2]})
    before = sources.read(path)
    for file in [*path.rglob("*.parquet"), *path.rglob("*.tar")]:
        file.rename(file.with_suffix(file.suffix.upper()))
    found = sources.read(path)
    assert np.array_equal(found.images, before.images) and found.notes == before.notes
    (file,) = [*path.rglob("*test*.PARQUET"), *path.rglob("test/*.TAR")]
    assert len(sources.read(file).names) == 3


def test_a_webdataset_that_was_unpacked_says_the_same(tmp_path):
    """Its splits were lost, its names passed over, and other labels weren't noticed by a cache."""
    path = layouts.webdataset(tmp_path / "w", {"train": [0, 1, 2] * 3, "test": [0, 1, 2]})
    (path / "classnames.txt").write_text("happy\nneutral\nsad\n")
    packed = sources.read(path)
    for split in ("train", "test"):
        with tarfile.open(path / split / "0.tar") as archive:
            archive.extractall(path / split, filter="data")
        (path / split / "0.tar").unlink()
    rows = sources.read(path)
    for what in ("names", "splits", "images"):
        assert np.array_equal(getattr(rows, what), getattr(packed, what))
    before = {sources.digest(path)}
    (path / "train/s0000000.cls").write_text("2")
    before.add(sources.digest(path))
    (path / "classnames.txt").write_text("happy\nsad\nneutral\n")
    assert len(before | {sources.digest(path)}) == 3


def test_class_folders_without_splits(tmp_path):
    for word in ("happy", "sad"):
        for place in range(20):
            layouts.save(tmp_path / f"mine/{word}/{place}.png", layouts.face(place))
    rows = splits.whole(sources.read(tmp_path / "mine"))
    assert dict(Counter(rows.splits.tolist())) == {"train": 32, "val": 4, "test": 4}
    (tmp_path / "mine").rename(tmp_path / "m")
    for old, new in (("happy", "bored"), ("sad", "confused")):
        (tmp_path / "m" / old).rename(tmp_path / "m" / new)
    assert "holds no data set" in refusal(tmp_path / "m")
    assert counts(sources.read(tmp_path / "m", kind="classes")) == {"bored": 20, "confused": 20}


def test_a_table_of_paths_with_persons(tmp_path):
    lines = ["path,label,person"]
    for place in range(40):
        layouts.save(tmp_path / f"mine/faces/{place}.png", layouts.face(place))
        lines.append(f"faces/{place}.png,{('happy', 'sad')[place % 2]},p{place // 4}")
    layouts.write(tmp_path / "mine/faces.csv", "\n".join(lines) + "\n")
    for path in (tmp_path / "mine", tmp_path / "mine/faces.csv"):
        rows = splits.whole(sources.read(path))
        assert counts(rows) == {"happy": 20, "sad": 20} and len(set(rows.groups.tolist())) == 10
        for person in set(rows.groups.tolist()):
            assert len(set(rows.splits[rows.groups == person].tolist())) == 1
    before = sources.digest(tmp_path / "mine/faces.csv")
    layouts.save(tmp_path / "mine/faces/3.png", layouts.face(99))
    assert sources.digest(tmp_path / "mine/faces.csv") != before  # its images count too
    layouts.write(tmp_path / "mine/faces.csv", "path,label\nelsewhere/1.png,happy\n")
    assert "none of the 1 paths of faces.csv is there" in refusal(tmp_path / "mine")


def test_a_split_that_cuts_persons_is_told(tmp_path):
    lines = ["path,label,split,person"]
    for place in range(30):
        layouts.save(tmp_path / f"mine/{place}.png", layouts.face(place))
        split = ("train", "val", "test")[place % 3]
        lines.append(f"{place}.png,{('happy', 'sad')[place // 3 % 2]},{split},p{place // 3}")
    layouts.write(tmp_path / "mine/faces.csv", "\n".join(lines) + "\n")
    rows = splits.whole(sources.read(tmp_path / "mine"))
    told = noted(rows, "more than one split")
    assert told.startswith("10 of 10 groups") and "10 of them in test" in told
    lines = [re.sub(r"test,p\d+", "test,p99", line) for line in lines]  # of one person alone
    layouts.write(tmp_path / "mine/faces.csv", "\n".join(lines) + "\n")
    told = noted(splits.whole(sources.read(tmp_path / "mine")), "more than one split")
    assert told.startswith("10 of 11 groups") and "tested" not in told
    assert "none of them in test: a network is judged on val by what it has partly seen" in told


def path_table(path, labels):
    """A CSV of paths with the split as it is written there, and so many faces of two classes."""
    lines = ["path,label,split"]
    for split, numbers in labels.items():
        for label in numbers:
            layouts.save(path / f"{len(lines)}.png", layouts.face(len(lines)))
            lines.append(f"{len(lines)}.png,{('happy', 'sad')[label]},{split}")
    layouts.write(path / "faces.csv", "\n".join(lines) + "\n")
    return path


def folders(path, labels):
    for split, numbers in labels.items():
        for place, label in enumerate(numbers):
            name = f"{split}/{('happy', 'sad')[label]}/{place}.png"
            layouts.save(path / name, layouts.face(place))
    return path


BUILDS = (layouts.parquet, layouts.webdataset, path_table, folders)


@pytest.mark.parametrize("build", BUILDS)
@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (("train", "dev", "test"), {"train": 6, "val": 4, "test": 2}),
        (("train", "eval", "test"), {"train": 6, "val": 4, "test": 2}),
        (("train", "dev", "eval"), {"train": 6, "val": 4, "test": 2}),
        (("train", "eval"), {"train": 6, "test": 4}),  # as datasets of Hugging Face has it
        (("train", "validation"), {"train": 6, "test": 4}),
    ],
)
def test_every_layout_takes_the_usual_names_of_placesalike(tmp_path, build, written, meant):
    numbers = ([0, 1] * 3, [0, 1] * 2, [0, 1])
    path = build(tmp_path / "d", dict(zip(written, numbers, strict=False)))
    rows = sources.read(path)
    assert Counter(rows.splits.tolist()) == meant
    told = [note for note in rows.notes if "test split" in note]
    assert len(told) == (written[1:] != ("dev", "test")), told
    assert len(dataset.read(path).test.labels) == meant["test"]


@pytest.mark.parametrize(
    ("build", "other"),
    [(layouts.parquet, "extra"), (layouts.webdataset, "extra"), (path_table, "")],
)
def test_faces_in_no_split_beside_others_are_counted_and_never_vanish(tmp_path, build, other):
    placesof = {"train": [0, 1] * 6, "test": [0, 1], other: [0, 1, 0]}
    rows = sources.read(build(tmp_path / "d", placesof))
    assert Counter(rows.splits.tolist()) == {"train": 12, "test": 2}
    assert "3 of 17 faces, as " in noted(rows, "in no train, val or test: they were left out")
    for name in ("train", "test"):
        path = build(tmp_path / name, {name: [0, 1] * 6, other: [0, 1, 0]})
        assert f"in no train, val or test, all others in {name}; expected" in refusal(path)


@pytest.mark.parametrize("build", BUILDS[:3])
def test_one_split_alone_is_taken_as_a_whole(tmp_path, build):
    rows = sources.read(build(tmp_path / "d", {"train": [0, 1] * 10}))
    assert set(rows.splits.tolist()) == {""}
    assert noted(rows, "all of it is one split, called train")


def test_another_networks_labels_are_called_so(tmp_path):
    for place in range(4):
        layouts.save(tmp_path / f"a/happy/{place}.png", layouts.face(place))
        layouts.save(tmp_path / f"a/sad/{place}.png", layouts.face(place + 9))
    lines = [f",{word}/{k}.png,{word},0.9" for word in ("happy", "sad") for k in range(4)]
    layouts.write(tmp_path / "a/labels.csv", "\n".join(["Unnamed: 0,pth,label,relFCs", *lines]))
    assert noted(sources.read(tmp_path / "a"), "another network's answers")


def test_a_kind_is_insisted_on(tmp_path):
    path = layouts.jaffe(tmp_path / "j")
    assert "is not laid out as kdef; expected KDEF/AF01/AF01AFS.JPG" in refusal(path, "kdef")
    assert [kind for kind in readers.READERS if readers.laid_out(kind) == "expected "] == []
    assert sources.asked("raf-db:/x") == ("raf-db", "/x")
    assert sources.asked("/a:b") == ("", "/a:b")
    with pytest.raises(Mistake, match="affectnat is no kind of data; expected KIND:PATH with one"):
        sources.asked("affectnat:/x")


def test_numbers_in_folders_are_affectnets_only_where_a_person_says_so(tmp_path):
    for split, each in (("train", 3), ("val", 2), ("test", 2)):
        for place in range(8 * each):
            layouts.save(tmp_path / f"a/{split}/{place % 8}/{place}.jpg", layouts.face(place))
    assert "class 0" in counts(sources.read(tmp_path / "a"))
    rows = sources.read(tmp_path / "a", kind="affectnet")
    assert counts(rows)["contempt"] == 7 and noted(rows, "since --data says so")
    assert noted(rows, "it is AffectNet, other counts").endswith(SOURCES["affectnet"].licence)


@pytest.mark.parametrize(("kind", "of", "many"), [("ckplus", "", 327), ("affectnet", "test", 4000)])
def test_counts_of_the_other_release_are_published_too(kind, of, many):
    """CK+ as its authors give it has a frame for each of the three that CK+48 has, and AffectNet of
    2017 has one image of contempt more: whole copies were told to have other counts."""
    source = SOURCES[kind]
    for release in (source.counts, source.counts | source.other):
        rows = [(n, split) for split, c in release.items() for n, k in c.items() for _ in range(k)]
        names, places = map(np.array, zip(*rows, strict=True))
        told = sources.what(source, names, places)
        assert "as many images of each class as published" in told
        assert "angry" in sources.what(source, names[names != "angry"], places[names != "angry"])
    assert int((places == of).sum()) == many


@pytest.mark.parametrize("split", ["train", "test"])
def test_a_published_split_alone_has_its_counts(split):
    """Without names of splits each class was compared with both: "in test 0 and not 329"."""
    source = SOURCES["raf-db"]
    names = np.array([name for name, many in source.counts[split].items() for _ in range(many)])
    told = sources.what(source, names, np.full(len(names), ""))
    assert told.startswith(
        f"it is RAF-DB (basic), as many images of each class as published of {split}, licence"
    )
    told = sources.what(source, names[1:], np.full(len(names) - 1, ""))
    few, many = ("1,289", "1,290") if split == "train" else ("328", "329")
    assert f"other counts than published (surprise in {split} {few} and not {many}), li" in told


def test_every_source_tells_its_licence_and_where_to_get_it():
    for source in SOURCES.values():
        assert source.licence and source.get and source.title
    published = {
        kind: sum(map(sum, map(dict.values, s.counts.values()))) for kind, s in SOURCES.items()
    }
    assert published == {
        "fer2013": 0,
        "ferplus": 0,
        "raf-db": 15_339,
        "affectnet": 287_651 + 3_999,
        "expw": 91_793,
        "ckplus": 981,
        "ckextended": 920,
        "kdef": 4_900,
        "jaffe": 213,
    }


def test_a_cache_knows_the_kind(tmp_path):
    path = layouts.raf_db(tmp_path / "r")
    assert dataset.read(path).known == "raf-db"
    assert sources.digest(path) == sources.digest(path, "raf-db")


def by_lot(rows) -> list[str]:
    """Where each face would be if test were one in ten by lot."""
    chosen = splits.carved(rows.names, np.arange(len(rows.names)), 0, 10)
    return np.where(np.isin(np.arange(len(rows.names)), chosen), "test", "train")
