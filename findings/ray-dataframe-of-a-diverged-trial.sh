#!/usr/bin/env bash
# With pandas 3, one diverged trial takes Ray's table of best results away.
#
# Guess: get_dataframe(filter_metric="loss", filter_mode="min") leaves out, or marks, the trial whose
# losses are all NaN.
# Seen, ray 2.60.0, Python 3.11; four trials, one with NaN in every epoch:
#   pandas 3.1.1: ValueError: Encountered all NA values
#   pandas 2.3.3: 3 rows, a warning for the fourth
# get_dataframe() without a filter works with both.
# Since: pandas 3.0, where idxmin and idxmax of all-NA values raise (they warned of it in 2.x).
# Source: ray/tune/analysis/experiment_analysis.py, _retrieve_rows: catches the TypeError of
#   df.iloc[nan], which pandas 3 never reaches; pandas/core/series.py, idxmin.
# Bitten: who ends a search with Ray's documented call and had one learning rate too large.
set -euo pipefail
sed -n '2,/^set /{/^set /!s/^# \{0,1\}//p}' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${FINDINGS_PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet "ray[tune]==2.60.0" pandas==3.1.1 pyarrow==26.0.1
cd "$work"
export RAY_USAGE_STATS_ENABLED=0 RAY_raylet_start_wait_time_s=300
cat >search.py <<'EOF'
import os

import ray
from ray import tune

ray.init(num_cpus=1, include_dashboard=False, _temp_dir=os.path.abspath("r"), log_to_driver=False)


def train(config):
    for epoch in range(1, 3):
        tune.report({"loss": config["lr"] / epoch if config["lr"] < 0.5 else float("nan")})


space = {"lr": tune.grid_search([0.1, 0.2, 0.9, 0.3])}
config = tune.RunConfig(name="search", storage_path=os.path.abspath("s"), verbose=0)
tune.Tuner(train, param_space=space, run_config=config).fit()
EOF
cat >read.py <<'EOF'
import logging
import os
import sys

import pandas as pd
from ray.tune import ExperimentAnalysis

logging.disable(logging.CRITICAL)
analysis = ExperimentAnalysis(os.path.abspath("s/search"))
assert len(analysis.dataframe()) == 4
try:
    seen = f"{len(analysis.dataframe(metric='loss', mode='min'))} rows"
except ValueError as error:
    seen = f"ValueError: {error}"
print(f"  pandas {pd.__version__}: {seen}")
assert seen == sys.argv[1], "the behaviour has changed"
EOF
venv/bin/python search.py >log 2>&1 || { cat log; exit 1; }
echo "Now (get_dataframe is the dataframe() of this analysis):"
venv/bin/python read.py "ValueError: Encountered all NA values" 2>log || { cat log; exit 1; }
venv/bin/pip install --quiet --no-compile pandas==2.3.3
venv/bin/python read.py "3 rows" 2>log || { cat log; exit 1; }
