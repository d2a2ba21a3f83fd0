"""What a study can decide, before it trains: too few seeds are told while they can be changed."""

from dataclasses import dataclass

import numpy as np

from fer_stats import crossed
from fer_stats.verdicts import SCATTER

WORTH = 0.02  # a difference that a comparison of networks should find four times in five
MOST_SEEDS = 100


@dataclass(frozen=True)
class Plan:
    """Seeds for each setting, images to judge on, and how many pairs are to be decided."""

    seeds: int
    images: int
    pairs: int
    paired: bool = False  # the settings begin alike, so that they are compared seed by seed

    def smallest(self, seeds: int) -> float:
        """The difference found four times in five with so many seeds; NaN with one."""
        return crossed.smallest_seen(seeds, self.images, self.pairs, SCATTER, paired=self.paired)

    @property
    def enough(self) -> int | None:
        """The fewest seeds that find WORTH; None where not even MOST_SEEDS do."""
        for seeds in range(2, MOST_SEEDS + 1):
            if round(self.smallest(seeds), 3) <= WORTH:  # to a tenth of a point, as it is told
                return seeds
        return None

    @property
    def decides(self) -> bool:
        return self.enough is not None and self.seeds >= self.enough

    @property
    def words(self) -> str:
        """What these seeds can decide, and how many would do; "" where there is nothing to."""
        if not self.pairs:
            return ""
        if not self.images:
            return "Every test image is a copy of one in train or val: nothing will be settled."
        smallest = self.smallest(self.seeds)
        what = "one pair" if self.pairs == 1 else f"{self.pairs} pairs"
        if np.isnan(smallest):
            told = "One seed each: nothing will be settled"
        else:
            difference = (
                "not even a difference of 100 points"
                if smallest > 1
                else f"a difference of {100 * smallest:.1f} points"
            )
            told = (
                f"{self.seeds} seeds each, {what}, {self.images:,} images: {difference} is "
                f"found four times in five, if seeds scatter by {100 * SCATTER:g} point"
            )
        if self.decides:
            return f"{told}."
        if self.enough is None:
            return f"{told}. Not even --seeds {MOST_SEEDS} would find {100 * WORTH:g} points."
        return f"{told}. --seeds {self.enough} would find {100 * WORTH:g} points."
