"""The rungs of successive halving, and how long trials are to be expected there."""

import itertools
import math


def rungs(epochs: int, grace_epochs: int, reduction_factor: int) -> list[int]:
    """The epochs after which a trial is judged."""
    found, rung = [], grace_epochs
    while rung < epochs:
        found.append(rung)
        rung *= reduction_factor
    return found


def expected(epochs: int, grace_epochs: int, reduction_factor: int, trials: float) -> float:
    """Epochs that each of so many trials trains on average, if values at a rung are as chance
    has them; a mean of trials needn't be whole."""
    ends = [*rungs(epochs, grace_epochs, reduction_factor), epochs]
    total, there = trials * ends[0], trials
    for before, after in itertools.pairwise(ends):
        there = going_on(there, reduction_factor)
        total += there * (after - before)
    return total / trials


def going_on(trials: float, reduction_factor: int) -> float:
    """Of trials at a rung those that go on: the first, and of k before it one that is no lower
    than the cutoff, which leaves so many of the k + 1 ranks."""
    below = 1 - 1 / reduction_factor
    shares = [1.0] + [1 - (1 + (k - 1) * below) / (k + 1) for k in range(1, math.ceil(trials))]
    return sum(share * min(1, trials - k) for k, share in enumerate(shares))
