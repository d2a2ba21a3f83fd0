import numpy as np
import pytest
import torch

from fer_models import MODELS
from study.config.hyperparameters import Hyperparameters
from study.training import attention, augment, loop

CPU = torch.device("cpu")


def trained(**given) -> tuple[Hyperparameters, dict]:
    """A network as it was initialised, with the scaling that a state has."""
    hp = Hyperparameters(model="cbam_resnet34", precision="float32", **given)
    model = loop.network(hp, 3, CPU)
    return hp, {"model": model.state_dict(), "scaling": {"mean": 0.5, "std": 0.25}}


def faces(images: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (images, 48, 48)).astype(np.uint8)


@pytest.mark.parametrize(
    ("given", "side"),
    [
        ({"stem": "small"}, 6),  # 48, 24, 12, 6
        ({"stem": "imagenet"}, 6),  # 12, 6, 3, 2
        ({"stem": "imagenet", "image_px": 64, "cbam_order": "parallel"}, 8),  # 16, 8, 4, 2
        ({"stem": "imagenet", "image_px": 32}, 8),  # 8, 4, 2, 1
    ],
)
def test_a_map_is_of_the_last_gate_that_is_fine_enough_with_weights_from_0_to_1(given, side):
    found = attention.maps(*trained_first(given, faces(2)))
    assert (found.shape, found.dtype) == ((2, side, side), np.float16)
    assert (found > 0).all() and (found < 1).all() and found.std() > 0


def trained_first(given: dict, images: np.ndarray) -> tuple:
    hp, state = trained(**given)
    return hp, images, 3, CPU, state


def test_a_map_is_what_its_spatial_gate_returns_over_all_batches(monkeypatch):
    hp, state = trained(stem="imagenet", image_px=32)
    images = faces(5)
    monkeypatch.setattr(loop, "EVALUATION_BATCH", 2)
    found = attention.maps(hp, images, 3, CPU, state)
    model = MODELS["cbam_resnet34"](classes=3, **hp.options)
    model.load_state_dict(state["model"])
    gates = [m for name, m in model.named_modules() if name.endswith("gate.spatial")]
    seen = []
    gates[2].register_forward_hook(lambda gate, given, weights: seen.append(weights))
    with torch.no_grad():
        x = augment.resized(loop.on_device(images, CPU), 32).float() / 255
        model.eval()(augment.standardised(x, 0.5, 0.25))
    assert np.allclose(found, seen[0][:, 0].numpy(), atol=1e-3)


@pytest.mark.parametrize("microbatches", [1, 4])
def test_what_was_trained_in_parts_is_asked_in_parts_and_in_fewer_where_memory_runs_out(
    monkeypatch, microbatches
):
    """After hours of training a network gave no answers: it was asked about 512 faces at once."""
    hp, state = trained(stem="imagenet", image_px=32)
    images, asked = faces(9), []
    plain = loop.predict(hp, images, 3, CPU, state), attention.maps(hp, images, 3, CPU, state)
    monkeypatch.setattr(loop, "EVALUATION_BATCH", 8)
    outputs = loop.trained

    def with_little_memory(*given):
        model = outputs(*given)

        def enough(part, given):
            asked.append(len(given[0]))
            if len(given[0]) > 2:
                raise RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB")

        model.layer4.register_forward_pre_hook(enough)
        return model

    monkeypatch.setattr(loop, "trained", with_little_memory)
    state["microbatches"] = microbatches
    answers = loop.predict(hp, images, 3, CPU, state)
    assert asked == {1: [8, 4], 4: []}[microbatches] + [2, 2, 2, 2, 1]
    np.testing.assert_allclose(answers, plain[0], atol=1e-4)
    found = attention.maps(hp, images, 3, CPU, state)
    assert found.shape == plain[1].shape and np.allclose(found, plain[1], atol=1e-3)


def test_another_error_is_no_want_of_memory(monkeypatch):
    hp, state = trained(stem="imagenet", image_px=32)

    def broken(*given, **named):
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")

    monkeypatch.setattr(loop, "outputs", broken)
    with pytest.raises(RuntimeError, match="shapes"):
        loop.predict(hp, faces(2), 3, CPU, state)
