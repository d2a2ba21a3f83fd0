"""The ledger of test openings."""

from test_storage_places import s3, uri

from study.driver import ledger
from study.storage import places

__all__ = ["s3", "uri"]


def test_each_study_counts_once_and_each_data_set_apart(tmp_path):
    assert ledger.opened("a", "first", ["x"], tmp_path) == 1
    assert ledger.opened("a", "second", ["x"], tmp_path) == 2
    assert ledger.opened("a", "first", ["x"], tmp_path) == 1
    assert ledger.opened("b", "first", ["x"], tmp_path) == 1
    assert len(ledger.lines(tmp_path / ledger.NAME)) == 3


def test_another_size_of_the_same_faces_is_the_same_test(tmp_path):
    """Kept at 96 pixels instead of 48 they have another digest."""
    storage = tmp_path / "storage"
    assert ledger.opened("at48", "first", ["x"], tmp_path, storage, "raf") == 1
    assert ledger.opened("at96", "second", ["x"], tmp_path, storage, "raf") == 2
    assert ledger.opened("at96", "third", ["x"], tmp_path / "other", storage, "raf") == 3
    assert ledger.opened("at48", "fourth", ["x"], tmp_path, None, "repacked") == 2
    assert ledger.opened("other", "fifth", ["x"], tmp_path, None, "another") == 1
    assert ledger.opened("none", "drawn", ["x"], tmp_path) == 1, "without a file no line matches"


def test_a_study_that_is_removed_and_begun_again_by_its_name_is_another_look(tmp_path):
    storage = tmp_path / "storage"
    times = ("2026-11-28T10:00:00.000+00:00", "2026-11-28T11:00:00.000+00:00")
    for _ in range(2):
        looks = [ledger.opened("a", "s", [], tmp_path, storage, begun=begun) for begun in times]
        assert looks == [1, 2]
    other = tmp_path / "other"
    assert ledger.opened("a", "s", [], other, storage, begun="2026-11-28T12:00") == 3
    assert len(ledger.shared(storage, "a")) == 3


def test_a_damaged_line_is_passed_over_and_a_place_that_is_none_is_no_error(tmp_path):
    (tmp_path / ledger.NAME).write_text('{"data": "a", "study": "one"}\n{"da\n5\n')
    assert ledger.opened("a", "two", [], tmp_path) == 2
    (tmp_path / "file").touch()
    assert ledger.opened("a", "two", [], tmp_path / "file") == 1


def test_studies_of_two_machines_that_share_storage_know_of_each_other(tmp_path):
    one, other, storage = tmp_path / "one", tmp_path / "other", tmp_path / "storage"
    assert ledger.opened("a", "first", ["x"], one, storage) == 1
    assert ledger.opened("a", "second", ["x"], other, storage) == 2
    assert ledger.opened("a", "second", ["x"], other, storage) == 2
    assert ledger.opened("a", "third", ["x"], one, storage) == 3
    assert ledger.opened("b", "first", ["x"], one, storage) == 1
    assert ledger.opened("a", "alone", ["x"], other) == 2  # without storage, of this machine alone


def test_a_ledger_in_a_bucket_is_that_on_a_disk(uri, tmp_path):
    storage, one, other = places.at(uri), tmp_path / "one", tmp_path / "other"
    assert ledger.opened("a", "first", ["x"], one, storage) == 1
    assert ledger.opened("a", "second", ["y"], other, storage) == 2
    assert ledger.opened("a", "first", ["x"], one, storage) == 1
    assert ledger.opened("b", "second", ["y"], other, storage) == 1
    kept = places.names(storage / ledger.SHARED)
    assert kept == ["a/first.json", "a/second.json", "b/second.json"]
    assert [line["settings"] for line in ledger.shared(storage, "a")] == [["x"], ["y"]]


def test_a_bucket_that_is_gone_loses_no_study(s3, tmp_path):
    gone = places.at(f"s3://nowhere/x{s3}")
    assert ledger.opened("a", "one", [], tmp_path, gone) == 1
    assert ledger.opened("a", "two", [], tmp_path, gone) == 2


def test_storage_that_cannot_be_written_loses_no_study(tmp_path):
    (tmp_path / "file").touch()
    assert ledger.opened("a", "one", [], tmp_path, tmp_path / "file") == 1
    assert ledger.opened("a", "two", [], tmp_path, tmp_path / "file") == 2
