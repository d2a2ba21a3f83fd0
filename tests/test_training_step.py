"""A step as it is written and as it is recorded. On a CPU nothing is recorded, but all around it is
the same: one set of tensors, the learning rate among them, and everything put back after."""

import warnings
from contextlib import contextmanager
from types import SimpleNamespace

import pytest
import torch
from test_training_loop import resident
from torch import nn

from fer_models import MODELS
from study.config.hyperparameters import Hyperparameters
from study.training import balance, loop, step
from study.training.network import network, optimiser, seeded
from study.training.step import NotRecorded, Recorded, Step, parts

CPU = torch.device("cpu")
LR = 1 / 64  # float32, as a recorded learning rate is, has it as it is


class Small(nn.Sequential):
    def __init__(self, *, classes: int, dropout: float, batch_norm: bool) -> None:
        convolution = nn.Conv2d(1, 2, 3, stride=4, bias=False)
        rest = (nn.BatchNorm2d(2), nn.Flatten(), nn.Dropout(dropout), nn.Linear(128, classes))
        super().__init__(convolution, *rest)


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setitem(MODELS, "alexnet", Small)


def hp(**given):
    shared = dict(model="alexnet", image_px=32, batch_size=4, epochs=3, lr=LR, dropout=0.5)
    return Hyperparameters(**(shared | given))


def made(kind, given, even, *rest):
    model = network(given, 3, CPU)
    return kind(given, model, optimiser(given, model), even, *rest)


def state(one):
    return [
        *one.model.state_dict().values(),
        *(value for each in one.optimizer.state.values() for value in each.values()),
    ]


def same(first, second):
    pairs = zip(state(first), state(second), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


WAYS = {
    "momentum": hp(),
    "no momentum": hp(momentum=0.0),
    "adam": hp(optimizer="adam"),
    "adamw": hp(optimizer="adamw", weight_decay=0.1),
    "smoothed": hp(label_smoothing=0.1),
    "weighted": hp(class_weights=1.0, logit_adjustment=1.0),
}


@pytest.mark.parametrize("given", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("shares", [False, True])
def test_a_recorded_step_is_the_written_one_bit_by_bit(given, shares):
    even = balance.of(given, torch.tensor([0, 0, 0, 1, 1, 2]), 3)
    eager = made(Step, given, even, shares)
    recorded = made(Recorded, given, even, 3 if shares else 0)
    drawn = torch.Generator().manual_seed(1)
    for number in range(5):
        x = torch.randn(4, 1, 32, 32, generator=drawn)
        labels = torch.randint(0, 3, (4,), generator=drawn)
        targets = torch.rand(4, 3, generator=drawn).softmax(1) if shares else labels
        for one in (eager, recorded):
            with seeded(number, CPU):
                one(x, labels, targets, LR / 2**number)
    assert same(eager, recorded)
    assert eager.losses == recorded.losses and eager.hits == recorded.hits
    rates = [[g["lr"] for g in one.optimizer.param_groups] for one in (eager, recorded)]
    assert rates == [[LR / 16] * 2] * 2


@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
def test_recording_leaves_everything_as_it_was(optimizer):
    given = hp(optimizer=optimizer)
    one = made(Step, given, balance.Balance())
    one(torch.ones(4, 1, 32, 32), torch.arange(4) % 3, torch.arange(4) % 3, LR)
    before = [tensor.clone() for tensor in state(one)]
    generators = torch.random.get_rng_state()
    groups = one.optimizer.state_dict()["param_groups"]
    recorded = Recorded(given, one.model, one.optimizer, balance.Balance())
    assert all(torch.equal(a, b) for a, b in zip(before, state(one), strict=True))
    assert torch.equal(generators, torch.random.get_rng_state())
    assert recorded.optimizer.state_dict()["param_groups"] == groups
    assert recorded.losses == 0 and recorded.hits == 0


def test_training_goes_on_with_a_recorded_step_as_with_a_written_one(monkeypatch):
    """Three epochs, from the beginning and from the first; ten images leave a shorter batch out."""
    data, given = resident([0, 1, 2, 0, 1, 2, 0, 1, 2, 0]), hp(schedule="constant", warmup_epochs=0)
    kept = []

    def trained(from_first=None):
        made = loop.fit(given, data, 3, CPU, from_first)
        return [(record, {k: v.clone() for k, v in s["model"].items()}, s) for record, s in made]

    eager = trained()

    def recording(hp, model, optimizer, execution, even, classes, microbatches):
        kept.append(Recorded(hp, model, optimizer, even, classes))
        return kept[-1]

    monkeypatch.setattr(loop, "step_of", recording)
    whole = trained()
    first = next(loop.fit(given, data, 3, CPU))[1]
    rest = trained(first)
    assert len(kept) == 3
    for (record, weights, _), (other, others, _) in zip(eager * 2, [*whole, *whole[:1], *rest],
                                                        strict=True):  # fmt: skip
        assert (record.train_loss, record.val_loss) == (other.train_loss, other.val_loss)
        assert all(torch.equal(weights[name], others[name]) for name in weights)
    assert not any(
        isinstance(value, torch.Tensor)
        for group in whole[-1][2]["optimizer"]["param_groups"]
        for value in group.values()
    )


def test_a_network_that_cannot_be_recorded_is_told_in_a_sentence(monkeypatch):
    def not_capturable(*given):
        raise RuntimeError("CUDA error: operation not permitted when stream is capturing\nMore.")

    def no_room(*given):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")

    monkeypatch.setattr(step, "record", not_capturable)
    with pytest.raises(NotRecorded, match=r"alexnet .* stream is capturing\): give"):
        made(Recorded, hp(), balance.Balance())
    monkeypatch.setattr(step, "record", no_room)
    with pytest.raises(torch.OutOfMemoryError):
        made(Recorded, hp(), balance.Balance())


class Gpu:
    """What `record` asks of torch.cuda, told in order; a recording that fails leaves its own stream
    the current one, as torch 2.14's does."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.now = SimpleNamespace(wait_stream=lambda other: self.told.append("joined"))

    def current_stream(self, device):
        return self.now

    def Stream(self, device):
        return SimpleNamespace(wait_stream=lambda other: self.told.append("forked"))

    @contextmanager
    def stream(self, stream):
        before, self.now = self.now, stream
        try:
            yield
        finally:
            self.now = before

    def set_sync_debug_mode(self, mode):
        self.told.append(mode)

    def CUDAGraph(self):
        return SimpleNamespace(replay=lambda: None, pool=lambda: (1, 0))

    @contextmanager
    def graph(self, graph):
        self.told.append("recording")
        before, self.now = self.now, "the recording's"
        yield
        self.now = before

    def memory_snapshot(self, pool):
        assert pool == (1, 0)
        return [dict(total_size=700, allocated_size=100), dict(total_size=50, allocated_size=50)]


@pytest.fixture
def gpu(monkeypatch):
    made = Gpu()
    monkeypatch.setattr(step.torch, "cuda", made)
    return made


CUDA = torch.device("cuda")


def test_a_recording_keeps_memory_that_torch_does_not_count_as_allocated(gpu):
    assert step.record(lambda: gpu.told.append("step"), CUDA)[1] == 600
    assert gpu.told == [
        *["forked", "step", "step", "error", "step", "default", "joined", "recording", "step"]
    ]


def test_the_memory_of_an_epoch_is_with_what_a_recording_keeps(monkeypatch):
    made = loop.step_of

    def kept(*given):
        one = made(*given)
        one.kept_bytes = 2**40
        return one

    monkeypatch.setattr(loop, "step_of", kept)
    record, _ = next(loop.fit(hp(), resident([0, 1, 2, 0]), 3, CPU))
    assert 2**20 < record.memory_mib < 2**20 + 100_000


def test_a_step_that_waits_for_the_gpu_is_refused_before_it_would_break_a_recording(gpu):
    """Once broken, the process could give no memory back: torch's empty_cache fails."""

    def waiting():
        if gpu.told[-1] == "error":
            raise RuntimeError("called a synchronizing CUDA operation")

    with pytest.raises(RuntimeError, match="synchronizing"):
        step.record(waiting, CUDA)
    assert gpu.told == ["forked", "error", "default", "joined"]


def test_a_recording_that_fails_leaves_the_stream_as_it_was(gpu):
    before = gpu.now

    def failing():
        if gpu.told[-1] == "recording":
            raise RuntimeError("operation not permitted when stream is capturing")

    with pytest.raises(RuntimeError, match="not permitted"):
        step.record(failing, CUDA)
    assert gpu.now is before


def test_what_a_network_draws_on_the_cpu_is_not_recorded(gpu):
    """A layer that is dropped by torch.rand(()) would be dropped, or not, in every step."""
    with pytest.raises(RuntimeError, match="draws random numbers on the CPU"):
        step.record(lambda: torch.rand(()), CUDA)
    assert "recording" not in gpu.told


def test_a_network_that_replaces_a_buffer_is_not_recorded(monkeypatch):
    class Counting(Small):
        def __init__(self, *, classes: int, dropout: float, batch_norm: bool) -> None:
            super().__init__(classes=classes, dropout=dropout, batch_norm=batch_norm)
            self.register_buffer("steps", torch.zeros(()))

        def forward(self, x):
            self.steps = self.steps + 1
            return super().forward(x)

    monkeypatch.setitem(MODELS, "alexnet", Counting)
    with pytest.raises(NotRecorded, match="it replaces its buffers"):
        made(Recorded, hp(), balance.Balance())


def test_nobody_is_warned_of_what_recording_does_on_purpose(monkeypatch):
    def told(*given):
        warnings.warn("This instance was constructed with capturable=True or some", stacklevel=1)
        return (lambda: None), 0

    monkeypatch.setattr(step, "record", told)
    with warnings.catch_warnings(record=True) as heard:
        made(Recorded, hp(optimizer="adam"), balance.Balance())
    assert not heard


@pytest.mark.parametrize(
    ("images", "size", "sizes"),
    [(8, 8, [8]), (8, 4, [4, 4]), (10, 4, [4, 4, 2]), (9, 4, [4, 5]), (3, 4, [3]), (1, 4, [1])],
)
def test_a_batch_falls_into_parts_none_of_which_is_a_single_image(images, size, sizes):
    assert [len(part) for part in parts(torch.zeros(images, 1), size)] == sizes
