#!/usr/bin/env bash
# After Tuner.restore ASHA judges the trials that are left as if none had come before them.
#
# Guess: a restore "resumes a previously interrupted experiment from where it left off": trials that come
# after it are held against what the finished ones had reached at the same epoch.
# Seen, ray 2.60.0, Python 3.11; a grid of twelve trials, one at a time, that approach their best
# accuracy, halving what is left in every epoch; eight epochs at most, ASHA with Ray's defaults for the
# rest; epochs that each trial got, and their sum (54 to 68, by which trial is first after a restore):
#   best accuracy:                .58 .62 .46 .48 .54 .52 .56 .44 .50 .60 .42 .40
#   in one go:                      8   8   1   1   1   1   1   1   1   4   1   1   29
#   Ctrl-C after 4 and 8, restore:  8   8   1   1   1   1   8   8   1   8   1   8   54
# ASHA's rungs aren't in what Tune writes for a restore. The scheduler comes from tuner.pkl, which is
# written before the first trial, so it is empty: the first trial behind each restore runs to its end, and
# so does each one that is better than the few before it. The finished trials are in the results all the
# same, and in what the searcher knows.
# Since: 2022 or before: Ray issue 30838 (open); before its pull request 30893 a restore had no ASHA at all.
# Source: ray/tune/execution/tune_controller.py, __getstate__ leaves _scheduler_alg out; save_to_dir writes the
#   searcher's and the callbacks' state. AsyncHyperBandScheduler has save() and restore(), which Tune never calls.
# Bitten: who trains on spot machines or under a time limit and restores every few hours: each restart
#   begins a new ASHA, and a search that is restarted often has next to none.
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
import signal

import ray
from ray import tune
from ray.tune.schedulers import ASHAScheduler

BEST = [0.58, 0.62, 0.46, 0.48, 0.54, 0.52, 0.56, 0.44, 0.50, 0.60, 0.42, 0.40]
ray.init(num_cpus=1, include_dashboard=False, _temp_dir=os.path.abspath("r"), log_to_driver=False)


def train(config):
    for epoch in range(1, 9):
        tune.report({"accuracy": config["best"] * (1 - 0.5**epoch)})


class CtrlC(tune.Callback):
    """Interrupts the search as Ctrl-C does, each time that four more trials have ended, but at its end."""

    ended = 0

    def on_trial_complete(self, iteration, trials, trial, **info):
        self.ended += 1
        left = [other for other in trials if not other.is_finished()]
        if self.ended == 4 and len(left) > 1:
            os.kill(os.getpid(), signal.SIGINT)


def tuner(name, callbacks):
    asha = ASHAScheduler(max_t=8)
    config = tune.RunConfig(name=name, storage_path=os.path.abspath("s"), verbose=0, callbacks=callbacks)
    tuning = tune.TuneConfig(metric="accuracy", mode="max", scheduler=asha, reuse_actors=True)
    return tune.Tuner(train, param_space={"best": tune.grid_search(BEST)}, run_config=config, tune_config=tuning)


def epochs(results):
    reached = {r.config["best"]: r.metrics["training_iteration"] for r in results if r.config}
    return [reached.get(best, 0) for best in BEST]


with contextlib.redirect_stdout(io.StringIO()):
    whole = epochs(tuner("whole", []).fit())
    parts = [epochs(tuner("parts", [CtrlC()]).fit())]
    while 0 in parts[-1] and len(parts) < 6:
        parts.append(epochs(tune.Tuner.restore(os.path.abspath("s/parts"), train).fit()))
restored = parts[-1]
print("  best accuracy:                ", " ".join(f"{best:4.2f}"[1:] for best in BEST))
for name, got in (("in one go:", whole), ("Ctrl-C after 4 and 8, restore:", restored)):
    print(f"  {name:30} ", " ".join(f"{epoch:3}" for epoch in got), f"{sum(got):4}")
assert len(parts) == 3 and 0 not in restored, "the search did not go as it should"
assert sum(restored) > 1.4 * sum(whole), "the behaviour has changed"
EOF
