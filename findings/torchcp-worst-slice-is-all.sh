#!/usr/bin/env bash
# WSC of torchcp looks for the slice with the lowest class numbers, not with the least coverage, and finds all images.
#
# Takes long: torch's default build brings CUDA, some 5 GB to install.
#
# Guess: the worst-slice coverage is low where the conformal sets fail for a part of the faces that the features tell.
# Seen, torchcp 1.2.1, torch 2.13.0 (CPU), numpy 2.4.6, Python 3.11; sets of 7,000 faces in seven classes, which have the right
# class of dark faces half of the time:
#   all faces: 0.896
#   dark faces, 16% of them: 0.492
#   worst tenth, by hand: 0.485
#   WSC: 0.894, with another random_state 0.897
# Labels and coverage are given to the search in the wrong order, so that it takes the mean class number of a slice for its
# coverage. That is below 1, where it begins, only for a slice of nearly nothing but class 0; else the slice stays all images.
# Since: 1.0.0 or before (read: the same lines in 1.0.0, 1.0.3 and 1.1.0). No issue told it when we looked (November 2026).
# Source: torchcp/classification/utils/metrics.py: WSC calls calWSC(X_train, covered_train, y_train), which is
#   calWSC(X, y, covered).
# Bitten: who says by it that the sets hold for dark, turned or old faces too: the figure is the coverage of all.
set -euo pipefail
sed -n '2,/^set /{/^set /!s/^# \{0,1\}//p}' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${FINDINGS_PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile torch==2.13.0 numpy==2.4.6 scikit-learn==1.9.1 tqdm==4.70.1
PIP_NO_DEPS=1 "$work/venv/bin/pip" install --quiet --no-compile torchcp==1.2.1
cd "$work"
echo "Now:"
venv/bin/python - <<'EOF' 2>log || { cat log; exit 1; }
import sys
from unittest.mock import MagicMock

for unused in ("torchsort", "torchcp.graph", "torchcp.llm"):  # what they need is large, and no part of this
    sys.modules[unused] = MagicMock()

import numpy as np
import torch
from torchcp.classification.utils.metrics import Metrics

torch.set_num_threads(1)
IMAGES = 7000
rng = np.random.default_rng(0)
label = rng.integers(0, 7, IMAGES)
features = rng.normal(size=(IMAGES, 4))  # the first is how bright the face is
dark = features[:, 0] < -1
covered = rng.random(IMAGES) < np.where(dark, 0.5, 0.975)
sets = np.zeros((IMAGES, 7), dtype=bool)
sets[np.arange(IMAGES), (label + 1) % 7] = True
sets[np.arange(IMAGES), label] = covered


def worst_by_hand(share: float = 0.1, tries: int = 200) -> float:
    """Coverage of the worst tenth along any of some directions, chosen on a quarter and measured on the rest."""
    first, rest = np.split(rng.permutation(IMAGES), [IMAGES // 4])
    worst = (1.0, 0.0)
    for direction in rng.normal(size=(tries, 4)):
        along = features @ direction
        for low in np.arange(0, 1 - share + 0.01, share):
            ends = np.quantile(along[first], [low, min(low + share, 1)])
            inside = (along >= ends[0]) & (along <= ends[1])
            chosen = (covered[first][inside[first]].mean(), covered[rest][inside[rest]].mean())
            worst = min(worst, chosen)
    return float(worst[1])


given = torch.tensor(features), torch.tensor(sets)
told = Metrics()("WSC")(*given, torch.tensor(label), delta=0.1, M=200)
other = Metrics()("WSC")(*given, torch.tensor(label), delta=0.1, M=200, random_state=1)
hand = worst_by_hand()
print(f"  all faces: {covered.mean():.3f}")
print(f"  dark faces, {dark.mean():.0%} of them: {covered[dark].mean():.3f}")
print(f"  worst tenth, by hand: {hand:.3f}")
print(f"  WSC: {told:.3f}, with another random_state {other:.3f}")
assert hand < 0.6, "this was right"
assert told > 0.85 and other > 0.85, "the behaviour has changed"
EOF
