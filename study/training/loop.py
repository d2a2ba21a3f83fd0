"""Training of one network: `fit` yields a record per epoch.

Runs in the worker, a notebook or a benchmark; knows nothing of Ray, files or flags. Letters as in
fer_models: B batch, N images, K classes.
"""

import math
import time
import warnings
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Protocol

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from fer_stats.measures import measures
from study import Mistake
from study.config.hyperparameters import Hyperparameters
from study.config.seeds import derived
from study.training import augment, balance
from study.training.execution import step_of
from study.training.gpu_memory import in_parts, noticing_memory, peak_mib
from study.training.learning_rate import Plateau, lr_at
from study.training.network import autocast, network, optimiser, seeded
from study.training.step import Step

EVALUATION_BATCH = 512


class Faces(Protocol):
    """What fit needs of a split: study.data.datasets.Split has it, and so has anything like it."""

    @property
    def images(self) -> np.ndarray:
        """uint8 (N, H, W)"""

    @property
    def labels(self) -> np.ndarray:
        """int64 (N,)"""


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
    # fractions over the classes; None in what was trained before these were measured
    val_balanced_accuracy: float | None = None
    val_macro_f1: float | None = None


@dataclass(frozen=True)
class Resident:
    """Both splits on the device as uint8 at the trial's size, shared by all trials of a worker."""

    train_images: Tensor  # uint8 (N, 1, px, px)
    train_labels: Tensor  # int64 (N,)
    val_images: Tensor
    val_labels: Tensor
    mean: float  # of the training split, full scale is 1
    std: float
    train_shares: Tensor | None = None  # float32 (N, K), soft targets; None trains on the labels


def resident(train: Faces, val: Faces, px: int, device: torch.device) -> Resident:
    """Move both splits to the device; on a CPU at their own size they are shared, not copied."""
    images = augment.resized(on_device(train.images, device), px)
    shares: np.ndarray | None = getattr(train, "shares", None)
    mean, std = scaling(images)
    return Resident(
        train_images=images,
        train_labels=on_device(train.labels, device),
        val_images=augment.resized(on_device(val.images, device), px),
        val_labels=on_device(val.labels, device),
        mean=mean,
        std=std,
        train_shares=None if shares is None else on_device(shares, device),
    )


def scaling(images: Tensor) -> tuple[float, float]:
    """Mean and standard deviation (1/255 at least) of uint8 pixels of any shape; full scale is 1.

    Exact, from how often each level occurs: as floats the images would take 8 times their memory.
    """
    often = torch.bincount(images.view(-1), minlength=256).double()
    levels = torch.arange(256, dtype=torch.float64, device=images.device) / 255
    mean = (often @ levels) / often.sum()
    variance = (often @ (levels - mean) ** 2) / (often.sum() - 1)
    return mean.item(), max(variance.sqrt().item(), 1 / 255)


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
    microbatches: int = 1,
    execution: str = "eager",
    objective: str = "val_accuracy",
) -> Iterator[tuple[EpochRecord, dict[str, Any]]]:
    """Train, yielding after each epoch its record and the state from which training can go on.

    With `state` the epochs after it follow, as if training had never stopped (bitwise on a CPU
    with the same number of threads). A yielded state refers to live tensors: save or copy it before
    taking the next epoch. `microbatches` cuts each batch into so many parts whose gradients are
    summed: the same step in less memory, but for batch normalisation, which then sees the parts.
    `execution` is one of study.training.execution.EXECUTIONS, auto excepted. A plateau is one of
    `objective`, a measure of val.
    Refused: a batch larger than the training split, data of another size. Raises Diverged when a
    loss is NaN or infinite, OutOfMemory when an epoch doesn't fit, NotRecorded where `execution` is
    graphs and the network can't be recorded.
    """
    images = len(data.train_labels)
    if hp.batch_size > images:
        raise Mistake(
            f"batch_size is {hp.batch_size}, but there are {images} training images: "
            "choose at most that"
        )
    done = state["record"]["epoch"] if state else 0
    with noticing_memory(done + 1, microbatches):  # recording runs whole batches, too
        model = network(hp, classes, device)
        optimizer = optimiser(hp, model)
        plateau = Plateau(hp)
        if state is not None:
            model.load_state_dict(state["model"])
            optimizer.load_state_dict(state["optimizer"])
            plateau = Plateau(hp, **state["plateau"])
        even = balance.of(hp, data.train_labels, classes)
        shares = 0 if data.train_shares is None else classes
        step = step_of(hp, model, optimizer, execution, even, shares, microbatches)
    for epoch in range(done + 1, hp.epochs + 1):
        began = time.perf_counter()
        if device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(device)
        with noticing_memory(epoch, microbatches):
            loss, accuracy, lr = train_epoch(step, data, epoch, plateau.factor)
            trained = time.perf_counter()
            val_loss, counts = in_parts(
                lambda size: evaluate(hp, model, data, classes, size),
                max(1, EVALUATION_BATCH // microbatches),
            )
        of_val = measured(counts)
        if not math.isfinite(loss + val_loss):
            raise Diverged(f"loss is not a number in epoch {epoch} (train {loss}, val {val_loss})")
        plateau.saw(of_val[objective])
        record = EpochRecord(
            epoch=epoch,
            train_loss=loss,
            train_accuracy=accuracy,
            val_loss=val_loss,
            **of_val,
            lr=lr,
            epoch_seconds=time.perf_counter() - began,
            images_per_second=images // hp.batch_size * hp.batch_size / (trained - began),
            memory_mib=peak_mib(device) + step.kept_bytes / 2**20,
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
                "microbatches": microbatches,
                "record": asdict(record),
                "scaling": {"mean": data.mean, "std": data.std},
            },
        )


def train_epoch(
    step: Step, data: Resident, epoch: int, factor: float = 1.0
) -> tuple[float, float, float]:
    """One pass in an order of its own: mean loss, accuracy, and the last step's learning rate.

    The images that would be an epoch's shorter last batch are left out, others in each epoch: a
    step of batch normalisation on a few images, right before the network is judged, costs it
    up to points of accuracy (LOG.md).
    """
    hp, device = step.hp, step.device
    generator = torch.Generator(device).manual_seed(derived(hp.seed, epoch, "order"))
    steps = len(data.train_labels) // hp.batch_size
    step.losses.zero_()
    step.hits.zero_()
    step.model.train()
    with seeded(derived(hp.seed, epoch, "dropout"), device):
        for number, batch in enumerate(batches(hp, data, generator, steps, step.even)):
            lr = factor * lr_at(hp, epoch - 1 + number / steps, steps)
            step(*batch, lr)
    seen = steps * hp.batch_size
    return step.losses.item() / seen, step.hits.item() / seen, lr


def batches(
    hp: Hyperparameters,
    data: Resident,
    generator: torch.Generator,
    steps: int,
    even: balance.Balance,
) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """An epoch's augmented batches with their labels, and what is trained towards: these, or
    shares (B, K); order and parameters are drawn at once."""
    device, images = data.train_labels.device, len(data.train_labels)
    order = balance.order(even, images, generator)
    drawn = augment.draws(hp, images, generator)
    ahead = max(1, augment.AHEAD[device.type] // (hp.batch_size * hp.image_px**2))
    for step in range(0, steps, ahead):
        where = slice(step * hp.batch_size, min(step + ahead, steps) * hp.batch_size)
        index = order[where]
        x = augment.batch(data.train_images, index, drawn, where, data.mean, data.std)
        labels = data.train_labels[index]
        targets = labels if data.train_shares is None else data.train_shares[index]
        yield from zip(*(a.split(hp.batch_size) for a in (x, labels, targets)), strict=True)


@torch.no_grad()
def evaluate(
    hp: Hyperparameters,
    model: nn.Module,
    data: Resident,
    classes: int,
    size: int = EVALUATION_BATCH,
) -> tuple[float, np.ndarray]:
    """Mean loss in nats on val, and how often each class (row) was answered by each (column), int64
    (K, K); without augmentation, `size` images at a time."""
    device, images = data.val_labels.device, len(data.val_labels)
    losses = torch.zeros((), dtype=torch.float64, device=device)
    cells = torch.zeros(classes * classes, dtype=torch.int64, device=device)
    model.eval()
    for x, labels in zip(
        data.val_images.split(size),
        data.val_labels.split(size),
        strict=True,
    ):
        with autocast(hp, device):
            logits = model(augment.standardised(x.float() / 255, data.mean, data.std))
        losses += F.cross_entropy(logits.float(), labels, reduction="sum")
        cells.index_add_(0, labels * classes + logits.argmax(1), torch.ones_like(labels))
    return losses.item() / images, cells.view(classes, classes).cpu().numpy()


def measured(counts: np.ndarray) -> dict[str, float]:
    """The measures of val, fractions, from counts (K, K), truth down."""
    found = measures(counts.sum(1), counts.sum(0), counts.diagonal())
    return {f"val_{name}": float(value) for name, value in found.items()}


@torch.no_grad()
def predict(
    hp: Hyperparameters,
    images: np.ndarray,
    classes: int,
    device: torch.device,
    state: dict[str, Any],
) -> np.ndarray:
    """Probabilities, float32 (N, K), that a trained state gives to uint8 images (N, H, W)."""
    model = trained(hp, classes, device, state)

    def asked(size: int) -> Tensor:
        found = outputs(hp, model, images, device, state, size)
        return torch.cat([logits.float().softmax(1).cpu() for logits in found])

    return in_parts(asked, evaluation_batch(state)).numpy()


def evaluation_batch(state: dict[str, Any]) -> int:
    """Images that a network is asked about at once: fewer where it was trained in microbatches."""
    return max(1, EVALUATION_BATCH // state.get("microbatches", 1))


def trained(
    hp: Hyperparameters, classes: int, device: torch.device, state: dict[str, Any]
) -> nn.Module:
    """The network as a state left it, to be looked at and not trained on."""
    model = network(hp, classes, device)
    model.load_state_dict(state["model"])
    return model.eval()


def outputs(
    hp: Hyperparameters,
    model: nn.Module,
    images: np.ndarray,
    device: torch.device,
    state: dict[str, Any],
    size: int,
) -> Iterator[Tensor]:
    """Logits (B, K) for uint8 images (N, H, W), resized and scaled as in training, by batches of
    `size`."""
    mean, std = state["scaling"]["mean"], state["scaling"]["std"]
    for x in augment.resized(on_device(images, device), hp.image_px).split(size):
        with autocast(hp, device):
            logits = model(augment.standardised(x.float() / 255, mean, std))
        yield logits
