#!/usr/bin/env bash
# Through Ray, Optuna never learns that a trial diverged or was stopped early.
#
# Guess: a trial that ASHA stopped is PRUNED in Optuna's study, one that ended with NaN is FAIL, as
# when Optuna runs its own.
# Seen, ray 2.60.0 with optuna 5.0.0, Python 3.11; OptunaSearch with a storage, ASHA of 9 epochs:
#   lr 0.1: COMPLETE  value 0.0111   8 intermediate values of 9 epochs
#   lr 0.2: COMPLETE  value 0.2      0 intermediate values of 1 epoch     (stopped)
#   lr 0.9: RUNNING   value None     8 intermediate values of 9 epochs    (NaN, and ended)
#   lr 0.3: COMPLETE  value 0.3      0 intermediate values of 1 epoch     (stopped)
# So TPE and importances set a loss after one epoch beside one after nine, and the diverged trial runs
# for ever; the last epoch of a trial is never reported as one of its steps.
# Since: unknown; the comment "E.g. if NaN was reported" stands beside the swallowed error.
# Source: ray/tune/search/optuna/optuna_search.py, on_trial_complete: PRUNED only where no value came;
#   the exception of study.tell(nan) is logged as a warning and no more. Optuna 5's default sampler takes
#   RUNNING trials for bad ones (see optuna-killed-trials-repel-tpe).
# Bitten: who opens the study afterwards (optuna-dashboard, best_trials, get_param_importances), or
#   resumes it without Ray.
set -euo pipefail
sed -n '2,/^set /{/^set /!s/^# \{0,1\}//p}' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${FINDINGS_PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet "ray[tune]==2.60.0" pandas==3.1.1 pyarrow==26.0.1 optuna==5.0.0
cd "$work"
export RAY_USAGE_STATS_ENABLED=0 RAY_raylet_start_wait_time_s=300
echo "Now:"
venv/bin/python - <<'EOF' 2>log || { cat log; exit 1; }
import contextlib
import io
import os

import optuna
import ray
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from ray import tune
from ray.tune.schedulers import ASHAScheduler
from ray.tune.search.optuna import OptunaSearch

ray.init(num_cpus=1, include_dashboard=False, _temp_dir=os.path.abspath("r"), log_to_driver=False)
optuna.logging.set_verbosity(optuna.logging.ERROR)
POINTS = [{"lr": lr} for lr in (0.1, 0.2, 0.9, 0.3)]


def train(config):
    for epoch in range(1, 10):
        tune.report({"loss": config["lr"] / epoch if config["lr"] < 0.5 else float("nan")})


storage = JournalStorage(JournalFileBackend("study.log"))
search = OptunaSearch(
    metric="loss", mode="min", storage=storage, study_name="s", seed=1, points_to_evaluate=POINTS
)
tuner = tune.Tuner(
    train,
    param_space={"lr": tune.uniform(0, 1)},
    tune_config=tune.TuneConfig(
        num_samples=len(POINTS),
        max_concurrent_trials=1,
        search_alg=search,
        scheduler=ASHAScheduler("training_iteration", "loss", "min", max_t=9, reduction_factor=3),
    ),
    run_config=tune.RunConfig(storage_path=os.path.abspath("s"), verbose=0),
)
with contextlib.redirect_stdout(io.StringIO()):
    grid = tuner.fit()
epochs = [r.metrics["training_iteration"] for r in grid]
trials = optuna.load_study(study_name="s", storage=storage).trials
seen = [(t.params["lr"], t.state.name, len(t.intermediate_values), e) for t, e in zip(trials, epochs)]
for trial, (lr, state, steps, ran) in zip(trials, seen):
    print(f"  lr {lr}: {state:9} value {trial.value}  {steps} intermediate values of {ran} epochs")
assert seen == [
    (0.1, "COMPLETE", 8, 9),
    (0.2, "COMPLETE", 0, 1),
    (0.9, "RUNNING", 8, 9),
    (0.3, "COMPLETE", 0, 1),
], "the behaviour has changed"
EOF
