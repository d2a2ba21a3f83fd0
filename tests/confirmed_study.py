"""A confirmed study in a folder, made without Ray: for tests of what comes after a study."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from test_record_tables import at, done, ended, started

from study.config.hyperparameters import Hyperparameters, present
from study.config.study import Study, to_dict
from study.data import datasets
from study.driver import confirm, prepare
from study.record.journal import Journal
from study.record.schemas import store
from study.training import checkpoint, loop

HP = Hyperparameters(model="alexnet", epochs=1, batch_size=64, lr=0.01, image_px=32)
DATA = "faces:112"


def made(folder: Path, seeds: int = 2, hp: Hyperparameters = HP, ends: bool = True) -> Path:
    """A study of one setting, trained for an epoch with each of `seeds` seeds, all confirmed."""
    whole = datasets.load(DATA)
    study = Study(name=folder.name, data=DATA, models=(hp.model,), stages=("confirm",), epochs=1)
    folder.mkdir(parents=True)
    header = {
        "study": to_dict(study),
        "status": "complete",
        "reason": "",
        "started_at": "2026-11-27T20:00:00.000+00:00",
        "data": prepare.described(whole, whole),
    }
    (folder / "study.json").write_text(json.dumps(header))
    setting = {k: v for k, v in present(hp).items() if k != "seed"}
    events = [
        at(0, "driver_started", host="elsewhere", pid=1, resumed=False),
        at(1, "chosen", setting="one", from_trial="", hp=setting),
    ]
    table, splits = None, {"val": whole.val, "test": whole.test}
    faces = np.concatenate([split.images for split in splits.values()])
    cpu, classes = torch.device("cpu"), len(whole.classes)
    for number in range(seeds):
        name, own = f"one-s{number}", replace(hp, seed=number)
        data = loop.resident(whole.train, whole.val, own.image_px, cpu)
        ((record, state),) = loop.fit(own, data, classes, cpu)
        told = {"config": {"trial_id": name, **present(own)}, "records": []}
        checkpoint.save(folder / "checkpoints" / name, {**state, **told})
        rows = confirm.prediction_rows(
            name, loop.predict(own, faces, classes, cpu, state), splits, whole
        )
        table = confirm.with_rows(table, rows)
        events += [
            started(2, name, present(own), "confirm") | {"setting": "one"},
            done(3, name, 1, record.val_accuracy),
            ended(4, name, "completed"),
            at(5, "test_opened", trial_id=name, images=len(whole.test.labels)),
        ]
    store(folder / "predictions.parquet", table)
    if ends:
        events.append(at(6, "study_ended", status="complete", reason="all stages done"))
    with Journal(folder / "events.jsonl") as journal:
        journal.append(*events)
    return folder
