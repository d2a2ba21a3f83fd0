#!/usr/bin/env bash
# DeepHyper's SuccessiveHalvingStopper stops trials that have no rivals yet, and halves at other epochs than it says.
#
# Guess: min_steps=5 and reduction_factor=3 halve after "min_steps", "min_steps * reduction_factor" epochs "and so on": 5,
# 15 and 45 of 60. min_competing, "the minimum number of competitors necessary to check the top-k condition", lets the
# first few trials pass unchecked, as the argument of the same name of MedianStopper does.
# Seen, deephyper 0.13.2, configspace 1.2.2, pandas 3.1.1, numpy 2.4.6, Python 3.11; 20 random searches of 40 trials of at
# most 60 epochs, whose curves never cross: the best trial is the best in every epoch:
#   min_competing=0:
#     stopped after epochs 5 7 13 31
#     0 of 20 searches train no trial to the end, 0 stop their best one
#   min_competing=5:
#     stopped after epochs 5 7 13 31
#     20 of 20 searches train no trial to the end, 20 stop their best one
#   min_competing=10:
#     stopped after epochs 5 7 13
#     20 of 20 searches train no trial to the end, 20 stop their best one
# The first four (nine) trials to come to each comparison are stopped there without one. Of those that pass too few are left
# for the next, so that the last is not passed by anybody. And two epochs after the first comparison comes the second.
# Since: 0.5.0 has both (read).
# Source: deephyper/stopper/_asha_stopper.py: `if num_competing < self._min_competing: return True`, as Optuna's
#   bootstrap_count means it, and `(self.min_steps - 1) + self._reduction_factor ** (...)`, 5 - 1 + 1, 3, 9 and 27.
# Bitten: who wants a trial compared with a few others at least. Leave min_competing at 0, and min_steps at 1.
set -euo pipefail
sed -n '2,/^set /{/^set /!s/^# \{0,1\}//p}' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${FINDINGS_PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile deephyper==0.13.2 configspace==1.2.2 pandas==3.1.1 numpy==2.4.6
cd "$work"
echo "Now:"
OMP_NUM_THREADS=1 venv/bin/python -W ignore - <<'END' 2>log || { cat log; exit 1; }
from collections import Counter

import numpy as np
from deephyper.evaluator import Evaluator
from deephyper.hpo import HpProblem, RandomSearch
from deephyper.stopper import SuccessiveHalvingStopper

EPOCHS, TRIALS, SEARCHES = 60, 40, 20


def train(job) -> dict:
    """Curves that never cross: a trial that is better in the end is better in every epoch."""
    final = 0.66 - 0.1 * (np.log10(job.parameters["lr"]) + 2.5) ** 2
    for epoch in range(1, EPOCHS + 1):
        job.record(epoch, final - (final - 1 / 7) * np.exp(-epoch / 10))
        if job.stopped():
            break
    return {"objective": job.objective, "metadata": {"epochs": epoch, "final": final}}


def searches(**options) -> tuple[set[int], int, int, int]:
    """After how many epochs trials were stopped; searches that train no trial to the end, and those that stop their
    best one; all epochs trained."""
    stopped, without, lost, total = Counter(), 0, 0, 0
    for seed in range(SEARCHES):
        problem = HpProblem()
        problem.add_hyperparameter((1e-4, 1e-1, "log-uniform"), "lr")
        stopper = SuccessiveHalvingStopper(max_steps=EPOCHS, min_steps=5, reduction_factor=3, **options)
        method = RandomSearch(problem, random_state=seed, stopper=stopper, checkpoint_history_to_csv=False)
        evaluator = Evaluator.create(train, method="thread", method_kwargs={"num_workers": 1})
        trials = method.search(evaluator, max_evals=TRIALS)
        epochs = trials["m:epochs"]
        stopped.update(epochs[epochs < EPOCHS])
        without += not any(epochs == EPOCHS)
        lost += epochs[trials["m:final"].idxmax()] < EPOCHS
        total += epochs.sum()
    return set(stopped), without, int(lost), int(total)


seen = {}
for options in ({}, {"min_competing": 5}, {"min_competing": 10}):
    epochs, without, lost, total = seen[options.get("min_competing", 0)] = searches(**options)
    print(f"  min_competing={options.get('min_competing', 0)}:")
    print("    stopped after epochs", *sorted(epochs))
    print(f"    {without} of {SEARCHES} searches train no trial to the end, {lost} stop their best one")
assert all(found[0] <= {5, 7, 13, 31} for found in seen.values()), "it compares at other epochs now"
assert seen[0][1:3] == (0, 0) and seen[10][1] > 10 and seen[10][2] > 10, "few rivals do otherwise now"
END
