#!/usr/bin/env bash
# Quantus' ROAD and Sensitivity-N are those of the first 64 faces, however many are given.
#
# Takes long: torch's default build brings CUDA, some 5 GB to install.
#
# Guess: ROAD(...)(net, faces, labels, maps) is of all faces; batch_size, 64 by default, changes nothing but the memory.
# Seen, quantus 0.6.0, torch 2.14.1 (CPU), opencv-python 4.14.0.94, numpy 2.4.6, Python 3.11; a small network, 177 faces
# folder by folder, as of a fortieth of FER-2013's test folders, "gradient times input" as map; ROAD: the share of
# faces still right without 10 and without 15 % of their pixels; Sensitivity-N: its mean correlation:
#   all 177                     ROAD .95 and .58; Sensitivity-N .37
#   the first 64                ROAD .95 and .58; Sensitivity-N .37
#   all, noise for the others   ROAD .95 and .58; Sensitivity-N .37
#   all, batch_size=16          ROAD .81 and .19; Sensitivity-N .33
#   all, batch_size=177         ROAD .98 and .73; Sensitivity-N .38
# When all batches are through, both take evaluation_scores[0], and that is the first batch since 0.6.0 works batch by
# batch. Of folders read one after another it has the first classes alone.
# Since: 0.6.0 of July 2025, run; 0.5.3 went through all faces (read). No issue found (November 2026).
# Source: quantus/metrics/faithfulness/road.py and sensitivity_n.py, custom_postprocess.
# Bitten: who says by ROAD or Sensitivity-N how faithful maps are on more than one batch.
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
COUNTS = torch.tensor([958, 111, 1024, 1774, 1233, 831, 1247]) // 40  # FER-2013's test folders
FACES = torch.rand(7, 1, 48, 48)  # one for each expression, some clearer than others
CLEAR = torch.tensor([0.3, 0.3, 0.3, 0.5, 0.4, 0.4, 0.4]).view(7, 1, 1, 1)


def faces(label):
    return 0.5 + (FACES[label] - 0.5) * CLEAR[label] + 0.3 * torch.randn(len(label), 1, 48, 48), label


IMAGES, LABELS = faces(torch.arange(7).repeat(100))
TEST, TRUE = faces(torch.arange(7).repeat_interleave(COUNTS))
net = nn.Sequential(nn.Flatten(), nn.Linear(48 * 48, 32), nn.Softplus(), nn.Linear(32, 7))
optimiser = torch.optim.Adam(net.parameters(), 0.001)
for _ in range(10):
    for batch in torch.randperm(len(LABELS)).split(64):
        optimiser.zero_grad()
        nn.functional.cross_entropy(net(IMAGES[batch]), LABELS[batch]).backward()
        optimiser.step()
net.eval()
asked = TEST.clone().requires_grad_()
net(asked).gather(1, TRUE[:, None]).sum().backward()
maps = (asked.grad * TEST).numpy()
images, labels = TEST.numpy(), TRUE.numpy()
spoilt = images.copy()
spoilt[64:] = np.random.default_rng(0).random(spoilt[64:].shape)


def measured(images, many=len(labels), batch_size=64):
    np.random.seed(0)
    given = net, images[:many], labels[:many], maps[:many]
    road = quantus.ROAD(percentages=[10, 15], disable_warnings=True)(*given, batch_size=batch_size)
    sums = quantus.SensitivityN(features_in_step=96, disable_warnings=True)(*given, batch_size=batch_size)
    return [*(float(road[share]) for share in (10, 15)), float(sums[0])]


found = {}
for name, arguments in {
    "all 177": (images,), "the first 64": (images, 64), "all, the others noise": (spoilt,),
    "all, batch_size=16": (images, 177, 16), "all, batch_size=177": (images, 177, 177),
}.items():
    tenth, more, sums = found[name] = measured(*arguments)
    print(
        f"  {name:21}: ROAD without 10 % {tenth:.2f}, without 15 % {more:.2f}; Sensitivity-N {sums:.2f}", flush=True
    )
first, right = found["the first 64"], found["all, batch_size=177"]
for name in ("all 177", "all, the others noise"):
    assert found[name][:2] == first[:2] and abs(found[name][2] - first[2]) < 1e-5, "it has changed"
assert right[1] - first[1] > 0.1 and right[1] - found["all, batch_size=16"][1] > 0.4, "it has changed"
EOF
