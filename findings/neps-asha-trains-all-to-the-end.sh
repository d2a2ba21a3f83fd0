#!/usr/bin/env bash
# NePS's ASHA trains all settings to the end but two of each rung.
#
# Takes long: torch's default build brings CUDA, some 5 GB to install.
#
# Guess: of the settings that reach a rung, ASHA with eta = 3 promotes the best third ("an exponentially decreasing amount of
#   configurations promoted", says asha's docstring): about 1 in 27 is trained for 27 epochs.
# Seen, NePS (neural-pipeline-search) 0.17.0, torch 2.14.1, numpy 2.4.6, pandas 2.3.3, Python 3.11; neps.run of 120 trainings, one
# worker, 1 to 27 epochs, a learning rate on a log axis, seed 0; beside it the rule of the paper:
#   epochs  settings, NePS  by the paper
#        1              33            78
#        3              31            27
#        9              29            10
#       27              27             5
# NePS trains 1,116 epochs, the rule of the paper 384; of the 11 settings that are worst after one epoch, NePS trains 5 for 27, the rule
# of the paper none.
# A setting goes up if it is among the best len(rung) // eta of its rung. NePS first takes those out of the rung that went up
# already, and then divides: as soon as three are left one goes up, so each new setting sends another one through all rungs, and only
# the last two of a rung stay there. It costs nearly what random search costs. "async_hb" does the same (run). No warning.
# Since: 0.14.0 (read: 0.13.0 divides the length of the whole rung, 0.14.0, 0.15.0 and 0.16.0 are as 0.17.0). No issue found
#   (November 2026).
# Source: neps/optimizers/utils/brackets.py, Async.next.
# Bitten: who searches with optimizer="asha" to save epochs: for the epochs of these 120 trainings the paper's rule would look at
#   some eight times as many settings.
set -euo pipefail
sed -n '2,/^set /{/^set /!s/^# \{0,1\}//p}' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${FINDINGS_PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile neural-pipeline-search==0.17.0 torch==2.14.1 numpy==2.4.6 pandas==2.3.3
cd "$work"
echo "Now:"
venv/bin/python - <<'EOF' 2>log || { cat log; exit 1; }
import logging
import random
from collections import Counter

import neps
import numpy as np
import torch

logging.disable(logging.WARNING)
EPOCHS = (1, 3, 9, 27)


class Space(neps.PipelineSpace):
    lr = neps.Float(lower=1e-5, upper=1e-1, log=True)
    epochs = neps.IntegerFidelity(lower=1, upper=27)


def accuracy(lr, epochs):
    last = 0.68 - 0.06 * (np.log10(lr) + 2.5) ** 2
    return float(last - (last - 1 / 7) * np.exp(-epochs / 4))


def by_neps(trainings, seed):
    """The settings trained for each number of epochs, in order: a dict of lists of learning rates."""
    trained = {epochs: [] for epochs in EPOCHS}

    def train(lr, epochs):
        trained[epochs].append(lr)
        return 1 - accuracy(lr, epochs)

    random.seed(seed), np.random.seed(seed), torch.manual_seed(seed)
    neps.run(
        evaluate_pipeline=train,
        pipeline_space=Space(),
        root_directory=f"study{seed}",
        optimizer=("asha", {"eta": 3}),
        total_evaluations_to_spend=trainings,
    )
    return trained


def by_the_paper(trainings, seed):
    rng = np.random.default_rng(seed)
    trained = {epochs: [] for epochs in EPOCHS}
    for _ in range(trainings):
        for lower, upper in reversed(list(zip(EPOCHS, EPOCHS[1:]))):
            rung = sorted(trained[lower], key=lambda lr: -accuracy(lr, lower))
            rest = [lr for lr in rung[: len(rung) // 3] if lr not in trained[upper]]
            if rest:
                trained[upper].append(rest[0])
                break
        else:
            trained[1].append(10 ** rng.uniform(-5, -1))
    return trained


def worst_third(trained):
    """How many of the worst third after one epoch have 27 epochs."""
    rung = sorted(trained[1], key=lambda lr: accuracy(lr, 1))
    return len(set(rung[: len(rung) // 3]) & set(trained[27]))


found = by_neps(120, 0), by_the_paper(120, 0)
print("  epochs  settings, NePS  by the paper")
for epochs in EPOCHS:
    print(f"  {epochs:6}{len(found[0][epochs]):16}{len(found[1][epochs]):14}")
for name, number in (
    ("epochs in all", lambda trained: sum(e * len(trained[e]) for e in EPOCHS)),
    ("worst third after one epoch: trained for 27", worst_third),
    ("best accuracy", lambda trained: round(max(accuracy(lr, 27) for lr in trained[27]), 3)),
):
    print(f"  {name}: NePS {number(found[0])}, by the paper {number(found[1])}")
sizes = [len(found[0][epochs]) for epochs in EPOCHS]
assert len(found[1][27]) <= 6 and worst_third(found[1]) == 0, "this was right"
assert all(lower - upper == 2 for lower, upper in zip(sizes, sizes[1:])), "the behaviour has changed"
assert worst_third(found[0]) > 0, "the behaviour has changed"
EOF
