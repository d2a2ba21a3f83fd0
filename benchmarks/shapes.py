"""Do verdicts hold in studies of other shapes than those of `benchmarks.truth`? Uneven seeds, a
missing seed, shared initial weights, few images, copies, high accuracies.

python -m benchmarks.shapes [--studies 600] [--only WORDS] [--processes 2]

Of each shape: studies of settings of equal worth in which a pair is called better or worse; studies
in which one that is exactly the margin (2 points) apart is called equal; how often the 95 %
intervals of one setting and of one pair hold the truth. Exit code 1 where a share is further from
its promise than chance moves it.
"""

import argparse
import multiprocessing
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from benchmarks.truth import centre, chance, held_as_promised, scattered, share, spreads
from fer_stats import crossed, verdicts
from fer_stats.verdicts import Answered

MARGIN = 0.02
ALIKE = 0.5  # correlation of the seeds of settings that begin with the same weights
CLUSTER = 5  # identical images, where there are copies
DISAGREE = {0.57: (0.23, 0.27), 0.9: (0.10, 0.12), 0.95: (0.055, 0.065)}  # within, between settings


@dataclass(frozen=True)
class Shape:
    """What a study looks like. `starts` numbers the settings that share initial weights by seed,
    0 for none; `copies` is the share of images that stand in clusters of identical ones."""

    seeds: tuple[range | tuple[int, ...], ...]
    scatter: float = 0.01  # sd of accuracy over seeds
    images: int = 3589
    accuracy: float = 0.57
    starts: tuple[int, ...] = ()
    copies: float = 0.0


def each(settings: int, seeds: int) -> tuple[range, ...]:
    return (range(seeds),) * settings


SHAPES = {
    "3, 5 and 10 seeds": Shape((range(3), range(5), range(10))),
    "3 and 10 seeds, sd 2": Shape((range(3), range(10)), 0.02),
    "2 and 12 seeds": Shape((range(2), range(12))),
    "2 settings of 2 seeds": Shape(each(2, 2)),
    "3 settings of 2 seeds, sd 2": Shape(each(3, 2), 0.02),
    "2 settings of 20 seeds, sd 3": Shape(each(2, 20), 0.03),
    "3 settings of 3 seeds that are all the same": Shape(each(3, 3), 0.0),
    "4 settings, one of one seed": Shape((*each(3, 5), range(1))),
    "9 settings of 3 to 10 seeds, sd 2": Shape(
        tuple(range(n) for n in (3, 4, 5, 3, 6, 3, 5, 4, 10)), 0.02
    ),
    "in pairs, a seed missing": Shape((range(5), (0, 1, 2, 4)), starts=(1, 1)),
    "begun alike, two common seeds of five": Shape((range(5), range(3, 8)), starts=(1, 1)),
    "begun alike, two of the three seeds": Shape((range(3), range(2)), starts=(1, 1)),
    "begun alike, no common seed": Shape((range(5), range(5, 10)), starts=(1, 1)),
    "two of three in pairs, sd 1.5": Shape(each(3, 5), 0.015, starts=(1, 1, 0)),
    "100 images, 3 seeds": Shape(each(2, 3), images=100),
    "30 images, 3 settings, sd 2": Shape(each(3, 5), 0.02, images=30),
    "30 % copies": Shape(each(3, 5), copies=0.3),
    "500 images, 60 % copies, in pairs": Shape(each(2, 5), images=500, copies=0.6, starts=(1, 1)),
    "accuracy 90 %": Shape(each(3, 5), accuracy=0.9),
    "accuracy 90 %, 300 images": Shape(each(3, 5), images=300, accuracy=0.9),
    "accuracy 95 %, 3 seeds, sd .5": Shape(each(3, 3), 0.005, accuracy=0.95),
}


def made(
    shape: Shape, accuracies: list[float], rng: np.random.Generator
) -> tuple[list[Answered], np.ndarray]:
    """A study of settings of these accuracies over all seeds and images, and the clusters of its
    images, all drawn anew."""
    whole, common, own = spreads(shape.accuracy, *DISAGREE[shape.accuracy])
    latent = scattered(shape.scatter, shape.accuracy, whole)
    single = round(shape.images * (1 - shape.copies))
    different = single + (shape.images - single) // CLUSTER
    copied = single + np.arange(shape.images - single) // CLUSTER
    cluster = np.concatenate([np.arange(single), np.minimum(copied, different - 1)])
    starts = shape.starts or (0,) * len(shape.seeds)
    weights = {(start, seed): rng.standard_normal() for start in starts for seed in range(20)}
    face = common * rng.standard_normal(different)
    found = []
    for k, (accuracy, seeds) in enumerate(zip(accuracies, shape.seeds, strict=True)):
        level = centre(accuracy, float(np.sqrt(whole**2 + latent**2)))
        image = level + face + own * rng.standard_normal(different)
        alike = ALIKE if starts[k] else 0.0
        shared = np.array([weights[starts[k], seed] for seed in seeds])
        alone = rng.standard_normal(len(seeds))
        moved = latent * (np.sqrt(alike) * shared + np.sqrt(1 - alike) * alone)
        right = rng.standard_normal((len(seeds), different)) < image + moved[:, None]
        start = f"start {starts[k]}" if starts[k] else ""
        found.append(Answered(f"setting {k}", right[:, cluster], tuple(seeds), start))
    return found, cluster


def holds(estimate: crossed.Estimate, truth: float) -> bool:
    low, high = estimate.interval()
    return low <= truth <= high


def row(task: tuple[str, int]) -> tuple[str, bool]:
    """A line of the table, and whether it breaks a promise."""
    name, studies = task
    shape = SHAPES[name]
    rng = np.random.default_rng([sum(map(ord, name)), studies])
    settings = len(shape.seeds)
    alike, further = [shape.accuracy] * settings, [shape.accuracy - MARGIN] * (settings - 1)
    called, one, two, equal = [], [], [], []
    for _ in range(studies):
        answers, cluster = made(shape, alike, rng)
        said = {each.verdict for each in verdicts.of(answers, None, MARGIN, cluster)}
        called.append(bool(said & {"better", "worse"}))
        one.append(holds(crossed.of_one(answers[0].right, cluster), shape.accuracy))
        two.append(holds(verdicts.estimate(answers[0], answers[1], cluster)[0], 0.0))
        answers, cluster = made(shape, [shape.accuracy, *further], rng)
        told = verdicts.of(answers, None, MARGIN, cluster)
        first = [each for each in told if "setting 0" in (each.first, each.second)]
        equal.append(any(each.verdict == "equal" for each in first))
    found = [share(each) for each in (called, equal, one, two)]
    slack = chance(0.95, studies)
    wrong = max(found[:2]) > 5 + slack
    first, second = (len(seeds) for seeds in shape.seeds[:2])
    wrong |= not held_as_promised(found[2], first, studies)
    wrong |= not held_as_promised(found[3], min(first, second), studies)
    told = " | ".join(f"{each:.1f}" for each in found)
    return f"| {name} | {told} | {studies:,} |", bool(wrong)


def tasks(studies: int, words: list[str]) -> Iterator[tuple[str, int]]:
    for name, shape in SHAPES.items():
        if all(word in name for word in words):
            yield name, studies if len(shape.seeds) < 6 else studies // 3


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--studies", type=int, default=600, help="made-up studies for each row")
    parser.add_argument("--only", nargs="+", default=[], help="shapes whose names have these words")
    parser.add_argument("--processes", type=int, default=2, help="at once")
    given = parser.parse_args(argv)
    print(
        "| shape | better or worse, % | equal at the margin, % | setting held, % | pair held, % | "
        "studies |\n|---|--:|--:|--:|--:|--:|"
    )
    broken = 0
    with multiprocessing.get_context("spawn").Pool(given.processes) as pool:
        for line, wrong in pool.imap(row, tasks(given.studies, given.only)):
            print(line + (" <- broken" if wrong else ""), flush=True)
            broken += wrong
        pool.close()
        pool.join()
    return int(bool(broken))


if __name__ == "__main__":
    sys.exit(main())
