#!/usr/bin/env bash
# SMAC's Hyperband gives the configuration back whose loss was low after a few epochs, not the one that was trained best.
#
# Guess: incumbent_selection is "highest_observed_budget" by default, "incumbent is the best in the highest budget run so
# far": once networks have had all 27 epochs, optimize() gives the best of these.
# Seen, smac 2.4.1, ConfigSpace 1.2.2, scikit-learn 1.9.1, numpy 2.4.6, Python 3.11; HyperbandFacade, 80 trials of 1 to 27
# epochs, a validation loss that falls and then rises, as that of networks that overfit; five searches:
#   by default:
#     the incumbent had  1 epochs, its loss after 27 is 1.623; the least is 1.262
#     the incumbent had  1 epochs, its loss after 27 is 1.620; the least is 1.291
#     the incumbent had  1 epochs, its loss after 27 is 1.633; the least is 1.255
#     the incumbent had  1 epochs, its loss after 27 is 1.621; the least is 1.253
#     the incumbent had  1 epochs, its loss after 27 is 1.577; the least is 1.346
#   by the highest budget: 27 epochs and the least loss in each.
# It is the highest budget of each configuration by itself: the loss of one that was stopped after an epoch is compared
# with that of others after 27, and all of the rising part counts against those that were trained on.
# The curves are formulas, made so that the loss after one epoch can be below that after 27; where it rises less and a trial
# has at least three epochs, the incumbent had all 27 in three searches of three (MultiFidelityFacade, 44 trials).
# Since: 2.0.0 has the same comparison (read). Issue 940 (2023, open) says that the test of it leaves this out.
# Source: smac/intensifier/abstract_intensifier.py, update_incumbents: the keys are compared without their budgets.
# Bitten: who searches for the least validation loss of networks that overfit, and trains what optimize() gives. Pass
#   get_intensifier(scenario, incumbent_selection="highest_budget").
set -euo pipefail
sed -n '2,/^set /{/^set /!s/^# \{0,1\}//p}' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${FINDINGS_PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile smac==2.4.1 ConfigSpace==1.2.2 scikit-learn==1.9.1 numpy==2.4.6
cd "$work"
echo "Now:"
OMP_NUM_THREADS=1 venv/bin/python -W ignore - <<'END' 2>log || { cat log; exit 1; }
import logging

import numpy as np
from ConfigSpace import ConfigurationSpace, Float
from smac import HyperbandFacade, Scenario

EPOCHS, TRIALS, SEARCHES = 27, 80, 5


def loss_after(lr: float, epochs: float) -> float:
    """The validation loss of a network that overfits: it falls, then rises, both the faster the greater the rate."""
    speed = lr / 0.003
    return 1 + 0.9 * np.exp(-epochs * speed / 3) + 0.012 * epochs * min(speed, 3) ** 0.5 + 0.05 * np.log10(speed) ** 2


def search(seed: int, **options) -> tuple[float, float, float]:
    """The epochs of the incumbent, its loss after all epochs, and the least of those trained so long."""
    space = ConfigurationSpace(seed=seed)
    space.add(Float("lr", (1e-4, 1e-1), log=True))
    budgets = {"min_budget": 1, "max_budget": EPOCHS, "n_trials": TRIALS}
    scenario = Scenario(space, deterministic=True, seed=seed, output_directory=f"smac-{seed}-{len(options)}", **budgets)
    trained = []

    def train(config, seed: int = 0, budget: float = EPOCHS) -> float:
        trained.append((config["lr"], budget))
        return float(loss_after(config["lr"], budget))

    hyperband = HyperbandFacade.get_intensifier(scenario, **options)
    lr = HyperbandFacade(scenario, train, intensifier=hyperband, logging_level=logging.ERROR).optimize()["lr"]
    longest = max(epochs for rate, epochs in trained if rate == lr)
    whole = [loss_after(rate, EPOCHS) for rate, epochs in trained if round(epochs) == EPOCHS]
    return longest, loss_after(lr, EPOCHS), min(whole)


seen = []
for name, options in (("by default", {}), ("by the highest budget", {"incumbent_selection": "highest_budget"})):
    print(f"  {name}:")
    seen.append([search(seed, **options) for seed in range(SEARCHES)])
    for longest, loss, least in seen[-1]:
        print(f"    the incumbent had {longest:2.0f} epochs, its loss after {EPOCHS} is {loss:.3f}; the least is {least:.3f}")
assert all(longest < EPOCHS and loss > 1.05 * least for longest, loss, least in seen[0]), "the behaviour has changed"
assert all(round(longest) == EPOCHS and loss == least for longest, loss, least in seen[1]), "the other one has changed"
END
