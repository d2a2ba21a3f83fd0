#!/usr/bin/env bash
# A trial that has diverged is the one that ASHA never stops.
#
# Guess: NaN is worse than any loss, so the first rung stops it.
# Seen, ray 2.60.0, Python 3.11; six trials one after the other, ASHA of 9 epochs (grace 1, factor 3),
# metric loss, mode min; two report NaN from their first epoch on:
#   lr 0.10   loss 0.01   9 epochs
#   lr 0.20   loss 0.20   1 epoch
#   lr 0.90   loss nan    9 epochs
#   lr 0.30   loss 0.30   1 epoch
#   lr 0.95   loss nan    9 epochs
#   lr 0.40   loss 0.40   1 epoch
# With mode max it is the same: no comparison with NaN is true.
# Since: unknown. MedianStoppingRule of the same release leaves NaN out ("Exclude np.nan and np.inf").
# Source: ray/tune/schedulers/async_hyperband.py, _Bracket.on_result: STOP if `cur_rew < cutoff`; the
#   cutoff itself is a nanpercentile, so the others are judged rightly.
# Bitten: who searches wide learning rates: the trials that need no further epoch get them all. Stop
#   them in the trainable, or by RunConfig(stop=lambda name, result: result["loss"] != result["loss"]).
set -euo pipefail
sed -n '2,/^set /{/^set /!s/^# \{0,1\}//p}' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${FINDINGS_PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet "ray[tune]==2.60.0" pandas==3.1.1 pyarrow==26.0.1
cd "$work"
export RAY_USAGE_STATS_ENABLED=0 RAY_raylet_start_wait_time_s=300
echo "Now:"
venv/bin/python - <<'EOF' 2>log || { cat log; exit 1; }
import contextlib
import io
import os

import ray
from ray import tune
from ray.tune.schedulers import ASHAScheduler

ray.init(num_cpus=1, include_dashboard=False, _temp_dir=os.path.abspath("r"), log_to_driver=False)


def train(config):
    for epoch in range(1, 10):
        tune.report({"loss": config["lr"] / epoch if config["lr"] < 0.5 else float("nan")})


tuner = tune.Tuner(
    train,
    param_space={"lr": tune.grid_search([0.1, 0.2, 0.9, 0.3, 0.95, 0.4])},
    tune_config=tune.TuneConfig(
        metric="loss",
        mode="min",
        max_concurrent_trials=1,
        scheduler=ASHAScheduler(max_t=9, grace_period=1, reduction_factor=3),
    ),
    run_config=tune.RunConfig(storage_path=os.path.abspath("s"), verbose=0),
)
with contextlib.redirect_stdout(io.StringIO()):
    grid = tuner.fit()
seen = [(r.config["lr"], r.metrics["training_iteration"]) for r in grid]
for result, (lr, epochs) in zip(grid, seen):
    print(f"  lr {lr:.2f}   loss {result.metrics['loss']:.2f}   {epochs} epochs")
assert seen == [(0.1, 9), (0.2, 1), (0.9, 9), (0.3, 1), (0.95, 9), (0.4, 1)], "the behaviour has changed"
EOF
