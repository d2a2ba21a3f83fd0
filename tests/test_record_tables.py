import errno
import json
import os
from dataclasses import fields
from datetime import UTC, datetime

import pyarrow.parquet as pq
import pytest

from fer_record.tables import Tables
from study import Mistake
from study.config.hyperparameters import Hyperparameters, present
from study.record import schemas
from study.record.schemas import write_table, write_tables
from study.search.asha import Decision
from study.storage.atomic import write_json
from study.training.loop import EpochRecord

DAY = "2026-11-24T10:00:"
HP = present(Hyperparameters(model="alexnet", batch_size=64))


def at(second: int, event: str, **row) -> dict:
    return {"event": event, "time": f"{DAY}{second:02}.250+00:00", **row}


def moment(second: int) -> datetime:
    return datetime(2026, 11, 24, 10, 0, second, 250_000, UTC)


def started(second: int, name: str, hp: dict = HP, stage: str = "search") -> dict:
    size = {"parameters": 7, "multiply_adds": 9}
    return at(
        second, "trial_started", trial_id=name, stage=stage, setting="", gpus=0.0, hp=hp, **size
    )


def done(second: int, name: str, epoch: int, val_accuracy: float = 0.5, node: str = "a") -> dict:
    observed = EpochRecord(epoch, 1.5, 0.4, 1.25, val_accuracy, 0.01, 2.0, 100.0, 512.0, 0.45, 0.4)
    return at(
        second,
        "epoch_done",
        trial_id=name,
        node=node,
        device="cpu, 1 threads",
        microbatches=1,
        **vars(observed),
    )


def judged(second: int, name: str, decision: str, value: float = 0.5) -> dict:
    whole = Decision(name, 1, 1, value, None, 0, decision)
    return at(second, "rung_judged", **vars(whole))


def ended(second: int, name: str, status: str, **row) -> dict:
    return at(second, "trial_ended", trial_id=name, status=status, reason="why", **row)


def written(folder, *events: dict) -> dict[str, list[dict]]:
    """The rows of the parquet files that these events become."""
    write_tables(Tables.of(events), folder)
    names = ("trials", "epochs", "decisions")
    return {name: pq.read_table(folder / f"{name}.parquet").to_pylist() for name in names}


def columns(path) -> list[str]:
    return [f"{field.name}: {field.type}" for field in pq.read_schema(path)]


def test_a_trial_is_a_row_with_all_that_its_events_told(tmp_path):
    found = written(
        tmp_path,
        started(1, "t0000"),
        done(3, "t0000", 1),
        done(5, "t0000", 2, node="b"),
        ended(6, "t0000", "completed"),
    )
    (row,) = found["trials"]
    hyper = {name: row.pop(name) for name in list(row) if name.startswith("hp_")}
    assert row == {
        "trial_id": "t0000",
        "stage": "search",
        "setting": "",
        "status": "completed",
        "reason": "why",
        "error": "",
        "retries": 0,
        "node": "b",
        "device": "cpu, 1 threads",
        "microbatches": 1,
        "gpus": 0.0,
        "started_at": moment(1),
        "ended_at": moment(6),
        "parameters": 7,
        "multiply_adds": 9,
    }
    assert {name: value for name, value in hyper.items() if value is not None} == {
        f"hp_{name}": value for name, value in HP.items()
    }
    assert [(e["epoch"], e["finished_at"]) for e in found["epochs"]] == [
        (1, moment(3)),
        (2, moment(5)),
    ]
    assert found["epochs"][0] == {
        "trial_id": "t0000",
        "epoch": 1,
        "train_loss": 1.5,
        "train_accuracy": 0.4,
        "val_loss": 1.25,
        "val_accuracy": 0.5,
        "lr": 0.01,
        "epoch_seconds": 2.0,
        "images_per_second": 100.0,
        "gpus": 0.0,
        "cores": None,
        "memory_mib": 512.0,
        "val_balanced_accuracy": 0.45,
        "val_macro_f1": 0.4,
        "finished_at": moment(3),
    }


def test_hyperparameters_that_a_network_does_not_have_are_null(tmp_path):
    cbam = present(Hyperparameters(model="cbam_resnet34"))
    alexnet, gated = written(tmp_path, started(1, "t0000"), started(2, "t0001", cbam))["trials"]
    own = ["hp_batch_norm", "hp_stem", "hp_cbam_order", "hp_cbam_reduction"]
    assert [alexnet[name] for name in own] == [True, None, None, None]
    assert [gated[name] for name in own] == [None, "small", "serial", 16]


def test_a_trial_that_has_not_ended_is_running(tmp_path):
    (row,) = written(tmp_path, started(1, "t0000"))["trials"]
    assert (row["status"], row["ended_at"], row["node"]) == ("running", None, None)


def test_a_repeated_epoch_replaces_the_earlier_in_its_place(tmp_path):
    found = written(
        tmp_path,
        started(1, "t0000"),
        done(2, "t0000", 1, 0.1),
        done(3, "t0000", 2, 0.2),
        done(4, "t0000", 1, 0.3),
    )
    assert [(e["epoch"], e["val_accuracy"]) for e in found["epochs"]] == [(1, 0.3), (2, 0.2)]


def test_the_newest_epoch_of_a_trial_is_the_last_one_told():
    tables = Tables.of(
        [started(1, "t0000"), done(2, "t0000", 1), done(3, "t0000", 2), done(4, "t0000", 1, 0.7)]
    )
    assert (tables.last["t0000"]["epoch"], tables.last["t0000"]["val_accuracy"]) == (1, 0.7)


def test_a_repeated_decision_replaces_the_earlier(tmp_path):
    events = [started(1, "t0000"), judged(2, "t0000", "stop", 0.1), judged(3, "t0000", "continue")]
    assert written(tmp_path, *events)["decisions"] == [
        {
            "trial_id": "t0000",
            "epoch": 1,
            "rung": 1,
            "value": 0.5,
            "cutoff": None,
            "trials_at_rung": 0,
            "decision": "continue",
        }
    ]


def test_a_failed_trial_is_kept_with_its_error_and_its_retries(tmp_path):
    found = written(
        tmp_path,
        started(1, "t0000"),
        at(2, "trial_retried", trial_id="t0000", error="OSError: first"),
        at(3, "trial_retried", trial_id="t0000", error="OSError: second"),
        ended(4, "t0000", "failed", error="ValueError: third", traceback="long\ntext"),
    )
    (row,) = found["trials"]
    assert (row["status"], row["error"], row["retries"]) == ("failed", "ValueError: third", 2)
    assert found["epochs"] == []


def test_a_trial_that_succeeded_after_a_retry_tells_the_error_too(tmp_path):
    retried = at(2, "trial_retried", trial_id="t0000", error="OSError: once")
    (row,) = written(
        tmp_path, started(1, "t0000"), retried, done(3, "t0000", 1), ended(4, "t0000", "completed")
    )["trials"]
    assert (row["status"], row["error"], row["retries"]) == ("completed", "OSError: once", 1)


def test_a_trial_that_goes_on_after_a_budget_has_not_ended(tmp_path):
    stop = ended(3, "t0000", "stopped")
    again = at(9, "trial_continued", trial_id="t0000")
    (row,) = written(tmp_path, started(1, "t0000"), done(2, "t0000", 1), stop, again)["trials"]
    assert (row["status"], row["reason"], row["ended_at"]) == ("running", "", None)


@pytest.mark.parametrize("name", ["../t0000", "/t0000", "a/b", "..", "a\0b", 7])
def test_a_journal_whose_names_lead_out_of_its_folder_is_refused(name):
    for event in (started(1, name), at(1, "chosen", setting=name, from_trial="", hp=HP)):
        with pytest.raises(Mistake, match="leads out of the study's folder"):
            Tables.of([event])


def test_stages_are_told_apart():
    tables = Tables.of([started(1, "t0000"), started(2, "alexnet-s0", stage="confirm")])
    assert list(tables.of_stage("search")) == ["t0000"]
    assert list(tables.of_stage("confirm")) == ["alexnet-s0"]


def test_choices_and_openings_of_test_are_remembered():
    tables = Tables.of(
        [
            started(1, "a-s0", stage="confirm"),
            at(2, "chosen", setting="a", from_trial="t0001", hp=HP),
            at(3, "test_opened", trial_id="a-s0", images=9),
        ]
    )
    assert tables.chosen == {"a": {"setting": "a", "from_trial": "t0001", "hp": HP}}
    assert tables.opened == ["a-s0"]


def test_a_model_that_gave_no_answers_has_failed_until_the_next_driver_asks_it_again():
    """It was told as failed for good, though it had answered since."""
    driver = {"host": "h", "pid": 1, "resumed": False}
    events = [at(0, "driver_started", **driver), started(1, "alexnet-s0", stage="confirm")]
    events.append(at(2, "prediction_failed", trial_id="alexnet-s0", error="out of memory"))
    assert Tables.of(events).unanswered == {"alexnet-s0": "out of memory"}
    assert Tables.of([*events, at(3, "driver_started", **driver)]).unanswered == {}


def test_wall_time_of_two_drivers_leaves_out_the_pause_between_them():
    events = [
        at(1, "driver_started", resumed=False),
        started(2, "t0000"),
        done(11, "t0000", 1),
        at(40, "driver_started", resumed=True),
        done(43, "t0000", 2),
        at(45, "study_ended", status="complete", reason="all stages done"),
    ]
    assert Tables.of(events[:3]).wall_seconds == 10
    assert Tables.of(events).wall_seconds == 15


def test_a_clock_that_is_set_back_takes_no_time_away():
    events = [at(30, "driver_started"), done(40, "t0000", 1), done(20, "t0000", 2)]
    assert Tables.of([started(1, "t0000"), *events]).wall_seconds == 10


def test_gpu_time_is_of_every_epoch_trained_and_of_none_that_is_only_told_again():
    begun = started(1, "t0000") | {"gpus": 0.5}
    first = done(3, "t0000", 1)  # 2 s, by an older driver, which told the share of the trial alone
    assert Tables.of([begun, first, first]).gpu_seconds == 1.0
    again = done(9, "t0000", 1) | {"epoch_seconds": 4.0, "gpus": 0.25}
    assert Tables.of([begun, first, again]).gpu_seconds == 1.0 + 1.0


def test_an_epoch_has_the_cores_of_the_driver_that_trained_it(tmp_path):
    """After --resume with other --cpus-per-trial all epochs counted with the newest."""
    begun = [at(40 * k, "driver_started", study={"cpus_per_trial": 2 + k}) for k in (0, 1)]
    told_again = [done(44, "t0000", 1), done(46, "t0000", 2)]
    found = written(
        tmp_path, begun[0], started(1, "t0000"), done(3, "t0000", 1), begun[1], *told_again
    )
    assert [row["cores"] for row in found["epochs"]] == [2, 3]


def test_events_survive_json():
    events = [started(1, "t0000"), done(2, "t0000", 1), judged(2, "t0000", "continue")]
    assert Tables.of(json.loads(json.dumps(events))) == Tables.of(events)


def test_folding_does_not_change_the_events():
    events = [started(1, "t0000"), done(2, "t0000", 1)]
    before = json.dumps(events)
    Tables.of(events)
    assert json.dumps(events) == before


def test_files_without_rows_have_exactly_their_columns(tmp_path):
    write_tables(Tables(), tmp_path)
    assert columns(tmp_path / "trials.parquet") == [
        "trial_id: string",
        "stage: string",
        "setting: string",
        "status: string",
        "reason: string",
        "error: string",
        "retries: int64",
        "node: string",
        "device: string",
        "microbatches: int64",
        "gpus: double",
        "started_at: timestamp[ms, tz=UTC]",
        "ended_at: timestamp[ms, tz=UTC]",
        "parameters: int64",
        "multiply_adds: int64",
        "hp_model: string",
        "hp_seed: int64",
        "hp_epochs: int64",
        "hp_batch_size: int64",
        "hp_lr: double",
        "hp_optimizer: string",
        "hp_momentum: double",
        "hp_weight_decay: double",
        "hp_schedule: string",
        "hp_warmup_epochs: double",
        "hp_lr_decay: double",
        "hp_lr_steps: int64",
        "hp_patience: int64",
        "hp_dropout: double",
        "hp_label_smoothing: double",
        "hp_class_weights: double",
        "hp_balanced_sampling: double",
        "hp_logit_adjustment: double",
        "hp_flip: double",
        "hp_shift: double",
        "hp_rotation: double",
        "hp_scale: double",
        "hp_erasing: double",
        "hp_brightness: double",
        "hp_contrast: double",
        "hp_image_px: int64",
        "hp_batch_norm: bool",
        "hp_stem: string",
        "hp_residual_init: double",
        "hp_cbam_order: string",
        "hp_cbam_reduction: int64",
        "hp_precision: string",
    ]
    assert columns(tmp_path / "epochs.parquet") == [
        "trial_id: string",
        "epoch: int64",
        "train_loss: double",
        "train_accuracy: double",
        "val_loss: double",
        "val_accuracy: double",
        "lr: double",
        "epoch_seconds: double",
        "images_per_second: double",
        "gpus: double",
        "cores: int64",
        "memory_mib: double",
        "val_balanced_accuracy: double",
        "val_macro_f1: double",
        "finished_at: timestamp[ms, tz=UTC]",
    ]
    assert columns(tmp_path / "decisions.parquet") == [
        "trial_id: string",
        "epoch: int64",
        "rung: int64",
        "value: double",
        "cutoff: double",
        "trials_at_rung: int64",
        "decision: string",
    ]


def test_files_with_rows_have_the_same_columns(tmp_path):
    write_tables(Tables(), tmp_path)
    names = ("trials", "epochs", "decisions")
    empty = [columns(tmp_path / f"{name}.parquet") for name in names]
    written(tmp_path, started(1, "t0000"), done(2, "t0000", 1), judged(2, "t0000", "continue"))
    assert [columns(tmp_path / f"{name}.parquet") for name in names] == empty


def test_epochs_and_decisions_have_a_column_for_all_that_is_observed():
    own = {"trial_id", "gpus", "cores", "finished_at"}  # the driver's
    assert [name for name in schemas.EPOCHS if name not in own] == [
        field.name for field in fields(EpochRecord)
    ]
    assert list(schemas.DECISIONS) == [field.name for field in fields(Decision)]


def test_predictions_have_a_column_a_class():
    made = schemas.schema(schemas.predictions_columns(["happy", "sad"]))
    assert [f"{field.name}: {field.type}" for field in made] == [
        "trial_id: string",
        "split: string",
        "image: int64",
        "label: string",
        "duplicate: bool",
        "p_happy: float",
        "p_sad: float",
    ]


def test_every_column_says_what_it_holds():
    for table in (schemas.TRIALS, schemas.EPOCHS, schemas.DECISIONS, schemas.PREDICTIONS):
        assert all(meaning for _, meaning in table.values())


def full(number: int) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_failing_write_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "epochs.parquet"
    row = {"trial_id": "t0000", "epoch": 1}
    write_table(path, [row], schemas.EPOCHS)
    before = path.read_bytes()
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_table(path, [row, row], schemas.EPOCHS)
    with pytest.raises(OSError, match="No space left"):
        write_json(tmp_path / "study.json", {"status": "running"})
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["epochs.parquet"]


def test_a_reader_of_the_old_file_keeps_it_whole(tmp_path):
    path = tmp_path / "study.json"
    write_json(path, {"status": "running"})
    with path.open() as reader:
        write_json(path, {"status": "complete", "é": [1, 2.5, None]})
        assert json.load(reader) == {"status": "running"}
    assert json.loads(path.read_text()) == {"status": "complete", "é": [1, 2.5, None]}
    assert path.read_text().endswith("}\n")


def test_the_best_of_a_search_is_that_by_the_studys_metric():
    def epoch(name: str, accuracy: float, f1: float) -> dict:
        return done(2, name, 1, accuracy) | {"val_macro_f1": f1}

    tables = Tables.of(
        [
            started(1, "t0000"),
            started(1, "t0001"),
            epoch("t0000", 0.9, 0.2),
            epoch("t0001", 0.5, 0.4),
        ]
    )
    assert tables.best(["alexnet"])["alexnet"]["trial_id"] == "t0000"
    row = {"trial_id": "t0001", "epoch": 1, "val_accuracy": 0.5, "val_macro_f1": 0.4}
    assert tables.best(["alexnet"], "val_macro_f1") == {"alexnet": row}
