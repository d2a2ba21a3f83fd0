"""A file is replaced whole, and its new content and name survive a power failure."""

import errno
import os
import stat
from pathlib import Path

import numpy as np
import pytest

from study.data import datasets
from study.driver.prepare import make_folder
from study.record.journal import Journal
from study.record.schemas import EPOCHS, write_table
from study.storage import atomic, places
from study.training import checkpoint


@pytest.fixture
def synced(monkeypatch):
    """What was fsynced, in turn: a file's size or a folder, each with the names there then."""
    seen, fsync = [], os.fsync

    def noted(number: int) -> None:
        path = Path(os.readlink(f"/proc/self/fd/{number}"))
        folder = stat.S_ISDIR(os.fstat(number).st_mode)
        names = sorted(p.name for p in (path if folder else path.parent).iterdir())
        visible = [name for name in names if not name.startswith(".")]
        seen.append((path.name if folder else os.fstat(number).st_size, visible))
        fsync(number)

    monkeypatch.setattr(os, "fsync", noted)
    return seen


def test_content_is_made_to_last_before_its_name_and_its_name_before_it_returns(tmp_path, synced):
    atomic.replace(tmp_path / "one", lambda file: file.write(b"12345"))
    assert synced == [(5, []), (tmp_path.name, ["one"])]


WRITERS = {
    "table": lambda folder: write_table(folder / "new", [], EPOCHS),
    "json": lambda folder: atomic.write_json(folder / "new", {}),
    "storage": lambda folder: places.write(folder / "new", b"x"),
    "checkpoint": lambda folder: checkpoint.save(folder, {"record": {"epoch": 1}}),
    "data": lambda folder: datasets.store(datasets.load("faces:140", folder / "c"), folder / "new"),
    "study": lambda folder: make_folder(folder / "new", {}),
    "journal": lambda folder: Journal(folder / "new").__exit__(),
}


@pytest.mark.parametrize("writer", WRITERS)
def test_all_that_a_study_writes_has_a_name_that_lasts(tmp_path, synced, writer):
    folder = tmp_path / "here"
    folder.mkdir()
    WRITERS[writer](folder)
    last, names = synced[-1]
    assert last == "here" and {"new", "epoch_00001.pt"} & {*names}


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path):
    atomic.replace(tmp_path / "one", lambda file: file.write(b"old"))

    def half(file) -> None:
        file.write(b"ne")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(OSError, match="No space left"):
        atomic.replace(tmp_path / "one", half)
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == {"one": b"old"}


def test_two_writers_of_one_file_in_one_process_do_not_meet(tmp_path):
    def write(file) -> None:
        file.write(b"outer")
        atomic.replace(tmp_path / "one", lambda inner: inner.write(b"inner"))

    atomic.replace(tmp_path / "one", write)
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == {"one": b"outer"}


@pytest.mark.parametrize("number", [errno.EINVAL, errno.ENOTSUP])
def test_a_file_system_whose_folders_cannot_be_fsynced_is_used_all_the_same(
    tmp_path, monkeypatch, number
):
    def fsync(opened: int) -> None:
        if stat.S_ISDIR(os.fstat(opened).st_mode):
            raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", fsync)
    atomic.replace(tmp_path / "one", lambda file: np.save(file, np.arange(3)))
    assert np.load(tmp_path / "one").tolist() == [0, 1, 2]
