"""The worker's side of Ray Tune: find a checkpoint, drive `fit`, report.

The only place where training meets Ray. One worker serves many trials: torch, the device and the
images on it are there once per process; everything else is made anew for each trial.
"""

import socket
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from ray import tune

from study import checkpoint, installed, train
from study.data import Split
from study.hyperparameters import Hyperparameters


class Trial(tune.Trainable):
    """One step is one epoch. config: trial_id and the flat hyperparameters."""

    def setup(
        self,
        config: dict[str, Any],
        train_split: Split,
        val_split: Split,
        classes: int,
        device: str,
        threads: int,
        gpus: float,
        checkpoints: str,
        expected: dict[str, str],
    ) -> None:
        installed.verify(expected, Path(checkpoints).parent)
        torch.set_num_threads(threads)
        self.splits, self.classes = (train_split, val_split), classes
        self.device, self.checkpoints = torch.device(device), Path(checkpoints)
        self.residents: dict[int, train.Resident] = {}
        if self.device.type == "cuda":
            torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
            if gpus < 1:  # a fraction is only bookkeeping to Ray: hold the trial to its share
                torch.cuda.set_per_process_memory_fraction(gpus)
        self.begin(config)

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        self.begin(new_config)
        return True

    def begin(self, config: dict[str, Any]) -> None:
        hp = Hyperparameters(**{k: v for k, v in config.items() if k != "trial_id"})
        self.folder = self.checkpoints / config["trial_id"]
        self.last_epoch = hp.epochs
        state = checkpoint.load(self.folder)
        # The checkpoint's epoch is reported again: whoever died may not have heard of it.
        self.known = state["record"] if state else None
        data = self.resident(hp.image_px)
        self.epochs = train.fit(hp, data, self.classes, self.device, state)

    def resident(self, px: int) -> train.Resident:
        if px not in self.residents:
            self.residents[px] = train.resident(*self.splits, px, self.device)
        return self.residents[px]

    def step(self) -> dict[str, Any]:
        if self.known is not None:
            record, self.known = self.known, None
        else:
            try:
                observed, state = next(self.epochs)
            except train.Diverged as error:
                return {"diverged": str(error), "done": True}
            checkpoint.save(self.folder, state)
            record = asdict(observed)
        return {
            **record,
            "done": record["epoch"] >= self.last_epoch,
            "node": socket.gethostname(),
            "device": device_name(self.device),
        }


def device_name(device: torch.device) -> str:
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"cpu, {torch.get_num_threads()} threads"
