"""Convolutions that yield small maps: torch's own numbers, by products of matrices."""

import itertools
import warnings

import pytest
import torch
from torch import nn

from study.config.hyperparameters import Hyperparameters
from study.training import convolution
from study.training.network import network

CPU = torch.device("cpu")


def both(conv, x):
    """Output and gradients of torch's own convolution, then of the same one as a product."""
    found = []
    for part in (conv, convolution.as_products(conv)):
        y = part(x)
        slope = torch.linspace(-1, 1, y.numel(), dtype=y.dtype).view(y.shape)
        found.append((y, *torch.autograd.grad(y, [x, *part.parameters()], slope)))
    return found


def way(y):
    """What a convolution was computed by: taps, patches, or torch's own code."""
    names = y.grad_fn.name() + str(y.grad_fn.next_functions)
    return next((name for name in ("ByTap", "ByPatch") if name in names), "torch")


@pytest.mark.parametrize("kernel", [1, 3, 5, 7])
@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("by", ["ByTap", "ByPatch"])
def test_products_are_the_convolution_and_its_gradients(kernel, stride, by, monkeypatch):
    monkeypatch.setattr(convolution, "ByTap", getattr(convolution, by))  # patches in double, too
    tried = 0
    for padding, high, wide in itertools.product(range(min(4, kernel)), (1, 2, 3, 5, 7), (2, 3, 6)):
        sides = [(size + 2 * padding - kernel) // stride + 1 for size in (high, wide)]
        if min(sides) < 1:
            continue
        conv = nn.Conv2d(4, 6, kernel, stride, padding, bias=kernel > 3).double()
        x = torch.randn(3, 4, high, wide, dtype=torch.double, requires_grad=True)
        torchs, ours = both(conv, x)
        assert way(ours[0]) == (by if max(sides) <= 3 else "torch")
        torch.testing.assert_close(ours, torchs)
        tried += max(sides) <= 3
    assert tried >= 6


@pytest.mark.parametrize(
    ("size", "stride", "multiplied"),
    [(1, 1, 1), (2, 1, 16), (2, 2, 4), (3, 1, 49), (3, 2, 16), (4, 1, 100)],
)
def test_zeros_of_the_padding_are_not_multiplied(size, stride, multiplied):
    high, wide, runs = convolution.runs((size, size), (3, 3), (stride, stride), (1, 1))
    assert high == wide == -(-size // stride)
    assert sum(one.pixels for one in runs) == multiplied
    pairs = {(one.to + k, one.start + k) for one in runs for k in range(one.pixels)}
    assert len(pairs) == multiplied  # each pixel meets another once
    if stride == 1:  # whole rows at a time where a tap moves none to the side
        assert [one.pixels for one in runs if (one.row, one.column) == (1, 1)] == [size * size]


def test_of_a_kernel_on_one_pixel_only_the_middle_is_multiplied():
    assert convolution.touched(1, 3, 1, 1) == convolution.Side(1, 1, 1, 2, 0, 0)
    assert convolution.touched(2, 3, 2, 1) == convolution.Side(1, 2, 1, 3, 0, 0)
    assert convolution.touched(3, 3, 1, 1) == convolution.Side(3, 1, 0, 3, 1, 1)
    conv = convolution.as_products(nn.Conv2d(2, 2, 3, padding=1))
    conv(torch.ones(1, 2, 1, 1)).sum().backward()
    grad = conv.weight.grad.sum((0, 1))
    assert grad[1, 1] == 4 and grad.sum() == 4


def test_in_bfloat16_it_rounds_where_torch_does():
    conv = nn.Conv2d(64, 32, 3, padding=1)
    x = torch.randn(8, 64, 3, 3, requires_grad=True)
    exact = both(conv, x)[0]
    with torch.autocast("cpu", torch.bfloat16):
        y = conv(x)
    assert way(y) == "ByPatch" and y.dtype == torch.bfloat16
    slope = torch.linspace(-1, 1, y.numel()).view(y.shape)
    found = torch.autograd.grad(y, [x, *conv.parameters()], slope.bfloat16())
    for ours, wanted in zip((y, *found), exact, strict=True):
        assert (ours - wanted).abs().max() < 0.02 * wanted.abs().max()
    assert [each.dtype for each in found] == [torch.float32] * 3


@pytest.mark.parametrize(
    "given",
    [dict(groups=2), dict(dilation=2), dict(padding_mode="reflect"), dict(padding="same")],
)
def test_other_convolutions_stay_as_they_are(given):
    conv = nn.Conv2d(4, 4, 3, **{"padding": 1} | given)
    assert type(convolution.as_products(conv)) is nn.Conv2d


def test_a_map_of_four_pixels_and_one_image_without_a_batch_are_torchs():
    conv = nn.Conv2d(4, 4, 3, padding=1)
    many, single = torch.randn(2, 4, 4, 4), torch.randn(4, 3, 3)
    wanted = conv(many), conv(single)
    convolution.as_products(conv)
    assert torch.equal(conv(many), wanted[0]) and torch.equal(conv(single), wanted[1])


@pytest.mark.parametrize("name", ["alexnet", "resnet34", "cbam_resnet34"])
def test_a_network_to_be_trained_has_the_names_and_numbers_of_the_plain_one(name):
    stem = {} if name == "alexnet" else {"stem": "imagenet"}
    made = network(Hyperparameters(name, image_px=32, **stem), 7, CPU)
    kinds = {type(part) for part in made.modules() if isinstance(part, nn.Conv2d)}
    assert kinds == {convolution.SmallMapConv2d}
    x = torch.randn(4, 1, 32, 32)
    found = made.eval()(x)
    for part in made.modules():
        if isinstance(part, nn.Conv2d):
            part.__class__ = nn.Conv2d
    torch.testing.assert_close(found, made(x), rtol=1e-4, atol=1e-4)
    plain = network(Hyperparameters(name, image_px=32, **stem), 7, torch.device("meta"))
    assert list(plain.state_dict()) == list(made.state_dict())
    assert {type(p) for p in plain.modules() if isinstance(p, nn.Conv2d)} == {nn.Conv2d}


@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("side", [1, 3])
@pytest.mark.parametrize("batch", [1, 3])
def test_what_follows_may_change_it_in_place(precision, side, batch):
    """The usual squeeze-and-excitation block: every trial of such a network failed on a CPU."""
    part = convolution.as_products(
        nn.Sequential(nn.Conv2d(4, 2, 1, bias=False), nn.ReLU(inplace=True))
    )
    nn.init.constant_(part[0].weight, 0.5)  # with weights of both signs, ReLU may end all of them
    x = torch.rand(batch, 4, side, side)
    with torch.autocast("cpu", torch.bfloat16, enabled=precision == torch.bfloat16):
        y = part(x)
    y.float().sum().backward()
    assert part[0].weight.grad.abs().sum() > 0


@pytest.mark.parametrize("name", ["alexnet", "resnet34", "cbam_resnet34"])
def test_a_traced_network_is_torchs_own(name, tmp_path):
    """study.export --format torchscript ended in a traceback for both ResNets."""
    stem = {} if name == "alexnet" else {"stem": "imagenet"}
    made = network(Hyperparameters(name, image_px=32, **stem), 7, CPU).eval()
    x = torch.randn(4, 1, 32, 32)
    with warnings.catch_warnings(action="ignore"):  # tracing is deprecated, and says what it fixes
        torch.jit.save(torch.jit.trace(made, x), tmp_path / "x.pt")
        found = torch.jit.load(tmp_path / "x.pt")(x)
    torch.testing.assert_close(found, made(x), rtol=1e-4, atol=1e-4)
