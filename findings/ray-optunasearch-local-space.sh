#!/usr/bin/env bash
# A define-by-run space that is a local function ends Ray Tune's run at its first checkpoint.
#
# Guess: a closure is fine, since the trainable beside it may be one: Ray sends functions by cloudpickle.
# Seen, ray 2.60.0 with optuna 5.0.0, Python 3.11; the same two lines of space, and Tuner.fit of two trials:
#   space at the top of the module   2 trials
#   space inside a function          AttributeError: Can't pickle local object 'inside.<locals>.space'
# The trainable is a local function in both. The error comes out of Tuner.fit, when the driver's state is
# kept for the first time, not from OptunaSearch(space=...) where the function was given.
# Since: unknown.
# Source: ray/tune/search/optuna/optuna_search.py, save: pickle.dump of the searcher's
#   __dict__, which holds the function; ray/tune/search/searcher.py, save_to_dir calls it every time that
#   the experiment's state is kept.
# Bitten: who writes the space where it is used, in main() or a notebook's helper. Put it at the top level of a
#   module, or give a dict of Optuna's distributions.
set -euo pipefail
sed -n '2,/^set /{/^set /!s/^# \{0,1\}//p}' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${FINDINGS_PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet "ray[tune]==2.60.0" optuna==5.0.0 pandas==3.1.1 pyarrow==26.0.1
cd "$work"
export RAY_USAGE_STATS_ENABLED=0 RAY_raylet_start_wait_time_s=300
cat > tried.py <<'EOF'
import contextlib
import io
import os

import ray
from ray import tune
from ray.tune.search.optuna import OptunaSearch


def outside(trial):
    trial.suggest_float("lr", 0.001, 0.1, log=True)


def inside():
    def space(trial):
        trial.suggest_float("lr", 0.001, 0.1, log=True)

    return space


def fitted(space, name):
    def train(config):
        tune.report({"accuracy": config["lr"]})

    tuner = tune.Tuner(
        train,
        tune_config=tune.TuneConfig(
            num_samples=2,
            max_concurrent_trials=1,
            search_alg=OptunaSearch(space=space, metric="accuracy", mode="max"),
        ),
        run_config=tune.RunConfig(storage_path=os.path.abspath("s"), name=name, verbose=0),
    )
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            return f"{len(tuner.fit())} trials"
    except Exception as error:
        return f"{type(error).__name__}: {error}"


ray.init(num_cpus=1, include_dashboard=False, _temp_dir=os.path.abspath("r"), log_to_driver=False)
seen = [fitted(outside, "outside"), fitted(inside(), "inside")]
print(f"  space at the top of the module   {seen[0]}")
print(f"  space inside a function          {seen[1]}")
assert seen[0] == "2 trials", "the behaviour has changed"
assert "pickle local object" in seen[1], "the behaviour has changed"
EOF
echo "Now:"
venv/bin/python tried.py 2>log || { cat log; exit 1; }
