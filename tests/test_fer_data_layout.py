"""Layouts of public copies: which split and which class an image belongs to."""

import unicodedata
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from test_fer_data_sources import archive, encoded, folder, refusal, same

from fer_data import sources

WORDS = {"Training": "training", "PublicTest": "valid", "PrivateTest": "testing"}
HALVES = "the names in test/ don't tell the two test halves apart (0 begin with PublicTest_, 0 with PrivateTest_, 8 with neither)"  # noqa: E501


def copy(where, kind: str = "png") -> dict[str, bytes]:
    """Images of two classes where `where(usage, class)` says: 6 to train, 2 and 2 to test each."""
    files, number = {}, 0
    for usage, many in {"Training": 6, "PublicTest": 2, "PrivateTest": 2}.items():
        for label in ("angry", "happy"):
            for _ in range(many):
                number += 1
                name = f"{where(usage, label)}/im{number:02}.{kind}"
                files[name] = encoded(number, {"jpg": "JPEG"}.get(kind, kind.upper()))
    return files


def two(usage: str) -> str:
    return "train" if usage == "Training" else "test"


def plain() -> dict[str, bytes]:
    return copy(lambda usage, label: f"{two(usage)}/{label}")


def counts(found: sources.Rows) -> dict[tuple[str, str], int]:
    return dict(Counter(zip(found.splits.tolist(), found.names.tolist(), strict=True)))


WHOLE = {("train", "angry"): 6, ("train", "happy"): 6, ("test", "angry"): 4, ("test", "happy"): 4}
THREE = {
    (split, label): many
    for split, many in {"train": 6, "val": 2, "test": 2}.items()
    for label in ("angry", "happy")
}


@pytest.mark.parametrize("pack", [folder, archive])
@pytest.mark.parametrize(
    ("where", "expected", "notes"),
    {
        "plain": (lambda u, c: f"{two(u)}/{c}", WHOLE, (HALVES,)),
        "packed twice": (lambda u, c: f"{two(u)}/{two(u)}/{c}", WHOLE, (HALVES,)),
        "packed twice below a name": (lambda u, c: f"a/{two(u)}/{two(u)}/{c}", WHOLE, (HALVES,)),
        "in a folder called train": (lambda u, c: f"train/{two(u)}/{c}", WHOLE, (HALVES,)),
        "below a folder called test": (lambda u, c: f"test/fer/{two(u)}/{c}", WHOLE, (HALVES,)),
        "usages": (lambda u, c: f"{u}/{c}", THREE, ()),
        "words": (
            lambda u, c: f"{WORDS[u]}/{c}",
            THREE,
            (),
        ),
        "persons": (
            lambda u, c: f"{two(u)}/{c}/person{ord(c[0]) % 2}",
            WHOLE,
            (
                HALVES,
                "20 images that lie in folders below their class's (person0, person1) are "
                "counted to it",
            ),
        ),
        "without test": (
            lambda u, c: f"images/{'train' if u == 'Training' else 'validation'}/{c}",
            WHOLE,
            ("there is no test split, so val is the test split, met once at the end",),
        ),
        "case": (
            lambda u, c: f"{two(u).title()}/{c if u == 'Training' else c.title()}",
            WHOLE,
            (
                HALVES,
                "classes that differ in case only are one: Angry and angry are one, Happy and "
                "happy are one",
            ),
        ),
    }.values(),
    ids=[
        "plain",
        "packed twice",
        "packed twice below a name",
        "in a folder called train",
        "below a folder called test",
        "usages",
        "words",
        "persons",
        "without test",
        "case",
    ],
)
def test_layouts_of_public_copies(tmp_path, pack, where, expected, notes):
    found = sources.read(pack(tmp_path / "fer", copy(where)))
    assert counts(found) == expected
    assert found.notes == notes


def test_one_base_name_in_two_classes_is_two_images(tmp_path):
    """Training_8475486 and Training_52789098 of the Kaggle copy: by base name one would be lost."""
    files = plain()
    files["train/angry/Training_8475486.png"] = encoded(50)
    files["train/happy/Training_8475486.png"] = encoded(51)
    found = sources.read(folder(tmp_path / "fer", files))
    assert counts(found) == WHOLE | {("train", "angry"): 7, ("train", "happy"): 7}


def test_a_mix_of_depths_is_whole(tmp_path):
    files = {
        name.replace("/im", "/web/im") if number % 2 else name: content
        for number, (name, content) in enumerate(plain().items())
    }
    found = sources.read(archive(tmp_path / "mixed.zip", files))
    assert counts(found) == WHOLE
    assert (
        "10 images that lie in folders below their class's (web) are counted to it" in found.notes
    )


def test_classes_at_two_depths_are_refused(tmp_path):
    files = plain() | {"train/angry/happy/x.png": encoded()}
    sentence = "train/angry/happy/x.png lies in angry/ and in happy/, which are both classes"
    assert sentence in refusal(folder(tmp_path / "fer", files))


@pytest.mark.parametrize("pack", [folder, archive])
def test_the_same_tree_twice_is_read_once_and_others_are_refused(tmp_path, pack):
    once = {f"images/{name}": content for name, content in plain().items()}
    twice = once | {f"images/images/{name}": content for name, content in plain().items()}
    found = sources.read(pack(tmp_path / "twice", twice))
    assert counts(found) == WHOLE
    assert found.notes == ("images/images/ holds the same files again and was left out", HALVES)
    assert same(replace(found, notes=(HALVES,)), sources.read(pack(tmp_path / "once", once)))
    twice["images/images/train/angry/im01.png"] += b"longer"
    what = "give the folder of one" if pack is folder else "unpack it, give one"
    sentence = (
        f"train/ or test/ in several folders (images, images/images); expected one data set: {what}"  # noqa: E501
    )
    assert sentence in refusal(pack(tmp_path / "two", twice))


def test_other_images_of_the_same_names_and_sizes_are_no_copy(tmp_path):
    files = copy(lambda usage, label: f"images/{two(usage)}/{label}", "bmp")
    first, *others = files
    again = {f"images/{name}": content for name, content in files.items()}
    again[f"images/{first}"] = files[others[0]]
    assert "in several folders" in refusal(folder(tmp_path / "fer", files | again))


@pytest.mark.parametrize("many", [1, 8])
@pytest.mark.parametrize("pack", [folder, archive])
def test_no_depth_leaves_images_out(tmp_path, pack, many):
    files = {"a/" * many + name: content for name, content in plain().items()}
    files["a/" * many + "train/happy/" + "b/" * many + "x.png"] = encoded()
    assert counts(sources.read(pack(tmp_path / "fer", files))) == WHOLE | {("train", "happy"): 7}


@pytest.mark.parametrize("pack", [folder, archive])
def test_class_folders_are_read_with_the_same_care(tmp_path, pack):
    files = {f"my/{label}/{k}.png": encoded(k) for label in ("happy", "sad") for k in range(6)}
    files |= {f"my/angry/{k}": encoded(k) for k in range(6)}
    files |= {f"my/fear/p{k}/{k}.png": encoded(k) for k in range(6)}
    found = sources.read(pack(tmp_path / "whole", files | {"my/a.png": encoded()}))
    assert Counter(found.names.tolist()) == {"happy": 6, "sad": 6, "angry": 6, "fear": 6}
    assert found.notes[0].startswith("6 images that lie in folders below their class's")
    assert found.notes[1].endswith("were left out: 1 .png outside CLASS/")
    lost = files | {"my/neutral/1.heic": b"not for this Pillow"}
    assert "the class folder my/neutral/ holds no image but 1 .heic" in refusal(
        pack(tmp_path / "lost", lost)
    )
    split = {
        f"{label}/{split}/{k}.png": encoded()
        for label in ("happy", "sad")
        for split in ("train", "test")
        for k in range(3)
    }
    assert "lies in test/ below its class happy/" in refusal(pack(tmp_path / "split", split))


@pytest.mark.parametrize("kind", ["webp", "tiff", "gif", "ppm"])
@pytest.mark.parametrize("pack", [folder, archive])
def test_whatever_pillow_opens_is_an_image(tmp_path, pack, kind):
    files = copy(lambda usage, label: f"{two(usage)}/{label}", kind)
    found = sources.read(pack(tmp_path / "fer", files))
    assert counts(found) == WHOLE
    levels = [int(level) for level in found.images[:, 24, 24]]
    assert sorted(levels) == pytest.approx(list(range(1, 21)), abs=1)


def test_endings_that_say_nothing_are_looked_into(tmp_path):
    files = {
        name.removesuffix(".png") + ("" if number % 2 else ".image"): content
        for number, (name, content) in enumerate(plain().items())
    }
    assert counts(sources.read(archive(tmp_path / "fer.zip", files))) == WHOLE


def test_jfif_and_jpg_are_the_same(tmp_path):
    files = copy(lambda usage, label: f"{two(usage)}/{label}", "jpg")
    mixed = {n.replace("1.jpg", "1.jfif"): content for n, content in files.items()}
    one = sources.read(folder(tmp_path / "jpg", files))
    assert np.array_equal(sources.read(archive(tmp_path / "m.zip", mixed)).images, one.images)


@pytest.mark.parametrize("pack", [folder, archive])
def test_a_class_that_would_vanish_is_refused(tmp_path, pack):
    files = plain()
    for name in [name for name in files if name.startswith("test/happy")]:
        files[name.replace(".png", ".heic")] = b"not for this Pillow"
        del files[name]
    assert refusal(pack(tmp_path / "fer", files)) == (
        "SOURCE: the class folder test/happy/ holds no image but 4 .heic; expected files that "
        "Pillow opens, as .jpg, .png or .webp: fill it or remove it"
    )


@pytest.mark.parametrize("pack", [folder, archive])
def test_a_class_that_would_vanish_is_refused_in_what_was_packed_twice_too(tmp_path, pack):
    files = copy(lambda usage, label: f"{two(usage)}/{two(usage)}/{label}")
    files |= {f"{split}/{split}/sad/1.heic": b"not for this Pillow" for split in ("train", "test")}
    assert "the class folder test/test/sad/ holds no image but 1 .heic" in refusal(
        pack(tmp_path / "fer", files)
    )


@pytest.mark.parametrize("pack", [folder, archive])
def test_what_is_left_out_is_counted_by_ending_and_class(tmp_path, pack):
    more = {
        "train/happy/a.txt": b"x",
        "train/happy/b.txt": b"y",
        "test/angry/c": b"z",
        "train/d.png": encoded(),
        "README.md": b"r",
    }
    found = sources.read(pack(tmp_path / "fer", plain() | more))
    assert counts(found) == WHOLE
    assert found.notes[-1] == (
        "files that are no images as SPLIT/CLASS/NAME were left out: 1 without an ending in angry, "
        "2 .txt in happy, 1 .md, 1 .png outside SPLIT/CLASS/"
    )


@pytest.mark.parametrize("pack", [folder, archive])
def test_accents_encoded_in_two_ways_are_one_class(tmp_path, pack):
    def where(usage: str, label: str) -> str:
        form = "NFC" if usage == "Training" else "NFD"
        return f"{two(usage)}/{unicodedata.normalize(form, {'angry': 'colère'}.get(label, label))}"

    found = sources.read(pack(tmp_path / "fer", copy(where)))
    assert sorted(set(found.names.tolist())) == ["colère", "happy"]
    assert Counter(found.names.tolist()) == {"colère": 10, "happy": 10}


def test_numbered_folders_have_no_names(tmp_path):
    files = copy(lambda usage, label: f"DATASET/{two(usage)}/{1 + (label == 'happy')}")
    found = sources.read(folder(tmp_path / "raf", files))
    assert sorted(set(found.names.tolist())) == ["class 1", "class 2"]
    named = sources.read(tmp_path / "raf", ("surprise", "fear"))
    assert counts(named)["train", "surprise"] == 6
