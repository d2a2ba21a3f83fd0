"""Unequal classes: what an image counts in the loss, how often it is drawn, and what is added to
the logits, all from how many training images each class has. Runs in the worker.

B batch, N images, K classes.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from study.config.hyperparameters import Hyperparameters


@dataclass(frozen=True)
class Balance:
    """None where an ingredient isn't used, so that training is then as without it, to the bit."""

    weights: Tensor | None = None  # (K,) of an image's loss by its class; 1 on average over images
    shift: Tensor | None = None  # (K,) nats added to the logits while training
    chances: Tensor | None = None  # (N,) relative chance of each image to be drawn


def of(hp: Hyperparameters, labels: Tensor, classes: int) -> Balance:
    """What these hyperparameters ask for, for training images with these labels (N,).

    class_weights: weights by a power of the inverse frequency (1: inverse, King and Zeng 2001; 0.5:
    its root, Mahajan et al. 2018, arXiv:1805.00932). balanced_sampling: images drawn, with
    replacement, by a power of the inverse frequency of their class (1: every class as often, 0.5:
    square-root sampling; Kang et al. 2020, arXiv:1910.09217). logit_adjustment: that many times the
    logarithm of each class's share is added to its logit (Menon et al. 2021, arXiv:2007.07314).
    """
    images = torch.bincount(labels, minlength=classes).clamp(min=1).double()
    weights = shift = chances = None
    if hp.class_weights:
        each = images**-hp.class_weights
        weights = (each / each[labels].mean()).float()
    if hp.logit_adjustment:
        shift = (hp.logit_adjustment * (images / images.sum()).log()).float()
    if hp.balanced_sampling:
        chances = (images**-hp.balanced_sampling)[labels]
    return Balance(weights, shift, chances)


def order(balance: Balance, images: int, generator: torch.Generator) -> Tensor:
    """The places of an epoch's images, int64 (N,): each once, or drawn by their chances."""
    if balance.chances is None:
        return torch.randperm(images, generator=generator, device=generator.device)
    return torch.multinomial(balance.chances, images, replacement=True, generator=generator)


def loss(
    hp: Hyperparameters, balance: Balance, logits: Tensor, target: Tensor, labels: Tensor
) -> Tensor:
    """Mean loss of a batch that is trained on, nats; `target`: labels (B,), or shares (B, K)."""
    adjusted = logits if balance.shift is None else logits + balance.shift
    if balance.weights is None:
        return F.cross_entropy(adjusted, target, label_smoothing=hp.label_smoothing)
    each = F.cross_entropy(adjusted, target, label_smoothing=hp.label_smoothing, reduction="none")
    return (each * balance.weights[labels]).mean()
