#!/usr/bin/env bash
# Ray's Repeater leaves out the seeds that failed: a setting that diverges in two of three seeds wins the search.
#
# Guess: Repeater(OptunaSearch(...), repeat=3) trains each setting with three seeds and tells Optuna their mean ("averaged
# among all repeats"); if one of the seeds diverged or raised, the setting has no mean and has failed, or counts as bad.
# Seen, ray[tune] 2.60.0, optuna 5.0.0, numpy 2.4.6, Python 3.11; without a cluster, by the calls Tune itself makes:
#   lr 0.001  three seeds: 0.45 0.46 0.44   Optuna is told 0.45
#   lr 0.01   three seeds: 0.55 0.54 0.56   Optuna is told 0.55
#   lr 0.3    three seeds: nan raised 0.70  Optuna is told 0.70, and this is the best
# Five searches of 40 settings and three seeds, whose accuracy grows with the learning rate and of whose seeds more and
# more diverge, half of them at .03: the best setting, its seeds that failed, and in how many of the 40 one did:
#   diverged is NaN  best lr 0.154 0.110 0.100 0.058 0.236  failed 1 2 2 1 2  settings 26 25 21 25 25
#   diverged is 1/7  best lr 0.020 0.044 0.051 0.019 0.014  failed 0 0 0 0 0  settings 16 19 21 20 18
# The mean leaves out what failed, so luck with one seed counts as much as three good ones, and the sampler goes on there.
# Since: unknown; `nanmean` was there when the module still was ray/tune/suggest/repeater.py (read).
# Source: ray/tune/search/repeater.py, Repeater.on_trial_complete: a trial that raised or has no metric is NaN, as its
#   docstring says, and the searcher is told `np.nanmean(scores)`. A setting has failed only if all its seeds have.
# Bitten: who searches a wide learning rate with several seeds for each setting, to find one that's reliable, and takes
#   Optuna's best. Report the accuracy of guessing instead of NaN or an error.
set -euo pipefail
sed -n '2,/^set /{/^set /!s/^# \{0,1\}//p}' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${FINDINGS_PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile "ray[tune]==2.60.0" optuna==5.0.0 pandas==3.1.1 pyarrow==26.0.1 numpy==2.4.6
cd "$work"
echo "Now:"
venv/bin/python - <<'EOF' 2>log || { cat log; exit 1; }
import math
import random

import optuna
from optuna.distributions import FloatDistribution
from ray.tune.search import Repeater
from ray.tune.search.optuna import OptunaSearch

optuna.logging.set_verbosity(optuna.logging.ERROR)
GUESSING = 1 / 7


def made(**settings) -> tuple[Repeater, OptunaSearch]:
    space = {"lr": FloatDistribution(1e-5, 1, log=True)}
    within = OptunaSearch(space=space, metric="accuracy", mode="max", **settings)
    return Repeater(within, repeat=3), within


def ended(repeater: Repeater, trial: str, accuracy: float | None) -> None:
    """As Tune's controller tells it: the last result of a trial, or that it raised."""
    if accuracy is None:
        repeater.on_trial_complete(trial, error=True)
    else:
        repeater.on_trial_complete(trial, result={"accuracy": accuracy})


def failed(accuracies: list[float]) -> int:
    return sum(math.isnan(accuracy) or accuracy == GUESSING for accuracy in accuracies)


def search(seed: int, diverged: float) -> tuple[str, int, int]:
    """40 settings of three seeds: the best one, its seeds that failed, and how many settings have such seeds."""
    chance = random.Random(seed)
    repeater, within = made(seed=seed)
    found: dict[float, list[float]] = {}
    for number in range(120):
        rate = repeater.suggest(str(number))["lr"]
        power = math.log10(rate)
        accuracy = 0.25 + 0.1 * (power + 5) + chance.gauss(0, 0.01)
        if chance.random() < 1 / (1 + math.exp(-4 * (power + 1.5))):
            accuracy = diverged
        found.setdefault(rate, []).append(accuracy)
        ended(repeater, str(number), accuracy)
    best = within._ot_study.best_params["lr"]
    return f"{best:.3f}", failed(found[best]), sum(failed(seeds) > 0 for seeds in found.values())


SEEDS = {0.001: [0.45, 0.46, 0.44], 0.01: [0.55, 0.54, 0.56], 0.3: [math.nan, None, 0.7]}
repeater, within = made(points_to_evaluate=[{"lr": rate} for rate in SEEDS], seed=1)
for rate, accuracies in SEEDS.items():
    for seed, accuracy in enumerate(accuracies):
        assert repeater.suggest(f"{rate} {seed}")["lr"] == rate
        ended(repeater, f"{rate} {seed}", accuracy)
told = {trial.params["lr"]: trial.value for trial in within._ot_study.trials}
for rate, accuracies in SEEDS.items():
    seeds = " ".join("raised" if a is None else f"{a:.2f}" for a in accuracies)
    best = ", and this is the best" if rate == within._ot_study.best_params["lr"] else ""
    print(f"  lr {rate:<5}  three seeds: {seeds:15}  Optuna is told {told[rate]:.2f}{best}")
assert within._ot_study.best_params == {"lr": 0.3}, "the behaviour has changed"
seen = {}
for name, diverged in (("NaN", math.nan), ("1/7", GUESSING)):
    seen[name] = [search(seed, diverged) for seed in range(5)]
    rates, seeds, settings = zip(*seen[name])
    print(f"  diverged is {name}  best lr", *rates, " failed", *seeds, " settings", *settings)
assert told == {0.001: 0.45, 0.01: 0.55, 0.3: 0.7}, "the behaviour has changed"
assert all(seeds > 0 for _, seeds, _ in seen["NaN"]), "the behaviour has changed"
assert all(seeds == 0 for _, seeds, _ in seen["1/7"]), "the behaviour has changed"
EOF
