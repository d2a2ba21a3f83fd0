"""Studies that a signal, a dead worker, a hanging trial or a full disk disturbs."""

import errno
import json
import os
import shutil
import signal
import subprocess

import pandas as pd
import pytest
from small_study import PATIENCE, driver, optuna_states, small, tables_of_search, told, wait_for

from benchmarks.chaos import standins
from fer_record.journal import read
from study.run import main
from study.search.optuna_log import OptunaLog


@pytest.mark.ray
@pytest.mark.parametrize(
    ("fault", "ends", "retries"),
    [(standins.NoStart, "completed", 1), (standins.NoStartAlways, "failed", 2)],
)
def test_a_trial_whose_worker_fails_before_its_first_epoch_is_a_row(
    here, ray_two_cpus, fault, ends, retries
):
    words = small("--stages", "search", "--trials", "2", "--epochs", "1", "--scheduler", "none")
    notify = ["--notify", "sh -c 'cat >> notified.jsonl'"]
    assert main([*words, *notify], trainable=fault) == 0
    lines = (here / "notified.jsonl").read_text().splitlines()
    assert sum(json.loads(one)["event"] == "trial_failed" for one in lines) == (ends == "failed")
    trials = tables_of_search(here / "runs" / "small").set_index("trial_id")
    assert trials["status"].to_dict() == {"t0000": "completed", "t0001": ends}
    assert trials.loc["t0001", "retries"] == retries
    assert "a fault before the beginning" in trials.loc["t0001", "error"]


@pytest.mark.ray
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_in_order_and_says_how_to_go_on(here, ray_two_cpus, number):
    process = driver(*small("--epochs", "300", "--scheduler", "none"), folder=here)
    folder = here / "runs" / "small"
    wait_for(folder / "events.jsonl", '"epoch": 2', process)
    process.send_signal(number)
    out = process.communicate(timeout=PATIENCE)[0]
    assert process.returncode == 128 + number, out
    assert "Go on with: python -m study.run --resume runs/small" in out
    study = json.loads((folder / "study.json").read_text())
    assert (study["status"], study["reason"]) == ("interrupted", signal.Signals(number).name)
    assert len(pd.read_parquet(folder / "epochs.parquet")) >= 2
    assert main(["--resume", "small", "--time-budget", "1"]) == 1  # and nothing is confirmed


@pytest.mark.ray
def test_a_pipe_that_is_closed_ends_the_study_in_order_and_its_status_says_so(here):
    """As `| head` does: the reader is gone after the first lines."""
    process = driver(*small("--epochs", "300", "--scheduler", "none"), folder=here)
    told = [process.stdout.readline() for _ in range(4)]
    steps = [line.split()[0] for line in told]
    assert steps == ["Loading", "Reading", "Starting", "Study"], told
    process.stdout.close()
    assert process.wait(timeout=PATIENCE) == 128 + signal.SIGPIPE
    folder = here / "runs" / "small"
    study = json.loads((folder / "study.json").read_text())
    assert study["status"] == "interrupted"
    assert study["reason"] == "SIGPIPE: standard output can't be written (Broken pipe)"
    ended = [*read(folder / "events.jsonl")][-1]
    assert (ended["event"], ended["reason"]) == ("study_ended", study["reason"])


@pytest.mark.ray
def test_a_worker_that_dies_is_started_again_and_the_row_says_so(here, ray_two_cpus):
    process = driver(*small("--stages", "search", "--trials", "1", "--epochs", "30"), folder=here)
    events = here / "runs" / "small" / "events.jsonl"
    wait_for(events, '"epoch": 2', process)
    subprocess.run(
        ["pkill", "-KILL", "-s", str(process.pid), "-f", "ray::(ResourceTrainable|Trial)"],
        check=True,
    )
    out = process.communicate(timeout=PATIENCE)[0]
    assert process.returncode == 0, out
    trial = tables_of_search(here / "runs" / "small").iloc[0]
    assert (trial["status"], trial["retries"]) == ("completed", 1)
    epochs = pd.read_parquet(here / "runs" / "small" / "epochs.parquet")
    assert list(epochs["epoch"]) == list(range(1, 31))


@pytest.mark.ray
def test_a_trial_that_hangs_is_killed_and_started_again_and_the_others_go_on(here, ray_two_cpus):
    hang = small("--stages", "search", "--trials", "3", "--scheduler", "none")
    words = [*hang, "--hang-seconds", "20", "--notify", "sh -c 'cat >> notified.jsonl; false'"]
    assert main(words, trainable=standins.Hanging) == 0
    events = map(json.loads, (here / "notified.jsonl").read_text().splitlines())
    texts = [one["text"] for one in events if one["event"] == "stalled"]
    assert "t0001: no report for 20 s, killed to be retried" in texts
    trials = tables_of_search(here / "runs" / "small").set_index("trial_id")
    assert list(trials["status"]) == ["completed"] * 3
    assert trials.loc["t0001", "retries"] >= 1
    assert trials.loc["t0001", "error"] == "no report for 20 s"


@pytest.mark.ray
@pytest.mark.skipif(os.geteuid() != 0, reason="a small file system can be mounted by root only")
def test_a_full_disk_stops_with_a_sentence_and_the_study_goes_on_after(here, ray_two_cpus):
    disk = here / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=20m", "tmpfs", str(disk)]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("this machine doesn't let root mount a small file system")
    try:
        words = small("--stages", "search", "--trials", "2", "--out", str(disk))
        process = driver(*words, folder=here)
        out = process.communicate(timeout=PATIENCE)[0]
        assert process.returncode == 2 and "disk full" in out, out
        subprocess.run(["mount", "-o", "remount,size=400m", str(disk)], check=True)
        assert main(["--resume", str(disk / "small")]) == 0
        assert set(tables_of_search(disk / "small")["status"]) <= {"completed", "stopped"}
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


@pytest.mark.ray
@pytest.mark.parametrize(("number", "call"), [(errno.EDQUOT, 1), (errno.ENOSPC, 9)])
def test_whatever_fails_to_be_written_the_books_are_closed_and_the_study_goes_on(
    here, ray_two_cpus, monkeypatch, capsys, number, call
):
    """Optuna's journal, at its making (outside Tune) and in the middle (inside)."""
    calls, append = [], OptunaLog.append_logs

    def failing(self, logs):
        calls.append(logs)
        if len(calls) >= call:
            raise OSError(number, os.strerror(number))
        append(self, logs)

    one = small("--stages", "search", "--trials", "2", "--epochs", "1")
    with monkeypatch.context() as patch:
        patch.setattr(OptunaLog, "append_logs", failing)
        assert main(one) == 2
    out = capsys.readouterr().out
    assert "Stopped: disk full at runs/small" in out
    assert "go on with: python -m study.run --resume runs/small" in out
    folder = here / "runs" / "small"
    ended = told(folder, "study_ended")[-1]
    assert ended["status"] == "interrupted" and ended["reason"].startswith("disk full")
    assert main(["--resume", "small"]) == 0
    assert set(tables_of_search(folder)["status"]) == {"completed"}
    assert optuna_states(folder) == ["COMPLETE"] * 2


@pytest.mark.ray
def test_a_storage_that_vanishes_ends_the_study_with_a_sentence_and_it_resumes(here, ray_two_cpus):
    folder, away = here / "runs" / "small", here / "away"
    process = driver(*small("--stages", "search", "--trials", "1", "--epochs", "20"), folder=here)
    wait_for(folder / "events.jsonl", '"epoch": 2', process)
    folder.rename(away)
    out = process.communicate(timeout=PATIENCE)[0]
    assert process.returncode == 2 and "Stopped: storage gone at runs/small" in out, out
    shutil.rmtree(folder, ignore_errors=True)  # what a worker made anew in the wrong place
    away.rename(folder)
    assert main(["--resume", "small"]) == 0
    epochs = pd.read_parquet(folder / "epochs.parquet")
    assert list(epochs["epoch"]) == list(range(1, 21))
