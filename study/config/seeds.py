"""Every random number of a study follows from its seed: how."""

import numpy as np

A_STUDYS = 100_000  # each study has so many: its search's from 0, its confirmation's from FRESH
FRESH = 50_000
LAST_STUDY = (2**63 - 1) // A_STUDYS - 1  # a trial's seed is a column of whole numbers of 64 bits


def derived(seed: int, epoch: int, purpose: str) -> int:
    """A 64-bit seed for one purpose in one epoch: no generator state outlives an epoch."""
    words = [seed, epoch, int.from_bytes(purpose.encode(), "big")]
    return int(np.random.SeedSequence(words).generate_state(1, np.uint64)[0])
