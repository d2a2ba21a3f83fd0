"""ResNet-34 (He et al., 2016): torchvision's, with one input channel and room for a gate.

Written out, since torchvision imports torch's compiler: 2 s in every process that trains.
"""

from collections.abc import Callable

from torch import Tensor, nn

from fer_models.layers import check_faces

STEMS = ("imagenet", "small")


class Block(nn.Module):
    """torchvision's BasicBlock with `gate` at the end of the branch: (B, C, H, W) -> (B,
    `channels`, H / `stride`, W / `stride`)."""

    def __init__(self, before: int, channels: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(before, channels, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.downsample: nn.Module = nn.Identity()
        self.gate: nn.Module = nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        branch = self.relu(self.bn1(self.conv1(x)))
        branch = self.gate(self.bn2(self.conv2(branch)))
        return self.relu(branch + self.downsample(x))


def stage(before: int, channels: int, blocks: int, stride: int) -> nn.Sequential:
    """Blocks of which the first may halve the image and change the channels."""
    shortcut = None
    if stride != 1 or before != channels:  # drawn before the block's own, as torchvision does
        convolution = nn.Conv2d(before, channels, 1, stride, bias=False)
        shortcut = nn.Sequential(convolution, nn.BatchNorm2d(channels))
    first = Block(before, channels, stride)
    first.downsample = shortcut or nn.Identity()
    return nn.Sequential(first, *(Block(channels, channels, 1) for _ in range(blocks - 1)))


class ResNet34(nn.Module):
    """(B, 1, H, W) -> logits (B, K), H = W >= 32. Outputs at the files' 48 px, by stem:

        stage                imagenet      small
        conv1                (64, 24, 24)  (64, 48, 48)   7x7 stride 2, or 3x3 stride 1
        maxpool              (64, 12, 12)  (64, 48, 48)   3x3 stride 2, or none
        layer1    3 blocks   (64, 12, 12)  (64, 48, 48)
        layer2    4 blocks   (128, 6, 6)   (128, 24, 24)
        layer3    6 blocks   (256, 3, 3)   (256, 12, 12)
        layer4    3 blocks   (512, 2, 2)   (512, 6, 6)
        avgpool              (512, 1, 1)   (512, 1, 1)

    The paper says «ResNet-34» and no more: the imagenet stem is that network as published, the
    small one (He et al.'s own for CIFAR) keeps the resolution, at 14 times the multiply-adds.
    Dropout is before fc. `gate`, given a number of channels, makes the module that ends each
    residual branch, before the addition. Initialisation is torchvision's: He, fan_out, for the
    convolutions (a gate brings its own), torch's default for fc. `residual_init` is the first
    weight of the batch norm that ends a branch before its gate: at 0 each block begins as its
    shortcut (Goyal et al. 2017, arXiv:1706.02677), and with a small one so deep a network learns
    in few epochs (docs/speed.md).
    """

    def __init__(
        self,
        *,
        classes: int,
        dropout: float,
        stem: str,
        residual_init: float = 1.0,
        gate: Callable[[int], nn.Module] | None = None,
    ) -> None:
        if stem not in STEMS:
            raise ValueError(f"found stem {stem!r}, expected one of {', '.join(STEMS)}")
        super().__init__()
        # Drawn and then replaced, as by torchvision: a seed goes on giving the same weights.
        self.conv1 = nn.Conv2d(3, 64, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool: nn.Module = nn.MaxPool2d(3, stride=2, padding=1)
        self.layer1 = stage(64, 64, 3, stride=1)
        self.layer2 = stage(64, 128, 4, stride=2)
        self.layer3 = stage(128, 256, 6, stride=2)
        self.layer4 = stage(256, 512, 3, stride=2)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(512, classes)
        he(self)
        if stem == "imagenet":
            self.conv1 = nn.Conv2d(1, 64, 7, stride=2, padding=3, bias=False)
        else:
            self.conv1 = nn.Conv2d(1, 64, 3, padding=1, bias=False)
            self.maxpool = nn.Identity()
        he(self.conv1)
        self.dropout = nn.Dropout(dropout)
        for module in list(self.modules()):
            if isinstance(module, Block):
                nn.init.constant_(module.bn2.weight, residual_init)
                if gate:
                    module.gate = gate(module.conv2.out_channels)

    def forward(self, x: Tensor) -> Tensor:
        check_faces(x)
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(self.dropout(self.avgpool(x).flatten(1)))


def he(part: nn.Module) -> None:
    """He et al.'s first weights, fan_out, for all of its convolutions."""
    for module in part.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
