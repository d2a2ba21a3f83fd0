import shutil

import pytest
import torch
from torch import nn

from fer_models import MODELS
from study.config.hyperparameters import Hyperparameters
from study.training import execution, loop

CPU = torch.device("cpu")
HP = Hyperparameters(model="alexnet", image_px=32, batch_size=4, epochs=1, lr=0.01)


class Plain(nn.Sequential):
    def __init__(self, *, classes: int, dropout: float, batch_norm: bool) -> None:
        super().__init__(nn.Flatten(), nn.Linear(32 * 32, classes))


@pytest.fixture
def plain(monkeypatch):
    monkeypatch.setitem(MODELS, "alexnet", Plain)


def test_on_a_cpu_nothing_is_measured_and_nothing_compiled(plain):
    known = {}
    assert execution.fastest(HP, 2, CPU, known) == "eager" and known == {}
    model = loop.network(HP, 2, CPU)
    assert execution.forward_pass(HP, model, 4, CPU, "eager") is None
    assert execution.forward_pass(HP, model, 4, CPU, "graphs") is None


def test_a_step_takes_some_time_and_leaves_the_generators_alone(plain):
    before = torch.random.get_rng_state()
    assert 0 < execution.step_seconds(HP, 2, CPU, "eager", steps=1) < 5
    assert torch.equal(before, torch.random.get_rng_state())


@pytest.mark.skipif(not shutil.which("g++"), reason="torch.compile needs a C++ compiler on a CPU")
def test_a_compiled_forward_pass_gives_the_same_numbers(plain):
    model = loop.network(HP, 2, CPU)
    x = torch.randn(4, 1, 32, 32)
    compiled = execution.forward_pass(HP, model, 4, CPU, "compile")
    assert torch.allclose(compiled(x), model(x), atol=1e-5)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("model", MODELS)
def test_a_recorded_graph_trains_as_eager_does_and_leaves_the_running_means_alone(model):
    device = torch.device("cuda")
    hp = Hyperparameters(model=model, image_px=32, batch_size=8, precision="float32")
    eager, graphed = loop.network(hp, 7, device), loop.network(hp, 7, device)
    forward = execution.forward_pass(hp, graphed, 8, device, "graphs")
    assert all(torch.equal(a, b) for a, b in zip(eager.buffers(), graphed.buffers(), strict=True))
    x = torch.randn(8, 1, 32, 32, device=device)
    for one, call in ((eager, eager), (graphed, forward)):
        one.train()
        call(x).sum().backward()
    for a, b in zip(eager.parameters(), graphed.parameters(), strict=True):
        assert torch.allclose(a.grad, b.grad, rtol=1e-3, atol=1e-4)
