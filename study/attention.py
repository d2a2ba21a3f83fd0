"""Where a CBAM network looks: the weights of its last spatial gate. Runs in the worker."""

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from study import train
from study.hyperparameters import Hyperparameters

MODEL = "cbam_resnet34"
LAST_GATE = "layer4.2.gate.spatial"


@torch.no_grad()
def maps(
    hp: Hyperparameters,
    images: np.ndarray,
    classes: int,
    device: torch.device,
    state: dict[str, Any],
) -> np.ndarray:
    """Weights 0...1, float16 (N, side, side), that a trained state gives to uint8 images (N, H, W).

    The side is that of the last layer's maps: 6 for faces of 48 pixels and the small stem.
    """
    model = train.trained(hp, classes, device, state)
    found: list[Tensor] = []

    def keep(gate: nn.Module, given: tuple, weights: Tensor) -> None:
        found.append(weights[:, 0].float().cpu())  # (B, 1, H, W) -> (B, H, W)

    model.get_submodule(LAST_GATE).register_forward_hook(keep)
    for _ in train.outputs(hp, model, images, device, state):
        pass  # what passes the gate is kept by the hook
    return torch.cat(found).numpy().astype(np.float16)
