"""Images per second of `fit` as a share of the data-free bound.

The bound is the same training step on one resident batch, again and again: no images fetched, none
augmented. What lies between is the price of the data path.

    python -m benchmarks.bound                       every network, batch 64, 128, 256
    python -m benchmarks.bound --models alexnet --batches 64 --clock cpu
"""

import argparse
from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import torch

from benchmarks.measured import CLOCKS, heading, machine, paired, say, spread
from fer_models import MODELS
from study.config.hyperparameters import Hyperparameters, applies
from study.training import loop
from study.training.execution import fastest, first_step

AUGMENTED = dict(flip=0.5, shift=0.1, rotation=10.0, scale=0.1, label_smoothing=0.1)
PLAIN = dict(flip=0.0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", nargs="+", default=list(MODELS), choices=MODELS)
    parser.add_argument("--batches", nargs="+", type=int, default=[64, 128, 256])
    parser.add_argument("--px", type=int, default=32 if not torch.cuda.is_available() else 48)
    parser.add_argument("--stem", default="imagenet" if not torch.cuda.is_available() else "small")
    parser.add_argument(
        "--images", type=int, default=1024 if not torch.cuda.is_available() else 28709
    )
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--clock", default="wall", choices=CLOCKS)
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    heading("network", "batch", "augmentation", "images/s", "share of the data-free bound")
    for model in asked.models:
        for batch in asked.batches:
            for name, extra in (("search preset's", AUGMENTED), ("none", PLAIN)):
                stem = {"stem": asked.stem} if applies("stem", model) else {}
                hp = Hyperparameters(
                    model=model, batch_size=batch, image_px=asked.px, epochs=10**6, **stem, **extra
                )
                epoch, bound, images = both(hp, asked.images, device)
                pairs = paired(epoch, bound, asked.rounds, asked.clock)
                rate = spread([images / mine for mine, _ in pairs], 0)
                say(model, batch, name, rate, spread([free / mine for mine, free in pairs], 3))
    print(
        f"\n{asked.px} px, {asked.stem} stem, {asked.images} images a round, "
        f"{asked.clock} seconds, {asked.threads} thread(s). {machine()}"
    )


def both(
    hp: Hyperparameters, images: int, device: torch.device
) -> tuple[Callable[[], object], Callable[[], object], int]:
    """An epoch of `fit` without its validation, the same number of steps without data; images."""
    drawn = np.random.default_rng(0)
    steps = max(1, images // hp.batch_size)
    images = steps * hp.batch_size
    faces = SimpleNamespace(
        images=drawn.integers(0, 256, (images, hp.image_px, hp.image_px), np.uint8),
        labels=drawn.integers(0, 7, images),
    )
    data = loop.resident(faces, faces, hp.image_px, device)
    how = fastest(hp, 7, device, {})
    step, free = (first_step(hp, 7, device, how) for _ in range(2))
    x = torch.randn(hp.batch_size, 1, hp.image_px, hp.image_px, device=device)
    labels = torch.arange(hp.batch_size, device=device) % 7
    epochs = iter(range(1, 10**6))

    def epoch() -> None:
        loop.train_epoch(step, data, next(epochs))

    def bound() -> None:
        free.model.train()
        for _ in range(steps):
            free(x, labels, labels, hp.lr)

    return epoch, bound, images


if __name__ == "__main__":
    main()
