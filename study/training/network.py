"""A trial's network and optimiser from its hyperparameters, and the seeds. Runs in the worker."""

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, cast

import torch
from torch import Tensor, nn

from fer_models import MODELS
from study.config.hyperparameters import Hyperparameters
from study.config.seeds import derived
from study.training.convolution import as_products

WRAPPED = ("add_param_group", "state_dict", "load_state_dict", "zero_grad", "step")


def network(hp: Hyperparameters, classes: int, device: torch.device) -> nn.Module:
    """The trial's network, initialised from its seed on the CPU (the same on every device), and on
    CUDA the arithmetic that its precision asks for."""
    with seeded(derived(hp.seed, 0, "init"), torch.device("cpu")):
        model = MODELS[hp.model](classes=classes, **hp.options)
    if device.type == "cuda":
        allow_tf32(hp.precision != "float32")
    if device.type == "cpu":
        model = as_products(model)
    # channels-last: 361 against 306 images/s for the AlexNet-like net on two AVX2 cores
    return model.to(memory_format=torch.channels_last).to(device)


def allow_tf32(allowed: bool) -> None:
    """Whether float32 products on CUDA may be rounded to TF32's 10 bits; for all of the process,
    until another network is made. By default torch allows it in convolutions."""
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = allowed


def optimiser(hp: Hyperparameters, model: nn.Module) -> torch.optim.Optimizer:
    """sgd (Nesterov unless momentum is 0), adam or adamw; biases and norms are not decayed."""
    parameters = list(model.parameters())
    groups = [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": hp.weight_decay},
        {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
    ]
    # fused: on a CPU, too, it takes a third to a fifth of the time (docs/speed.md)
    if hp.optimizer == "sgd":
        nesterov = hp.momentum > 0
        return SGD(groups, hp.lr, hp.momentum, nesterov=nesterov, fused=True)
    kind = {"adam": Adam, "adamw": AdamW}[hp.optimizer]
    return kind(groups, hp.lr, fused=True)


def uncompiled(kind: Any) -> Any:
    """An optimiser of torch's with its methods as they are written.

    torch wraps them for its compiler, which the first call then imports: 2 s and 150 MiB in every
    process that trains. Of the wrapping only no_grad is of use in a step that isn't compiled.
    """
    methods = {name: inspect.unwrap(getattr(kind, name)) for name in WRAPPED}
    methods["step"] = torch.no_grad()(in_memory_order(methods["step"]))
    return type(kind.__name__, (kind,), methods)


def in_memory_order(step: Callable[..., Any]) -> Callable[..., Any]:
    """A fused step that sees channels-last tensors as their memory has them.

    On a CPU torch's fused kernels first copy a tensor that isn't contiguous, which takes as long as
    the step, and if a parameter and its gradient lie differently in memory, they add the wrong
    elements (torch 2.14.1; findings/torch-fused-optimiser-mixes-layouts.sh).
    """

    def stepped(self: torch.optim.Optimizer) -> None:
        every = [p for group in self.param_groups for p in group["params"] if p.grad is not None]
        last = [p for p in every if p.device.type == "cpu" and channels_last(p)]
        turn(self, last, as_stored)
        try:
            step(self)
        finally:
            turn(self, last, lambda x: x.permute(0, 3, 1, 2))

    return stepped


def channels_last(x: Tensor) -> bool:
    return not x.is_contiguous() and x.is_contiguous(memory_format=torch.channels_last)


def as_stored(x: Tensor) -> Tensor:
    """A channels-last tensor (A, B, C, D) as its memory has it: (A, C, D, B)."""
    return x.contiguous(memory_format=torch.channels_last).permute(0, 2, 3, 1)


def turn(
    optimizer: torch.optim.Optimizer, parameters: list[Tensor], view: Callable[[Tensor], Tensor]
) -> None:
    """Parameters, their gradients and what the optimiser keeps of each, seen otherwise."""
    for p in parameters:
        grad, p.grad = cast(Tensor, p.grad), None
        p.data = view(p.data)
        p.grad = view(grad)
        kept = optimizer.state.get(p, {})
        for name, value in kept.items():
            if torch.is_tensor(value) and value.ndim == p.ndim:
                kept[name] = view(value)


SGD, Adam, AdamW = map(uncompiled, (torch.optim.SGD, torch.optim.Adam, torch.optim.AdamW))


@contextmanager
def seeded(seed: int, device: torch.device) -> Iterator[None]:
    """Global generators from a seed within the block, as they were before after it."""
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        yield


def autocast(hp: Hyperparameters, device: torch.device) -> torch.autocast:
    return torch.autocast(device.type, torch.bfloat16, enabled=bfloat16(hp, device))


def bfloat16(hp: Hyperparameters, device: torch.device) -> bool:
    """Where asked for, by default on GPUs that compute in it: those before Ampere only emulate it,
    and on AVX2 it is 20 times slower than float32."""
    if hp.precision == "auto" and device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return hp.precision == "bfloat16"
