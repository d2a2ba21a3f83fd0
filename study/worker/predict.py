"""The answers of a confirmed network on val and test. Runs in the worker."""

from typing import Any

import numpy as np
import torch

from fer_models import own
from study import Mistake
from study.config.hyperparameters import Hyperparameters
from study.storage.places import Place
from study.training import attention, checkpoint, loop


def predicted(
    hp: dict[str, Any],
    images: np.ndarray,
    looked_at: np.ndarray,
    classes: int,
    device: str,
    folder: Place,
    threads: int,
    own_networks: tuple[own.Record, ...] = (),
) -> tuple[np.ndarray, np.ndarray]:
    """On a worker: the probabilities of a trial's last state, and where it looks if it has CBAM."""
    torch.set_num_threads(threads)
    for record in own_networks:
        own.register(record)
    state = checkpoint.load(folder)
    if state is None:
        raise Mistake(f"no trained network in {folder}: it was removed after its training")
    given = (classes, torch.device(device), state)
    trained = Hyperparameters(**hp)
    return loop.predict(trained, images, *given), attention.maps(trained, looked_at, *given)
