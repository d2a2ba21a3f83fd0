#!/usr/bin/env bash
# Quantus' Monotonicity shows the network blank pictures alone: every map of every face is monotonic.
#
# Takes long: torch's default build brings CUDA, some 5 GB to install.
#
# Guess: Monotonicity puts back the pixels "in order of increasing importance" (its docstring) and says of each face
# whether the probability of its class rises: of a class that the network rules out it doesn't.
# Seen, quantus 0.6.0, torch 2.14.1 (CPU), opencv-python 4.14.0.94, numpy 2.4.6, Python 3.11; a small network, 140 faces,
# eight steps of 288 pixels, all else by default:
#   gradient times input           Monotonicity 1.00, by hand 0.00
#   noise                          Monotonicity 1.00, by hand 0.40
#   noise, for a wrong class       Monotonicity 1.00, by hand 0.00
#   pictures that the network was shown in these three: 3360, of which 0 have anything of a face
# A picture filled with the baseline is taken, and in each step the baseline is put at the pixels whose turn it is: the
# face itself is never read. So all answers are the same, and "nowhere less than before" holds.
# Since: 0.4.1 of 2023 does the same (read), 0.6.0 run. No issue found (November 2026).
# Source: quantus/metrics/faithfulness/monotonicity.py, evaluate_batch, perturb_func(arr=x_baseline, ...).
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
net = nn.Sequential(nn.Flatten(), nn.Linear(48 * 48, 32), nn.Softplus(), nn.Linear(32, 7))
optimiser = torch.optim.Adam(net.parameters(), 0.001)
for _ in range(10):
    for batch in torch.randperm(len(LABELS)).split(64):
        optimiser.zero_grad()
        nn.functional.cross_entropy(net(IMAGES[batch]), LABELS[batch]).backward()
        optimiser.step()
net.eval()
BLACK = TEST.amin((1, 2, 3), keepdim=True)
asked = TEST.clone().requires_grad_()
net(asked).gather(1, TRUE[:, None]).sum().backward()
saliency = (asked.grad * TEST).abs().numpy()
noise = np.random.default_rng(0).random(saliency.shape, np.float32)
shown = []
net.register_forward_pre_hook(lambda _, given: shown.extend(picture.std().item() for picture in given[0]))


def by_hand(maps, label, step=288):
    order = torch.from_numpy(maps).flatten(1).argsort(1)
    picture, answers = BLACK.expand_as(TEST).flatten(1).clone(), []
    for at in range(0, 48 * 48, step):
        where = order[:, at : at + step]
        picture.scatter_(1, where, TEST.flatten(1).gather(1, where))
        with torch.no_grad():
            answers.append(net(picture.view_as(TEST)).softmax(1).gather(1, label[:, None]))
    return (torch.cat(answers, 1).diff(dim=1) >= 0).all(1).float().mean().item()


wanted = []
for name, maps, label in (
    ("gradient times input", saliency, TRUE), ("noise", noise, TRUE), ("noise, for a wrong class", noise, (TRUE + 1) % 7)
):
    wanted.append(by_hand(maps, label))
    seen = len(shown)
    metric = quantus.Monotonicity(features_in_step=288, disable_warnings=True)
    found = np.mean(metric(net, TEST.numpy(), label.numpy(), maps))
    print(f"  {name:24}: Monotonicity {found:.2f}, by hand {wanted[-1]:.2f}", flush=True)
    of_faces = sum(spread > 1e-6 for spread in shown[seen:])
    print(f"    the network was shown {len(shown) - seen} pictures; {of_faces} have anything of a face")
    assert found == 1 and of_faces == 0, "it has changed"
assert wanted[0] < 0.1 and 0.3 < wanted[1] < 0.5 and wanted[2] == 0, "this was right"
EOF
