#!/usr/bin/env bash
# Checkpoints loaded one after another inside one autocast are all judged by the weights of the first.
#
# Takes long: torch's default build brings CUDA, some 5 GB to install.
#
# Guess: an autocast around a loop is the same as one around each forward pass in it.
# Seen, torch 2.14.1, Python 3.11, bfloat16 on a CPU; seven classes, a convolution with batch norm, four
# epochs, their four checkpoints read with load_state_dict; accuracy on 700 other images, in %:
#   an autocast for each checkpoint:           56.3  86.6  94.9  97.3
#   one for all, no_grad:                      56.3  56.0  56.0  55.9
#   one for all, from the last to the first:   97.3  97.3  97.1  97.3
#   one for all, inference_mode:               56.3  86.6  94.9  97.3
#   one for all, cache_enabled=False:          56.3  86.6  94.9  97.3
#   trained inside one for each epoch:         30.9  44.6  62.6  73.7
#   trained inside one for all epochs:         30.9  24.3  22.9  22.4
# The first forward pass casts the weights and keeps them until the outermost autocast ends; that they
# have been written to since is not asked. What isn't cast, like the statistics of batch norm, is new, so
# the figures differ a little and look like four networks. Training takes the gradient at old weights.
# Since: autocast has kept its casts by address since its first versions (source of 2020 or so, read);
#   inference_mode keeps none since pull request 165068 (December 2025). Run with 2.14.1 alone.
# Source: aten/src/ATen/autocast_mode.cpp, cached_cast, whose key is the parameter itself. The documentation
#   would have autocast around forward passes only, and says of cache_enabled no more than that it is there.
# Bitten: who evaluates each epoch's checkpoint, an average of weights (EMA, SWA) or an ensemble in one
#   `with torch.no_grad(), torch.autocast(...)`, and chooses the best; who decorates a training function.
set -euo pipefail
sed -n '2,/^set /{/^set /!s/^# \{0,1\}//p}' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${FINDINGS_PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile torch==2.14.1 numpy==2.4.6
cd "$work"
echo "Now:"
venv/bin/python - <<'EOF'
import copy
from contextlib import nullcontext

import torch
import torch.nn.functional as F

torch.manual_seed(0)
FACES = torch.randn(7, 1, 16, 16)  # one for each expression
LABELS = torch.arange(1400) % 7
IMAGES = FACES[LABELS] + 3 * torch.randn(1400, 1, 16, 16)
TRAIN, VAL = slice(0, 700), slice(700, 1400)


def network():
    torch.manual_seed(1)
    conv, norm = torch.nn.Conv2d(1, 8, 5, padding=2), torch.nn.BatchNorm2d(8)
    return torch.nn.Sequential(conv, norm, torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(2048, 7))


def autocast(**given):
    return torch.autocast("cpu", torch.bfloat16, **given)


def accuracy(model):
    model.eval()
    return (model(IMAGES[VAL]).argmax(1) == LABELS[VAL]).float().mean().item()


def trained(one_for):
    """The weights after each of four epochs, with one autocast for each batch, each epoch or all."""
    model, kept = network(), []
    optimiser = torch.optim.SGD(model.parameters(), lr=0.01)
    with autocast() if one_for == "all" else nullcontext():
        for _ in range(4):
            model.train()
            with autocast() if one_for == "epoch" else nullcontext():
                for images, labels in zip(IMAGES[TRAIN].split(100), LABELS[TRAIN].split(100)):
                    with autocast() if one_for == "batch" else nullcontext():
                        loss = F.cross_entropy(model(images), labels)
                    optimiser.zero_grad()
                    loss.backward()
                    optimiser.step()
            kept.append(copy.deepcopy(model.state_dict()))
    return kept


def in_each(checkpoints):
    model, found = network(), []
    for checkpoint in checkpoints:
        model.load_state_dict(checkpoint)
        with torch.no_grad(), autocast():
            found.append(accuracy(model))
    return found


def in_one(checkpoints, mode=torch.no_grad, **given):
    model, found = network(), []
    with mode(), autocast(**given):
        for checkpoint in checkpoints:
            model.load_state_dict(checkpoint)
            found.append(accuracy(model))
    return found


checkpoints = trained("batch")
rows = {
    "an autocast for each checkpoint": in_each(checkpoints),
    "one for all, no_grad": in_one(checkpoints),
    "one for all, from the last to the first": in_one(checkpoints[::-1]),
    "one for all, inference_mode": in_one(checkpoints, torch.inference_mode),
    "one for all, cache_enabled=False": in_one(checkpoints, cache_enabled=False),
    "trained inside one for each epoch": in_each(trained("epoch")),
    "trained inside one for all epochs": in_each(trained("all")),
}
for name, found in rows.items():
    print(f"  {name + ':':42}", "  ".join(f"{100 * share:4.1f}" for share in found))
right, seen, back, inference, uncached, by_epoch, never = rows.values()
assert right[-1] > right[0] + 0.2 and inference == uncached == right, "the behaviour has changed"
assert max(abs(share - right[0]) for share in seen) < 0.05, "the behaviour has changed"
assert max(abs(share - right[-1]) for share in back) < 0.05, "the behaviour has changed"
assert by_epoch[0] < right[0] - 0.1 and never[-1] < right[-1] - 0.5, "the behaviour has changed"
EOF
