"""Every random number of a study follows from its seed: how."""

import numpy as np


def derived(seed: int, epoch: int, purpose: str) -> int:
    """A 64-bit seed for one purpose in one epoch: no generator state outlives an epoch."""
    words = [seed, epoch, int.from_bytes(purpose.encode(), "big")]
    return int(np.random.SeedSequence(words).generate_state(1, np.uint64)[0])
