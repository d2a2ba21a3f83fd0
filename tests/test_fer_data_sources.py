import gzip
import io
import lzma
import os
import re
import struct
import tarfile
import zipfile
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fer_data import Mistake, image_files, sources
from fer_data import table as tables

USAGES = ("Training", "PublicTest", "PrivateTest")
GREY = "7 " * 2303 + "7"


def table(path: Path, rows: list[tuple[object, str, str]], header="emotion,pixels,Usage") -> Path:
    path.write_text("\n".join([header, *(f"{e},{p},{u}" for e, p, u in rows)]) + "\n")
    return path


def whole(emotions=(0, 3)) -> list[tuple[object, str, str]]:
    return [(emotion, GREY, usage) for usage in USAGES for emotion in emotions]


def encoded(level: int = 7, kind: str = "PNG", size=(48, 48), mode: str = "L") -> bytes:
    file = io.BytesIO()
    Image.new("L", size, level).convert(mode).save(file, kind)
    return file.getvalue()


def tree_files(prefix: str = "") -> dict[str, bytes]:
    """A folder copy of two classes: file name -> content."""
    names = ("train/{}/Training_1.png", "test/{}/PublicTest_2.png", "test/{}/PrivateTest_3.png")
    labels = ("happy", "angry")
    return {
        prefix + name.format(label): encoded(10 * place + len(label))
        for place, name in enumerate(names)
        for label in labels
    }


def folder(path: Path, files: dict[str, bytes]) -> Path:
    path.mkdir()
    for name, content in files.items():
        file = path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        if not name.endswith("/"):
            file.write_bytes(content)
        else:
            file.mkdir()
    return path


def archive(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in files.items():
            file.writestr(name, content)
    return path


def refusal(path: Path) -> str:
    """The one sentence in which a source is refused."""
    with pytest.raises(Mistake) as caught:
        sources.read(path)
    sentence = str(caught.value)
    assert "\n" not in sentence and str(path) in sentence
    return sentence.replace(str(path), "SOURCE")


def same(one: sources.Rows, other: sources.Rows) -> bool:
    return all(
        np.array_equal(getattr(one, field), getattr(other, field))
        for field in ("images", "names", "splits", "ids", "notes")
    )


def test_table_keeps_rows_levels_usages_and_class_numbers(tmp_path):
    ramp = " ".join(str(place % 256) for place in range(2304))
    rows = [(6, ramp, "PrivateTest"), (1, GREY, "Training"), (4, GREY, "PublicTest")]
    found = sources.read(table(tmp_path / "fer2013.csv", rows))
    assert found.images.shape == (3, 48, 48) and found.images.dtype == np.uint8
    assert found.images[0].ravel().tolist() == [place % 256 for place in range(2304)]
    assert found.names.tolist() == ["class 6", "class 1", "class 4"]
    assert found.splits.tolist() == ["test", "train", "val"]
    assert found.ids.tolist() == [0, 1, 2]


@pytest.mark.parametrize("end", [".csv", ".csv.xz", ".csv.gz", ".zip", ".bin", ""])
def test_packing_is_told_by_content_and_changes_nothing(tmp_path, fer_file, end):
    content = fer_file.read_bytes()
    path = tmp_path / f"packed{end}"
    if end == ".zip":
        archive(path, {"__MACOSX/._fer2013.csv": b"\0", "fer2013/fer2013.csv": content})
    else:
        path.write_bytes({".csv.gz": gzip.compress, ".csv": bytes}.get(end, lzma.compress)(content))
    assert same(sources.read(path), sources.read(fer_file))


def test_icml_columns_have_leading_blanks_and_another_order(tmp_path):
    rows = [(emotion, usage, pixels) for emotion, pixels, usage in whole()]
    path = table(tmp_path / "icml_face_data.csv", rows, header="emotion, Usage, pixels")
    assert same(sources.read(path), sources.read(table(tmp_path / "fer2013.csv", whole())))


def test_byte_order_mark_and_windows_lines_and_blank_lines_are_read(tmp_path):
    plain = table(tmp_path / "fer2013.csv", whole())
    odd = tmp_path / "odd.csv"
    odd.write_bytes(b"\xef\xbb\xbf" + plain.read_bytes().replace(b"\n", b"\r\n\r\n"))
    assert same(sources.read(odd), sources.read(plain))


def test_table_that_names_its_emotions_keeps_the_names(tmp_path):
    found = sources.read(table(tmp_path / "t.csv", whole(emotions=("sad", "happy"))))
    assert found.names.tolist() == ["sad", "happy"] * 3 and found.notes == ()
    path = table(tmp_path / "mixed.csv", [*whole(emotions=("sad", "happy")), (3, GREY, "Training")])
    assert "row 6 (line 8) has the emotion '3'; expected a class name as above" in refusal(path)


def test_a_person_names_the_numbers_of_a_table(tmp_path):
    path = table(tmp_path / "smile.csv", whole(emotions=(0, 1)))
    found = sources.read(path, ("no smile", "smile"))
    assert found.names.tolist() == ["no smile", "smile"] * 3


BAD_ROWS = {
    "short": ((0, GREY[2:], "Training"), "has 2,303 pixels; expected 48 x 48 = 2,304"),
    "long": ((0, GREY + " 7", "Training"), "has 2,305 pixels; expected 48 x 48 = 2,304"),
    "bright": ((0, GREY[:-1] + "999", "Training"), "has a pixel of 999; expected 0 to 255"),
    "wrapping": ((0, GREY[:-1] + "4294967303", "Training"), "has a pixel of 4294967303"),
    "negative": ((0, "-1" + GREY[1:], "Training"), "has the pixel '-1'; expected whole numbers"),
    "fraction": ((0, GREY[:-1] + "7.5", "Training"), "has the pixel '7.5'; expected whole"),
    "dash": ((0, GREY[:-1] + "-", "Training"), "has the pixel '-'; expected whole numbers"),
    "word": ((0, "x" + GREY[1:], "Training"), "has the pixel 'x'; expected whole numbers"),
    "none": ((0, "", "Training"), "has 0 pixels; expected 48 x 48 = 2,304"),
    "usage": (
        (0, GREY, "Testing"),
        "has the Usage 'Testing'; expected one of Training, PublicTest",
    ),
    "emotion": (("sad", GREY, "Training"), "has the emotion 'sad'; expected a class number"),
    "huge": (("9" * 5000, GREY, "Training"), f"has the emotion '{'9' * 40}'; expected a class"),
    "below": ((-1, GREY, "Training"), "has the emotion '-1'; expected a class number"),
    "cells": ((0, GREY, "Training,1"), "has 4 cells; expected 3 as in the header"),
}


@pytest.mark.parametrize("kind", BAD_ROWS)
def test_bad_row_is_named(tmp_path, kind):
    row, sentence = BAD_ROWS[kind]
    path = table(tmp_path / "fer2013.csv", [*whole(), row])
    assert f"SOURCE: row 6 (line 8) {sentence}" in refusal(path)


def test_bad_row_of_a_packed_table_is_named_too(tmp_path):
    plain = table(tmp_path / "fer2013.csv", [(0, "1 2", "Training")])
    path = archive(tmp_path / "fer.zip", {"fer2013.csv": plain.read_bytes()})
    assert "SOURCE: fer2013.csv: row 0 (line 2) has 2 pixels" in refusal(path)


@pytest.mark.parametrize("usage", USAGES)
def test_table_without_one_usage_is_refused(tmp_path, usage):
    path = table(tmp_path / "fer2013.csv", [row for row in whole() if row[2] != usage])
    assert refusal(path).startswith(f"SOURCE has no row with the Usage {usage}; expected rows")


def test_table_of_other_columns_is_refused_with_what_they_are(tmp_path):
    path = table(tmp_path / "train.csv", [(0, GREY, "")], header="emotion,pixels,x")
    assert refusal(path).startswith(
        "SOURCE has the columns 'emotion, pixels, x'; expected emotion, pixels, Usage: expected the"
    )


@pytest.mark.parametrize(
    ("content", "sentence"),
    {
        b"": "SOURCE has the columns ''",
        b"emotion,pixels,Usage\n": "SOURCE has no row with the Usage Training",
        b"# notes\n\nnot a table": "SOURCE has the columns '# notes'",
        b"emotion,pixels,Usage\n0,\xff\xfe,Training": "SOURCE is not UTF-8 text, or is damaged",
        encoded(): "SOURCE is not UTF-8 text, or is damaged; expected the table",
        lzma.compress(b"0" * 10**7): "SOURCE has a line of 100,000 characters or more",
        b"PK\5\6" + b"\0" * 18: "SOURCE is empty; expected the table",
        b"PK\3\4 and then nothing": "SOURCE is damaged or cut short",
    }.items(),
)
def test_file_that_is_no_data_set_is_refused(tmp_path, content, sentence):
    path = tmp_path / "fer2013.csv"
    path.write_bytes(content)
    assert sentence in refusal(path)


@pytest.mark.parametrize("end", ["xz", "gz", "zip"])
def test_truncated_packing_is_refused(tmp_path, fer_file, end):
    path = tmp_path / f"fer2013.csv.{end}"
    if end == "zip":
        archive(path, {"fer2013.csv": fer_file.read_bytes()})
    else:
        path.write_bytes({"xz": lzma, "gz": gzip}[end].compress(fer_file.read_bytes()))
    content = bytearray(path.read_bytes())
    path.write_bytes(content[: len(content) // 2])
    assert re.match(r"SOURCE is damaged or cut short \(.+\); get a whole copy", refusal(path))


@pytest.mark.parametrize("end", ["xz", "gz"])
def test_flipped_bit_in_the_checksum_is_found(tmp_path, fer_file, end):
    path = tmp_path / f"fer2013.csv.{end}"
    content = bytearray({"xz": lzma, "gz": gzip}[end].compress(fer_file.read_bytes()))
    content[-8] ^= 1
    path.write_bytes(content)
    assert re.match(r"SOURCE is damaged or cut short \(.+\); get a whole copy", refusal(path))


def test_missing_source_is_refused(tmp_path):
    assert refusal(tmp_path / "nowhere.csv").startswith("there is no SOURCE; expected the table")


def test_source_that_is_neither_file_nor_folder_is_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    assert refusal(tmp_path / "pipe").startswith("SOURCE is neither a file nor a folder")


@pytest.mark.parametrize("prefix", ["", "archive/", "a/b/"])
def test_folder_and_its_zip_are_the_same_rows_below_any_prefix(tmp_path, prefix):
    clutter = {"__MACOSX/train/happy/._1.png": b"x", "train/happy/.DS_Store": b"x"}
    files = tree_files(prefix) | {prefix + name: content for name, content in clutter.items()}
    for path in (folder(tmp_path / "fer", files), archive(tmp_path / "fer.zip", files)):
        found = sources.read(path)
        assert found.names.tolist() == ["angry"] * 2 + ["happy"] * 2 + ["angry", "happy"]
        assert found.splits.tolist() == ["test", "val", "test", "val", "train", "train"]
        assert found.images[:, 5, 5].tolist() == [25, 15, 25, 15, 5, 5]
        assert found.ids.tolist() == [0, 1, 2, 3, 4, 5]
        assert found.notes == ()


def test_windows_zip_with_backslashes_is_read(tmp_path):
    files = {name.replace("/", "\\"): content for name, content in tree_files().items()}
    plain = archive(tmp_path / "plain.zip", tree_files())
    assert same(sources.read(archive(tmp_path / "dos.zip", files)), sources.read(plain))


def test_val_folder_is_the_validation_split_whatever_the_names_say(tmp_path):
    files = tree_files() | {"Valid/angry/1.png": encoded(), "Valid/happy/2.png": encoded()}
    found = sources.read(folder(tmp_path / "affectnet", files))
    assert found.splits.tolist() == ["val", "val"] + ["test"] * 4 + ["train"] * 2


def test_names_that_do_not_tell_the_halves_leave_test_whole_and_say_so(tmp_path):
    files = {name.replace("PublicTest", "im"): content for name, content in tree_files().items()}
    found = sources.read(folder(tmp_path / "fer", files))
    assert found.splits.tolist() == ["test"] * 4 + ["train"] * 2
    assert found.notes == (
        "the names in test/ don't tell the two test halves apart (0 begin with PublicTest_, 2 "
        "with PrivateTest_, 2 with neither)",
    )


def test_formats_sizes_and_colours_become_48_px_grey_and_are_counted(tmp_path):
    files = tree_files() | {
        "train/angry/wide.JPG": encoded(200, "JPEG", size=(100, 90)),
        "train/happy/photo.jpeg": encoded(100, "JPEG", size=(100, 100), mode="RGB"),
        "train/happy/photo2.bmp": encoded(50, "BMP", size=(100, 100), mode="RGB"),
        "train/happy/palette.png": encoded(25, mode="P"),
        "train/happy/labels.txt": b"not an image",
        "README.md": b"nor this",
    }
    found = sources.read(folder(tmp_path / "raf-db", files))
    assert found.names[4:].tolist() == ["angry"] * 2 + ["happy"] * 4
    assert found.images[4:, 24, 24].tolist() == [5, 200, 5, 25, 100, 50]
    assert found.notes == (
        "files that are no images as SPLIT/CLASS/NAME were left out: 1 .txt in happy, 1 .md "
        "outside SPLIT/CLASS/",
        "3 images of 100 x 100, 100 x 90 pixels were resized to 48 x 48",
        "1 images aren't square and were squeezed to it",
        "3 images were made grey",
    )


def test_a_long_reading_tells_how_far_it_is_on_a_terminal_alone(monkeypatch, capsys):
    told = partial(image_files.told, of=image_files.MANY)
    told(500)
    assert capsys.readouterr().err == ""
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    told(5000)
    assert "[###############...............] 5,000 of 10,000" in capsys.readouterr().err
    told(image_files.MANY - 1)
    assert capsys.readouterr().err.strip() == "", "it wipes its line at the end"
    image_files.told(50, 100)
    assert capsys.readouterr().err == "", "a hundred images need none"


def test_resizing_is_antialiased(tmp_path):
    stripes = np.tile(np.array([0, 255], np.uint8), (96, 48))
    files = tree_files()
    file = io.BytesIO()
    Image.fromarray(stripes).save(file, "PNG")
    files["train/angry/Training_1.png"] = file.getvalue()
    found = sources.read(folder(tmp_path / "fer", files))
    assert np.abs(found.images[4, 2:-2, 2:-2].astype(int) - 127).max() < 40


def sized(width: int, height: int) -> bytes:
    """A JPEG whose header claims this size."""
    content = encoded(kind="JPEG")
    place = content.index(b"\xff\xc0") + 5
    return content[:place] + struct.pack(">HH", height, width) + content[place + 4 :]


@pytest.mark.parametrize(
    ("content", "sentence"),
    {
        b"": "doesn't decode as an image",
        b"GIF89a, or so": "doesn't decode as an image",
        encoded(kind="JPEG")[:-200]: "doesn't decode as an image (unknown or cut short)",
        encoded(mode="RGB", kind="EPS"): "doesn't decode as an image",  # Ghostscript never runs
        encoded(mode="I;16"): "has pixels of the kind I;16; expected 8 bits a channel",
        sized(10_000, 10_000): "unpacks to more than 89,478,485 pixels",
        sized(60_000, 60_000): "unpacks to more than 89,478,485 pixels",
    }.items(),
)
@pytest.mark.parametrize("pack", [folder, archive])
def test_image_that_does_not_decode_is_named(tmp_path, pack, content, sentence):
    files = tree_files() | {"train/angry/bad.jpg": content}
    assert f"SOURCE: train/angry/bad.jpg {sentence}" in refusal(pack(tmp_path / "fer", files))


def test_image_file_of_more_than_the_limit_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr(image_files, "FILE_LIMIT", 2**20)
    files = tree_files() | {"train/angry/bad.jpg": b"\0" * (2**20 + 1)}
    assert "train/angry/bad.jpg has more than 1 MiB" in refusal(archive(tmp_path / "f.zip", files))


@pytest.mark.parametrize("name", ["../evil.png", "train/../../evil.png", "/evil.png", "C:\\evil"])
def test_zip_with_paths_that_climb_out_is_refused(tmp_path, name):
    path = archive(tmp_path / "fer.zip", tree_files() | {name: encoded()})
    assert "which climbs out of the archive" in refusal(path)


def test_zip_that_holds_a_name_twice_is_refused(tmp_path):
    path = archive(tmp_path / "fer.zip", tree_files())
    with zipfile.ZipFile(path, "a") as file, pytest.warns(UserWarning, match="Duplicate name"):
        file.writestr("train/angry/Training_1.png", encoded(9))
    assert refusal(path).startswith("SOURCE holds 'train/angry/Training_1.png' twice; expected one")


def test_encrypted_zip_is_refused(tmp_path):
    path = archive(tmp_path / "fer.zip", tree_files())
    content = bytearray(path.read_bytes())
    for place in [match.start() for match in re.finditer(b"PK\1\2", content)]:
        content[place + 8] |= 1
    path.write_bytes(content)
    assert refusal(path).startswith("SOURCE is encrypted ('train/happy/Training_1.png')")


def test_zip_packed_in_an_unknown_way_is_refused(tmp_path):
    path = archive(tmp_path / "fer.zip", tree_files())
    content = bytearray(path.read_bytes())
    for place in [match.start() for match in re.finditer(b"PK\1\2", content)]:
        content[place + 10] = 98  # PPMd
    path.write_bytes(content)
    assert refusal(path).startswith("SOURCE is packed in a way unknown here (")


@pytest.mark.parametrize("pack", [folder, archive])
@pytest.mark.parametrize("split", ["train", "test"])
def test_split_folder_that_is_missing_is_refused(tmp_path, pack, split):
    files = {name: data for name, data in tree_files("x/").items() if split not in name.split("/")}
    told = refusal(pack(tmp_path / "fer", files))
    assert f"SOURCE has no images in {split}/CLASS/" in told
    assert told.endswith(
        "add them, or give the folder that holds the classes, all of which is taken as one"
    )


@pytest.mark.parametrize("pack", [folder, archive])
def test_empty_class_folder_is_refused(tmp_path, pack):
    path = pack(tmp_path / "fer", tree_files() | {"train/fear/": b""})
    assert refusal(path).startswith("SOURCE: the class folder train/fear/ holds no image; expected")


def test_two_data_sets_in_one_folder_are_refused(tmp_path):
    path = folder(tmp_path / "fer", tree_files() | tree_files("again/"))
    assert sources.read(path).notes == ("again/ holds the same files again and was left out",)
    (path / "again/train/happy/Training_1.png").write_bytes(encoded(99))
    assert "in several folders (./, again)" in refusal(path)


@pytest.mark.parametrize("pack", [folder, archive])
def test_folder_with_nothing_in_it_is_refused(tmp_path, pack):
    assert refusal(pack(tmp_path / "fer", {})).startswith("SOURCE is empty; expected the table")


def test_folder_of_other_things_is_refused_with_what_it_holds(tmp_path):
    path = folder(tmp_path / "fer", {"cats/1.png": encoded(), "dogs/2.png": encoded()})
    assert refusal(path).startswith("SOURCE holds no data set but cats/1.png, dogs/2.png; expected")


def test_folder_that_holds_the_table_is_read_as_the_table(tmp_path, fer_file):
    files = {"fer2013.csv.xz": lzma.compress(fer_file.read_bytes()), "fer2013new.csv": b"votes"}
    path = folder(tmp_path / "versions", files)
    assert same(sources.read(path), sources.read(fer_file))
    (path / "fer2013.csv.xz").unlink()
    (path / "other.csv").touch()
    assert "holds 2 tables (fer2013new.csv, other.csv); expected one" in refusal(path)


def test_loop_of_links_ends(tmp_path):
    path = folder(tmp_path / "fer", tree_files())
    (path / "loop").symlink_to(path)
    (path / "train/happy/up").symlink_to("..")
    assert same(sources.read(path), sources.read(folder(tmp_path / "plain", tree_files())))


def test_a_tar_and_its_folder_hold_the_same_behind_links(tmp_path):
    path = folder(tmp_path / "fer", tree_files() | {"pool/7.png": encoded(7)})
    (path / "train/happy/link.png").symlink_to("../../pool/7.png")
    with tarfile.open(tmp_path / "fer.tar", "w") as tar:
        tar.add(path, arcname=".")
    assert same(sources.read(tmp_path / "fer.tar"), sources.read(path))
    (path / "train/happy/link.png").unlink()
    (path / "train/happy/link.png").symlink_to(path / "pool/7.png")
    with tarfile.open(tmp_path / "fer.tar", "w") as tar:
        tar.add(path, arcname=".")
    assert "'train/happy/link.png', a link to '" in refusal(tmp_path / "fer.tar")


@pytest.mark.parametrize("column", ["emotion", "pixels", "Usage"])
def test_a_column_that_is_there_twice_is_refused(tmp_path, column):
    path = table(tmp_path / "fer.csv", whole(), header="emotion,pixels,Usage,old")
    path.write_text(path.read_text().replace("old", column).replace("Test\n", "Test,1\n"))
    assert f"SOURCE has the column {column} 2 times; expected it once" in refusal(path)


@pytest.mark.parametrize("missing", ["nan", "NaN", "None", "null"])
def test_a_label_that_is_missing_is_no_class(tmp_path, missing):
    rows = whole(("angry", "happy"))
    rows[1] = (missing, *rows[1][1:])
    assert "has the emotion" in refusal(table(tmp_path / "fer.csv", rows))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read any file")
def test_unreadable_source_is_refused(fer_file):
    fer_file.chmod(0)
    assert refusal(fer_file).startswith("SOURCE can't be read (Permission denied)")


def test_system_error_is_one_sentence_with_the_path(fer_file, monkeypatch):
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied", str(fer_file))

    monkeypatch.setattr(Path, "open", refuse)
    assert refusal(fer_file).startswith("SOURCE can't be read (Permission denied); check the path")


def test_digest_is_of_bytes_names_and_images(tmp_path, fer_file):
    path = folder(tmp_path / "fer", tree_files())
    before = sources.digest(path)
    assert re.fullmatch("[0-9a-f]{16}", before)
    assert sources.digest(folder(tmp_path / "copy", tree_files())) == before
    (path / "train/happy/Training_1.png").write_bytes(encoded(99))
    changed = sources.digest(path)
    (path / "train/happy/Training_1.png").rename(path / "train/happy/Training_9.png")
    renamed = sources.digest(path)
    table_before = sources.digest(fer_file)
    fer_file.write_text(fer_file.read_text() + "\n")
    assert len({before, changed, renamed, table_before, sources.digest(fer_file)}) == 5


def test_nothing_is_written_beside_the_source(tmp_path):
    folder(tmp_path / "alone", {})
    path = archive(tmp_path / "alone" / "fer.zip", tree_files())
    sources.digest(path)
    sources.read(path)
    assert list(path.parent.iterdir()) == [path]


def test_the_zip_of_the_challenge_is_read_though_it_holds_other_tables(tmp_path):
    """Kaggle's own: icml_face_data.csv, whose header has blanks, beside the lists to submit."""
    rows = [(emotion, usage, pixels) for emotion, pixels, usage in whole()]
    faces = table(tmp_path / "icml_face_data.csv", rows, header="emotion, Usage, pixels")
    files = {
        "icml_face_data.csv": faces.read_bytes(),
        "train.csv": b"emotion,pixels\n",
        "test.csv": b"pixels\n",
        "example_submission.csv": b"emotion\n",
    }
    assert same(sources.read(archive(tmp_path / "challenges.zip", files)), sources.read(faces))


def test_levels_read_at_once_are_those_read_one_by_one():
    """And what is unusual or wrong is left to the reading of a single row."""
    drawn = np.random.default_rng(0).integers(0, 256, (5, tables.PIXELS))
    rows = [" ".join(map(str, row)).encode() for row in drawn]
    assert np.array_equal(tables.quickly(rows), drawn)
    padded = [b" " + rows[0].replace(b" ", b"  ", 9) + b" ", b"007 " + rows[1].split(b" ", 1)[1]]
    assert tables.quickly(padded) is None
    single = tables.levels_of([("a", padded[0]), ("b", padded[1])])
    assert np.array_equal(single[0], drawn[0])
    assert single[1, 0] == 7
    for wrong in (b"00", b"256", b"300", b"299", b"999", b"0012", b"-1", b"1.5", b"x", b"", b"1 2"):
        assert tables.quickly([rows[0], wrong + b" " + rows[1].split(b" ", 1)[1]]) is None


def test_quotes_and_line_ends_of_a_table_change_nothing(tmp_path):
    rows = whole()
    plain = table(tmp_path / "plain.csv", rows)
    text = plain.read_text()
    quoted = "\r\n".join(f'{e},"{p}","{u}"' for e, p, u in rows)
    (tmp_path / "quoted.csv").write_bytes(
        ("\ufeff" + text.splitlines()[0] + "\r\n\r\n" + quoted).encode()
    )
    found, wanted = (sources.read(tmp_path / f"{name}.csv") for name in ("quoted", "plain"))
    assert np.array_equal(found.images, wanted.images)
    assert found.splits.tolist() == wanted.splits.tolist()
    assert found.names.tolist() == wanted.names.tolist()


def test_what_is_wrong_first_is_told_first(tmp_path):
    rows = whole()
    rows[1] = (rows[1][0], "1 2", rows[1][2])
    rows[2] = (rows[2][0], rows[2][1], "Nowhere")
    with pytest.raises(Mistake, match="row 1 .* has 2 pixels"):
        sources.read(table(tmp_path / "fer.csv", rows))
