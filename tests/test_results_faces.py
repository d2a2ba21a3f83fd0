"""Photographs read again from a source: the ids are those of fer_data, whatever the source."""

import gzip
import io
import lzma
import zipfile

import numpy as np
import pytest
from PIL import Image
from test_results_load import folder, header, trial

from fer_data import sources
from results import Mistake
from results.artefacts import faces
from results.artefacts.load import load
from results.report import page
from results.report.sections import faces as sections_faces


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
    path = tmp_path / f"fer2013.csv{kind}"
    if kind == ".zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.write(fer_file, "data/fer2013.csv")
    elif kind:
        opener = lzma if kind == ".xz" else gzip
        path.write_bytes(opener.compress(fer_file.read_bytes()))
    return path


@pytest.mark.parametrize("kind", ["", ".xz", ".gz", ".zip", "folder", "folder.zip"])
def test_ids_labels_and_splits_are_the_studys(tmp_path, fer_file, folders, kind):
    source = {"folder": folders, "folder.zip": tmp_path / "copy.zip"}.get(kind)
    if kind == "folder.zip":
        packed(folders, source)
    source = source or table(tmp_path, fer_file, kind)
    theirs = sources.read(source)
    ours = faces.rows(source)
    assert ours["label"].tolist() == theirs.names.tolist()
    assert ours["split"].tolist() == theirs.splits.tolist()
    ids = np.random.default_rng(0).permutation(len(ours))[:20]
    ids = np.append(ids, ids[0])
    assert (faces.images(source, ids) == theirs.images[ids]).all()


def test_a_table_longer_than_a_chunk_counts_on(fer_file, monkeypatch):
    monkeypatch.setattr(faces, "CHUNK", 7)
    theirs = sources.read(fer_file)
    assert (faces.images(fer_file, [69, 0, 8]) == theirs.images[[69, 0, 8]]).all()


def test_no_image_is_asked_for_and_none_comes(fer_file):
    assert faces.images(fer_file, []).shape == (0, 48, 48)


def test_an_id_that_the_source_lacks_is_a_mistake(fer_file, folders):
    for source in (fer_file, folders):
        with pytest.raises(Mistake, match="has no image 500: it isn't the source"):
            faces.images(source, [0, 500])


@pytest.mark.parametrize(
    ("write", "sentence"),
    [
        (lambda path: None, "there is no"),
        (lambda path: path.write_text("a,b\n1,2\n"), "lacks emotion, pixels or Usage"),
        (lambda path: path.write_text(""), "can't be read"),
        (lambda path: path.mkdir(), "holds neither images nor one table"),
        (lambda path: path.write_text("emotion,pixels,Usage\n0,1 2 x,Training\n"), "row 0 isn't"),
    ],
)
def test_what_is_no_source_is_refused_in_a_sentence(tmp_path, write, sentence):
    path = tmp_path / "x.csv"
    write(path)
    with pytest.raises(Mistake, match=sentence):
        faces.images(path, [0])


def test_a_cut_xz_is_refused_in_a_sentence(tmp_path, fer_file):
    path = tmp_path / "cut.csv.xz"
    path.write_bytes(lzma.compress(fer_file.read_bytes())[:20_000])
    with pytest.raises(Mistake, match="can't be read"):
        faces.rows(path)


def test_an_emotion_that_is_no_number_is_refused(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("emotion,pixels,Usage\nsad,0,Training\n")
    with pytest.raises(Mistake, match="an emotion that is no class number"):
        faces.rows(path)


def study_of(path, counts):
    head = header(data={"counts": counts})
    return load(folder(path, head, [trial("a")], [], []))


def test_faces_are_shown_on_request_from_the_studys_own_source_only(tmp_path, fer_file):
    names = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
    counts = {"train": dict.fromkeys(names, 6), "val": dict.fromkeys(names, 2),
              "test": dict.fromkeys(names, 2)}  # fmt: skip
    one = study_of(tmp_path / "s", counts)
    section = sections_faces.grid([one], fer_file)
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
        sections_faces.grid([other], fer_file)
