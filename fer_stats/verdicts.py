"""A beats B by x: the one rule, with its four verdicts, and what would settle what is open.

Whoever compares settings (terminal, report, README, explorer) asks `of`. The claim is for new seeds
and new images; the interval is that of `crossed`, corrected by Holm within the primary pairs and,
apart from them, within all others. One seed has no interval and settles nothing.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np

from fer_stats import crossed
from fer_stats.crossed import Estimate, Part
from fer_stats.words import reaching, seeds_each, signed

MARGIN = 0.005  # half a point: what is called equal, where a study says nothing else
SCATTER = 0.01  # sd over seeds that is assumed where one seed tells nothing of it
SAME_SETTING = 0.85  # disagreement of two seeds of one setting, as a share of that of two settings


@dataclass(frozen=True)
class Answered:
    """A confirmed setting's answers to the images of one scope, as the rule needs them."""

    name: str
    right: np.ndarray = field(repr=False)  # (S, N) bool
    seeds: tuple[int, ...]  # S
    start: str = ""  # settings that begin alike at the same seed share it: weights, order of images
    cost: float = np.nan  # hours that one training takes, of `unit` in `of`


@dataclass(frozen=True)
class Comparison:
    """What can be said of two settings. Accuracies are fractions, differences first less second."""

    first: str
    second: str
    primary: bool  # of the pairs that were fixed before training
    seeds: tuple[int, int]  # of each that were used
    images: int
    paired: bool  # by seed: both begin with the same weights
    difference: float
    low: float  # of the interval at `level`, the level that Holm leaves; NaN with one seed
    high: float
    level: float
    verdict: str  # as crossed.Verdict has it
    margin: float  # within which "equal" is meant
    p: float  # of no difference, with Holm
    p_equal: float  # of a difference of the margin or more, with Holm
    chance: float  # that the first, trained anew, is better on new images
    smallest: float  # the true difference that Holm's first step would find four times in five
    needed: int | None  # seeds of each that would settle it; None: not even crossed.MOST_SEEDS
    hours: float  # what those that are lacking cost; NaN where that isn't known
    unit: str  # "GPU-hours" or "core-hours"

    @property
    def settled(self) -> bool:
        return self.verdict != "not settled"

    @property
    def cost_words(self) -> str:
        """0.24 core-hours, 210 core-hours: two digits; "" where it isn't known."""
        if np.isnan(self.hours):
            return ""
        return f"{float(f'{self.hours:.2g}'):,g} {self.unit}"

    @property
    def words(self) -> str:
        """The verdict as a sentence, without its end."""
        many = seeds_each(self.seeds)
        if np.isnan(self.low):  # one seed, or one image
            return f"{self.lead}, {many}: not settled; {self.settle}"
        reach = f"({self.reach}; {many})"
        if self.verdict == "equal":
            within = f"{100 * self.margin:g} points"
            return f"{self.ahead} and {self.behind} are equal within {within} {reach}"
        if self.settled:
            return f"{self.ahead} beats {self.behind} by {self.points} {reach}"
        return f"{self.lead} {reach}: not settled; {self.settle}"

    @property
    def ahead(self) -> str:
        return self.second if self.difference < 0 else self.first

    @property
    def behind(self) -> str:
        return self.first if self.difference < 0 else self.second

    @property
    def points(self) -> str:
        return f"{100 * abs(self.difference):.1f} points"

    @property
    def reach(self) -> str:
        """The interval of who is ahead less who is behind, in points."""
        if self.difference < 0:
            return reaching(-self.high, -self.low)
        return reaching(self.low, self.high)

    @property
    def lead(self) -> str:
        """Who is ahead in the mean, and by how much: no verdict."""
        if not self.difference:
            return f"{self.first} and {self.second} are as accurate"
        return f"{self.ahead} leads {self.behind} by {self.points}"

    @property
    def settle(self) -> str:
        """What would settle it, as half a sentence; "" where it is settled."""
        if self.settled:
            return ""
        if self.needed is None:
            return (
                f"not even {crossed.MOST_SEEDS} seeds each would, with these {self.images:,} images"
            )
        hours = "" if np.isnan(self.hours) else f", about {self.cost_words} more"
        guess = min(self.seeds) < 2
        assumed = f", if seeds scatter by {100 * SCATTER:g} point" if guess else ""
        return f"{self.needed} seeds each would, four times in five{assumed}{hours}"


def start(model: str | None, *shape: object) -> str:
    """What settings share that begin with the same weights at the same seed: the network, and what
    shapes it. A CBAM-ResNet-34 begins with all that the ResNet-34 of its stem has."""
    return " ".join([str(model).removeprefix("cbam_"), *map(str, shape)])


def of(
    settings: Sequence[Answered],
    pairs: Sequence[tuple[str, str]] | None = None,
    margin: float = MARGIN,
    cluster: np.ndarray | None = None,
    unit: str = "GPU-hours",
) -> list[Comparison]:
    """Every two settings, the `pairs` first: all on the same images in the same order.

    `pairs` are those that were fixed before training, by name; None: all are primary.
    `cluster` (N,) numbers groups of images that count as one draw. A primary pair is given as it
    was named; of the others the first is the setting that comes first.
    """
    there = {one.name: one for one in settings}
    fixed = [pair for pair in pairs or () if set(pair) <= set(there)]
    known = {frozenset(pair) for pair in fixed}
    rest = [p for p in combinations(there, 2) if frozenset(p) not in known]
    families = [(fixed, True), (rest, False)] if pairs is not None else [(rest, True)]
    found = []
    for names, primary in families:
        tested = [(there[first], there[second]) for first, second in names]
        found += family(tested, primary, margin, cluster, unit)
    return found


def primary(
    fixed: Sequence[tuple[str, str]], beside: Collection[str], names: Sequence[str]
) -> list[tuple[str, str]] | None:
    """The pairs that a study is to decide: those that it fixed; without, every two, but for what
    is confirmed `beside` the best of a search. None where that is every two."""
    if fixed or not beside:
        return list(fixed) or None
    return [*combinations([name for name in names if name not in beside], 2)]


def gains(
    settings: Sequence[Answered],
    defaults: Sequence[tuple[str, str]],
    margin: float = MARGIN,
    cluster: np.ndarray | None = None,
    unit: str = "GPU-hours",
) -> list[Comparison]:
    """The best of a search against its network's default, of each network: a family of its own.

    `defaults`: best, default. Seeds are new and images nothing was chosen on, so that what the
    search gained isn't flattered by the choice.
    """
    there = {one.name: one for one in settings}
    pairs = [(there[a], there[b]) for a, b in defaults if {a, b} <= set(there)]
    return family(pairs, True, margin, cluster, unit)


GAIN = "What the search gained over the default, new seeds, on test without duplicates"
ONE_SEARCH = (
    "All intervals are of this one search: another one may choose another setting, and only whole "
    "searches again (--repeats) say how far"
)


def gain_words(one: Comparison) -> str:
    """What a search gained, as a sentence without its end."""
    told = f"{one.first}: {signed(100 * one.difference)} points"
    if np.isnan(one.low):
        return f"{told} ({seeds_each(one.seeds)}: no interval)"
    reach = f"({reaching(one.low, one.high)}; {seeds_each(one.seeds)})"
    nothing = "" if one.verdict == "better" else f": {GAINED[one.verdict]}"
    return f"{told} {reach}{nothing}"


GAINED = {
    "worse": "it lost",
    "equal": "no more than the margin either way",
    "not settled": "not settled that it gained or lost anything",
}


def family(
    pairs: list[tuple[Answered, Answered]],
    primary: bool,
    margin: float,
    cluster: np.ndarray | None,
    unit: str,
) -> list[Comparison]:
    """The pairs of one of Holm's families."""
    estimates = [estimate(a, b, cluster) for a, b in pairs]
    judged = crossed.verdicts([one for one, *_ in estimates], margin)
    known = sum(not np.isnan(one.error) for one, *_ in estimates)  # Holm's members
    first_step, every = (1 - (1 - crossed.LEVEL) / max(many, 1) for many in (known, len(pairs)))
    found = []
    for (a, b), (one, seeds, paired), verdict in zip(pairs, estimates, judged, strict=True):
        needed = None
        if verdict.word == "not settled":
            guess = one if min(seeds) > 1 else assumed(a, b, cluster)
            levels = verdict.level, verdict.level_equal
            levels = levels if min(seeds) > 1 else (every, every)  # with seeds it is a member too
            needed = crossed.seeds_to_settle(guess, margin, *levels)
        lacking = [max((needed or 0) - len(each.seeds), 0) * each.cost for each in (a, b)]
        found.append(
            Comparison(
                a.name,
                b.name,
                primary,
                seeds,
                a.right.shape[1],
                paired,
                one.mean,
                verdict.low,
                verdict.high,
                verdict.level,
                verdict.word,
                margin,
                verdict.p,
                verdict.p_equal,
                one.chance,
                one.smallest(first_step),
                needed,
                sum(lacking) if needed else np.nan,
                unit,
            )
        )
    return found


def estimate(
    a: Answered, b: Answered, cluster: np.ndarray | None
) -> tuple[Estimate, tuple[int, int], bool]:
    """The difference of two settings, how many seeds of each it is from, and whether in pairs.

    In pairs where both begin with the same weights and have more than two thirds of the seeds of
    either in common, and then of those alone: where more are left out, all seeds say more.
    """
    common = [seed for seed in a.seeds if seed in b.seeds]
    most = max(len(a.seeds), len(b.seeds))
    if not a.start or a.start != b.start or len(common) < 2 or 3 * len(common) <= 2 * most:
        seeds = len(a.seeds), len(b.seeds)
        return crossed.apart(a.right, b.right, cluster), seeds, False
    one, two = (each.right[[each.seeds.index(seed) for seed in common]] for each in (a, b))
    difference = one.astype(float) - two
    return crossed.of_one(difference, cluster), (len(common), len(common)), True


def assumed(a: Answered, b: Answered, cluster: np.ndarray | None) -> Estimate:
    """The difference where a setting has one seed: with a scatter over seeds that is assumed."""
    one = crossed.in_clusters(a.right.astype(float), cluster).mean(0)
    two = crossed.in_clusters(b.right.astype(float), cluster).mean(0)
    apart = float((one - two).var(ddof=1) / len(one))
    seeds = max(min(len(a.seeds), len(b.seeds)), 1)
    parts = tuple(
        Part(seeds, (SCATTER**2 + SAME_SETTING * apart / 2) / seeds, SCATTER**2) for _ in range(2)
    )
    return Estimate(float((one - two).mean()), parts, (1 - SAME_SETTING) * apart)
