"""How long an epoch of each network takes here, from a few of its steps. Runs in the worker."""

from collections.abc import Sequence
from dataclasses import replace

import torch

from fer_data.dataset import Split
from fer_models import own
from study.config.hyperparameters import Hyperparameters
from study.training import loop

STEPS = 1  # that is timed, after as many to warm up: the first epoch waits for it
JUDGED = 64  # images of val


def seconds(
    trials: Sequence[Hyperparameters],
    train: Split,
    val: Split,
    sizes: tuple[int, int],
    classes: int,
    device: str,
    threads: int,
    own_networks: tuple[own.Record, ...] = (),
) -> dict[str, float]:
    """Network -> seconds of an epoch of `sizes` images of train and val, from steps on the first
    images of both."""
    torch.set_num_threads(threads)
    for record in own_networks:
        own.register(record)
    return {hp.model: of_epoch(hp, train, val, sizes, classes, device) for hp in trials}


def of_epoch(
    hp: Hyperparameters, train: Split, val: Split, sizes: tuple[int, int], classes: int, device: str
) -> float:
    data = loop.resident(train, val, hp.image_px, torch.device(device))
    records = [
        record for record, _ in loop.fit(replace(hp, epochs=2), data, classes, torch.device(device))
    ]
    steps = len(train.labels) // hp.batch_size
    training = steps * hp.batch_size / records[1].images_per_second
    judging = (records[1].epoch_seconds - training) / len(val.labels)
    return sizes[0] / records[1].images_per_second + sizes[1] * judging
