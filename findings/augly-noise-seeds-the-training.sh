#!/usr/bin/env bash
# AugLy's RandomNoise has one noise for all faces, and sets the seed of all that the training draws from numpy.random.
#
# Guess: RandomNoise(p=.2) adds noise of its own to a fifth of the faces; what else is random in the training is as without it.
# Seen, augly 1.0.0, pillow 13.0.0, numpy 2.4.6, Python 3.11; a training that is seeded with 1, 2 and 3, draws the order of each
# epoch by np.random.permutation and the share of each batch's mixup by np.random.beta, and has its faces augmented by:
#   3 seeds, 5 epochs, 4 batches each      orders of the faces               mixup
#   no noise                 all epochs 15, from the second on 12   60 shares of 60
#   RandomNoise(p=.2)        all epochs  4, from the second on  1    1 shares of 60
#   ShufflePixels(.1, p=.2)  all epochs  4, from the second on  1    1 shares of 60
#   the noise of two faces has a correlation of 1.00
# So mixup has one share in the whole study, all epochs but the first have one order, and the seeds differ in that one alone.
# seed=None is refused, though the code asks for it a line later: "Seed must be an integer".
# Since: the same lines in 0.1.5 and 0.2.1 (read); 1.0.0 run. No issue told it when we looked (November 2026).
# Source: augly/image/functional.py, random_noise(seed=42) and shuffle_pixels(seed=10): np.random.seed(seed) at each call.
#   The docstring: "if provided, this will set the random seed before generating noise". perspective_transform of the same
#   file has a generator of its own.
# Bitten: who adds noise to faces in the training process (num_workers=0, or an array by hand) and draws the order of the faces,
#   mixup or dropout from numpy.random; with workers the noise alone is one. Give each face its seed,
#   functional.random_noise(face, seed=number), and use a numpy.random.default_rng() for all else.
set -euo pipefail
sed -n '2,/^set /{/^set /!s/^# \{0,1\}//p}' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${FINDINGS_PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile augly==1.0.0 pillow==13.0.0 numpy==2.4.6
cd "$work"
echo "Now:"
venv/bin/python - <<'EOF' 2>log || { cat log; exit 1; }
import random

import augly.image as imaugs
import numpy as np
from PIL import Image

FACES, BATCH, EPOCHS, SEEDS = 256, 64, 5, (1, 2, 3)
GREY = Image.fromarray(np.full((48, 48), 128, np.uint8))


def training(seed: int, transform) -> tuple[list[tuple], list[float]]:
    """The order of each epoch and the share of each mixup, as a training that is seeded like this has them."""
    random.seed(seed)
    np.random.seed(seed)
    orders, shares = [], []
    for _ in range(EPOCHS):
        orders.append(tuple(np.random.permutation(FACES).tolist()))
        for _ in range(FACES // BATCH):
            for _ in range(BATCH):
                transform(GREY)
            shares.append(float(np.random.beta(0.4, 0.4)))
    return orders, shares


def noise(transform) -> np.ndarray:
    return np.asarray(transform(GREY), dtype=float).ravel() - 128


print(f"  {len(SEEDS)} seeds, {EPOCHS} epochs, {FACES // BATCH} batches each       orders of the faces               mixup")
seen = {}
WAYS = {
    "no noise": imaugs.HFlip(p=0.5),
    "RandomNoise(p=.2)": imaugs.RandomNoise(p=0.2),
    "ShufflePixels(.1, p=.2)": imaugs.ShufflePixels(factor=0.1, p=0.2),
}
for name, transform in WAYS.items():
    runs = [training(seed, transform) for seed in SEEDS]
    orders = {order for run, _ in runs for order in run}
    later = {order for run, _ in runs for order in run[1:]}
    shares = {share for _, run in runs for share in run}
    seen[name] = len(orders), len(later), len(shares)
    of_all = len(SEEDS) * len(runs[0][1])
    print(f"  {name:24} all epochs {len(orders):2}, from the second on {len(later):2}   {len(shares):2} shares of {of_all}")
one, two = noise(imaugs.RandomNoise()), noise(imaugs.RandomNoise(var=0.005))
print(f"  the noise of two faces has a correlation of {np.corrcoef(one, two)[0, 1]:.2f}")
try:
    imaugs.RandomNoise(seed=None)(GREY)
except AssertionError as refused:
    print("  seed=None:", refused)
    one = None
assert seen["no noise"] == (15, 12, 60), "this was right"
assert one is None and seen["RandomNoise(p=.2)"][1:] == (1, 1), "the behaviour has changed"
EOF
