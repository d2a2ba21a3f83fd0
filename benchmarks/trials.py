"""Trials per hour of a study, against the loop that people write run trial by trial.

The same grid of configurations, images, network and epochs, with one factor added at a time:

    the loop        a process per trial: JPEG files, transforms, DataLoader, fp32, all epochs
    + data path     a process per trial, `fit` instead: images resident, batched augmentation
    + one worker    every trial in one process: imports, data and memory paid once
    + packing       `study.run` without early stopping: a trial per core
    + ASHA          `study.run` with it

Precision and compiling are no factors on a CPU (float32, eager); on CUDA they are part of
"data path", and benchmarks.gpu tells them apart.

    python -m benchmarks.trials --data fer2013.csv.xz       about a quarter of an hour on two cores
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, replace
from itertools import islice
from pathlib import Path

import pandas as pd
import torch

from benchmarks.measured import heading, machine, say
from benchmarks.naive import plain_loop, save_jpegs
from study.config.hyperparameters import Hyperparameters
from study.data import datasets
from study.training import loop
from study.training.execution import fastest

BATCHES, RATES = (64, 128), (0.003, 0.01, 0.03)
MOVED = dict(flip=0.5, shift=0.1, rotation=10.0, scale=0.1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default="faces:4096")
    parser.add_argument("--images", type=int, default=1024)
    parser.add_argument("--epochs", type=int, default=9)
    parser.add_argument("--px", type=int, default=32)
    parser.add_argument("--one", help=argparse.SUPPRESS)  # how a process of its own is begun
    asked = parser.parse_args()
    if asked.one:
        print(json.dumps(one(**json.loads(asked.one))))
        return
    space = [
        Hyperparameters(
            model="alexnet",
            image_px=asked.px,
            epochs=asked.epochs,
            batch_size=batch,
            lr=lr,
            **MOVED,
        )
        for batch in BATCHES
        for lr in RATES
    ]
    configurations = [replace(hp, seed=number) for number, hp in enumerate(space)]
    given = {"source": asked.data, "images": asked.images}
    heading("", "seconds", "trials per hour", "faster by", "in all", "best val accuracy")
    with tempfile.TemporaryDirectory() as folder:
        whole = datasets.load(asked.data)
        splits = {name: cut(whole, name, asked.images) for name in ("train", "val")}
        save_jpegs(splits, whole.classes, Path(folder) / "jpegs")
        steps = {
            "the loop": lambda: apart(configurations, {**given, "folder": f"{folder}/jpegs"}),
            "+ data path": lambda: apart(configurations, given),
            "+ one worker": lambda: together(configurations, splits),
            "+ packing": lambda: study(asked, "none", Path(folder)),
            "+ ASHA": lambda: study(asked, "asha", Path(folder)),
        }
        times: list[float] = []
        for name, run in steps.items():
            began = time.perf_counter()
            best = run()
            times.append(time.perf_counter() - began)
            before = times[-2] if len(times) > 1 else times[-1]
            per_hour = 3600 * len(configurations) / times[-1]
            say(name, f"{times[-1]:.0f}", f"{per_hour:.0f}", f"{before / times[-1]:.2f}",
                f"{times[0] / times[-1]:.2f}", f"{best:.3f}")  # fmt: skip
    print(
        f"\n{len(configurations)} trials of {asked.epochs} epochs, alexnet at {asked.px} px, "
        f"{asked.images} training images of {asked.data}; one run each, starts included. "
        f"{machine('torchvision', 'ray')}"
    )


def cut(whole: datasets.Dataset, name: str, images: int) -> datasets.Split:
    return datasets.subset(getattr(whole, name), images if name == "train" else images // 4, 0)


def apart(configurations: list[Hyperparameters], given: dict) -> float:
    """Each trial in a process of its own, one after the other; the best accuracy on val."""
    found = []
    for hp in configurations:
        words = json.dumps({"hp": asdict(hp), **given})
        command = [sys.executable, "-m", "benchmarks.trials", "--one", words]
        out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        found.append(json.loads(out.splitlines()[-1]))
    return max(found)


def one(hp: dict, source: str, images: int, folder: str = "") -> float:
    """In that process: the last accuracy on val, by the loop if there is a folder, else by fit."""
    chosen, device = (
        Hyperparameters(**hp),
        torch.device("cuda" if torch.cuda.is_available() else "cpu"),
    )
    if folder:
        epochs = plain_loop(chosen, Path(folder), 7, device, workers=2)
        return list(islice(epochs, chosen.epochs))[-1]
    whole = datasets.load(source)
    return together([chosen], {name: cut(whole, name, images) for name in ("train", "val")})


def together(configurations: list[Hyperparameters], splits: dict[str, datasets.Split]) -> float:
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    resident = loop.resident(splits["train"], splits["val"], configurations[0].image_px, device)
    known: dict = {}
    ends = []
    for hp in configurations:
        how = fastest(hp, 7, device, known)
        *_, (last, _) = loop.fit(hp, resident, 7, device, execution=how)
        ends.append(last.val_accuracy)
    return max(ends)


def study(asked: argparse.Namespace, scheduler: str, folder: Path) -> float:
    """The same grid through the command line; the best accuracy on val of what came to the end."""
    words = {
        "data": asked.data,
        "models": "alexnet",
        "stages": "search",
        "sampler": "grid",
        "scheduler": scheduler,
        "epochs": asked.epochs,
        "train-images": asked.images,
        "val-images": asked.images // 4,
        "batch-size": ",".join(map(str, BATCHES)),
        "lr": ",".join(map(str, RATES)),
        "image-px": asked.px,
        "dropout": 0.0,
        **MOVED,
        "name": scheduler,
        "out": folder,
        "address": "local",
    }
    command = [sys.executable, "-m", "study.run"]
    for name, value in words.items():
        command += [f"--{name}", str(value)]
    subprocess.run(command, check=True, capture_output=True)
    epochs = pd.read_parquet(folder / scheduler / "epochs.parquet")
    return float(epochs.loc[epochs["epoch"] == asked.epochs, "val_accuracy"].max())


if __name__ == "__main__":
    main()
