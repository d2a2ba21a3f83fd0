"""What every network accepts, and what each of its layers yields and costs."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

SMALLEST_PX = 32  # AlexNet's three poolings leave 4x4, the imagenet stem's five halvings 1x1


def check_faces(x: Tensor) -> None:
    """Refuse anything but (B, 1, H, W) with H = W >= 32."""
    if x.ndim != 4 or x.shape[1] != 1 or not x.shape[2] == x.shape[3] >= SMALLEST_PX:
        raise ValueError(
            f"found an input of shape {tuple(x.shape)}, "
            f"expected (B, 1, H, W) with H = W >= {SMALLEST_PX}"
        )


def layer_table(model: nn.Module, image_px: int) -> list[dict[str, Any]]:
    """A row per leaf module, and per other module with parameters of its own (a block's scale, a
    norm that holds its activation), in the order in which they end, for one image
    (1, image_px, image_px) in eval mode.

    A row has name (layer1.0.conv1), kind (Conv2d), shape (of the first output, without B; (1,) of
    one number or no tensor), parameters and multiply_adds. Multiply-adds are those of convolutions
    and linear layers, without biases; norms, activations, poolings, a gate's products and recurrent
    layers count 0. Parameters are a module's own, without its children's. A module used twice has
    one row with the multiply-adds of both uses; nn.Identity and a module never called have none.
    Worked out by a forward pass, after which the model is as it was.
    """
    modes = [(module, module.training) for module in model.modules()]
    hooks, threads = [], torch.get_num_threads()
    device = next((p.device for p in model.parameters()), None)
    rows: dict[str, dict[str, Any]] = {}

    def watch(name: str, module: nn.Module) -> None:
        def add(module: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
            yielded = first_tensor(output)
            row = rows.setdefault(
                name,
                {
                    "name": name,
                    "kind": type(module).__name__,
                    "shape": (1,) if yielded is None else tuple(yielded.shape[1:]) or (1,),
                    "parameters": own(module),
                    "multiply_adds": 0,
                },
            )
            row["multiply_adds"] += 0 if yielded is None else yielded.numel() * products(module)

        hooks.append(module.register_forward_hook(add))

    for name, module in model.named_modules():
        leaf = not list(module.children()) and not isinstance(module, nn.Identity)
        if leaf or own(module):
            watch(name or type(module).__name__, module)  # the whole network has no name
    torch.set_num_threads(1)  # for one face several would mostly wait for one another
    try:
        with torch.inference_mode():
            model.eval()(torch.zeros(1, 1, image_px, image_px, device=device))
    finally:
        torch.set_num_threads(threads)
        for hook in hooks:
            hook.remove()
        for module, training in modes:
            module.training = training
    return list(rows.values())


def first_tensor(output: Any) -> Tensor | None:
    """A module's output, or the first tensor within what it yields: a tuple, list or dict."""
    if isinstance(output, Tensor):
        return output
    if isinstance(output, Mapping):
        output = list(output.values())
    parts = output if isinstance(output, Sequence) and not isinstance(output, str) else ()
    return next((one for part in parts if (one := first_tensor(part)) is not None), None)


def own(module: nn.Module) -> int:
    """Number of a module's parameters without those of its children."""
    return sum(p.numel() for p in module.parameters(recurse=False))


def products(leaf: nn.Module) -> int:
    """Multiply-adds behind each number that a convolution or linear layer puts out; else 0."""
    if isinstance(leaf, nn.Conv2d | nn.Linear):
        return leaf.weight[0].numel()  # one output channel's weights: C / groups x kernel
    return 0


def parameters(model: nn.Module) -> int:
    """Number of parameters (buffers such as running means are not counted)."""
    return sum(p.numel() for p in model.parameters())


def multiply_adds(model: nn.Module, image_px: int) -> int:
    """Multiply-adds of convolutions and linear layers for one image, as in layer_table."""
    return sum(row["multiply_adds"] for row in layer_table(model, image_px))
