"""The learning rate over a trial: a schedule with a warm-up. Runs in the worker."""

import math

from study.config.hyperparameters import Hyperparameters


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
    """Factor on the learning rate, decayed when a measure of val (the study's metric) stays at or
    below its best for too long."""

    def __init__(
        self, hp: Hyperparameters, best: float = -1.0, waited: int = 0, factor: float = 1.0
    ) -> None:
        self.on = hp.schedule == "plateau"
        self.patience, self.decay = hp.patience, hp.lr_decay
        self.best, self.waited, self.factor = best, waited, factor

    def saw(self, value: float) -> None:
        if value > self.best:
            self.best, self.waited = value, 0
            return
        self.waited += 1
        if self.on and self.waited > self.patience:
            self.factor, self.waited = self.factor * self.decay, 0
