import inspect
import math
import re
from collections.abc import Iterator
from importlib import import_module

import pytest
import torch
import torchvision
from torch import Tensor, nn

from fer_models import MODELS
from fer_models.alexnet import AlexNet
from fer_models.cbam import CBAM, ChannelGate, SpatialGate
from fer_models.layers import multiply_adds, parameters
from fer_models.resnet import ResNet34
from study.config.hyperparameters import FIELDS, Hyperparameters

STEMS = ({"stem": "imagenet"}, {"stem": "small"})
CHOICES = {
    "alexnet": [{"batch_norm": False}, {"batch_norm": True}],
    "resnet34": list(STEMS),
    "cbam_resnet34": [
        stem | {"cbam_order": order, "cbam_reduction": 16}
        for stem, order in zip(STEMS, ("serial", "parallel"), strict=True)
    ],
}
CHOICES |= {name: [{}] for name in MODELS if name not in CHOICES}  # as its defaults make it
VARIANTS = [(name, options) for name in MODELS for options in CHOICES[name]]
every_variant = pytest.mark.parametrize(("name", "options"), VARIANTS)
every_model = pytest.mark.parametrize("name", MODELS)


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Such small batches gain nothing from two; where cores are shared they wait: 53 s, not 8."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def network(name: str, device: str = "cpu", **options) -> nn.Module:
    torch.manual_seed(0)
    given = Hyperparameters(model=name).options | CHOICES[name][0] | options
    with torch.device(device):
        return MODELS[name](**{"classes": 7} | given)


def faces(images: int, px: int) -> Tensor:
    return torch.randn(images, 1, px, px, generator=torch.Generator().manual_seed(0))


def test_the_papers_three_networks_are_there():
    assert list(MODELS)[:3] == ["alexnet", "resnet34", "cbam_resnet34"]


@every_model
def test_a_constructor_takes_classes_and_hyperparameters_by_name(name):
    """What it takes beyond them must have a default: nothing would give it."""
    constructor = getattr(import_module(MODELS[name].module), MODELS[name].name)
    taken = inspect.signature(constructor).parameters.values()
    assert all(one.kind is inspect.Parameter.KEYWORD_ONLY for one in taken)
    needed = {one.name for one in taken if one.default is inspect.Parameter.empty}
    ours = {key for key, f in FIELDS.items() if f.metadata["constructor"]}
    assert "classes" in needed and needed <= {"classes", *ours}
    assert MODELS[name].options == {one.name for one in taken} & ours


@every_variant
def test_images_become_logits_at_any_size(name, options):
    model = network(name, "meta", classes=5, **options)
    for px in (32, 48, 64):
        assert model(torch.zeros(3, 1, px, px, device="meta")).shape == (3, 5)


@pytest.mark.parametrize(
    ("network_type", "columns"),
    [
        (AlexNet, [({"batch_norm": False}, 32), ({"batch_norm": True}, 48)]),
        (ResNet34, [(STEMS[0], 48), (STEMS[1], 48)]),
    ],
)
def test_stages_have_the_shapes_of_the_docstring(network_type, columns):
    lines = [
        (line, re.findall(r"\(\d[\d, ]*\)", line)) for line in network_type.__doc__.splitlines()
    ]
    table = [(line.split()[0], cells) for line, cells in lines if len(cells) == 2]
    assert len(table) == (8 if network_type is AlexNet else 7)
    for column, (options, px) in enumerate(columns):
        with torch.device("meta"):
            model = network_type(classes=7, dropout=0.0, **options)
        names, shapes = {stage: name for name, stage in model.named_children()}, {}

        def note(stage: nn.Module, _, output: Tensor, names=names, shapes=shapes) -> None:
            shapes[names[stage]] = str(tuple(output.shape[1:]))

        for stage in names:
            stage.register_forward_hook(note)
        model(torch.zeros(2, 1, px, px, device="meta"))
        for stage, cells in table:
            assert shapes[stage] == cells[column], stage


@every_variant
def test_gradients_reach_every_parameter(name, options):
    model = network(name, **options)
    nn.functional.cross_entropy(model(faces(3, 32)), torch.tensor([0, 1, 2])).backward()
    assert [n for n, p in model.named_parameters() if p.grad is None or not p.grad.any()] == []


@every_model
def test_channels_last_and_bfloat16_give_nearly_the_same_logits(name):
    model, x = network(name).eval(), faces(1, 32)
    with torch.no_grad():
        wanted = model(x)
        model = model.to(memory_format=torch.channels_last)
        assert torch.allclose(model(x), wanted, atol=1e-4)
        with torch.autocast("cpu", torch.bfloat16):
            assert torch.allclose(model(x).float(), wanted, atol=0.05 * wanted.abs().max().item())


@pytest.mark.parametrize("name", ["alexnet", "resnet34", "cbam_resnet34"])
def test_dropout_is_before_the_fully_connected_layers(name):
    model = network(name, dropout=0.5)
    drops = [m for m in model.modules() if isinstance(m, nn.Dropout)]
    assert [m.p for m in drops] == ([0.5, 0.5] if name == "alexnet" else [0.5])
    read = []
    for module in model.modules():
        if isinstance(module, nn.Linear):
            nn.init.ones_(module.bias)  # so that only dropout can make zeros of all outputs
            module.register_forward_hook(lambda _, inputs, output: read.append(inputs[0]))
    for drop in drops:
        drop.p = 1.0
    model(faces(2, 32))
    assert [not x.any() for x in read] == ([True, True, False] if name == "alexnet" else [True])


@every_model
def test_images_that_are_small_coloured_or_not_square_are_refused(name):
    model = network(name, "meta")
    for shape in ((2, 1, 31, 31), (2, 3, 48, 48), (2, 1, 48, 32), (1, 48, 48)):
        with pytest.raises(ValueError) as refusal:
            model(torch.zeros(shape, device="meta"))
        assert f"found an input of shape {shape}" in str(refusal.value)
        assert "expected (B, 1, H, W) with H = W >= 32" in str(refusal.value)


@pytest.mark.parametrize(
    ("name", "option", "known"),
    [
        ("resnet34", {"stem": "huge"}, "imagenet, small"),
        ("cbam_resnet34", {"stem": "huge"}, "imagenet, small"),
        ("cbam_resnet34", {"cbam_order": "huge"}, "serial, parallel"),
    ],
)
def test_an_unknown_option_lists_the_known_ones(name, option, known):
    with pytest.raises(ValueError, match=f"'huge', expected one of {known}"):
        network(name, "meta", **option)


def test_a_reduction_beyond_the_channels_is_refused():
    with pytest.raises(ValueError, match="found reduction 65, expected 1 to 64"):
        network("cbam_resnet34", "meta", cbam_reduction=65)
    assert network("cbam_resnet34", "meta", cbam_reduction=64).layer1[0].gate is not None


# Worked out by hand. A layer is (weights, biases, places where its weights are used).
#
# AlexNet at 32 px: pooling leaves 16 px after layer1, 8 after layer2, 4 after layer5.
#   weights  432 + 41,472 + 165,888 + 331,776 + 442,368 + 2,097,152 + 131,072 + 1,792 = 3,211,952
#   biases   48 + 96 + 192 + 192 + 256 = 784, and 512 + 256 + 7 = 775: 3,213,511 parameters;
#   batch norm has a weight and a bias for each of the 784 maps, without their conv bias: + 784
ALEXNET = [
    (9 * 1 * 48, 48, 32**2),
    (9 * 48 * 96, 96, 16**2),
    (9 * 96 * 192, 192, 8**2),
    (9 * 192 * 192, 192, 8**2),
    (9 * 192 * 256, 256, 8**2),
    (4 * 4 * 256 * 512, 512, 1),
    (512 * 256, 256, 1),
    (256 * 7, 7, 1),
]


def resnet(kernel: int, conv1_px: int, px: int) -> list[tuple[int, int, int]]:
    """ResNet-34 without its gates: layer1 works at px, layers 2 to 4 at half the one before.

    "Biases" are batch norm's two per map: no convolution has one.
    """
    half, quarter, eighth = ((px + 2**n - 1) // 2**n for n in (1, 2, 3))
    layers = [(kernel**2 * 64, 2 * 64, conv1_px**2)]
    layers += [(9 * 64 * 64, 2 * 64, px**2)] * 6
    for maps, blocks, side in ((128, 4, half), (256, 6, quarter), (512, 3, eighth)):
        layers += [(9 * maps // 2 * maps, 2 * maps, side**2)]
        layers += [(9 * maps * maps, 2 * maps, side**2)] * (2 * blocks - 1)
        layers += [(maps // 2 * maps, 2 * maps, side**2)]  # downsample
    return [*layers, (512 * 7, 7, 1)]


def cbam(reduction: int, px: int) -> list[tuple[int, int, int]]:
    """A gate in each block: 2 C * C / r weights, used for mean and maximum; 7 * 7 * 2 per pixel."""
    stages = ((64, 3, px), (128, 4, px // 2), (256, 6, px // 4), (512, 3, -(-px // 8)))
    return [
        layer
        for maps, blocks, side in stages
        for layer in [(2 * maps * maps // reduction, 0, 2), (98, 0, side**2)] * blocks
    ]


# ResNet-34 at 48 px, multiply-adds: the imagenet stem leaves 24, pooled 12, then 6, 3, 2
#   (1,806,336 + 31,850,496 + 40,108,032 + 61,341,696 + 52,428,800 + 3,584); the small stem 48,
#   then 24, 12, 6 (1,327,104 + 509,607,936 + 641,728,512 + 981,467,136 + 471,859,200 + 3,584).
# CBAM adds 157,184 weights of MLPs, used twice, and 16 * 98 of 7x7 convolutions, used at
#   3 * 144 + 4 * 36 + 6 * 9 + 3 * 4 = 642 pixels: 314,368 + 62,916 multiply-adds.
GOLDEN = [  # name, options, px, layers by hand, parameters, multiply-adds
    ("alexnet", {"batch_norm": False}, 32, ALEXNET, 3_213_511, 73_451_264),
    ("alexnet", {"batch_norm": True}, 32, [*ALEXNET, (0, 784, 0)], 3_214_295, 73_451_264),
    ("resnet34", STEMS[0], 48, resnet(7, 24, 12), 21_281_991, 187_538_944),
    ("resnet34", STEMS[1], 48, resnet(3, 48, 48), 21_279_431, 2_605_993_472),
    (
        "cbam_resnet34",
        CHOICES["cbam_resnet34"][0],
        48,
        resnet(7, 24, 12) + cbam(16, 12),
        21_440_743,
        187_916_228,
    ),
]


@pytest.mark.parametrize(("name", "options", "px", "layers", "size", "work"), GOLDEN)
def test_parameters_and_multiply_adds_are_those_worked_out_by_hand(
    name, options, px, layers, size, work
):
    assert sum(weights + biases for weights, biases, _ in layers) == size
    assert sum(weights * places for weights, _, places in layers) == work
    model = network(name, "meta", **options)
    assert parameters(model) == size
    assert multiply_adds(model, px) == work


def test_alexnet_starts_with_he_weights_and_zero_biases_but_for_its_last_layer():
    *hidden, last = (
        m for m in network("alexnet").modules() if isinstance(m, nn.Conv2d | nn.Linear)
    )
    assert len(hidden) == 7
    for layer in hidden:
        wanted = math.sqrt(2 / layer.weight[0].numel())
        assert layer.weight.std().item() == pytest.approx(wanted, rel=0.1)
        assert not layer.bias.any()
    assert last.weight.abs().max() <= 1 / math.sqrt(256)
    assert last.bias.all()


def test_adaptive_pooling_is_the_identity_at_32_px():
    x = torch.randn(2, 256, 4, 4)
    assert torch.equal(network("alexnet", "meta").pool(x), x)


def test_resnet34_is_torchvisions():
    reference = torchvision.models.resnet34(num_classes=7)
    reference.conv1 = nn.Conv2d(1, 64, 7, stride=2, padding=3, bias=False)
    ours = network("resnet34", stem="imagenet")
    ours.load_state_dict(reference.state_dict())
    x = faces(2, 48)
    for mode in (True, False):
        assert torch.equal(ours.train(mode)(x), reference.train(mode)(x))


@pytest.mark.parametrize(("stem", "kernel"), [("imagenet", 7), ("small", 3)])
def test_the_stem_starts_as_torchvisions_convolutions_do(stem, kernel):
    weight = network("resnet34", stem=stem).conv1.weight
    assert weight.std().item() == pytest.approx(math.sqrt(2 / (64 * kernel**2)), rel=0.1)


def test_a_gate_that_does_nothing_changes_nothing():
    plain = network("resnet34", stem="imagenet").eval()
    gated = ResNet34(classes=7, dropout=0.0, stem="imagenet", gate=lambda channels: nn.Identity())
    gated.load_state_dict(plain.state_dict())
    assert torch.equal(gated.eval()(faces(2, 48)), plain(faces(2, 48)))


def test_a_gate_ends_the_branch_before_the_addition():
    class Shut(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return 0 * x

    asked = []
    model = ResNet34(
        classes=7, dropout=0.0, stem="small", gate=lambda channels: asked.append(channels) or Shut()
    )
    assert asked == [64] * 3 + [128] * 4 + [256] * 6 + [512] * 3
    x = torch.randn(2, 64, 8, 8)
    assert torch.equal(model.layer1[1](x), x.relu())


def test_cbam_weights_a_tiny_image_as_worked_out_by_hand():
    x = torch.tensor([[[[0.0, 2.0], [2.0, 4.0]], [[1.0, 1.0], [1.0, 1.0]]]])
    third = math.log(3)  # sigmoid(ln 3) = 3/4, sigmoid(-ln 3) = 1/4
    channel, spatial = ChannelGate(2, reduction=2), SpatialGate()
    with torch.no_grad():
        # means 2, 1 and maxima 4, 1: hidden relu(2 - 1) = 1 and relu(4 - 1) = 3, in all 4
        channel.mlp[0].weight.copy_(torch.tensor([1.0, -1.0]).reshape(1, 2, 1, 1))
        channel.mlp[2].weight.copy_(torch.tensor([third, -third]).reshape(2, 1, 1, 1) / 4)
        # per pixel, means 0.5, 1.5, 1.5, 2.5 and maxima 1, 2, 2, 4: twice mean - max = 0, 1, 1, 1
        spatial.conv.weight.zero_()
        spatial.conv.weight[0, :, 3, 3] = torch.tensor([2 * third, -third])
        assert torch.allclose(channel(x), torch.tensor([0.75, 0.25]).reshape(1, 2, 1, 1))
        assert torch.allclose(spatial(x), torch.tensor([[[[0.5, 0.75], [0.75, 0.75]]]]))

        both = CBAM(2, reduction=2, order="parallel")
        both.channel, both.spatial = channel, spatial
        wanted = torch.tensor([[[0, 1.125], [1.125, 2.25]], [[0.125, 0.1875], [0.1875, 0.1875]]])
        assert torch.allclose(both(x), wanted[None])

        # in series the spatial gate reads 0, 1.5, 1.5, 3 and 1/4: twice mean - max = 0, 1/4 ...
        both.order = "serial"
        later = 1 / (1 + 3**-0.25)
        wanted = torch.tensor(
            [[[0, 1.5 * later], [1.5 * later, 3 * later]], [[0.125, later / 4], [later / 4] * 2]]
        )
        assert torch.allclose(both(x), wanted[None])


@pytest.mark.parametrize("order", ["serial", "parallel"])
def test_cbam_of_zero_weights_multiplies_by_a_quarter(order):
    gate = CBAM(64, reduction=16, order=order)
    for weight in gate.parameters():
        nn.init.zeros_(weight)
    x = torch.randn(2, 64, 5, 5)
    assert torch.equal(gate(x), x / 4)


def test_the_gates_order_and_reduction_reach_every_block():
    for order, reduction in (("serial", 8), ("parallel", 32)):
        model = network("cbam_resnet34", "meta", cbam_order=order, cbam_reduction=reduction)
        gates = [m for m in model.modules() if isinstance(m, CBAM)]
        assert [gate.order for gate in gates] == [order] * 16
        assert {gate.channel.mlp[0].out_channels * reduction for gate in gates} == {
            64,
            128,
            256,
            512,
        }


@pytest.mark.parametrize("name", ["resnet34", "cbam_resnet34"])
def test_residual_init_is_the_last_norms_first_weight_and_changes_nothing_else(name):
    plain, small = network(name).state_dict(), network(name, residual_init=0.25).state_dict()
    differ = [key for key in plain if not torch.equal(plain[key], small[key])]
    assert differ == [key for key in plain if key.endswith("bn2.weight")] and len(differ) == 16
    assert {small[key].unique().item() for key in differ} == {0.25}
    block = network(name, residual_init=0.0).eval().layer1[0]
    x = torch.randn(2, 64, 5, 5)
    assert torch.equal(block(x), x.relu()), "at 0 a block begins as its shortcut"


def test_serial_and_parallel_differ_with_the_same_weights():
    one, other = (network("cbam_resnet34", cbam_order=order) for order in ("serial", "parallel"))
    assert all(map(torch.equal, one.state_dict().values(), other.state_dict().values()))
    assert not torch.allclose(one(faces(2, 32)), other(faces(2, 32)))


@pytest.mark.parametrize("order", ["serial", "parallel"])
def test_a_hook_gets_the_spatial_map(order):
    model, maps = network("cbam_resnet34", cbam_order=order).eval(), []
    gate = model.get_submodule("layer4.2.gate.spatial")
    gate.register_forward_hook(lambda _, inputs, output: maps.append(output))
    model(faces(3, 64))
    assert [m.shape for m in maps] == [(3, 1, 2, 2)]
    assert 0 < maps[0].min() and maps[0].max() < 1
