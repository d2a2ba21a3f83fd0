"""Photographs read again from a source: the ids are those of fer_data, whatever the source."""

import gzip
import io
import lzma
import zipfile

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from test_results_load import folder, header, trial

from fer_data import sources
from results import Mistake
from results.artefacts.load import load
from results.explorer import gallery
from results.report import page
from results.report.sections import faces


@pytest.fixture
def folders(tmp_path):
    """A folder copy of noise, with clutter, whose halves are told apart by the names."""
    generator = np.random.default_rng(1)
    root = tmp_path / "copy"
    for split, marks in (("train", ["Training"]), ("test", ["PublicTest", "PrivateTest"])):
        for label in ("sad", "angry", "happy"):
            place = root / split / label
            place.mkdir(parents=True)
            for mark in marks:
                for number in (3, 10, 2):
                    pixels = generator.integers(0, 256, (48, 48), np.uint8)
                    Image.fromarray(pixels).save(place / f"{mark}_{number}.png")
    (root / "train" / ".DS_Store").write_text("x")
    (root / "train" / "sad" / "notes.txt").write_text("x")
    return root


def packed(root, path):
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(root.rglob("*"), reverse=True):
            if file.is_file():
                archive.write(file, file.relative_to(root.parent))
    return path


def table(tmp_path, fer_file, kind):
    path = tmp_path / f"copy.csv{kind if kind.startswith('.') else ''}"
    if kind == ".zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.write(fer_file, "data/fer2013.csv")
    elif kind == "the challenge's columns":
        rows = [line.split(",") for line in fer_file.read_text().splitlines()[1:]]
        lines = ["emotion, Usage, pixels", *(f"{e}, {u}, {p}" for e, p, u in rows)]
        path.write_text("\n".join(lines))
    elif kind == "xz named .csv":
        path = tmp_path / "fer2013.csv"
        path.write_bytes(lzma.compress(fer_file.read_bytes()))
    elif kind:
        opener = lzma if kind == ".xz" else gzip
        path.write_bytes(opener.compress(fer_file.read_bytes()))
    else:
        path = fer_file
    return path


KINDS = ["", ".xz", ".gz", ".zip", "xz named .csv", "the challenge's columns"]


@pytest.mark.parametrize("kind", [*KINDS, "folder", "folder.zip"])
def test_faces_are_those_that_the_study_numbered(tmp_path, fer_file, folders, kind):
    """Whatever the study reads, the explorer reads: by the same code."""
    if kind == "folder.zip":
        source = packed(folders, tmp_path / "copy.zip")
    else:
        source = folders if kind == "folder" else table(tmp_path, fer_file, kind)
    theirs = sources.read(source)
    classes = sorted(set(theirs.names))
    ids = np.random.default_rng(0).permutation(len(theirs.ids))[:20]
    ids = np.append(ids, ids[0])
    shown = pd.DataFrame({"image": ids, "label": [classes.index(n) for n in theirs.names[ids]]})
    assert (gallery.read(source, shown, classes) == theirs.images[ids]).all()


def test_no_image_is_asked_for_and_none_comes(fer_file):
    shown = pd.DataFrame({"image": [], "label": []})
    assert gallery.read(fer_file, shown, ["sad"]).shape == (0, 48, 48)


def test_an_id_that_the_source_lacks_is_a_mistake(fer_file, folders):
    for source in (fer_file, folders):
        classes = sorted(set(sources.read(source).names))
        first = classes.index(sources.read(source).names[0])
        shown = pd.DataFrame({"image": [0, 500], "label": [first, 0]})
        with pytest.raises(Mistake, match="isn't the data of this study: image 500 is nothing in"):
            gallery.read(source, shown, classes)


@pytest.mark.parametrize(
    ("write", "sentence"),
    [
        (lambda path: None, "there is no"),
        (lambda path: path.write_text("a,b\n1,2\n"), "has the columns 'a, b'"),
        (lambda path: path.mkdir(), "is empty"),
        (lambda path: path.write_text("emotion,pixels,Usage\n0,1 2 x,Training\n"), "row 0"),
    ],
)
def test_what_is_no_source_is_refused_in_a_sentence(tmp_path, write, sentence):
    path = tmp_path / "x.csv"
    write(path)
    with pytest.raises(Mistake, match=sentence):
        gallery.read(path, pd.DataFrame({"image": [0], "label": [0]}), ["sad"])


def study_of(path, counts):
    head = header(data={"counts": counts})
    return load(folder(path, head, [trial("a")], [], []))


def test_faces_are_shown_on_request_from_the_studys_own_source_only(tmp_path, fer_file):
    names = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
    counts = {
        "train": dict.fromkeys(names, 6),
        "val": dict.fromkeys(names, 2),
        "test": dict.fromkeys(names, 2),
    }
    one = study_of(tmp_path / "s", counts)
    section = faces.grid([one], fer_file)
    assert "keep this page to yourself" in section.blocks[0].words
    strips = dict(section.blocks[1].strips)
    assert list(strips) == sorted(names)
    with Image.open(io.BytesIO(strips["sad"])) as image:
        assert image.size == (6 * 48, 48)  # there are but six
        first = np.asarray(image)[:, :48]
    theirs = sources.read(fer_file)
    own = theirs.images[(theirs.names == "sad") & (theirs.splits == "train")]
    assert (first == own).all((1, 2)).any()
    text = page.page("t", "l", [], [section], "f")
    assert text.count("data:image/png;base64,") == 7
    other = study_of(tmp_path / "o", counts | {"val": dict.fromkeys(names, 3)})
    with pytest.raises(Mistake, match="aren't those of any study here"):
        faces.grid([other], fer_file)
