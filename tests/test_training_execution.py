import shutil
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from benchmarks import gpu
from fer_models import MODELS
from study.config.hyperparameters import Hyperparameters
from study.training import execution
from study.training.balance import Balance
from study.training.network import network, optimiser
from study.training.step import NotRecorded, Recorded, Step

CPU = torch.device("cpu")
HP = Hyperparameters(model="alexnet", image_px=32, batch_size=4, epochs=1, lr=0.01)


class Plain(nn.Sequential):
    def __init__(self, *, classes: int, dropout: float, batch_norm: bool) -> None:
        super().__init__(nn.Flatten(), nn.Linear(32 * 32, classes))


def made(hp, device, how, classes=2):
    return execution.first_step(hp, classes, device, how)


@pytest.fixture
def plain(monkeypatch):
    monkeypatch.setitem(MODELS, "alexnet", Plain)


def test_on_a_cpu_nothing_is_measured_and_nothing_compiled(plain):
    known = {}
    assert execution.fastest(HP, 2, CPU, known) == "eager" and known == {}
    for how in ("eager", "graphs"):
        step = made(HP, CPU, how)
        assert type(step) is Step and step.forward is step.model


def test_a_step_takes_some_time_and_leaves_the_generators_alone(plain):
    before = torch.random.get_rng_state()
    assert 0 < execution.step_seconds(HP, 2, CPU, "eager", steps=1) < 5
    assert torch.equal(before, torch.random.get_rng_state())


@pytest.mark.skipif(not shutil.which("g++"), reason="torch.compile needs a C++ compiler on a CPU")
def test_a_compiled_forward_pass_gives_the_same_numbers(plain):
    step = made(HP, CPU, "compile")
    x = torch.randn(4, 1, 32, 32)
    assert torch.allclose(step.forward(x), step.model(x), atol=1e-5)


def test_dropout_is_not_another_network_to_measure(monkeypatch):
    """A search draws it anew for each trial, which would each take 120 steps to be measured."""
    asked = []
    monkeypatch.setattr(
        execution, "step_seconds", lambda hp, *rest: asked.append((hp.batch_size, rest[2])) or 1.0
    )
    known = {}
    for given in (dict(dropout=0.1), dict(dropout=0.2), dict(batch_size=8), dict(batch_norm=False)):
        execution.fastest(replace(HP, **given), 2, torch.device("cuda"), known)
    assert asked == [(size, how) for size in (4, 8, 4) for how in ("eager", "graphs")]


def test_a_row_that_cannot_be_measured_does_not_end_the_benchmark(monkeypatch, capsys):
    def figures(asked, hp, data, device, how):
        if how == "graphs":
            raise NotRecorded("a step of alexnet can't be recorded\nand more")
        return ["1.0"] * 7

    asked = SimpleNamespace(
        models=["alexnet"], stems=["small"], batches=[4, 8], px=32, images=8, epochs=1
    )
    monkeypatch.setattr(gpu, "figures", figures)
    assert gpu.table(asked, ("eager", "graphs"), float("inf")) == []
    *_, eager, graphs, _ = capsys.readouterr().out.split("\n")[:-1]
    assert "| 8 | eager | 1.0 |" in eager and "can't be recorded |" in graphs


def no_room(*given, **named):
    raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")


def not_capturable(*given, **named):
    raise RuntimeError("CUDA error: operation not permitted when stream is capturing\nMore of it.")


def test_a_whole_batch_that_does_not_fit_is_no_failure_of_the_measurement(plain, monkeypatch):
    monkeypatch.setattr(execution, "step_seconds", no_room)
    assert execution.fastest(HP, 2, torch.device("cuda"), {}) == "eager"


def test_a_graph_that_cannot_be_recorded_or_does_not_fit_is_not_chosen(plain, monkeypatch):
    for refusal in (no_room, not_capturable):
        monkeypatch.setattr("study.training.step.record", refusal)

        def seconds(hp, classes, device, how):
            model = network(hp, classes, CPU)
            return 1.0 if how == "eager" else Recorded(hp, model, optimiser(hp, model), Balance())

        monkeypatch.setattr(execution, "step_seconds", seconds)
        assert execution.fastest(HP, 2, torch.device("cuda"), {}) == "eager"


def test_an_error_of_the_network_itself_is_not_hidden_by_the_measurement(plain, monkeypatch):
    def wrong(*given):
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")

    monkeypatch.setattr(execution, "step_seconds", wrong)
    with pytest.raises(RuntimeError, match="mat1 and mat2"):
        execution.fastest(HP, 2, torch.device("cuda"), {})


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
@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
def test_a_recorded_graph_trains_as_eager_does(model, optimizer):
    device = torch.device("cuda")
    hp = Hyperparameters(model=model, image_px=32, batch_size=8, precision="float32",
                         optimizer=optimizer, lr=1 / 1024, dropout=0.0)  # fmt: skip
    eager, graphed = made(hp, device, "eager", 7), made(hp, device, "graphs", 7)
    assert isinstance(graphed, Recorded)
    for number in range(4):
        x = torch.randn(8, 1, 32, 32, device=device)
        labels = torch.randint(0, 7, (8,), device=device)
        for one in (eager, graphed):
            one(x, labels, labels, hp.lr / 2**number)
    assert torch.allclose(eager.losses, graphed.losses, rtol=1e-3)
    for a, b in zip(eager.model.parameters(), graphed.model.parameters(), strict=True):
        assert torch.allclose(a, b, rtol=1e-2, atol=1e-3)
    for a, b in zip(eager.model.buffers(), graphed.model.buffers(), strict=True):
        assert torch.allclose(a.float(), b.float(), rtol=1e-2, atol=1e-3)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_a_recorded_dropout_draws_anew_each_time():
    hp = Hyperparameters(model="alexnet", image_px=32, batch_size=8, precision="float32",
                         lr=0.0, momentum=0.0, dropout=0.5)  # fmt: skip
    step = made(hp, torch.device("cuda"), "graphs", 7)
    x, labels = torch.ones(8, 1, 32, 32, device="cuda"), torch.arange(8, device="cuda") % 7
    losses = []
    for _ in range(4):
        step.losses.zero_()
        step(x, labels, labels, 0.0)
        losses.append(step.losses.item())
    assert len(set(losses)) > 1
