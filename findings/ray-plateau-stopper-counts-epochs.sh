#!/usr/bin/env bash
# ExperimentPlateauStopper ends a search when one trial alone has levelled off.
#
# Guess: "early stop the experiment when a metric plateaued across trials", with top=10 best models,
# looks at the ten best trials; a search of four trials can't have ten and is never stopped.
# Seen, ray 2.60.0, Python 3.11; the four trials of a grid approach accuracies of .3, .5, .6 and .7, each
# halving what is left in every epoch, 20 epochs, one at a time, mode="max", all else as it is by default:
#   best .3: stopped after epoch 16
#   best .5: never begun
#   best .6: never begun
#   best .7: never begun
# The "ten best models" are the ten best reports, and one trial's last ten epochs lie within .001.
# Since: 2020, when it came under the name EarlyStopping.
# Source: ray/tune/stopper/experiment_plateau.py, ExperimentPlateauStopper.__call__: appends the metric of
#   every report and never looks at trial_id; stop_all() then ends the experiment.
# Bitten: who ends a search by it: the first trial that converges, however badly, is the last one; and
#   metrics between 0 and 1 are within the default std of .001 sooner than others.
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
from ray.tune.stopper import ExperimentPlateauStopper

ray.init(num_cpus=1, include_dashboard=False, _temp_dir=os.path.abspath("r"), log_to_driver=False)


def train(config):
    for epoch in range(1, 21):
        tune.report({"accuracy": config["best"] * (1 - 0.5**epoch)})


stopper = ExperimentPlateauStopper("accuracy", mode="max", top=10)
config = tune.RunConfig(storage_path=os.path.abspath("s"), verbose=0, stop=stopper)
space = {"best": tune.grid_search([0.3, 0.5, 0.6, 0.7])}
with contextlib.redirect_stdout(io.StringIO()):
    results = tune.Tuner(train, param_space=space, run_config=config).fit()
epochs = [(result.metrics or {}).get("training_iteration", 0) for result in results]
for best, last in zip((0.3, 0.5, 0.6, 0.7), epochs, strict=True):
    print(f"  best {best}:", f"stopped after epoch {last}" if last else "never begun")
assert epochs == [16, 0, 0, 0], "the behaviour has changed"
EOF
