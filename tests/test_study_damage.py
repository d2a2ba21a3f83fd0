"""Files that are read again, damaged anywhere: never a traceback, never other content unseen."""

import random
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from fer_record.journal import read
from fer_record.tables import Tables
from study import Mistake
from study.config.study import Study, from_dict
from study.data import datasets
from study.data.datasets import Dataset, Split
from study.driver import confirm
from study.driver.display import Display
from study.record import outcome
from study.record.journal import Journal
from study.record.schemas import ATTENTION, schema, store
from study.search.proposals import Optimiser
from study.training import checkpoint


def damaged(path: Path, times: int) -> Iterator[bytes]:
    """The file with eight other bytes, or one other bit, somewhere; as often; what it was."""
    whole, dice = path.read_bytes(), random.Random(0)
    for time in range(times):
        content = bytearray(whole)
        at = dice.randrange(len(whole) - 8)
        if time % 2:
            content[at : at + 8] = dice.randbytes(8)
        else:
            content[at] ^= 1 << dice.randrange(8)
        path.write_bytes(content)
        yield whole
    path.write_bytes(whole)


def test_a_table_of_answers_is_as_it_was_or_is_known_to_be_damaged(tmp_path):
    path = tmp_path / "predictions.parquet"
    names, shares = ["a-s0"] * 300 + ["b-s0"] * 300, np.random.default_rng(0).random(600)
    table = pa.table({"trial_id": names, "p_happy": shares.astype(np.float32)})
    store(path, table)
    found = [outcome.kept(path, table.schema) for _ in damaged(path, 400)]
    assert all((kept is None) is (why != "") for kept, why in found)
    assert all(kept.equals(table) for kept, _ in found if kept is not None)
    assert sum(kept is None for kept, _ in found) > 380


def test_a_table_of_an_older_version_without_checksums_raises_nothing_either(tmp_path):
    path = tmp_path / "predictions.parquet"
    pq.write_table(pa.table({"trial_id": ["a-s0"] * 300, "p_happy": np.arange(300.0)}), path)
    for _ in damaged(path, 400):
        kept, why = outcome.kept(path)
        assert (kept is None) is (why != "")


def test_a_checkpoint_is_as_it_was_or_the_one_before_is_used(tmp_path, capsys):
    for epoch in (1, 2):
        weights = torch.arange(5000.0) * epoch
        checkpoint.save(tmp_path, {"model": weights, "record": {"epoch": epoch}})
    used = set()
    for _ in damaged(tmp_path / "epoch_00002.pt", 300):
        state = checkpoint.load(tmp_path)
        assert torch.equal(state["model"], torch.arange(5000.0) * state["record"]["epoch"])
        used.add(state["record"]["epoch"])
    assert used == {1, 2} or used == {1}
    assert "the one before is used" in capsys.readouterr().err


def test_a_journal_is_as_it_was_or_is_refused_but_for_its_last_block(tmp_path):
    path, events = tmp_path / "events.jsonl", []
    with Journal(path) as journal:
        for number in range(30):
            events.append({"event": "epoch_done", "trial_id": "t0001", "val_accuracy": number / 7})
            journal.append(events[-1])
    refused = 0
    for _ in damaged(path, 400):
        try:
            assert [*read(path)] in (events, events[:-1])
        except Mistake as error:
            assert "was damaged after it was written; restore it from a copy" in str(error)
            refused += 1
    assert refused > 380


def test_an_older_journal_that_makes_no_sense_is_refused_in_a_sentence():
    started = {"event": "trial_started", "time": "2026-01-01T00:00:00+00:00", "trial_id": "t0000"}
    for events in (
        [started],
        [started | {"time": "2026-0"}],
        [{"time": "x"}],
        [{"event": 1}],
        [{**started, "event": "epoch_done", "epoch": 1}],
    ):
        with pytest.raises(Mistake, match="event 1 of the journal can't be understood"):
            Tables.of(events)


def study() -> Study:
    space = {"lr": {"low": 0.001, "high": 0.1, "log": True}, "batch_size": [16, 32]}
    return from_dict({"name": "s", "epochs": 4, "models": ["alexnet"], "space": space})


def searched(folder: Path) -> Tables:
    """A search of which four trials are told as the recorder tells them, and one is at work."""
    found, tables = Optimiser(study(), folder), Tables()
    for number in range(5):
        config = found.ask()
        name = config.pop("trial_id")
        row = {f"hp_{key}": value for key, value in config.items()}
        tables.trials[name] = {"stage": "search", "status": "running", **row}
        if number < 4:
            found.report(name, 1, number / 10)
            tables.epochs[name, 1] = {"val_accuracy": number / 10}
            found.tell(name, "completed")
            tables.trials[name]["status"] = "completed"
    return tables


def again(folder: Path, tables: Tables) -> Optimiser:
    """The search as a driver that goes on has it."""
    found = Optimiser(study(), folder, tables.of_stage("search"))
    for (name, epoch), row in tables.epochs.items():
        found.report(name, epoch, row["val_accuracy"])
    for name, row in tables.trials.items():
        if row["status"] != "running":
            found.tell(name, row["status"])
    return found


def known(found: Optimiser) -> list[tuple]:
    trials = found.optuna.get_trials(deepcopy=False)
    return [(t.state, t.params, t.intermediate_values, t.values) for t in trials]


def test_optunas_log_is_made_again_from_the_journal_and_proposes_the_same(tmp_path, capsys):
    (tmp_path / "undisturbed").mkdir()
    undisturbed = again(tmp_path / "undisturbed", searched(tmp_path / "undisturbed"))
    tables, wanted, log = searched(tmp_path), known(undisturbed), tmp_path / "optuna.log"
    for _ in damaged(log, 60):
        found = again(tmp_path, tables)
        assert [(state, params) for state, params, _, _ in known(found)] == [
            (state, params) for state, params, _, _ in wanted
        ]
    assert "is written anew from the journal" in capsys.readouterr().out
    for lost in (b"", b"\0" * 500, log.read_bytes()[:400]):
        log.write_bytes(lost)
        found = again(tmp_path, tables)
        assert known(found) == wanted
    assert found.left_over(set(tables.trials)) == []
    log.unlink()
    found = again(tmp_path, tables)
    assert found.ask() == undisturbed.ask()


def test_a_trial_that_was_proposed_and_never_begun_is_proposed_again(tmp_path):
    tables = searched(tmp_path)
    lost = tables.trials.pop("t0002")
    del tables.epochs["t0002", 1]
    (tmp_path / "optuna.log").unlink()
    found = again(tmp_path, tables)
    (config,) = found.left_over(set(tables.trials))
    assert config["trial_id"] == "t0002" and found.asked() == 5
    assert {f"hp_{name}" for name in config} - {"hp_trial_id"} < set(lost)


def test_what_optuna_says_ended_and_the_journal_does_not_is_made_anew(tmp_path, capsys):
    tables = searched(tmp_path)
    tables.trials["t0003"]["status"] = "running"
    assert again(tmp_path, tables).left_over(set()) != []
    assert "t0003 has ended" in capsys.readouterr().out


def test_a_cache_of_which_the_header_is_damaged_is_built_anew(tmp_path, capsys):
    """A bracket that is never closed: NumPy raises an error of its tokenizer there."""
    made = datasets.load("faces:56")
    (path,) = (tmp_path / "cache").glob("*.npz")
    for _ in damaged(path, 100):
        again = datasets.load("faces:56")
        assert again.digest == made.digest
    whole = path.read_bytes()
    path.write_bytes(whole.replace(b"'shape': (56, 48, 48), }", b"'shape': (56, 48, 48{, }", 1))
    assert path.read_bytes() != whole
    assert datasets.load("faces:56").digest == made.digest
    assert "is damaged" in capsys.readouterr().err


CLASSES = ("happy", "sad")


def split(labels: list[int], first: int) -> Split:
    images = np.zeros((len(labels), 48, 48), np.uint8)
    return Split(images, np.array(labels), np.arange(first, first + len(labels)))


class Answering:
    """In the place of Ray: each network's answer is there at once, or its checkpoint is lost."""

    class exceptions:
        class RayError(Exception):
            pass

    def __init__(self, lost: str = "") -> None:
        self.lost = lost

    def wait(self, promises: list, timeout: float) -> tuple[list, list]:
        return promises, []

    def get(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        if name == self.lost:
            raise self.exceptions.RayError("no trained network")
        maps = np.full((5, 2, 2), 0.5, np.float16) if name.startswith("cbam") else np.empty((0,))
        return np.full((5, 2), 0.5, np.float32), maps


@pytest.fixture
def opened(tmp_path, monkeypatch):
    """A study with answers and maps of its two confirmed networks; `ask` opens test again."""
    val, test = split([1, 0], 10), split([0, 0, 1], 20)
    dataset = Dataset(
        "x",
        "d",
        CLASSES,
        split([0, 1], 0),
        val,
        test,
        np.zeros(3, bool),
        np.zeros(2, bool),
        np.zeros(3, bool),
        np.zeros(2, bool),
        (),
        True,
    )
    tables = Tables()
    for name, model in (("alexnet-s0", "alexnet"), ("cbam-s0", "cbam_resnet34")):
        tables.trials[name] = {"stage": "confirm", "status": "completed", "hp_model": model}
    for number, status in enumerate(("running", "stopped", "failed"), 1):  # test isn't for these
        tables.trials[f"alexnet-s{number}"] = tables.trials["alexnet-s0"] | {"status": status}
    said, logged, asked = [], [], []
    session = SimpleNamespace(
        folder=tmp_path,
        tables=tables,
        whole_val=val,
        dataset=dataset,
        interrupted=False,
        study=from_dict({}),
        say=said.append,
        log=logged.append,
        lost=lambda error: False,
    )
    monkeypatch.setattr(
        confirm, "asked", lambda s, names, *given: asked.extend(names) or {n: n for n in names}
    )

    def ask(lost: str = "") -> list[str]:
        asked.clear()
        monkeypatch.setattr(confirm, "ray", Answering(lost))
        confirm.open_test(session, Display(session.study, ()))
        return [*asked]

    assert ask() == ["alexnet-s0", "cbam-s0"] and ask() == []
    return SimpleNamespace(ask=ask, said=said, logged=logged, folder=tmp_path)


@pytest.mark.parametrize("name", ["predictions", "attention"])
def test_damaged_answers_are_asked_for_again_and_the_file_is_put_aside(opened, name):
    path = opened.folder / f"{name}.parquet"
    before = pq.read_table(path)
    content = path.read_bytes()
    path.write_bytes(content[:200] + b"\0\1\2\3\4\5\6\7" + content[208:])
    assert opened.ask() == (["alexnet-s0", "cbam-s0"] if name == "predictions" else ["cbam-s0"])
    assert f"{name}.parquet can't be read" in opened.said[0]
    assert pq.read_table(path).sort_by("trial_id").equals(before.sort_by("trial_id"))
    assert (opened.folder / f"{name}.parquet.damaged").exists() and opened.ask() == []


def test_maps_that_can_not_be_made_again_leave_the_answers(opened):
    (opened.folder / "attention.parquet").write_bytes(b"PAR1")
    assert opened.ask(lost="cbam-s0") == ["cbam-s0"]
    assert "where cbam-s0 looks can't be told any more" in opened.said[-1]
    assert opened.logged == [] and outcome.answered(opened.folder) == {"alexnet-s0", "cbam-s0"}


@pytest.mark.parametrize(
    "column, value", [("image", 7), ("label", "sad"), ("p_sad", 9.0), ("split", "train")]
)
def test_answers_that_can_not_be_this_studys_are_asked_for_again(opened, column, value):
    """Of a file without checksums, in which damage may read like an answer."""
    path = opened.folder / "predictions.parquet"
    rows = pq.read_table(path).to_pylist()
    rows[3][column] = value
    pq.write_table(pa.Table.from_pylist(rows, pq.read_schema(path)), path)
    assert opened.ask() == ["alexnet-s0"]
    assert [row[column] for row in pq.read_table(path).to_pylist()].count(value) < 10


def test_a_table_of_other_columns_is_none(opened):
    path = opened.folder / "attention.parquet"
    pq.write_table(schema(ATTENTION).empty_table().drop_columns("side"), path)
    assert opened.ask() == ["cbam-s0"]
    assert "its columns are others" in opened.said[0]
