#!/usr/bin/env bash
# captum's FGSM and PGD without a loss function turn round where the logit of the true class is 0, and say nothing.
#
# Takes long: torch's default build brings CUDA, some 5 GB to install.
#
# Guess: without a loss function the attack maximises what such networks are trained with, or it complains; at least it
# lowers the true class, and ten steps of PGD leave no more answers right than one of FGSM.
# Seen, captum 0.9.0, torch 2.14.1 (CPU), numpy 2.4.6, Python 3.11; a small CNN on grey images of seven classes, 700 of them
# attacked, all pixels by up to .02 or .04; right answers in % (98.1 without an attack):
#                                           FGSM .02    PGD .02   FGSM .04    PGD .04
#   logits, CrossEntropyLoss                     24.9       18.1        0.3        0.0
#   probabilities, no loss function              24.9       18.1        0.3        0.0
#   logits, no loss function                     48.9       91.6        5.9       78.0
#   log-probabilities, no loss function         100.0      100.0      100.0      100.0
# The default loss is -log(output). Below 0 it is NaN, which nobody sees, but its gradient is a number: -1/output, that of a
# loss with the sign turned round. So PGD brings the logit of the true class down to 0 and up again, while those of the
# others, which no step raises, mostly stay below; log-probabilities are all below 0, and each step makes the true class
# surer. The documentation says "negative log" and asks for no probabilities.
# Since: 0.4.0, which brought captum.robust (read: the same line in 0.4.0, 0.6.0, 0.8.0). No issue told it when we looked
#   (November 2026).
# Source: captum/robust/_core/fgsm.py, FGSM.perturb: loss = -torch.log(outputs). Captum's tutorial on robustness,
#   CIFAR_Captum_Robustness, gives FGSM, alone and in AttackComparator, a network that ends in a linear layer and no loss
#   function (PGD has one there).
# Bitten: who says how robust networks are, or trains against attacks: the more steps, the safer all look. With
#   CrossEntropyLoss(reduction="none"), or a softmax behind the network, it is right.
set -euo pipefail
sed -n '2,/^set /{/^set /!s/^# \{0,1\}//p}' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${FINDINGS_PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile captum==0.9.0 torch==2.14.1 numpy==2.4.6
cd "$work"
echo "Now:"
venv/bin/python - <<'EOF' 2>log || { cat log; exit 1; }
import torch
import torch.nn.functional as F
from captum.robust import FGSM, PGD
from torch import nn

torch.set_num_threads(1)
torch.manual_seed(0)
FACES = torch.rand(7, 1, 24, 24)  # one for each expression
LABELS = torch.arange(2100) % 7
IMAGES = (0.5 + 0.25 * (FACES[LABELS] - 0.5) + 0.15 * torch.randn(2100, 1, 24, 24)).clamp(0, 1)
TEST, TRUE = IMAGES[1400:], LABELS[1400:]

first, second = nn.Conv2d(1, 16, 3, padding=1), nn.Conv2d(16, 32, 3, padding=1)
net = nn.Sequential(
    first, nn.ReLU(), nn.MaxPool2d(2), second, nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(32 * 36, 7)
)  # fmt: skip
optimiser = torch.optim.Adam(net.parameters(), 0.002)
for _ in range(12):
    for batch in torch.randperm(1400).split(70):
        optimiser.zero_grad()
        F.cross_entropy(net(IMAGES[batch]), LABELS[batch]).backward()
        optimiser.step()
net.eval()


def right(images):
    with torch.no_grad():
        return 100 * (net(images).argmax(1) == TRUE).float().mean().item()


def attacked(name, output, loss=None):
    """Print and give back what is still right behind FGSM and PGD, for both sizes."""
    left = []
    for size in (0.02, 0.04):
        fgsm, pgd = (attack(output, loss, lower_bound=0, upper_bound=1) for attack in (FGSM, PGD))
        left.append(right(fgsm.perturb(TEST, epsilon=size, target=TRUE)))
        left.append(right(pgd.perturb(TEST, radius=size, step_size=size / 4, step_num=10, target=TRUE)))
    print(f"  {name:38}" + "".join(f"{value:11.1f}" for value in left), flush=True)
    return left


print(f"  {'':38}   FGSM .02    PGD .02   FGSM .04    PGD .04")
entropy = attacked("logits, CrossEntropyLoss", net, nn.CrossEntropyLoss(reduction="none"))
probabilities = attacked("probabilities, no loss function", lambda images: net(images).softmax(1))
logits = attacked("logits, no loss function", net)
logs = attacked("log-probabilities, no loss function", lambda images: net(images).log_softmax(1))
print(f"  without an attack: {right(TEST):.1f}")
for before, after in (entropy[:2], entropy[2:], probabilities[:2], probabilities[2:]):
    assert after <= before < 60, "these were right"
assert entropy[3] < 5 and logits[3] > 60 and logits[3] > logits[2] + 20, "the behaviour has changed"
assert min(logs) > right(TEST), "the behaviour has changed"
EOF
