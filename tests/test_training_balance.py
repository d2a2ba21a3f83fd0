"""Unequal classes: worked out by hand on three classes of 6, 3 and 1 images."""

import math

import pytest
import torch
import torch.nn.functional as F

from study.config.hyperparameters import Hyperparameters
from study.training import balance

LABELS = torch.tensor([0] * 6 + [1] * 3 + [2])
LOGITS = torch.tensor([[1.0, 0.0, -1.0], [0.5, 0.5, 0.0]])


def hp(**given: float) -> Hyperparameters:
    return Hyperparameters(model="alexnet", **given)


def test_without_an_ingredient_training_is_as_it_was():
    made = balance.of(hp(), LABELS, 3)
    assert (made.weights, made.shift, made.chances) == (None, None, None)
    two = [torch.Generator().manual_seed(3) for _ in range(2)]
    assert torch.equal(balance.order(made, 10, two[0]), torch.randperm(10, generator=two[1]))
    labels = torch.tensor([0, 2])
    assert torch.equal(
        balance.loss(hp(), made, LOGITS, labels, labels), F.cross_entropy(LOGITS, labels)
    )


@pytest.mark.parametrize(("power", "ratio"), [(1.0, 6.0), (0.5, math.sqrt(6))])
def test_weights_are_a_power_of_the_inverse_frequency_and_one_on_average(power, ratio):
    weights = balance.of(hp(class_weights=power), LABELS, 3).weights
    assert weights is not None
    assert (weights[2] / weights[0]).item() == pytest.approx(ratio)
    assert weights[LABELS].mean().item() == pytest.approx(1)


def test_a_weighted_loss_is_the_mean_of_weighted_images_whatever_the_parts():
    made, labels = balance.of(hp(class_weights=1), LABELS, 3), torch.tensor([0, 2])
    each = F.cross_entropy(LOGITS, labels, reduction="none") * made.weights[labels]
    whole = balance.loss(hp(), made, LOGITS, labels, labels)
    assert whole.item() == pytest.approx(each.mean().item())
    halves = [
        balance.loss(hp(), made, LOGITS[k : k + 1], labels[k : k + 1], labels[k : k + 1])
        for k in range(2)
    ]
    assert whole.item() == pytest.approx(sum(halves).item() / 2)


def test_logit_adjustment_adds_the_logarithm_of_each_share():
    made, labels = balance.of(hp(logit_adjustment=1), LABELS, 3), torch.tensor([0, 2])
    shift = torch.tensor([0.6, 0.3, 0.1]).log()
    wanted = F.cross_entropy(LOGITS + shift, labels)
    assert balance.loss(hp(), made, LOGITS, labels, labels).item() == pytest.approx(wanted.item())


def test_balanced_sampling_draws_every_class_as_often():
    labels = LABELS.repeat(1000)
    for power, wanted in ((1.0, 1 / 3), (0.5, 1 / (1 + math.sqrt(3) + math.sqrt(6)))):
        made = balance.of(hp(balanced_sampling=power), labels, 3)
        drawn = balance.order(made, len(labels), torch.Generator().manual_seed(0))
        share = (labels[drawn] == 2).double().mean().item()
        assert share == pytest.approx(wanted, abs=0.02), "of 10,000, four standard errors"


def test_shares_are_trained_towards_as_given():
    made, shares = balance.of(hp(), LABELS, 3), torch.tensor([[0.5, 0.5, 0.0], [0.0, 0.0, 1.0]])
    wanted = -(shares * LOGITS.log_softmax(1)).sum(1).mean()
    labels = shares.argmax(1)
    assert balance.loss(hp(), made, LOGITS, shares, labels).item() == pytest.approx(wanted.item())
