"""Convolutions that yield small maps, as matrix products: on a CPU, in the worker.

The last stages of a network for faces have maps of 3 x 3 pixels and less. There oneDNN's direct
convolutions do little at a time, and of their weights' gradient least: a whole step of ResNet-34
takes 1.5 to 2.5 times as long with them (docs/speed.md). One alone:
findings/torch-convolution-of-one-pixel.sh.
"""

from dataclasses import dataclass
from functools import cache
from itertools import product
from typing import Any, NamedTuple, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

SMALL = 3  # pixels of a side: from 4 on the direct convolution was as fast or faster

Pair = tuple[int, int]


def as_products(model: nn.Module) -> nn.Module:
    """The same network, its convolutions computed as products where they yield small maps."""
    for part in model.modules():
        if type(part) is nn.Conv2d and plain(part):
            part.__class__ = SmallMapConv2d  # parameters, name and hooks stay
    return model


def plain(conv: nn.Conv2d) -> bool:
    """Whether every output is a product over all channels of neighbouring pixels and zeros."""
    simple = conv.groups == 1 and conv.dilation == (1, 1) and conv.padding_mode == "zeros"
    if not simple or isinstance(conv.padding, str):
        return False
    return all(pad < k for pad, k in zip(conv.padding, conv.kernel_size, strict=True))


class SmallMapConv2d(nn.Conv2d):
    """A convolution as torch has it, and products of matrices where its output is small."""

    def forward(self, input: Tensor) -> Tensor:
        # Compiled, exported or traced it is torch's own, which every program knows.
        if torch.compiler.is_compiling() or torch.jit.is_tracing():
            return super().forward(input)
        padding = cast(Pair, self.padding)
        sizes = zip(input.shape[-2:], self.kernel_size, self.stride, padding, strict=True)
        sides = [(size + 2 * pad - k) // step + 1 for size, k, step, pad in sizes]
        whole_batch = input.ndim == 4 and 1 <= min(sides) and max(sides) <= SMALL
        if not whole_batch:
            return super().forward(input)
        x, weight, bias = input, self.weight, self.bias
        if torch.is_autocast_enabled("cpu"):
            kind = torch.get_autocast_dtype("cpu")
            x, weight = x.to(kind), weight.to(kind)
            bias = None if bias is None else bias.to(kind)
        # In 16 bits a sum over taps would be rounded at each; one product's is rounded once.
        way = ByTap if x.dtype.itemsize > 2 else ByPatch
        found = way.apply(x, weight, self.stride, padding)
        return found if bias is None else found + bias[:, None, None]


class ByTap(torch.autograd.Function):
    """x (B, C, H, W) and weight (K, C, h, w) -> (B, K, H', W'), channels last.

    A sum over the kernel's taps, each the product of the pixels that it meets with its own (K, C),
    added where they go (Anderson et al. 2017, arXiv:1709.03395). No tap needs
    a copy, and no zero of the padding is multiplied: of 3 x 3 taps on 2 x 2 pixels 16 of 36 do.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, stride: Pair, padding: Pair) -> Tensor:
        high, wide, ctx.runs = runs(x.shape[2:], weight.shape[2:], stride, padding)
        pixels = by_pixel(x)
        ctx.save_for_backward(pixels, weight)
        ctx.size = x.shape
        found = pixels.new_zeros(high * wide, len(x), len(weight))
        for one in ctx.runs:
            one.of(found, one.to).addmm_(one.of(pixels, one.start), one.tap(weight).t())
        return by_image(found, high, wide)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        pixels, weight = ctx.saved_tensors
        grad = by_pixel(grad)
        of_x = torch.zeros_like(pixels) if ctx.needs_input_grad[0] else None
        of_weight = torch.zeros_like(weight) if ctx.needs_input_grad[1] else None
        for one in ctx.runs:
            slope = one.of(grad, one.to)
            if of_x is not None:
                one.of(of_x, one.start).addmm_(slope, one.tap(weight))
            if of_weight is not None:
                one.tap(of_weight).addmm_(slope.t(), one.of(pixels, one.start))
        return of_x if of_x is None else by_image(of_x, *ctx.size[2:]), of_weight, None, None


class Run(NamedTuple):
    """Pixels of the output, one after the other, that a tap of the kernel yields from as many."""

    row: int  # of the tap
    column: int
    to: int  # the first pixel of the output
    start: int  # the first of the input
    pixels: int

    def tap(self, weight: Tensor) -> Tensor:
        """(K, C) of a kernel (K, C, h, w)."""
        return weight[:, :, self.row, self.column]

    def of(self, pixels: Tensor, first: int) -> Tensor:
        """(B pixels, C) of (H W, B, C), without a copy."""
        return pixels[first : first + self.pixels].flatten(0, 1)


@cache
def runs(size: Pair, kernel: Pair, stride: Pair, padding: Pair) -> tuple[int, int, list[Run]]:
    """The output's height and width, and all that its sum consists of, as long as may be."""
    high, wide = (
        (n + 2 * pad - k) // step + 1
        for n, k, step, pad in zip(size, kernel, stride, padding, strict=True)
    )
    found: list[Run] = []
    for row, column, y, x in product(*map(range, (*kernel, high, wide))):
        from_y, from_x = y * stride[0] - padding[0] + row, x * stride[1] - padding[1] + column
        if not (0 <= from_y < size[0] and 0 <= from_x < size[1]):
            continue
        one = Run(row, column, y * wide + x, from_y * size[1] + from_x, 1)
        last = found[-1] if found else one
        if one == last._replace(to=last.to + last.pixels, start=last.start + last.pixels, pixels=1):
            found[-1] = last._replace(pixels=last.pixels + 1)
        else:
            found.append(one)
    return high, wide, found


def by_pixel(x: Tensor) -> Tensor:
    """(H W, B, C) from (B, C, H, W): a pixel of all images is a matrix."""
    return x.permute(2, 3, 0, 1).contiguous().flatten(0, 1)


def by_image(pixels: Tensor, high: int, wide: int) -> Tensor:
    """(B, C, H, W) from (H W, B, C), channels last; never a view, which an in-place ReLU behind it
    could not change."""
    whole = pixels.view(high, wide, *pixels.shape[1:]).permute(2, 3, 0, 1)
    return whole.clone(memory_format=torch.channels_last)


class ByPatch(torch.autograd.Function):
    """The same as one product, with a copy of all that the kernel meets at each pixel (im2col)."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, stride: Pair, padding: Pair) -> Tensor:
        ctx.save_for_backward(x, weight)
        ctx.touched = [
            touched(*each)
            for each in zip(x.shape[2:], weight.shape[2:], stride, padding, strict=True)
        ]
        patches = neighbours(x, ctx.touched)
        maps = (len(x), ctx.touched[0].places, ctx.touched[1].places, len(weight))
        found = F.linear(patches, flat(weight, ctx.touched)).view(maps)
        return found.permute(0, 3, 1, 2).clone()  # no view, as above

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        x, weight = ctx.saved_tensors
        rows = grad.permute(0, 2, 3, 1).reshape(-1, len(weight))
        of_x = of_weight = None
        if ctx.needs_input_grad[0]:
            of_x = put_back(rows @ flat(weight, ctx.touched), x, ctx.touched)
        if ctx.needs_input_grad[1]:
            own = rows.t() @ neighbours(x, ctx.touched)
            shape = within(weight, ctx.touched).permute(0, 2, 3, 1).shape
            of_weight = surrounded(own.view(shape).permute(0, 3, 1, 2), weight, ctx.touched)
        return of_x, of_weight, None, None


@dataclass(frozen=True)
class Side:
    """One side of a kernel on one of a map: the part of it that meets pixels, which for a map
    of one pixel is the kernel's middle."""

    places: int  # of the kernel: pixels of the output
    stride: int
    first: int  # of the kernel's rows that meet pixels
    end: int  # of these
    before: int  # zeros, as far as that part needs them
    after: int

    @property
    def length(self) -> int:
        return self.end - self.first


@cache
def touched(size: int, kernel: int, stride: int, padding: int) -> Side:
    places = (size + 2 * padding - kernel) // stride + 1
    starts = [place * stride - padding for place in range(places)]
    meets = [k for k in range(kernel) if any(0 <= start + k < size for start in starts)]
    first, end = meets[0], meets[-1] + 1
    after = max(0, starts[-1] + end - size)
    return Side(places, stride, first, end, padding - first, after)


def within(weight: Tensor, sides: tuple[Side, Side]) -> Tensor:
    """The part of a kernel (K, C, h, w) that meets pixels."""
    high, wide = sides
    return weight[:, :, high.first : high.end, wide.first : wide.end]


def surrounded(part: Tensor, weight: Tensor, sides: tuple[Side, Side]) -> Tensor:
    """That part of a kernel, with zeros where the rest of the whole one is."""
    if part.shape == weight.shape:
        return part
    whole = torch.zeros_like(weight)
    within(whole, sides).copy_(part)
    return whole


def flat(weight: Tensor, sides: tuple[Side, Side]) -> Tensor:
    """That part as a matrix (K, h w C)."""
    return within(weight, sides).permute(0, 2, 3, 1).reshape(len(weight), -1)


def neighbours(x: Tensor, sides: tuple[Side, Side]) -> Tensor:
    """What the kernel meets at each place: (B H' W', h w C) from (B, C, H, W)."""
    high, wide = sides
    pixels = F.pad(x.permute(0, 2, 3, 1), (0, 0, wide.before, wide.after, high.before, high.after))
    by_image, by_row, by_pixel, by_channel = pixels.stride()
    met = pixels.as_strided(
        (len(x), high.places, wide.places, high.length, wide.length, x.shape[1]),
        (by_image, by_row * high.stride, by_pixel * wide.stride, by_row, by_pixel, by_channel),
    )
    return met.reshape(len(x) * high.places * wide.places, -1)


def put_back(columns: Tensor, x: Tensor, sides: tuple[Side, Side]) -> Tensor:
    """The sum, for each pixel of x (B, C, H, W), of what every place has for it."""
    high, wide = sides
    images, channels, rows, pixels = x.shape
    met = columns.view(images, high.places, wide.places, high.length, wide.length, channels)
    padded = (rows + high.before + high.after, pixels + wide.before + wide.after)
    total = columns.new_zeros(images, *padded, channels)
    for i, j in product(range(high.length), range(wide.length)):
        there = (
            slice(k, k + side.stride * (side.places - 1) + 1, side.stride)
            for k, side in zip((i, j), sides, strict=True)
        )
        total[:, *there] += met[:, :, :, i, j]
    inside = total[:, high.before : high.before + rows, wide.before : wide.before + pixels]
    return inside.permute(0, 3, 1, 2)
