"""Convolutional Block Attention Module (Woo et al., 2018, arXiv:1807.06521)."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

ORDERS = ("serial", "parallel")


class ChannelGate(nn.Module):
    """Weights 0...1 of the channels from their mean and maximum: (B, C, H, W) -> (B, C, 1, 1)."""

    def __init__(self, channels: int, reduction: int) -> None:
        super().__init__()
        if not 1 <= reduction <= channels:
            raise ValueError(f"found reduction {reduction}, expected 1 to {channels}, the channels")
        hidden = channels // reduction
        self.mlp = nn.Sequential(
            nn.Conv2d(channels, hidden, 1, bias=False),
            nn.ReLU(),
            nn.Conv2d(hidden, channels, 1, bias=False),
        )

    def forward(self, x: Tensor) -> Tensor:
        mean = x.mean((2, 3), keepdim=True)  # (B, C, 1, 1)
        peak = F.adaptive_max_pool2d(x, 1)  # (B, C, 1, 1)
        return torch.sigmoid(self.mlp(mean) + self.mlp(peak))  # one MLP reads both: eq. 2


class SpatialGate(nn.Module):
    """Weights 0...1 of the pixels from their mean and maximum: (B, C, H, W) -> (B, 1, H, W)."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(2, 1, 7, padding=3, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        mean = x.mean(1, keepdim=True)  # (B, 1, H, W)
        peak = x.max(1, keepdim=True).values  # (B, 1, H, W)
        return torch.sigmoid(self.conv(torch.cat([mean, peak], dim=1)))  # eq. 3


class CBAM(nn.Module):
    """Scale channels and pixels by what the gates say of them: (B, C, H, W) -> same.

    serial, as in Woo et al.: the spatial gate reads what the channel gate has scaled (eq. 1).
    parallel: both read x, and both scale it.

    Readings. The student paper adds a CBAM «after each residual block layer»; here it stands where
    Woo et al. put it, at the end of the residual branch before the addition (their Fig. 3). The MLP
    and the 7x7 convolution have no biases, and no batch norm follows the latter, unlike in their
    code; both start at torch's default, near which each gate is about 1/2. The spatial map is what
    `spatial` returns: a forward hook on `layer4.2.gate.spatial` gets it, in either order.
    """

    def __init__(self, channels: int, *, reduction: int, order: str) -> None:
        super().__init__()
        if order not in ORDERS:
            raise ValueError(f"found cbam_order {order!r}, expected one of {', '.join(ORDERS)}")
        self.order = order
        self.channel = ChannelGate(channels, reduction)
        self.spatial = SpatialGate()

    def forward(self, x: Tensor) -> Tensor:
        scaled = x * self.channel(x)
        return scaled * self.spatial(scaled if self.order == "serial" else x)
