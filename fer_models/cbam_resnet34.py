"""ResNet-34 with a CBAM at the end of each residual branch: the only place where they meet."""

from functools import partial

from fer_models.cbam import CBAM
from fer_models.resnet import ResNet34


def cbam_resnet34(
    *,
    classes: int,
    dropout: float,
    stem: str,
    cbam_order: str,
    cbam_reduction: int,
    residual_init: float = 1.0,
) -> ResNet34:
    """(B, 1, H, W) to logits (B, K); each gate as Woo et al. 2018, arXiv:1807.06521."""
    gate = partial(CBAM, order=cbam_order, reduction=cbam_reduction)
    return ResNet34(
        classes=classes, dropout=dropout, stem=stem, residual_init=residual_init, gate=gate
    )
