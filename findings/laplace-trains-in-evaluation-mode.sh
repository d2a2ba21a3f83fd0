#!/usr/bin/env bash
# laplace-torch's marglik_training trains in evaluation mode from its second epoch on.
#
# Takes long: torch's default build brings CUDA, some 5 GB to install.
#
# Guess: marglik_training "replaces standard neural network training" (its docstring), so dropout drops in all epochs.
# Seen, laplace-torch 0.3, torch 2.14.1 (CPU), torchvision 0.29.1, numpy 2.4.6, Python 3.11; a small network, a fortieth
# of FER-2013's training counts, 16 epochs, all by default:
#   dropout 0.2, as it is: 6 % of the steps have dropout, 70.1 % right; by hand: 100 % and 68.7 % right
#   dropout 0.5, as it is: 6 % of the steps have dropout, 70.0 % right; by hand: 100 % and 70.6 % right
#   dropout 0.8, as it is: 6 % of the steps have dropout, 70.4 % right; by hand: 100 % and 73.3 % right
# "By hand" calls model.train() after each fit. After each epoch the weight decays are tuned by a Laplace approximation,
# and its fit() puts the network into evaluation mode; nothing puts it back. So all epochs but the first (with
# n_epochs_burnin or marglik_frequency: all behind the first tuning) are trained without dropout, and of three rates of
# dropout none seems to matter.
# Since: 0.2.1 of 2024 has it (read), the oldest that PyPI lists; 0.3 run. No issue found (November 2026).
# Source: laplace/marglik_training.py, lap.fit(train_loader) in the loop over epochs; laplace/baselaplace.py,
#   BaseLaplace.fit, self.model.eval().
# Bitten: who has the weight decay learned by the marginal likelihood instead of searching it, and searches dropout.
set -euo pipefail
sed -n '2,/^set /{/^set /!s/^# \{0,1\}//p}' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${FINDINGS_PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile laplace-torch==0.3 torch==2.14.1 torchvision==0.29.1 numpy==2.4.6
cd "$work"
echo "Now:"
venv/bin/python - <<'EOF' 2>log || { cat log; exit 1; }
import torch
from laplace import marglik_training
from laplace.baselaplace import KronLaplace
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.set_num_threads(1)
torch.manual_seed(0)
COUNTS = torch.tensor([399, 43, 409, 721, 483, 317, 496]) // 4  # a fortieth of FER-2013's training set
FACES = torch.rand(7, 256)  # one for each expression


def faces(label):
    return 0.5 + (FACES[label] - 0.5) * 0.5 + 0.8 * torch.randn(len(label), 256), label


TRAIN = TensorDataset(*faces(torch.arange(7).repeat_interleave(COUNTS)))
TEST, TRUE = faces(torch.arange(7).repeat_interleave(500))
STEPS = []


class Dropout(nn.Dropout):
    """Notes of each step of the training whether anything is dropped."""

    def forward(self, x):
        if not fitting:
            STEPS.append(self.training)
        return super().forward(x)


def fitted(self, *arguments, **options):
    global fitting
    fitting = True
    FIT(self, *arguments, **options)
    fitting = False
    if by_hand:
        self.model.train()


FIT, fitting = KronLaplace.fit, False
KronLaplace.fit = fitted
found = {}
for dropout in (0.2, 0.5, 0.8):
    for by_hand in (False, True):
        torch.manual_seed(0)
        net = nn.Sequential(
            nn.Linear(256, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), Dropout(dropout), nn.Linear(128, 7)
        )
        STEPS.clear()
        _, net, _, _ = marglik_training(net, DataLoader(TRAIN, 64, shuffle=True), n_epochs=16)
        share = sum(STEPS) / len(STEPS)
        net.eval()
        with torch.no_grad():
            answer = net(TEST)
        right = (answer.argmax(1) == TRUE).float().mean().item()
        found[dropout, by_hand] = share, right
        print(
            f"  dropout {dropout}, {'train() by hand' if by_hand else 'as it is':15}: {100 * share:.0f} % of the steps "
            f"have dropout, {100 * right:.1f} % right", flush=True,
        )
as_it_is = [value for (_, by_hand), value in found.items() if not by_hand]
trained = [value for (_, by_hand), value in found.items() if by_hand]
assert all(share == 1 for share, *_ in trained), "this was right"
assert all(share == 1 / 16 for share, *_ in as_it_is), "it has changed"
assert max(right for _, right in as_it_is) - min(right for _, right in as_it_is) < 0.02, "it has changed: accuracy"
EOF
