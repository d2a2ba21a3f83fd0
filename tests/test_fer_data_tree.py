import gzip
import io
import os
import struct
import tarfile
import zipfile
import zlib
from pathlib import Path

import pytest
from test_fer_data_sources import archive, encoded, folder, refusal, same, tree_files

from fer_data import sources

CHINESE = {"happy": "高兴", "angry": "生气"}


def unflagged(path: Path, files: dict[bytes, bytes]) -> Path:
    """A stored zip whose names are in no encoding that it tells, as Windows programs write them."""
    body, central = b"", b""
    for name, content in files.items():
        sizes = (zlib.crc32(content), len(content), len(content), len(name))
        head = struct.pack("<4s5H3L2H", b"PK\3\4", 20, 0, 0, 0, 33, *sizes, 0)
        entry = (20, 20, 0, 0, 0, 33, *sizes, 0, 0, 0, 0, 0, len(body))
        central += struct.pack("<4s6H3L5H2L", b"PK\1\2", *entry) + name
        body += head + name + content
    end = (0, 0, len(files), len(files), len(central), len(body), 0)
    path.write_bytes(body + central + struct.pack("<4s4H2LH", b"PK\5\6", *end))
    return path


def tarred(path: Path, files: dict[str, bytes], kind: str = "gz") -> Path:
    with tarfile.open(path, f"w:{kind}") as file:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            file.addfile(info, io.BytesIO(content))
    return path


def renamed(names: dict[str, str], encoding: str) -> dict[bytes, bytes]:
    found = {}
    for name, content in tree_files().items():
        for old, new in names.items():
            name = name.replace(old, new)
        found[name.encode(encoding)] = content
    return found


@pytest.mark.parametrize("end", ["tar.gz", "tar.xz", "tar.bz2", "tar"])
def test_table_in_a_tar_is_the_table(tmp_path, fer_file, end):
    """The challenge's own download is fer2013.tar.gz with fer2013/fer2013.csv and two texts."""
    files = {
        "fer2013/fer2013.csv": fer_file.read_bytes(),
        "fer2013/README": b"x",
        "fer2013/fer2013.bib": b"y",
    }
    path = tarred(tmp_path / f"fer2013.{end}", files, end.removeprefix("tar").strip("."))
    assert same(sources.read(path), sources.read(fer_file))


@pytest.mark.parametrize("kind", ["gz", "xz", ""])
def test_images_in_a_tar_are_those_of_the_folder(tmp_path, kind):
    files = {f"./{name}": content for name, content in reversed(tree_files().items())}
    path = tarred(tmp_path / "fer.tar", files, kind)
    assert same(sources.read(path), sources.read(folder(tmp_path / "fer", tree_files())))


def test_a_packed_tar_is_read_in_its_own_order_not_once_an_image(tmp_path, monkeypatch):
    """Each step back begins a gzip anew: 35,887 images in the order of names would take days."""
    files = {f"{split}/happy/{n}.png": encoded(n) for n in range(40) for split in ("test", "train")}
    path = tarred(tmp_path / "fer.tar.gz", files)
    rewound = []
    rewind = gzip._GzipReader._rewind
    monkeypatch.setattr(gzip._GzipReader, "_rewind", lambda self: (rewound.append(1), rewind(self)))
    found = sources.read(path)
    assert found.images[:, 0, 0].tolist() == sorted(range(40), key=str) * 2
    assert len(rewound) <= 3


@pytest.mark.parametrize("name", ["../evil.png", "/evil.png"])
def test_tar_with_paths_that_climb_out_is_refused(tmp_path, name):
    path = tarred(tmp_path / "fer.tar.gz", tree_files() | {name: encoded()})
    assert "which climbs out of the archive" in refusal(path)


def test_a_link_in_a_tar_leads_nowhere(tmp_path):
    path = tarred(tmp_path / "fer.tar", tree_files(), "")
    with tarfile.open(path, "a") as file:
        link = tarfile.TarInfo("train/happy/link.png")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        file.addfile(link)
    assert "'train/happy/link.png', a link to '/etc/passwd', which is no file" in refusal(path)


def test_a_truncated_tar_is_refused(tmp_path, fer_file):
    path = tarred(tmp_path / "fer.tar.gz", {"fer2013.csv": fer_file.read_bytes()})
    path.write_bytes(path.read_bytes()[:50_000])
    assert refusal(path).startswith("SOURCE is damaged or cut short (")


def test_names_of_a_chinese_windows_zip_are_read_and_said(tmp_path):
    found = sources.read(unflagged(tmp_path / "fer.zip", renamed(CHINESE, "gbk")))
    assert sorted(set(found.names.tolist())) == ["生气", "高兴"]
    assert found.notes == (
        "6 names whose encoding isn't told are read as GB2312 (test/高兴/PrivateTest_3.png)",
    )


@pytest.mark.parametrize("encoding", ["utf-8", "cp437"])
def test_names_of_an_old_zip_that_are_plain_letters_are_what_they_are(tmp_path, encoding):
    french = {"happy": "joie", "angry": "colère"}
    found = sources.read(unflagged(tmp_path / "fer.zip", renamed(french, encoding)))
    assert sorted(set(found.names.tolist())) == ["colère", "joie"] and found.notes == ()


def test_names_in_an_unknown_encoding_are_said_to_be(tmp_path):
    names = {"happy": "\xff\xb0", "angry": "\xff\xb1"}
    found = sources.read(unflagged(tmp_path / "fer.zip", renamed(names, "latin-1")))
    assert len(set(found.names.tolist())) == 2
    assert "6 names whose encoding isn't told are of an unknown encoding" in found.notes[0]


def test_a_folder_that_was_unpacked_with_such_names_reads_as_its_zip(tmp_path):
    files = renamed(CHINESE, "gbk")
    root = os.fsencode(tmp_path / "fer")
    for name, content in files.items():
        path = os.path.join(root, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(content)
    found = sources.read(tmp_path / "fer")
    assert same(found, sources.read(unflagged(tmp_path / "fer.zip", files)))
    sources.digest(tmp_path / "fer")


def test_a_zip_written_by_python_keeps_its_names(tmp_path):
    files = {name.decode(): content for name, content in renamed(CHINESE, "utf-8").items()}
    path = archive(tmp_path / "fer.zip", files)
    assert zipfile.is_zipfile(path)
    found = sources.read(path)
    assert sorted(set(found.names.tolist())) == ["生气", "高兴"] and found.notes == ()
