"""What orchestration costs: studies of trials that only sleep, against the time they sleep.

The whole command runs (journal, Optuna, ASHA's bookkeeping, tables, display), with a worker that
sleeps instead of training. The start of the workers, paid once, stands on its own.

    python -m benchmarks.overhead            trials of 30 s, and the size of Ray's own tests

Ray publishes for its own (release/tune_tests/scalability_tests): 14.4 % for 10,000 trials of one
second on 16 slots, 3.5 % for 96 trials that report ten times a second, loggers off.
"""

import argparse
import os
import tempfile
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import ray
from ray import tune

from benchmarks.measured import heading, machine, say
from study import cluster, run
from study.journal import read

CASES = {  # trials, epochs of each, seconds of an epoch, slots
    "trials of 30 s": (24, 1, 30.0, 8),
    "trials of 30 s, an epoch a second": (24, 30, 1.0, 8),
    "trials of one second": (480, 1, 1.0, 16),
    "ten reports a second from each of 16": (16, 300, 0.1, 16),
}


class Sleeper(tune.Trainable):
    """A worker whose epoch is a nap of known length."""

    nap = 1.0

    def setup(self, config: dict[str, Any], **given: Any) -> None:
        self.begin(config)

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        self.begin(new_config)
        return True

    def begin(self, config: dict[str, Any]) -> None:
        self.epoch, self.epochs = 0, config["epochs"]

    def step(self) -> dict[str, Any]:
        time.sleep(self.nap)
        self.epoch += 1
        measures = ("train_loss", "train_accuracy", "val_loss", "val_accuracy", "lr")
        return {
            **dict.fromkeys(measures, 0.5),
            "epoch": self.epoch,
            "epoch_seconds": self.nap,
            "images_per_second": 1.0,
            "memory_mib": 1.0,
            "done": self.epoch >= self.epochs,
            "node": "here",
            "device": "none",
            "microbatches": 1,
            "again": False,
        }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", nargs="+", default=list(CASES), choices=CASES)
    asked = parser.parse_args()
    heading("case", "trials", "slots", "ideal s", "took s", "overhead", "workers' start s")
    for name in asked.cases:
        measure(name, *CASES[name])
    print(f"\n{os.cpu_count()} cores. {machine('ray', 'optuna')}")


def measure(name: str, trials: int, epochs: int, nap: float, slots: int) -> None:
    """One study, from its first epoch's beginning to its last trial's end."""
    for key, value in cluster.ENVIRONMENT.items():
        os.environ.setdefault(key, value)
    Sleeper.nap = nap
    with tempfile.TemporaryDirectory() as folder:
        ray.init(
            num_cpus=slots, include_dashboard=False, log_to_driver=False, logging_level="ERROR"
        )
        try:
            words = (
                f"--data faces:140 --stages search --sampler random --models alexnet --out {folder}"
            )
            words += f" --name it --trials {trials} --epochs {epochs} --scheduler none"
            words += " --batch-size 8 --image-px 32"
            assert run.main(words.split(), Sleeper) == 0
        finally:
            ray.shutdown()
        events = list(read(Path(folder) / "it" / "events.jsonl"))
    times = {
        kind: [datetime.fromisoformat(e["time"]).timestamp() for e in events if e["event"] == kind]
        for kind in ("driver_started", "epoch_done", "trial_ended")
    }
    began = min(times["epoch_done"]) - nap
    took, ideal = max(times["trial_ended"]) - began, trials * epochs * nap / slots
    start = began - times["driver_started"][0]
    say(
        name,
        trials,
        slots,
        f"{ideal:.1f}",
        f"{took:.1f}",
        f"{took / ideal - 1:.1%}",
        f"{start:.1f}",
    )


if __name__ == "__main__":
    main()
