import errno
import os

import pytest
from ray import tune

from study.storage import __main__ as storage
from study.storage.errors import command, fault, fault_told, refused, usable


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "events.jsonl").touch()
    return tmp_path


def error(number: int) -> OSError:
    return OSError(number, os.strerror(number))


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_and_a_spent_quota_are_the_disks_fault(folder, number):
    assert fault(error(number), folder) == f"disk full at {folder} ({os.strerror(number)})"


@pytest.mark.parametrize("number", [errno.EIO, errno.ESTALE, errno.ENOTCONN, errno.EROFS])
def test_a_storage_that_went_away_is_told(folder, number):
    assert fault(error(number), folder) == f"storage gone at {folder} ({os.strerror(number)})"


@pytest.mark.parametrize("number", [errno.ENOENT, errno.EACCES])
def test_a_missing_file_is_the_storages_fault_only_if_the_folder_is_unusable(folder, number):
    assert fault(error(number), folder) == ""
    (folder / "events.jsonl").unlink()
    assert fault(error(number), folder).startswith("storage gone")
    assert fault(error(number), folder / "nowhere").startswith("storage gone")


def test_every_other_error_is_not_the_storages(folder):
    assert fault(ValueError("no"), folder) == fault(error(errno.ECONNREFUSED), folder) == ""
    assert fault(OSError("without a number"), folder) == ""


def test_what_tune_wraps_is_found_by_its_cause(folder):
    try:
        try:
            raise error(errno.ENOSPC)
        except OSError:
            raise tune.TuneError("a long traceback") from None
    except tune.TuneError as wrapped:
        assert fault(wrapped, folder).startswith("disk full")


def test_a_workers_error_is_known_by_its_text(folder):
    assert fault_told("OSError: [Errno 28] No space left on device", folder).startswith("disk full")
    assert fault_told("OSError: [Errno 122] Disk quota exceeded: 'x'", folder).startswith("disk")
    assert fault_told("FileNotFoundError: [Errno 2] No such file or directory", folder) == ""
    assert fault_told("ValueError: 28", folder) == ""


def test_a_probe_leaves_nothing_behind(folder):
    assert usable(folder)
    assert [path.name for path in folder.iterdir()] == ["events.jsonl"]


def test_a_file_that_can_not_be_used_is_told_in_a_sentence():
    locked = PermissionError(errno.EACCES, "x", "some/folder")
    assert refused(locked) == (
        "some/folder can't be used (Permission denied): check the path and its permissions"
    )
    full = OSError(errno.ENOSPC, "x", "runs/a")
    assert refused(full).startswith("disk full at runs/a (No space left on device): see to it")
    assert refused(ConnectionRefusedError(errno.ECONNREFUSED, "x")) == ""
    assert refused(FileNotFoundError(errno.ENOENT, "x")) == "", "of which file, nobody can say"


def stop(*_) -> int:
    raise KeyboardInterrupt


def test_ctrl_c_is_a_line_and_its_exit_code(monkeypatch, capsys):
    assert command("study.export", stop) == 130
    assert capsys.readouterr().err == "study.export: stopped\n"
    monkeypatch.setattr(storage, "at", stop)  # while a bucket is asked
    assert storage.main(["get", "s3://bucket/study"]) == 130
    assert capsys.readouterr().err == "study.storage: stopped\n"
