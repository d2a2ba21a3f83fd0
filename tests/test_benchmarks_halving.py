"""The rules that benchmarks.halving compares, worked out by hand."""

from pathlib import Path

import numpy as np
import pytest
from test_results_load import epochs, folder, header, trial

from benchmarks import halving

PUBLISHED = Path(__file__).parent.parent / "results" / "published" / "full-curves"


def curve(*knots):
    """A curve of nine epochs with these values at epochs 1, 3 and 9."""
    return np.interp(range(1, 10), [1, 3, 9], knots)


def test_asha_runs_on_who_is_no_lower_than_the_best_third():
    curves = np.array([[0.5, 0.5, 0.6], [0.4, 0.9, 0.9], [0.5, 0.55, 0.7]])
    # the second: .4 < .5; the third: .5 > two thirds of the way from .4 to .5
    assert halving.halved(curves, grace=1, factor=3) == (3 + 1 + 3, [(3, 0.6), (7, 0.7)])
    assert halving.halved(curves, grace=3, factor=3) == (9, [(3, 0.6), (6, 0.9), (9, 0.7)])


def test_promoting_asha_goes_on_with_the_best_third_of_those_that_came_there():
    first = [0.5, 0.4, 0.6, 0.3, 0.2, 0.1]
    curves = np.array([curve(value, value + 0.1, value + 0.2) for value in first])
    # six first epochs; of three the third is the best, of six also the first: two go on to epoch 3;
    # of two none is a third, so the best is trained to the end
    assert halving.promoting(curves, grace=1, factor=3) == (6 + 2 + 2 + 6, [(16, 0.8)])
    # the seventh is the second of seven, and then the best of three at epoch 3: it goes on at once
    more = np.vstack([curves, [curve(value, 0.9, 0.95) for value in (0.55, 0.05, 0.04)]])
    assert halving.promoting(more, grace=1, factor=3) == (7 + 6 + 6 + 2, [(19, 0.95)])


def test_a_good_first_trial_is_one_of_the_best_and_the_others_keep_their_order():
    curves = np.arange(10.0)[:, None] * np.ones(3)
    firsts = {halving.begun_well(curves, 0.2, seed)[0, 0] for seed in range(30)}
    assert firsts == {8.0, 9.0}
    begun = halving.begun_well(curves, 0.1, 0)
    assert begun[:, 0].tolist() == [9, *range(9)]


def test_pasha_stays_at_the_second_rung_while_both_rank_alike():
    curves = np.array([curve(0.5, 0.6, 0.9), curve(0.4, 0.8, 0.8), curve(0.6, 0.7, 0.75)])
    # 3 + 1 + 3 epochs, and the best of the third epoch is trained for the other six
    assert halving.progressive(curves, grace=1, factor=3) == (13, [(13, 0.75)])
    below = np.vstack([curves, curve(0.47, 0.9, 0.9)])  # two thirds of the way: .5
    assert halving.progressive(below, grace=1, factor=3) == (14, [(14, 0.75)])


def test_pasha_goes_up_a_rung_where_two_rank_otherwise():
    curves = np.array([curve(0.5, 0.6, 0.9), curve(0.4, 0.8, 0.8), curve(0.6, 0.55, 0.75)])
    # the first and the third change places at epoch 3, so both are trained to the end
    assert halving.progressive(curves, grace=1, factor=3) == (9 + 1 + 9, [(19, 0.9)])


def test_the_best_after_their_first_epochs_are_trained_to_the_end():
    curves = np.array([[0.1, 0.2, 0.9], [0.3, 0.3, 0.5], [0.2, 0.4, 0.6]])
    assert halving.best_of_first(curves, first=1, kept=2) == (3 + 2 + 2, [(5, 0.5), (7, 0.6)])
    assert halving.best_of_first(curves, first=2, kept=1) == (6 + 1, [(7, 0.6)])


def test_median_stopping_compares_the_best_so_far_with_the_others_means():
    three = [[0.2, 0.4, 0.6], [0.4, 0.6, 0.8], [0.6, 0.8, 1.0]]  # means .2 .3, .4 .5, .6 .7
    slow, falling, late = [0.3, 0.45, 0.9], [0.55, 0.1, 0.2], [0.45, 0.45, 0.9]
    ends = [(3, 0.6), (6, 0.8), (9, 1.0)]
    assert halving.medians(np.array([*three, slow]), grace=1) == (10, ends)
    assert halving.medians(np.array([*three, slow]), grace=2) == (11, ends)
    assert halving.medians(np.array([*three, falling]), grace=1) == (12, [*ends, (12, 0.2)])
    # of a trial that was stopped only the epochs that it had are compared with
    assert halving.medians(np.array([*three, slow, late]), grace=1) == (12, ends)
    assert halving.medians(np.array([*three[:2], slow]), grace=1)[0] == 9  # too few to judge by


def test_how_long_until_a_trial_ends_near_the_best():
    ends = [(3, 0.5), (8, 0.7), (9, 0.71)]
    assert halving.until(ends, 0.7) == 8
    assert halving.until(ends, 0.8) is None


def test_only_trials_of_the_search_that_came_to_an_end_are_replayed(tmp_path):
    rows = [trial("t0"), trial("t1", status="stopped"), trial("t2", "resnet34"), trial("t3")]
    curves = [*epochs("t0", [0.1, 0.3]), *epochs("t1", [0.2]), *epochs("t2", [0.3, 0.4])]
    curves += epochs("t3", [0.4, 0.5])
    rows[3]["stage"] = "confirm"
    found = halving.full_curves(folder(tmp_path / "s", header(), rows, curves, []))
    assert {name: frame.to_numpy().tolist() for name, frame in found.items()} == {
        "alexnet": [[0.1, 0.3]],
        "resnet34": [[0.3, 0.4]],
    }


@pytest.fixture(scope="module")
def land():
    curves = halving.full_curves(PUBLISHED)["alexnet"]
    return halving.Landscape(PUBLISHED, "alexnet", curves)


def test_a_made_up_trial_is_a_smooth_curve_and_what_was_not_explained(land):
    smooth = np.array([land.smooth(place) for place in land.places])
    assert smooth + land.noise == pytest.approx(land.stored)
    assert smooth.min() >= land.stored.min() and smooth.max() <= land.stored.max()
    alike = land.stored - land.stored.mean(0)
    assert np.abs(land.noise).mean() < 0.9 * np.abs(alike).mean()
    (point,) = land.points(1, seed=3)
    made = land.curve(point, np.random.default_rng(0))
    rest = made - land.smooth(land.place(point))
    assert np.isclose(land.noise, rest).all(1).any()
    assert land.curves(5, seed=1).shape == (5, land.stored.shape[1])
    assert (land.curves(5, seed=1) == land.curves(5, seed=1)).all()


def test_a_place_is_where_a_value_lies_on_its_own_axis(land):
    names = [*land.space]
    at = next(i for i, name in enumerate(names) if name.rpartition(".")[2] == "lr")
    domain = land.space[names[at]]
    (point,) = land.points(1, seed=0)
    first = [land.place({**point, names[at]: value}) for value in (domain.low, domain.high)]
    middle = land.place({**point, names[at]: (domain.low * domain.high) ** 0.5})
    assert first[1] - first[0] == pytest.approx(2 * (middle - first[0]))  # log: the geometric mean
    assert np.abs(first[1] - first[0]).sum() == pytest.approx(1)


def test_a_searchs_lack_is_asked_after_each_budget_without_noise(land):
    lacking = halving.searched(land, None, 0, (1, 30))
    assert len(lacking) == 2 and lacking == halving.searched(land, None, 0, (1, 30))
    (first,) = land.points(1, seed=0)  # the sampler's first proposal
    assert lacking[0] == pytest.approx(land.best - land.smooth(land.place(first))[-1])
