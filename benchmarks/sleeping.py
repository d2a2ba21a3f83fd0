"""A worker that sleeps instead of training: what a study itself costs. Imports Ray alone."""

import time
from pathlib import Path
from typing import Any

from ray import tune


class Sleeping(tune.Trainable):
    """No training: an epoch is a short sleep and numbers that follow from trial and epoch."""

    seconds = 0.0

    def setup(self, config: dict[str, Any], checkpoints: str = "", **given: Any) -> None:
        self.checkpoints = Path(checkpoints)
        self.begin(config)

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        self.begin(new_config)
        return True

    def begin(self, config: dict[str, Any]) -> None:
        self.epochs, self.done = config["epochs"], 0
        self.height = 0.3 + 0.001 * (hash(config["lr"]) % 300)

    def step(self) -> dict[str, Any]:
        began = time.perf_counter()
        time.sleep(self.seconds)
        self.done += 1
        accuracy = self.height * self.done / (self.done + 3)
        return {
            "epoch": self.done,
            "train_loss": 1 - accuracy,
            "train_accuracy": accuracy,
            "val_loss": 1 - accuracy,
            "val_accuracy": accuracy,
            "lr": 0.01,
            "epoch_seconds": time.perf_counter() - began,
            "images_per_second": 1000.0,
            "memory_mib": 1.0,
            "done": self.done >= self.epochs,
            "microbatches": 1,
            "again": False,
            "node": "here",
            "device": "none",
        }
