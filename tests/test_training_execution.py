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


def no_room(*given, **named):
    raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")


def not_capturable(*given, **named):
    raise RuntimeError("CUDA error: operation not permitted when stream is capturing\nMore of it.")


def test_a_whole_batch_that_does_not_fit_is_no_failure_of_the_measurement(plain, monkeypatch):
    monkeypatch.setattr(execution, "step_seconds", no_room)
    assert execution.fastest(HP, 2, torch.device("cuda"), {}) == "eager"


def test_a_graph_that_cannot_be_recorded_or_does_not_fit_is_not_chosen(plain, monkeypatch):
    for refusal in (no_room, not_capturable):
        monkeypatch.setattr(torch.cuda, "make_graphed_callables", refusal)

        def seconds(hp, classes, device, how):
            model = loop.network(hp, classes, CPU)
            return 1.0 if how == "eager" else execution.recorded(hp, model, 4, CPU)

        monkeypatch.setattr(execution, "step_seconds", seconds)
        assert execution.fastest(HP, 2, torch.device("cuda"), {}) == "eager"


def test_an_error_of_the_network_itself_is_not_hidden_by_the_measurement(plain, monkeypatch):
    def wrong(*given):
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")

    monkeypatch.setattr(execution, "step_seconds", wrong)
    with pytest.raises(RuntimeError, match="mat1 and mat2"):
        execution.fastest(HP, 2, torch.device("cuda"), {})


def test_a_network_that_cannot_be_recorded_is_told_in_a_sentence(plain, monkeypatch):
    monkeypatch.setattr(torch.cuda, "make_graphed_callables", not_capturable)
    with pytest.raises(execution.NotRecorded, match=r"alexnet .* stream is capturing\): give"):
        execution.recorded(HP, loop.network(HP, 2, CPU), 4, CPU)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_a_network_that_waits_for_the_gpu_trains_without_a_graph(monkeypatch):
    class Waiting(Plain):
        def forward(self, x):
            x.sum().item()  # not allowed while a graph is recorded
            return super().forward(x)

    monkeypatch.setitem(MODELS, "alexnet", Waiting)
    device = torch.device("cuda")
    assert execution.fastest(HP, 2, device, {}) == "eager"
    assert execution.step_seconds(HP, 2, device, "eager", steps=1) > 0  # the stream is whole again


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_a_batch_larger_than_the_gpu_is_measured_as_not_fitting(monkeypatch):
    class Large(Plain):
        def forward(self, x):
            torch.empty(2**50, device=x.device)
            return super().forward(x)

    monkeypatch.setitem(MODELS, "alexnet", Large)
    assert execution.measured(HP, 2, torch.device("cuda"), "eager") == float("inf")


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
