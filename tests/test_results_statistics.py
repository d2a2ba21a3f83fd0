"""The statistics against cases worked by hand and against scipy and statsmodels."""

import subprocess
import sys
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.calibration import calibration_curve
from sklearn.metrics import balanced_accuracy_score, confusion_matrix, f1_score
from statsmodels.api import OLS
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

from fer_stats import crossed
from fer_stats.share import wilson
from results.facts import statistics as st
from results.facts.search import adjusted, eta_squared


def rng():
    return np.random.default_rng(1)


def test_wilson_by_hand():
    # z = 1.959964, 8 of 10: (0.8 + z²/20 ± z √(0.016 + z²/400)) / (1 + z²/10)
    low, high = wilson(8, 10)
    assert (round(low, 4), round(high, 4)) == (0.4902, 0.9433)
    assert np.isnan(wilson(0, 0)).all()


def test_confusion_leaves_out_what_has_no_answer():
    counts = st.confusion(np.array([0, 0, 1, 1]), np.array([0, 1, 1, -1]), 2)
    assert counts.tolist() == [[1, 1], [0, 1]]


def test_measures_by_hand():
    # recall 1/2 and 1, precision 1 and 1/2: F1 2/3 both; accuracy 2/3
    found = st.measures(np.array([2, 1]), np.array([1, 2]), np.array([1, 1]))
    assert found["accuracy"] == pytest.approx(2 / 3)
    assert found["macro_f1"] == pytest.approx(2 / 3)
    assert found["balanced_accuracy"] == pytest.approx(3 / 4)


def test_measures_are_those_of_their_definitions():
    label, guess = rng().integers(7, size=200), rng().integers(7, size=(1, 200))
    guess[0, :80] = label[:80]
    found = st.measured(label, guess, 7)
    recall = [np.mean(guess[0][label == k] == k) for k in range(7)]
    precision = [np.mean(label[guess[0] == k] == k) for k in range(7)]
    f1 = [2 / (1 / r + 1 / p) for r, p in zip(recall, precision, strict=True)]
    assert found["macro_f1"].mean == pytest.approx(np.mean(f1))
    assert found["balanced_accuracy"].mean == pytest.approx(np.mean(recall))
    assert found["accuracy"].mean == pytest.approx(np.mean(label == guess[0]))


def test_a_class_without_images_is_in_no_mean():
    found = st.measures(np.array([2, 0]), np.array([1, 1]), np.array([1, 0]))
    assert found["balanced_accuracy"] == pytest.approx(1 / 2)
    assert found["macro_f1"] == pytest.approx(2 / 3)


def test_one_seed_has_no_interval():
    label = np.zeros(400, int)
    guess = (np.arange(400) >= 240)[None].astype(int)  # accuracy 0.6
    for found in st.measured(label, guess, 2).values():
        assert np.isnan(found.interval).all()
    assert st.measured(label, guess, 2)["accuracy"].mean == pytest.approx(0.6)


def test_the_interval_of_accuracy_is_that_of_seeds_crossed_with_images():
    generator = rng()
    label = generator.integers(3, size=600)
    guess = np.where(generator.random((4, 600)) < 0.5, label, generator.integers(3, size=(4, 600)))
    found = st.measured(label, guess, 3)["accuracy"]
    assert found.interval == pytest.approx(crossed.of_one(guess == label).interval())
    alike = np.repeat(np.arange(300), 2)
    both = st.measured(label, guess, 3, alike)["accuracy"]
    assert both.interval == pytest.approx(crossed.of_one(guess == label, alike).interval())


@pytest.mark.parametrize("measure", ["macro_f1", "balanced_accuracy"])
def test_a_measure_is_as_sure_as_its_bootstrap_over_images_says(measure):
    generator = rng()
    label = generator.integers(4, size=1500)
    right = generator.random(1500) < 0.3 + 0.15 * label
    guess = np.where(right, label, generator.integers(4, size=1500))
    # two seeds of one answer each: what is left is the choice of images
    found = st.measured(label, np.stack([guess, guess]), 4)[measure]
    drawn = [generator.integers(1500, size=1500) for _ in range(400)]
    again = [st.measured(label[d], guess[d][None], 4)[measure].mean for d in drawn]
    assert found.estimate.error == pytest.approx(np.std(again), rel=0.15)


def test_an_interval_of_a_share_stays_a_share():
    label, guess = np.array([0, 0, 0, 1]), np.array([[0, 0, 0, 1], [1, 1, 1, 0]])
    assert st.measured(label, guess, 2)["accuracy"].interval == (0.0, 1.0)


def scattered(by_seed):
    """Networks of these accuracies whose answers tell no more of their scatter."""
    spread = by_seed.var(ddof=1) if len(by_seed) > 1 else np.nan
    part = crossed.Part(len(by_seed), spread / len(by_seed), spread)
    return st.Measured(by_seed, crossed.Estimate(float(by_seed.mean()), (part,), 0.0))


def test_one_more_seed_lies_within_in_95_of_100():
    # statsmodels and scipy have no prediction interval of a mean alone: by hand, t(2) = 4.302653
    low, high = st.next_seed(scattered(np.array([0.5, 0.6, 0.7])))
    half = 4.302653 * 0.1 * np.sqrt(4 / 3)
    assert (low, high) == pytest.approx((0.6 - half, 0.6 + half), abs=1e-6)
    assert np.isnan(st.next_seed(scattered(np.array([0.5])))).all()
    runs = rng().normal(0, 1, (4000, 5))
    ends = np.array([st.next_seed(scattered(run[:4])) for run in runs])
    inside = (ends[:, 0] <= runs[:, 4]) & (runs[:, 4] <= ends[:, 1])
    assert inside.mean() == pytest.approx(0.95, abs=0.012)


def test_votes_follow_most_seeds_and_ties_the_mean():
    sure = np.array([[[0.9, 0.1]], [[0.4, 0.6]], [[0.45, 0.55]]])
    assert st.votes(sure).tolist() == [1]  # two against one
    assert st.votes(sure[:2]).tolist() == [0]  # one against one: mean 0.65 to 0.35
    assert st.votes(np.full((2, 1, 2), np.nan)).tolist() == [-1]
    broken = np.array([[[np.nan, np.nan]], [[0.4, 0.6]]])
    assert st.votes(broken).tolist() == [1]


def test_mcnemar_is_statsmodels():
    first = np.array([True] * 9 + [False] * 3 + [True] * 20)
    second = np.array([False] * 9 + [True] * 3 + [True] * 20)
    right, other, p = st.mcnemar(first, second)
    assert (right, other) == (9, 3)
    assert p == pytest.approx(mcnemar([[20, 9], [3, 0]], exact=True).pvalue)
    assert p == pytest.approx(2 * (1 + 12 + 66 + 220) / 2**12)
    assert st.mcnemar(first, first)[2] == 1.0


def test_permutation_counts_all_exchanges():
    first, second = np.array([0.7, 0.72, 0.74]), np.array([0.6, 0.61, 0.73])
    whole = np.concatenate([first, second])
    gaps = [
        whole[list(chosen)].mean() - np.delete(whole, list(chosen)).mean()
        for chosen in combinations(range(6), 3)
    ]
    seen = abs(first.mean() - second.mean()) - 1e-12
    assert st.permutation(first, second) == pytest.approx(np.mean(np.abs(gaps) >= seen))


def test_permutation_needs_two_seeds_each():
    assert np.isnan(st.permutation(np.array([0.5]), np.array([0.4, 0.6])))
    assert np.isnan(st.least_permutation(1, 5))
    assert st.least_permutation(3, 3) == pytest.approx(0.1)
    # unequal numbers have no mirror image, and scipy doubles the smaller tail all the same
    apart = st.permutation(np.arange(5.0, 9), np.arange(5.0))
    assert st.least_permutation(4, 5) == pytest.approx(apart) == pytest.approx(2 / 126)
    assert st.permutation(np.array([3.0, 4, 5]), np.array([0.0, 1, 2])) == pytest.approx(0.1)
    # ten and ten have 184,756 exchanges, of which 9,999 are drawn
    drawn = st.permutation(np.arange(10.0, 20), np.arange(10.0))
    assert st.least_permutation(10, 10) == pytest.approx(drawn) == pytest.approx(2 / 10_000)


def test_holm_by_hand():
    # sorted 0.01 * 3, 0.02 * 2, 0.04 * 1; never below the one before
    assert st.holm(np.array([0.04, 0.01, np.nan, 0.02])) == pytest.approx(
        [0.04, 0.03, np.nan, 0.04], nan_ok=True
    )
    assert st.holm(np.array([])).size == 0


def test_expected_best_is_the_mean_over_all_draws():
    values = np.array([0.3, 0.9, 0.5, 0.5, 0.1])
    found = st.expected_best(values)
    for n in range(1, 6):
        draws = [max(chosen) for chosen in combinations(values, n)]
        assert found[n - 1, 0] == pytest.approx(np.mean(draws))
        low, high = np.quantile(draws, [0.1, 0.9], method="inverted_cdf")
        assert found[n - 1, 1:] == pytest.approx([low, high])
    assert st.expected_best(np.array([])).shape == (0, 3)


def test_reliability_by_hand():
    probability = np.array([[0.9, 0.1], [0.7, 0.3], [0.35, 0.65]])
    table, ece = st.reliability(probability, np.array([0, 1, 1]), bins=2)
    assert table[1] == pytest.approx([3, 0.75, 2 / 3])
    assert table[0, 0] == 0 and np.isnan(table[0, 1])
    assert ece == pytest.approx(0.75 - 2 / 3)


def test_spearman_says_nothing_of_few_or_equal_values():
    assert st.spearman(np.arange(5.0), np.arange(5.0) ** 3) == pytest.approx(1)
    assert np.isnan(st.spearman(np.arange(3.0), np.arange(3.0)))
    assert np.isnan(st.spearman(np.ones(5), np.arange(5.0)))


def test_what_is_computed_without_scipy_stats_and_statsmodels_is_theirs():
    draw = np.random.default_rng(0)
    first, second = draw.integers(0, 6, 30).astype(float), draw.normal(size=30)
    assert st.spearman(first, second) == pytest.approx(stats.spearmanr(first, second).statistic)
    p = draw.random(20) ** 3
    assert st.holm(p) == pytest.approx(multipletests(p, method="holm")[1])
    a, b = draw.normal(0.6, 0.01, 4), draw.normal(0.61, 0.01, 5)

    def apart(x, y, axis):
        return x.mean(axis) - y.mean(axis)

    test = stats.permutation_test((a, b), apart, vectorized=True, n_resamples=9999)
    assert st.permutation(a, b) == pytest.approx(test.pvalue)
    many = draw.normal(size=12), draw.normal(size=12)
    drawn = stats.permutation_test(
        many, apart, vectorized=True, n_resamples=9999, rng=np.random.default_rng(0)
    )
    assert st.permutation(*many) == pytest.approx(drawn.pvalue)


@pytest.mark.parametrize(("hits", "images"), [(0, 20), (8, 10), (471, 972), (3589, 3589)])
def test_wilsons_interval_is_statsmodels(hits, images):
    assert wilson(hits, images) == pytest.approx(proportion_confint(hits, images, method="wilson"))


def test_matrix_macro_f1_and_balanced_accuracy_are_sklearns():
    label = rng().integers(7, size=500)
    guess = np.where(rng().random(500) < 0.6, label, (label + 3) % 7)
    found = st.measured(label, guess[None], 7)
    assert st.confusion(label, guess, 7).tolist() == confusion_matrix(label, guess).tolist()
    assert found["macro_f1"].mean == pytest.approx(f1_score(label, guess, average="macro"))
    balanced = balanced_accuracy_score(label, guess)
    assert found["balanced_accuracy"].mean == pytest.approx(balanced)


def test_the_bins_of_calibration_are_sklearns_and_the_error_is_their_mean_gap():
    probability = rng().dirichlet(np.ones(3), 800)
    label = rng().integers(3, size=800)
    bins, ece = st.reliability(probability, label)
    right = probability.argmax(1) == label
    accuracy, confidence = calibration_curve(right, probability.max(1), n_bins=15)
    full = bins[bins[:, 0] > 0]
    assert full[:, 1] == pytest.approx(confidence) and full[:, 2] == pytest.approx(accuracy)
    gap = np.abs(confidence - accuracy)
    assert ece == pytest.approx(np.average(gap, weights=full[:, 0]))


def test_where_one_more_seed_falls_is_statsmodels_prediction_interval():
    runs = np.array([0.55, 0.58, 0.57, 0.61])
    told = OLS(runs, np.ones(4)).fit().get_prediction([1.0]).conf_int(obs=True)
    assert st.next_seed(scattered(runs)) == pytest.approx(told[0])


def test_two_seeds_that_are_as_accurate_by_chance_do_not_foretell_a_third():
    """Two networks that answer otherwise on a fifth of the images were told to be followed by a
    third as accurate to a hundredth of a point."""
    label = np.zeros(1000, int)
    guess = np.zeros((2, 1000), int)
    guess[0, :400], guess[1, 100:500] = 1, 1
    low, high = st.next_seed(st.measured(label, guess, 2)["accuracy"])
    # Where they answer otherwise, 200 images, the sd of one accuracy is sqrt(.2 / 2 / 1000).
    assert high - low == pytest.approx(2 * 12.706 * np.sqrt(0.2 / 2 / 1000 * 1.5), rel=0.002)


def test_eta_squared_of_ranks_is_the_statistic_of_kruskal_and_wallis_as_a_share():
    values = pd.Series(rng().integers(0, 9, 40).astype(float))  # with ties
    groups = pd.Series(rng().integers(0, 3, 40))
    statistic, _ = stats.kruskal(*(part for _, part in values.groupby(groups)))
    assert eta_squared(groups, values) == pytest.approx(statistic / 39)


def test_a_share_of_variance_is_less_what_its_degrees_of_freedom_have_by_chance():
    rng = np.random.default_rng(0)
    y, x = rng.normal(size=30), rng.normal(size=(30, 3))
    fitted = OLS(y, np.column_stack([np.ones(30), x])).fit()
    assert adjusted(fitted.rsquared, 30, 3) == pytest.approx(fitted.rsquared_adj)
    assert np.isnan(adjusted(1.0, 4, 3))


def test_a_page_is_written_without_scipy_stats_and_statsmodels():
    """They take seconds to import, a half of the time of a small report."""
    code = "import sys, results.report.report; print([*sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = ("scipy.stats", "scipy.optimize", "statsmodels", "sklearn")
    assert not [name for name in heavy if f"'{name}'" in done.stdout]
