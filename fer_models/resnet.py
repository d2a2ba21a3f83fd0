"""ResNet-34 (He et al., 2016): torchvision's, with one input channel and room for a gate."""

from collections.abc import Callable

from torch import Tensor, nn
from torchvision.models.resnet import BasicBlock, ResNet

from fer_models.layers import check_faces

STEMS = ("imagenet", "small")


class GatedBlock(BasicBlock):
    """torchvision's block with `gate` at the end of the branch: (B, C, H, W) -> same or halved."""

    gate: nn.Module

    def forward(self, x: Tensor) -> Tensor:
        branch = self.relu(self.bn1(self.conv1(x)))
        branch = self.gate(self.bn2(self.conv2(branch)))
        identity = x if self.downsample is None else self.downsample(x)
        return self.relu(branch + identity)


class ResNet34(ResNet):
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
        block = BasicBlock if gate is None else GatedBlock
        super().__init__(block, [3, 4, 6, 3], num_classes=classes)
        if stem == "imagenet":
            self.conv1 = nn.Conv2d(1, 64, 7, stride=2, padding=3, bias=False)
        else:
            self.conv1 = nn.Conv2d(1, 64, 3, padding=1, bias=False)
            self.maxpool = nn.Identity()
        nn.init.kaiming_normal_(self.conv1.weight, mode="fan_out", nonlinearity="relu")
        self.dropout = nn.Dropout(dropout)
        for module in list(self.modules()):
            if isinstance(module, BasicBlock):
                nn.init.constant_(module.bn2.weight, residual_init)
            if gate and isinstance(module, GatedBlock):
                module.gate = gate(module.conv2.out_channels)

    def forward(self, x: Tensor) -> Tensor:
        check_faces(x)
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(self.dropout(self.avgpool(x).flatten(1)))
