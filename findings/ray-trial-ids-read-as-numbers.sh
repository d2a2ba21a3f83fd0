#!/usr/bin/env bash
# pandas reads the trial ids of one Ray search in eight as numbers, and of some as one: infinity.
#
# Guess: trial_id is a string in Ray's result.json, JSON tells strings from numbers, so it stays one.
# Seen, ray 2.60.0, pandas 3.1.1, Python 3.11; a search of three trials, whose prefix Ray takes from
# Python's uuid1 and here from its own tests' variable; pd.read_json("result.json", lines=True):
#   prefix 2f2f7: 2f2f7_00000, 2f2f7_00001, 2f2f7_00002 (str)
#   prefix 12345: 1234500000, 1234500001, 1234500002 (int64)
#   prefix 12e45: inf, inf, inf (float64)
#   of all 1,048,576 prefixes: read as numbers .124, as infinity .026
# pandas tries a column of strings as float64, and Python's float() takes underscores and exponents.
# dtype=False or dtype={"trial_id": str} mends it; json.loads and pandas' own read_csv leave them alone.
# Since: pandas 0.20 or before, and Python 3.6, whose numbers may have underscores. As such it is pandas'
#   issue 17869 of 2017; what it makes of Ray's ids is told nowhere that we found.
# Source: pandas/io/json/_json.py, Parser._try_convert_data: data.astype("float64"); ray/tune/search/
#   basic_variant.py: uuid1().hex[:5] + "_" + "%05d".
# Bitten: who joins result.json with get_dataframe() by trial_id, or groups by it: in one search of eight
#   nothing meets, in one of forty all trials are one. The next search is right again.
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
import itertools
import os
import pathlib

import pandas as pd
import ray
from ray import tune

ray.init(num_cpus=1, include_dashboard=False, _temp_dir=os.path.abspath("r"), log_to_driver=False)


def train(config):
    tune.report({"accuracy": config["accuracy"]})


def read(prefix: str) -> pd.Series:
    """The trial ids of a search, as pandas reads them from what Ray wrote."""
    os.environ["_TEST_TUNE_TRIAL_UUID"] = prefix
    config = tune.RunConfig(storage_path=os.path.abspath("s"), name=prefix, verbose=0)
    space = {"accuracy": tune.grid_search([0.5, 0.6, 0.7])}
    with contextlib.redirect_stdout(io.StringIO()):
        results = tune.Tuner(train, param_space=space, run_config=config).fit()
    written = [pathlib.Path(result.path, "result.json").read_text() for result in results]
    assert all(f'"trial_id": "{prefix}_0000{k}"' in text for k, text in enumerate(written)), written
    return pd.read_json(io.StringIO("".join(written)), lines=True)["trial_id"]


def number(prefix: str) -> float | None:
    try:
        return float(f"{prefix}_00000")
    except ValueError:
        return None


seen = {prefix: read(prefix) for prefix in ("2f2f7", "12345", "12e45")}
for prefix, ids in seen.items():
    print(f"  prefix {prefix}: {', '.join(map(str, ids))} ({ids.dtype})")
every = [number("".join(digits)) for digits in itertools.product("0123456789abcdef", repeat=5)]
numbers = sum(value is not None for value in every) / len(every)
infinite = sum(value == float("inf") for value in every) / len(every)
print(f"  of all {len(every):,} prefixes: read as numbers {numbers:.3f}, as infinity {infinite:.3f}")
text, whole, endless = (ids.tolist() for ids in seen.values())
assert text == [f"2f2f7_0000{k}" for k in range(3)], "these were strings"
assert whole == [1234500000, 1234500001, 1234500002], "the behaviour has changed"
assert endless == [float("inf")] * 3, "the behaviour has changed"
EOF
