"""Where a Ray of the study's own keeps its files."""

import errno
import os
import socket
from pathlib import Path

import pytest

from study import Mistake
from study.cluster import ray_folder


@pytest.fixture
def scratch(tmp_path, monkeypatch):
    """A batch system's folder for a job's files, of whatever length."""

    def of(characters: int) -> Path:
        folder = Path(f"/tmp/fer-test-{os.getpid()}".ljust(characters, "x"))
        folder.mkdir()
        monkeypatch.setenv("RAY_TMPDIR", str(folder))
        made.append(folder)
        return folder

    made: list[Path] = []
    yield of
    for folder in made:
        folder.rmdir()  # which is empty


@pytest.mark.parametrize("characters", [20, 41, 42, 43, 80, 200])
def test_ray_reaches_a_folder_of_any_length_and_its_files_lie_there(scratch, characters):
    folder = scratch(characters)
    name, made = ray_folder.make()
    try:
        path = name + ray_folder.SOCKET
        os.makedirs(os.path.dirname(path))
        with socket.socket(socket.AF_UNIX) as one:
            one.bind(path)
        assert Path(path).resolve().is_relative_to(folder)
        modes = [oct(Path(each).stat().st_mode)[-3:] for each in made]
        assert set(modes) == {"700"}, "nobody else comes in"
    finally:
        ray_folder.remove(made)
    assert not any(Path(each).exists() for each in made)


def test_a_folder_that_can_not_hold_sockets_is_not_taken_and_that_is_said(
    scratch, monkeypatch, capsys
):
    folder, bind = scratch(30), socket.socket.bind

    class Without(socket.socket):
        def bind(self, address):
            if str(folder) in os.path.realpath(address):
                raise OSError(errno.EOPNOTSUPP, os.strerror(errno.EOPNOTSUPP))
            bind(self, address)

    monkeypatch.setattr(ray_folder.socket, "socket", Without)
    name, made = ray_folder.make()
    ray_folder.remove(made)
    assert name.startswith("/tmp/fer-ray-") and "fer-test" not in name
    told = f"Ray's own files can't lie in {folder} (it can't hold sockets: Operation not supported)"
    assert told in capsys.readouterr().out


def test_a_folder_named_from_here_is_reached_from_anywhere(scratch, monkeypatch):
    folder = scratch(80)
    monkeypatch.chdir(folder.parent)
    monkeypatch.setenv("RAY_TMPDIR", folder.name)
    name, made = ray_folder.make()
    assert Path(name).resolve().is_relative_to(folder.resolve())
    ray_folder.remove(made)


def test_a_folder_that_is_not_there_is_told_and_another_taken(monkeypatch, capsys, tmp_path):
    monkeypatch.setenv("RAY_TMPDIR", str(tmp_path / "nothing"))
    name, made = ray_folder.make()
    ray_folder.remove(made)
    assert f"{tmp_path / 'nothing'} (No such file or directory)" in capsys.readouterr().out


def test_where_no_folder_can_be_had_a_sentence_says_so(monkeypatch):
    monkeypatch.setattr(ray_folder, "no_sockets", lambda folder: "no")
    with pytest.raises(Mistake, match="Ray has no folder for its own files: name one"):
        ray_folder.make()
