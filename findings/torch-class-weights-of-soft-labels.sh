#!/usr/bin/env bash
# The same class weights mean something else for labels written as probabilities.
#
# Takes long: torch's default build brings CUDA, some 5 GB to install.
#
# Guess: a one-hot row and its class index are the same label, so the weighted loss is the same.
# Seen, torch 2.14.1, Python 3.11; eight faces, seven classes, one of which weighs 9 and one .5:
#   no weights:   index 2.387   one-hot 2.387
#   with weights: index 2.781   one-hot 5.387
#   with weights, summed: index 43.098   one-hot 43.098
# With indices the mean divides by the sum of the weights of the labels, with probabilities by the number
# of images. So the loss, and with it the effective learning rate, moves with the batch's classes.
# Since: probabilities were taken (pull request 61044, 2021); torch issue 107680 (2023).
# Source: torch.nn.CrossEntropyLoss (documentation, "mean" for indices and for probabilities).
# Bitten: who trains on the votes of FER+ (or with mixup) against the rare classes, and compares it
#   with the majority label under the same weights and learning rate.
set -euo pipefail
sed -n '2,/^set /{/^set /!s/^# \{0,1\}//p}' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${FINDINGS_PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile torch==2.14.1 numpy==2.4.6
cd "$work"
echo "Now:"
venv/bin/python - <<'EOF'
import torch
from torch.nn.functional import cross_entropy, one_hot

torch.manual_seed(0)
logits, index = torch.randn(8, 7), torch.randint(0, 7, (8,))
soft = one_hot(index, 7).float()
weight = torch.tensor([1.0, 9, 1, 0.5, 1, 1, 1])
ways = {
    "no weights": {},
    "with weights": {"weight": weight},
    "with weights, summed": {"weight": weight, "reduction": "sum"},
}
seen = {}
for name, how in ways.items():
    seen[name] = [f"{cross_entropy(logits, target, **how):.3f}" for target in (index, soft)]
    print(f"  {name}: index {seen[name][0]}   one-hot {seen[name][1]}")
apart = [name for name, (by_index, by_soft) in seen.items() if by_index != by_soft]
by_hand = (cross_entropy(logits, soft, weight=weight) * 8 / weight[index].sum()).item()
assert apart == ["with weights"], "the behaviour has changed"
assert f"{by_hand:.3f}" == seen["with weights"][0], "the behaviour has changed"
EOF
