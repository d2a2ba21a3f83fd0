"""What the paper leaves open, chosen on val: each candidate trained for a few epochs on real faces.

The paper names neither optimiser nor normalisation nor augmentation nor weight decay. Every
candidate is a setting of the preset `paper` with one of them changed. Test is never looked at.

    python -m benchmarks.reading --data fer2013.csv.xz --setting B-alexnet
    python -m benchmarks.reading --data fer2013.csv.xz --setting B-resnet34 --epochs 4
"""

import argparse
import time
from dataclasses import replace

import torch

from benchmarks.measured import heading, machine, say
from study.config.hyperparameters import Hyperparameters
from study.config.study import Setting, configuration, read_preset
from study.data import datasets
from study.training import loop

CANDIDATES = {
    "as in the preset": {},
    "no momentum": {"momentum": 0.0},
    "adam": {"optimizer": "adam"},
    "no batch normalisation, He's initialisation": {"batch_norm": False},
    "no dropout": {"dropout": 0.0},
    "flip .5": {"flip": 0.5},
    "weight decay 5e-4": {"weight_decay": 5e-4},
    "bfloat16": {"precision": "bfloat16"},
}
OF_ALEXNET = {"batch_norm", "dropout"}  # a ResNet has its norms, and nothing is dropped in it


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, help="FER-2013, as study.run takes it")
    parser.add_argument("--setting", default="B-alexnet", help="of the preset paper")
    parser.add_argument("--images", type=int, default=8192, help="to train on; val is whole")
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--only", default="", help="candidates by number, as 0,2,5")
    parser.add_argument("--precision", default="auto", help="of all candidates")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    whole = datasets.load(asked.data)
    preset, _ = read_preset("paper", "cpu")
    (setting,) = [one for one in preset.settings if one.name == asked.setting]
    part = datasets.subset(whole.train, asked.images, 0)
    candidates = list(of_network(setting).items())
    wanted = [int(n) for n in asked.only.split(",")] if asked.only else range(len(candidates))
    print(f"{machine()}, one thread")
    print(f"{setting.name}, {asked.images:,} training images, {asked.epochs} epochs\n")
    heading("candidate", "seed", "train", "val, each epoch", "processor s an epoch")
    for seed in range(asked.seeds):
        for name, changes in (candidates[n] for n in wanted):
            fixed = {"precision": asked.precision, "epochs": asked.epochs} | changes
            given = configuration(preset, Setting(name, setting.values | fixed))
            say(name, seed, *tried(replace(given, seed=seed), part, whole))


def of_network(setting: Setting) -> dict[str, dict]:
    alexnet = setting.values["model"] == "alexnet"
    return {n: c for n, c in CANDIDATES.items() if alexnet or not OF_ALEXNET & {*c}}


def tried(hp: Hyperparameters, part: datasets.Split, whole: datasets.Dataset) -> tuple[str, ...]:
    """Its accuracy on the training images and, after each epoch, on val; what an epoch took."""
    resident = loop.resident(part, whole.val, hp.image_px, torch.device("cpu"))
    began, records = time.process_time(), []
    try:
        for record, _ in loop.fit(hp, resident, len(whole.classes), torch.device("cpu")):
            records.append(record)
    except loop.Diverged as error:
        return "", str(error), ""
    val = " ".join(f"{100 * record.val_accuracy:.1f}" for record in records)
    spent = (time.process_time() - began) / len(records)
    return f"{100 * records[-1].train_accuracy:.1f} %", val, f"{spent:.0f}"


if __name__ == "__main__":
    main()
