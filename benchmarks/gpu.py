"""On a CUDA device: seconds per epoch, share of the chip's peak, memory; trials sharing the card.

    python -m benchmarks.gpu                     networks, stems, batch sizes; eager and graphs
    python -m benchmarks.gpu --sharing           trials per hour when 1, 2, 4, 8 share the card

Needs no Ray. Without a device it runs on the CPU, on few images, to show that it runs at all.
"""

import argparse
import subprocess
import sys
import time
from statistics import median
from types import SimpleNamespace

import numpy as np
import torch

from benchmarks.measured import heading, machine, say, spread, timed
from fer_models import MODELS
from fer_models.layers import multiply_adds
from study.config.hyperparameters import Hyperparameters, applies
from study.training import gpu_memory, loop
from study.training.network import network

PEAK = 989e12  # bfloat16 without sparsity, H100 and H200 SXM; --peak for another chip
AUGMENTED = dict(flip=0.5, shift=0.1, rotation=10.0, scale=0.1, label_smoothing=0.1)


def main() -> None:
    cuda = torch.cuda.is_available()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", nargs="+", default=list(MODELS), choices=MODELS)
    parser.add_argument("--batches", nargs="+", type=int, default=[64, 128, 256, 512])
    parser.add_argument("--stems", nargs="+", default=["small", "imagenet"])
    parser.add_argument("--px", type=int, default=48)
    parser.add_argument("--images", type=int, default=28709 if cuda else 256)
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--peak", type=float, default=PEAK)
    parser.add_argument("--sharing", action="store_true")
    parser.add_argument("--one", type=float, help=argparse.SUPPRESS)  # a trial with such a share
    asked = parser.parse_args()
    if asked.one:
        alone(asked)
    elif asked.sharing:
        sharing(asked)
    else:
        table(asked)
    if not asked.one:
        print(f"\n{asked.px} px, {asked.images} images, augmentation on. {machine()}")


def table(asked: argparse.Namespace) -> None:
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    data = noise(asked, device)
    heading("network", "stem", "batch", "step", "first epoch s", "epoch s", "images/s",
            "share of peak", "memory MiB", "reckoned MiB")  # fmt: skip
    for model in asked.models:
        for stem in asked.stems if applies("stem", model) else [""]:
            for batch in asked.batches:
                own = {"stem": stem} if stem else {}
                hp = Hyperparameters(model=model, batch_size=batch, image_px=asked.px,
                                     epochs=asked.epochs, **own, **AUGMENTED)  # fmt: skip
                products = multiply_adds(network(hp, 7, torch.device("cpu")), hp.image_px)
                for how in ("eager", "graphs") if device.type == "cuda" else ("eager",):
                    epochs = loop.fit(hp, data, 7, device, execution=how)
                    records = [record for record, _ in epochs]
                    rest = records[1:] or records
                    rates = [record.images_per_second for record in rest]
                    busy = 6 * products * median(rates) / asked.peak
                    say(model, stem, batch, how, f"{records[0].epoch_seconds:.2f}",
                        spread([record.epoch_seconds for record in rest]), f"{median(rates):.0f}",
                        f"{busy:.1%}", f"{records[-1].memory_mib:.0f}",
                        f"{gpu_memory.memory_mib(hp, 7, asked.images):.0f}")  # fmt: skip


def sharing(asked: argparse.Namespace) -> None:
    """The same trial in 1, 2, 4, 8 processes at once, each held to its share of the memory."""
    heading("network", "together", "seconds", "trials per hour", "against one after the other")
    for model in asked.models:
        first = 0.0
        for together in (1, 2, 4, 8):
            words = [sys.executable, "-m", "benchmarks.gpu", "--one", str(1 / together)]
            words += ["--models", model, "--batches", str(asked.batches[0]), "--px", str(asked.px)]
            words += ["--images", str(asked.images), "--epochs", str(asked.epochs)]
            words += ["--stems", asked.stems[0]]
            began = time.perf_counter()
            running = [subprocess.Popen(words) for _ in range(together)]
            ends = [process.wait() for process in running]
            seconds = time.perf_counter() - began
            if any(ends):
                say(model, together, "did not fit", "", "")
                continue
            per_hour = 3600 * together / seconds
            first = first or per_hour
            say(model, together, f"{seconds:.1f}", f"{per_hour:.0f}", f"{per_hour / first:.2f}")


def alone(asked: argparse.Namespace) -> None:
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if device.type == "cuda" and asked.one < 1:
        torch.cuda.set_per_process_memory_fraction(asked.one)
    own = {"stem": asked.stems[0]} if applies("stem", asked.models[0]) else {}
    hp = Hyperparameters(model=asked.models[0], batch_size=asked.batches[0], image_px=asked.px,
                         epochs=asked.epochs, **own, **AUGMENTED)  # fmt: skip
    timed(lambda: list(loop.fit(hp, noise(asked, device), 7, device)))


def noise(asked: argparse.Namespace, device: torch.device) -> loop.Resident:
    drawn = np.random.default_rng(0)
    faces = SimpleNamespace(
        images=drawn.integers(0, 256, (asked.images, asked.px, asked.px), np.uint8),
        labels=drawn.integers(0, 7, asked.images),
    )
    val = SimpleNamespace(images=faces.images[:3589], labels=faces.labels[:3589])
    return loop.resident(faces, val, asked.px, device)


if __name__ == "__main__":
    main()
