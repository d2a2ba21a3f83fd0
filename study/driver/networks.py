"""The layers and sizes of a study's networks, as its header and its tables have them. Driver."""

from collections.abc import Callable
from functools import cache
from typing import Any

from fer_models import MODELS
from fer_record.journal import Row
from study.config.hyperparameters import Hyperparameters
from study.config.study import Setting, Study, configuration

SHAPELESS = ("dropout", "residual_init")  # hyperparameters that change no shape


def defaults(study: Study, classes: int) -> dict[str, list[dict[str, Any]]]:
    """Network -> a row per layer (shape, parameters, multiply-adds) of the real module, with the
    defaults of whatever is searched; `confirmed` tells what is then confirmed."""
    return {
        model: layers(configuration(study, Setting("", {"model": model})), classes)
        for model in study.models
    }


def confirmed(chosen: dict[str, Row], classes: int) -> list[dict[str, Any]]:
    """The networks of the very configurations that are confirmed, each once: model, the settings
    that have it, and its layers as `defaults` tells them. `chosen`: setting -> its row."""
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    for setting, row in chosen.items():
        hp = Hyperparameters(**row["hp"])
        key = (hp.model, hp.image_px, *sorted(hp.options.items()))
        if key not in found:
            found[key] = {"model": hp.model, "settings": [], "layers": layers(hp, classes)}
        found[key]["settings"].append(setting)
    return list(found.values())


def layers(hp: Hyperparameters, classes: int) -> list[dict[str, Any]]:
    """A row per layer of the module that these hyperparameters make."""
    return built(hp, classes)[0]


def size(hp: Hyperparameters, classes: int) -> dict[str, int]:
    """Parameters and multiply-adds of the module that these hyperparameters make."""
    rows, weights = built(hp, classes)
    return {"parameters": weights, "multiply_adds": sum(row["multiply_adds"] for row in rows)}


def built(hp: Hyperparameters, classes: int) -> tuple[list[dict[str, Any]], int]:
    """Its layers and its parameters, worked out once for all trials of one shape."""
    options = {name: 0.0 if name in SHAPELESS else value for name, value in hp.options.items()}
    return measured(MODELS[hp.model], hp.image_px, classes, tuple(options.items()))


@cache
def measured(
    network: Callable[..., Any], px: int, classes: int, options: tuple[tuple[str, Any], ...]
) -> tuple[list[dict[str, Any]], int]:
    from fer_models.layers import layer_table, parameters  # torch, where it is needed

    # On the CPU: torch's meta device, which has shapes alone, imports its compiler, 2 s.
    model = network(classes=classes, **dict(options))
    return layer_table(model, px), parameters(model)
