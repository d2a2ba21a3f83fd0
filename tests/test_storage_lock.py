"""One driver at a time, on whatever file system; one without locks is said to have none."""

import errno
import fcntl
import os

import pytest

from study import Mistake
from study.record.journal import Journal
from study.storage import lock


def says(monkeypatch, number: int) -> None:
    def flock(file, how):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(lock.fcntl, "flock", flock)


@pytest.mark.parametrize("number", ["ENOSYS", "ENOLCK", "EOPNOTSUPP", "EINVAL", "ENOTTY"])
def test_a_file_system_without_locks_is_told_with_what_to_do(tmp_path, monkeypatch, number):
    says(monkeypatch, getattr(errno, number))
    folder = tmp_path / "runs" / "mine"
    folder.mkdir(parents=True)
    with pytest.raises(Mistake, match="is on a file system without file locks") as caught:
        Journal(folder / "events.jsonl")
    assert f"--storage {folder.parent} to keep the study there as well" in str(caught.value)


@pytest.mark.parametrize("number", ["EAGAIN", "EWOULDBLOCK", "EACCES"])
def test_a_lock_that_another_holds_is_told_in_the_words_of_any_file_system(
    tmp_path, monkeypatch, number
):
    says(monkeypatch, getattr(errno, number))
    with pytest.raises(Mistake, match="is being run by another driver"):
        Journal(tmp_path / "events.jsonl")


def test_what_is_asked_to_be_locked_may_be_written_as_nfs_demands(tmp_path, monkeypatch):
    (tmp_path / "events.jsonl").touch()
    asked = []

    def flock(file, how):
        asked.append(fcntl.fcntl(file, fcntl.F_GETFL) & os.O_ACCMODE)
        if asked[-1] == os.O_RDONLY:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))

    monkeypatch.setattr(lock.fcntl, "flock", flock)
    lock.refuse_open(tmp_path)
    Journal(tmp_path / "events.jsonl").file.close()
    assert len(asked) == 2
