"""The arithmetic of what can be believed: measures, intervals, paired tests; arrays in.

Everything is tested against hand-worked cases and against scipy and statsmodels.
"""

from dataclasses import dataclass
from math import comb

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats
from scipy.special import gammaln
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

LEVEL = 0.95
RESAMPLES = 2000
MEASURES = ("accuracy", "macro_f1", "balanced_accuracy")


def wilson(hits: float, images: float) -> tuple[float, float]:
    """95 % interval of a share (Wilson 1927), NaN without images: by the choice of images alone."""
    if not images:
        return np.nan, np.nan
    low, high = proportion_confint(hits, images, 1 - LEVEL, method="wilson")
    return float(low), float(high)


def confusion(label: np.ndarray, guess: np.ndarray, classes: int) -> np.ndarray:
    """(K, K) counts, truth down, answer across; answers of -1 are nowhere."""
    told = guess >= 0
    cells = np.bincount(label[told] * classes + guess[told], minlength=classes * classes)
    return cells.reshape(classes, classes)


def measures(truth: np.ndarray, told: np.ndarray, hits: np.ndarray) -> dict[str, np.ndarray]:
    """MEASURES from counts by class on the last axis: images of it, answers with it, both.

    A class without images counts in none of the means; one never answered has an F1 of 0.
    """
    there = truth > 0
    many = there.sum(-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        recall = np.where(there, hits / truth, 0.0)
        f1 = np.where(there, 2 * hits / (truth + told), 0.0)
        return {
            "accuracy": hits.sum(-1) / truth.sum(-1),
            "macro_f1": f1.sum(-1) / many,
            "balanced_accuracy": recall.sum(-1) / many,
        }


def resampled(images: int, rng: np.random.Generator, resamples: int = RESAMPLES) -> np.ndarray:
    """(B, N) float32: how often each image is drawn in each bootstrap sample of the images."""
    drawn = rng.integers(images, size=(resamples, images))
    drawn += np.arange(resamples)[:, None] * images
    counts = np.bincount(drawn.ravel(), minlength=resamples * images)
    return counts.reshape(resamples, images).astype(np.float32)


@dataclass(frozen=True)
class Bootstrap:
    """A measure of S networks, and what it might as well have been."""

    by_seed: np.ndarray  # (S,)
    samples: np.ndarray  # (B,) of the mean over seeds
    bounds: tuple[float, float] = (-np.inf, np.inf)  # of the measure: samples are spread beyond
    exact: tuple[float, float] | None = None  # its interval where one is known without drawing

    @property
    def mean(self) -> float:
        return float(self.by_seed.mean())

    @property
    def interval(self) -> tuple[float, float]:
        if self.exact:
            return self.exact
        edge = (1 - LEVEL) / 2
        low, high = np.quantile(self.samples, [edge, 1 - edge]).clip(*self.bounds)
        return float(low), float(high)


def bootstrap(
    label: np.ndarray,
    guess: np.ndarray,
    classes: int,
    weights: np.ndarray,
    rng: np.random.Generator,
) -> dict[str, Bootstrap]:
    """Two levels: images are drawn anew (`weights`, from `resampled`), and so are the seeds.

    Drawing S seeds from S makes their spread too small by (S - 1) / S; it is scaled back. With
    one seed only the images are drawn: an interval over seeds doesn't exist, and that of accuracy
    is Wilson's, which needs no drawing and is what the study prints at its end.
    """
    seeds = len(guess)
    each = np.eye(classes, dtype=np.float32)
    truth = weights @ each[label]  # (B, K)
    whole = np.bincount(label, minlength=classes)
    values: dict[str, list[np.ndarray]] = {name: [] for name in MEASURES}
    exact: dict[str, list[float]] = {name: [] for name in MEASURES}
    for said in guess:
        told = np.where(said[:, None] >= 0, each[said], 0.0).astype(np.float32)
        hit = told * (said == label)[:, None]
        for name, value in measures(truth, weights @ told, weights @ hit).items():
            values[name].append(value)
        for name, value in measures(whole, told.sum(0), hit.sum(0)).items():
            exact[name].append(float(value))
    drawn = rng.multinomial(seeds, np.full(seeds, 1 / seeds), size=len(weights)) / seeds  # (B, S)
    hits = float((guess[0] == label).sum())
    known = {"accuracy": wilson(hits, len(label))} if seeds == 1 else {}
    return {
        name: Bootstrap(
            np.array(exact[name]),
            over_seeds(np.stack(values[name], 1), drawn),
            (0.0, 1.0),
            known.get(name),
        )
        for name in MEASURES
    }


def over_seeds(value: np.ndarray, drawn: np.ndarray) -> np.ndarray:
    """(B, S) of each seed on each sample of images, and shares of the drawn seeds -> (B,)."""
    seeds = value.shape[1]
    samples = value.mean(1)
    if seeds == 1:
        return samples
    return samples + ((value * drawn).sum(1) - samples) * np.sqrt(seeds / (seeds - 1))


def too_narrow(seeds: int) -> str:
    """What a bootstrap over few seeds hides, in a sentence; empty for one seed or ten and more."""
    if not 1 < seeds < 10:
        return ""
    times = stats.t.ppf(0.975, seeds - 1) / stats.norm.ppf(0.975)
    return (
        f"A bootstrap of {seeds} seeds is too narrow: for the part that comes from seeds, "
        f"Student's t would be {times:.1f} times as wide."
    )


def bootstrap_mean(values: np.ndarray, weights: np.ndarray, rng: np.random.Generator) -> Bootstrap:
    """The two levels of `bootstrap` for any value per seed and image, (S, N), as its mean.

    Differences between two settings of the same seeds and images are paired in both.
    """
    seeds, images = values.shape
    drawn = rng.multinomial(seeds, np.full(seeds, 1 / seeds), size=len(weights)) / seeds
    value = weights @ values.T.astype(np.float32) / images  # (B, S)
    return Bootstrap(values.mean(1), over_seeds(value, drawn))


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
    p = stats.binomtest(only_first, apart).pvalue if apart else 1.0
    return only_first, only_second, float(p)


def permutation(first: np.ndarray, second: np.ndarray) -> float:
    """Two-sided p of equal means over seeds: all exchanges, or 9,999 drawn; NaN below two each."""
    if min(len(first), len(second)) < 2:
        return np.nan

    def apart(a: np.ndarray, b: np.ndarray, axis: int) -> np.ndarray:
        return a.mean(axis) - b.mean(axis)

    test = stats.permutation_test(
        (first, second), apart, vectorized=True, n_resamples=9999, rng=np.random.default_rng(0)
    )
    return float(test.pvalue)


def paired_permutation(apart: np.ndarray) -> float:
    """Two-sided p of a mean difference of 0, pairs exchanged: all 2^S signs up to S = 13, else
    9,999 drawn; NaN below two pairs."""
    if len(apart) < 2:
        return np.nan
    test = stats.permutation_test(
        (apart,),
        np.mean,
        permutation_type="samples",
        vectorized=True,
        n_resamples=9999,
        rng=np.random.default_rng(0),
    )
    return float(test.pvalue)


def least_permutation(first: int, second: int) -> float:
    """The smallest two-sided p that a permutation of so many seeds can give; NaN below two each.

    Twice that of the most extreme exchange, whether it has a mirror image (equal numbers) or not:
    scipy's two-sided p is twice the smaller tail.
    """
    return 2 / comb(first + second, first) if min(first, second) > 1 else np.nan


def holm(p: np.ndarray) -> np.ndarray:
    """p values corrected for their number (Holm 1979); NaN stay out of the count."""
    p = np.asarray(p, float)
    out = np.full(len(p), np.nan)
    there = ~np.isnan(p)
    if there.any():
        out[there] = multipletests(p[there], method="holm")[1]
    return out


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
    return gammaln(np.add(n, 1)) - gammaln(np.add(k, 1)) - gammaln(np.subtract(n, k) + 1)


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


def spearman(first: np.ndarray, second: np.ndarray) -> float:
    """Rank correlation; NaN where fewer than four pairs or nothing varies."""
    if len(first) < 4 or np.ptp(first) == 0 or np.ptp(second) == 0:
        return np.nan
    return float(stats.spearmanr(first, second).statistic)


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
