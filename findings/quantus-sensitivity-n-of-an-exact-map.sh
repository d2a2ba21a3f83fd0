#!/usr/bin/env bash
# Quantus' Sensitivity-N sets the attributions of one step beside all pixels taken away so far: an exact map fails.
#
# Takes long: torch's default build brings CUDA, some 5 GB to install.
#
# Guess: "the sum of the attributions for any subset" of n pixels "is equal to the variation of the output" when they
# are taken away (its docstring): for a linear network and its exact map, weight times pixel, all correlations are 1.
# Seen, quantus 0.6.0, torch 2.14.1 (CPU), opencv-python 4.14.0.94, numpy 2.4.6, Python 3.11; a linear network, 140
# faces in one batch, 96 pixels more in each step; the mean of the 19 correlations and some of them:
#                                  mean  n = 96   n = 960  n = 1440  n = 1824
#   exact           Sensitivity-N   .24    1.00       .98      -.95      -.98
#                   by hand        1.00    1.00      1.00      1.00      1.00
#   weights alone   Sensitivity-N   .16     .67       .73      -.68      -.70
#                   by hand         .72     .67       .74       .73       .72
# Each step takes its pixels away from the picture of the step before, so that the change of the answer grows; the
# attributions are those of the step alone. "By hand" sums them up likewise.
# Since: 0.4.1 of 2023 does the same (read), 0.6.0 run. No issue found (November 2026).
# Source: quantus/metrics/faithfulness/sensitivity_n.py, evaluate_batch.
# Bitten: who says how faithful maps are, or ranks methods of explanation, with it.
set -euo pipefail
sed -n '2,/^set /{/^set /!s/^# \{0,1\}//p}' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${FINDINGS_PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile quantus==0.6.0 opencv-python==4.14.0.94 torch==2.14.1 numpy==2.4.6
cd "$work"
echo "Now:"
OMP_NUM_THREADS=1 venv/bin/python - <<'EOF' 2>log || { cat log; exit 1; }
import numpy as np
import quantus
import torch
from torch import nn

torch.set_num_threads(1)
torch.manual_seed(0)
FACES = torch.rand(7, 1, 48, 48)  # one for each expression


def faces(label):
    return 0.5 + (FACES[label] - 0.5) * 0.25 + 0.3 * torch.randn(len(label), 1, 48, 48), label


IMAGES, LABELS = faces(torch.arange(7).repeat(100))
TEST, TRUE = faces(torch.arange(7).repeat(20))
net = nn.Sequential(nn.Flatten(), nn.Linear(48 * 48, 7))
optimiser = torch.optim.Adam(net.parameters(), 0.001)
for _ in range(10):
    for batch in torch.randperm(len(LABELS)).split(64):
        optimiser.zero_grad()
        nn.functional.cross_entropy(net(IMAGES[batch]), LABELS[batch]).backward()
        optimiser.step()
net.eval()
BLACK = TEST.amin((1, 2, 3), keepdim=True)
weight = net[1].weight[TRUE].view_as(TEST).detach()
noise = torch.from_numpy(np.random.default_rng(0).standard_normal(TEST.shape, np.float32))


def by_hand(maps, step=96):
    order = maps.flatten(1).argsort(1, descending=True)
    picture, summed, correlations = TEST.flatten(1).clone(), 0, []
    with torch.no_grad():
        before = net(TEST).gather(1, TRUE[:, None])
        for at in range(0, int(0.8 * 48 * 48 / step) * step, step):
            where = order[:, at : at + step]
            picture.scatter_(1, where, BLACK.flatten(1).expand(-1, step))
            summed = summed + maps.flatten(1).gather(1, where).sum(1)
            change = (before - net(picture.view_as(TEST)).gather(1, TRUE[:, None]))[:, 0]
            correlations.append(np.corrcoef(change, summed)[0, 1])
    return np.array(correlations)


for name, maps in {"exact": weight * (TEST - BLACK), "weights alone": weight, "noise": noise}.items():
    metric = quantus.SensitivityN(features_in_step=96, return_aggregate=False, normalise=False, disable_warnings=True)
    found = np.array(metric(net, TEST.numpy(), TRUE.numpy(), maps.numpy(), softmax=False, batch_size=len(TRUE)))
    wanted = by_hand(maps)
    for by, values in (("Sensitivity-N", found), ("by hand", wanted)):
        some = ", ".join(f"n = {96 * (at + 1)}: {values[at]:.2f}" for at in (0, 5, 9, 14, 18))
        print(f"  {name:13} {by:13}: mean {values.mean():.2f}; {some}", flush=True)
    if name == "exact":
        assert len(found) == len(wanted) and wanted.min() > 0.999, "this was right"
        assert found[0] > 0.999 and found.min() < -0.9 and found.mean() < 0.4, "it has changed"
EOF
