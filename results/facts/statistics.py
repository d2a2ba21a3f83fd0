"""The arithmetic of what can be believed: measures, intervals, paired tests; arrays in.

Everything is tested against hand-worked cases and against scipy and statsmodels.
"""

from dataclasses import dataclass
from itertools import combinations
from math import comb

import numpy as np
import scipy  # its parts are imported where they are first used; scipy.stats takes seconds
from numpy.typing import ArrayLike

from fer_stats import crossed
from fer_stats.crossed import Estimate
from fer_stats.measures import MEASURES, measures

LEVEL = 0.95
DRAWN = 9999  # exchanges, where there are more


def confusion(label: np.ndarray, guess: np.ndarray, classes: int) -> np.ndarray:
    """(K, K) counts, truth down, answer across; answers of -1 are nowhere."""
    told = guess >= 0
    cells = np.bincount(label[told] * classes + guess[told], minlength=classes * classes)
    return cells.reshape(classes, classes)


@dataclass(frozen=True)
class Measured:
    """A measure of S networks on N images, with what the choice of both does to it."""

    by_seed: np.ndarray  # (S,)
    estimate: Estimate
    bounds: tuple[float, float] = (-np.inf, np.inf)  # of the measure

    @property
    def mean(self) -> float:
        return float(self.by_seed.mean())

    @property
    def interval(self) -> tuple[float, float]:
        """95 %, for new seeds and new images; NaN with one seed, of which nothing follows."""
        low, high = np.clip(self.estimate.interval(), *self.bounds)
        return float(low), float(high)


def measured(
    label: np.ndarray, guess: np.ndarray, classes: int, cluster: np.ndarray | None = None
) -> dict[str, Measured]:
    """MEASURES of (S, N) answers to (N,) labels; `cluster` as in `crossed.of_one`.

    A measure is linearised: each image counts as much as the measure would change with its weight,
    so that the mean over images is the measure itself. For accuracy that is right or wrong.
    """
    each = np.eye(classes)
    there = each[label]  # (N, K)
    truth = there.sum(0)
    known = truth > 0
    by_seed: dict[str, list[float]] = {name: [] for name in MEASURES}
    counts: dict[str, list[np.ndarray]] = {name: [] for name in MEASURES}
    for said in guess:
        told = np.where(said[:, None] >= 0, each[said], 0.0)
        hit = told * there
        sums = truth, told.sum(0), hit.sum(0)
        for name, value in measures(*sums).items():
            by_seed[name].append(float(value))
        with np.errstate(invalid="ignore", divide="ignore"):
            recall, f1 = sums[2] / truth, 2 * sums[2] / (truth + sums[1])
            of_recall = np.where(known, (hit - recall * there) / truth, 0.0)
            of_f1 = np.where(known, (2 * hit - f1 * (there + told)) / (truth + sums[1]), 0.0)
        scale = len(label) / max(known.sum(), 1)
        counts["accuracy"].append(hit.sum(1))
        counts["balanced_accuracy"].append(scale * of_recall.sum(1))
        counts["macro_f1"].append(scale * of_f1.sum(1))
    found = {}
    for name in MEASURES:
        exact = np.array(by_seed[name])
        rows = np.stack(counts[name])
        rows = rows - rows.mean(1, keepdims=True) + exact[:, None]
        found[name] = Measured(exact, crossed.of_one(rows, cluster), (0.0, 1.0))
    return found


def mean(
    values: np.ndarray,
    cluster: np.ndarray | None = None,
    bounds: tuple[float, float] = (-1.0, 1.0),
) -> Measured:
    """Any value per seed and image, (S, N), as its mean; bounds of a difference, or of a share."""
    values = np.asarray(values, float)
    return Measured(values.mean(1), crossed.of_one(values, cluster), bounds)


def votes(probability: np.ndarray) -> np.ndarray:
    """(S, N, K) -> (N,): what most seeds say; ties go to the higher mean probability."""
    seeds, _, classes = probability.shape
    whole = ~np.isnan(probability).any(2)
    clean = np.where(whole[..., None], probability, 0.0)
    ballots = (np.eye(classes)[clean.argmax(2)] * whole[..., None]).sum(0)
    winner = (ballots + clean.mean(0) / 2).argmax(1)
    return np.where(whole.any(0), winner, -1)


def mcnemar(first: np.ndarray, second: np.ndarray) -> tuple[int, int, float]:
    """Images that only the first has right, only the second, and the exact two-sided p."""
    only_first, only_second = int((first & ~second).sum()), int((~first & second).sum())
    apart = only_first + only_second
    tail = scipy.special.bdtr(min(only_first, only_second), apart, 0.5) if apart else 1.0
    return only_first, only_second, min(1.0, 2 * float(tail))


def permutation(first: np.ndarray, second: np.ndarray) -> float:
    """Two-sided p of equal means over seeds: all exchanges, or 9,999 drawn; NaN below two each."""
    if min(len(first), len(second)) < 2:
        return np.nan

    if comb(len(first) + len(second), len(first)) > DRAWN:
        return drawn_permutation(first, second)
    both = np.concatenate([first, second])
    chosen = np.array([*combinations(range(len(both)), len(first))])
    means = both[chosen].mean(1)
    apart = means - (both.sum() - len(first) * means) / len(second)
    found = apart[0]  # of the first in their own place
    near = 1e-12 * abs(found)
    return float(min(1, 2 * min((apart >= found - near).mean(), (apart <= found + near).mean())))


def drawn_permutation(first: np.ndarray, second: np.ndarray) -> float:
    """The p of so many exchanges that DRAWN of them are drawn."""
    from scipy import stats  # here: it takes seconds to import

    def apart(a: np.ndarray, b: np.ndarray, axis: int) -> np.ndarray:
        return a.mean(axis) - b.mean(axis)

    test = stats.permutation_test(
        (first, second), apart, vectorized=True, n_resamples=DRAWN, rng=np.random.default_rng(0)
    )
    return float(test.pvalue)


def least_permutation(first: int, second: int) -> float:
    """The smallest two-sided p that a permutation of so many seeds can give; NaN below two each.

    Twice that of the most extreme exchange, whether it has a mirror image (equal numbers) or not:
    scipy's two-sided p is twice the smaller tail, which of drawn exchanges is 1 / (DRAWN + 1) at
    least.
    """
    if min(first, second) < 2:
        return np.nan
    exchanges = comb(first + second, first)
    return 2 / exchanges if exchanges <= DRAWN else 2 / (DRAWN + 1)


def holm(p: np.ndarray) -> np.ndarray:
    """p values corrected for their number (Holm 1979); NaN stay out of the count."""
    return crossed.holm(p.tolist())[0]


def expected_best(values: np.ndarray) -> np.ndarray:
    """(N,) -> (N, 3): for each n, the expected best of n trials drawn from these N, and the
    10 % and 90 % points of that best.

    The unbiased estimator of Tang et al. 2020: drawn without replacement, so that the best is
    the i-th smallest with probability C(i-1, n-1) / C(N, n).
    """
    ordered = np.sort(values)
    total = len(ordered)
    rows = []
    rank = np.arange(1, total + 1)
    for n in rank:
        log = np.full(total, -np.inf)
        can = rank >= n
        i = rank[can]
        log[can] = log_choose(i - 1, n - 1) - log_choose(total, n)
        share = np.exp(log)
        below = np.cumsum(share)
        ends = [ordered[np.searchsorted(below, q - 1e-12)] for q in (0.1, 0.9)]
        rows.append([float(share @ ordered), *ends])
    return np.array(rows).reshape(-1, 3)


def log_choose(n: ArrayLike, k: ArrayLike) -> np.ndarray:
    return (
        scipy.special.gammaln(np.add(n, 1))
        - scipy.special.gammaln(np.add(k, 1))
        - scipy.special.gammaln(np.subtract(n, k) + 1)
    )


def reliability(
    probability: np.ndarray, label: np.ndarray, bins: int = 15
) -> tuple[np.ndarray, float]:
    """(N, K) and (N,) -> (bins, 3) of images, mean confidence and accuracy, and the ECE.

    Equal-width bins of the highest probability (Guo et al. 2017); empty bins hold NaN.
    """
    sure = probability.max(1)
    right = probability.argmax(1) == label
    place = np.clip(np.ceil(sure * bins).astype(int) - 1, 0, bins - 1)
    count = np.bincount(place, minlength=bins)
    with np.errstate(invalid="ignore"):
        confidence = np.bincount(place, sure, bins) / count
        accuracy = np.bincount(place, right, bins) / count
    gap = np.nansum(count * np.abs(confidence - accuracy)) / max(len(label), 1)
    return np.stack([count, confidence, accuracy], 1), float(gap)


def next_seed(value: Measured) -> tuple[float, float]:
    """Where one more network of the setting falls on these images, in 95 %; NaN with one seed.

    The prediction interval of a normal distribution: mean -+ t sd sqrt(1 + 1/S).
    """
    (part,) = value.estimate.parts
    if part.seeds < 2:
        return np.nan, np.nan
    sd = np.sqrt(part.seeds * part.variance)  # of one network, no less than its answers show
    half = scipy.special.stdtrit(part.seeds - 1, (1 + LEVEL) / 2) * sd * np.sqrt(1 + 1 / part.seeds)
    return float(value.mean - half), float(value.mean + half)


def spearman(first: np.ndarray, second: np.ndarray) -> float:
    """Rank correlation; NaN where fewer than four pairs or nothing varies."""
    if len(first) < 4 or not (np.ptp(first) > 0 and np.ptp(second) > 0):  # NaN: neither
        return np.nan
    return float(np.corrcoef(ranks(first), ranks(second))[0, 1])


def ranks(values: np.ndarray) -> np.ndarray:
    """From 1, ties at their mean."""
    _, place, many = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(many) - (many - 1) / 2)[place]


def on_plateau(values: np.ndarray, share: float = 0.2) -> bool:
    """Whether the best `share` of values can't be told from the rest: half of all and more are as
    good as the last of them, as where most networks haven't left the majority class."""
    if not len(values):
        return False
    last = np.sort(values)[-max(1, int(np.ceil(share * len(values))))]
    return bool((values >= last).sum() >= max(2, len(values) / 2))


def commonest(values: np.ndarray) -> tuple[float, int]:
    """The value that most hold, and how many."""
    each, many = np.unique(values, return_counts=True)
    return float(each[many.argmax()]), int(many.max())
