#!/usr/bin/env bash
# After a trial that diverged Optuna's GPSampler proposes the same point for the rest of the search.
#
# Takes long: torch's default build brings CUDA, some 5 GB to install.
#
# Guess: pruned trials count as bad ones, as with TPE; a trial of NaN (state FAIL) tells the sampler nothing, so
# a region that diverges costs some trials, and the next proposal is another one.
# Seen, optuna 5.0.0, torch 2.14.1, Python 3.11; accuracy by learning rate and weight decay, 10 random trials
# and 30 of the sampler; all learning rates from .1 on diverge. Of the 30, and the best of all, seeds 0 to 4:
#   diverged is NaN     COMPLETE  1  0  2  1  4  different points  3  1  3  2  5  best .646 .458 .561 .588 .635
#   diverged is pruned  COMPLETE  1  0  2  1  4  different points  3  1  3  2  5  best .646 .458 .561 .588 .635
#   diverged is 1/7     COMPLETE 30 30 30 30 30  different points 16 23 28 24 23  best .646 .646 .639 .649 .637
# (Points differ if the logarithm of either parameter does by more than .05.) Only COMPLETE and RUNNING trials
# are in the Gaussian process. A failed or pruned one adds nothing to it, so its maximum stays where it was,
# here in a corner at a learning rate of 1, and it is proposed again until the search is over. The
# documentation says that all samplers ignore failed trials, and of pruning with this one "works, but
# inefficiently".
# Since: 3.6, the first with GPSampler: 3.6.2, 4.0.0, 4.5.0 and 4.8.0 do the same (run).
# Source: optuna/samplers/_gp/sampler.py, sample_relative: `states = (TrialState.COMPLETE, TrialState.RUNNING)`.
# Bitten: who searches a wide learning rate with it, or with a pruner. Return the accuracy of guessing instead
#   of NaN or TrialPruned.
set -euo pipefail
sed -n '2,/^set /{/^set /!s/^# \{0,1\}//p}' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${FINDINGS_PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile optuna==5.0.0 torch==2.14.1 scipy==1.17.1 numpy==2.4.6
cd "$work"
export OMP_NUM_THREADS=1
echo "Now:"
venv/bin/python - <<'EOF'
import math
import warnings

import optuna

warnings.simplefilter("ignore")
optuna.logging.set_verbosity(optuna.logging.ERROR)
GUESSING = 1 / 7


def search(diverged: str, seed: int) -> tuple[int, int, float]:
    """Of the 30 trials behind the random ones how many end COMPLETE and how many points differ; the best."""

    def objective(trial: optuna.Trial) -> float:
        rate = math.log10(trial.suggest_float("learning_rate", 1e-5, 1, log=True))
        decay = math.log10(trial.suggest_float("weight_decay", 1e-6, 1e-2, log=True))
        if rate < -1:
            return 0.25 + 0.1 * (rate + 5) - 0.004 * (decay + 4) ** 2
        if diverged == "pruned":
            raise optuna.TrialPruned
        return math.nan if diverged == "NaN" else GUESSING

    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.GPSampler(seed=seed))
    study.optimize(objective, n_trials=40)
    points = []
    for trial in study.trials[10:]:
        point = [math.log10(value) for value in trial.params.values()]
        if all(max(abs(a - b) for a, b in zip(point, other)) > 0.05 for other in points):
            points.append(point)
    complete = sum(trial.state.name == "COMPLETE" for trial in study.trials[10:])
    return complete, len(points), study.best_value


seen = {}
for diverged in ("NaN", "pruned", "1/7"):
    seen[diverged] = [search(diverged, seed) for seed in range(5)]
    complete, points, best = zip(*seen[diverged])
    print(f"  {'diverged is ' + diverged:19} COMPLETE", *(f"{n:2}" for n in complete), " different points",
          *(f"{n:2}" for n in points), " best", *(f"{a:.3f}"[1:] for a in best))
for diverged in ("NaN", "pruned"):
    assert all(n <= 10 and points <= 10 for n, points, _ in seen[diverged]), "the behaviour has changed"
assert all(n == 30 and points > 10 for n, points, _ in seen["1/7"]), "the behaviour has changed"
EOF
