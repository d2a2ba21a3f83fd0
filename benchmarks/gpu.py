"""On a CUDA device, in under three minutes: seconds an epoch, share of the chip's peak and of the
same steps on one resident batch; eager, as a recorded graph, compiled; trials that share the card.

    python -m benchmarks.gpu                     in order of worth, until --seconds are spent
    python -m benchmarks.gpu --seconds 3600 --batches 64 128 256 512 --epochs 6

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
from study.training import execution, gpu_memory, loop
from study.training.network import network

PEAK = 989e12  # bfloat16 without sparsity, H100 and H200 SXM; --peak for another chip
COMPILING = 60.0  # seconds that torch.compile may take, which isn't begun later
AUGMENTED = dict(flip=0.5, shift=0.1, rotation=10.0, scale=0.1, label_smoothing=0.1)


def main() -> None:
    cuda = torch.cuda.is_available()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", nargs="+", default=list(MODELS), choices=MODELS)
    parser.add_argument("--batches", nargs="+", type=int, default=[128])
    parser.add_argument("--stems", nargs="+", default=["imagenet", "small"])
    parser.add_argument("--px", type=int, default=48)
    parser.add_argument("--images", type=int, default=28709 if cuda else 256)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--peak", type=float, default=PEAK)
    parser.add_argument("--together", nargs="+", type=int, default=[1, 2, 4, 8])
    parser.add_argument("--seconds", type=float, default=170.0, help="nothing begins after them")
    parser.add_argument("--one", type=float, help=argparse.SUPPRESS)  # a trial with such a share
    asked = parser.parse_args()
    if asked.one:
        alone(asked)
        return
    until = time.monotonic() + asked.seconds
    recorded = ("eager", "graphs") if cuda else ("eager",)
    skipped = table(asked, recorded, until - asked.seconds / 2)
    skipped += sharing(asked, until - COMPILING)
    if cuda:
        skipped += table(asked, ("compile",), until - COMPILING)
    if skipped:
        print(f"\nNot reached in {asked.seconds:g} s: {', '.join(skipped)}")
    print(f"\n{asked.px} px, {asked.images} images, augmentation on. {machine()}")


def table(asked: argparse.Namespace, ways: tuple[str, ...], until: float) -> list[str]:
    """A row for each network, stem, batch size and way that begins in time; the others."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    data, skipped = noise(asked, device), []
    heading("network", "stem", "batch", "step", "first epoch s", "epoch s", "images/s",
            "share of peak", "share of the bound", "memory MiB", "reckoned MiB")  # fmt: skip
    for model in asked.models:
        for stem in asked.stems if applies("stem", model) else [""]:
            for batch in asked.batches:
                hp = trial(asked, model, stem, batch)
                for how in ways:
                    if time.monotonic() > until:
                        skipped.append(f"{model} {stem} {batch} {how}".replace("  ", " "))
                        continue
                    try:
                        row = figures(asked, hp, data, device, how)
                    except (RuntimeError, MemoryError) as error:  # no room, or can't be recorded
                        row = [str(error).splitlines()[0], *[""] * 6]
                    say(model, stem, batch, how, *row)
    print(flush=True)
    return skipped


def figures(
    asked: argparse.Namespace,
    hp: Hyperparameters,
    data: loop.Resident,
    device: torch.device,
    how: str,
) -> list[str]:
    """What one row says of a few epochs."""
    products = multiply_adds(network(hp, 7, torch.device("cpu")), hp.image_px)
    records = [record for record, _ in loop.fit(hp, data, 7, device, execution=how)]
    rest = records[1:] or records
    rates = [record.images_per_second for record in rest]
    bound = hp.batch_size / execution.step_seconds(hp, 7, device, how)
    return [
        f"{records[0].epoch_seconds:.2f}",
        spread([record.epoch_seconds for record in rest]),
        f"{median(rates):.0f}",
        f"{6 * products * median(rates) / asked.peak:.1%}",
        f"{median(rates) / bound:.1%}",
        f"{records[-1].memory_mib:.0f}",
        f"{gpu_memory.memory_mib(hp, 7, asked.images):.0f}",
    ]


def trial(asked: argparse.Namespace, model: str, stem: str, batch: int) -> Hyperparameters:
    own = {"stem": stem} if stem else {}
    return Hyperparameters(model=model, batch_size=batch, image_px=asked.px, epochs=asked.epochs,
                           **own, **AUGMENTED)  # fmt: skip


def sharing(asked: argparse.Namespace, until: float) -> list[str]:
    """The same trial in 1, 2, 4, 8 processes at once, each held to its share of the memory; from
    the first that trains to the last that ends, without what starting a process takes."""
    heading("network", "together", "seconds", "trials per hour", "against one after the other")
    skipped = []
    for model in asked.models:
        first = 0.0
        for together in asked.together:
            if time.monotonic() > until:
                skipped.append(f"{together} of {model} together")
                continue
            words = [sys.executable, "-m", "benchmarks.gpu", "--one", str(1 / together)]
            words += ["--models", model, "--batches", str(asked.batches[0]), "--px", str(asked.px)]
            words += ["--images", str(asked.images), "--epochs", str(asked.epochs)]
            words += ["--stems", asked.stems[0]]
            running = [subprocess.Popen(words, stdout=subprocess.PIPE) for _ in range(together)]
            told = [process.communicate()[0].split() for process in running]
            if any(process.returncode for process in running):
                say(model, together, "did not fit", "", "")
                continue
            seconds = max(float(t[1]) for t in told) - min(float(t[0]) for t in told)
            per_hour = 3600 * together / seconds
            first = first or per_hour
            say(model, together, f"{seconds:.1f}", f"{per_hour:.0f}", f"{per_hour / first:.2f}")
    print(flush=True)
    return skipped


def alone(asked: argparse.Namespace) -> None:
    """One trial, which tells when it began and when it ended."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if device.type == "cuda" and asked.one < 1:
        gpu_memory.hold_to(asked.one)
    stem = asked.stems[0] if applies("stem", asked.models[0]) else ""
    hp = trial(asked, asked.models[0], stem, asked.batches[0])
    data, how = noise(asked, device), execution.fastest(hp, 7, device, {})
    began = time.time()
    timed(lambda: list(loop.fit(hp, data, 7, device, execution=how)))
    print(began, time.time())


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
