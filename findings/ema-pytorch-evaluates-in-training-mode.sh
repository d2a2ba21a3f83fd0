#!/usr/bin/env bash
# forward_eval of ema-pytorch asks the averaged network in training mode, and changes it by being asked.
#
# Takes long: torch's default build brings CUDA, some 5 GB to install.
#
# Guess: forward_eval, by its comment for calls without gradients in evaluation mode, answers as ema_model.eval() does.
# Seen, ema-pytorch 0.8.3, torch 2.14.1 (CPU), numpy 2.4.6, Python 3.11; a small CNN with batch normalisation and dropout,
# 700 validation images of seven classes, the same average at the beginning of each row; right answers in %, and of
# ema_model.eval() afterwards:
#                                                   right  afterwards
#   forward_eval, 70 images, mixed                   89.6        97.1
#   70 images, by class                              38.9        96.7
#   image by image, by class                         17.1        84.9
#   image by image, by class, behind ema.eval()      95.4        95.4
# The mode is remembered and put back, but never set to evaluation in between: batch normalisation takes the mean of the
# images that are asked together, dropout drops, and, gradients or not, the running statistics follow. So an answer depends
# on its batch, and the average that is kept at the end has been moved towards the last images that it was validated on.
# Calling the average as in the README, ema(images), does the same unless ema.eval() came before; forward_eval looks as if
# it spared one that.
# Since: between 0.7.0, which has no forward_eval, and 0.7.7 (read: the same lines in 0.7.7, 0.7.9, 0.8.0). Issue 38 (March
#   2025, open) asks whether eval() is missing.
# Source: ema_pytorch/ema_pytorch.py, EMA.forward_eval.
# Bitten: who validates averaged weights with it: by class or face by face the average seems useless, in large mixed batches
#   a little worse than it is.
set -euo pipefail
sed -n '2,/^set /{/^set /!s/^# \{0,1\}//p}' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${FINDINGS_PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile ema-pytorch==0.8.3 torch==2.14.1 numpy==2.4.6
cd "$work"
echo "Now:"
venv/bin/python - <<'EOF' 2>log || { cat log; exit 1; }
from copy import deepcopy

import torch
import torch.nn.functional as F
from ema_pytorch import EMA
from torch import nn

torch.set_num_threads(1)
torch.manual_seed(0)
FACES = torch.rand(7, 1, 16, 16)  # one for each expression
LABELS = torch.arange(1400) % 7
IMAGES = 0.5 + (FACES[LABELS] - 0.5) * 0.5 + 0.2 * torch.randn(1400, 1, 16, 16)
VALID, TRUE = IMAGES[700:], LABELS[700:]
MIXED = torch.randperm(700)
BY_CLASS = TRUE.argsort(stable=True)  # as in folders

net = nn.Sequential(
    nn.Conv2d(1, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(), nn.MaxPool2d(2),
    nn.Conv2d(16, 64, 5, padding=2), nn.BatchNorm2d(64), nn.ReLU(), nn.AdaptiveAvgPool2d(1),
    nn.Flatten(), nn.Dropout(0.3), nn.Linear(64, 7),
)  # fmt: skip
average = EMA(net, beta=0.95, update_after_step=10, update_every=1)
optimiser = torch.optim.Adam(net.parameters(), 0.003)
for _ in range(40):
    for batch in torch.randperm(700).split(70):
        optimiser.zero_grad()
        F.cross_entropy(net(IMAGES[batch]), LABELS[batch]).backward()
        optimiser.step()
        average.update()
kept = deepcopy(average.ema_model.state_dict())


def right(ask, order, size):
    with torch.no_grad():
        return sum((ask(VALID[part]).argmax(1) == TRUE[part]).sum().item() for part in order.split(size)) / 7


def validated(name, order, size, evaluation=False):
    """Print and give back what the average has right, and what it has right afterwards in evaluation mode."""
    average.ema_model.load_state_dict(kept)
    average.ema_model.train(not evaluation)
    shares = right(average.forward_eval, order, size), right(average.ema_model.eval(), MIXED, 70)
    print(f"  {name:44}{shares[0]:8.1f}{shares[1]:12.1f}", flush=True)
    return shares


print(f"  {'':44}   right  afterwards")
mixed = validated("forward_eval, 70 images, mixed", MIXED, 70)
by_class = validated("70 images, by class", BY_CLASS, 70)
single = validated("image by image, by class", BY_CLASS, 1)
first = validated("image by image, by class, behind ema.eval()", BY_CLASS, 1, evaluation=True)
assert first[0] == first[1] > 90, "this was right"
assert mixed[0] < first[0] - 1 and by_class[0] < 70 and single[0] < 40, "the behaviour has changed"
assert single[1] < first[1] - 3, "the behaviour has changed"
EOF
