"""Nothing of the mirror's thread dies unseen; what it stores is in test_storage_places.py."""

import json
import os
import time

import pytest

from study import Mistake
from study.storage import __main__, mirror, places
from study.storage.mirror import Mirror


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "runs" / "small"
    made.mkdir(parents=True)
    (made / "events.jsonl").write_text('{"event": "a"}\n')
    (made / "study.json").write_text("{}")
    return made


def wait(until) -> None:
    deadline = time.monotonic() + 300
    while not until():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.parametrize(
    "error",
    [
        KeyError("x"),
        RuntimeError("pool"),
        MemoryError(),
        UnicodeDecodeError("utf-8", b"", 0, 1, "?"),
    ],
)
def test_an_upload_that_fails_in_whatever_way_is_told_and_tried_again(
    folder, tmp_path, monkeypatch, error
):
    said, lost, failing, write = [], [], [True], places.write

    def faulty(place, data):
        if failing and not place.name.endswith(".json"):
            raise error
        write(place, data)

    monkeypatch.setattr(places, "write", faulty)
    monkeypatch.setattr(mirror, "EVERY_SECONDS", 0.05)
    made = Mirror(folder, tmp_path / "shared", said.append, lost.append)
    made.mark()
    wait(lambda: said)
    assert f"isn't up to date ({type(error).__name__}: " in said[0] and made.thread.is_alive()
    failing.clear()
    wait(lambda: len(said) > 1)
    assert "answers again" in said[1] and not lost
    assert made.flush() and (tmp_path / "shared" / "events.jsonl").exists()


def test_a_bucket_that_is_away_at_the_beginning_is_waited_for_and_then_refused(
    folder, tmp_path, monkeypatch
):
    away = [OSError("AWS Error NETWORK_CONNECTION (Request ID: 1)")]
    said, write = [], places.write

    def faulty(place, data):
        if away:
            raise away.pop()
        write(place, data)

    monkeypatch.setattr(places, "write", faulty)
    made = Mirror(folder, tmp_path / "shared", said.append, print)
    assert "can't be reached (AWS Error NETWORK_CONNECTION): waiting for up to 180 s" in said[0]
    assert "answers again" in said[1] and len(said) == 2 and not made.failed and made.flush()
    monkeypatch.setattr(places, "PATIENCE_SECONDS", 0.0)
    away[:] = [OSError("AWS Error NETWORK_CONNECTION")]
    with pytest.raises(Mistake, match=r"can't be reached \(\[Errno 5\] no shared storage for 0 s"):
        Mirror(folder, tmp_path / "shared", said.append, print)


def test_an_error_of_any_kind_at_the_end_is_not_taken_for_stored(folder, tmp_path, monkeypatch):
    made = Mirror(folder, tmp_path / "shared", print, print)

    def faulty(place, data):
        raise KeyError("x")

    monkeypatch.setattr(places, "write", faulty)
    monkeypatch.setattr(mirror, "FLUSH_SECONDS", 0.5)
    assert not made.flush() and made.failed == "KeyError: 'x'"


def test_what_a_file_server_dates_later_is_stored_at_the_end(folder, tmp_path):
    """Its clock is ahead of this machine's: the study ran for ever in its storage."""
    ahead = time.time() + 600
    os.utime(folder / "study.json", (ahead, ahead))
    assert Mirror(folder, tmp_path / "shared", print, print).flush()
    assert (tmp_path / "shared" / "study.json").read_text() == "{}"


def test_whatever_ends_the_thread_ends_the_study(folder, tmp_path, monkeypatch):
    """Even if a person can't be told any more."""
    monkeypatch.setattr(mirror, "RENEW_SECONDS", 0.05)
    lost = []

    def closed(line):
        raise BrokenPipeError(32, "Broken pipe")

    made = Mirror(folder, tmp_path / "shared", closed, lost.append)
    monkeypatch.setattr(Mirror, "upload", lambda self: 1 / 0)
    wait(lambda: lost)
    assert "is no longer kept ([Errno 32] Broken pipe)" in lost[0]
    made.closing.set()


def test_a_jobs_error_is_an_uploads(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(mirror, "FLUSH_SECONDS", 0.5)
    made = Mirror(folder, tmp_path / "shared", print, print)
    made.later(lambda: {}["checkpoint"])
    assert not made.flush() and made.failed == "KeyError: 'checkpoint'"


def test_an_upload_that_hangs_can_not_come_after_the_end(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(mirror, "FLUSH_SECONDS", 0.2)
    write, hangs = places.write, []

    def slow(place, data):
        if place.name == "events.jsonl":
            hangs.append(data)
            time.sleep(2)
        write(place, data)

    monkeypatch.setattr(places, "write", slow)
    made = Mirror(folder, tmp_path / "shared", print, print)
    made.mark()
    wait(lambda: hangs)
    assert not made.flush() and made.failed == "no answer in 0.2 s"
    made.thread.join()
    lease = json.loads((tmp_path / "shared" / "driver.json").read_text())
    assert lease["token"] == made.token, "the study isn't given free"


def test_answers_about_other_data_are_stored_and_fetched_and_a_persons_notes_stay(
    folder, tmp_path, capsys
):
    for name in ("elsewhere/ckplus-1.parquet", "elsewhere/.half", "explorer/notes.json"):
        places.write(folder / name, b"x")
    made = Mirror(folder, tmp_path / "shared" / "small", print, print)
    assert made.flush()
    got = tmp_path / "got"
    assert __main__.main(["get", f"file://{tmp_path}/shared/small", str(got)]) == 0
    assert places.names(got) == ["elsewhere/ckplus-1.parquet", "events.jsonl", "study.json"]
