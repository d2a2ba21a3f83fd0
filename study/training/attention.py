"""Where a CBAM network looks: the weights of a late spatial gate. Runs in the worker."""

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from study.config.hyperparameters import Hyperparameters
from study.training import loop

MODEL = "cbam_resnet34"
GATES = [f"{block}.gate.spatial" for block in ("layer1.2", "layer2.3", "layer3.5", "layer4.2")]
FINE = 6  # a face in fewer parts a side shows nothing


@torch.no_grad()
def maps(
    hp: Hyperparameters,
    images: np.ndarray,
    classes: int,
    device: torch.device,
    state: dict[str, Any],
) -> np.ndarray:
    """Weights 0...1, float16 (N, side, side), that a trained state gives to uint8 images (N, H, W).

    Of the gates that end the four layers it is the last whose map has FINE parts a side, or the
    finest: the last of all for faces of 48 pixels and the small stem (6 a side; 2 with the other).
    """
    model = loop.trained(hp, classes, device, state)
    found: dict[str, list[Tensor]] = {name: [] for name in GATES}

    def watch(name: str) -> None:
        def keep(gate: nn.Module, given: tuple, weights: Tensor) -> None:
            found[name].append(weights[:, 0].half().cpu())  # (B, 1, H, W) -> (B, H, W)

        model.get_submodule(name).register_forward_hook(keep)

    for name in GATES:
        watch(name)
    for _ in loop.outputs(hp, model, images, device, state):
        pass  # what passes the gate is kept by the hook
    fine = [name for name in GATES if found[name][0].shape[-1] >= FINE] or GATES[:1]
    return torch.cat(found[fine[-1]]).numpy()
