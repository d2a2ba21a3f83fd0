"""Photographs of a study's images, from its own copy of the data, from others, and from none."""

import csv
import io
import lzma
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from test_results_load import folder, header, trial

from fer_data import dataset, fer2013
from fer_data.classes import ASSUMED
from results import Mistake
from results.artefacts import faces
from results.artefacts.load import load
from results.report import page
from results.report.sections import faces as sections_faces
from study.data import datasets
from study.driver import prepare
from study.record import schemas


def study_on(path, source, older=False, **more):
    """The artefact folder of a study that answered all of val and test of a source.

    An older one kept neither the source, nor grey levels, nor digests of pixels, and took numbers
    for FER-2013's.
    """
    data = datasets.load(source, names=ASSUMED if older else ())
    told = prepare.described(data, data)
    if older:
        told = {k: v for k, v in told.items() if k not in ("levels", "known", "source")}
    one = folder(path, header(data=told | more), [trial("a")], [], [])
    if not older:
        parts = {"val": data.val, "test": data.test}
        rows = [
            {"split": name, "image": int(number), "pixels": digest}
            for name, part in parts.items()
            for number, digest in zip(
                part.ids, fer2013.pixel_digests(part.images).tolist(), strict=True
            )
        ]
        schemas.write_table(one / "images.parquet", rows, schemas.IMAGES)
    return load(one)


def asked(source):
    """Rows of all images of val and test of the study's source, shuffled, and their pixels."""
    data = dataset.read(source)
    rows = pd.concat(
        pd.DataFrame({"split": name, "image": getattr(data, name).ids}) for name in ("val", "test")
    )
    order = np.random.default_rng(0).permutation(len(rows))
    pixels = np.concatenate([data.val.images, data.test.images])
    return rows.iloc[order].reset_index(drop=True), pixels[order]


def rewritten(source, path, order):
    """The table with its rows in another order: `order` maps a list of rows to one."""
    head, *rows = list(csv.reader(source.read_text().splitlines()))
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([head, *order(rows)])
    return path


def shuffled(rows):
    return [rows[k] for k in np.random.default_rng(1).permutation(len(rows))]


def split_by_split(rows):
    """Each split in its own order, and the splits in another: the same content, other numbers."""
    return sorted(rows, key=lambda row: ["PrivateTest", "Training", "PublicTest"].index(row[2]))


def interleaved(rows):
    by = {usage: [row for row in rows if row[2] == usage] for usage in {row[2] for row in rows}}
    longest = max(map(len, by.values()))
    return [by[usage][k] for k in range(longest) for usage in sorted(by) if k < len(by[usage])]


def images_in_folders(source, path, kind="png"):
    """The table as a folder of images, in another order, with its own numbers for the images."""
    data = dataset.read(source)
    marks = {
        "train": "train/{}/Training",
        "val": "test/{}/PublicTest",
        "test": "test/{}/PrivateTest",
    }
    for name, mark in marks.items():
        part = getattr(data, name)
        for number, (image, label) in enumerate(zip(part.images, part.labels, strict=True)):
            file = path / f"{mark.format(data.classes[label])}_{900 - number}.{kind}"
            file.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(image).save(file)
    return path


@pytest.mark.parametrize("older", [False, True])
@pytest.mark.parametrize("change", [None, split_by_split, interleaved])
@pytest.mark.parametrize("pack", ["", ".xz", ".zip"])
def test_of_a_copy_with_the_same_content_every_photograph_is_the_images_own(
    tmp_path, fer_file, older, change, pack
):
    one = study_on(tmp_path / "s", fer_file, older)
    wanted, truth = asked(fer_file)
    copy = rewritten(fer_file, tmp_path / "copy.csv", change or list)
    if pack == ".xz":
        (tmp_path / "copy.csv.xz").write_bytes(lzma.compress(copy.read_bytes()))
    elif pack:
        with zipfile.ZipFile(tmp_path / "copy.csv.zip", "w") as archive:
            archive.write(copy, "data/fer2013.csv")
    found = faces.images(one, tmp_path / f"copy.csv{pack}", wanted)
    assert (found == truth).all()


def test_of_a_copy_in_another_order_images_are_told_by_their_pixels(tmp_path, fer_file):
    one = study_on(tmp_path / "s", fer_file)
    wanted, truth = asked(fer_file)
    copy = rewritten(fer_file, tmp_path / "copy.csv", shuffled)
    assert dataset.read(copy).digest != one.study["data"]["digest"]
    assert (faces.images(one, copy, wanted) == truth).all()
    pictures = images_in_folders(fer_file, tmp_path / "folders")
    assert (faces.images(one, pictures, wanted) == truth).all()
    assert (faces.images(one, Path(f"folders:{pictures}"), wanted) == truth).all()


def test_an_older_study_has_nothing_by_which_another_order_could_be_matched(tmp_path, fer_file):
    one = study_on(tmp_path / "s", fer_file, older=True)
    copy = rewritten(fer_file, tmp_path / "copy.csv", shuffled)
    with pytest.raises(Mistake, match="an older version kept nothing of its images"):
        faces.images(one, copy, asked(fer_file)[0])


def test_other_images_with_the_same_labels_are_refused_with_the_copy_that_is_needed(
    tmp_path, fer_file
):
    one = study_on(tmp_path / "s", fer_file)
    head, *rows = list(csv.reader(fer_file.read_text().splitlines()))
    other = tmp_path / "other.csv"
    with other.open("w", newline="") as file:
        csv.writer(file).writerows([head, *([e, p[:-1] + "0", u] for e, p, u in rows)])
    with pytest.raises(Mistake) as refused:
        faces.images(one, other, asked(fer_file)[0])
    content = one.study["data"]["digest"]
    said = str(refused.value)
    assert said.startswith(
        f"{other} isn't the data of the study mine, which was run on fer2013.csv"
    )
    assert f"content {content}), and " in said
    assert "of 28 images that were asked for are not in it, pixel for pixel: give that copy" in said


def test_jpegs_of_the_same_images_are_refused(tmp_path, fer_file):
    one = study_on(tmp_path / "s", fer_file)
    jpegs = images_in_folders(fer_file, tmp_path / "jpegs", "jpg")
    with pytest.raises(Mistake, match="28 of 28 images that were asked for are not in it"):
        faces.images(one, jpegs, asked(fer_file)[0])


@pytest.mark.parametrize(
    ("write", "sentence"),
    [
        (lambda path: None, "there is no"),
        (lambda path: path.write_text("a,b\n1,2\n"), "has the columns 'a, b'"),
        (lambda path: path.mkdir(), "is empty"),
        (lambda path: path.write_text("emotion,pixels,Usage\n0,1 2 x,Training\n"), "row 0 "),
        (lambda path: path.write_bytes(lzma.compress(b"x" * 9999)[:60]), "damaged or cut short"),
    ],
)
def test_what_is_no_source_is_refused_in_a_sentence(tmp_path, fer_file, write, sentence):
    one = study_on(tmp_path / "s", fer_file)
    path = tmp_path / "x.csv"
    write(path)
    with pytest.raises(Mistake, match=sentence):
        faces.images(one, path, asked(fer_file)[0])


def test_faces_are_shown_on_request_from_a_copy_of_the_studys_own_data_only(tmp_path, fer_file):
    one = study_on(tmp_path / "s", fer_file)
    names = [f"class {number}" for number in range(7)]
    section = sections_faces.grid([one], fer_file)
    assert "keep this page to yourself" in section.blocks[0].words
    strips = dict(section.blocks[1].strips)
    assert list(strips) == names
    with Image.open(io.BytesIO(strips["class 4"])) as image:
        assert image.size == (6 * 48, 48)  # there are but six
        first = np.asarray(image)[:, :48]
    data = dataset.read(fer_file)
    assert (first == data.train.images[data.train.labels == 4]).all((1, 2)).any()
    text = page.page("t", "l", [], [section], "f")
    assert text.count("data:image/png;base64,") == 7
    copy = rewritten(fer_file, tmp_path / "copy.csv", shuffled)
    assert len(sections_faces.grid([one], copy).blocks[1].strips) == 7
    other = tmp_path / "other.csv"
    other.write_text(fer_file.read_text().replace(" 7 ", " 8 "))
    with pytest.raises(Mistake, match="other images than any study here was run on .mine: fer2013"):
        sections_faces.grid([one], other)


def test_drawn_faces_are_nobodys_photographs(tmp_path, fer_file):
    one = study_on(tmp_path / "s", fer_file, synthetic=True)
    section = sections_faces.grid([one], fer_file)
    assert section.blocks[0].words == sections_faces.DRAWN
