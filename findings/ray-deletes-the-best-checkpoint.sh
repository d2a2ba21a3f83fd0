#!/usr/bin/env bash
# Ray deletes the best checkpoint when a later report doesn't hold the score, or holds it in a dict.
#
# Guess: with num_to_keep=2 and a checkpoint_score_attribute the two best are kept, and the latest; one
# without a score is the worst, and "val/accuracy" finds {"val": {"accuracy": ...}}, as Ray's metrics do.
# Seen, ray 2.60.0, Python 3.11; eight epochs, a checkpoint with each, validation accuracies of
# .20 .50 .70 .60 .55 .50 .45 .40; the epochs whose checkpoints are left at the end:
#   accuracy in each report:          3 4 8   get_best_checkpoint: epoch 3
#   in a dict, as "val/accuracy":     7 8     get_best_checkpoint: epoch 7
#   in each third epoch:              7 8     get_best_checkpoint: RuntimeError
# A checkpoint in whose report the name isn't found as it is written goes to the end of a list that is sorted
# by score, which is its best end. In a dict it is never found, so the latest are kept, whatever they are.
# In the third row an error is written to the log where a later one is scored, in the second nothing.
# Since: 2.49 (pull request 54642): 2.9.3 and 2.48.0 leave 3 4 8, 3 4 8 and 3 6 8; 2.49.2 as above (all run).
#   Pull request 59130 (open) would mend the dict.
# Source: ray/train/_internal/checkpoint_manager.py, register_checkpoint: `score_attr in
#   checkpoint_result.metrics`, else append; _get_checkpoint_score would look into dicts.
# Bitten: who validates every few epochs but saves each, or reports nested metrics (RLlib's are), and wants the
#   best of a long training when it is over: it isn't on the disk any more.
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
import tempfile
from pathlib import Path

import ray
from ray import tune

ACCURACY = [0.20, 0.50, 0.70, 0.60, 0.55, 0.50, 0.45, 0.40]
ray.init(num_cpus=1, include_dashboard=False, _temp_dir=os.path.abspath("r"), log_to_driver=False)


def train(config):
    for epoch, accuracy in enumerate(ACCURACY, 1):
        reports = {
            "each": {"accuracy": accuracy},
            "dict": {"val": {"accuracy": accuracy}},
            "third": {"accuracy": accuracy} if epoch % 3 == 0 else {},
        }
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, "epoch").write_text(str(epoch))
            checkpoint = tune.Checkpoint.from_directory(folder)
            tune.report({"epoch": epoch, **reports[config["how"]]}, checkpoint=checkpoint)


def kept(how, score):
    """The epochs whose checkpoints are left, and what Ray says is the best."""
    keeping = tune.CheckpointConfig(num_to_keep=2, checkpoint_score_attribute=score, checkpoint_score_order="max")
    config = tune.RunConfig(name=how, storage_path=os.path.abspath("s"), verbose=0, checkpoint_config=keeping)
    with contextlib.redirect_stdout(io.StringIO()):
        result = tune.Tuner(train, param_space={"how": how}, run_config=config).fit()[0]
    left = sorted(int(path.read_text()) for path in Path("s", how).glob("*/checkpoint_*/epoch"))
    try:
        best = "epoch " + Path(result.get_best_checkpoint(score, "max").path, "epoch").read_text()
    except RuntimeError as error:
        best = type(error).__name__
    return left, best


seen = {}
for name, how, score in (
    ("accuracy in each report:", "each", "accuracy"),
    ('in a dict, as "val/accuracy":', "dict", "val/accuracy"),
    ("in each third epoch:", "third", "accuracy"),
):
    seen[how] = kept(how, score)
    print(f"  {name:32}  {' '.join(map(str, seen[how][0])):6}  get_best_checkpoint: {seen[how][1]}")
assert seen["each"] == ([3, 4, 8], "epoch 3"), "the behaviour has changed"
assert seen["dict"] == ([7, 8], "epoch 7"), "the behaviour has changed"
assert seen["third"] == ([7, 8], "RuntimeError"), "the behaviour has changed"
EOF
