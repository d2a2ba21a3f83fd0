"""study.json read again, and what each driver leaves of itself in the journal."""

import json
from dataclasses import replace

import pytest

from fer_record.tables import Tables
from study import Mistake
from study.config.study import Study, from_dict, to_dict
from study.driver import header

STUDY = Study(name="s", epochs=7, preset="smoke")
HEADER = {
    "study": to_dict(STUDY),
    "device": "cpu",
    "why_this_size": "no GPU",
    "started_at": "2026-11-24",
    "data": {"name": "faces", "digest": "d1", "classes": ["happy", "sad"], "counts": {}},
    "networks": {"alexnet": [{"layer": 1}]},
    "git": {"commit": "c" * 40, "dirty": False, "code": "aaaa"},
    "versions": {"python": "3.11.7", "torch": "2.13.0"},
    "hardware": {"host": "one", "processor": "old", "gpus": []},
}
HEADER = json.loads(json.dumps(HEADER))
OTHER = {
    "git": {"commit": None, "dirty": None, "code": "bbbb"},
    "versions": {"python": "3.11.7", "torch": "2.14.1"},
    "hardware": {"host": "two", "processor": "old", "gpus": ["A100"]},
}


def began(**more) -> dict:
    return {
        "event": "driver_started",
        "time": "2026-11-24T10:00:00+00:00",
        "host": "h",
        "pid": 1,
        "resumed": False,
        **more,
    }


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "study.json").write_text(json.dumps(HEADER))
    return tmp_path


KNOWN = Tables.of([began(**header.of_journal(HEADER))])
OLDER = Tables.of([began()])  # a driver that left nothing of itself in the journal


def test_what_a_driver_leaves_in_the_journal_is_what_study_json_is_made_of():
    told = header.of_journal(HEADER)
    assert told["data"] == {"name": "faces", "digest": "d1"}
    assert {name: told[name] for name in header.OF_A_DRIVER} == {
        name: HEADER[name] for name in header.OF_A_DRIVER
    }
    assert from_dict(told["study"]) == STUDY and "networks" not in told


@pytest.mark.parametrize("tables", [KNOWN, OLDER, Tables()])
def test_a_whole_study_json_is_read_as_it_is(folder, tables, capsys):
    assert header.read(folder, tables) == (HEADER, STUDY)
    assert capsys.readouterr().out == ""


def test_what_was_known_of_test_before_it_was_judged_by_is_not_lost(folder):
    """A driver that was killed before its study's end left it out of study.json for good."""
    added = {"seeds_after_test": [2, 5]}
    opened = {"event": "test_opened", "time": "2026-11-24T10:00:01+00:00", "trial_id": "a-s0"}
    events = [began(**header.of_journal(HEADER | added)), opened | {"look": 3}, opened]
    tables = Tables.of(events)
    assert header.read(folder, tables) == (HEADER | {"look_at_test": 3}, STUDY)
    (folder / "study.json").unlink()
    found, _ = header.read(folder, tables)
    assert found["look_at_test"] == 3 and found["seeds_after_test"] == [2, 5]


def test_an_older_study_json_takes_back_nothing_that_a_resume_has_changed(folder, capsys):
    """The study was the journal's, but that seeds were added after test was forgotten."""
    more = {"study": to_dict(replace(STUDY, seeds=5)), "seeds_after_test": [2, 5], "device": "cuda"}
    more |= {"changed": [{"trials": 3, "what": {}}]}
    tables = Tables.of([began(**header.of_journal(HEADER | more))])
    found, study = header.read(folder, tables)
    assert study.seeds == 5 and {name: found[name] for name in more} == more
    assert found["networks"] == HEADER["networks"]
    assert "isn't as its last driver wrote it" in capsys.readouterr().out


DAMAGES = [
    b"",
    b"{",
    b"[]",
    b"null",
    b"\xff\xfe",
    b'{"study": 3}',
    b'{"study": {}}',
    json.dumps(HEADER | {"data": []}).encode(),
    json.dumps(HEADER | {"started_at": None}).encode(),
    json.dumps(HEADER | {"study": {"epochs": -3}}).encode(),
    json.dumps(HEADER | {"study": {"epchs": 3}}).encode(),
    None,
]


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_or_lost_study_json_is_made_anew_from_the_journal(folder, capsys, damage):
    path = folder / "study.json"
    path.unlink() if damage is None else path.write_bytes(damage)
    found, study = header.read(folder, KNOWN)
    assert study == STUDY and found["data"]["digest"] == "d1" and found["device"] == "cpu"
    assert found["git"] == HEADER["git"]
    assert f"{path} is damaged or lost" in capsys.readouterr().out
    for older in (OLDER, Tables()):
        with pytest.raises(Mistake, match="holds no study.json|restore it from a copy"):
            header.read(folder, older)


def test_a_study_that_was_changed_in_study_json_goes_on_as_the_journal_has_it(folder, capsys):
    changed = HEADER | {"study": HEADER["study"] | {"epochs": 77}}
    (folder / "study.json").write_text(json.dumps(changed))
    found, study = header.read(folder, KNOWN)
    assert study.epochs == 7 and found["study"] == HEADER["study"]
    assert "isn't as its last driver wrote it" in capsys.readouterr().out
    assert header.read(folder, OLDER)[1].epochs == 77


def test_what_another_driver_runs_with_is_told_as_far_as_it_is_known():
    assert header.others(HEADER, OTHER) == [
        "code bbbb (before aaaa)",
        "torch 2.14.1 (before 2.13.0)",
        "GPU A100 (before none)",
    ]
    assert header.others(HEADER, HEADER) == header.others({}, OTHER) == []


def test_all_that_a_studys_drivers_ran_with_is_told_in_their_order():
    third = {name: HEADER[name] for name in header.OF_A_DRIVER}
    drivers = [began(), began(**OTHER), began(**third)]
    assert header.mixed(HEADER, drivers) == [
        "code aaaa, then bbbb",
        "torch 2.13.0, then 2.14.1",
        "GPU none, then A100",
    ]
    assert header.mixed(HEADER, [began(**third)] * 2) == header.mixed(HEADER, []) == []
    assert Tables.of(drivers).drivers[1]["git"] == OTHER["git"]
