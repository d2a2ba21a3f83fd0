import errno
import os
import resource

import pytest
import torch

from study.training import checkpoint

CPU = torch.device("cpu")


def state(epoch: int) -> dict:
    return {
        "model": {"weight": torch.arange(6.0).view(2, 3) + epoch},
        "optimizer": {"state": {0: {"step": torch.tensor(2.0)}}, "param_groups": [{"lr": 0.1}]},
        "plateau": {"best": -1.0, "waited": 0, "factor": 0.1},
        "record": {"epoch": epoch, "val_accuracy": 0.5},
    }


def names(folder) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_what_was_saved_is_loaded(tmp_path):
    folder = tmp_path / "study" / "t0001"
    checkpoint.save(folder, state(1))
    found = checkpoint.load(folder)
    weight = found["model"].pop("weight")
    assert torch.equal(weight, torch.tensor([[1.0, 2, 3], [4, 5, 6]]))
    wanted = state(1)
    del wanted["model"]["weight"]
    assert found == wanted


def test_the_newest_two_are_kept_and_the_newest_is_loaded(tmp_path):
    for epoch in range(1, 4):
        checkpoint.save(tmp_path, state(epoch))
    assert names(tmp_path) == ["epoch_00002.pt", "epoch_00003.pt"]
    assert checkpoint.load(tmp_path)["record"]["epoch"] == 3


def test_epoch_ten_is_newer_than_epoch_nine(tmp_path):
    for epoch in (8, 9, 10):
        checkpoint.save(tmp_path, state(epoch))
    assert names(tmp_path) == ["epoch_00009.pt", "epoch_00010.pt"]
    assert checkpoint.load(tmp_path)["record"]["epoch"] == 10


def test_without_a_checkpoint_there_is_none(tmp_path):
    assert checkpoint.load(tmp_path / "t0000") is None


@pytest.mark.parametrize("left", [0, 1, 100, 0.5, 0.9, -1])
def test_a_newest_file_cut_short_falls_back_to_the_one_before(tmp_path, capsys, left):
    checkpoint.save(tmp_path, state(1))
    checkpoint.save(tmp_path, state(2))
    newest = tmp_path / "epoch_00002.pt"
    whole = newest.read_bytes()
    newest.write_bytes(whole[: int(left * len(whole)) if isinstance(left, float) else left])
    assert checkpoint.load(tmp_path)["record"]["epoch"] == 1
    said = capsys.readouterr().err
    assert said.startswith(f"{newest} can't be read (")
    assert said.endswith("); the one before is used\n")


@pytest.mark.parametrize("content", [bytes(3000), b"epoch 2", b"\x80\x02garbage."])
def test_a_newest_file_of_something_else_falls_back_too(tmp_path, capsys, content):
    checkpoint.save(tmp_path, state(1))
    (tmp_path / "epoch_00002.pt").write_bytes(content)
    assert checkpoint.load(tmp_path)["record"]["epoch"] == 1
    assert "epoch_00002.pt can't be read" in capsys.readouterr().err


def test_two_broken_files_are_as_none_and_both_are_named(tmp_path, capsys):
    for epoch in (1, 2):
        (tmp_path / f"epoch_0000{epoch}.pt").write_bytes(b"")
    assert checkpoint.load(tmp_path) is None
    said = capsys.readouterr().err.splitlines()
    assert ["epoch_00002.pt" in said[0], "epoch_00001.pt" in said[1]] == [True, True]


class Command:
    """A pickle that makes a file when it is read by a reader that trusts it."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


def test_code_in_a_file_is_not_executed(tmp_path, capsys):
    checkpoint.save(tmp_path, state(1))
    torch.save({**state(2), "more": Command(tmp_path / "made")}, tmp_path / "epoch_00002.pt")
    assert checkpoint.load(tmp_path)["record"]["epoch"] == 1
    assert not (tmp_path / "made").exists()
    torch.load(tmp_path / "epoch_00002.pt", weights_only=False)
    assert (tmp_path / "made").exists()  # the trap works


def test_a_failing_save_leaves_the_old_files_and_nothing_else(tmp_path, monkeypatch):
    checkpoint.save(tmp_path, state(1))
    checkpoint.save(tmp_path, state(2))

    def full(number: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match=r"^\[Errno 28\]"):
        checkpoint.save(tmp_path, state(3))
    assert names(tmp_path) == ["epoch_00001.pt", "epoch_00002.pt"]


def test_a_checkpoint_is_whole_on_the_disk_before_it_gets_its_name(tmp_path, monkeypatch):
    sizes, fsync = [], os.fsync

    def noted(number: int) -> None:
        sizes.append((os.fstat(number).st_size, list(tmp_path.glob("*.pt"))))
        fsync(number)

    monkeypatch.setattr(os, "fsync", noted)
    checkpoint.save(tmp_path, state(1))
    assert sizes[0] == ((tmp_path / "epoch_00001.pt").stat().st_size, [])


def test_a_disk_that_fills_up_half_way_is_told_as_such(tmp_path):
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    large = state(1) | {"more": torch.zeros(100_000)}
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))
    try:
        with pytest.raises(OSError) as caught:
            checkpoint.save(tmp_path, large)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert caught.value.errno == errno.EFBIG
    assert names(tmp_path) == []


def test_reduce_keeps_the_newest_alone(tmp_path):
    for epoch in (1, 2):
        checkpoint.save(tmp_path, state(epoch))
    checkpoint.reduce(tmp_path)
    assert names(tmp_path) == ["epoch_00002.pt"]


def test_clear_removes_the_folder_and_may_be_repeated(tmp_path):
    folder = tmp_path / "t0000"
    checkpoint.save(folder, state(1))
    checkpoint.clear(folder)
    checkpoint.clear(folder)
    assert names(tmp_path) == []
