#!/usr/bin/env bash
# fastai's FocalLoss takes the class weights into its focal factor: they count up to their cube.
#
# Takes long: torch's default build brings CUDA, some 5 GB to install.
#
# Guess: weight= is the class weighting factor alpha of the paper, as the docstring says: it multiplies the focal loss
# of the faces of its class.
# Seen, fastai 2.8.12, torch 2.14.1 (CPU), torchvision 0.29.1, numpy 2.4.6, Python 3.11; weights in inverse proportion
# to FER-2013's training counts: 16.5 times as much for disgust as for happy. The loss of a face of disgust over that of
# a happy one that is given the same probability:
#   probability                0.3    0.5    0.8     0.9    0.95
#   FocalLossFlat(weight=)      67    156    898    1936    2936
#   weights by hand           16.5   16.5   16.5    16.5    16.5
# and a small network after 8 epochs on a tenth of these counts:
#   no weights                disgust: 25 % found; happy: 90 %; accuracy 88.0 %
#   FocalLossFlat(weight=)    disgust: 65 % found; happy: 86 %; accuracy 87.1 %
#   weights by hand           disgust: 52 % found; happy: 89 %; accuracy 88.1 %
# "By hand" multiplies the loss of each face without weights (reduction="none") by the weight of its label. fastai gives
# the weight to the cross entropy and takes the probability from that: p ** weight instead of p. A weight above 1 makes
# sure answers look unsure, one below 1 makes unsure ones look sure; a small error e costs weight ** 3 * e ** 3.
# Since: 2.3.0 has it (read), 2.8.12 run. Of other code it is known; no issue of fastai found (November 2026).
# Source: fastai/losses.py, FocalLoss.forward.
# Bitten: who weighs unequal classes with FocalLoss or FocalLossFlat, or searches gamma with weights.
set -euo pipefail
sed -n '2,/^set /{/^set /!s/^# \{0,1\}//p}' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${FINDINGS_PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile fastai==2.8.12 torch==2.14.1 torchvision==0.29.1 numpy==2.4.6
cd "$work"
echo "Now:"
venv/bin/python - <<'EOF' 2>log || { cat log; exit 1; }
import torch
import torch.nn.functional as F
from fastai.losses import FocalLossFlat
from torch import nn

torch.set_num_threads(1)
torch.manual_seed(0)
COUNTS = torch.tensor([3995, 436, 4097, 7215, 4830, 3171, 4965])  # FER-2013's training set; disgust is 1, happy 3
WEIGHTS = COUNTS.sum() / 7 / COUNTS
FACES = torch.rand(7, 256)  # one for each expression


def faces(label):
    return 0.5 + (FACES[label] - 0.5) * 0.5 + 0.8 * torch.randn(len(label), 256), label


IMAGES, LABELS = faces(torch.arange(7).repeat_interleave(COUNTS // 10))
TEST, TRUE = faces(torch.arange(7).repeat_interleave(1000))
fastai = FocalLossFlat(weight=WEIGHTS)


def by_hand(answer, label):
    return (WEIGHTS[label] * FocalLossFlat(reduction="none")(answer, label)).mean()


def trained(loss):
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(256, 64), nn.ReLU(), nn.Linear(64, 7))
    optimiser = torch.optim.Adam(net.parameters(), 0.001)
    for _ in range(8):
        for batch in torch.randperm(len(LABELS)).split(64):
            optimiser.zero_grad()
            loss(net(IMAGES[batch]), LABELS[batch]).backward()
            optimiser.step()
    with torch.no_grad():
        right = (net(TEST).argmax(1) == TRUE).float().view(7, 1000).mean(1)
    return right[1].item(), right[3].item(), (right @ (COUNTS / COUNTS.sum())).item()


def of_one(loss, label, p):
    row = torch.full((1, 7), (1 - p) / 6)
    row[0, label] = p
    return loss(row.log(), torch.tensor([label])).item()


for p in (0.3, 0.5, 0.8, 0.9, 0.95):
    ratio, wanted = (of_one(loss, 1, p) / of_one(loss, 3, p) for loss in (fastai, by_hand))
    print(f"  probability {p}: disgust has {ratio:.0f} times the loss of happy; weights by hand: {wanted:.1f} times")
    assert 16 < wanted < 17, "this was right"
    assert ratio > 60, "it has changed"
assert ratio > 2500, "it has changed"
found = {}
for name, loss in {"no weights": FocalLossFlat(), "FocalLossFlat(weight=)": fastai, "weights by hand": by_hand}.items():
    disgust, happy, right = found[name] = trained(loss)
    print(
        f"  {name:22}: disgust {100 * disgust:.0f} % found, happy {100 * happy:.0f} %, accuracy {100 * right:.1f} %",
        flush=True,
    )
assert found["FocalLossFlat(weight=)"][0] > found["weights by hand"][0] + 0.05, "it has changed: disgust"
EOF
