"""One training step: forward, loss, backward, optimiser and the sums of an epoch. In the worker.

It runs as it is written, compiled, or as one recorded CUDA graph, which a small network gains most
from: its step is mostly kernel launches, and a graph replays them at once.
"""

import math
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from study.config.hyperparameters import Hyperparameters
from study.training import balance
from study.training.gpu_memory import for_want_of_memory
from study.training.network import autocast, seeded

WARMING_UP = 3  # steps before a recording, in which libraries choose their algorithms


class NotRecorded(RuntimeError):
    """The step of this network can't be recorded as a CUDA graph, for another cause than memory."""


class Step:
    """A step on one batch of B images, as it is written; B is the batch size.

    `microbatches` cuts it into so many parts whose gradients are summed. `forward` is the network's
    forward pass as it is executed; it is used for whole parts only, so that a shorter last part
    isn't compiled for itself. `shares` says that targets are shares (B, K) and not the labels.
    """

    def __init__(
        self,
        hp: Hyperparameters,
        model: nn.Module,
        optimizer: torch.optim.Optimizer,
        even: balance.Balance,
        shares: bool = False,
        microbatches: int = 1,
        forward: Callable[[Tensor], Tensor] | None = None,
    ) -> None:
        self.hp, self.model, self.optimizer, self.even = hp, model, optimizer, even
        self.forward, self.part = forward or model, math.ceil(hp.batch_size / microbatches)
        self.as_labelled = even.weights is None and even.shift is None and not shares
        self.device = next(model.parameters()).device
        self.losses = torch.zeros((), dtype=torch.float64, device=self.device)  # nats, of images
        self.hits = torch.zeros((), dtype=torch.int64, device=self.device)
        self.kept_bytes = 0  # of a GPU's memory, by a recording, that aren't allocated to torch

    def __call__(self, x: Tensor, labels: Tensor, targets: Tensor, lr: float) -> None:
        """Take it: x (B, 1, H, W), labels int64 (B,), targets these or shares (B, K)."""
        self.set_lr(lr)
        self.run(x, labels, targets)

    def set_lr(self, lr: float | Tensor) -> None:
        for group in self.optimizer.param_groups:
            group["lr"] = lr

    def run(self, x: Tensor, labels: Tensor, targets: Tensor) -> None:
        self.optimizer.zero_grad(set_to_none=True)
        each = (parts(whole, self.part) for whole in (x, labels, targets))
        for own_x, own, target in zip(*each, strict=True):
            forward = self.forward if len(own) == self.part else self.model
            with autocast(self.hp, self.device):
                logits = forward(own_x)
            logits = logits.float()
            loss = balance.loss(self.hp, self.even, logits, target, own)
            (loss if len(own) == len(labels) else loss * (len(own) / len(labels))).backward()
            with torch.no_grad():
                plain = loss.detach()
                if self.hp.label_smoothing or not self.as_labelled:
                    plain = F.cross_entropy(logits, own)
                self.losses += plain * len(own)
                self.hits += (logits.argmax(1) == own).sum()
        self.optimizer.step()


class Recorded(Step):
    """The same step of whole batches on one set of tensors, recorded once and then replayed.

    The learning rate is one of them. Recording leaves network, optimiser and generators as they
    were. On a CPU, where nothing is recorded, the tensors and all else are the same. Raises
    NotRecorded where the network can't be recorded, torch's own error for want of memory.
    """

    def __init__(
        self,
        hp: Hyperparameters,
        model: nn.Module,
        optimizer: torch.optim.Optimizer,
        even: balance.Balance,
        classes: int = 0,
    ) -> None:
        """`classes` is K where targets are shares."""
        super().__init__(hp, model, optimizer, even, shares=classes > 0)
        many, px = hp.batch_size, hp.image_px
        self.x = torch.zeros(many, 1, px, px, device=self.device)
        self.labels = torch.zeros(many, dtype=torch.int64, device=self.device)
        shares = torch.full((many, max(classes, 1)), 1 / max(classes, 1), device=self.device)
        self.targets = shares if classes else self.labels
        self.lr = torch.zeros((), device=self.device)
        try:
            with untouched(model, optimizer), seeded(0, self.device):
                self.replay, self.kept_bytes = self.recorded()
        except RuntimeError as error:
            if for_want_of_memory(error):
                raise
            raise NotRecorded(
                f"a step of {hp.model} can't be recorded as a CUDA graph "
                f"({str(error).splitlines()[0]}): give --execution eager, or auto"
            ) from error

    def __call__(self, x: Tensor, labels: Tensor, targets: Tensor, lr: float) -> None:
        self.x.copy_(x)
        self.labels.copy_(labels)
        if self.targets is not self.labels:
            self.targets.copy_(targets)
        self.lr.fill_(lr)
        self.set_lr(self.lr)
        self.replay()
        self.set_lr(lr)  # as a checkpoint has it

    def recorded(self) -> tuple[Callable[[], None], int]:
        self.model.train()
        self.set_lr(self.lr)
        with capturable(self.optimizer), warnings.catch_warnings():
            # of steps that aren't recorded, and of the mode in which torch refuses to wait
            warnings.filterwarnings("ignore", "This instance was constructed with capturable=True")
            warnings.filterwarnings("ignore", "Synchronization debug mode is a prototype")
            found = record(lambda: self.run(self.x, self.labels, self.targets), self.device)
        self.set_lr(self.hp.lr)
        self.losses.zero_()
        self.hits.zero_()
        return found


def record(step: Callable[[], None], device: torch.device) -> tuple[Callable[[], None], int]:
    """What repeats the step, a graph of it or on a CPU itself, and the bytes that the graph keeps
    for what a step makes and drops: torch doesn't count them as allocated."""
    if device.type != "cuda":
        for _ in range(WARMING_UP):
            step()
        return step, 0
    here, side = torch.cuda.current_stream(device), torch.cuda.Stream(device)
    before = torch.get_rng_state()
    side.wait_stream(here)
    try:
        with torch.cuda.stream(side):
            for _ in range(WARMING_UP - 1):
                step()
            with no_waiting():
                step()
    finally:  # what failed may still be at work on memory that is now given to others
        here.wait_stream(side)
    if not torch.equal(before, torch.get_rng_state()):
        raise RuntimeError("it draws random numbers on the CPU, which a graph would only repeat")
    graph = torch.cuda.CUDAGraph()
    # A recording that fails leaves its own stream behind as the current one: `here` comes back.
    with torch.cuda.stream(here), torch.cuda.graph(graph):
        step()
    segments = torch.cuda.memory_snapshot(graph.pool())
    return graph.replay, sum(one["total_size"] - one["allocated_size"] for one in segments)


@contextmanager
def no_waiting() -> Iterator[None]:
    """Within the block torch refuses whatever makes the CPU wait for the GPU, as .item() does.

    It would break a recording, and a broken one is not undone: torch's allocator takes it for
    underway from then on, gives no memory back to others, and fails in empty_cache (torch 2.14).
    """
    torch.cuda.set_sync_debug_mode("error")
    try:
        yield
    finally:
        torch.cuda.set_sync_debug_mode("default")


@contextmanager
def capturable(optimizer: torch.optim.Optimizer) -> Iterator[None]:
    """Within the block Adam agrees to be recorded; a checkpoint says nothing of it."""
    groups = [group for group in optimizer.param_groups if "capturable" in group]
    for group in groups:
        group["capturable"] = True
    yield
    for group in groups:
        group["capturable"] = False


@contextmanager
def untouched(model: nn.Module, optimizer: torch.optim.Optimizer) -> Iterator[None]:
    """Puts back what steps within the block do to weights, running means and the optimiser's state,
    in the same tensors; state that they begin is 0, as that of a first step. RuntimeError where
    they put another tensor in the place of one of the network's."""
    before = {tensor: tensor.detach().clone() for tensor in tensors(model, optimizer)}
    yield
    if any(own not in before for own in (*model.parameters(), *model.buffers())):
        raise RuntimeError("it replaces its buffers, and a graph would go on from the old ones")
    with torch.no_grad():
        for tensor in tensors(model, optimizer):
            if tensor in before:
                tensor.copy_(before[tensor])
            else:
                tensor.zero_()


def tensors(model: nn.Module, optimizer: torch.optim.Optimizer) -> Iterator[Tensor]:
    yield from model.parameters()
    yield from model.buffers()
    for state in optimizer.state.values():
        yield from (value for value in state.values() if isinstance(value, Tensor))


def parts(batch: Tensor, size: int) -> list[Tensor]:
    """A batch in parts of so many images; a last single image goes with the part before it."""
    sizes = [size] * (len(batch) // size) + [len(batch) % size] * (len(batch) % size > 0)
    if len(sizes) > 1 and sizes[-1] == 1:  # batch normalisation can't do with a single image
        sizes[-2:] = [sum(sizes[-2:])]
    return list(batch.split(sizes))
