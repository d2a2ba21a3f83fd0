"""The paper's AlexNet-like network (its section III A and Fig. 2)."""

from collections import OrderedDict

from torch import Tensor, nn

from fer_models.layers import check_faces


class AlexNet(nn.Sequential):
    """Five 3x3 convolutions and three linear layers: (B, 1, H, W) -> logits (B, K), H = W >= 32.

    Stage, what it does, and its output at 32 px and at the files' 48 px:

        layer1    3x3, pool           (48, 16, 16)  (48, 24, 24)
        layer2    3x3, pool           (96, 8, 8)    (96, 12, 12)
        layer3    3x3                 (192, 8, 8)   (192, 12, 12)
        layer4    3x3                 (192, 8, 8)   (192, 12, 12)
        layer5    3x3, pool           (256, 4, 4)   (256, 6, 6)
        pool      adaptive mean       (256, 4, 4)   (256, 4, 4)
        layer6    dropout, linear     (512,)        (512,)
        layer7    dropout, linear     (256,)        (256,)

    and layer8, linear, gives the K logits (softmax is the loss's). The paper gives the 3x3 kernels,
    the 32 px, the maps of layers 2 and 5, and layers 6 to 8. What it leaves open is read so:

    - maps of layers 1, 3, 4: 48, 192, 192, those of the half-AlexNet (48, 128, 192, 192, 128, one
      of the original's two GPUs) whose 128 maps the paper says it replaces;
    - stride 1 and padding 1, so that only pooling shrinks the image;
    - pooling after layers 1, 2, 5, AlexNet's places; maximum, 2x2 without overlap: 32, 16, 8, 4;
    - larger images: the mean over 4x4 cells before layer6, at 32 px the identity;
    - ReLU after each layer but the last; no local response normalisation, which was measured
      to matter little (Simonyan & Zisserman 2015) and which batch norm replaces where asked for;
    - batch_norm: BatchNorm2d after each convolution, which then has no bias;
    - dropout before layers 6 and 7, as in AlexNet; its probability is a choice (AlexNet: 0.5);
    - initialisation: torch's default with batch norm, He's without it (see `initialise`).
    """

    def __init__(self, *, classes: int, dropout: float, batch_norm: bool) -> None:
        layers = OrderedDict(
            layer1=convolution(1, 48, batch_norm, pool=True),
            layer2=convolution(48, 96, batch_norm, pool=True),
            layer3=convolution(96, 192, batch_norm),
            layer4=convolution(192, 192, batch_norm),
            layer5=convolution(192, 256, batch_norm, pool=True),
            pool=nn.AdaptiveAvgPool2d(4),
            flatten=nn.Flatten(),
            layer6=linear(256 * 4 * 4, 512, dropout),
            layer7=linear(512, 256, dropout),
            layer8=nn.Linear(256, classes),
        )
        super().__init__(layers)
        if not batch_norm:
            initialise(self)

    def forward(self, x: Tensor) -> Tensor:
        check_faces(x)
        return super().forward(x)


def convolution(inputs: int, maps: int, batch_norm: bool, pool: bool = False) -> nn.Sequential:
    """(B, inputs, H, W) -> (B, maps, H, W), or half of H and W where pooled."""
    layers = OrderedDict[str, nn.Module](
        conv=nn.Conv2d(inputs, maps, 3, padding=1, bias=not batch_norm)
    )
    if batch_norm:
        layers["norm"] = nn.BatchNorm2d(maps)
    layers["relu"] = nn.ReLU()
    if pool:
        layers["pool"] = nn.MaxPool2d(2)
    return nn.Sequential(layers)


def linear(inputs: int, outputs: int, dropout: float) -> nn.Sequential:
    """(B, inputs) -> (B, outputs)."""
    return nn.Sequential(
        OrderedDict(drop=nn.Dropout(dropout), fc=nn.Linear(inputs, outputs), relu=nn.ReLU())
    )


def initialise(net: nn.Module) -> None:
    """He et al. (2015) for all layers that a ReLU follows: N(0, 2 / fan_in) and zero biases.

    For the net without batch norm: with torch's default the signal fades from layer to layer and
    SGD stays at the most frequent class for epochs. With batch norm that default learns faster
    (LOG.md, 2026-11-24). The last layer keeps it in any case.
    """
    *hidden, _ = (m for m in net.modules() if isinstance(m, nn.Conv2d | nn.Linear))
    for layer in hidden:
        nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)
