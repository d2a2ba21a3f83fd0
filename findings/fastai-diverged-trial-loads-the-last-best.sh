#!/usr/bin/env bash
# fastai's SaveModelCallback gives a trial that diverged the network of an earlier trial.
#
# Takes long: torch's default build brings CUDA, some 5 GB to install.
#
# Guess: SaveModelCallback() loads the best network of this training at its end. If all its losses are NaN, there is
# none: the network stays as it is and learner.validate() says NaN, or an error is raised.
# Seen, fastai 2.8.12, torch 2.14.1 (CPU), torchvision 0.29.1, numpy 2.4.6, Python 3.11; a small network, SGD, three
# epochs a trial, nine learning rates, all trials in one folder; the validation losses of the epochs, and what
# learner.validate() says after fit:
#   0.1: epochs 1.18, 0.784, 0.685; afterwards 0.685, 76 % right
#   20.0: epochs nan, nan, nan; afterwards 1.8, 33 % right, as the trial before it
#   10.0: epochs nan, nan, nan; afterwards 0.627, 77 % right, as the best one, which was before it
# All four that diverged at once and went on answer as the trial before them does.
# The file is models/model.pth for every Learner (fname="model" in its path, by default the current folder). It is
# written only if an epoch is better than infinity, which NaN is not, and loaded at the end in any case. The weights of
# an earlier trial fit as long as the network is the same. TerminateOnNaNCallback ends the training and changes nothing
# in that. In an empty folder FileNotFoundError is raised: the first trial tells, later ones don't.
# Since: 2.0.0, the first fastai 2 (read; 2.8.12 run). No issue found (November 2026).
# Source: fastai/callback/tracker.py, SaveModelCallback.after_epoch and after_fit.
# Bitten: who searches a wide learning rate in one folder and validates after fit.
set -euo pipefail
sed -n '2,/^set /{/^set /!s/^# \{0,1\}//p}' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${FINDINGS_PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile fastai==2.8.12 torch==2.14.1 torchvision==0.29.1 numpy==2.4.6
cd "$work"
echo "Now:"
venv/bin/python - <<'EOF' 2>log || { cat log; exit 1; }
import contextlib
import io

import numpy as np
import torch
from fastai.basics import SGD, CrossEntropyLossFlat, DataLoader, DataLoaders, Learner, accuracy, set_seed
from fastai.callback.tracker import SaveModelCallback, TerminateOnNaNCallback
from torch import nn

torch.set_num_threads(1)
torch.manual_seed(0)
COUNTS = torch.tensor([399, 43, 409, 721, 483, 317, 496])  # a tenth of FER-2013's training set
FACES = torch.rand(7, 256)  # one for each expression


def faces(label):
    return list(zip(0.5 + (FACES[label] - 0.5) * 0.5 + 0.8 * torch.randn(len(label), 256), label, strict=True))


TRAIN = faces(torch.arange(7).repeat_interleave(COUNTS))
VALID = faces(torch.arange(7).repeat_interleave(100))


def trial(lr, *callbacks):
    """The losses of the epochs, and what the network says of itself afterwards."""
    set_seed(0)
    net = nn.Sequential(nn.Linear(256, 64), nn.ELU(), nn.Linear(64, 64), nn.ELU(), nn.Linear(64, 7))
    data = DataLoaders(DataLoader(TRAIN, bs=64, shuffle=True, device="cpu"), DataLoader(VALID, bs=350, device="cpu"))
    learner = Learner(
        data, net, loss_func=CrossEntropyLossFlat(), opt_func=SGD, metrics=accuracy, cbs=[SaveModelCallback(), *callbacks]
    )
    with contextlib.redirect_stdout(io.StringIO()):
        learner.fit(3, lr)
        losses = [row[1] for row in learner.recorder.values]
        loss, right = learner.validate()
    return losses, loss, right


rates = (30.0, 0.1, 0.01, 20.0, 50.0, 0.2, 10.0, 0.03, 40.0)
before, same = None, []
for lr in rates:
    try:
        losses, loss, right = trial(lr)
    except FileNotFoundError:
        print(f"  {lr:5}: FileNotFoundError", flush=True)
        assert before is None, "it has changed"
        continue
    told = ", ".join(f"{value:.3g}" for value in losses)
    print(f"  {lr:5}: epochs {told}; afterwards {loss:.3g}, {100 * right:.0f} % right", flush=True)
    if np.isnan(losses).all():
        same.append((loss, right) == before)
    before = loss, right
print(f"  {len(same)} of {len(rates)} diverged at once and went on; {sum(same)} answer as the trial before them does")
_, loss, right = trial(0.1)
losses, *afterwards = trial(10.0, TerminateOnNaNCallback())
print(f"  the same with TerminateOnNaNCallback: {afterwards[0]:.3g}, {100 * afterwards[1]:.0f} % right")
assert len(same) >= 4 and all(same) and np.isnan(losses).all() and afterwards == [loss, right], "it has changed"
EOF
