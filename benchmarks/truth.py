"""Do the printed intervals and verdicts hold? Made-up studies whose truth is known.

python -m benchmarks.truth [--studies 600] [--quick] [--processes 2]

An image has a difficulty that both settings share and one of its own for each; a seed moves a
setting's accuracy up or down. Networks of one setting disagree on 23 % of the images and those of
two on 27 %, as the published ones do. The functions that report and explorer print are asked, and
held to the truth over all seeds and images. Exit code 1 where one of them breaks its promise.
"""

import argparse
import multiprocessing
import platform
import resource
import sys
import time
from collections.abc import Callable
from functools import cache
from itertools import combinations

import numpy as np
import scipy
from scipy import optimize, stats

from fer_stats import crossed

IMAGES = 3589
ACCURACY = 0.57
WITHIN, BETWEEN = 0.23, 0.27  # shares of images on which two networks disagree
SEEDS = (3, 5, 10)
SCATTERS = (0.005, 0.01, 0.02, 0.03)
SETTINGS = (2, 3, 5, 9)
MARGIN = 0.005
ALIKE = 0.5  # correlation of two settings' seeds where they are compared in pairs
NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(60)
WEIGHTS = WEIGHTS / WEIGHTS.sum()


def centre(accuracy: float, spread: float) -> float:
    return float(stats.norm.ppf(accuracy) * np.sqrt(1 + spread**2))


def apart(accuracy: float, whole: float, shared: float) -> float:
    """The share of images on which two networks of this accuracy disagree, for whom difficulty has
    the latent spread `whole`, and so much of it in common."""
    own = np.sqrt(max(whole**2 - shared**2, 0.0))
    p = stats.norm.cdf((centre(accuracy, whole) + shared * NODES) / np.sqrt(1 + own**2))
    return float(WEIGHTS @ (2 * p * (1 - p)))


@cache
def spreads(accuracy: float, within: float, between: float) -> tuple[float, float, float]:
    """Latent spreads of images: the whole, what all settings share, and of each setting alone; by
    the shares of images on which networks of one setting and of two disagree."""
    whole = optimize.brentq(lambda all_of: apart(accuracy, all_of, all_of) - within, 1e-3, 80)
    shared = optimize.brentq(lambda some: apart(accuracy, whole, some) - between, 1e-3, whole)
    return float(whole), float(shared), float(np.sqrt(whole**2 - shared**2))


def scattered(scatter: float, accuracy: float, whole: float) -> float:
    """How wide seeds are in the latent, so that the accuracy of a network over all images scatters
    by so much."""
    return float(scatter * np.sqrt(1 + whole**2) / stats.norm.pdf(stats.norm.ppf(accuracy)))


class World:
    """Settings of known accuracy over all seeds and images."""

    def __init__(
        self,
        accuracies: list[float],
        scatter: float,
        seeds: int,
        table: int,
        alike: float = 0.0,
    ) -> None:
        whole, self.shared, self.own = spreads(ACCURACY, WITHIN, BETWEEN)
        self.latent = scattered(scatter, ACCURACY, whole)
        spread = np.sqrt(whole**2 + self.latent**2)
        self.centres = [centre(accuracy, float(spread)) for accuracy in accuracies]
        self.alike = alike
        self.seeds = seeds
        row = [table, len(accuracies), seeds, round(1e4 * scatter)]
        self.rng = np.random.default_rng(row)  # no row's chance is another's

    def normal(self, *shape: int) -> np.ndarray:
        return self.rng.standard_normal(shape, np.float32)

    def study(self) -> list[np.ndarray]:
        """(S, N) right or wrong for each setting, on images and seeds drawn anew."""
        face, common = self.shared * self.normal(IMAGES), self.normal(self.seeds)
        found = []
        for level in self.centres:
            image = level + face + self.own * self.normal(IMAGES)
            own = np.sqrt(1 - self.alike) * self.normal(self.seeds)
            seed = self.latent * (np.sqrt(self.alike) * common + own)
            found.append(self.normal(self.seeds, IMAGES) < image + seed[:, None])
        return found


def share(held: list[bool]) -> float:
    return 100 * float(np.mean(held))


def coverage(seeds: int, scatter: float, studies: int) -> tuple[float, ...]:
    """Intervals that hold the truth, in percent: of a setting, of a difference, of one in pairs of
    seeds; the mean width of the second, in points."""
    gap, accuracies = 0.01, [ACCURACY, ACCURACY - 0.01]
    world = World(accuracies, scatter, seeds, 1)
    pairs = World(accuracies, scatter, seeds, 2, ALIKE)
    one, two, paired, width = [], [], [], []
    for _ in range(studies):
        first, second = world.study()
        low, high = crossed.of_one(first).interval()
        one.append(low <= ACCURACY <= high)
        low, high = crossed.apart(first, second).interval()
        two.append(low <= gap <= high)
        width.append(high - low)
        first, second = pairs.study()
        low, high = crossed.of_one(first.astype(float) - second).interval()
        paired.append(low <= gap <= high)
    return share(one), share(two), share(paired), 100 * float(np.mean(width))


def family(settings: int, seeds: int, scatter: float, studies: int) -> tuple[float, float]:
    """Studies of settings of equal worth in which any pair is called better or worse, and those in
    which any is called equal, in percent."""
    world = World([ACCURACY] * settings, scatter, seeds, 3)
    wrong, equal = [], []
    for _ in range(studies):
        each = [crossed.means(answers) for answers in world.study()]
        pairs = [crossed.between(a, b) for a, b in combinations(each, 2)]
        words = {verdict.word for verdict in crossed.verdicts(pairs, MARGIN)}
        wrong.append(bool(words & {"better", "worse"}))
        equal.append("equal" in words)
    return share(wrong), share(equal)


def called_equal(seeds: int, scatter: float, margin: float, studies: int) -> float:
    """Settings just the margin apart that are called equal within it, in percent."""
    world = World([ACCURACY, ACCURACY - margin], scatter, seeds, 4)
    said = []
    for _ in range(studies):
        first, second = world.study()
        (verdict,) = crossed.verdicts([crossed.apart(first, second)], margin)
        said.append(verdict.word == "equal")
    return share(said)


def power(seeds: int, scatter: float, pairs: int, studies: int) -> tuple[float, float]:
    """The difference, in points, that is printed as found four times in five by one of so many
    pairs, and how often it is found at Holm's first step, in percent."""
    gap = crossed.smallest_seen(seeds, IMAGES, pairs, scatter, (BETWEEN, WITHIN))
    world = World([ACCURACY + gap / 2, ACCURACY - gap / 2], scatter, seeds, 5)
    found = []
    for _ in range(studies):
        low, _ = crossed.apart(*world.study()).interval(1 - (1 - crossed.LEVEL) / pairs)
        found.append(low > 0)
    return 100 * gap, share(found)


def chance(promised: float, studies: int) -> float:
    """What chance alone does to a share of so many studies: three standard errors, in points."""
    return 300 * float(np.sqrt(promised * (1 - promised) / studies))


def held_as_promised(held: float, seeds: int, studies: int) -> bool:
    """Whether intervals held the truth in 93 to 97 %, but for chance. Those of fewer than five
    seeds may hold it more often: they are never narrower than the answers' own scatter makes them.
    """
    slack, most = chance(0.95, studies), 97 if seeds >= 5 else 100
    return 93 - slack < held < most + slack


Row = tuple[str, str]  # of the table; what broke its promise, or nothing


def covered(seeds: int, scatter: float, studies: int) -> Row:
    *held, width = coverage(seeds, scatter, studies)
    told = " | ".join(f"{each:.1f}" for each in held)
    broken = not all(held_as_promised(each, seeds, studies) for each in held)
    row = f"| {seeds} | {100 * scatter:g} | {told} | {width:.2f} | {studies:,} |"
    return row, f"coverage {told} % at {seeds} seeds, sd {scatter}" * broken


def called(settings: int, seeds: int, scatter: float, studies: int) -> Row:
    wrong, equal = family(settings, seeds, scatter, studies)
    broken = wrong > 5 + chance(0.05, studies)
    row = f"| {settings} | {seeds} | {100 * scatter:g} | {wrong:.1f} | {equal:.1f} | {studies:,} |"
    return row, f"{wrong:.1f} % false verdicts: {settings} settings, {seeds} seeds" * broken


def equal(seeds: int, scatter: float, margin: float, studies: int) -> Row:
    wrong = called_equal(seeds, scatter, margin, studies)
    broken = wrong > 5 + chance(0.05, studies)
    row = f"| {100 * margin:g} | {seeds} | {100 * scatter:g} | {wrong:.1f} | {studies:,} |"
    return row, f"{wrong:.1f} % wrongly equal within {margin}, {seeds} seeds" * broken


def seen(seeds: int, scatter: float, pairs: int, studies: int) -> Row:
    gap, found = power(seeds, scatter, pairs, studies)
    broken = abs(found - 80) > 5 + chance(0.8, studies)
    row = f"| {pairs} | {seeds} | {100 * scatter:g} | {gap:.2f} | {found:.1f} | {studies:,} |"
    return row, f"{found:.1f} % found where 80 are printed, {seeds} seeds, {pairs} pairs" * broken


Table = tuple[str, Callable[..., Row], list[tuple]]


def tables(studies: int) -> list[Table]:
    """Heading, what makes a row, and of what: the table of docs/statistics.md."""
    cells = [(seeds, scatter) for seeds in SEEDS for scatter in SCATTERS]
    each = {settings: studies if settings < 5 else -(-studies // 2) for settings in SETTINGS}
    return [
        (
            "| seeds | their sd, points | setting, % | difference, % | in pairs of seeds, % | "
            "width of a difference, points | studies |",
            covered,
            [(*cell, studies) for cell in cells],
        ),
        (
            "| settings of equal worth | seeds | their sd, points | any pair called better or "
            "worse, % | any called equal, % | studies |",
            called,
            [(n, *cell, each[n]) for n in SETTINGS for cell in cells],
        ),
        (
            "| apart by, and margin, points | seeds | their sd, points | called equal, % | "
            "studies |",
            equal,
            [(*cell, margin, studies) for margin in (0.005, 0.02) for cell in cells],
        ),
        (
            "| one of so many pairs | seeds | their sd, points | printed as found 4 times in 5, "
            "points | found, % | studies |",
            seen,
            [
                (*cell, pairs, studies)
                for pairs in (1, 3, 36)
                for cell in cells
                if there(*cell, pairs)
            ],
        ),
    ]


def there(seeds: int, scatter: float, pairs: int) -> bool:
    """Whether a difference that large is possible at this accuracy as a shift of it."""
    return crossed.smallest_seen(seeds, IMAGES, pairs, scatter, (BETWEEN, WITHIN)) < 0.2


def made(task: tuple[Callable[..., Row], tuple]) -> Row:
    of, given = task
    return of(*given)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--studies", type=int, default=600, help="made-up studies for each row")
    parser.add_argument("--quick", action="store_true", help="a tenth of them, to see it run")
    parser.add_argument("--processes", type=int, default=2, help="at once")
    given = parser.parse_args(argv)
    studies = given.studies // 10 if given.quick else given.studies
    began, broken = time.monotonic(), []
    with multiprocessing.get_context("spawn").Pool(given.processes) as pool:
        for heading, of, rows in tables(studies):
            print(f"\n{heading}\n|{'--:|' * (heading.count('|') - 1)}")
            for row, wrong in pool.imap(made, [(of, row) for row in rows]):
                print(row, flush=True)
                broken += [wrong] if wrong else []
        pool.close()
        pool.join()
    took, worked = time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    print(
        f"\n{took:.0f} s, {given.processes} processes, {worked:.0f} s of computing, "
        f"Python {platform.python_version()}, "
        f"numpy {np.__version__}, scipy {scipy.__version__}"
    )
    print("\n".join(broken) if broken else "All as promised.")
    return int(bool(broken))


if __name__ == "__main__":
    sys.exit(main())
