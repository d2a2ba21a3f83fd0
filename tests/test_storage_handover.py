"""A study's folder and its place in storage: never one, by whatever name. The rest of the handing
over is in test_storage_places.py."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from fer_record.journal import read
from study import Mistake
from study.config.study import Study
from study.record.journal import Journal
from study.run import main
from study.storage import __main__, handover, places


def begun(folder: Path) -> bytes:
    """A study of one event in a folder; its journal."""
    folder.mkdir(parents=True)
    (folder / "study.json").write_text(json.dumps({"started_at": "2026-11-24"}))
    with Journal(folder / "events.jsonl") as journal:
        journal.append({"event": "a"})
    (folder / "optuna.log").write_text("")
    return (folder / "events.jsonl").read_bytes()


WAYS = {  # where storage is said to be, for a study in x/runs/small
    "the same folder": "{x}/runs",
    "a relative name": "runs",
    "a slash at the end": "{x}/runs/",
    "dots": "{x}/runs/small/../.",
    "a URI": "file://{x}/runs",
    "a URI with dots and a slash": "file://{x}/./runs/../runs/",
    "a URI with quoted letters": "file://{x}/r%75ns",
    "a link to the folder": "{x}/link",
    "a link above it": "{x}/above/runs",
    "in the study's folder": "{x}/runs/small/deep/er",
    "the study's folder itself": "{x}/runs/small",
}


@pytest.fixture
def x(tmp_path, monkeypatch) -> Path:
    """A folder with a study, and links that lead to it."""
    begun(tmp_path / "runs" / "small")
    (tmp_path / "link").symlink_to(tmp_path / "runs")
    (tmp_path / "above").symlink_to(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("folder", ["runs/small", "above/runs/small"])
def test_storage_that_is_the_studys_own_folder_is_refused(x, way, folder):
    before = sorted(x.rglob("*"))
    with pytest.raises(Mistake, match="the study's own folder .*small, or one is in the other"):
        handover.prepare(Study(storage=WAYS[way].format(x=x)), Path(folder), print)
    made = {path for path in x.rglob("*") if path.is_file()} - {*before}
    assert not made, "nothing is left of the look"


def test_a_folder_that_would_lie_in_its_own_place_in_storage_is_refused(tmp_path):
    folder = tmp_path / "small" / "small"  # NAME is small, below the storage's small
    with pytest.raises(Mistake, match="or one is in the other"):
        handover.prepare(Study(storage=str(tmp_path)), folder, print)
    assert not folder.exists()


@pytest.mark.parametrize("storage", ["{x}/shared", "{x}", "{x}/runs/other", "{x}/runs/small2"])
def test_storage_beside_above_or_among_the_studies_is_taken(x, storage):
    handover.prepare(Study(storage=storage.format(x=x)), x / "runs" / "small", print)


def test_a_mounted_second_name_of_the_folder_is_refused(x):
    if os.geteuid() != 0:
        pytest.skip("a folder can be mounted a second time by root only")
    (x / "mounted").mkdir()
    if subprocess.run(
        ["mount", "--bind", x / "runs", x / "mounted"], capture_output=True
    ).returncode:
        pytest.skip("this machine doesn't let root mount a folder a second time")
    try:
        with pytest.raises(Mistake, match="the study's own folder"):
            handover.prepare(Study(storage=str(x / "mounted")), x / "runs" / "small", print)
    finally:
        subprocess.run(["umount", "-l", x / "mounted"], check=True)


@pytest.mark.parametrize("out", ["{x}/runs", "runs", "link", "above/runs/"])
def test_a_study_is_not_brought_from_storage_into_itself(x, out):
    before = (x / "runs" / "small" / "events.jsonl").stat()
    with pytest.raises(Mistake, match="the study's own folder"):
        handover.bring(f"file://{x}/runs/small", Path(out.format(x=x)), print)
    after = (x / "runs" / "small" / "events.jsonl").stat()
    assert (before.st_ino, before.st_size) == (after.st_ino, after.st_size)


def test_what_another_driver_has_open_is_not_written_over_from_storage(x, capsys):
    """By no --resume from storage and by no `get`, of a copy that is ahead or of another study."""
    folder, place = x / "runs" / "small", x / "shared" / "small"
    ahead = (folder / "events.jsonl").read_bytes() + b'{"event": "b"}\n'
    for name in ("study.json", "optuna.log"):
        places.write(place / name, (folder / name).read_bytes())
    places.write(place / "events.jsonl", ahead)
    with Journal(folder / "events.jsonl") as journal:
        with pytest.raises(Mistake, match="is being run by another driver"):
            handover.bring(f"file://{place}", x / "runs", print)
        assert __main__.main(["get", f"file://{place}", str(folder)]) == 2
        assert "is being run by another driver" in capsys.readouterr().err
        journal.append({"event": "c"})
    assert [e["event"] for e in read(folder / "events.jsonl")] == ["a", "c"]


def test_what_is_fetched_takes_the_place_of_an_earlier_state_alone(x, capsys):
    folder, place = x / "got", x / "shared" / "small"
    before = begun(place)
    assert __main__.main(["get", f"file://{place}", str(folder)]) == 0
    (folder / "events.jsonl").unlink()  # as if the fetching had been interrupted
    after = before + b'{"event": "b"}\n'
    for journal in (before, after, after):
        places.write(place / "events.jsonl", journal)
        assert __main__.main(["get", f"file://{place}", str(folder)]) == 0
        assert (folder / "events.jsonl").read_bytes() == journal
    capsys.readouterr()
    for journal in (after + b'{"event": "c"}\n', before + b'{"event": "x"}\n'):
        places.write(folder / "events.jsonl", journal)
        assert __main__.main(["get", f"file://{place}", str(folder)]) == 2
        told = capsys.readouterr().err
        assert told.count("\n") == 1 and "further on than" in told and "apart" in told
        assert (folder / "events.jsonl").read_bytes() == journal


@pytest.mark.parametrize("file", ["study.json", "events.jsonl", "notes.txt"])
def test_what_is_fetched_takes_the_place_of_nothing_else(x, file, capsys):
    folder, place = x / "mine", x / "shared" / "small"
    begun(place)
    folder.mkdir()
    (folder / file).write_text('{"started_at": "2025-01-01"}\n')
    assert __main__.main(["get", f"file://{place}", str(folder)]) == 2
    told = capsys.readouterr().err
    assert told.count("\n") == 1 and "mine is another study than" in told
    assert (folder / file).read_text() == '{"started_at": "2025-01-01"}\n'
    (folder / file).unlink()
    assert __main__.main(["get", f"file://{place}", str(folder)]) == 0, "an empty folder is none"


def test_what_was_being_written_is_not_fetched_and_makes_no_other_study(x):
    """It was fetched, or was gone by then, and what a killed `get` left was refused as a study."""
    folder, place = x / "got", x / "shared" / "small"
    begun(place)
    places.write(place / ".trials.parquet.0f3a", b"half")
    places.write(folder / ".study.json.0f3a", b"half")
    assert __main__.main(["get", f"file://{place}", str(folder)]) == 0
    there = {path.name for path in folder.iterdir()}
    assert there == {"study.json", "events.jsonl", "optuna.log", ".study.json.0f3a"}


def test_a_study_is_not_fetched_into_itself(x, capsys):
    assert __main__.main(["get", f"file://{x}/runs/small", "link/small"]) == 2
    assert "small is link/small, or one is in the other" in capsys.readouterr().err


def test_a_lost_lease_loses_no_study(tmp_path):
    """Whoever deletes driver.json, as an older version asked for, still has the journal."""
    place = tmp_path / "shared" / "small"
    journal = begun(place)
    folder, _ = handover.bring(f"file://{place}", tmp_path / "runs", print)
    assert (folder / "events.jsonl").read_bytes() == journal


def test_what_a_folder_has_that_is_as_far_as_storage_is_left_as_it_is(tmp_path):
    """Answers that had not come to storage were written over by those that had."""
    journal = begun(tmp_path / "shared" / "small")
    begun(tmp_path / "runs" / "small")
    for folder, words in (("shared", "one answer"), ("runs", "both answers")):
        (tmp_path / folder / "small" / "predictions.parquet").write_text(words)
    (tmp_path / "shared" / "small" / "trials.parquet").write_text("a table")
    folder, _ = handover.bring(f"file://{tmp_path}/shared/small", tmp_path / "runs", print)
    assert (folder / "predictions.parquet").read_text() == "both answers"
    assert (folder / "trials.parquet").read_text() == "a table"  # which it lacked
    (folder / "events.jsonl").write_bytes(b"")  # behind
    handover.bring(f"file://{tmp_path}/shared/small", tmp_path / "runs", print)
    assert (folder / "predictions.parquet").read_text() == "one answer"
    assert (folder / "events.jsonl").read_bytes() == journal


@pytest.mark.ray
@pytest.mark.parametrize(
    "words",
    [
        ["--storage", "file://{x}/runs", "--out", "{x}/runs"],
        ["--storage", "runs"],
        ["--storage", "{x}/link/"],
        ["--storage", "{x}/above/runs", "--out", "runs"],
    ],
)
def test_a_new_study_in_its_own_storage_is_a_mistake_before_anything_is_made(
    tmp_path, monkeypatch, capsys, words
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "runs")
    (tmp_path / "above").symlink_to(tmp_path)
    small = ["--preset", "smoke", "--models", "alexnet", "--data", "faces:56", "--name", "small"]
    assert main([*small, *(word.format(x=tmp_path) for word in words)]) == 2
    assert "the study's own folder" in capsys.readouterr().err
    assert not list((tmp_path / "runs").iterdir())


def test_the_command_says_what_it_takes(capsys):
    assert __main__.main(["get", "--help"]) == 0
    assert "python -m study.storage get URI [FOLDER]" in capsys.readouterr().out
