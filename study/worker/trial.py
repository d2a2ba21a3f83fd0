"""The worker's side of Ray Tune: find a checkpoint, drive `fit`, report.

The only place where training meets Ray. One worker serves many trials: torch, the device and the
images on it are there once per process; everything else is made anew for each trial.
"""

import gc
import socket
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import torch
from ray import tune

from fer_data import counted
from fer_data.dataset import Split
from fer_models import own
from study.cluster import environment
from study.config.hyperparameters import SPREAD, Hyperparameters, present
from study.storage.places import Place
from study.training import checkpoint, gpu_memory, loop
from study.training.execution import fastest
from study.training.step import NotRecorded

Epochs = Iterator[tuple[loop.EpochRecord, dict[str, Any]]]


class Trial(tune.Trainable):
    """One step is one epoch. config: trial_id and the flat hyperparameters."""

    def setup(  # type: ignore[override]  # what Tune doesn't know comes by tune.with_parameters
        self,
        config: dict[str, Any],
        train_split: Split,
        val_split: Split,
        classes: int,
        device: str,
        threads: int,
        gpus: float,
        checkpoints: Place,
        expected: dict[str, str],
        keep: bool = True,
        execution: str = "eager",
        own_networks: tuple[own.Record, ...] = (),
        objective: str = "val_accuracy",
    ) -> None:
        """`keep` is whether the last epoch's state is wanted: a search only needs its record."""
        for record in own_networks:
            own.register(record)
        environment.verify(expected, checkpoints.parent)
        torch.set_num_threads(threads)
        self.splits, self.classes, self.keep = (train_split, val_split), classes, keep
        self.device, self.checkpoints = torch.device(device), checkpoints
        self.objective = objective
        self.execution, self.writer = execution, checkpoint.Writer(self.device)
        self.step_seconds: dict[Any, dict[str, float]] = {}
        self.px = 0
        self.data: loop.Resident | None = None
        if self.device.type == "cuda":
            if gpus < 1:  # a fraction is only bookkeeping to Ray: hold the trial to its share
                gpu_memory.hold_to(gpus)
        self.due: dict[str, Any] | None = config

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        """The next trial of this worker, begun in its first step: Tune retries only what fails
        there, and a trial that fails in here for good."""
        self.due = new_config
        return True

    def begin(self, config: dict[str, Any]) -> None:
        self.config = config
        self.hp = Hyperparameters(**{k: v for k, v in config.items() if k != "trial_id"})
        self.folder = self.checkpoints / config["trial_id"]
        self.microbatches, self.how = 1, self.execution
        # What is measured has the device as the trial will: with its images, without the network of
        # the trial before, and without its writer, whose copies would break a graph's recording.
        self.epochs: Epochs = iter(())
        self.writer.wait()
        self.resident()
        if self.how == "auto":
            self.how = fastest(self.hp, self.classes, self.device, self.step_seconds)
        self.go_on()
        # All epochs so far are reported again: whoever goes on may not have heard of them.
        self.known = iter([*self.records])

    def resident(self) -> loop.Resident:
        """The images on the device: kept from trial to trial, as long as the size is the same."""
        if self.data is None or self.px != self.hp.image_px:
            self.data = None  # freed first
            train, val = self.splits
            self.data = loop.resident(train, val, self.hp.image_px, self.device)
            self.px = self.hp.image_px
        return self.data

    def go_on(self) -> None:
        """Training from the newest state, or from the beginning if there is none."""
        data = self.resident()
        self.writer.wait()
        state = checkpoint.load(self.folder)
        if state and not begins(state["config"], self.config):  # a driver proposed otherwise
            checkpoint.clear(self.folder)
            state = None
        self.records = [*state["records"]] if state else []
        if state:
            self.microbatches = max(self.microbatches, state["microbatches"])
        self.epochs = loop.fit(
            self.hp,
            data,
            self.classes,
            self.device,
            state,
            self.microbatches,
            self.how,
            self.objective,
        )

    def trained(self) -> tuple[loop.EpochRecord, dict[str, Any]]:
        """The next epoch; where memory doesn't suffice, again without a graph, which keeps what a
        step needs to itself, and then in twice as many microbatches; where a graph that was chosen
        by its speed can't be recorded after all, without it."""
        while True:
            try:
                return next(self.epochs)
            except gpu_memory.OutOfMemory:
                if self.how == "graphs" and self.microbatches == 1:
                    self.how = "eager"
                elif self.microbatches * 4 > self.hp.batch_size:
                    raise  # not even parts of two images fit
                else:
                    self.microbatches *= 2
            except NotRecorded:
                if self.execution != "auto":
                    raise  # it was asked for
                self.how = "eager"
            self.epochs = iter(())
            gc.collect()
            if self.device.type == "cuda":
                torch.cuda.empty_cache()
            self.go_on()

    def step(self) -> dict[str, Any]:
        if self.due:
            self.begin(self.due)
            self.due = None
        record: dict[str, Any] | None = next(self.known, None)
        again = record is not None
        if record is None:
            try:
                observed, state = self.trained()
            except loop.Diverged as error:
                return {"diverged": str(error), "done": True}
            record, last = asdict(observed), observed.epoch >= self.hp.epochs
            self.records.append(record)
            if self.keep or not last:
                told = {"config": self.config, "records": self.records}
                self.writer.save(self.folder, {**state, **told})
            if self.keep and last:
                self.writer.wait()  # whoever opens test must find it
        return {
            **record,
            "done": record["epoch"] >= self.hp.epochs,
            "node": socket.gethostname(),
            "device": device_name(self.device),
            "microbatches": self.microbatches,
            "again": again,
        }

    def cleanup(self) -> None:
        self.writer.wait()


def begins(old: dict[str, Any], config: dict[str, Any]) -> bool:
    """Whether what was trained by `old` is the beginning of a trial: it is the same, or shorter
    with a schedule that isn't spread over all epochs."""
    one, other = whole(old), whole(config)
    if other["schedule"] not in SPREAD and one["epochs"] < other["epochs"]:
        one["epochs"] = other["epochs"]
    return one == other


def whole(config: dict[str, Any]) -> dict[str, Any]:
    """A configuration with the hyperparameters that it doesn't name, as those that are newer than
    a checkpoint."""
    given = {name: value for name, value in config.items() if name != "trial_id"}
    return {"trial_id": config["trial_id"], **present(Hyperparameters(**given))}


def device_name(device: torch.device) -> str:
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"cpu, {counted(torch.get_num_threads(), 'thread')}"
