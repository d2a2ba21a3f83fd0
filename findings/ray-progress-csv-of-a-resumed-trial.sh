#!/usr/bin/env bash
# A resumed trial's progress.csv has values under the headings of other columns.
#
# Guess: a metric that isn't in a report leaves its field empty, before and after a restore.
# Seen, ray 2.60.0, pandas 3.1.1, Python 3.11; loss in each of six epochs, accuracy (a tenth of the epoch)
# in the first, third and fifth; the trial fails in the fourth and is restored by Tuner.restore:
#   result.json, accuracy:   .1, none, .3, none, .5, none
#   progress.csv, accuracy:  .1, none, .3, then the time in seconds three times
#   progress.csv, largest accuracy: 1.8e+09
# The file keeps the header of the first report of all; what is appended has the columns of the first
# report after the restore, with no header. Here that one has no accuracy, so all that stands behind the
# loss moves left by one, and epoch 5's accuracy is in no column. Had it more columns than the header,
# pandas would refuse the file.
# Since: Ray 1.2.0 (2021) or before: it is the way in which its writer went on with a file then.
# Source: ray/tune/logger/csv.py, CSVLoggerCallback.log_trial_result: a new DictWriter from result.keys(),
#   and writeheader() only where the file is new. Result.from_path reads result.json first and is right.
# Bitten: who evaluates every few epochs, resumes a search, and reads or plots progress.csv.
set -euo pipefail
sed -n '2,/^set /{/^set /!s/^# \{0,1\}//p}' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${FINDINGS_PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet "ray[tune]==2.60.0" pandas==3.1.1 pyarrow==26.0.1
cd "$work"
export RAY_USAGE_STATS_ENABLED=0 RAY_raylet_start_wait_time_s=300
cat >search.py <<'EOF'
import contextlib
import io
import os
import pathlib
import tempfile

import pandas as pd
import ray
from ray import tune

ray.init(num_cpus=1, include_dashboard=False, _temp_dir=os.path.abspath("r"), log_to_driver=False)


def train(config):
    held = tune.get_checkpoint()
    done = int(pathlib.Path(held.path, "epoch").read_text()) if held else 0
    for epoch in range(done + 1, 7):
        if epoch == 4 and not held:
            raise RuntimeError("preempted")
        report = {"loss": 1 / epoch}
        if epoch % 2:
            report["accuracy"] = epoch / 10
        with tempfile.TemporaryDirectory() as folder:
            pathlib.Path(folder, "epoch").write_text(str(epoch))
            tune.report(report, checkpoint=tune.Checkpoint(folder))


storage = os.path.abspath("s")
config = tune.RunConfig(name="search", storage_path=storage, verbose=0)
with contextlib.redirect_stdout(io.StringIO()):
    tune.Tuner(train, run_config=config).fit()
    (result,) = tune.Tuner.restore(f"{storage}/search", train, resume_errored=True).fit()
by_json = result.metrics_dataframe["accuracy"]
by_csv = pd.read_csv(pathlib.Path(result.path, "progress.csv"))["accuracy"]
print("  result.json, accuracy: ", by_json.tolist())
print("  progress.csv, accuracy:", by_csv.tolist())
print(f"  progress.csv, largest accuracy: {by_csv.max():.1e}")
expected = [0.1, None, 0.3, None, 0.5, None]
assert by_json.astype(object).where(by_json.notna(), None).tolist() == expected, "result.json has changed"
assert by_csv[:3].equals(by_json[:3]) and (by_csv[3:] > 1e9).all(), "progress.csv has changed"
EOF
echo "Now:"
venv/bin/python search.py 2>log || { cat log; exit 1; }
