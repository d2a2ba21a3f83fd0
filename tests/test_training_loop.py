import math
import random
import weakref
from dataclasses import replace
from itertools import product
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from fer_models import MODELS
from study import Mistake
from study.config.hyperparameters import Hyperparameters
from study.training import augment, checkpoint, gpu_memory, loop
from study.training.loop import Diverged, EpochRecord, Plateau, Resident, fit, lr_at

CPU = torch.device("cpu")
PLAIN = dict(model="alexnet", image_px=32, flip=0, warmup_epochs=0, schedule="constant")
ROUGH = dict(
    model="alexnet",
    image_px=32,
    dropout=0.5,
    label_smoothing=0.1,
    flip=0.5,
    shift=0.1,
    rotation=15,
    scale=0.2,
    erasing=0.5,
    brightness=0.2,
    contrast=0.2,
)
MEASURED = ("epoch_seconds", "images_per_second", "memory_mib")


def hp(**given: Any) -> Hyperparameters:
    return Hyperparameters(**PLAIN | given)


def faces(labels: list[int], px: int = 32, seed: int = 0) -> SimpleNamespace:
    images = np.random.default_rng(seed).integers(0, 256, (len(labels), px, px), np.uint8)
    return SimpleNamespace(images=images, labels=np.array(labels, np.int64))


def resident(labels: list[int], val: list[int] = (0, 1)) -> Resident:
    return loop.resident(faces(labels), faces(list(val), seed=1), 32, CPU)


def run(given: Hyperparameters, data: Resident, classes: int = 2) -> list[EpochRecord]:
    return [record for record, _ in fit(given, data, classes, CPU)]


def seen(record: EpochRecord | dict) -> dict[str, Any]:
    """A record without what differs between any two runs."""
    whole = record if isinstance(record, dict) else vars(record)
    return {name: value for name, value in whole.items() if name not in MEASURED}


def same(one: Any, other: Any) -> bool:
    """Whether two states are equal to the last bit, but for times and memory."""
    if isinstance(one, Tensor):
        return torch.equal(one, other)
    if isinstance(one, dict):
        keys = one.keys() - MEASURED
        return keys == other.keys() - MEASURED and all(same(one[k], other[k]) for k in keys)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    return type(one) is type(other) and one == other


class Bias(nn.Module):
    """Logits that don't look at the image: they begin at log 3 and 0, that is 3/4 and 1/4."""

    def __init__(self, *, classes: int, dropout: float, batch_norm: bool) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.tensor([math.log(3), 0.0]))

    def forward(self, x: Tensor) -> Tensor:
        return self.bias.repeat(len(x), 1)


@pytest.fixture
def bias(monkeypatch):
    monkeypatch.setitem(MODELS, "alexnet", Bias)


@pytest.fixture
def taken(monkeypatch) -> list[list[int]]:
    """The images of each training batch, as they are taken."""
    batches, batch = [], augment.batch

    def noted(images: Tensor, index: Tensor, *rest: Any) -> Tensor:
        batches.append(index.tolist())
        return batch(images, index, *rest)

    monkeypatch.setattr(augment, "batch", noted)
    return batches


def test_alexnet_overfits_14_images():
    data = resident([0, 1, 2, 3, 4, 5, 6] * 2)
    *_, last = run(hp(epochs=16, batch_size=14, lr=0.01), data, 7)
    assert last.train_accuracy == 1.0 and last.train_loss < 0.01


def test_two_runs_of_one_seed_are_bitwise_equal_and_another_seed_is_not():
    data = resident([0, 1, 2, 3, 4, 5, 6] * 3, [0, 1, 2, 3])
    ended = []
    for global_seed, seed in enumerate((5, 5, 6)):
        torch.manual_seed(global_seed)
        given = Hyperparameters(**ROUGH, epochs=2, batch_size=8, seed=seed)
        *_, (_, state) = fit(given, data, 7, CPU)
        ended.append(state)
    assert same(ended[0], ended[1])
    assert not same(ended[0]["model"], ended[2]["model"])


def resumed_equals_never_stopped(
    given: Hyperparameters, data: Resident, classes: int, folder: Any
) -> dict[str, Any]:
    """Stop after each epoch in turn and go on from the file; the last state of all."""
    records = []
    for record, state in fit(given, data, classes, CPU):
        checkpoint.save(folder / str(record.epoch), state)
        records.append(record)
    assert [record.epoch for record in records] == list(range(1, given.epochs + 1))
    for stop in range(1, given.epochs):
        torch.manual_seed(stop)
        again = checkpoint.load(folder / str(stop))
        later = list(fit(given, data, classes, CPU, again))
        assert [seen(r) for r, _ in later] == [seen(r) for r in records[stop:]], stop
        assert same(later[-1][1], state), stop
    assert list(fit(given, data, classes, CPU, checkpoint.load(folder / str(stop + 1)))) == []
    return state


@pytest.mark.parametrize(
    ("optimizer", "schedule"),
    list(product(["sgd", "adam", "adamw"], ["constant", "step", "cosine", "plateau"])),
)
def test_stopping_after_any_epoch_and_resuming_equals_never_having_stopped(
    tmp_path, tiny, optimizer, schedule
):
    # One val image: val_accuracy can rise twice at most, so that patience 0 decays in time.
    data = resident([0, 1, 2, 3] * 5, [0])
    given = Hyperparameters(
        **ROUGH,
        optimizer=optimizer,
        schedule=schedule,
        epochs=4,
        batch_size=8,
        lr=0.01,
        warmup_epochs=0.5,
        patience=0,
    )
    if schedule == "cosine":  # with what unequal classes get
        given = replace(given, class_weights=0.5, balanced_sampling=0.5, logit_adjustment=1.0)
    state = resumed_equals_never_stopped(given, data, 4, tmp_path)
    assert (state["record"]["lr"] == given.lr) == (schedule == "constant")
    assert (state["plateau"]["factor"] < 1) == (schedule == "plateau")


def test_resuming_the_true_alexnet_equals_never_having_stopped(tmp_path):
    data = resident([0, 1, 2, 3, 4, 5, 6] * 3, [0, 1, 2])
    given = Hyperparameters(**ROUGH, optimizer="adamw", epochs=2, batch_size=10, lr=0.001)
    resumed_equals_never_stopped(given, data, 7, tmp_path)


def test_every_image_is_taken_once_an_epoch_in_another_order(taken, bias):
    run(hp(epochs=2, batch_size=5), resident([0, 1] * 5))
    assert [len(batch) for batch in taken] == [5, 5] * 2
    first, second = sum(taken[:2], []), sum(taken[2:], [])
    assert sorted(first) == sorted(second) == list(range(10))
    assert first != second and first != sorted(first)


def test_order_is_of_the_seed_and_not_of_the_batch_size(taken, bias):
    data = resident([0, 1] * 6)
    for seed, batch_size in ((1, 4), (1, 6), (2, 12)):
        run(hp(epochs=1, batch_size=batch_size, seed=seed), data)
    assert sum(taken[:3], []) == sum(taken[3:5], []) != taken[5]


@pytest.mark.parametrize("microbatches", [1, 2])
def test_images_that_fill_no_whole_batch_are_left_out_others_in_each_epoch(
    taken, bias, microbatches
):
    data, given = resident([0] * 11), hp(epochs=3, batch_size=4, lr=1e-30)
    records = [record for record, _ in fit(given, data, 2, CPU, microbatches=microbatches)]
    assert [len(batch) for batch in taken] == [4, 4] * 3
    epochs = [{*taken[at], *taken[at + 1]} for at in (0, 2, 4)]
    assert [len(epoch) for epoch in epochs] == [8, 8, 8], "no image twice"
    assert len({frozenset(epoch) for epoch in epochs}) == 3
    for record in records:
        assert record.train_accuracy == 1.0
        assert record.train_loss == pytest.approx(-math.log(0.75), abs=1e-6)


def test_batch_normalisation_is_stepped_by_whole_batches_alone(tiny):
    ((_, state),) = fit(hp(epochs=1, batch_size=8), resident([0, 1] * 9), 2, CPU)
    assert state["model"]["1.num_batches_tracked"] == 2


def test_batches_of_one_image_take_all(taken, bias):
    run(hp(epochs=1, batch_size=1), resident([0, 1, 1]))
    assert sorted(taken) == [[0], [1], [2]]


def test_loss_and_accuracy_of_a_case_worked_out_by_hand(bias, monkeypatch):
    # 3/4 for class 0, 1/4 for class 1; val in batches of unequal size, weighed by their images
    monkeypatch.setattr(loop, "EVALUATION_BATCH", 2)
    data = resident([0, 0, 0, 0, 0, 1], [0, 1, 1])
    (record,) = run(hp(epochs=1, batch_size=3, lr=1e-30), data)
    right, wrong = -math.log(0.75), -math.log(0.25)
    assert record.train_loss == pytest.approx((5 * right + wrong) / 6, abs=1e-6)
    assert record.val_loss == pytest.approx((right + 2 * wrong) / 3, abs=1e-6)
    assert (record.train_accuracy, record.val_accuracy) == (5 / 6, 1 / 3)
    assert (record.epoch, record.lr) == (1, 1e-30)


def test_label_smoothing_is_trained_on_but_plain_cross_entropy_is_reported(bias):
    data = resident([0, 0, 0, 1])
    ((plain, sharp),) = fit(hp(epochs=1, batch_size=4, momentum=0, lr=0.1), data, 2, CPU)
    ((smooth, soft),) = fit(
        hp(epochs=1, batch_size=4, momentum=0, lr=0.1, label_smoothing=0.2), data, 2, CPU
    )
    assert plain.train_loss == smooth.train_loss
    assert plain.train_loss == pytest.approx(-(3 * math.log(0.75) + math.log(0.25)) / 4, abs=1e-6)
    # The labels' mean is 3/4, as predicted: no gradient. Smoothed it is 0.8 x 3/4 + 0.1 = 0.7.
    start = torch.tensor([math.log(3), 0.0])
    assert torch.allclose(sharp["model"]["bias"], start, atol=1e-6)
    wanted = start - 0.1 * torch.tensor([0.05, -0.05])
    assert torch.allclose(soft["model"]["bias"], wanted, atol=1e-6)


@pytest.mark.parametrize(
    ("given", "epochs", "wanted"),
    [
        (dict(), [0, 1.5, 3.75], [1.0, 1.0, 1.0]),
        (dict(warmup_epochs=2), [0, 0.25, 1, 1.5, 1.75, 2], [0.125, 0.25, 0.625, 0.875, 1, 1]),
        (dict(warmup_epochs=0.1), [0, 0.25], [1.0, 1.0]),
        (dict(schedule="cosine"), [0, 1, 2, 3], [1, (2 + 2**0.5) / 4, 0.5, (2 - 2**0.5) / 4]),
        (dict(schedule="cosine", warmup_epochs=2), [0, 1.75, 2, 3, 4], [0.125, 1, 1, 0.5, 0]),
        (dict(schedule="cosine", warmup_epochs=4), [0, 3.75], [0.0625, 1]),
        (dict(schedule="cosine", warmup_epochs=8), [0, 3.75], [0.03125, 0.5]),
        (
            dict(schedule="step", lr_steps=3, lr_decay=0.5),
            [0, 0.75, 1, 2, 2.75, 3, 3.75],
            [1, 1, 0.5, 0.25, 0.25, 0.125, 0.125],
        ),
        (dict(schedule="step", lr_steps=1, warmup_epochs=4), [1.75, 2], [0.5, 0.05625]),
        (dict(schedule="plateau", warmup_epochs=1), [0, 0.75, 2], [0.25, 1, 1]),
    ],
)
def test_learning_rate_by_hand_with_four_steps_an_epoch(given, epochs, wanted):
    given = hp(**dict(lr=1, epochs=4) | given)
    assert [lr_at(given, at, 4) for at in epochs] == pytest.approx(wanted, abs=1e-12)


def test_step_schedule_decays_exactly_at_its_epochs():
    given = hp(lr=1, epochs=9, schedule="step", lr_steps=2, lr_decay=0.5)
    assert [lr_at(given, epoch, 3) for epoch in range(9)] == [1] * 3 + [0.5] * 3 + [0.25] * 3


def test_record_has_the_learning_rate_of_the_epochs_last_step(bias):
    given = hp(epochs=3, batch_size=2, lr=0.5, warmup_epochs=2)
    assert [r.lr for r in run(given, resident([0, 1] * 2))] == [0.25, 0.5, 0.5]


def test_the_rate_in_force_is_the_one_that_is_applied(bias):
    # No gradient but the labels': 1 image of class 1, predicted 3/4 to 1/4, momentum 0.
    given = hp(epochs=1, batch_size=1, lr=0.5, momentum=0, warmup_epochs=1)
    ((_, state),) = fit(given, resident([1]), 2, CPU)
    wanted = torch.tensor([math.log(3) - 0.5 * 0.75, 0.5 * 0.75])
    assert torch.allclose(state["model"]["bias"], wanted, atol=1e-6)


def test_plateau_decays_after_more_epochs_without_a_better_value_than_patience():
    plateau = Plateau(hp(schedule="plateau", patience=1, lr_decay=0.5))
    factors = []
    for value in (0.5, 0.5, 0.6, 0.6, 0.5, 0.6, 0.7, 0.1, 0.1):
        plateau.saw(value)
        factors.append(plateau.factor)
    assert factors == [1, 1, 1, 1, 0.5, 0.5, 0.5, 0.5, 0.25]


def test_only_the_plateau_schedule_follows_the_plateau():
    plateau = Plateau(hp(schedule="constant", patience=0))
    for value in (0.5, 0.4, 0.3):
        plateau.saw(value)
    assert plateau.factor == 1


def test_plateau_acts_on_the_epochs_after_it(bias):
    given = hp(epochs=6, batch_size=2, lr=1e-9, schedule="plateau", patience=1, lr_decay=0.5)
    rates = [r.lr / 1e-9 for r in run(given, resident([0, 1]))]
    assert rates == [1, 1, 1, 0.5, 0.5, 0.25]


def test_plateau_is_one_of_the_metric_that_the_study_follows(monkeypatch):
    """Accuracy stands still, macro-F1 grows: only a study of the latter goes on undecayed."""
    grows = iter(range(100))

    def measured(_):
        return {"val_accuracy": 0.5, "val_balanced_accuracy": 0.5, "val_macro_f1": next(grows) / 99}

    monkeypatch.setattr(loop, "measured", measured)
    given = hp(epochs=4, batch_size=2, lr=1e-9, schedule="plateau", patience=0, lr_decay=0.5)

    def rates(objective):
        found = fit(given, resident([0, 1]), 2, CPU, objective=objective)
        return [record.lr / 1e-9 for record, _ in found]

    assert rates("val_macro_f1") == [1, 1, 1, 1]
    assert rates("val_accuracy") == [1, 1, 0.5, 0.25]


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "adamw"])
def test_weights_are_decayed_and_biases_and_norms_are_not(optimizer):
    given = hp(optimizer=optimizer, weight_decay=0.01, batch_norm=True)
    model = loop.network(given, 7, CPU)
    decay = {}
    for group in loop.optimiser(given, model).param_groups:
        decay |= {id(p): group["weight_decay"] for p in group["params"]}
    found = {name: decay[id(p)] for name, p in model.named_parameters()}
    weights = [f"layer{n}.conv.weight" for n in range(1, 6)]
    weights += ["layer6.fc.weight", "layer7.fc.weight", "layer8.weight"]
    assert {name for name, rate in found.items() if rate == 0.01} == set(weights)
    assert {rate for name, rate in found.items() if name not in weights} == {0.0}
    assert {"layer1.norm.weight", "layer1.norm.bias", "layer6.fc.bias"} < set(found)


def test_each_optimiser_is_torchs_own():
    model = loop.network(hp(), 7, CPU)
    sgd = loop.optimiser(hp(momentum=0.8), model)
    plain = loop.optimiser(hp(momentum=0), model)
    assert type(sgd).__bases__ == type(plain).__bases__ == (torch.optim.SGD,)
    assert [sgd.defaults[k] for k in ("momentum", "nesterov")] == [0.8, True]
    assert [plain.defaults[k] for k in ("momentum", "nesterov")] == [0, False]
    adam = type(loop.optimiser(hp(optimizer="adam"), model))
    assert adam.__bases__ == (torch.optim.Adam,)
    adamw = type(loop.optimiser(hp(optimizer="adamw"), model))
    assert adamw.__bases__ == (torch.optim.AdamW,)


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "adamw"])
def test_an_optimisers_fused_step_is_its_plain_one(optimizer):
    """On channels-last weights, too, of which torch's fused kernels see the memory alone."""
    given = hp(optimizer=optimizer, weight_decay=0.01, lr=0.01)
    model, twin = loop.network(given, 7, CPU), loop.network(given, 7, CPU)
    fused, plain = loop.optimiser(given, model), loop.optimiser(given, twin)
    assert all(group["fused"] for group in fused.param_groups)
    for group in plain.param_groups:
        group["fused"] = False
    before = [p.detach().clone() for p in model.parameters()]
    faces = torch.rand(8, 1, 32, 32)
    for _ in range(3):
        fused.zero_grad()
        model(faces).square().sum().backward()
        for p, other in zip(model.parameters(), twin.parameters(), strict=True):
            other.grad = p.grad.clone()
        fused.step()
        plain.step()
    for old, p, other in zip(before, model.parameters(), twin.parameters(), strict=True):
        assert torch.allclose(p, other, rtol=1e-4, atol=1e-6) and not torch.equal(p, old)


def test_a_loss_that_is_no_number_raises_diverged(tiny):
    data = resident([0, 1] * 4)
    with pytest.raises(Diverged, match=r"^loss is not a number in epoch 1 \(train "):
        run(hp(epochs=3, batch_size=2, lr=1e30), data)


def test_too_large_a_batch_is_refused(tiny):
    data = resident([0, 1])
    assert len(run(hp(epochs=1, batch_size=2), data)) == 1
    with pytest.raises(Mistake) as caught:
        run(hp(epochs=1, batch_size=3), data)
    assert str(caught.value) == (
        "batch_size is 3, but there are 2 training images: choose at most that"
    )


def test_global_generators_are_left_as_they_were(tiny):
    def states() -> tuple[list, Any, Any]:
        return torch.get_rng_state().tolist(), np.random.get_state()[1].tolist(), random.getstate()

    before = states()
    for _ in fit(Hyperparameters(**ROUGH, epochs=2, batch_size=4), resident([0, 1] * 4), 2, CPU):
        assert states() == before
    assert states() == before


def test_validation_is_never_augmented_and_without_dropout(tiny):
    data = resident([0, 1] * 4, [0, 1] * 4)
    rough, plain = Hyperparameters(**ROUGH), hp(dropout=0.5)
    model = loop.network(rough, 2, CPU)
    found, counts = loop.evaluate(rough, model, data, 2)
    for again in (rough, plain):
        loss, cells = loop.evaluate(again, model, data, 2)
        assert loss == found and (cells == counts).all()
    x = augment.standardised(data.val_images.float() / 255, data.mean, data.std)
    loss = nn.functional.cross_entropy(model.eval()(x), data.val_labels)
    assert found == pytest.approx(loss.item(), abs=1e-6)


def test_the_measures_of_val_are_scikit_learns():
    from sklearn.metrics import accuracy_score, balanced_accuracy_score, f1_score

    truth = [0] * 6 + [1] * 3 + [2]
    said = [0, 0, 0, 0, 1, 1, 1, 1, 0, 0]  # class 2 is never answered
    counts = np.zeros((3, 3), int)
    np.add.at(counts, (truth, said), 1)
    assert loop.measured(counts) == pytest.approx(
        {
            "val_accuracy": accuracy_score(truth, said),
            "val_balanced_accuracy": balanced_accuracy_score(truth, said),
            "val_macro_f1": f1_score(truth, said, average="macro"),
        }
    )


def test_prediction_is_the_probability_that_validation_judged(tmp_path, tiny, monkeypatch):
    monkeypatch.setattr(loop, "EVALUATION_BATCH", 3)
    train_faces, val_faces = faces([0, 1, 2] * 4, 48), faces([0, 1, 2, 0, 1, 2, 0], 48, seed=1)
    data = loop.resident(train_faces, val_faces, 32, CPU)
    given = hp(epochs=2, batch_size=6, dropout=0.5)
    *_, (record, state) = fit(given, data, 3, CPU)
    checkpoint.save(tmp_path, state)
    p = loop.predict(given, val_faces.images, 3, CPU, checkpoint.load(tmp_path))
    assert (p.shape, p.dtype) == ((7, 3), np.float32)
    assert p.sum(1) == pytest.approx(np.ones(7), abs=1e-6)
    assert (p.argmax(1) == val_faces.labels).mean() == record.val_accuracy
    picked = p[np.arange(7), val_faces.labels]
    assert -np.log(picked).mean() == pytest.approx(record.val_loss, abs=1e-5)


def test_both_splits_are_scaled_by_the_training_images():
    dark = SimpleNamespace(images=np.zeros((2, 32, 32), np.uint8), labels=np.array([0, 1]))
    dark.images[0] = 255
    bright = SimpleNamespace(images=np.full((1, 32, 32), 200, np.uint8), labels=np.array([0]))
    data = loop.resident(dark, bright, 32, CPU)
    assert data.mean == 0.5 and data.std == pytest.approx(0.5, abs=1e-3)
    assert (data.val_images.shape, data.val_images.dtype) == ((1, 1, 32, 32), torch.uint8)
    flat = loop.resident(bright, dark, 32, CPU)
    assert flat.std == 1 / 255


def test_images_at_their_own_size_are_shared_even_when_read_only():
    split = faces([0, 1])
    split.images.flags.writeable = split.labels.flags.writeable = False
    data = loop.resident(split, split, 32, CPU)
    assert data.train_images.data_ptr() == split.images.ctypes.data


def test_first_weights_are_of_the_seed_alone():
    torch.manual_seed(1)
    one = loop.network(hp(seed=3, lr=0.1), 7, CPU).state_dict()
    torch.manual_seed(2)
    assert same(one, loop.network(hp(seed=3, batch_size=7), 7, CPU).state_dict())
    assert not same(one, loop.network(hp(seed=4), 7, CPU).state_dict())


def test_seeds_of_all_purposes_and_epochs_differ():
    found = {
        loop.derived(seed, epoch, purpose)
        for seed, epoch, purpose in product(range(5), range(5), ["init", "order", "dropout"])
    }
    assert len(found) == 75 and loop.derived(1, 2, "order") == loop.derived(1, 2, "order")


def test_autocast_is_on_where_asked_for_and_by_default_off_on_a_cpu():
    found = {}
    for precision in ("auto", "float32", "bfloat16"):
        with loop.autocast(hp(precision=precision), CPU):
            found[precision] = nn.functional.linear(torch.ones(1, 1), torch.ones(1, 1)).dtype
    assert found == {
        "auto": torch.float32,
        "float32": torch.float32,
        "bfloat16": torch.bfloat16,
    }


def test_record_says_what_it_cost(tiny):
    (record,) = run(hp(epochs=1, batch_size=4), resident([0, 1] * 4))
    assert 0 < 8 / record.images_per_second < record.epoch_seconds < 60
    assert 50 < record.memory_mib < 1_000_000


def test_how_many_images_are_augmented_at_once_changes_nothing(tiny, monkeypatch):
    rough, data = Hyperparameters(**ROUGH, epochs=2, batch_size=4), resident([0, 1] * 9)
    alone = list(fit(rough, data, 2, CPU))[-1]
    monkeypatch.setitem(augment.AHEAD, "cpu", 12 * 32**2)
    together = list(fit(rough, data, 2, CPU))[-1]
    assert seen(alone[0]) == seen(together[0]) and same(alone[1], together[1])


def test_only_a_want_of_memory_becomes_out_of_memory():
    with pytest.raises(gpu_memory.OutOfMemory, match="epoch 3, batches in 2 part"):
        with gpu_memory.noticing_memory(3, 2):
            torch.empty(2**60, dtype=torch.uint8)
    with pytest.raises(RuntimeError, match="shape") as caught:
        with gpu_memory.noticing_memory(3, 2):
            raise RuntimeError("a shape doesn't fit")
    assert type(caught.value) is RuntimeError


@pytest.mark.parametrize(
    "said",
    [
        "CUDA error: out of memory",
        "cuDNN error: CUDNN_STATUS_ALLOC_FAILED",
        "GET was unable to find an engine to execute this computation",
    ],
)
def test_a_want_of_memory_is_known_by_the_words_of_each_library(said):
    assert gpu_memory.for_want_of_memory(RuntimeError(said))
    assert not gpu_memory.for_want_of_memory(ValueError(said))


def test_a_want_of_memory_is_seen_behind_the_error_that_ends_a_recording():
    with pytest.raises(gpu_memory.OutOfMemory):
        with gpu_memory.noticing_memory(3, 2):
            try:
                raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
            finally:
                raise RuntimeError("CUDA error: operation failed due to a previous error")


def test_large_images_are_not_augmented_by_the_thousand(bias, taken, monkeypatch):
    """On a GPU 8192 images of 512 pixels a side took 34 GB, however small a batch's parts were."""
    monkeypatch.setitem(augment.AHEAD, "cpu", 8 * 32**2)
    run(hp(epochs=1, batch_size=2), resident([0, 1] * 8))
    data = loop.resident(faces([0, 1] * 8), faces([0, 1]), 64, CPU)
    run(hp(epochs=1, batch_size=2, image_px=64), data)
    assert [len(batch) for batch in taken] == [8, 8] + [2] * 8


def test_parts_sum_to_the_loss_of_the_whole(bias):
    data, given = resident([0, 0, 1, 1, 1]), hp(batch_size=5, lr=0.1, epochs=2)
    whole = [record.train_loss for record, _ in fit(given, data, 2, CPU)]
    cut = [record.train_loss for record, _ in fit(given, data, 2, CPU, microbatches=2)]
    assert cut == pytest.approx(whole, abs=1e-6)


def test_the_scaling_of_a_split_is_exact_and_takes_no_copy_of_it_as_floats(monkeypatch):
    images = torch.randint(0, 256, (50, 1, 32, 32), dtype=torch.uint8)
    exact = images.double() / 255
    with monkeypatch.context() as patched:
        patched.setattr(torch.Tensor, "float", None)
        mean, std = loop.scaling(images)
    assert mean == pytest.approx(exact.mean().item(), rel=1e-12)
    assert std == pytest.approx(exact.std().item(), rel=1e-12)
    assert loop.scaling(torch.full((3, 1, 8, 8), 7, dtype=torch.uint8)) == (7 / 255, 1 / 255)


def test_faces_are_resized_a_part_at_a_time(monkeypatch):
    alive, most = 0, 0
    interpolate = torch.nn.functional.interpolate

    def counted(some, *given, **named):
        nonlocal alive, most
        whole = interpolate(some, *given, **named)
        alive += 1
        most = max(most, alive)
        weakref.finalize(whole, lambda: gone())
        return whole

    def gone():
        nonlocal alive
        alive -= 1

    monkeypatch.setattr(augment.F, "interpolate", counted)
    images = torch.randint(0, 256, (3 * 4096, 8, 8), dtype=torch.uint8)
    assert augment.resized(images, 4).shape == (3 * 4096, 1, 4, 4)
    assert most <= 2
