"""A trial's network has the arithmetic that its precision asks for."""

import copy
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from fer_models import MODELS
from study.config.hyperparameters import Hyperparameters
from study.training.network import bfloat16, network, optimiser


class Plain(nn.Sequential):
    def __init__(self, *, classes: int, dropout: float, batch_norm: bool) -> None:
        super().__init__(nn.Flatten(), nn.Linear(2048, classes, bias=False))


@pytest.fixture
def flags():
    """torch's own flags as they were, after the test."""
    places = torch.backends.cuda.matmul, torch.backends.cudnn
    before = [place.allow_tf32 for place in places]
    yield lambda: [place.allow_tf32 for place in places]
    for place, value in zip(places, before, strict=True):
        place.allow_tf32 = value


@pytest.mark.parametrize(
    ("precision", "allowed"), [("float32", False), ("auto", True), ("bfloat16", True)]
)
def test_float32_on_cuda_is_float32_and_not_tf32(monkeypatch, flags, precision, allowed):
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = not allowed
    monkeypatch.setattr(nn.Module, "to", lambda self, *_, **__: self)
    hp = Hyperparameters(model="alexnet", precision=precision)
    network(hp, 7, SimpleNamespace(type="cuda"))
    assert flags() == [allowed, allowed]


@pytest.mark.parametrize("capability", [(7, 5), (8, 0), (9, 0)])
def test_auto_is_bfloat16_only_where_a_gpu_computes_in_it(monkeypatch, capability):
    """GPUs before Ampere emulate it, slower than float32."""
    major, minor = capability
    has = SimpleNamespace(major=major, minor=minor)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "current_device", lambda: 0)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda device: has)
    gpu = torch.device("cuda")
    found = {
        precision: bfloat16(Hyperparameters(model="alexnet", precision=precision), gpu)
        for precision in ("auto", "float32", "bfloat16")
    }
    assert found == {"auto": major >= 8, "float32": False, "bfloat16": True}


def test_a_network_on_a_cpu_leaves_the_flags_alone(flags):
    before = flags()
    network(Hyperparameters(model="alexnet", precision="float32"), 7, torch.device("cpu"))
    assert flags() == before


@pytest.mark.parametrize("kind", ["SGD", "Adam", "AdamW"])
def test_an_optimisers_steps_are_torchs_own_bit_by_bit(kind):
    hp = Hyperparameters(model="alexnet", optimizer=kind.lower(), lr=0.01, weight_decay=0.1)
    first, second = nn.Linear(3, 2), nn.Linear(3, 2)
    second.load_state_dict(first.state_dict())
    ours = optimiser(hp, first)
    extra = {"momentum": hp.momentum, "nesterov": True} if kind == "SGD" else {}
    groups = [{"params": [second.weight], "weight_decay": 0.1}, {"params": [second.bias]}]
    theirs = getattr(torch.optim, kind)(groups, hp.lr, weight_decay=0.0, fused=True, **extra)
    for step in range(4):
        if step == 2:  # gone on with, from what was stored
            state, ours = ours.state_dict(), optimiser(hp, first)
            ours.load_state_dict(state)
        for model, optimizer in ((first, ours), (second, theirs)):
            optimizer.zero_grad(set_to_none=True)
            model(torch.arange(15.0).reshape(5, 3).sin()).square().sum().backward()
            optimizer.step()
    assert torch.equal(first.weight, second.weight) and torch.equal(first.bias, second.bias)


@pytest.mark.parametrize("name", ["sgd", "adam", "adamw"])
@pytest.mark.parametrize("theirs", [torch.contiguous_format, torch.channels_last])
def test_a_fused_step_is_the_plain_one_however_tensors_lie_in_memory(name, theirs):
    """torch's own adds the wrong elements where a gradient lies otherwise than its parameter."""
    hp = Hyperparameters("alexnet", optimizer=name, lr=0.1, weight_decay=0.01)
    plain_kind = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam, "adamw": torch.optim.AdamW}
    conv = nn.Conv2d(16, 8, 3).to(memory_format=torch.channels_last)
    wanted = copy.deepcopy(conv)
    fused = optimiser(hp, conv)
    groups = optimiser(hp, wanted).param_groups
    plain = plain_kind[name]([{**group, "fused": False} for group in groups])
    for _ in range(3):
        for p, q in zip(conv.parameters(), wanted.parameters(), strict=True):
            grad = torch.randn(p.shape)
            q.grad = grad.clone()
            p.grad = grad.contiguous(memory_format=theirs) if grad.ndim == 4 else grad
        fused.step()
        plain.step()
    torch.testing.assert_close(conv.state_dict(), wanted.state_dict())
    assert conv.weight.is_contiguous(memory_format=torch.channels_last)
    kept = [v for v in fused.state[conv.weight].values() if torch.is_tensor(v) and v.ndim == 4]
    assert kept and all(v.shape == conv.weight.shape for v in kept)
    assert all(v.is_contiguous(memory_format=torch.channels_last) for v in kept)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_products_in_float32_have_23_bits_on_a_gpu(monkeypatch, flags):
    monkeypatch.setitem(MODELS, "alexnet", Plain)
    x = torch.rand(512, 2048)
    apart = {}
    for precision in ("float32", "auto"):
        hp = Hyperparameters(model="alexnet", precision=precision)
        model = network(hp, 512, torch.device("cuda"))
        exact = x.double() @ model[1].weight.double().cpu().T
        apart[precision] = ((model(x.cuda()).cpu() - exact).abs().max() / exact.abs().max()).item()
    assert apart["float32"] < 2e-6
    if torch.cuda.get_device_capability() >= (8, 0):  # TF32 is there
        assert apart["auto"] > 2e-5
