"""Where a network with CBAM looks: the weights of a late spatial gate. Runs in the worker."""

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from fer_models import MODELS
from fer_models.cbam import SpatialGate
from study.config.hyperparameters import Hyperparameters
from study.training import loop
from study.training.gpu_memory import in_parts

FINE = 6  # a face in fewer parts a side shows nothing
NONE = np.empty((0, 0, 0), np.float16)


def there(hp: Hyperparameters) -> bool:
    """Whether a network has spatial gates, and so maps of where it looks."""
    return gated(MODELS[hp.model], tuple(hp.options.items()))


@cache
def gated(network: Callable[..., nn.Module], options: tuple[tuple[str, Any], ...]) -> bool:
    """Asked once of each: the network is made for it, with all of its weights."""
    parts = network(classes=2, **dict(options)).modules()
    return any(isinstance(part, SpatialGate) for part in parts)


@torch.no_grad()
def maps(
    hp: Hyperparameters,
    images: np.ndarray,
    classes: int,
    device: torch.device,
    state: dict[str, Any],
) -> np.ndarray:
    """Weights 0...1, float16 (N, side, side), that a trained state gives to uint8 images (N, H, W).

    Of the network's spatial gates it is the last whose map has FINE parts a side, or else the last
    of the finest: for faces of 48 pixels and ResNet-34's small stem the last of all (6 a side; 2
    with the other stem). A network without such gates has NONE.
    """
    model = loop.trained(hp, classes, device, state)
    gates = [module for module in model.modules() if isinstance(module, SpatialGate)]
    if not gates or not len(images):
        return NONE
    seen: dict[nn.Module, list[Tensor]] = {gate: [] for gate in gates}

    def keep(gate: nn.Module, given: tuple[Tensor], weights: Tensor) -> None:
        seen[gate].append(weights[:, 0].half().cpu())  # (B, 1, H, W) -> (B, H, W)

    for gate in gates:
        gate.register_forward_hook(keep)

    def pass_all(size: int) -> None:
        for weights in seen.values():
            weights.clear()  # of a try that memory didn't suffice for
        for _ in loop.outputs(hp, model, images, device, state, size):
            pass  # what passes the gates is kept by the hook

    in_parts(pass_all, loop.evaluation_batch(state))
    sides = {gate: seen[gate][0].shape[-1] for gate in gates}
    fine = min(FINE, max(sides.values()))
    last = [gate for gate in gates if sides[gate] >= fine][-1]
    return torch.cat(seen[last]).numpy()
