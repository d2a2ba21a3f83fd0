"""Wilson's interval of a share, in math alone: statsmodels has it, and a study does without."""

import math

Z = 1.959963984540054  # of 95 %, two-sided


def wilson(hits: float, images: float) -> tuple[float, float]:
    """95 % score interval of a share (Wilson 1927), NaN without images: by the choice of images
    alone."""
    if not images:
        return math.nan, math.nan
    share = hits / images
    centre = (share + Z * Z / (2 * images)) / (1 + Z * Z / images)
    half = (
        Z
        / (1 + Z * Z / images)
        * math.sqrt(share * (1 - share) / images + Z * Z / (4 * images * images))
    )
    return max(0.0, centre - half), min(1.0, centre + half)
