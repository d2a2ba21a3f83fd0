import errno
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from fer_record.journal import read
from study import Mistake, now
from study.record.journal import Journal, line_of


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "mine" / "events.jsonl"


@pytest.fixture(autouse=True)
def folder(path) -> None:
    path.parent.mkdir()


def write(path: Path, *events: dict) -> None:
    with Journal(path) as journal:
        journal.append(*events)


def test_events_come_back_in_order(path):
    write(path, {"event": "a", "value": 0.1}, {"event": "b", "text": 'é "x"\n'})
    write(path, {"event": "c", "none": None})
    assert list(read(path)) == [
        {"event": "a", "value": 0.1},
        {"event": "b", "text": 'é "x"\n'},
        {"event": "c", "none": None},
    ]
    assert path.read_bytes().count(b"\n") == 3 and path.read_bytes().endswith(b"}\n")


def test_a_block_cut_short_at_any_byte_counts_as_never_written(path):
    with Journal(path) as journal:
        journal.append({"event": "a"})
        before = path.read_bytes()
        journal.append(*({"event": "chosen", "setting": s, "hp": {"lr": 0.1}} for s in "xyz"))
    content = path.read_bytes()
    for size in range(len(before), len(content)):
        path.write_bytes(content[:size])
        assert [e["event"] for e in read(path)] == ["a"], size
        write(path, {"event": "b"})
        assert path.read_bytes() == before + line_of({"event": "b"}), size
    path.write_bytes(content)
    assert [e.get("setting") for e in read(path)] == [None, "x", "y", "z"]
    assert all("block" not in event for event in read(path))


def test_a_block_after_a_block_is_told_apart_from_it(path):
    write(path, {"event": "a"}, {"event": "b"})
    write(path, {"event": "c"}, {"event": "d"}, {"event": "e", "text": '"block": 9'})
    write(path, {"event": "f"})
    assert "".join(e["event"] for e in read(path)) == "abcdef"


def test_of_blocks_written_together_a_crash_keeps_the_first_each_whole(path, monkeypatch):
    fsyncs = []
    monkeypatch.setattr(os, "fsync", fsyncs.append)
    blocks = [[{"event": "a"}], [{"event": "b"}, {"event": "c"}], [{"event": "d"}]]
    with Journal(path) as journal:
        fsyncs.clear()
        journal.extend(blocks)
        assert len(fsyncs) == 1
    content, ends = path.read_bytes(), []
    for size in range(len(content) + 1):
        path.write_bytes(content[:size])
        found = "".join(event["event"] for event in read(path))
        assert found in ("", "a", "abc", "abcd")
        ends.append(len(found))
    assert ends == sorted(ends) and set(ends) == {0, 1, 3, 4}


def test_no_file_and_an_empty_file_hold_no_events(path):
    assert list(read(path)) == []
    write(path)
    assert path.exists() and list(read(path)) == []


@pytest.mark.parametrize("half", [b'{"event": "c", "te', b'{"event": "c"}', b"\xff", b"\0\0\0"])
def test_a_last_line_cut_short_is_passed_over_and_cut_on_open(path, half):
    write(path, {"event": "a"}, {"event": "b"})
    whole = path.read_bytes()
    path.write_bytes(whole + half)
    assert [e["event"] for e in read(path)] == ["a", "b"]
    assert path.read_bytes() == whole + half  # whoever only reads changes nothing
    with Journal(path) as journal:
        assert journal.cut == len(half)
    write(path, {"event": "d"})
    assert path.read_bytes() == whole + line_of({"event": "d"})


def test_a_first_line_cut_short_leaves_an_empty_journal(path):
    path.write_bytes(b'{"event"')
    assert list(read(path)) == []
    write(path)
    assert path.read_bytes() == b""


@pytest.mark.parametrize("damage", [b'{"event": "b"', b"", b"\xff\xfe", b"\0\0"])
def test_damage_before_the_last_line_is_refused(path, damage):
    path.write_bytes(b'{"event": "a"}\n' + damage + b'\n{"event": "c"}\n')
    with pytest.raises(Mistake) as caught:
        list(read(path))
    assert str(caught.value) == (
        f"{path} line 2 is not JSON: the journal was damaged after it was written; restore it "
        "from a copy"
    )


def test_a_last_block_with_a_damaged_size_is_refused_and_not_cut_off(path):
    """It was taken for a block in part: its events were gone for good, in silence."""
    write(path, {"event": "a"})
    write(path, {"event": "b"}, {"event": "c"})
    damaged = path.read_bytes().replace(b'"block": 2', b'"block": 9')
    path.write_bytes(damaged)
    with pytest.raises(Mistake, match="line 2 isn't what was written there"):
        list(read(path))
    with Journal(path) as journal:
        assert journal.cut == 0
    assert path.read_bytes() == damaged


def test_a_second_driver_is_kept_out_until_the_first_closes(path):
    with Journal(path) as first:
        first.append({"event": "a"})
        with pytest.raises(Mistake) as caught:
            Journal(path)
        assert str(caught.value) == (
            f"{path.parent} is being run by another driver: wait for it or stop it first"
        )
        first.append({"event": "b"})
    write(path, {"event": "c"})
    assert [e["event"] for e in read(path)] == ["a", "b", "c"]


def test_whoever_is_kept_out_does_not_cut_what_is_being_written(path):
    with Journal(path) as first:
        first.file.write(b'{"event": "a", ')
        with pytest.raises(Mistake):
            Journal(path)
        first.file.write(b'"more": 1}\n')
    assert list(read(path)) == [{"event": "a", "more": 1}]


def full(number: int) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_full_disk_leaves_no_half_of_a_block(path, monkeypatch):
    with Journal(path) as journal:
        journal.append({"event": "a"})
        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", full)
            with pytest.raises(OSError, match="No space left"):
                journal.append({"event": "b"}, {"event": "c"})
        assert path.read_bytes() == line_of({"event": "a"})
        journal.append({"event": "d"})
    assert [e["event"] for e in read(path)] == ["a", "d"]


class Full:
    """A file with room for a few bytes a call, and then no more."""

    def __init__(self, file, room: list[int]):
        self.file, self.room = file, room

    def write(self, block: bytes) -> int:
        if not self.room:
            full(0)
        return self.file.write(block[: self.room.pop(0)])

    def __getattr__(self, name: str):
        return getattr(self.file, name)


def test_a_block_written_in_parts_is_whole_or_not_there(path):
    with Journal(path) as journal:
        real = journal.file
        journal.file = Full(real, [5, 3, 1000])
        journal.append({"event": "a"}, {"event": "b"})
        journal.file = Full(real, [5, 10])
        with pytest.raises(OSError, match="No space left"):
            journal.append({"event": "c"}, {"event": "d"})
    assert path.read_bytes() == line_of({"event": "a", "block": 2}) + line_of({"event": "b"})


def test_a_block_is_made_to_last_before_append_returns(path, monkeypatch):
    sizes, fsync = [], os.fsync

    def noted(number: int) -> None:
        sizes.append(os.fstat(number).st_size)
        fsync(number)

    with Journal(path) as journal:
        monkeypatch.setattr(os, "fsync", noted)
        journal.append({"event": "a"}, {"event": "b"})
        assert sizes == [path.stat().st_size]


def test_now_is_utc_and_survives_reading():
    moment = datetime.fromisoformat(now())
    assert moment.utcoffset() == timedelta(0)
    assert abs(datetime.now(UTC) - moment) < timedelta(minutes=1)
