"""Wilson's interval, in the few lines that a study needs; scipy stays in the results."""

import math


def wilson(hits: float, images: int) -> tuple[float, float]:
    """95 % score interval of a share (Wilson 1927): the spread by the choice of images."""
    z, share = 1.959964, hits / images
    centre = (share + z * z / (2 * images)) / (1 + z * z / images)
    half = (
        z
        / (1 + z * z / images)
        * math.sqrt(share * (1 - share) / images + z * z / (4 * images * images))
    )
    return max(0.0, centre - half), min(1.0, centre + half)
