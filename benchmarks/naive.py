"""`fit` against the loop that people write: JPEG folders, transforms, a DataLoader, fp32, eager.

The same network, batch, optimiser and augmentation on the same images; seconds of whole epochs
with validation, run in turn in one process.

    python -m benchmarks.naive --data fer2013-kaggle-folders.zip
    python -m benchmarks.naive                       the same on drawn faces, saved as JPEGs
"""

import argparse
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch.utils.data import DataLoader
from torchvision import transforms
from torchvision.datasets import ImageFolder

from benchmarks.measured import heading, machine, paired, say, spread
from fer_models import MODELS
from study.config.hyperparameters import Hyperparameters, applies
from study.data import datasets
from study.training import loop
from study.training.execution import fastest
from study.training.learning_rate import lr_at

AUGMENTED = dict(flip=0.5, shift=0.1, rotation=10.0, scale=0.1)


def main() -> None:
    cuda = torch.cuda.is_available()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default="faces:4096")
    parser.add_argument("--models", nargs="+", default=list(MODELS), choices=MODELS)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--px", type=int, default=48 if cuda else 32)
    parser.add_argument("--stem", default="small" if cuda else "imagenet")
    parser.add_argument("--images", type=int, default=0 if cuda else 1024)
    parser.add_argument("--workers", type=int, default=8 if cuda else 2)
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    device = torch.device("cuda" if cuda else "cpu")
    whole = datasets.load(asked.data)
    splits = {
        "train": datasets.subset(whole.train, asked.images, 0),
        "val": datasets.subset(whole.val, asked.images // 4, 0),
    }
    heading("network", "images/s, the loop", "images/s, fit", "fit is faster by")
    with tempfile.TemporaryDirectory() as folder:
        save_jpegs(splits, whole.classes, Path(folder))
        for model in asked.models:
            stem = {"stem": asked.stem} if applies("stem", model) else {}
            hp = Hyperparameters(
                model=model,
                batch_size=asked.batch,
                image_px=asked.px,
                epochs=10**6,
                schedule="constant",
                **stem,
                **AUGMENTED,
            )
            resident = loop.resident(splits["train"], splits["val"], hp.image_px, device)
            mine = loop.fit(hp, resident, 7, device, execution=fastest(hp, 7, device, {}))
            theirs = plain_loop(hp, Path(folder), 7, device, asked.workers)
            pairs = paired(lambda m=mine: next(m), lambda t=theirs: next(t), asked.rounds)
            images = len(splits["train"].labels)
            rates = [spread([images / pair[which] for pair in pairs], 0) for which in (1, 0)]
            say(model, *rates, spread([slow / fast for fast, slow in pairs]))
    print(
        f"\n{asked.data}, {asked.images or 'all'} images, batch {asked.batch}, {asked.px} px, "
        f"{asked.stem} stem, {asked.workers} loader processes, {torch.get_num_threads()} threads; "
        f"whole epochs with validation. {machine('torchvision')}"
    )


def save_jpegs(splits: dict[str, datasets.Split], classes: tuple[str, ...], folder: Path) -> None:
    """FOLDER/SPLIT/CLASS/NUMBER.jpg, as the Kaggle copy has them."""
    for name, split in splits.items():
        for number, (image, label) in enumerate(zip(split.images, split.labels, strict=True)):
            place = folder / name / classes[label]
            place.mkdir(parents=True, exist_ok=True)
            Image.fromarray(image).save(place / f"{number:05d}.jpg", quality=95)


def plain_loop(
    hp: Hyperparameters, folder: Path, classes: int, device: torch.device, workers: int
) -> Iterator[float]:
    """The accuracy on val after each epoch of a tutorial's loop, with fit's optimiser and rates."""
    scaled = [
        transforms.Grayscale(),
        transforms.Resize(hp.image_px, antialias=True),
        transforms.ToTensor(),
        transforms.Normalize((0.5,), (0.25,)),
    ]
    moved = [
        transforms.RandomHorizontalFlip(hp.flip),
        transforms.RandomAffine(hp.rotation, (hp.shift, hp.shift), (1 - hp.scale, 1 + hp.scale)),
    ]
    loaders = {
        name: DataLoader(
            ImageFolder(folder / name, transforms.Compose(moved * first + scaled)),
            hp.batch_size,
            shuffle=first,
            num_workers=workers,
            persistent_workers=workers > 0,
            pin_memory=device.type == "cuda",
        )
        for name, first in (("train", True), ("val", False))
    }
    torch.manual_seed(hp.seed)
    model = MODELS[hp.model](classes=classes, **hp.options).to(device)
    optimizer = torch.optim.SGD(
        model.parameters(), hp.lr, hp.momentum, nesterov=True, weight_decay=hp.weight_decay
    )
    epoch = 0
    while True:
        model.train()
        total = 0.0
        for step, (x, labels) in enumerate(loaders["train"]):
            for group in optimizer.param_groups:
                group["lr"] = lr_at(hp, epoch + step / len(loaders["train"]), len(loaders["train"]))
            x, labels = x.to(device), labels.to(device)
            optimizer.zero_grad()
            loss = F.cross_entropy(model(x), labels, label_smoothing=hp.label_smoothing)
            loss.backward()
            optimizer.step()
            total += loss.item()
        model.eval()
        right = []
        with torch.no_grad():
            for x, labels in loaders["val"]:
                right.append((model(x.to(device)).argmax(1).cpu() == labels).numpy())
        epoch += 1
        yield float(np.concatenate(right).mean())


if __name__ == "__main__":
    main()
