#!/usr/bin/env bash
# Optuna goes on minimising the accuracy of a study that it is told to maximise.
#
# Guess: create_study(direction="maximize", load_if_exists=True) gives a study to maximise, or an error.
# Seen, optuna 5.0.0, Python 3.11; ten trials of TPE without a direction, which is to minimise; then the
# script is mended to say "maximize" and started again, for 40 trials more on the same storage:
#   its direction:                                  minimize
#   median accuracy of the last 20 trials:          0.550   in a study to maximise: 0.695
#   study.best_value:                               0.500   the best that was seen: 0.700
#   directions=["maximize", "minimize"], as for two values: minimize
#   what was said: Using an existing study with `study_name='faces'` instead of creating a new one.
# Direction and directions are looked at only where the study is new. Sampler and pruner are taken from the
# call, so all else in the mended script has its effect.
# Since: 3.1.0 (pull request 4189). 2.10.1 and 3.0.6 raise "Cannot overwrite study direction", 3.1.1 says
#   nothing (all run).
# Source: optuna/study/study.py, create_study: the directions go to storage.create_new_study, and where that
#   finds a study of that name, they are dropped. The documentation: "the existing one is returned".
# Bitten: who forgets the direction at first, or has two scripts on one storage: the search goes on looking
#   for the worst setting, and best_params, best_trial and the pruner with it.
set -euo pipefail
sed -n '2,/^set /{/^set /!s/^# \{0,1\}//p}' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${FINDINGS_PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile optuna==5.0.0 numpy==2.4.6
cd "$work"
echo "Now:"
venv/bin/python - <<'EOF'
import logging
import warnings

import numpy as np
import optuna

said = []
handler = logging.Handler()
handler.emit = lambda record: said.append(record.getMessage())
optuna.logging.disable_default_handler()
warnings.showwarning = lambda message, *_, **__: said.append(str(message))


def accuracy(trial):
    return 0.7 - 0.05 * (np.log10(trial.suggest_float("lr", 1e-5, 1e-1, log=True)) + 3) ** 2


def opened(name, **given):
    sampler = optuna.samplers.TPESampler(seed=0)
    return optuna.create_study(
        study_name=name, storage="sqlite:///faces.db", sampler=sampler, load_if_exists=True, **given
    )


def values(study):
    return [trial.value for trial in study.trials]


opened("faces").optimize(accuracy, n_trials=10)
logging.getLogger("optuna").addHandler(handler)
mended = opened("faces", direction="maximize")
two = opened("faces", directions=["maximize", "minimize"]).directions
logging.getLogger("optuna").removeHandler(handler)
mended.optimize(accuracy, n_trials=40)
right = opened("right", direction="maximize")
right.optimize(accuracy, n_trials=50)
late, meant = (float(np.median(values(study)[30:])) for study in (mended, right))
print("  its direction:                                 ", mended.direction.name.lower())
print(f"  median accuracy of the last 20 trials:          {late:.3f}   in a study to maximise: {meant:.3f}")
print(f"  study.best_value:                               {mended.best_value:.3f}", end="   ")
print(f"the best that was seen: {max(values(mended)):.3f}")
print('  directions=["maximize", "minimize"], as for two values:', *(one.name.lower() for one in two))
print("  what was said:", *sorted(set(said)))
assert mended.direction.name == "MINIMIZE" and len(two) == 1, "the behaviour has changed"
assert late < meant - 0.05 and mended.best_value == min(values(mended)), "the behaviour has changed"
assert len(set(said)) == 1 and "existing study" in said[0], "the behaviour has changed"
EOF
