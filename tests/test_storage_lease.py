"""Whether another driver still runs a study in shared storage; more in test_storage_places.py."""

import json
import os
import subprocess
import sys
import time

import pytest

from study import Mistake
from study.storage import lease, places, process


@pytest.fixture
def place(tmp_path):
    return tmp_path / "shared" / "small"


def held(place, **other) -> None:
    """Leave a sign of life of this process in storage, but for what is said otherwise."""
    lease.write(place, "token", {})
    changed = lease.read(place) | other
    kept = {name: value for name, value in changed.items() if value is not None}
    places.write(place / lease.LEASE, json.dumps(kept).encode())


def refused(place, said=print) -> str:
    with pytest.raises(Mistake) as caught:
        lease.refuse_held(place, time.time(), said)
    return str(caught.value)


def free(place, said=print) -> None:
    lease.refuse_held(place, time.time(), said)


@pytest.fixture
def soon(monkeypatch):
    """A lease that runs out at once, or nearly."""
    monkeypatch.setattr(lease, "LEASE_SECONDS", 0.3)


GONE = 4_000_000  # above Linux's largest number of a process


def test_a_living_driver_of_this_machine_is_refused_at_once(place):
    held(place)
    assert f"driver on {os.uname().nodename} (process {os.getpid()}" in refused(place, None)


def test_a_driver_that_was_killed_here_keeps_nobody_waiting(place):
    held(place, pid=GONE)
    free(place, None)


def test_another_process_of_the_same_number_is_not_the_driver(place):
    held(place, began="17")
    free(place, None)


OTHERS = {
    "another container of this name": {"pid": GONE, "pid_namespace": "pid:[1]"},
    "another machine of this name": {"pid": GONE, "boot": "another"},
    "a container's process 1 seen from the next": {"pid": 1, "pid_namespace": "pid:[1]"},
}


@pytest.mark.parametrize("other", OTHERS)
def test_a_driver_of_another_container_or_machine_of_the_same_name_is_not_taken_for_dead(
    place, other
):
    held(place, **OTHERS[other])
    assert "is being run by a driver" in refused(place, None)


def test_a_driver_that_an_older_version_tells_of_is_waited_for(place, soon):
    """Its lease has neither boot nor namespace: only its age says something."""
    held(place, pid=GONE, boot=None, pid_namespace=None, began=None)
    said = []
    free(place, said.append)
    assert "waiting for up to 0 s to see whether it still is" in said[0]


def test_a_system_without_proc_decides_by_the_lease_alone(place, monkeypatch, soon):
    monkeypatch.setattr(process, "read_link", lambda path: "")
    held(place)
    assert {lease.read(place)[name] for name in process.FACTS} == {""}
    said = []
    free(place, said.append)
    assert len(said) == 1
    elsewhere = lease.read(place) | {"host": "other"}
    places.write(place / lease.LEASE, json.dumps(elsewhere).encode())
    monkeypatch.setattr(lease, "LEASE_SECONDS", 60.0)
    assert "is being run by a driver on other" in refused(place, None)


def test_a_sign_of_life_while_waiting_is_a_living_driver(place, monkeypatch):
    monkeypatch.setattr(process, "read_link", lambda path: "")
    held(place)
    monkeypatch.setattr(lease.time, "sleep", lambda seconds: held(place, time="later"))
    assert "last seen 0 s ago" in refused(place, lambda line: None)


@pytest.mark.parametrize(
    "damage",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"token": 3}',
        b"\xff\0",
        b'{"token": "x", "host": "h", "pid": "1", "sizes": {}}',
        b'{"token": "x", "host": "h", "pid": 1, "sizes": {"events.jsonl": -5}}',
    ],
)
def test_a_damaged_lease_is_waited_out_and_nobody_has_to_delete_it(place, damage, monkeypatch):
    places.write(place / lease.LEASE, damage)
    assert "driver on an unknown machine" in refused(place, None)
    monkeypatch.setattr(lease, "LEASE_SECONDS", -1.0)
    free(place, None)


def test_the_facts_of_a_process_are_its_own():
    """By a program whose name holds what the file has between its fields."""
    ours = process.facts(os.getpid())
    if not all(ours.values()):
        pytest.skip("this system doesn't tell")
    waits = "import ctypes; ctypes.CDLL(None).prctl(15, b'a) (b c) 1'); print(flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", waits], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        other.stdout.readline()
        theirs = process.facts(other.pid)
        assert int(theirs["began"]) > int(ours["began"])
        assert {**theirs, "began": ""} == {**ours, "began": ""}
        holder = {"pid": other.pid, **theirs}
        assert not process.ended(holder)
        other.communicate(b"\n")
    assert process.ended(holder)
