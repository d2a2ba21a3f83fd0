import torch
from torch import Tensor, nn

from fer_models import MODELS
from fer_models.layers import layer_table, multiply_adds, parameters
from study.record.schemas import TRIALS


def tiny() -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1),
        nn.BatchNorm2d(4),
        nn.Identity(),
        nn.Conv2d(4, 8, 1, stride=2, groups=2, bias=False),
        nn.Flatten(),
        nn.Linear(8 * 3 * 3, 7),
    )


def test_a_row_per_leaf_says_what_it_yields_and_costs():
    columns = ("name", "kind", "shape", "parameters", "multiply_adds")
    assert layer_table(tiny(), 6) == [
        dict(zip(columns, row, strict=True))
        for row in [
            ("0", "Conv2d", (4, 6, 6), 4 * 9 + 4, 4 * 9 * 36),
            ("1", "BatchNorm2d", (4, 6, 6), 2 * 4, 0),
            ("3", "Conv2d", (8, 3, 3), 8 * 2, 8 * 2 * 9),  # a map reads one of two groups: 2 maps
            ("4", "Flatten", (72,), 0, 0),
            ("5", "Linear", (7,), 72 * 7 + 7, 72 * 7),
        ]
    ]


def test_totals_are_the_sums_of_the_rows():
    rows = layer_table(tiny(), 6)
    assert parameters(tiny()) == sum(row["parameters"] for row in rows) == 40 + 8 + 16 + 511
    assert multiply_adds(tiny(), 6) == 1296 + 144 + 504


def test_a_leaf_used_twice_has_one_row_and_both_costs():
    class Twice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.unused = nn.ReLU()
            self.conv = nn.Conv2d(1, 1, 3, bias=False)

        def forward(self, x: Tensor) -> Tensor:
            return self.conv(self.conv(x))

    (row,) = layer_table(Twice(), 6)
    assert row == {
        "name": "conv",
        "kind": "Conv2d",
        "shape": (1, 4, 4),
        "parameters": 9,
        "multiply_adds": 9 * (4 * 4 + 2 * 2),
    }


def test_a_leaf_may_yield_several_tensors_or_none():
    class Leaf(nn.Module):
        def __init__(self, made) -> None:
            super().__init__()
            self.made = made

        def forward(self, x: Tensor):
            return self.made(x)

    class Recurrent(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.gru, self.lstm = nn.GRU(6, 5, batch_first=True), nn.LSTM(5, 4, batch_first=True)
            self.named = Leaf(lambda x: {"loss": None, "logits": [x.flatten(1)]})
            self.said, self.mean = Leaf(lambda x: "no tensor"), Leaf(lambda x: x.mean())
            self.fc = nn.Linear(24, 7)

        def forward(self, x: Tensor) -> Tensor:
            x = self.lstm(self.gru(x[:, 0])[0])[0]
            self.said(self.mean(x))
            return self.fc(self.named(x)["logits"][0])

    shapes = {row["name"]: row["shape"] for row in layer_table(Recurrent(), 6)}
    assert {name: shapes.pop(name) for name in ("mean", "said")} == {"mean": (1,), "said": (1,)}
    assert shapes == {"gru": (6, 5), "lstm": (6, 4), "named": (24,), "fc": (7,)}
    assert multiply_adds(Recurrent(), 6) == 24 * 7
    assert sum(row["parameters"] for row in layer_table(Recurrent(), 6)) == parameters(Recurrent())


def test_parameters_outside_leaves_have_rows_so_that_the_sum_is_the_networks():
    """As timm's norms with an activation, ConvNeXt's scale, and a transformer's tokens."""

    class Scaled(nn.BatchNorm2d):
        def __init__(self) -> None:
            super().__init__(4)
            self.act = nn.ReLU()

        def forward(self, x: Tensor) -> Tensor:
            return self.act(super().forward(x))

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.norm, self.fc = nn.Conv2d(1, 4, 1), Scaled(), nn.Linear(4, 7)
            self.gamma = nn.Parameter(torch.ones(4))

        def forward(self, x: Tensor) -> Tensor:
            return self.fc(self.gamma * self.norm(self.conv(x)).mean((2, 3)))

    rows = layer_table(Net(), 6)
    assert [(row["name"], row["parameters"]) for row in rows] == [
        ("conv", 8),
        ("norm.act", 0),
        ("norm", 8),
        ("fc", 35),
        ("Net", 4),
    ]
    assert [row["shape"] for row in rows][1:3] == [(4, 6, 6)] * 2 and rows[-1]["shape"] == (7,)
    assert sum(row["parameters"] for row in rows) == parameters(Net())
    assert multiply_adds(Net(), 6) == 4 * 36 + 4 * 7


def test_frozen_parameters_count_and_the_column_says_so():
    """It was told as the trainable ones, which they are not."""
    model = tiny()
    model[0].requires_grad_(False)
    assert parameters(model) == parameters(tiny())
    assert sum(row["parameters"] for row in layer_table(model, 6)) == parameters(model)
    assert TRIALS["parameters"][1] == "parameters of its network, frozen ones too"


def test_the_model_stays_as_it_was():
    model = tiny()
    model[1].eval()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    layer_table(model, 6)
    assert [m.training for m in model.modules()] == [True, True, False, True, True, True, True]
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert {p.device.type for p in model.parameters()} == {"cpu"}
    assert not any(m._forward_hooks for m in model.modules())


def test_rows_come_in_forward_order_and_account_for_all_parameters():
    options = {"stem": "imagenet", "cbam_order": "serial", "cbam_reduction": 16}
    with torch.device("meta"):
        model = MODELS["cbam_resnet34"](classes=7, dropout=0.0, **options)
    rows = layer_table(model, 48)
    assert sum(row["parameters"] for row in rows) == parameters(model)
    assert [row["name"] for row in rows][:12] == [
        "conv1",
        "bn1",
        "relu",
        "maxpool",
        "layer1.0.conv1",
        "layer1.0.bn1",
        "layer1.0.relu",
        "layer1.0.conv2",
        "layer1.0.bn2",
        "layer1.0.gate.channel.mlp.0",
        "layer1.0.gate.channel.mlp.1",
        "layer1.0.gate.channel.mlp.2",
    ]
    assert rows[-1]["name"] == "fc"
