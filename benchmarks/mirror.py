"""What mirroring to a bucket costs the driver: time per event with and without, by turns.

    python -m benchmarks.mirror --events 20000 --repeats 3

A journal of epochs is written as a study writes it (one fsync an event, tables refreshed by and
by), at full speed, with the mirror uploading to an S3 server on this machine beside it.
"""

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.chaos import s3
from fer_record.tables import Tables
from study.config.hyperparameters import Hyperparameters, present
from study.config.study import Study
from study.driver.session import Session
from study.record.journal import Journal
from study.storage import places
from study.storage.mirror import Mirror

EPOCHS = 50


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.mirror")
    parser.add_argument("--events", type=int, default=20_000)
    parser.add_argument("--repeats", type=int, default=3)
    asked = parser.parse_args()
    found: dict[bool, list[float]] = {False: [], True: []}
    uploads: list[float] = []
    with tempfile.TemporaryDirectory(prefix="mirror-") as name, s3.server() as (_, uri):
        for repeat in range(asked.repeats):
            for mirrored in (False, True):
                folder = Path(name, f"{repeat}-{mirrored}")
                place = places.at(uri) / folder.name
                mirror = Mirror(folder, place, print, print) if mirrored else None
                folder.mkdir()
                found[mirrored].append(1e3 * written(folder, asked.events, mirror) / asked.events)
                if mirror:
                    uploads += mirror.seconds
                    assert mirror.flush(), mirror.failed
        size = (folder / "events.jsonl").stat().st_size / 2**20
    without, with_it = (statistics.median(found[key]) for key in (False, True))
    print(f"{asked.events} events, journal {size:.1f} MiB at the end, {asked.repeats} runs each")
    for key, text in ((False, "without"), (True, "mirrored")):
        low, high = min(found[key]), max(found[key])
        print(f"{text}: {statistics.median(found[key]):.3f} ms an event ({low:.3f} to {high:.3f})")
    print(f"ratio {with_it / without:.3f}")
    wall = sum(found[True]) * asked.events / 1e3
    print(
        f"{len(uploads)} uploads, median {statistics.median(uploads):.2f} s, longest "
        f"{max(uploads):.2f} s: {100 * sum(uploads) / wall:.1f} % of the wall, beside the driver"
    )
    return 0


def written(folder: Path, events: int, mirror: Mirror | None) -> float:
    """Seconds in which a driver journals so many epochs."""
    nothing: Any = None
    with Journal(folder / "events.jsonl") as journal:
        session = Session(
            study=Study(), folder=folder, header={}, dataset=nothing, whole_val=nothing,
            device="cpu", need={"cpu": 1, "gpu": 0}, slots=1, journal=journal, tables=Tables(),
            show=lambda session: None, say=print, trainable=object, mirror=mirror,
        )  # fmt: skip
        hp = present(Hyperparameters())
        began = time.perf_counter()
        for number in range(events):
            trial, epoch = f"t{number // EPOCHS:04d}", number % EPOCHS + 1
            if epoch == 1:
                start = {"event": "trial_started", "trial_id": trial, "stage": "search"}
                more = {"setting": "", "gpus": 0.0, "parameters": 1, "multiply_adds": 1}
                session.log(start | more | {"hp": hp})
            session.log(
                {
                    "event": "epoch_done", "trial_id": trial, "epoch": epoch,
                    "train_loss": 1.0 / epoch, "train_accuracy": 0.5, "val_loss": 1.1 / epoch,
                    "val_accuracy": 0.4, "lr": 0.01, "epoch_seconds": 12.5,
                    "images_per_second": 2000.0, "memory_mib": 900.0, "node": "here",
                    "device": "cpu, 1 threads", "microbatches": 1, "gpus": 0.0,
                }
            )  # fmt: skip
            if mirror:
                mirror.mark()
        return time.perf_counter() - began


if __name__ == "__main__":
    sys.exit(main())
