"""Training of one network: `fit` yields a record per epoch.

Runs in the worker, a notebook or a benchmark; knows nothing of Ray, files or flags. Letters as in
fer_models: B batch, N images, K classes.
"""

import math
import resource
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any, Protocol

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from fer_models import MODELS
from study import Mistake, augment
from study.hyperparameters import Hyperparameters

EVALUATION_BATCH = 512


class Faces(Protocol):
    """What fit needs of a split: study.data.Split has it, and so has anything like it."""

    images: np.ndarray  # uint8 (N, H, W)
    labels: np.ndarray  # int64 (N,)


class Diverged(ArithmeticError):
    """The loss is no longer a number; the trial has failed and trying again would not help."""


@dataclass(frozen=True)
class EpochRecord:
    """What was observed in one epoch: the row of epochs.parquet that a worker knows."""

    epoch: int  # passes completed, from 1
    train_loss: float  # cross-entropy, nats per image, as trained (augmented, with dropout)
    train_accuracy: float  # fraction, likewise
    val_loss: float  # nats per image
    val_accuracy: float  # fraction
    lr: float  # of the epoch's last step
    epoch_seconds: float  # wall, training and validation
    images_per_second: float  # of the training part
    memory_mib: float  # peak: of this trial on a CUDA device, of the worker process on a CPU


@dataclass(frozen=True)
class Resident:
    """Both splits on the device as uint8 at the trial's size, shared by all trials of a worker."""

    train_images: Tensor  # uint8 (N, 1, px, px)
    train_labels: Tensor  # int64 (N,)
    val_images: Tensor
    val_labels: Tensor
    mean: float  # of the training split, full scale is 1
    std: float


def resident(train: Faces, val: Faces, px: int, device: torch.device) -> Resident:
    """Move both splits to the device; on a CPU at their own size they are shared, not copied."""
    images = augment.resized(on_device(train.images, device), px)
    std, mean = torch.std_mean(images.float() / 255)
    return Resident(
        train_images=images,
        train_labels=on_device(train.labels, device),
        val_images=augment.resized(on_device(val.images, device), px),
        val_labels=on_device(val.labels, device),
        mean=mean.item(),
        std=max(std.item(), 1 / 255),
    )


def on_device(array: np.ndarray, device: torch.device) -> Tensor:
    with warnings.catch_warnings():
        # Ray's object store hands out read-only arrays; nothing here writes into them.
        warnings.filterwarnings("ignore", "The given NumPy array is not writable")
        return torch.from_numpy(array).to(device)


def fit(
    hp: Hyperparameters,
    data: Resident,
    classes: int,
    device: torch.device,
    state: dict[str, Any] | None = None,
) -> Iterator[tuple[EpochRecord, dict[str, Any]]]:
    """Train, yielding after each epoch its record and the state from which training can go on.

    With `state` the epochs after it follow, as if training had never stopped (bitwise on a CPU
    with the same number of threads). A yielded state refers to live tensors: save or copy it before
    taking the next epoch. Refused: a batch larger than the training split, data of another size.
    Raises Diverged when a loss is NaN or infinite.
    """
    images = len(data.train_labels)
    if hp.batch_size > images:
        raise Mistake(
            f"batch_size is {hp.batch_size}, but there are {images} training images: "
            "choose at most that"
        )
    model = network(hp, classes, device)
    optimizer = optimiser(hp, model)
    plateau = Plateau(hp)
    done = 0
    if state is not None:
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        plateau = Plateau(hp, **state["plateau"])
        done = state["record"]["epoch"]
    for epoch in range(done + 1, hp.epochs + 1):
        began = time.perf_counter()
        if device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(device)
        loss, accuracy, lr = train_epoch(hp, model, optimizer, data, epoch, plateau.factor)
        trained = time.perf_counter()
        val_loss, val_accuracy = evaluate(hp, model, data)
        if not math.isfinite(loss + val_loss):
            raise Diverged(f"loss is not a number in epoch {epoch} (train {loss}, val {val_loss})")
        plateau.saw(val_accuracy)
        record = EpochRecord(
            epoch=epoch,
            train_loss=loss,
            train_accuracy=accuracy,
            val_loss=val_loss,
            val_accuracy=val_accuracy,
            lr=lr,
            epoch_seconds=time.perf_counter() - began,
            images_per_second=images / (trained - began),
            memory_mib=memory_mib(device),
        )
        yield (
            record,
            {
                "model": model.state_dict(),
                "optimizer": optimizer.state_dict(),
                "plateau": {
                    "best": plateau.best,
                    "waited": plateau.waited,
                    "factor": plateau.factor,
                },
                "record": asdict(record),
                "scaling": {"mean": data.mean, "std": data.std},
            },
        )


def train_epoch(
    hp: Hyperparameters,
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    data: Resident,
    epoch: int,
    factor: float,
) -> tuple[float, float, float]:
    """One pass in an order of its own: mean loss, accuracy, and the last step's learning rate."""
    device, images = data.train_labels.device, len(data.train_labels)
    generator = torch.Generator(device).manual_seed(derived(hp.seed, epoch, "order"))
    order = torch.randperm(images, generator=generator, device=device)
    drawn = augment.draws(hp, images, generator)
    losses = torch.zeros((), dtype=torch.float64, device=device)
    hits = torch.zeros((), dtype=torch.int64, device=device)
    starts = range(0, images, hp.batch_size)
    if images % hp.batch_size == 1 and hp.batch_size > 1:
        starts = starts[:-1]  # batch normalisation can't do with a single image
    model.train()
    with seeded(derived(hp.seed, epoch, "dropout"), device):
        for step, start in enumerate(starts):
            where = slice(start, start + hp.batch_size)
            labels = data.train_labels[order[where]]
            x = augment.batch(data.train_images, order[where], drawn, where, data.mean, data.std)
            lr = factor * lr_at(hp, epoch - 1 + step / len(starts), len(starts))
            for group in optimizer.param_groups:
                group["lr"] = lr
            with autocast(hp, device):
                logits = model(x)
            logits = logits.float()
            loss = F.cross_entropy(logits, labels, label_smoothing=hp.label_smoothing)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            with torch.no_grad():
                plain = F.cross_entropy(logits, labels) if hp.label_smoothing else loss.detach()
                losses += plain * len(labels)
                hits += (logits.argmax(1) == labels).sum()
    seen = min(len(starts) * hp.batch_size, images)
    return losses.item() / seen, hits.item() / seen, lr


@torch.no_grad()
def evaluate(hp: Hyperparameters, model: nn.Module, data: Resident) -> tuple[float, float]:
    """Mean loss in nats and accuracy on val, without augmentation."""
    device, images = data.val_labels.device, len(data.val_labels)
    losses = torch.zeros((), dtype=torch.float64, device=device)
    hits = torch.zeros((), dtype=torch.int64, device=device)
    model.eval()
    for x, labels in zip(
        data.val_images.split(EVALUATION_BATCH),
        data.val_labels.split(EVALUATION_BATCH),
        strict=True,
    ):
        with autocast(hp, device):
            logits = model(augment.standardised(x.float() / 255, data.mean, data.std))
        losses += F.cross_entropy(logits.float(), labels, reduction="sum")
        hits += (logits.argmax(1) == labels).sum()
    return losses.item() / images, hits.item() / images


@torch.no_grad()
def predict(
    hp: Hyperparameters,
    images: np.ndarray,
    classes: int,
    device: torch.device,
    state: dict[str, Any],
) -> np.ndarray:
    """Probabilities, float32 (N, K), that a trained state gives to uint8 images (N, H, W)."""
    model = network(hp, classes, device)
    model.load_state_dict(state["model"])
    model.eval()
    mean, std = state["scaling"]["mean"], state["scaling"]["std"]
    parts = []
    for x in augment.resized(on_device(images, device), hp.image_px).split(EVALUATION_BATCH):
        with autocast(hp, device):
            logits = model(augment.standardised(x.float() / 255, mean, std))
        parts.append(logits.float().softmax(1).cpu())
    return torch.cat(parts).numpy()


def network(hp: Hyperparameters, classes: int, device: torch.device) -> nn.Module:
    """The trial's network, initialised from its seed on the CPU (the same on every device)."""
    with seeded(derived(hp.seed, 0, "init"), torch.device("cpu")):
        model = MODELS[hp.model](classes=classes, **hp.options)
    # channels-last: 361 against 306 images/s for the AlexNet-like net on two AVX2 cores
    return model.to(device, memory_format=torch.channels_last)


def optimiser(hp: Hyperparameters, model: nn.Module) -> torch.optim.Optimizer:
    """sgd (Nesterov unless momentum is 0), adam or adamw; biases and norms are not decayed."""
    parameters = list(model.parameters())
    groups = [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": hp.weight_decay},
        {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
    ]
    fused = parameters[0].device.type == "cuda"
    if hp.optimizer == "sgd":
        nesterov = hp.momentum > 0
        return torch.optim.SGD(groups, hp.lr, hp.momentum, nesterov=nesterov, fused=fused)
    kind = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[hp.optimizer]
    return kind(groups, hp.lr, fused=fused)


def lr_at(hp: Hyperparameters, epochs: float, steps: int) -> float:
    """Learning rate of the step that begins after so many epochs (a fraction is within an epoch).

    `steps` is the number of steps an epoch has. plateau is constant here: its factor is
    applied by the caller.
    """
    rise = 1.0
    if epochs < hp.warmup_epochs:
        rise = min(1.0, (epochs + 1 / steps) / hp.warmup_epochs)
    if hp.schedule == "cosine":
        after = max(0.0, epochs - hp.warmup_epochs) / max(hp.epochs - hp.warmup_epochs, 1 / steps)
        return hp.lr * rise * 0.5 * (1 + math.cos(math.pi * min(after, 1.0)))
    if hp.schedule == "step":
        return hp.lr * rise * hp.lr_decay ** int(epochs / hp.epochs * (hp.lr_steps + 1))
    return hp.lr * rise


class Plateau:
    """Factor on the learning rate, decayed when val_accuracy stays below its best for too long."""

    def __init__(
        self, hp: Hyperparameters, best: float = -1.0, waited: int = 0, factor: float = 1.0
    ) -> None:
        self.on = hp.schedule == "plateau"
        self.patience, self.decay = hp.patience, hp.lr_decay
        self.best, self.waited, self.factor = best, waited, factor

    def saw(self, val_accuracy: float) -> None:
        if val_accuracy > self.best:
            self.best, self.waited = val_accuracy, 0
            return
        self.waited += 1
        if self.on and self.waited > self.patience:
            self.factor, self.waited = self.factor * self.decay, 0


def derived(seed: int, epoch: int, purpose: str) -> int:
    """A 64-bit seed for one purpose in one epoch: no generator state outlives an epoch."""
    words = [seed, epoch, int.from_bytes(purpose.encode(), "big")]
    return int(np.random.SeedSequence(words).generate_state(1, np.uint64)[0])


@contextmanager
def seeded(seed: int, device: torch.device) -> Iterator[None]:
    """Global generators from a seed within the block, as they were before after it."""
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        yield


def autocast(hp: Hyperparameters, device: torch.device) -> torch.autocast:
    """bfloat16 where asked for, by default on CUDA; 20 times slower than float32 on AVX2."""
    wanted = hp.precision == "bfloat16" or (hp.precision == "auto" and device.type == "cuda")
    return torch.autocast(device.type, torch.bfloat16, enabled=wanted)


def memory_mib(device: torch.device) -> float:
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10
