#!/usr/bin/env bash
# A process killed while it writes makes the next one wait for half a minute.
#
# Guess: a lock is gone with the process that held it, as flock's is.
# Seen, optuna 5.0.0, Python 3.11, Linux; a process is ended by SIGKILL while it holds the journal's
# lock, and another then opens the study (the wait is sometimes a second longer):
#   the lock is still there after the kill: True
#   load_study took 30 s
# Since: unknown; 4.5.0 has the same `grace_period` of 30 s.
# Source: optuna/storages/journal/_file.py: JournalFileSymlinkLock(filepath, grace_period=30), the
#   default lock of JournalFileBackend: a symbolic link beside the log, with ".lock" in its name.
# Bitten: who restarts a killed search on a JournalStorage and thinks that it hangs. Who knows by other
#   means that no other process is there can remove the link, or pass a lock_obj with a shorter wait.
set -euo pipefail
sed -n '2,/^set /{/^set /!s/^# \{0,1\}//p}' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${FINDINGS_PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile optuna==5.0.0
cd "$work"
echo "Now:"
venv/bin/python - <<'EOF'
import os
import signal
import subprocess
import sys
import time

import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

optuna.logging.set_verbosity(optuna.logging.ERROR)
storage = JournalStorage(JournalFileBackend("study.log"))
optuna.create_study(storage=storage, study_name="s")
HOLD = """
import time
from optuna.storages.journal import JournalFileBackend, JournalFileSymlinkLock
lock = JournalFileSymlinkLock("study.log")
lock.acquire()
print("held", flush=True)
time.sleep(600)
"""
holder = subprocess.Popen([sys.executable, "-c", HOLD], stdout=subprocess.PIPE)
holder.stdout.readline()
holder.send_signal(signal.SIGKILL)
holder.wait()
held = any(name.endswith(".lock") and os.path.islink(name) for name in os.listdir("."))
print("  the lock is still there after the kill:", held)
begun = time.monotonic()
fresh = JournalStorage(JournalFileBackend("study.log"))
study = optuna.load_study(storage=fresh, study_name="s")
study.ask()
took = time.monotonic() - begun
print(f"  load_study took {took:.0f} s")
assert held and 29 < took < 60, "the behaviour has changed"
EOF
