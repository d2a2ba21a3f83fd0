import gc
import threading
import weakref
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from fer_models import MODELS
from study.training import checkpoint, gpu_memory, loop
from study.training.step import NotRecorded
from study.worker.trial import Trial

HP = dict(model="alexnet", image_px=32, batch_size=8, epochs=2, lr=0.01, dropout=0.3, flip=0.5)


class Greedy(nn.Sequential):
    """A network for whose batches of more than four images there is no memory. No norm in it."""

    def __init__(self, *, classes: int, dropout: float, batch_norm: bool) -> None:
        super().__init__(nn.Flatten(), nn.Linear(32 * 32, classes))

    def forward(self, x: Tensor) -> Tensor:
        if len(x) > 4:
            raise torch.OutOfMemoryError(f"no room for {len(x)} images")
        return super().forward(x)


def split(images: int, seed: int) -> SimpleNamespace:
    drawn = np.random.default_rng(seed)
    return SimpleNamespace(
        images=drawn.integers(0, 256, (images, 32, 32), np.uint8),
        labels=drawn.integers(0, 3, images),
    )


def worker(folder: Path, config: dict[str, Any], **given: Any) -> Trial:
    """A worker as Tune makes one, without Tune."""
    folder.parent.joinpath("study.json").touch()
    trial = Trial.__new__(Trial)
    trial.setup(
        config,
        train_split=split(24, 0),
        val_split=split(6, 1),
        classes=3,
        device="cpu",
        threads=torch.get_num_threads(),
        gpus=0.0,
        checkpoints=folder,
        expected={},
        **given,
    )
    return trial


def config(name: str, **given: Any) -> dict[str, Any]:
    return {"trial_id": name, **HP, **given}


def steps(trial: Trial) -> list[dict[str, Any]]:
    """Every epoch's result, without what differs between any two runs."""
    found = []
    while not found or not found[-1]["done"]:
        found.append(trial.step())
    trial.cleanup()
    measured = ("epoch_seconds", "images_per_second", "memory_mib")
    return [{k: v for k, v in one.items() if k not in measured} for one in found]


def weights(folder: Path) -> dict[str, Tensor]:
    return checkpoint.load(folder)["model"]


def test_a_trial_in_a_used_worker_equals_the_same_in_a_fresh_one_to_the_last_bit(tiny, tmp_path):
    fresh = worker(tmp_path / "fresh", config("b", seed=5))
    used = worker(tmp_path / "used", config("a", seed=4, lr=0.1, batch_size=4))
    steps(used)
    used.reset_config(config("b", seed=5))
    assert steps(used) == steps(fresh)
    one, other = weights(tmp_path / "used" / "b"), weights(tmp_path / "fresh" / "b")
    assert one.keys() == other.keys()
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_images_of_another_size_replace_those_of_the_trial_before(tiny, tmp_path):
    trial = worker(tmp_path, config("a"))
    steps(trial)
    first = trial.data
    trial.begin(config("b"))
    assert trial.data is first
    trial.begin(config("c", image_px=40))
    assert trial.data.train_images.shape == (24, 1, 40, 40)


def test_memory_does_not_grow_over_50_trials(tiny, tmp_path):
    def resident_mib() -> float:
        gc.collect()
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * 4096 / 2**20

    trial = worker(tmp_path, config("t0", epochs=1), keep=False)
    steps(trial)
    for number in range(1, 50):
        trial.reset_config(config(f"t{number}", epochs=1, seed=number))
        steps(trial)
        if number == 14:
            before = resident_mib()
    assert resident_mib() - before < 4  # a network kept from each trial alone would be more


def test_an_epoch_that_does_not_fit_goes_on_in_parts_and_says_so(monkeypatch, tmp_path):
    monkeypatch.setitem(MODELS, "alexnet", Greedy)
    monkeypatch.setattr(loop, "EVALUATION_BATCH", 16)
    found = steps(worker(tmp_path, config("a", batch_size=16)))
    assert [(row["epoch"], row["microbatches"]) for row in found] == [(1, 4), (2, 4)]


def test_parts_give_the_step_of_the_whole_batch(monkeypatch, tmp_path):
    monkeypatch.setitem(MODELS, "alexnet", Greedy)
    monkeypatch.setattr(loop, "EVALUATION_BATCH", 16)
    steps(worker(tmp_path / "parts", config("a", batch_size=16)))
    monkeypatch.setattr(Greedy, "forward", nn.Sequential.forward)
    steps(worker(tmp_path / "whole", config("a", batch_size=16)))
    parts, whole = weights(tmp_path / "parts" / "a"), weights(tmp_path / "whole" / "a")
    assert all(torch.allclose(parts[name], whole[name], atol=1e-6) for name in whole)


def test_a_trial_that_went_on_in_parts_is_resumed_in_parts(monkeypatch, tmp_path):
    monkeypatch.setitem(MODELS, "alexnet", Greedy)
    monkeypatch.setattr(loop, "EVALUATION_BATCH", 16)
    first = worker(tmp_path, config("a", batch_size=16))
    first.step()
    first.cleanup()
    again = worker(tmp_path, config("a", batch_size=16))
    found = steps(again)
    assert [(row["epoch"], row["microbatches"]) for row in found] == [(1, 4), (2, 4)]


def test_a_val_that_does_not_fit_is_asked_in_smaller_batches_and_training_stays(
    tiny, monkeypatch, tmp_path
):
    """A batch in parts is another training: batch normalisation sees the parts."""
    kind = MODELS["alexnet"]
    forward = kind.forward

    def greedy(self: nn.Module, x: Tensor) -> Tensor:
        if not self.training and len(x) > 2:
            raise torch.OutOfMemoryError(f"no room for {len(x)} images")
        return forward(self, x)

    whole = steps(worker(tmp_path / "whole", config("a")))
    monkeypatch.setattr(kind, "forward", greedy)
    found = steps(worker(tmp_path / "parts", config("a")))
    assert [row["microbatches"] for row in found] == [1, 1]
    assert [row["val_accuracy"] for row in found] == [row["val_accuracy"] for row in whole]
    one, other = weights(tmp_path / "whole" / "a"), weights(tmp_path / "parts" / "a")
    assert all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize(("fits", "parts"), [("the batch", 1), ("half a batch", 2)])
def test_a_recording_that_does_not_fit_goes_on_without_a_graph_and_then_in_parts(
    tiny, monkeypatch, tmp_path, fits, parts
):
    """A graph keeps a step's memory to itself, and batch norm in parts is another training."""
    made = loop.step_of

    def recording(hp, model, optimizer, how, even, classes, microbatches):
        if microbatches == 1 and (how == "graphs" or fits == "half a batch"):
            raise torch.OutOfMemoryError("no room for a graph")
        return made(hp, model, optimizer, how, even, classes, microbatches)

    monkeypatch.setattr(loop, "step_of", recording)
    found = steps(worker(tmp_path, config("a"), execution="graphs"))
    assert [(row["epoch"], row["microbatches"]) for row in found] == [(1, parts), (2, parts)]


def test_a_step_is_measured_when_the_trial_before_holds_nothing_and_writes_nothing(
    tiny, monkeypatch, tmp_path
):
    """Its writer's copies from a GPU would break a recording, its network leaves less room."""
    save, hold = checkpoint.save, threading.Event()

    def slow(folder: Any, state: dict[str, Any]) -> None:
        assert hold.wait(300)
        save(folder, state)

    def measured(hp, *given):
        images.append(trial.data is not None)
        if hp.seed == 1:
            seen.append((checkpoint.epochs(tmp_path / "a") != [], model() is None))
        return "eager"

    seen: list[tuple[bool, bool]] = []
    images: list[bool] = []
    monkeypatch.setattr(checkpoint, "save", slow)
    monkeypatch.setattr("study.worker.trial.fastest", measured)
    trial = worker(tmp_path, config("a"), execution="auto")
    trial.step()  # then it is stopped, while its state is written
    model = weakref.ref(trial.epochs.gi_frame.f_locals["model"])
    trial.reset_config(config("b", seed=1))
    threading.Timer(0.2, hold.set).start()
    trial.step()
    trial.cleanup()
    assert seen == [(True, True)] and images == [True, True]


@pytest.mark.parametrize("asked", ["auto", "graphs"])
def test_what_cannot_be_recorded_trains_without_a_graph_unless_one_was_asked_for(
    tiny, monkeypatch, tmp_path, asked
):
    made = loop.step_of

    def recording(hp, model, optimizer, how, *rest):
        if how == "graphs":
            raise NotRecorded("a step of alexnet can't be recorded")
        return made(hp, model, optimizer, how, *rest)

    monkeypatch.setattr(loop, "step_of", recording)
    monkeypatch.setattr("study.worker.trial.fastest", lambda *given: "graphs")
    trial = worker(tmp_path, config("a"), execution=asked)
    if asked == "graphs":
        with pytest.raises(NotRecorded):
            trial.step()
    else:
        assert [(row["epoch"], row["microbatches"]) for row in steps(trial)] == [(1, 1), (2, 1)]


def test_where_not_even_two_images_fit_the_trial_fails(monkeypatch, tmp_path):
    def nothing(self: nn.Module, x: Tensor) -> Tensor:
        raise torch.OutOfMemoryError("no room at all")

    monkeypatch.setitem(MODELS, "alexnet", Greedy)
    monkeypatch.setattr(Greedy, "forward", nothing)
    with pytest.raises(gpu_memory.OutOfMemory, match="epoch 1, batches in 4 part"):
        worker(tmp_path, config("a")).step()


def test_a_search_keeps_no_state_of_a_last_epoch_and_a_confirmation_does(tiny, tmp_path):
    steps(worker(tmp_path / "search", config("a"), keep=False))
    steps(worker(tmp_path / "confirm", config("a"), keep=True))
    assert [path.stem for path in checkpoint.epochs(tmp_path / "search" / "a")] == ["epoch_00001"]
    assert checkpoint.load(tmp_path / "confirm" / "a")["record"]["epoch"] == 2


def test_training_goes_on_while_a_state_is_written(tiny, tmp_path, monkeypatch):
    save, hold = checkpoint.save, threading.Event()

    def slow(folder: Any, state: dict[str, Any]) -> None:
        assert hold.wait(300)
        save(folder, state)

    monkeypatch.setattr(checkpoint, "save", slow)
    trial = worker(tmp_path, config("a", epochs=3))
    first = trial.step()  # comes back although its state isn't written
    record, _ = next(trial.epochs)
    assert (first["epoch"], record.epoch) == (1, 2) and not checkpoint.epochs(tmp_path / "a")
    hold.set()
    trial.cleanup()
    assert checkpoint.load(tmp_path / "a")["record"]["epoch"] == 1


def test_what_is_written_is_the_state_as_it_was_not_as_training_went_on(tiny, tmp_path):
    trial = worker(tmp_path / "a", config("a"))
    trial.step()
    trial.step()
    trial.cleanup()
    alone = worker(tmp_path / "b", config("a"))
    alone.step()
    alone.cleanup()
    first = torch.load(tmp_path / "a" / "a" / "epoch_00001.pt", weights_only=True)["model"]
    assert all(torch.equal(first[n], w) for n, w in weights(tmp_path / "b" / "a").items())


def test_a_trial_that_goes_on_tells_every_epoch_again_and_then_new_ones(tiny, tmp_path):
    begun = worker(tmp_path, config("a", epochs=4))
    told = [begun.step() for _ in range(3)]
    begun.cleanup()
    assert [one["again"] for one in told] == [False] * 3
    again = worker(tmp_path, config("a", epochs=4))
    results = [again.step() for _ in range(4)]
    again.cleanup()
    assert [(one["epoch"], one["again"]) for one in results] == [
        (1, True), (2, True), (3, True), (4, False)
    ]  # fmt: skip
    assert results[:3] == [{**one, "again": True} for one in told], "as they were, times and all"
    assert [record["epoch"] for record in checkpoint.load(tmp_path / "a")["records"]] == [
        1,
        2,
        3,
        4,
    ]


def test_a_state_left_by_another_proposal_of_the_same_number_is_not_gone_on_from(tiny, tmp_path):
    left = worker(tmp_path, config("a", epochs=3))
    for _ in range(3):
        left.step()
    left.cleanup()
    other = worker(tmp_path, config("a", epochs=3, lr=0.5))
    first = other.step()
    other.cleanup()
    assert (first["epoch"], first["again"]) == (1, False)
    assert [path.name for path in checkpoint.epochs(tmp_path / "a")] == ["epoch_00001.pt"]


def test_a_state_of_before_a_hyperparameter_there_was_is_gone_on_from(tiny, tmp_path):
    """As its default, which is what it was trained with."""
    begun = worker(tmp_path, config("a", epochs=3))
    begun.step()
    begun.cleanup()
    again = worker(tmp_path, config("a", epochs=3, class_weights=0.0))
    results = [again.step() for _ in range(2)]
    again.cleanup()
    assert [(one["epoch"], one["again"]) for one in results] == [(1, True), (2, False)]


@pytest.mark.parametrize(
    ("schedule", "first"),
    [("constant", (1, True)), ("plateau", (1, True)), ("cosine", (1, False)), ("step", (1, False))],
)
def test_a_trial_that_got_more_epochs_goes_on_where_its_learning_rate_is_the_same(
    tiny, tmp_path, schedule, first
):
    """--resume with more --epochs threw the states away and trained from the first epoch."""
    begun = worker(tmp_path / "a", config("a", epochs=3, schedule=schedule))
    for _ in range(2):
        begun.step()
    begun.cleanup()
    longer = config("a", epochs=4, schedule=schedule)
    again = worker(tmp_path / "a", longer)
    results = [again.step() for _ in range(4)]
    again.cleanup()
    assert (results[0]["epoch"], results[0]["again"]) == first
    assert [one["done"] for one in results] == [False, False, False, True]
    whole = worker(tmp_path / "b", longer)
    steps(whole)
    both = [weights(tmp_path / one / "a") for one in "ab"]
    assert all(torch.equal(both[0][name], value) for name, value in both[1].items())
