#!/usr/bin/env bash
# Ray's get_best_result takes a wrong trial when the network isn't validated in every epoch.
#
# Guess: scope="all" is each trial's best value ever, scope="avg" the "simple average over all steps", of the
# values that were reported; NaN, or nothing, in the epochs between two validations changes neither.
# Seen, ray 2.60.0, Python 3.11; two trials of 30 epochs: "peak" reaches .72 and falls to .48, its mean is .563;
# "late" rises to .66, its mean is .598. Each is validated every 5th epoch. What get_best_result takes:
#                                    scope="all"         scope="avg"
#   the value in each report:        peak                late
#   nothing in the epochs between:   peak                peak
#   NaN in the epochs between:       late                RuntimeError
# "all" is kept as max(value, best so far). In Python a NaN behind that becomes the best so far, and the
# number behind the NaN replaces it: all that was before a NaN is forgotten, "peak" counts as .48.
# "avg" weighs by the epoch, not by the number of values: the first of these six has 74 % of the weight.
# Nothing is said, NaN is what one fills in: with a metric in TuneConfig a report without it raises.
# Since: 2.9.3 has the same update_metric (read); Ray issue 42628 (2024, closed) has a maximum that falls.
# Source: ray/tune/trainable/metadata.py, update_metric: `max(value, ...)`, `1 / step * (...)`.
# Bitten: who validates every few epochs and takes the best trial from Ray. get_dataframe() with a
#   filter_metric reads the reports themselves.
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
import math
import os

import ray
from ray import tune

ACCURACY = {"peak": [0.60, 0.72, 0.56, 0.52, 0.50, 0.48], "late": [0.44, 0.58, 0.62, 0.64, 0.65, 0.66]}
ray.init(num_cpus=1, include_dashboard=False, _temp_dir=os.path.abspath("r"), log_to_driver=False)


def train(config):
    values = ACCURACY[config["trial"]]
    for epoch in range(1, 31):
        report = {"epoch": epoch, "accuracy": values[(epoch - 1) // 5]}
        if epoch % 5 and config["between"] == "NaN":
            report["accuracy"] = math.nan
        elif epoch % 5 and config["between"] == "nothing":
            del report["accuracy"]
        tune.report(report)


def best(results, scope):
    try:
        return results.get_best_result("accuracy", "max", scope).config["trial"]
    except RuntimeError as error:
        return type(error).__name__


seen = {}
for name, between in (
    ("the value in each report:", "each"),
    ("nothing in the epochs between:", "nothing"),
    ("NaN in the epochs between:", "NaN"),
):
    space = {"trial": tune.grid_search(list(ACCURACY)), "between": between}
    config = tune.RunConfig(name=between, storage_path=os.path.abspath("s"), verbose=0)
    with contextlib.redirect_stdout(io.StringIO()):
        results = tune.Tuner(train, param_space=space, run_config=config).fit()
    assert not results.errors and len(results) == 2
    seen[between] = [best(results, scope) for scope in ("all", "avg")]
    print(f"  {name:31}  {seen[between][0]:18}  {seen[between][1]}")
assert seen["each"] == ["peak", "late"], "the behaviour has changed"
assert seen["nothing"] == ["peak", "peak"], "the behaviour has changed"
assert seen["NaN"] == ["late", "RuntimeError"], "the behaviour has changed"
EOF
