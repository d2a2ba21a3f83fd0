import errno
import hashlib
import json
import lzma
import os
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import kagglehub
import layouts
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from fer_data.known import EMOTIONS
from study import Mistake
from study.data import __main__, datasets, drawn_faces
from study.data.datasets import Dataset, Split

REAL = os.environ.get("FER2013_DATA")
needs_real = pytest.mark.skipif(not REAL, reason="FER2013_DATA names no folder with FER-2013")


def same(one: Dataset, other: Dataset) -> bool:
    """Whether two data sets are equal in everything."""
    plain = ("name", "digest", "classes", "notes", "synthetic", "known", "largest_px")
    arrays = [
        (getattr(a, field), getattr(b, field))
        for a, b in zip(datasets.parts(one), datasets.parts(other), strict=True)
        for field in ("images", "labels", "ids")
    ]
    shares = [
        (a.shares, b.shares)
        for a, b in zip(datasets.parts(one), datasets.parts(other), strict=True)
        if a.shares is not None or b.shares is not None
    ]
    return all(getattr(one, field) == getattr(other, field) for field in plain) and all(
        a.dtype == b.dtype and np.array_equal(a, b)
        for a, b in [
            *arrays,
            *[(np.array(a), np.array(b)) for a, b in shares],
            *[(getattr(one, mark), getattr(other, mark)) for mark in datasets.MARKS],
        ]
    )


def split(labels: list[int]) -> Split:
    """Images whose grey level is their place, for up to 256 labels."""
    images = np.arange(len(labels), dtype=np.uint8)[:, None, None] * np.ones((48, 48), np.uint8)
    return Split(images, np.array(labels), np.arange(len(labels)) + 1000)


def write_folder(path: Path, levels: dict[str, list[int]]) -> Path:
    """A folder of flat grey images: SPLIT/CLASS -> levels. Names don't tell the test halves."""
    for place, shades in levels.items():
        (path / place).mkdir(parents=True)
        for number, level in enumerate(shades):
            Image.new("L", (48, 48), level).save(path / place / f"{number:03}.png")
    return path


def cache_files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_table_becomes_three_splits_of_sorted_classes(fer_file):
    dataset = datasets.load(fer_file)
    assert dataset.classes == tuple(f"class {number}" for number in range(7))
    assert [len(part.labels) for part in datasets.parts(dataset)] == [42, 14, 14]
    assert dataset.train.labels[:7].tolist() == list(range(7))
    assert dataset.val.ids.tolist() == list(range(42, 56))
    for part in datasets.parts(dataset):
        assert (part.images.shape[1:], part.images.dtype) == ((48, 48), np.uint8)
        assert (part.labels.dtype, part.ids.dtype) == (np.int64, np.int64)
    assert dataset.name == "fer2013" and not dataset.synthetic and dataset.known == ""
    assert dataset.notes[0].startswith("the class numbers 0, 1, 2, 3, 4, 5, 6 are not named")
    assert dataset.source == ("fer2013.csv", datasets.sources.digest(fer_file))


def test_counts_are_per_split_and_class(fer_file):
    table = datasets.counts(datasets.load(fer_file))
    assert table.index.tolist() == ["train", "val", "test"]
    assert table["class 0"].tolist() == [6, 2, 2] and table.shape == (3, 7)


def test_digest_is_of_the_content_not_of_its_packing(fer_file, tmp_path):
    packed = tmp_path / "other.csv.xz"
    packed.write_bytes(lzma.compress(fer_file.read_bytes()))
    plain = datasets.load(fer_file)
    assert same(datasets.load(packed), replace(plain, name="other"))


def test_table_and_lossless_folder_of_the_same_images_agree(fer_file, tmp_path):
    table = datasets.load(fer_file)
    marks = {"train": "train/{}/Training", "val": "test/{}/PublicTest"}
    marks |= {"test": "test/{}/PrivateTest"}
    order = [np.argsort(part.labels, kind="stable") for part in datasets.parts(table)]
    for name, part, places in zip(datasets.SPLITS, datasets.parts(table), order, strict=True):
        for number, place in enumerate(places):
            file = tmp_path / "faces" / marks[name].format(table.classes[part.labels[place]])
            file.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(part.images[place]).save(file.with_name(f"{file.name}_{number:02}.png"))
    folder = datasets.load(tmp_path / "faces")
    in_folder_order = [
        Split(part.images[places], part.labels[places], part.ids[places])
        for part, places in zip(datasets.parts(table), order, strict=True)
    ]
    assert folder.digest == datasets.content_digest(table.classes, in_folder_order) != table.digest


def test_duplicates_are_the_test_images_that_train_or_val_holds(tmp_path):
    path = write_folder(
        tmp_path / "set",
        {
            "train/a": [1, 2, 3],
            "train/b": [11, 12],
            "val/a": [4],
            "val/b": [14],
            "test/a": [5, 2, 14, 5],
            "test/b": [3, 20],
        },
    )
    found = datasets.load(path)
    assert found.duplicate.tolist() == [False, True, True, False, True, False]
    assert found.val_duplicate.tolist() == [False, False]


def test_val_images_that_train_holds_are_marked_also_when_read_from_the_cache(tmp_path):
    pixels = {"train/a": [1, 2], "train/b": [11, 12], "val/a": [4, 2], "val/b": [12, 14]}
    path = write_folder(tmp_path / "set", pixels | {"test/a": [4], "test/b": [20]})
    for _ in range(2):
        found = datasets.load(path)
        assert found.val_duplicate.tolist() == [False, True, True, False]
        assert found.duplicate.tolist() == [True, False]
        assert "val images that also occur in train: 2" in datasets.describe(found)


def test_overlaps_count_copies_conflicts_and_blank_images(tmp_path):
    path = write_folder(
        tmp_path / "set",
        {
            "train/a": [1, 1, 1],
            "train/b": [1, 12],
            "val/a": [1],
            "val/b": [14, 12],
            "test/a": [5, 5],
            "test/b": [14],
        },
    )
    assert datasets.overlaps(datasets.load(path)).to_dict("index") == {
        "further copy within the split": {"train": 3, "val": 0, "test": 1},
        "also in train": {"train": 0, "val": 2, "test": 0},
        "also in val": {"train": 5, "val": 0, "test": 1},
        "also in test": {"train": 0, "val": 1, "test": 0},
        "identical to one with another label": {"train": 4, "val": 1, "test": 0},
        "blank (a single grey level)": {"train": 5, "val": 3, "test": 3},
    }


def test_class_missing_in_one_split_is_refused(tmp_path):
    path = write_folder(tmp_path / "set", {"train/a": [1] * 9, "train/b": [2] * 9, "test/a": [3]})
    with pytest.raises(Mistake, match=f"{path} has no image of the class 'a' in val; expected"):
        datasets.load(path)  # identical images can't be on both sides
    path = write_folder(
        tmp_path / "other", {"train/a": [1, 2], "train/b": [3, 4], "test/a": [5], "test/c": [6]}
    )
    with pytest.raises(Mistake, match="class 'c' in train; expected each of.*with --without c$"):
        datasets.load(path)


def test_one_class_alone_is_refused(tmp_path):
    levels = {f"{split}/images/{word}": [3, 4, 5] for split in ("train", "test") for word in "ab"}
    with pytest.raises(Mistake, match="has one class alone, 'images'; expected two or more"):
        datasets.load(write_folder(tmp_path / "set", levels))


def test_untold_test_halves_carve_val_from_train_and_say_so(tmp_path):
    levels = {"train/a": list(range(90)), "train/b": list(range(100, 118)), "test/a": [200]}
    dataset = datasets.load(write_folder(tmp_path / "set", levels | {"test/b": [201, 202]}))
    assert datasets.counts(dataset).to_numpy().tolist() == [[80, 16], [10, 2], [1, 2]]
    assert dataset.notes == (
        "the names in test/ don't tell the two test halves apart (0 begin with PublicTest_, 0 "
        "with PrivateTest_, 3 with neither)",
        "val was carved from train: 12 images, one in 9 of each class, identical ones kept on one "
        "side",
    )
    assert not np.isin(dataset.val.ids, dataset.train.ids).any()


def test_subset_is_stratified_seeded_and_keeps_the_order():
    whole = split([0] * 100 + [1] * 50 + [2] * 10)
    part = datasets.subset(whole, 32, seed=3)
    assert np.bincount(part.labels).tolist() == [20, 10, 2]
    assert (np.diff(part.ids) > 0).all()
    assert np.array_equal(part.images[:, 0, 0], part.ids - 1000)
    assert np.array_equal(whole.labels[part.ids - 1000], part.labels)
    assert np.array_equal(part.ids, datasets.subset(whole, 32, seed=3).ids)
    assert not np.array_equal(part.ids, datasets.subset(whole, 32, seed=4).ids)


def test_subset_has_exactly_the_number_and_each_class_where_that_fits():
    whole = split([0] * 149 + [2] * 10 + [3])
    for images in range(1, 161):
        found = np.bincount(datasets.subset(whole, images, seed=0).labels, minlength=4)
        assert found.sum() == images and found[1] == 0
        assert images < 3 or found[[0, 2, 3]].min() >= 1


def test_subset_of_0_is_all_and_of_more_than_there_are_a_mistake():
    whole = split([0, 1, 1])
    assert datasets.subset(whole, 0, seed=0) is whole
    assert datasets.subset(whole, 3, seed=0).ids.tolist() == whole.ids.tolist()
    for images in (4, -1):
        with pytest.raises(Mistake, match=f"^{images} images were asked for; expected 1 to 3, or"):
            datasets.subset(whole, images, seed=0)


def test_no_source_draws_faces_and_says_so():
    assert datasets.drawn_sizes(None) == datasets.drawn_sizes("faces") == (28_709, 3_589, 3_589)
    dataset = datasets.load("faces:160")
    assert [len(part.labels) for part in datasets.parts(dataset)] == [160, 20, 20]
    assert dataset.name == "faces" and dataset.synthetic
    assert dataset.classes == drawn_faces.CLASSES
    assert dataset.notes == (
        "these faces are drawn, so the numbers say nothing of real faces; get FER-2013 with "
        "`python -m study.data --download` or give --data PATH",
    )
    assert dataset.val.ids.tolist() == list(range(160, 180))


def test_few_drawn_faces_still_have_every_class_in_every_split():
    assert datasets.counts(datasets.load("faces:14")).to_numpy().min() >= 1
    assert datasets.drawn_sizes("faces:14") == (14, 14, 14)


@pytest.mark.parametrize("source", ["faces:", "faces:13", "faces:many", "faces:-5", "faces:1e3"])
def test_bad_number_of_faces_is_refused(source):
    with pytest.raises(Mistake, match=f"'{source}' was asked for; expected faces:N with 14 train"):
        datasets.load(source)


def test_new_drawing_code_is_not_served_from_the_cache(tmp_path, monkeypatch):
    before = datasets.drawn_digest((14, 14, 14))
    (tmp_path / "faces.py").write_text("# another way to draw")
    monkeypatch.setattr(drawn_faces, "__file__", str(tmp_path / "faces.py"))
    assert datasets.drawn_digest((14, 14, 14)) != before != datasets.drawn_digest((15, 14, 14))


def test_cache_hit_equals_a_fresh_read(fer_file, own_cache, monkeypatch):
    fresh = datasets.load(fer_file)
    assert len(cache_files(own_cache)) == 1
    monkeypatch.delattr(datasets, "read")
    assert same(datasets.load(fer_file), fresh)


def test_cache_hit_keeps_notes_and_the_name_of_the_path_given(tmp_path, monkeypatch):
    levels = {"train/a": [1, 2, 3], "train/b": [4, 5], "test/a": [6], "test/b": [7]}
    fresh = datasets.load(write_folder(tmp_path / "set", levels))
    (tmp_path / "set").rename(tmp_path / "renamed")
    monkeypatch.delattr(datasets, "read")
    hit = datasets.load(tmp_path / "renamed")
    assert same(hit, replace(fresh, name="renamed")) and len(fresh.notes) == 2


def test_what_was_prepared_in_one_way_is_served_for_that_alone(tmp_path, own_cache):
    """Votes to be trained towards come through the cache, too."""
    votes, boxes = layouts.ferplus(tmp_path / "f"), layouts.affectnet_tables(tmp_path / "a")
    ways = [
        (f"ferplus-votes:{votes}", {}),
        (f"ferplus:{votes}", {}),
        (f"ferplus:{votes}", {"without": ("contempt",)}),
        (str(boxes), {}),
        (str(boxes), {"crop": 0.1}),
    ]
    fresh = [datasets.load(source, **more) for source, more in ways]
    assert len({one.digest for one in fresh}) == len(ways) == len(cache_files(own_cache))
    again = [datasets.load(source, **more) for source, more in ways]
    assert [same(*pair) for pair in zip(again, fresh, strict=True)] == [True] * len(ways)
    assert again[0].train.shares is not None and again[1].train.shares is None


def test_cache_name_holds_digest_and_version(fer_file, own_cache, monkeypatch):
    datasets.load(fer_file)
    digest = datasets.sources.digest(fer_file)
    assert cache_files(own_cache) == [f"{digest}-v{datasets.CACHE_VERSION}.npz"]
    monkeypatch.setattr(datasets, "CACHE_VERSION", datasets.CACHE_VERSION + 1)
    datasets.load(fer_file)
    assert len(cache_files(own_cache)) == 2


def test_cache_is_the_argument_else_the_variable_else_the_usual_place(monkeypatch, tmp_path):
    monkeypatch.setenv("FER_STUDY_CACHE", "/variable")
    assert datasets.caches.folder(Path("/argument")) == Path("/argument")
    assert datasets.caches.folder(None) == Path("/variable")
    monkeypatch.delenv("FER_STUDY_CACHE")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert datasets.caches.folder(None) == tmp_path / ".cache" / "fer-study"
    monkeypatch.setenv("XDG_CACHE_HOME", "/xdg")
    assert datasets.caches.folder(None) == Path("/xdg/fer-study")


def flipped(content: bytes) -> bytes:
    place = len(content) // 2
    return content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]


@pytest.mark.parametrize(
    "damage",
    [flipped, lambda c: c[:-100], lambda c: c[: len(c) // 3], lambda c: b"", lambda c: b"pickle"],
    ids=["flipped bit", "end missing", "cut", "empty", "something else"],
)
def test_damaged_cache_is_built_anew_and_says_so(fer_file, own_cache, capsys, damage):
    fresh = datasets.load(fer_file)
    (path,) = own_cache.iterdir()
    whole = path.read_bytes()
    path.write_bytes(damage(whole))
    assert same(datasets.load(fer_file), fresh)
    said = capsys.readouterr().err
    assert said.startswith(f"study.data: the cache file {path} is damaged (")
    assert said.endswith("): it is built anew\n") and said.count("\n") == 1
    assert path.read_bytes() == whole


def test_cache_whose_images_are_not_those_of_its_digest_is_built_anew(fer_file, own_cache, capsys):
    fresh = datasets.load(fer_file)
    (path,) = own_cache.iterdir()
    with np.load(path) as file:
        arrays = dict(file)
    arrays["train_images"][0, 0, 0] ^= 1
    np.savez(path, **arrays)
    assert same(datasets.load(fer_file), fresh)
    assert "is damaged (its content is not that of its digest)" in capsys.readouterr().err


def test_cache_never_unpickles(fer_file, own_cache, capsys):
    fresh = datasets.load(fer_file)
    (path,) = own_cache.iterdir()
    np.savez(path, about=np.array([print], dtype=object))
    assert same(datasets.load(fer_file), fresh)
    assert "allow_pickle=False" in capsys.readouterr().err


def test_named_cache_folder_that_cannot_be_written_is_a_mistake(fer_file, monkeypatch):
    below = fer_file / "cache"  # below a file
    with pytest.raises(Mistake, match=f"folder {below} can't be written.*another as --cache DIR$"):
        datasets.load(fer_file, below)
    monkeypatch.setenv("FER_STUDY_CACHE", str(below))  # study.run has no --cache
    with pytest.raises(Mistake, match="give another as FER_STUDY_CACHE$"):
        datasets.load(fer_file)


def test_usual_cache_folder_that_cannot_be_written_is_said_and_done_without(
    fer_file, monkeypatch, capsys
):
    monkeypatch.delenv("FER_STUDY_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(fer_file))
    assert len(datasets.load(fer_file).train.labels) == 42
    assert capsys.readouterr().err.endswith(
        ": going on without it; FER_STUDY_CACHE names another\n"
    )


def test_full_disk_leaves_nothing_behind(fer_file, own_cache, monkeypatch):
    def full(file: object, **_: np.ndarray) -> None:
        file.write(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(Mistake, match="can't be written \\(No space left on device\\)"):
        datasets.load(fer_file)
    assert cache_files(own_cache) == []


def test_two_processes_that_prepare_at_once_do_no_harm(fer_file, own_cache):
    command = [sys.executable, "-m", "study.data", str(fer_file)]
    root = Path(datasets.__file__).parents[2]
    both = [subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE) for _ in range(2)]
    printed = [process.communicate(timeout=600)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert printed[0] == printed[1]
    assert len(cache_files(own_cache)) == 1
    assert datasets.stored(next(own_cache.iterdir())).digest.encode() in printed[0]


def test_description_is_counts_overlaps_and_notes(tmp_path):
    levels = {"train/a": list(range(1, 19)), "train/bb": [1, *range(20, 39)]}
    path = write_folder(tmp_path / "set", levels | {"test/a": [5, 5], "test/bb": [99]})
    dataset = datasets.load(path)
    dataset = replace(dataset, notes=("one", "two"), duplicate=np.array([True, True, False]))
    part = datasets.overlaps(dataset)
    assert datasets.describe(dataset) == (
        f"set: 41 images of 48 x 48 pixels in 2 classes, digest {dataset.digest}\n\n"
        "        a  bb all\n"
        "train  16  18  34\n"
        "val     2   2   4\n"
        "test    2   1   3\n"
        "all    20  21  41\n\n"
        f"{datasets.printed(part)}\n\n"
        "test images that also occur in train or val: 2\n"
        "val images that also occur in train: 0\n"
        "near copies: test images of one in train or val 0, val images of one in train 0\n"
        "groups of identical images with different labels: 1\n\n"
        "Note: one.\n\n"
        "Note: two."
    )


def test_numbers_are_printed_with_thousands_separators():
    table = pd.DataFrame({"train": [28_709, 0]}, index=["x", "y"])
    assert datasets.printed(table) == "    train\nx  28,709\ny       -"


def test_command_describes_and_prepares(fer_file, tmp_path, capsys):
    assert __main__.main([str(fer_file), "--cache", str(tmp_path / "kept")]) == 0
    out, err = capsys.readouterr()
    assert out.startswith("fer2013: 70 images of 48 x 48 pixels in 7 classes, digest ")
    assert err == "" and len(cache_files(tmp_path / "kept")) == 1


def test_command_tells_a_mistake_in_one_line_with_code_2(tmp_path, capsys):
    path = tmp_path / "no\nwhere"
    assert __main__.main([str(path), "--image-px", "32"]) == 2
    assert "--image-px is 32: faces are kept at 48 x 48 at least" in capsys.readouterr().err
    assert __main__.main([str(path)]) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1
    assert err.startswith(f"study.data: there is no {tmp_path}/no where; expected the table")


def test_bad_source_leaves_the_cache_as_it_was(fer_file, own_cache):
    datasets.load(fer_file)
    before = cache_files(own_cache)
    fer_file.write_text(fer_file.read_text() + "0,1 2 3,Training\n")
    with pytest.raises(Mistake, match="row 70 "):
        datasets.load(fer_file)
    assert cache_files(own_cache) == before


def test_command_takes_a_source_or_a_download_not_both(capsys):
    with pytest.raises(SystemExit) as caught:
        __main__.main(["fer2013.csv", "--download"])
    assert caught.value.code == 2
    assert "--download brings its own source" in capsys.readouterr().err


@pytest.fixture
def no_credentials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home without Kaggle credentials, and no network behind kagglehub."""
    for name in ("KAGGLE_API_TOKEN", "KAGGLE_USERNAME", "KAGGLE_KEY", "KAGGLE_KERNEL_RUN_TYPE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("KAGGLE_CONFIG_DIR", str(tmp_path))
    monkeypatch.setattr(kagglehub, "dataset_download", pytest.fail)
    return tmp_path


def test_download_without_credentials_says_what_to_do(no_credentials, capsys):
    assert __main__.main(["--download"]) == 2
    err = capsys.readouterr().err
    assert err.startswith("study.data: no Kaggle credentials were found; expected an API token")
    assert "https://www.kaggle.com/datasets/msambare/fer2013" in err and err.count("\n") == 1


def test_download_with_a_broken_credentials_file_says_which(no_credentials, capsys):
    (no_credentials / "kaggle.json").write_text("{")
    assert __main__.main(["--download"]) == 2
    assert f"credentials file at {no_credentials}/kaggle.json" in capsys.readouterr().err


def test_download_tries_the_second_data_set_and_reads_it(no_credentials, fer_file, monkeypatch):
    asked = []

    def serve(handle: str) -> str:
        asked.append(handle)
        if len(asked) == 1:
            raise ConnectionError("no route\nto host")
        return str(fer_file.parent)

    (no_credentials / "kaggle.json").write_text(json.dumps({"username": "me", "key": "0"}))
    monkeypatch.setattr(kagglehub, "dataset_download", serve)
    assert __main__.main(["--download"]) == 0
    assert asked == ["msambare/fer2013", "deadskull7/fer2013"]


def test_download_says_what_to_give_to_a_study(no_credentials, fer_file, monkeypatch, capsys):
    monkeypatch.setattr("study.data.__main__.download", lambda: fer_file.parent)
    assert __main__.main(["--download"]) == 0
    out = capsys.readouterr().out
    assert f"python -m study.run --data {fer_file.parent}\n" in out


def test_a_sources_name_holds_from_any_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert datasets.absolute("here/fer.csv") == str(tmp_path / "here" / "fer.csv")
    for as_it_is in ("faces", "faces:140", "s3://bucket/fer.csv", "/a/fer.csv"):
        assert datasets.absolute(as_it_is) == as_it_is


def test_download_that_fails_twice_says_why(no_credentials, monkeypatch, capsys):
    def refuse(handle: str) -> str:
        raise ConnectionError("no route\nto host")

    monkeypatch.setenv("KAGGLE_API_TOKEN", "0")
    monkeypatch.setattr(kagglehub, "dataset_download", refuse)
    assert __main__.main(["--download"]) == 2
    assert capsys.readouterr().err.startswith(
        "study.data: Kaggle gave neither data set (msambare/fer2013: no route; "
        "deadskull7/fer2013: no route); check the network"
    )


@pytest.fixture(scope="module")
def real_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The real files are read once: a table of 300 MB takes seven seconds."""
    return tmp_path_factory.mktemp("real")


@needs_real
@pytest.mark.parametrize(
    ("file", "digest"),
    {
        "fer2013.csv.xz": "6633285713737303",
        "fer2013-kaggle-folders.zip": "93edc24e138aae46",  # JPEGs: other pixels, another order
    }.items(),
)
def test_real_fer2013_has_the_published_counts_and_overlaps(file, digest, real_cache):
    dataset = datasets.load(Path(REAL, file), real_cache)
    assert (dataset.name, dataset.digest, dataset.notes) == ("fer2013", digest, ())
    assert datasets.counts(dataset).to_dict("list") == {
        "angry": [3995, 467, 491],
        "disgust": [436, 56, 55],
        "fear": [4097, 496, 528],
        "happy": [7215, 895, 879],
        "neutral": [4965, 607, 626],
        "sad": [4830, 653, 594],
        "surprise": [3171, 415, 416],
    }
    found = datasets.overlaps(dataset)
    assert found.loc["further copy within the split"].tolist() == [1236, 26, 17]
    assert found.loc["also in train"].tolist() == [0, 280, 288]  # 568 of both test halves
    assert found.loc["also in val", "test"] == 44
    assert found.loc["identical to one with another label"].sum() == 160
    assert found.loc["blank (a single grey level)"].tolist() == [11, 1, 0]
    assert (dataset.duplicate.sum(), dataset.val_duplicate.sum()) == (314, 280)
    assert "groups of identical images with different labels: 57" in datasets.describe(dataset)


@needs_real
def test_real_table_has_the_published_pixels(real_cache):
    rows = pd.read_csv(Path(REAL, "fer2013-rows.csv"))
    dataset = datasets.load(Path(REAL, "fer2013.csv.xz"), real_cache)
    for part in datasets.parts(dataset):
        listed = rows.iloc[part.ids]
        for place in (0, len(listed) // 2, len(listed) - 1):
            digest = hashlib.sha256(part.images[place].tobytes()).hexdigest()[:16]
            assert digest == listed["pixels_sha256"].iloc[place]
        names = np.array(EMOTIONS)[listed["emotion"]]
        assert (np.array(dataset.classes)[part.labels] == names).all()


@needs_real
def test_real_folder_copy_with_plain_names_is_carved_without_leaks_within_train(tmp_path):
    path = tmp_path / "plain.zip"
    with (
        zipfile.ZipFile(Path(REAL, "fer2013-kaggle-folders.zip")) as told,
        zipfile.ZipFile(path, "w") as plain,
    ):
        for name in told.namelist():
            unmarked = name.replace("PublicTest", "one").replace("PrivateTest", "two")
            plain.writestr(unmarked, told.read(name))
    dataset = datasets.load(path)
    assert [len(part.labels) for part in datasets.parts(dataset)] == [25_523, 3_186, 7_178]
    assert datasets.overlaps(dataset).loc["also in train", "val"] == 0
    assert dataset.duplicate.sum() == 568
    share = datasets.counts(dataset)
    assert ((share.loc["val"] * 9 - share.loc["train"] - share.loc["val"]).abs() < 9).all()
