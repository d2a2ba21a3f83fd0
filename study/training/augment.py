"""Batches made on the device from uint8 faces that live there: flip, move, erase, light.

Runs in the worker. Every image draws its own parameters, all of an epoch at once, from a
generator that is given: what an image becomes is a function of (seed, epoch, place in the order).
"""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from study.config.hyperparameters import Hyperparameters

AT_ONCE = 2**23  # pixels that are floats at once: 32 MiB, a few times
# Pixels augmented at once, a batch at least: on CUDA one of small faces alone would be all kernel
# launches, on a CPU more would leave the cache.
AHEAD = {"cuda": AT_ONCE, "cpu": 1}


@dataclass(frozen=True)
class Draws:
    """An epoch's parameters, one row per image in the order of the epoch; None where unused."""

    mirror: Tensor | None = None  # (N,) bool
    affine: Tensor | None = None  # (N, 2, 3) float32, output to input in [-1, 1] coordinates
    box: Tensor | None = (
        None  # (N, 4) float32: x0, y0, x1, y1 in fractions of the side; empty if x0 = x1
    )
    gain: Tensor | None = None  # (N,) float32, contrast about the image's own mean
    offset: Tensor | None = None  # (N,) float32, levels added, full scale is 1


def resized(images: Tensor, px: int) -> Tensor:
    """(N, H, W) uint8 -> (N, 1, px, px) uint8, antialiased; done once per trial, not per batch."""
    images = images[:, None]
    if images.shape[-1] == px:
        return images

    def part(some: Tensor) -> Tensor:
        floats = F.interpolate(some.float(), (px, px), mode="bilinear", antialias=True)
        return floats.round().clamp(0, 255).to(torch.uint8)

    at_once = max(1, AT_ONCE // max(px, images.shape[-1]) ** 2)
    return torch.cat([part(some) for some in images.split(at_once)])  # never all as floats


def draws(hp: Hyperparameters, images: int, generator: torch.Generator) -> Draws:
    """All random parameters of one epoch, drawn in a fixed order on the generator's device."""
    device = generator.device

    def uniform(*shape: int) -> Tensor:
        return torch.rand(images, *shape, generator=generator, device=device)

    def either_way(largest: float) -> Tensor:
        return (2 * uniform() - 1) * largest

    moved = hp.shift or hp.rotation or hp.scale
    mirror = uniform() < hp.flip if hp.flip else None
    affine = box = gain = offset = None
    if moved:
        angle = either_way(math.radians(hp.rotation))
        zoom = 1 / (1 + either_way(hp.scale))
        x, y = either_way(2 * hp.shift), either_way(2 * hp.shift)  # the image is 2 wide
        cos, sin = zoom * angle.cos(), zoom * angle.sin()
        affine = torch.stack([cos, -sin, x, sin, cos, y], dim=1).view(images, 2, 3)
        if mirror is not None:  # one resampling does both
            affine[:, :, 0] *= torch.where(mirror, -1.0, 1.0)[:, None]
            mirror = None
    if hp.erasing:
        # Zhong et al. 2017: 2 to 33 % of the area, aspect 0.3 to 3.3
        area, aspect = 0.02 + 0.31 * uniform(), (either_way(math.log(3.3))).exp()
        half = torch.stack([(area * aspect).sqrt(), (area / aspect).sqrt()], dim=1) / 2
        centre = uniform(2)
        empty = (uniform() >= hp.erasing)[:, None]
        box = torch.cat([centre - half, torch.where(empty, centre - half, centre + half)], dim=1)
    if hp.contrast:
        gain = 1 + either_way(hp.contrast)
    if hp.brightness:
        offset = either_way(hp.brightness)
    return Draws(mirror, affine, box, gain, offset)


def batch(
    images: Tensor, index: Tensor, draws: Draws, where: slice, mean: float, std: float
) -> Tensor:
    """Augmented, standardised (B, 1, H, W) float32 from (N, 1, H, W) uint8.

    `index` (B,) picks the images; `where` is the batch's place in the epoch's order.
    """
    x = images[index].float() / 255
    if draws.mirror is not None:
        x = torch.where(draws.mirror[where, None, None, None], x.flip(3), x)
    if draws.affine is not None:
        grid = F.affine_grid(draws.affine[where], list(x.shape), align_corners=False)
        x = F.grid_sample(x, grid, padding_mode="border", align_corners=False)
    if draws.gain is not None:
        centre = x.mean((2, 3), keepdim=True)
        x = centre + (x - centre) * draws.gain[where, None, None, None]
    if draws.offset is not None:
        x = x + draws.offset[where, None, None, None]
    if draws.gain is not None or draws.offset is not None:
        x = x.clamp(0, 1)
    if draws.box is not None:
        x = torch.where(boxes(draws.box[where], x.shape[-1]), mean, x)
    return standardised(x, mean, std)


def boxes(box: Tensor, px: int) -> Tensor:
    """(B, 4) in fractions -> (B, 1, px, px) bool, true inside each box."""
    centres = (torch.arange(px, device=box.device) + 0.5) / px
    across = (centres >= box[:, 0:1]) & (centres < box[:, 2:3])  # (B, px)
    down = (centres >= box[:, 1:2]) & (centres < box[:, 3:4])
    return (down[:, :, None] & across[:, None, :])[:, None]


def standardised(x: Tensor, mean: float, std: float) -> Tensor:
    """Zero mean and unit variance on the training split."""
    return (x - mean) / std
