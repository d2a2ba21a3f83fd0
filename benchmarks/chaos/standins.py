"""What stands in the place of training where a fault must come at a certain moment. In the worker.

`study.run.main(argv, trainable=...)` takes them: a class with the steps of
study.worker.trial.Trial, one an epoch, and the same result. Everything else of a study is as in
`python -m study.run`.
"""

import os
import random
import signal
import time
from collections.abc import Iterator
from typing import Any

import torch

from study.training import gpu_memory, loop
from study.worker.trial import Trial

STRUCK = "t0001"  # the trial that the fault strikes


class Struck(Trial):
    """Real training, but to one trial `strike` happens before one of its epochs from the second on;
    which one follows from its seed."""

    times = 1

    def begin(self, config: dict[str, Any]) -> None:
        self.name = config["trial_id"]
        self.after = random.Random(config["seed"]).randint(1, max(1, config["epochs"] - 1))
        super().begin(config)

    def trained(self) -> tuple[loop.EpochRecord, dict[str, Any]]:
        if self.name == STRUCK and len(self.records) >= self.after and self.count_down():
            self.strike()
        return super().trained()

    def count_down(self) -> bool:
        """Whether it strikes now, which it does so many `times`, over all workers."""
        self.writer.wait()
        marks = self.folder / "struck"
        done = len(marks.read_bytes()) if marks.exists() else 0
        if done < self.times:
            marks.write_bytes(b"x" * (done + 1))
        return done < self.times

    def strike(self) -> None:
        raise NotImplementedError


class Raising(Struck):
    def strike(self) -> None:
        raise RuntimeError("a fault of one moment")


class RaisingAlways(Raising):
    times = 99


class NoStart(Struck):
    """It fails before there is a first epoch: in setting it up."""

    def begin(self, config: dict[str, Any]) -> None:
        self.folder = self.checkpoints / config["trial_id"]
        self.folder.mkdir(parents=True, exist_ok=True)
        if config["trial_id"] == STRUCK and self.count_down():
            raise RuntimeError("a fault before the beginning")
        super().begin(config)


class NoStartAlways(NoStart):
    times = 99


class OutOfMemory(Struck):
    """The next batch doesn't fit, as `train.fit` says it."""

    def strike(self) -> None:
        self.epochs = no_memory(self.after + 1)


class OutOfMemoryAlways(Struck):
    times = 99

    def strike(self) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB.")


class Hanging(Struck):
    def strike(self) -> None:
        time.sleep(3600)


class HangingAlways(Hanging):
    times = 99


class Hungry(Struck):
    """It asks for memory until Ray's monitor ends it, so that the machine doesn't run out of it."""

    def strike(self) -> None:
        held = []
        while True:
            held.append(torch.ones(2**26))  # 256 MiB
            time.sleep(0.05)


class HungryAlways(Hungry):
    times = 99


class Killed(Struck):
    """Its process is gone from one moment to the next, as by the kernel's out-of-memory killer."""

    def strike(self) -> None:
        os.kill(os.getpid(), signal.SIGKILL)


class CutShort(Struck):
    """Its newest checkpoint loses its second half, and then its process dies."""

    def strike(self) -> None:
        newest = sorted(self.folder.glob("epoch_*"))[-1]
        os.truncate(newest, newest.stat().st_size // 2)
        os.kill(os.getpid(), signal.SIGKILL)


def no_memory(epoch: int) -> Iterator[Any]:
    raise gpu_memory.OutOfMemory(f"out of memory in epoch {epoch}, with the batch whole")
    yield
