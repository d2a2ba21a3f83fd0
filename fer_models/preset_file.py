"""A setting of a network as a file for --preset: its hyperparameters that act.

Study and results share it: best-NETWORK.toml and the report's best.toml are of one form.
"""

import json
from collections.abc import Mapping
from typing import Any

# A hyperparameter, another one, and the values of that with which the first does something.
ACTS_WITH: dict[str, tuple[str, tuple[str, ...]]] = {
    "momentum": ("optimizer", ("sgd",)),
    "lr_decay": ("schedule", ("step", "plateau")),
    "lr_steps": ("schedule", ("step",)),
    "patience": ("schedule", ("plateau",)),
}

# The options by which a study chose its images and judged on val, and what they are by default. A
# part of the images, and every seed, follow from its own.
ASKED: dict[str, Any] = {
    "data": "",
    "classes": (),
    "without": (),
    "crop": 0.0,
    "train_images": 0,
    "val_images": 0,
    "val_copies": "without",
    "metric": "accuracy",
    "seed": 0,
}


def asked(study: Mapping[str, Any]) -> dict[str, Any]:
    """What of a study's written form another needs that is to train the same on the same."""
    return {n: study[n] for n, usual in ASKED.items() if study.get(n) and study[n] != usual}


def acting(hp: Mapping[str, Any]) -> dict[str, Any]:
    """The hyperparameters that do something, without the seed: a study refuses what doesn't."""
    found = {}
    for name, value in hp.items():
        other, values = ACTS_WITH.get(name, ("", ()))
        if name != "seed" and value is not None and hp.get(other) in (None, *values):
            found[name] = value
    return found


def text(said: list[str], head: Mapping[str, Any], setting: Mapping[str, Any]) -> str:
    """A file for --preset that confirms one setting; `said` are its first lines, as comments."""
    lines = ["# " + "".join(c if c.isprintable() else " " for c in line) for line in said]
    lines += [f"{name} = {literal(value)}" for name, value in head.items()]
    lines += ["", "[[settings]]", *(f"{name} = {literal(v)}" for name, v in setting.items())]
    return "\n".join(lines) + "\n"


def literal(value: Any) -> str:
    """A value in TOML: JSON's form, but for what it shares."""
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(literal, value))}]"
    if isinstance(value, bool):
        return str(value).lower()
    return quoted(value) if isinstance(value, str) else repr(value)


def quoted(text: str) -> str:
    """A basic string of TOML 1.0, to which JSON's pairs of escapes are no characters."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
