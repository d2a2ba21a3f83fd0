from types import SimpleNamespace

import pytest
import torch
from torch import nn

from fer_models import MODELS
from study.config.hyperparameters import Hyperparameters
from study.training import gpu_memory


class Plain(nn.Sequential):
    """Keeps its input and the rectified hidden units (each once) for the backward pass."""

    def __init__(self, *, classes: int, dropout: float, batch_norm: bool) -> None:
        super().__init__(nn.Flatten(), nn.Linear(32 * 32, 50), nn.ReLU(), nn.Linear(50, classes))


def hp(**given) -> Hyperparameters:
    return Hyperparameters(**{"model": "alexnet", "image_px": 32, "precision": "float32"} | given)


def test_what_a_network_keeps_is_counted_by_image_and_halved_by_bfloat16(monkeypatch):
    monkeypatch.setitem(MODELS, "alexnet", Plain)
    assert gpu_memory.kept_bytes(hp(), 7) == 4 * (32 * 32 + 50)
    assert gpu_memory.kept_bytes(hp(precision="auto"), 7) == 2 * (32 * 32 + 50)


class Pooled(nn.Sequential):
    """Keeps its input, and where each maximum was as whole numbers of 8 bytes."""

    def __init__(self, *, classes: int, dropout: float, batch_norm: bool) -> None:
        first = nn.Conv2d(1, 1, 1, bias=False)
        super().__init__(first, nn.MaxPool2d(4), nn.Flatten(), nn.Linear(64, classes))


def test_bfloat16_halves_no_whole_numbers(monkeypatch):
    monkeypatch.setitem(MODELS, "alexnet", Pooled)
    floats, places = 4 * (2 * 32 * 32 + 64), 8 * 64  # input, map and what the last layer is given
    assert gpu_memory.kept_bytes(hp(), 7) == floats + places
    assert gpu_memory.kept_bytes(hp(precision="auto"), 7) == floats / 2 + places


def test_a_network_that_looks_at_its_numbers_is_counted_too(monkeypatch):
    """The driver ended in torch's error: such a one can't be run where tensors have no content."""

    class Looking(Plain):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return super().forward(x if x.mean().item() > 1 else x + torch.rand(()))

    monkeypatch.setitem(MODELS, "alexnet", Looking)
    before = torch.random.get_rng_state()
    assert gpu_memory.kept_bytes(hp(), 7) == 4 * (32 * 32 + 50)
    assert torch.equal(before, torch.random.get_rng_state())


def test_counting_leaves_the_generators_alone():
    before = torch.random.get_rng_state()
    gpu_memory.kept_bytes(hp(), 7)
    assert torch.equal(before, torch.random.get_rng_state())


def test_memory_is_weights_activations_images_and_a_process(monkeypatch):
    monkeypatch.setitem(MODELS, "alexnet", Plain)
    weights = 4 * (1024 * 50 + 50 + 50 * 7 + 7)
    ahead = 16 * 2**23

    def expected(copies: int, batch: int, images: int) -> float:
        kept = batch * 4 * (1024 + 50)
        return 700 + 1.3 * (copies * weights + kept + ahead + images * 1024) / 2**20

    assert gpu_memory.memory_mib(hp(momentum=0, batch_size=10), 7) == pytest.approx(
        expected(2, 10, 0)
    )
    assert gpu_memory.memory_mib(hp(batch_size=10), 7, 99) == pytest.approx(expected(3, 10, 99))
    assert gpu_memory.memory_mib(hp(optimizer="adam"), 7) == pytest.approx(expected(4, 128, 0))


def test_augmenting_large_faces_takes_no_more_than_small_ones():
    """Of 8192 images of 224 pixels a side it would be 8 GiB."""
    small, large = (
        gpu_memory.memory_mib(hp(image_px=px, batch_size=16), 7)
        - gpu_memory.MARGIN * 16 * gpu_memory.kept_bytes(hp(image_px=px), 7) / 2**20
        for px in (48, 224)
    )
    assert large == pytest.approx(small)


@pytest.mark.parametrize(("whole", "share", "allowed"), [(16000, 0.25, 3300), (4000, 0.25, 500)])
def test_a_share_of_a_gpu_is_with_what_its_process_takes(monkeypatch, whole, share, allowed):
    """Four trials whose tensors alone had a quarter each would together want 2.8 GB more."""
    held = []
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda: (0, whole * 2**20))
    monkeypatch.setattr(torch.cuda, "set_per_process_memory_fraction", held.append)
    gpu_memory.hold_to(share)
    assert [one * whole for one in held] == [pytest.approx(allowed)]


@pytest.mark.parametrize(("system", "told"), [("linux", 300 * 2**10), ("darwin", 300 * 2**20)])
def test_the_peak_of_a_process_is_in_mib_whatever_unit_the_system_counts_in(
    monkeypatch, system, told
):
    monkeypatch.setattr(gpu_memory.sys, "platform", system)
    monkeypatch.setattr(gpu_memory.resource, "getrusage", lambda _: SimpleNamespace(ru_maxrss=told))
    assert gpu_memory.peak_mib(torch.device("cpu")) == 300
