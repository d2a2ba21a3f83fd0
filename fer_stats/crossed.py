"""A beats B by x, for new seeds and new images: variance components of seeds crossed with images.

The answer of network s to image i is right (1) or wrong (0). Seeds and images are both drawn from
many, and every network meets every image, so the mean over S seeds and N images has

    variance = seeds / S + images / N + (seeds x images) / (S N)

whose parts are estimated from the mean squares of a two-way table without replication (Searle,
Casella and McCulloch 1992, section 4.3; Owen 2007 for why a bootstrap of both counts the last part
thrice). The distribution of mean / sqrt(variance) lies between a normal and a t of S - 1.
Satterthwaite's critical value (1946) covers too little where seeds scatter more than images (92 %
with 3 seeds) and in the far tails that many comparisons need; Cochran and Cox's (1950) covers too
much (99 % for two settings). Ours lies between them: the further from the first, the more the seeds
of one setting alone decide, and the further in the tails (`WAY`). `python -m benchmarks.truth`
holds it to made-up studies of known truth.
"""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import scipy  # .special is imported where it is first used; scipy.stats takes seconds

LEVEL = 0.95
POWER = 0.8
MOST_SEEDS = 200
WAY = 0.7  # from Satterthwaite's to Cochran's value at 95 %, where one setting's seeds decide
NODES = 25  # for each part, of what its estimate may come out as
UNSEEN = 3 / 1.96  # where N answers are alike, others may be 3 in N: the rule of three, at 95 %


@dataclass(frozen=True)
class Part:
    """What the choice of seeds adds to the variance of a mean over `seeds` networks."""

    seeds: int
    variance: float  # of the mean, with the seeds' part of seeds x images
    between: float  # of one network's accuracy on all images that might come, 0 at least


@dataclass(frozen=True)
class Estimate:
    """A mean accuracy, or a difference of two, with what the choice of seeds and images does to it.

    Fractions, not percent. Without two seeds in each part there is no interval: all is NaN.
    """

    mean: float
    parts: tuple[Part, ...] = field(repr=False)  # one for a setting or a pair, two for two settings
    images: float  # variance of the mean by the choice of images

    @cached_property
    def error(self) -> float:
        """Standard error over new seeds and new images."""
        return float(np.sqrt(sum(part.variance for part in self.parts) + self.images))

    def critical(self, level: float = LEVEL) -> float:
        """Standard errors to either side of the mean that hold the truth with this level."""
        seeds = [part.variance for part in self.parts]
        free = [part.seeds - 1 for part in self.parts]
        if min(free) < 1 or np.isnan(self.error):
            return np.nan
        if sum(seeds) == 0:
            return float(scipy.special.ndtri((1 + level) / 2))
        return float(critical(seeds, self.images, free, level))

    def interval(self, level: float = LEVEL) -> tuple[float, float]:
        half = self.critical(level) * self.error
        return self.mean - half, self.mean + half

    def p(self, null: float = 0.0) -> float:
        """Two-sided p that the truth is `null`: 1 - the level of the interval that ends there."""
        away = abs(self.mean - null)
        if np.isnan(self.critical()):
            return np.nan
        if away == 0 or self.error == 0:
            return 1.0 if away == 0 else 0.0

        def beyond(log_p: float) -> float:
            return self.critical(1 - np.exp(log_p)) * self.error - away

        most = np.log1p(-1e-9)
        log_p = falling_to_0(beyond, np.log(1e-12), most, 1e-6)
        return 1.0 if log_p == most else float(np.exp(log_p))

    def p_outside(self, margin: float) -> float:
        """p that the truth is at least `margin` from 0: the larger of two one-sided tests."""
        if np.isnan(self.critical()):
            return np.nan
        if abs(self.mean) >= margin:
            return 1.0
        return self.p(margin if self.mean > 0 else -margin) / 2  # of the nearer end

    def smallest(self, level: float = LEVEL, power: float = POWER) -> float:
        """The true difference that is found at this level with this power, as estimated."""
        if min(part.seeds for part in self.parts) < 2 or np.isnan(self.error):
            return np.nan
        if self.error == 0:
            return 0.0
        half = self.halves(level)

        def lacking(true: float) -> float:
            return power - float(scipy.special.ndtr((true - half) / self.error).mean())

        return falling_to_0(lacking, 0.0, half.max() + 9 * self.error, 1e-6 * self.error)

    def power_of_equal(self, margin: float, level: float = LEVEL) -> float:
        """Probability that two one-sided tests at this level place it within the margin, were the
        estimate true."""
        if self.error == 0:
            return float(abs(self.mean) < margin)
        half = self.halves(1 - 2 * (1 - level))  # of one side each
        low, high = half - margin, margin - half
        within = [scipy.special.ndtr((end - self.mean) / self.error) for end in (low, high)]
        return float(np.maximum(within[1] - within[0], 0.0).mean())

    def halves(self, level: float) -> np.ndarray:
        """What half an interval may come out as, each equally likely: the estimated scatter of few
        seeds is itself a matter of chance, so that a power is a mean over them."""
        free = [part.seeds - 1 for part in self.parts]
        places = (np.arange(NODES) + 0.5) / NODES
        scale = np.meshgrid(*(scipy.special.chdtri(each, places) / each for each in free))
        seeds = [part.variance * each for part, each in zip(self.parts, scale, strict=True)]
        wide = np.sqrt(sum(seeds) + self.images)
        if not sum(map(np.max, seeds)):
            return np.asarray(scipy.special.ndtri((1 + level) / 2) * wide)
        return np.asarray(critical(seeds, self.images, free, level) * wide)

    @property
    def chance(self) -> float:
        """Probability that the first, trained anew, is better on new images than the second."""
        between = sum(part.between for part in self.parts)
        spread = np.sqrt(self.error**2 + between)
        free = min(part.seeds for part in self.parts) - 1
        if free < 1:
            return np.nan
        return (
            float(scipy.special.stdtr(free, self.mean / spread)) if spread else float(self.mean > 0)
        )


def falling_to_0(
    falls: Callable[[float], float], least: float, most: float, within: float
) -> float:
    """Where a falling function is 0, by Ridders' method (1979), with less than half of halving's
    steps; scipy.optimize takes seconds to import. `least` where it is below 0 there, `most` where
    it is above."""
    above, below, last = falls(least), falls(most), np.inf
    if above < 0 or below > 0:
        return float(least if above < 0 else most)
    while most - least > within:
        middle = (least + most) / 2
        value = falls(middle)
        place = middle + (middle - least) * value / np.sqrt(value**2 - above * below)
        found = falls(place)
        if abs(place - last) < within or found == 0:
            return float(place)
        for at, of in ((middle, value), (place, found)):
            if least < at < most:
                ends = (at, of, most, below) if of > 0 else (least, above, at, of)
                least, above, most, below = ends
        last = place
    return (least + most) / 2


def critical(
    seeds: Sequence[Any], images: float, free: Sequence[int], level: float
) -> float | np.ndarray:
    """Standard errors to either side, from the variances of the parts (numbers, or arrays of one
    shape, not all 0), their degrees of freedom, and the variance by images."""
    tail = (1 + level) / 2
    whole = sum(seeds) + images
    each = list(zip(seeds, free, strict=True))
    satterthwaite = scipy.special.stdtrit(whole**2 / sum(part**2 / own for part, own in each), tail)
    beyond = sum(part * scipy.special.stdtrit(own, tail) for part, own in each)
    cochran = (beyond + images * scipy.special.ndtri(tail)) / whole
    alone = 2 - sum(seeds) ** 2 / sum(part**2 for part in seeds)  # 1 of one part, 0 of equal two
    way = np.minimum(1.0, WAY * alone * np.log1p(-level) / np.log1p(-LEVEL))
    return satterthwaite + way * (cochran - satterthwaite)


def of_one(right: np.ndarray, cluster: np.ndarray | None = None) -> Estimate:
    """Of one setting, or of the differences of a pair that shares its seeds: (S, N) -> Estimate.

    `cluster` (N,) numbers groups of images that count as one draw, as identical copies do.
    """
    right = in_clusters(np.asarray(right, float), cluster)
    part, images, both = components(right)
    return Estimate(float(right.mean()), (part,), by_images(images - both, right.shape[1], part))


@dataclass(frozen=True)
class Means:
    """What a comparison needs of a setting, worked out once however many it is compared with."""

    by_image: np.ndarray  # (N,), or (G,) of clusters: over seeds
    part: Part
    both: float  # variance of the mean by seeds x images alone


def means(right: np.ndarray, cluster: np.ndarray | None = None) -> Means:
    """Of one setting's answers, (S, N)."""
    value = in_clusters(np.asarray(right, float), cluster)
    part, _, both = components(value)
    return Means(value.mean(0), part, both)


def apart(first: np.ndarray, second: np.ndarray, cluster: np.ndarray | None = None) -> Estimate:
    """Of two settings with seeds of their own on the same images: (S, N), (T, N) -> Estimate."""
    return between(means(first, cluster), means(second, cluster))


def between(one: Means, two: Means) -> Estimate:
    """As `apart`."""
    difference = one.by_image - two.by_image
    alone = len(difference) < 2  # one image says nothing of others
    scatter = np.nan if alone else difference.var(ddof=1) / len(difference)
    images = by_images(scatter - one.both - two.both, len(difference), one.part, two.part)
    return Estimate(float(difference.mean()), (one.part, two.part), images)


def by_images(variance: float, images: int, *parts: Part) -> float:
    """Variance of a mean by the choice of so many images, 0 at least. Where nothing scatters at all
    it is that of the rarest that may have been missed (Hanley and Lippman-Hand 1983): 48 right
    answers of 48 don't say that the next one will be right."""
    found = np.maximum(variance, 0.0)
    scatters = not sum(part.variance for part in parts) + found < 1e-15  # NaN: nothing is known
    return float(found if scatters else (UNSEEN / images) ** 2)


def components(value: np.ndarray) -> tuple[Part, float, float]:
    """(S, N): the seeds' part; variance of the mean by images, and by seeds x images alone."""
    seeds, images = value.shape
    if seeds < 2 or images < 2:
        return Part(seeds, np.nan, np.nan), np.nan, np.nan
    by_seed, by_image, mean = value.mean(1), value.mean(0), value.mean()
    squares = np.vdot(value, value) - images * by_seed @ by_seed - seeds * by_image @ by_image
    rest = max(float(squares + seeds * images * mean**2), 0.0)
    both = rest / ((seeds - 1) * (images - 1))
    # Networks that answer so differently scatter by that much, even where few are as accurate by
    # chance: what is known of the variance bounds its estimate.
    scatter = max(float(by_seed.var(ddof=1)), both / images)
    part = Part(seeds, scatter / seeds, scatter - both / images)
    return part, float(by_image.var(ddof=1)) / images, both / (seeds * images)


def in_clusters(value: np.ndarray, cluster: np.ndarray | None) -> np.ndarray:
    """(S, N) -> (S, G): a column a cluster, so weighted that their mean is that of the images.

    Of a cluster counts by how much it lies off the mean of all (a ratio's linearisation; Cochran
    1977, section 9A.1), so that unequal sizes alone are no scatter.
    """
    if cluster is None:
        return value
    _, place, sizes = np.unique(cluster, return_inverse=True, return_counts=True)
    mean = value.mean()
    sums = np.stack([np.bincount(place, row, len(sizes)) for row in value])
    return mean + (sums - mean * sizes) * len(sizes) / value.shape[1]


@dataclass(frozen=True)
class Verdict:
    """What a family of comparisons says of one of them."""

    word: str  # better, worse, equal or not settled: of the first, against the second
    low: float  # interval at the level that Holm leaves to this comparison, within -1 to 1
    high: float
    level: float
    level_equal: float  # the same among the tests of equality, whose order is another
    p: float  # of no difference, corrected for the family
    p_equal: float  # of a difference of the margin or more, corrected likewise


def verdicts(family: Sequence[Estimate], margin: float) -> list[Verdict]:
    """Better, worse, equal within `margin` (a fraction), or not settled, wrong of any in 5 %. Of
    differences of shares: none is beyond 1, however far few seeds at a high level leave it open.

    Holm's steps (1979): the interval of each comparison is at the level of its step, so that it
    leaves out 0 exactly where the verdict is better or worse. Equal: two one-sided tests
    (Schuirmann 1987), corrected by Holm for the family too. Without an interval: not settled.
    """
    p, levels = holm([one.p() for one in family])
    p_equal, levels_equal = holm([one.p_outside(margin) for one in family])
    found = []
    each = zip(family, p, p_equal, levels, levels_equal, strict=True)
    for one, different, equal, level, level_equal in each:
        low, high = map(float, np.clip(one.interval(level), -1.0, 1.0))
        word = "not settled"
        if different < 1 - LEVEL:
            word = "better" if one.mean > 0 else "worse"
        if equal < 1 - LEVEL:
            word = "equal"
        found.append(Verdict(word, low, high, level, level_equal, different, equal))
    return found


def holm(p: Sequence[float]) -> tuple[np.ndarray, np.ndarray]:
    """Corrected p and the level of the interval of each; NaN are no members of the family."""
    raw = np.asarray(p, float)
    corrected, levels = np.full(len(raw), np.nan), np.full(len(raw), LEVEL)
    members = np.flatnonzero(~np.isnan(raw))
    order = members[np.argsort(raw[members], kind="stable")]
    reached, held = 0.0, True
    step = len(order)
    for left, at in zip(range(len(order), 0, -1), order, strict=True):
        if held:
            step, held = left, raw[at] * left < 1 - LEVEL
        reached = max(reached, min(1.0, raw[at] * left))
        corrected[at], levels[at] = reached, 1 - (1 - LEVEL) / step
    return corrected, levels


def seeds_to_settle(
    one: Estimate, margin: float, level: float = LEVEL, level_equal: float | None = None
) -> int | None:
    """Seeds of each setting at which a verdict is reached four times in five, were the estimates
    true: better or worse, or equal within `margin` (at a level of its own, if given). None: not
    even MOST_SEEDS would."""
    least = max(2, *(part.seeds for part in one.parts))
    within = level if level_equal is None else level_equal

    def settles(seeds: int) -> bool:
        then = with_seeds(one, seeds)
        apart = abs(one.mean) >= then.smallest(level)
        return apart or then.power_of_equal(margin, within) >= POWER

    tried = range(least, MOST_SEEDS + 1)
    place = bisect_left(tried, True, key=settles)  # what so many settle, more settle too
    return tried[place] if place < len(tried) else None


def with_seeds(one: Estimate, seeds: int) -> Estimate:
    """What the estimate would be with so many seeds in each part, its components unchanged."""
    parts = tuple(
        Part(seeds, part.variance * part.seeds / seeds, part.between) for part in one.parts
    )
    return Estimate(one.mean, parts, one.images)


def smallest_seen(
    seeds: int,
    images: int,
    comparisons: int = 1,
    sd: float = 0.01,
    disagree: tuple[float, float] = (0.27, 0.23),
    paired: bool = False,
) -> float:
    """The difference found four times in five, before anything is trained: what a plan can see.

    `sd` is the scatter of one setting's seeds (a fraction); `disagree` the shares of images on
    which networks of two settings, and of one setting, answer differently (as published ones do).
    The level is that of Holm's first step for so many comparisons. `paired` by seed: as many
    differences as seeds; nothing is promised of what pairing may gain.
    """
    if seeds < 2 or not images:
        return np.nan
    between, within = disagree
    part = Part(seeds, (sd**2 + within / 2 / images) / seeds, sd**2)
    parts = (Part(seeds, 2 * part.variance, 2 * sd**2),) if paired else (part, part)
    plan = Estimate(0.0, parts, (between - within) / images)
    return plan.smallest(1 - (1 - LEVEL) / comparisons)
