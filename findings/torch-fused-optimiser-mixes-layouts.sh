#!/usr/bin/env bash
# On a CPU a fused optimiser adds the wrong elements where tensors lie differently in memory.
#
# Takes long: torch's default build brings CUDA, some 5 GB to install.
#
# Guess: fused=True is a faster way to the same weights; where it can't be taken it is refused.
# Seen, torch 2.14.1, Python 3.11; a convolution, 20 steps, moved to channels_last after ten of them, as
# one does who resumes a training in the faster layout. Distance of the fused from the plain weights, as
# a share of the way that they have come:
#   SGD, contiguous: 0.00%      SGD, channels-last after ten steps: 43.50%
#   AdamW, contiguous: 0.00%    AdamW, channels-last after ten steps: 26.74%
#   one step of SGD on 16 weights, the gradient contiguous: 4 of 16 are right
# The kernel takes parameter, gradient and state each in the order of its own memory. Nothing is said, and
# the loss falls all the same. On CUDA the same mixture is an error (torch issue 106951).
# Since: CPUs have fused kernels (pull requests 123074 and 123629, 2024); seen in 2.14.1 alone.
# Source: aten/src/ATen/native/cpu/FusedSGDKernel.cpp, FusedAdamKernel.cpp (flat loops over numel).
# Bitten: who goes on with an optimiser's state in another memory format, or sets gradients by hand
#   (torch.func, averaged over workers, read from a file) for a channels-last model.
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

import torch
import torch.nn.functional as F

torch.manual_seed(0)
start = torch.nn.Conv2d(16, 8, 3)
x, target = torch.randn(64, 16, 8, 8), torch.randn(64, 8, 6, 6)


def trained(kind, moved, **given):
    """20 steps; after ten of them the weights lie channels-last, as the documentation has it."""
    torch.manual_seed(0)
    conv = copy.deepcopy(start)
    optimizer = kind(conv.parameters(), lr=0.01, **given)
    for step in range(20):
        if moved and step == 10:
            conv = conv.to(memory_format=torch.channels_last)
        optimizer.zero_grad()
        F.mse_loss(conv(x), target).backward()
        optimizer.step()
    return conv.weight.detach()


apart = {}
for kind, given in ((torch.optim.SGD, {"momentum": 0.9}), (torch.optim.AdamW, {})):
    for moved in (False, True):
        plain = trained(kind, moved, fused=False, **given)
        fused = trained(kind, moved, fused=True, **given)
        gone = (plain - start.weight).detach().norm()
        apart[kind.__name__, moved] = ((fused - plain).norm() / gone).item()
        said = "channels-last after ten steps" if moved else "contiguous"
        print(f"  {kind.__name__}, {said}: {apart[kind.__name__, moved]:.2%}")
weight = torch.nn.Parameter(torch.zeros(2, 2, 2, 2).to(memory_format=torch.channels_last))
weight.grad = torch.arange(16.0).view(2, 2, 2, 2)
torch.optim.SGD([weight], lr=1.0, fused=True).step()
right = (weight.detach() == -weight.grad).sum().item()
print(f"  one step of SGD on 16 weights, the gradient contiguous: {right} of 16 are right")
for (_, moved), share in apart.items():
    assert (share > 0.01) is moved, "the behaviour has changed"
assert right < 16, "the behaviour has changed"
EOF
