"""A network from the photograph's bytes to probabilities, as one module: what is exported.

Wrong preprocessing is the first fault of whoever runs a model elsewhere, so it is inside.
"""

from dataclasses import replace

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from fer_data.rows import SIDE_PX
from study.model.confirmed import Confirmed, Run, state
from study.training import loop

# Grey as Pillow makes it of red, green and blue (ITU-R 601), in 65536ths: exact in float32.
GREY = (19595.0, 38470.0, 7471.0)
BATCH = 64  # faces answered at once: more leave a core's cache (docs/speed.md)


class Whole(nn.Module):
    """uint8 (B, H, W, 3), faces of one size, red, green, blue -> probabilities, float32 (B, K).

    Grey, then the data set's side, then the network's, rounded to whole levels as in training, then
    scaled by the mean and spread of the training images. Faces that are grey and of the data set's
    side come through bit by bit.
    """

    grey: Tensor
    resize: Tensor

    def __init__(
        self, network: nn.Module, px: int, mean: float, std: float, side_px: int = SIDE_PX
    ) -> None:
        super().__init__()
        self.network, self.px, self.mean, self.std = network, px, mean, std
        self.side_px = side_px
        self.register_buffer("grey", torch.tensor(GREY))
        self.register_buffer("resize", resizing(side_px, px))

    def forward(self, faces: Tensor) -> Tensor:
        grey = ((faces.float() * self.grey).sum(-1, keepdim=True) + 32768.0) / 65536.0
        grey = grey.floor().permute(0, 3, 1, 2)
        side = (self.side_px, self.side_px)
        x = F.interpolate(grey, side, mode="bilinear", antialias=True).round().clamp(0, 255)
        if self.px != self.side_px:
            # Along rows first: the other way round rounds some levels otherwise than training did.
            x = (self.resize @ (x @ self.resize.T)).round().clamp(0, 255)
        return self.network((x / 255 - self.mean) / self.std).softmax(1)


def resizing(side: int, px: int) -> Tensor:
    """(px, side): what `augment.resized` makes of a row of `side` levels, as a matrix."""
    rows = torch.eye(side)[None, None]
    made = F.interpolate(rows, (px, side), mode="bilinear", antialias=True)
    return made[0, 0].contiguous()


def whole(run: Run, one: Confirmed) -> Whole:
    """A confirmed network on the CPU, with what has to be done before it."""
    trained = state(one)
    network = loop.trained(one.hp, len(run.classes), torch.device("cpu"), trained)
    scaling = trained["scaling"]
    made = Whole(network, one.hp.image_px, scaling["mean"], scaling["std"], run.side_px)
    return made.to(memory_format=torch.contiguous_format).eval()


def probabilities(run: Run, one: Confirmed, faces: np.ndarray) -> np.ndarray:
    """What the study's network answers in float32: (N, K) for uint8 (N, side, side).

    A study may have computed in bfloat16, which rounds to three digits and so answers a few images
    otherwise; what is exported does not.
    """
    exact = replace(one.hp, precision="float32")
    return loop.predict(exact, faces, len(run.classes), torch.device("cpu"), state(one))


def coloured(faces: np.ndarray) -> np.ndarray:
    """Grey faces (N, H, W) as an exported model takes them: (N, H, W, 3)."""
    return np.repeat(faces[..., None], 3, axis=-1)


class Ensemble:
    """Confirmed networks, loaded once, that answer together: the mean of their probabilities."""

    def __init__(self, run: Run, networks: list[Confirmed]) -> None:
        self.parts = []
        for one in networks:
            trained, exact = state(one), replace(one.hp, precision="float32")
            network = loop.trained(exact, len(run.classes), torch.device("cpu"), trained)
            self.parts.append((exact, network, trained))

    @torch.no_grad()
    def probabilities(self, faces: np.ndarray) -> np.ndarray:
        """float64 (N, K) for uint8 (N, side, side)."""
        cpu = torch.device("cpu")
        shares = [
            torch.cat([*loop.outputs(hp, network, faces, cpu, trained, BATCH)]).double().softmax(1)
            for hp, network, trained in self.parts
        ]
        return torch.stack(shares).mean(0).numpy()
