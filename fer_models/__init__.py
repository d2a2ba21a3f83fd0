"""THE NETWORKS: AlexNet-like, ResNet-34 and ResNet-34 with CBAM, by name in MODELS.

Letters for shapes, everywhere: B batch, C channels, H x W pixels, K classes, N images. All networks
take keyword arguments only, read (B, 1, H, W) with H = W >= 32 and return logits (B, K).
"""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any


@dataclass(frozen=True)
class Network:
    """A constructor that is imported when it is called: torch takes seconds, `--help` shouldn't.

    `options`: the hyperparameters that it takes by keyword beside `classes`.
    """

    module: str
    name: str
    options: frozenset[str]

    def __call__(self, **options: Any) -> Any:
        return getattr(import_module(self.module), self.name)(**options)


def network(where: str, *options: str) -> Network:
    """The network at MODULE:NAME."""
    module, _, name = where.partition(":")
    return Network(f"fer_models.{module}", name, frozenset(options))


MODELS: dict[str, Callable[..., Any]] = {
    "alexnet": network("alexnet:AlexNet", "dropout", "batch_norm"),
    "resnet34": network("resnet:ResNet34", "dropout", "stem", "residual_init"),
    "cbam_resnet34": network(
        "cbam_resnet34:cbam_resnet34",
        "dropout",
        "stem",
        "residual_init",
        "cbam_order",
        "cbam_reduction",
    ),
}
