"""Sets of classes that hold the right one with a probability that is asked for.

Split conformal prediction (Vovk et al. 2005; Sadinle et al. 2019): a class is in the set if its
probability is at least a threshold, which is chosen on images that the network wasn't trained on so
that the right class would have been in that share of their sets. For new images of the same kind
the promise holds on average over images, not for each class or person.
"""

import math
from dataclasses import dataclass

import numpy as np

COVERAGE = 0.9


@dataclass(frozen=True)
class Sets:
    """How sets are made: the least probability of a class in one, and what was promised."""

    least: float
    coverage: float
    images: int  # that it was calibrated on

    def of(self, shares: np.ndarray) -> np.ndarray:
        """Which classes are in the sets: bool (N, K). The likeliest always is: an empty set would
        be right about nothing."""
        inside = shares >= self.least
        inside[np.arange(len(shares)), shares.argmax(1)] = True
        return inside


def calibrated(shares: np.ndarray, labels: np.ndarray, coverage: float = COVERAGE) -> Sets:
    """Sets from probabilities (N, K) and labels (N,) of images that weren't trained on."""
    own = np.sort(shares[np.arange(len(labels)), labels])[::-1]
    rank = math.ceil((len(own) + 1) * coverage)  # one more, for the new image itself
    least = float(own[rank - 1]) if rank <= len(own) else 0.0
    return Sets(least, coverage, len(own))


def coverage(sets: Sets, shares: np.ndarray, labels: np.ndarray) -> tuple[float, float]:
    """Share of images whose set holds the label, and mean number of classes in a set."""
    inside = sets.of(shares)
    return float(inside[np.arange(len(labels)), labels].mean()), float(inside.sum(1).mean())
