"""Which way a training step runs: as it is written, compiled, or as a recorded CUDA graph. In the
worker.

On a CPU the choice is eager: torch.compile was measured at 0.92 (AlexNet-like) and 0.98
(ResNet-34) of its speed on two AVX2 cores, after 49 and 73 s of compiling. On CUDA what is faster
is measured, for each network and batch size, once per process.
"""

import math
import time
from typing import Any

import torch
from torch import nn

from study.config.hyperparameters import Hyperparameters
from study.training import balance
from study.training.gpu_memory import for_want_of_memory
from study.training.network import network, optimiser, seeded
from study.training.step import NotRecorded, Recorded, Step

EXECUTIONS = ("auto", "eager", "compile", "graphs")


def step_of(
    hp: Hyperparameters,
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    execution: str,
    even: balance.Balance,
    classes: int = 0,
    microbatches: int = 1,
) -> Step:
    """The training step of a trial as it is executed; `classes` is K where targets are shares.

    Raises NotRecorded where a graph was asked for and the network can't be recorded.
    """
    device = next(model.parameters()).device
    # A recorded graph's gradients are one set of tensors: they can't be summed over parts.
    if execution == "graphs" and device.type == "cuda" and microbatches == 1:
        return Recorded(hp, model, optimizer, even, classes)
    forward = torch.compile(model, dynamic=False) if execution == "compile" else None
    return Step(hp, model, optimizer, even, classes > 0, microbatches, forward)


def first_step(hp: Hyperparameters, classes: int, device: torch.device, execution: str) -> Step:
    """The step of a network that is new, its classes taken for balanced: to be measured."""
    model = network(hp, classes, device)
    return step_of(hp, model, optimiser(hp, model), execution, balance.Balance())


def fastest(
    hp: Hyperparameters, classes: int, device: torch.device, known: dict[Any, dict[str, float]]
) -> str:
    """The execution that measures best on this device for this network and batch size, whatever
    its options are that only change numbers, such as dropout.

    `known` keeps the seconds of a step that were measured, from trial to trial of a process. A way
    that doesn't fit into memory, or can't be recorded, is not taken; where none fits it is eager,
    whose batches are then cut into microbatches.
    """
    if device.type != "cuda":
        return "eager"
    built = [(name, value) for name, value in hp.options.items() if not isinstance(value, float)]
    key = (hp.model, *built, hp.image_px, hp.batch_size, hp.precision, hp.optimizer)
    if key not in known:
        known[key] = {how: measured(hp, classes, device, how) for how in ("eager", "graphs")}
    return min(known[key], key=known[key].__getitem__)


def measured(hp: Hyperparameters, classes: int, device: torch.device, execution: str) -> float:
    """Seconds of a step on a whole batch; infinite where it doesn't fit or can't be recorded."""
    try:
        return step_seconds(hp, classes, device, execution)
    except (RuntimeError, MemoryError) as error:
        if not isinstance(error, NotRecorded) and not for_want_of_memory(error):
            raise
    torch.cuda.empty_cache()  # past the except clause: the error's frames held the batch
    return math.inf


def step_seconds(
    hp: Hyperparameters, classes: int, device: torch.device, execution: str, steps: int = 10
) -> float:
    """Seconds of one training step on one resident batch: the median of five rounds."""
    step = first_step(hp, classes, device, execution)
    x = torch.zeros(hp.batch_size, 1, hp.image_px, hp.image_px, device=device)
    labels = torch.arange(hp.batch_size, device=device) % classes

    def round() -> float:
        began = time.perf_counter()
        for _ in range(steps):
            step(x, labels, labels, hp.lr)
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        return (time.perf_counter() - began) / steps

    step.model.train()
    with seeded(0, device):
        round()
        return sorted(round() for _ in range(5))[2]
