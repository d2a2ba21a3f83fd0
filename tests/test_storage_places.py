"""Shared storage: on a disk and on a real S3 server process, and the handing over of a study."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pandas as pd
import pytest
import torch

from fer_record.journal import read
from study import Mistake
from study.config.study import Study
from study.run import main
from study.storage import __main__, handover, lease, mirror, places
from study.storage.mirror import Mirror
from study.training import checkpoint

NAME = "small"
AWS = {
    "AWS_ACCESS_KEY_ID": "anyone",
    "AWS_SECRET_ACCESS_KEY": "anything",
    "AWS_EC2_METADATA_DISABLED": "true",
}


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


@pytest.fixture(scope="session")
def s3():
    """The options with which a URI reaches an S3 server on this machine."""
    port = free_port()
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    server = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)], **quiet
    )
    deadline = time.monotonic() + 300
    while True:
        try:
            make = urllib.request.Request(f"http://127.0.0.1:{port}/faces", method="PUT")
            urllib.request.urlopen(make).close()
            break
        except OSError:
            assert server.poll() is None and time.monotonic() < deadline, "no S3 server"
            time.sleep(0.1)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in AWS.items():
            patch.setenv(name, value)
        yield f"?endpoint_override=127.0.0.1:{port}&scheme=http"
    server.kill()
    server.wait()


@pytest.fixture(params=["disk", "s3"])
def uri(request, tmp_path):
    """A storage of either kind, empty."""
    if request.param == "disk":
        return f"file://{tmp_path}/shared"
    return f"s3://faces/{tmp_path.name}{request.getfixturevalue('s3')}"


def test_what_is_written_is_read_listed_and_deleted(uri):
    place = places.at(uri)
    assert places.names(place) == []
    places.write(place / "a" / "b.txt", b"one")
    places.write(place / "a" / "b.txt", b"two")
    places.write(place / "c d.txt", b"")
    places.write(place / "a" / ".b.txt.0f3a", b"half")  # as a writer leaves it that is killed
    assert places.read(place / "a" / "b.txt") == b"two"
    assert places.names(place) == ["a/b.txt", "c d.txt"]
    assert places.names(place / "a") == ["b.txt"]
    places.delete(place / "c d.txt")
    places.delete(place / "c d.txt")
    assert places.names(place) == ["a/b.txt"]
    places.clear(place / "a")
    places.clear(place / "a")
    assert places.names(place) == []
    with pytest.raises(FileNotFoundError):
        places.read(place / "a" / "b.txt")


def test_a_probe_leaves_nothing_and_tells_the_storages_own_time(uri):
    before = time.time()
    told = places.probe(places.at(uri))
    assert before - 1 <= told <= time.time() + 1, "S3 tells whole seconds"
    assert places.names(places.at(uri)) == []


def test_a_place_is_two_texts_and_its_uri_leads_back_to_it(s3):
    place = places.at(f"s3://faces/studies{s3}") / "one two" / "checkpoints"
    assert str(place) == f"s3://faces/studies/one%20two/checkpoints{s3}"
    places.write(place / "x", b"1")
    assert places.read(places.at(str(place)) / "x") == b"1"
    assert places.apart(f"s3://faces/studies/one%20two/{s3}") == (
        f"s3://faces/studies{s3}",
        "one two",
    )


REFUSED = {
    "ftp://host/folder": "ftp://host/folder can't be opened (Unrecognized filesystem",
    "s3://": "names no bucket",
    "s3://key:secret@faces/x": "holds credentials",
    "s3://faces/x?nonsense=1": "unknown option nonsense",
    "file://host/x": "names no local folder",
    "s3://nobody/x": "NO_SUCH_BUCKET",
}


@pytest.mark.parametrize("text", REFUSED)
def test_storage_that_can_not_be_used_is_refused_in_a_sentence(text, s3):
    with pytest.raises(Mistake) as caught:
        places.probe(places.at(text + s3 if text.endswith("nobody/x") else text))
    assert REFUSED[text] in str(caught.value) and "\n" not in str(caught.value)
    assert "secret" not in str(caught.value)


def test_a_bucket_that_does_not_answer_is_refused_and_an_address_from_the_environment_is_heeded(
    s3, monkeypatch
):
    address = s3.split("endpoint_override=")[1].split("&")[0]
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{address}")
    places.probe(places.at("s3://faces/by-environment"))
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{free_port()}")
    with pytest.raises(Mistake, match="can't be used as storage .*NETWORK_CONNECTION"):
        places.probe(places.at("s3://faces/by-environment-gone"))


def test_an_empty_list_is_not_taken_for_a_missing_bucket(s3):
    with pytest.raises(OSError, match="there is no bucket"):
        places.names(places.at(f"s3://nobody/checkpoints{s3}"))


def state(epoch: int) -> dict:
    return {"record": {"epoch": epoch}, "model": {"w": torch.full((2,), float(epoch))}}


def test_checkpoints_in_a_bucket_are_kept_thinned_and_fall_back_like_those_on_a_disk(uri, capsys):
    folder = places.at(uri) / "checkpoints" / "t0001"
    assert checkpoint.load(folder) is None
    for epoch in (9, 10, 11):
        checkpoint.save(folder, state(epoch))
    assert places.names(folder) == ["epoch_00010.pt", "epoch_00011.pt"]
    assert checkpoint.load(folder)["model"]["w"].tolist() == [11, 11]
    newest = folder / "epoch_00011.pt"
    places.write(newest, places.read(newest)[:-40])
    assert checkpoint.load(folder)["record"]["epoch"] == 10
    assert f"{newest} can't be read (" in capsys.readouterr().err
    checkpoint.reduce(folder)
    assert places.names(folder) == ["epoch_00011.pt"]
    checkpoint.clear(folder)
    assert places.names(folder) == []


def test_a_worker_waits_for_a_bucket_and_in_the_end_says_that_storage_is_gone(monkeypatch):
    monkeypatch.setattr(places, "PATIENCE_SECONDS", 7.0)
    monkeypatch.setattr(places.time, "sleep", lambda seconds: slept.append(seconds))
    clock = iter(range(100))
    monkeypatch.setattr(places.time, "monotonic", lambda: float(next(clock)))
    slept, answers = [], [OSError("AWS Error NETWORK_CONNECTION"), OSError("again"), b"here"]

    def ask():
        answer = answers.pop(0)
        if isinstance(answer, OSError):
            raise answer
        return answer

    assert places.patiently(ask) == b"here" and slept == [1.0, 2.0]
    answers[:] = [OSError("AWS Error NETWORK_CONNECTION (Request ID: 1)")] * 9
    with pytest.raises(OSError, match=r"\[Errno 5\] no shared storage for 7 s \(AWS Error NET"):
        places.patiently(ask)
    answers[:] = [FileNotFoundError("gone"), b"never asked"]
    with pytest.raises(FileNotFoundError):
        places.patiently(ask)


def test_a_fetched_study_has_all_but_its_checkpoints_which_are_fetched_by_name(
    uri, tmp_path, capsys
):
    study = places.at(uri) / NAME
    for name in ("study.json", "checkpoints/t0/epoch_00001.pt", "driver.json", "part/trials"):
        places.write(study / name, name.encode())
    whole, query = uri.split("?")[0], uri[len(uri.split("?")[0]) :]
    assert __main__.main(["get", f"{whole}/{NAME}{query}", str(tmp_path / "got")]) == 0
    assert places.names(tmp_path / "got") == ["part/trials", "study.json"]
    part = f"{whole}/{NAME}/checkpoints{query}"
    assert __main__.main(["get", part, str(tmp_path / "got" / "checkpoints")]) == 0
    assert (tmp_path / "got/checkpoints/t0/epoch_00001.pt").read_bytes().startswith(b"checkp")
    capsys.readouterr()
    assert __main__.main(["get", f"{whole}/nothing{query}", str(tmp_path / "no")]) == 2
    assert "nothing holds no file: give STORAGE/NAME" in capsys.readouterr().err
    assert not (tmp_path / "no").exists()
    assert __main__.main(["put", "x"]) == 2


def test_a_name_that_climbs_out_of_its_folder_is_refused(s3, tmp_path, capsys):
    place = places.at(f"s3://faces/climbing{s3}")
    address = s3.split("endpoint_override=")[1].split("&")[0]
    key = "climbing/..%2F..%2Fevil"
    urllib.request.urlopen(
        urllib.request.Request(f"http://{address}/faces/{key}", b"x", method="PUT")
    ).close()
    assert __main__.main(["get", str(place), str(tmp_path / "got")]) == 2
    assert "has a file named '../../evil': not copied" in capsys.readouterr().err
    assert [*tmp_path.rglob("evil")] == []


def begun(folder: Path, epochs: int = 1, started_at: str = "2026-11-24") -> None:
    """A local study whose journal has so many lines."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "study.json").write_text(json.dumps({"started_at": started_at}))
    for name in handover.LOGS:
        lines = [f'{{"event": "{name}", "line": {n}}}\n' for n in range(epochs)]
        (folder / name).write_text("".join(lines))


def stored(folder: Path, place: places.Place) -> Mirror:
    """A mirror that has brought the folder to the place, and is still at work."""
    made = Mirror(folder, place, print, print)
    made.mark()
    wait(lambda: not made.marked.is_set())
    return made


def wait(until) -> None:
    deadline = time.monotonic() + 300
    while not until():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def elsewhere(place: places.Place) -> None:
    """Make the lease that of another, living machine."""
    changed = lease.read(place) | {"host": "other"}
    places.write(place / lease.LEASE, json.dumps(changed).encode())


def parts(uri: str) -> tuple[places.Place, str]:
    whole, _, query = uri.partition("?")
    return places.at(uri) / NAME, f"{whole}/{NAME}" + (f"?{query}" if query else "")


def test_what_is_stored_is_what_the_driver_had_when_it_marked(uri, tmp_path):
    place, folder = places.at(uri) / NAME, tmp_path / "runs" / NAME
    begun(folder, 2)
    (folder / "ray").mkdir()
    (folder / ".trials.parquet.99").write_text("half")
    (folder / "optuna.log.lock").symlink_to((folder / "optuna.log").resolve())  # Optuna's own
    made = stored(folder, place)
    assert places.names(place) == ["driver.json", "events.jsonl", "optuna.log", "study.json"]
    begun(folder, 3)
    with (folder / "events.jsonl").open("a") as file:
        file.write('{"half')
    (folder / "predictions.parquet").write_text("of a later moment")
    os.utime(folder / "predictions.parquet", (time.time() + 60,) * 2)
    made.due = 0.0
    made.mark()
    wait(lambda: not made.marked.is_set())
    assert places.read(place / "events.jsonl").count(b"\n") == 3, "whole lines only"
    assert "predictions.parquet" not in places.names(place), "never ahead of the journal"
    os.utime(folder / "predictions.parquet")
    assert made.flush() and made.flush()
    assert "predictions.parquet" in places.names(place)
    assert lease.read(place)["token"] == "", "free for whoever goes on"


def test_logs_that_ran_ahead_of_each_other_are_read_as_far_as_they_belong_together(uri, tmp_path):
    place, folder = places.at(uri) / NAME, tmp_path / "runs" / NAME
    begun(folder, 2)
    assert stored(folder, place).flush()
    begun(folder, 3)  # a head that died between two uploads
    places.write(place / "optuna.log", (folder / "optuna.log").read_bytes())
    assert {log.count(b"\n") for log in handover.read_logs(place).values()} == {2}
    places.write(place / "events.jsonl", b"")
    with pytest.raises(Mistake, match="events.jsonl has 0 bytes, but driver.json says"):
        handover.read_logs(place)


def test_a_sign_of_life_before_the_first_mark_leaves_what_was_stored(uri, tmp_path, monkeypatch):
    place, folder = places.at(uri) / NAME, tmp_path / "runs" / NAME
    begun(folder, 2)
    assert stored(folder, place).flush()
    before = lease.read(place)
    monkeypatch.setattr(mirror, "RENEW_SECONDS", 0.02)
    other = Mirror(folder, place, print, print)
    began = other.renewed
    wait(lambda: other.renewed > began)
    assert other.thread.is_alive() and not other.failed
    assert lease.read(place)["sizes"] == before["sizes"]
    assert places.read(place / "events.jsonl").count(b"\n") == 2
    assert other.flush()


def test_the_study_is_free_only_when_all_of_it_is_stored(uri, tmp_path, monkeypatch):
    place, folder = places.at(uri) / NAME, tmp_path / "runs" / NAME
    begun(folder, 1)
    made, write, order = stored(folder, place), places.write, []

    def noted(target, data):
        write(target, data)
        order.append((str(target).split("?")[0].rpartition("/")[2], b'"token": ""' in data))

    monkeypatch.setattr(places, "write", noted)
    begun(folder, 2)
    with (folder / "events.jsonl").open("a") as file:
        file.write('{"half')
    (folder / "trials.parquet").write_text("rows")
    assert made.flush()
    names = [name for name, _ in order]
    assert names[:3] == ["optuna.log", "events.jsonl", "driver.json"]
    assert "trials.parquet" in names[3:-1] and order[-1] == ("driver.json", True)
    assert [free for _, free in order].count(True) == 1
    assert handover.read_logs(place)["events.jsonl"].count(b"\n") == 2, "no half line"


def test_a_checkpoint_goes_only_after_storage_knows_why(uri, tmp_path):
    place, folder = places.at(uri) / NAME, tmp_path / "runs" / NAME
    begun(folder, 1)
    made, seen = stored(folder, place), []
    begun(folder, 2)
    made.later(lambda: seen.append(places.read(place / "events.jsonl").count(b"\n")))
    assert seen == []
    assert made.flush() and seen == [2]


def test_a_bucket_that_goes_and_comes_is_told_once_each_and_nothing_is_missing(
    uri, tmp_path, monkeypatch, capsys
):
    place, folder = places.at(uri) / NAME, tmp_path / "runs" / NAME
    begun(folder, 1)
    monkeypatch.setattr(mirror, "EVERY_SECONDS", 0.05)
    made, write, away = stored(folder, place), places.write, []

    def failing(target, data):
        away.append(target)
        if len(away) < 3:
            raise OSError("AWS Error NETWORK_CONNECTION (Request ID: x)")
        write(target, data)

    monkeypatch.setattr(places, "write", failing)
    begun(folder, 2)
    wait(lambda: (made.mark(), len(away) > 3 and not made.failed)[1])
    said = capsys.readouterr().out.splitlines()
    assert "can't be reached (AWS Error NETWORK_CONNECTION): the study goes on" in said[0]
    assert "answers again" in said[1] and len(said) == 2
    assert made.flush()
    assert places.read(place / "events.jsonl").count(b"\n") == 2


def test_a_last_upload_that_fails_is_not_taken_for_done(uri, tmp_path, monkeypatch):
    place, folder = places.at(uri) / NAME, tmp_path / "runs" / NAME
    begun(folder, 1)
    made = stored(folder, place)
    begun(folder, 2)
    monkeypatch.setattr(mirror, "FLUSH_SECONDS", 0.5)

    def failing(target, data):
        raise OSError("AWS Error NETWORK_CONNECTION")

    monkeypatch.setattr(places, "write", failing)
    assert not made.flush() and made.failed == "AWS Error NETWORK_CONNECTION"


def test_a_driver_on_another_machine_is_refused_for_a_minute(uri, tmp_path, monkeypatch):
    place, named = parts(uri)
    folder = tmp_path / "runs" / NAME
    begun(folder, 1)
    made = stored(folder, place)
    elsewhere(place)
    for attempt in (
        lambda: handover.prepare(Study(storage=uri), folder, print),
        lambda: handover.bring(named, tmp_path / "there", print),
    ):
        with pytest.raises(Mistake, match=r"driver on other \(process \d+, last seen \d+ s ago\)"):
            attempt()
    monkeypatch.setattr(lease, "LEASE_SECONDS", -1.0)  # later
    handover.prepare(Study(storage=uri), folder, print)
    made.flush()


def test_a_driver_that_was_killed_on_this_machine_keeps_nobody_waiting(uri, tmp_path):
    place, folder = places.at(uri) / NAME, tmp_path / "runs" / NAME
    begun(folder, 1)
    made = stored(folder, place)
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    changed = lease.read(place) | {"pid": gone.pid}
    places.write(place / lease.LEASE, json.dumps(changed).encode())
    handover.prepare(Study(storage=uri), folder, print)
    made.flush()


def test_a_driver_that_comes_back_after_another_took_over_writes_nothing_more(uri, tmp_path):
    place, folder = places.at(uri) / NAME, tmp_path / "runs" / NAME
    begun(folder, 1)
    told = []
    first = Mirror(folder, place, print, told.append)
    second = stored(folder, place)
    begun(folder, 2)
    first.mark()
    wait(lambda: told)
    assert "was taken over by" in told[0] and first.flush()
    assert places.read(place / "events.jsonl").count(b"\n") == 1
    assert second.flush()


def test_a_stored_study_becomes_the_local_one_it_was(uri, tmp_path):
    place, named = parts(uri)
    folder = tmp_path / "runs" / NAME
    begun(folder, 3)
    (folder / "trials.parquet").write_text("rows")
    assert stored(folder, place).flush()
    places.write(place / "checkpoints" / "t0" / "epoch_00001.pt", b"state")
    for behind in (None, 1):  # nothing local, or an earlier state of it
        shutil.rmtree(folder)
        if behind:
            begun(folder, behind)
        assert handover.bring(named, tmp_path / "runs", print) == (folder, places.apart(named)[0])
        assert (folder / "events.jsonl").read_text().count("\n") == 3
        assert not (folder / "checkpoints").exists() and not (folder / "driver.json").exists()
    assert (folder / "trials.parquet").read_text() == "rows"
    begun(folder, 5)  # ahead: what storage has not heard of stays
    handover.bring(named, tmp_path / "runs", print)
    assert (folder / "events.jsonl").read_text().count("\n") == 5
    handover.prepare(Study(storage=uri), folder, print)


def test_neither_copy_of_a_study_replaces_what_is_not_its_past(uri, tmp_path):
    place, named = parts(uri)
    folder, out = tmp_path / "runs" / NAME, tmp_path / "runs"
    begun(folder, 3)
    assert stored(folder, place).flush()

    def refused(words: str, *attempts) -> None:
        for attempt in attempts:
            with pytest.raises(Mistake, match=words):
                attempt()

    begun(folder, 2)
    refused("is ahead of", lambda: handover.prepare(Study(storage=uri), folder, print, uri))
    (folder / "events.jsonl").write_text('{"another": "way"}\n')
    handover.bring(named, out, print)
    refused("went on apart", lambda: handover.prepare(Study(storage=uri), folder, print, uri))
    begun(folder, 1, started_at="yesterday")
    refused("is another study than", lambda: handover.bring(named, out, print))
    shutil.rmtree(folder)
    refused("exists: go on with it", lambda: handover.prepare(Study(storage=uri), folder, print))
    nothing = named.replace(f"/{NAME}", "/nothing")
    refused("holds no study", lambda: handover.bring(nothing, out, print))
    assert not folder.exists()


def test_checkpoints_move_with_the_storage(uri, tmp_path, capsys):
    folder = tmp_path / "runs" / NAME
    begun(folder, 1)
    places.write(folder / "checkpoints" / "t0" / "epoch_00001.pt", b"state")
    handover.prepare(Study(storage=uri), folder, print, before="")
    there = places.at(uri) / NAME / "checkpoints" / "t0" / "epoch_00001.pt"
    assert places.read(there) == b"state"
    shutil.rmtree(folder / "checkpoints")
    handover.prepare(Study(storage=""), folder, print, before=uri)
    assert (folder / "checkpoints" / "t0" / "epoch_00001.pt").read_bytes() == b"state"


SMALL = [
    "--preset", "smoke", "--models", "alexnet", "--data", "faces:140", "--batch-size", "32,64",
    "--trials", "3", "--epochs", "2", "--name", NAME, "--max-concurrent", "1", "--seeds", "1",
]  # fmt: skip
CLOCKS = ["started_at", "ended_at", "finished_at", "epoch_seconds", "images_per_second",
          "memory_mib"]  # fmt: skip


def driver(*arguments: str, folder: Path) -> subprocess.Popen:
    folder.mkdir(exist_ok=True)
    return subprocess.Popen(
        [sys.executable, "-m", "study.run", *arguments, "--address", "local"], cwd=folder,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
    )  # fmt: skip


def gone(process: subprocess.Popen) -> None:
    """End a driver at once, and what it started."""
    subprocess.run(["pkill", "-KILL", "-s", str(process.pid)], check=False)
    process.wait()
    process.stdout.close()


@pytest.mark.ray
def test_a_study_whose_head_is_gone_with_its_disk_goes_on_elsewhere_as_if_nothing_had_been(
    s3, tmp_path
):
    place, named = parts(f"s3://faces/heads{s3}")
    begun = [driver(*SMALL, folder=tmp_path / "undisturbed")]
    try:
        head = driver(*SMALL, "--storage", f"s3://faces/heads{s3}", folder=tmp_path / "one")
        begun.append(head)
        events = tmp_path / "one" / "runs" / NAME / "events.jsonl"
        deadline = time.monotonic() + 900
        while not events.exists() or '"trial_id": "t0001", "epoch": 1' not in events.read_text():
            assert head.poll() is None, head.communicate()[0]
            assert time.monotonic() < deadline
            time.sleep(0.02)
        gone(head)
        shutil.rmtree(tmp_path / "one")
        begun.append(driver("--resume", named, folder=tmp_path / "two"))
        for process in (begun[0], begun[2]):
            out = process.communicate(timeout=900)[0]
            assert process.returncode == 0, out
        assert "Shared storage: s3://faces/heads/small" in out
    finally:
        for process in begun:
            gone(process)
    there = tmp_path / "undisturbed" / "runs" / NAME
    for name in ("trials", "epochs", "decisions", "predictions"):
        pd.testing.assert_frame_equal(
            pd.read_parquet(tmp_path / "two" / "runs" / NAME / f"{name}.parquet")
            .drop(columns=CLOCKS, errors="ignore"),
            pd.read_parquet(there / f"{name}.parquet").drop(columns=CLOCKS, errors="ignore"),
        )  # fmt: skip
    kept = places.names(place / "checkpoints")
    assert kept == ["alexnet-s0/epoch_00002.pt"], "the confirmed network alone"
    assert [*read(there / "events.jsonl")]
    whole = places.read(place / "events.jsonl")
    assert whole == (tmp_path / "two" / "runs" / NAME / "events.jsonl").read_bytes()


@pytest.mark.ray
def test_storage_that_is_not_there_is_told_before_anything_starts(
    s3, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    for words, told in {
        ("--storage", f"s3://nobody/x{s3}"): "s3://nobody/x can't be used as storage",
        ("--resume", f"s3://faces/nothing{s3}"): "s3://faces/nothing holds no study",
        ("--storage", "ftp://x/y"): "ftp://x/y can't be opened",
    }.items():
        assert main(["--preset", "smoke", *words]) == 2
        lines = capsys.readouterr().err.strip().splitlines()
        assert len(lines) == 1 and told in lines[0], lines
        assert not (tmp_path / "runs").exists()
