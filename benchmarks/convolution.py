"""A training step on a CPU with small maps' convolutions as matrix products, and as torch has them.

python -m benchmarks.convolution --clock cpu
"""

import argparse
from collections.abc import Callable

import torch
from torch import nn

from benchmarks.measured import CLOCKS, heading, machine, paired, say, spread
from study.config.hyperparameters import Hyperparameters
from study.training.convolution import SmallMapConv2d
from study.training.execution import first_step

SIZES = ((32, 32), (48, 128))  # the default study's pixels and batch, and the paper's
CPU = torch.device("cpu")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", nargs="+", default=["resnet34", "cbam_resnet34"])
    parser.add_argument("--precisions", nargs="+", default=["float32", "bfloat16"])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--clock", default="wall", choices=CLOCKS)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    heading("network", "px", "batch", "precision", "products, ms an image", "torch's", "ratio")
    for model in asked.models:
        for px, batch in SIZES:
            for precision in asked.precisions:
                size = dict(image_px=px, batch_size=batch, precision=precision)
                hp = Hyperparameters(model, stem="imagenet", optimizer="adamw", **size)
                pairs = paired(stepping(hp), stepping(hp, plain=True), asked.rounds, asked.clock)
                own, torchs = (
                    [1000 * each / batch for each in part] for part in zip(*pairs, strict=True)
                )
                ratio = spread([b / a for a, b in pairs])
                say(model, px, batch, precision, spread(own), spread(torchs), ratio)
    print(f"\nImageNet stem, AdamW, one thread, {asked.clock} seconds. {machine()}")


def stepping(hp: Hyperparameters, plain: bool = False) -> Callable[[], None]:
    """A step on one batch, with the convolutions that training has, or torch's own."""
    step = first_step(hp, 7, CPU, "eager")
    for part in step.model.modules():
        if plain and isinstance(part, SmallMapConv2d):
            part.__class__ = nn.Conv2d
    x = torch.randn(hp.batch_size, 1, hp.image_px, hp.image_px)
    labels = torch.arange(hp.batch_size) % 7
    step.model.train()
    return lambda: step(x, labels, labels, hp.lr)


if __name__ == "__main__":
    main()
