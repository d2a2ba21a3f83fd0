#!/usr/bin/env bash
# A class trainable that asks for no checkpoints fails at its end for want of save_checkpoint.
#
# Guess: checkpoint_frequency=0, the default, saves nothing, so save_checkpoint isn't needed.
# Seen, ray 2.60.0, Python 3.11; a tune.Trainable with step() alone, two steps:
#   no checkpoint_config at all               2 steps, then NotImplementedError
#   CheckpointConfig(checkpoint_at_end=False)  2 steps, no error
# The trial counts as failed although all of its steps were done and reported.
# Since: unknown.
# Source: ray/tune/impl/tuner_internal.py: where checkpoint_at_end is None it becomes True for what is
#   no function ("Defaults to True for trainers that support it", ray/air/config.py).
# Bitten: who moves a function trainable into a class to reuse actors, and keeps checkpoints elsewhere.
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

ray.init(num_cpus=1, include_dashboard=False, _temp_dir=os.path.abspath("r"), log_to_driver=False)


class Trial(tune.Trainable):
    def step(self):
        return {"accuracy": 0.5, "done": self.iteration >= 1}


def ended(**how) -> tuple[int, str]:
    config = tune.RunConfig(storage_path=os.path.abspath("s"), verbose=0, **how)
    with contextlib.redirect_stdout(io.StringIO()):
        (result,) = tune.Tuner(Trial, run_config=config).fit()
    steps = result.metrics["training_iteration"]
    return steps, "NotImplementedError" if "NotImplementedError" in repr(result.error) else "no error"


seen = [ended(), ended(checkpoint_config=tune.CheckpointConfig(checkpoint_at_end=False))]
for name, (steps, error) in zip(("no checkpoint_config at all", "checkpoint_at_end=False"), seen):
    print(f"  {name:28} {steps} steps, {error}")
assert seen == [(2, "NotImplementedError"), (2, "no error")], "the behaviour has changed"
EOF
