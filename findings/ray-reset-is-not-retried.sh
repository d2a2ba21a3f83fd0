#!/usr/bin/env bash
# A trial that fails while a reused worker is reset is never retried, and its row shows another
# trial's hyperparameters.
#
# Guess: max_failures=3 tries it again, as after a failure in step(); its row names its own config.
# Seen, ray 2.60.0, Python 3.11; four trials on one reused actor, each fails in its first reset_config:
#   i=0   0 resets   done             told as {'i': 0}
#   i=1   1 reset    RuntimeError     told as {'i': 0}
#   i=2   0 resets   done             told as {'i': 2}
#   i=3   1 reset    RuntimeError     told as {'i': 2}
# A failed actor is not reused, so i=2 begins in setup(). The row is filled from the actor as it was
# before the reset.
# Since: unknown.
# Source: ray/tune/execution/tune_controller.py, _schedule_trial_reset; ray/tune/experiment/trial.py,
#   last_result and set_ray_actor (get_auto_filled_metrics of the actor that was handed over).
# Bitten: who reuses actors to save imports and CUDA start-up (reuse_actors=True, the default of function
#   trainables): a full GPU in reset ends a trial for good, and the table blames the wrong setting.
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
from pathlib import Path

import ray
from ray import tune

ray.init(num_cpus=1, include_dashboard=False, _temp_dir=os.path.abspath("r"), log_to_driver=False)
HERE = Path.cwd()


class Trial(tune.Trainable):
    def step(self):
        return {"accuracy": 0.5, "done": True}

    def reset_config(self, new_config):
        with (HERE / f"resets-{new_config['i']}").open("a") as file:
            file.write("x")
        if (HERE / f"resets-{new_config['i']}").stat().st_size == 1:
            raise RuntimeError("only the first time")
        return True

    def save_checkpoint(self, checkpoint_dir):
        pass


tuner = tune.Tuner(
    Trial,
    param_space={"i": tune.grid_search([0, 1, 2, 3])},
    tune_config=tune.TuneConfig(reuse_actors=True, max_concurrent_trials=1),
    run_config=tune.RunConfig(
        storage_path=str(HERE / "s"),
        verbose=0,
        failure_config=tune.FailureConfig(max_failures=3),
    ),
)
with contextlib.redirect_stdout(io.StringIO()):
    grid = tuner.fit()
seen = []
for i, result in enumerate(grid):
    assert f"_i={i}_" in Path(result.path).name  # the folder is this trial's
    file = HERE / f"resets-{i}"
    resets = file.stat().st_size if file.exists() else 0
    seen.append((resets, "RuntimeError" if result.error else "done", result.config["i"]))
    print(f"  i={i}   {resets} resets   {seen[-1][1]:14} told as {result.config}")
assert seen == [
    (0, "done", 0),
    (1, "RuntimeError", 0),
    (0, "done", 2),
    (1, "RuntimeError", 2),
], "the behaviour has changed"
EOF
