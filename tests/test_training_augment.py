import math

import pytest
import torch
from torch import Tensor

from study.config.hyperparameters import Hyperparameters
from study.training import augment
from study.training.augment import Draws

OFF = dict(flip=0, shift=0, rotation=0, scale=0, erasing=0, brightness=0, contrast=0)
ALL = dict(flip=0.5, shift=0.1, rotation=15, scale=0.2, erasing=0.5, brightness=0.2, contrast=0.3)
SQUARE = [[10, 20, 30, 40], [50, 60, 70, 80], [90, 100, 110, 120], [130, 140, 150, 160]]
RAMP = [[0, 40, 80, 120]] * 4  # linear, so that bilinear sampling is exact


def hp(**given: float) -> Hyperparameters:
    return Hyperparameters(**OFF | given)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def noise(images: int, px: int = 12) -> Tensor:
    return torch.randint(0, 256, (images, 1, px, px), generator=generator(7)).to(torch.uint8)


def drawn(where: Draws) -> dict[str, Tensor]:
    return {name: value for name, value in vars(where).items() if value is not None}


def levels(given: Hyperparameters, image: list[list[int]], mean: float = 0.0) -> Tensor:
    """The image after augmentation, in levels of 0 to 255, (H, W) float32."""
    images = torch.tensor([[image]], dtype=torch.uint8)
    where = augment.draws(given, 1, generator())
    x = augment.batch(images, torch.tensor([0]), where, slice(0, 1), mean, 1.0)
    return 255 * (x[0, 0] + mean)


def close(found: Tensor, wanted: list[list[float]]) -> bool:
    return torch.allclose(found, torch.tensor(wanted, dtype=torch.float32), atol=1e-3)


@pytest.fixture
def most(monkeypatch):
    """Every draw is the largest there is."""
    monkeypatch.setattr(torch, "rand", lambda *shape, generator, device: torch.ones(shape))


@pytest.fixture
def least(monkeypatch):
    """Every draw is the smallest there is."""
    monkeypatch.setattr(torch, "rand", lambda *shape, generator, device: torch.zeros(shape))


def test_off_is_exactly_the_standardised_image():
    images, where = noise(5), augment.draws(hp(), 5, generator())
    assert drawn(where) == {}
    x = augment.batch(images, torch.tensor([3, 0]), where, slice(0, 2), 0.5, 0.25)
    assert x.dtype == torch.float32
    assert torch.equal(x, (images[[3, 0]].float() / 255 - 0.5) / 0.25)


def test_same_seed_same_batch_and_another_seed_another():
    images, index = noise(6), torch.arange(6)
    one, again, other = (
        augment.batch(
            images, index, augment.draws(hp(**ALL), 6, generator(seed)), slice(0, 6), 0.5, 0.25
        )
        for seed in (1, 1, 2)
    )
    assert torch.equal(one, again)
    assert all(not torch.equal(a, b) for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("name", OFF)
def test_each_augmentation_alone_draws_only_what_it_needs(name):
    needs = {"flip": "mirror", "erasing": "box", "brightness": "offset", "contrast": "gain"}
    where = augment.draws(hp(**{name: ALL[name]}), 3, generator())
    assert list(drawn(where)) == [needs.get(name, "affine")]


@pytest.mark.parametrize(
    "name", ["shift", "rotation", "scale", "erasing", "brightness", "contrast"]
)
def test_every_image_draws_its_own(name):
    (value,) = drawn(augment.draws(hp(**{name: 0.5}), 50, generator())).values()
    assert len(value.reshape(50, -1).unique(dim=0)) == 50


def test_flip_of_1_mirrors_exactly():
    assert close(levels(hp(flip=1), SQUARE), [row[::-1] for row in SQUARE])


def test_flip_mirrors_its_share_of_the_images():
    images = noise(2000, px=2)
    where = augment.draws(hp(flip=0.25), 2000, generator())
    x = augment.batch(images, torch.arange(2000), where, slice(0, 2000), 0.0, 1.0)
    plain = images.float() / 255
    kept = (x == plain).flatten(1).all(1)
    mirrored = (x == plain.flip(3)).flatten(1).all(1)
    assert bool((kept | mirrored).all())
    assert 0.22 < (mirrored & ~kept).float().mean() < 0.28


def test_rotation_by_180_flips_both_axes(most):
    assert close(levels(hp(rotation=180), SQUARE), [row[::-1] for row in SQUARE[::-1]])


def test_rotation_by_90_turns_rows_into_columns(most):
    assert close(levels(hp(rotation=90), SQUARE), torch.tensor(SQUARE).rot90().tolist())


def test_rotation_goes_the_other_way_too(least):
    assert close(levels(hp(rotation=90), SQUARE), torch.tensor(SQUARE).rot90(-1).tolist())


def test_shift_of_a_quarter_moves_four_pixels_by_one_and_repeats_the_edge(most):
    assert close(
        levels(hp(shift=0.25), SQUARE),
        [[60, 70, 80, 80], [100, 110, 120, 120], [140, 150, 160, 160], [140, 150, 160, 160]],
    )


def test_shift_goes_the_other_way_too(least):
    assert close(
        levels(hp(shift=0.25), SQUARE),
        [[10, 10, 20, 30], [10, 10, 20, 30], [50, 50, 60, 70], [90, 90, 100, 110]],
    )


def test_scale_of_a_third_more_makes_a_pixel_three_quarters_of_one(most):
    assert close(levels(hp(scale=1 / 3), RAMP), [[15, 45, 75, 105]] * 4)


def test_scale_of_half_less_makes_the_image_half_as_wide(least):
    assert close(levels(hp(scale=0.5), RAMP), [[0, 20, 100, 120]] * 4)


def test_moves_stay_within_their_limits_and_come_near_them():
    affine = augment.draws(hp(rotation=10, scale=0.2, shift=0.1), 4000, generator()).affine
    (a, minus_b, x), (b, d, y) = affine.permute(1, 2, 0)
    assert torch.equal(a, d) and torch.equal(b, -minus_b)
    for value, most in [
        (torch.rad2deg(torch.atan2(b, a)), 10.0),
        (1 / torch.hypot(a, b) - 1, 0.2),
        (x, 0.2),  # of the 2 that an image is wide
        (y, 0.2),
    ]:
        assert -most <= value.min() + 1e-5 and value.max() <= most + 1e-5
        assert value.min() < -0.98 * most and value.max() > 0.98 * most
        assert abs(value.mean()) < 0.05 * most
    assert abs(torch.corrcoef(torch.stack([x, y]))[0, 1]) < 0.05


def test_flip_and_move_in_one_resampling_equal_move_then_flip():
    images, index, moves = noise(20), torch.arange(20), dict(shift=0.2, rotation=30, scale=0.3)
    both = augment.draws(hp(flip=1, **moves), 20, generator(3))
    after_the_flips = generator(3)
    torch.rand(20, generator=after_the_flips)
    alone = augment.draws(hp(**moves), 20, after_the_flips)
    assert both.mirror is None and torch.equal(both.affine[:, :, 1:], alone.affine[:, :, 1:])
    x = augment.batch(images, index, both, slice(0, 20), 0.0, 1.0)
    moved = augment.batch(images, index, alone, slice(0, 20), 0.0, 1.0)
    assert torch.allclose(x, moved.flip(3), atol=1e-5)
    assert not torch.allclose(x, moved, atol=0.1)


def test_flip_with_a_move_still_mirrors_its_share():
    where = augment.draws(hp(flip=0.25, rotation=5), 4000, generator())
    determinant = torch.linalg.det(where.affine[:, :, :2])
    assert torch.allclose(determinant.abs(), torch.ones(4000), atol=1e-5)
    assert 0.22 < (determinant < 0).float().mean() < 0.28


def test_contrast_stretches_about_the_images_own_mean(most):
    image = [[50, 150], [100, 100]]
    assert close(levels(hp(contrast=0.5), image), [[25, 175], [100, 100]])


def test_contrast_of_one_less_is_flat(least):
    assert close(levels(hp(contrast=1), [[50, 150], [100, 100]]), [[100, 100], [100, 100]])


def test_brightness_adds_its_share_of_full_scale_and_stops_at_white(most):
    assert close(levels(hp(brightness=0.2), [[0, 100], [220, 255]]), [[51, 151], [255, 255]])


def test_brightness_goes_down_too_and_stops_at_black(least):
    assert close(levels(hp(brightness=0.2), [[0, 100], [51, 255]]), [[0, 49], [0, 204]])


def test_light_is_clipped_once_after_both():
    images = torch.tensor([[[[100, 200]] * 2]], dtype=torch.uint8)
    light = Draws(None, None, None, torch.tensor([3.0]), torch.tensor([-0.2]))
    x = augment.batch(images, torch.tensor([0]), light, slice(0, 1), 0.0, 1.0)
    assert close(255 * x[0, 0], [[0, 249]] * 2)  # 0 and 300 less 51


def test_box_is_erased_to_the_mean_where_pixel_centres_lie_in_it():
    # centres are at 1/8, 3/8, 5/8, 7/8; the second box has its edges on them; the third is empty
    box = torch.tensor(
        [[0.25, 0.5, 0.75, 1.25], [0.375, 0.125, 0.625, 0.625], [0.3, 0.3, 0.3, 0.3]]
    )
    images = torch.tensor([[SQUARE]] * 3, dtype=torch.uint8)
    x = augment.batch(
        images, torch.arange(3), Draws(None, None, box, None, None), slice(0, 3), 0.5, 0.25
    )
    erased = torch.zeros(3, 1, 4, 4, dtype=torch.bool)
    erased[0, 0, 2:, 1:3] = True
    erased[1, 0, :2, 1] = True
    assert torch.equal(x[erased], torch.zeros(6))
    assert torch.equal(x[~erased], ((images.float() / 255 - 0.5) / 0.25)[~erased])


def test_erasing_blanks_its_share_with_boxes_of_the_papers_size():
    box = augment.draws(hp(erasing=0.25), 4000, generator()).box
    x0, y0, x1, y1 = box.T
    has = x1 > x0
    assert 0.22 < has.float().mean() < 0.28
    assert torch.equal(x0[~has], x1[~has])
    width, height = (x1 - x0)[has], (y1 - y0)[has]
    assert 0.0199 < (width * height).min() < 0.03 and 0.32 < (width * height).max() < 0.3301
    aspect = (width / height).log()
    assert -math.log(3.31) < aspect.min() < -1.1 and 1.1 < aspect.max() < math.log(3.31)
    for low, high in ((x0, x1), (y0, y1)):
        centre = ((low + high) / 2)[has]
        assert 0 <= centre.min() < 0.02 and 0.98 < centre.max() <= 1


def test_erasing_is_after_light_so_that_the_box_is_standardised_to_zero():
    images = noise(30)
    where = augment.draws(hp(erasing=1, brightness=0.5, contrast=0.5), 30, generator())
    x = augment.batch(images, torch.arange(30), where, slice(0, 30), 0.5, 0.25)
    inside = augment.boxes(where.box, 12)
    assert inside.flatten(1).any(1).all() and not inside.all()
    assert torch.equal(x[inside], torch.zeros(int(inside.sum())))


def test_what_an_image_becomes_depends_on_its_place_and_not_on_the_batch_size():
    images, order = noise(10), torch.tensor([4, 1, 9, 0, 7, 3, 8, 2, 6, 5])
    where = augment.draws(hp(**ALL), 10, generator())
    one, three, all_at_once = (
        torch.cat(
            [
                augment.batch(images, order[i : i + size], where, slice(i, i + size), 0.5, 0.25)
                for i in range(0, 10, size)
            ]
        )
        for size in (1, 3, 10)
    )
    assert torch.equal(one, all_at_once) and torch.equal(three, all_at_once)


def test_batch_leaves_the_images_as_they_were():
    images = noise(4)
    before = images.clone()
    where = augment.draws(hp(**ALL), 4, generator())
    augment.batch(images, torch.arange(4), where, slice(0, 4), 0.5, 0.25)
    assert torch.equal(images, before)


def test_images_of_the_right_size_are_not_copied():
    images = noise(2)[:, 0]
    same = augment.resized(images, 12)
    assert same.shape == (2, 1, 12, 12) and same.data_ptr() == images.data_ptr()


@pytest.mark.parametrize(("side", "px"), [(8, 4), (4, 8)])
def test_large_images_are_resized_a_few_at_a_time(monkeypatch, side, px):
    """4096 of 224 pixels a side were .8 GB of floats, three times, in each worker of a machine."""
    images = torch.randint(0, 256, (7, side, side), dtype=torch.uint8)
    whole, sizes, real = augment.resized(images, px), [], augment.F.interpolate
    monkeypatch.setattr(augment, "AT_ONCE", 3 * 8**2)
    monkeypatch.setattr(
        augment.F, "interpolate", lambda x, *a, **k: sizes.append(len(x)) or real(x, *a, **k)
    )
    assert torch.equal(augment.resized(images, px), whole)
    assert sizes == [3, 3, 1]


def test_halving_weighs_neighbours_and_keeps_a_flat_image_flat():
    images = torch.full((4, 8, 8), 77, dtype=torch.uint8)
    images[1, :, :] = torch.arange(0, 80, 10, dtype=torch.uint8)
    images[2], images[3] = 0, 255
    x = augment.resized(images, 4)
    assert (x.dtype, x.shape) == (torch.uint8, (4, 1, 4, 4))
    assert [x[n].unique().tolist() for n in (0, 2, 3)] == [[77], [0], [255]]
    # the triangle over four pixels weighs them 1 3 3 1; at the edge 3 3 1
    assert x[1, 0, 0].tolist() == [7, 25, 45, 63]
