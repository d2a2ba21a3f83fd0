"""How a training step runs: as it is written, compiled, or as a recorded CUDA graph. In the worker.

On a CPU the choice is eager: torch.compile was measured at 0.92 (AlexNet-like) and 0.98
(ResNet-34) of its speed on two AVX2 cores, after 49 and 73 s of compiling. On CUDA a small
network's step is mostly kernel launches, which a recorded graph replays at once; what is faster is
measured there, for each network and batch size, once per process.
"""

import math
import time
from collections.abc import Callable
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from study.config.hyperparameters import Hyperparameters
from study.training.gpu_memory import for_want_of_memory
from study.training.network import autocast, bfloat16, network, optimiser, seeded

EXECUTIONS = ("auto", "eager", "compile", "graphs")


class NotRecorded(RuntimeError):
    """The step of this network can't be recorded as a CUDA graph, for another cause than memory."""


def forward_pass(
    hp: Hyperparameters, model: nn.Module, size: int, device: torch.device, execution: str
) -> Callable[[Tensor], Tensor] | None:
    """The forward pass for batches of exactly `size` images; None where it runs as written.

    Raises NotRecorded where a graph was asked for and the network can't be recorded.
    """
    if execution == "compile":
        return torch.compile(model, dynamic=False)
    if execution == "graphs" and device.type == "cuda":
        return recorded(hp, model, size, device)
    return None


def recorded(
    hp: Hyperparameters, model: nn.Module, size: int, device: torch.device
) -> Callable[[Tensor], Tensor]:
    """Forward and backward pass as CUDA graphs; recording leaves the model as it was.

    The trial runs are for warming up only: running means and generators are put back after them.
    Raises NotRecorded where the network can't be recorded; torch's own error for want of memory.
    """

    class Recorded(nn.Module):  # torch replaces the forward of what it records, not the model's
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, x: Tensor) -> Tensor:
            return self.model(x)

    model.train()
    buffers = {name: buffer.clone() for name, buffer in model.named_buffers()}
    x = torch.zeros(size, 1, hp.image_px, hp.image_px, device=device)
    half = bfloat16(hp, device)
    with seeded(0, device):
        # Weights cast once and cached would not be cast again when the graph is replayed.
        with torch.autocast(device.type, torch.bfloat16, enabled=half, cache_enabled=False):
            try:
                graphed = torch.cuda.make_graphed_callables(Recorded(), (x,))
            except RuntimeError as error:
                if for_want_of_memory(error):
                    raise
                raise NotRecorded(
                    f"a step of {hp.model} can't be recorded as a CUDA graph "
                    f"({str(error).splitlines()[0]}): give --execution eager, or auto"
                ) from error
    with torch.no_grad():
        for name, buffer in model.named_buffers():
            buffer.copy_(buffers[name])
    model.zero_grad(set_to_none=True)
    return cast("Callable[[Tensor], Tensor]", graphed)  # torch says Module or Callable


def fastest(
    hp: Hyperparameters, classes: int, device: torch.device, known: dict[Any, dict[str, float]]
) -> str:
    """The execution that measures best on this device for this network and batch size.

    `known` keeps the seconds of a step that were measured, from trial to trial of a process. A way
    that doesn't fit into memory, or can't be recorded, is not taken; where none fits it is eager,
    whose batches are then cut into microbatches.
    """
    if device.type != "cuda":
        return "eager"
    key = (hp.model, *hp.options.items(), hp.image_px, hp.batch_size, hp.precision, hp.optimizer)
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
    model = network(hp, classes, device)
    optimizer = optimiser(hp, model)
    forward = forward_pass(hp, model, hp.batch_size, device, execution) or model
    x = torch.zeros(hp.batch_size, 1, hp.image_px, hp.image_px, device=device)
    labels = torch.arange(hp.batch_size, device=device) % classes

    def round() -> float:
        began = time.perf_counter()
        repeat(hp, forward, optimizer, x, labels, steps)
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        return (time.perf_counter() - began) / steps

    model.train()
    with seeded(0, device):
        round()
        return sorted(round() for _ in range(5))[2]


def repeat(
    hp: Hyperparameters,
    forward: Callable[[Tensor], Tensor],
    optimizer: torch.optim.Optimizer,
    x: Tensor,
    labels: Tensor,
    steps: int,
) -> None:
    """So many training steps on one batch that is there already: what no data path can beat."""
    for _ in range(steps):
        with autocast(hp, x.device):
            logits = forward(x)
        loss = F.cross_entropy(logits.float(), labels, label_smoothing=hp.label_smoothing)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
