"""Networks for colour images, given grey faces."""

from torch import Tensor, nn


class OnThreeChannels(nn.Module):
    """A network for (B, 3, H, W) given (B, 1, H, W): the grey face three times."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> Tensor:
        return self.network(x.expand(-1, 3, -1, -1))


def for_grey(network: nn.Module) -> nn.Module:
    """The network for (B, 1, H, W), whichever number of channels it was made for."""
    return OnThreeChannels(network) if channels(network) == 3 else network


def channels(network: nn.Module) -> int:
    """Of the images that a network reads, by its first convolution; 1 where it has none."""
    first = next((part for part in network.modules() if isinstance(part, nn.Conv2d)), None)
    return first.in_channels if first else 1
