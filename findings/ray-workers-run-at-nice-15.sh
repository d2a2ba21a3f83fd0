#!/usr/bin/env bash
# Ray's workers run 15 steps of niceness below the process that started them.
#
# Guess: a task gets the processor as the driver would.
# Seen, ray 2.60.0, Python 3.11, Linux:
#   driver's niceness 0, a task's 15
#   with RAY_worker_niceness=0: driver's 0, a task's 0
#   (started under nice -n 10, as these scripts were run: 10 and 19, the most there is)
# Since: unknown; the variable is named in ray/_private/ray_constants.py (RAY_WORKER_NICENESS).
# Source: measured by os.nice(0) in driver and task.
# Bitten: who trains on a machine that does other work: at nice 15 a worker gets a few percent of a
#   contended core, so trials take several times as long and timings mean nothing.
set -euo pipefail
sed -n '2,/^set /{/^set /!s/^# \{0,1\}//p}' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${FINDINGS_PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet ray==2.60.0
cd "$work"
export RAY_USAGE_STATS_ENABLED=0 RAY_raylet_start_wait_time_s=300
echo "Now:"
venv/bin/python - <<'EOF' 2>log || { cat log; exit 1; }
import os

import ray


@ray.remote
def niceness() -> int:
    return os.nice(0)


def task(**environment) -> int:
    os.environ.update(environment)
    ray.init(num_cpus=1, include_dashboard=False, _temp_dir=os.path.abspath("r"))
    value = ray.get(niceness.remote())
    ray.shutdown()
    return value


mine = os.nice(0)
plain, asked = task(), task(RAY_worker_niceness="0")
print(f"  driver's niceness {mine}, a task's {plain}")
print(f"  with RAY_worker_niceness=0: driver's {mine}, a task's {asked}")
assert (plain, asked) == (min(mine + 15, 19), mine), "the behaviour has changed"
EOF
