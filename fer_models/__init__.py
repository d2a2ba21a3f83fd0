"""THE NETWORKS: AlexNet-like, ResNet-34 and ResNet-34 with CBAM, by name in MODELS.

Letters for shapes, everywhere: B batch, C channels, H x W pixels, K classes, N images. All networks
take keyword arguments only, read (B, 1, H, W) with H = W >= 32 and return logits (B, K).
"""

from collections.abc import Callable
from functools import partial

from torch import nn

from fer_models.alexnet import AlexNet
from fer_models.cbam import CBAM
from fer_models.resnet import ResNet34


def cbam_resnet34(
    *, classes: int, dropout: float, stem: str, cbam_order: str, cbam_reduction: int
) -> ResNet34:
    """ResNet-34 with a CBAM at the end of each residual branch: the only place where they meet."""
    gate = partial(CBAM, order=cbam_order, reduction=cbam_reduction)
    return ResNet34(classes=classes, dropout=dropout, stem=stem, gate=gate)


MODELS: dict[str, Callable[..., nn.Module]] = {
    "alexnet": AlexNet,
    "resnet34": ResNet34,
    "cbam_resnet34": cbam_resnet34,
}
