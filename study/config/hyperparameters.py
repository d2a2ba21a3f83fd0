"""What decides one trial: a frozen, checked value with one field per named hyperparameter.

Runs on the driver and in the worker. The networks are those of fer_models, and which of them has a
hyperparameter of its own is what its constructor says.
"""

import inspect
import math
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, fields
from functools import cache
from typing import Any

import fer_models
from study import Mistake

MODELS = fer_models.MODELS  # networks of one's own come into it while a study is read


def hyper(
    default: Any,
    help: str,
    low: float | None = None,
    high: float | None = None,
    choices: Collection[Any] = (),
    exclusive: bool = False,
    constructor: bool = False,
) -> Any:
    """A hyperparameter: its default, its meaning with unit, and its range or choices.

    `exclusive`: `low` itself is refused. `constructor`: it is a keyword argument of the network's
    constructor, so that only networks which take it have it; all others are the training's.
    """
    rule = {"help": help, "low": low, "high": high, "choices": choices}
    rule |= {"exclusive": exclusive, "constructor": constructor}
    return field(default=default, metadata=rule)


@dataclass(frozen=True)
class Hyperparameters:
    """One trial's settings. Every field may be fixed or searched; a wrong value raises Mistake."""

    model: str = hyper("resnet34", "network", choices=MODELS)
    seed: int = hyper(0, "of initialisation, order, augmentation and dropout", low=0)
    epochs: int = hyper(30, "passes over the training images", low=1)
    batch_size: int = hyper(128, "images per step", low=1)
    lr: float = hyper(0.05, "peak learning rate", low=0, exclusive=True)
    optimizer: str = hyper("sgd", "optimiser", choices=("sgd", "adam", "adamw"))
    momentum: float = hyper(0.9, "Nesterov momentum of sgd; 0 is plain sgd", 0, 0.9999)
    weight_decay: float = hyper(5e-4, "decay of weights (not of biases and norms)", low=0)
    schedule: str = hyper(
        "cosine", "learning rate over time", choices=("constant", "step", "cosine", "plateau")
    )
    warmup_epochs: float = hyper(1.0, "epochs of linear rise to lr (any schedule)", low=0)
    lr_decay: float = hyper(
        0.1,
        "factor of a step or a plateau",
        low=0,
        high=1,
        exclusive=True,
    )
    lr_steps: int = hyper(2, "step: how many equally spaced decays", low=1)
    patience: int = hyper(
        5,
        "plateau: epochs without a better value of the metric on val before a decay",
        low=0,
    )
    dropout: float = hyper(
        0.0, "share dropped before the fully connected layers", 0, 0.95, constructor=True
    )
    label_smoothing: float = hyper(0.0, "share of the label spread over all classes", 0, 0.95)
    class_weights: float = hyper(
        0.0, "loss weights by class: power of its inverse frequency; 0 none, 1 inverse", 0, 2
    )
    balanced_sampling: float = hyper(
        0.0, "drawing of images: power of their class's inverse frequency; 1 is balanced", 0, 2
    )
    logit_adjustment: float = hyper(
        0.0, "times the logarithm of a class's share, added to its logit in training", 0, 4
    )
    flip: float = hyper(0.5, "probability of a mirror image", 0, 1)
    shift: float = hyper(0.0, "largest shift along x and y, fraction of the width", 0, 1)
    rotation: float = hyper(0.0, "largest rotation either way, degrees", 0, 180)
    scale: float = hyper(0.0, "largest change of size either way, fraction", 0, 0.9)
    erasing: float = hyper(0.0, "probability that a box of the face is blanked", 0, 1)
    brightness: float = hyper(0.0, "largest added level either way, fraction of full scale", 0, 1)
    contrast: float = hyper(0.0, "largest change of contrast either way, fraction", 0, 1)
    image_px: int = hyper(48, "side to which faces are resized", low=32, high=512)
    batch_norm: bool = hyper(
        True,
        "batch normalisation after each convolution",
        choices=(True, False),
        constructor=True,
    )
    stem: str = hyper(
        "small",
        "first layers: imagenet (7x7 stride 2, pooling) or small (3x3 stride 1)",
        choices=("small", "imagenet"),
        constructor=True,
    )
    residual_init: float = hyper(
        1.0,
        "first weight of the last norm of each residual branch: 1 as published, 0 begins without",
        0,
        2,
        constructor=True,
    )
    cbam_order: str = hyper(
        "serial",
        "channel gate then spatial gate, or both on the same input",
        choices=("serial", "parallel"),
        constructor=True,
    )
    cbam_reduction: int = hyper(
        16, "channels per hidden unit of the channel gate", 1, 64, constructor=True
    )
    precision: str = hyper(
        "auto",
        "auto is bfloat16 autocast on GPUs that compute in it (Ampere and newer), else float32",
        choices=("auto", "float32", "bfloat16"),
    )

    def __post_init__(self) -> None:
        for f in fields(self):
            object.__setattr__(self, f.name, checked(f.name, getattr(self, f.name)))

    @property
    def options(self) -> dict[str, Any]:
        """Keyword arguments of this model's constructor in fer_models.MODELS, but for classes."""
        names = [f.name for f in fields(self) if f.metadata["constructor"]]
        return {name: getattr(self, name) for name in names if applies(name, self.model)}


FIELDS = {f.name: f for f in fields(Hyperparameters)}
SPREAD = ("cosine", "step")  # schedules that are spread over all epochs of a trial


def applies(name: str, model: str) -> bool:
    """Whether a network has this hyperparameter at all; where it hasn't, tables show it absent."""
    of_training = not FIELDS[name].metadata["constructor"]
    return of_training or name in arguments(fer_models.MODELS[model])


@cache
def arguments(constructor: Callable[..., Any]) -> frozenset[str]:
    """The names of the arguments that a network's constructor takes."""
    if isinstance(constructor, fer_models.Network):
        return constructor.options
    return frozenset(inspect.signature(constructor).parameters)


def having(name: str) -> tuple[str, ...]:
    """The networks that have this hyperparameter."""
    return tuple(model for model in MODELS if applies(name, model))


def present(hp: Hyperparameters) -> dict[str, Any]:
    """The hyperparameters that this trial's network has, as a flat dict of numbers and strings."""
    return {name: getattr(hp, name) for name in FIELDS if applies(name, hp.model)}


def default(name: str) -> Any:
    """What a hyperparameter is where nothing is said of it."""
    return FIELDS[name].default


def kind(name: str) -> type[Any]:
    """Python type of a hyperparameter."""
    return type(default(name))


def checked(name: str, value: Any) -> Any:
    """The value in the field's type; Mistake if it is of another kind or out of range."""
    if name not in FIELDS:
        raise Mistake(f"unknown hyperparameter '{name}': known are {', '.join(FIELDS)}")
    rule, wanted = FIELDS[name].metadata, kind(name)
    if wanted is float and type(value) is int:
        value = float(value)
    if type(value) is not wanted:
        raise Mistake(f"{name} is {value!r}: expected {expected(name)}")
    if rule["choices"]:
        if value not in rule["choices"]:
            raise Mistake(f"{name} is {value!r}: expected {expected(name)}")
        return value
    low, high = rule["low"], rule["high"]
    finite = math.isfinite(value) if wanted is float else value < 2**63  # a column of 64 bits
    below = low is not None and (value < low or (rule["exclusive"] and value == low))
    if not finite or below or (high is not None and value > high):
        raise Mistake(f"{name} is {value}: expected {expected(name)}")
    return value


def expected(name: str) -> str:
    """In words, what a hyperparameter may be: for messages and --help."""
    rule = FIELDS[name].metadata
    if rule["choices"]:
        return "one of " + ", ".join(str(choice).lower() for choice in rule["choices"])
    what = "a whole number" if kind(name) is int else "a number"
    if rule["exclusive"]:
        what += f" above {rule['low']:g}"
    elif rule["low"] is not None:
        what += f" from {rule['low']:g}"
    if rule["high"] is not None:
        what += f" to {rule['high']:g}"
    return what
