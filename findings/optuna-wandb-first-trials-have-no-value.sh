#!/usr/bin/env bash
# Optuna's callback for Weights & Biases loses the value of the first trials, of as many as there are epochs logged in each.
#
# Guess: with WeightsAndBiasesCallback(as_multirun=True) and its track_in_wandb(), each trial is a run that has the epochs
# logged in the objective, and behind them the trial's value and number, as the callback's documentation shows it.
# Seen, optuna-integration 5.0.0, optuna 5.0.0, wandb 0.31.0, numpy 2.4.6, Python 3.11, offline:
#   trial:                     0    1    2    3    4    5    6    7
#   Optuna's value:          .58  .70  .62  .58  .50  .65  .51  .82
#   five epochs logged:        -    -    -    -    -  .65  .51  .82
#   one epoch logged:          -  .70  .62  .58  .50  .65  .51  .82
# The callback logs value and number at the step that is the trial's number, and W&B takes no step below those of the epochs;
# it prints a warning ("this data will be ignored") and the epochs are all there. In the documentation's own example, which
# logs once in each trial, the first trial has no value; by this rule a search of 40 trials of 50 epochs has none at all.
# Since: Optuna 3.0.0, the first with as_multirun, has the same line (read).
# Source: optuna_integration/wandb/wandb.py, WeightsAndBiasesCallback.__call__: step = trial.number if wandb.run else None;
#   run.log(..., step=step).
# Bitten: who logs epochs and sorts the runs by their value. Log the value once more in the objective, under a name of its own.
set -euo pipefail
sed -n '2,/^set /{/^set /!s/^# \{0,1\}//p}' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${FINDINGS_PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile optuna-integration==5.0.0 optuna==5.0.0 wandb==0.31.0 numpy==2.4.6
cd "$work"
echo "Now:"
export WANDB_MODE=offline WANDB_DIR="$work" HOME="$work"
venv/bin/python -W ignore - <<'EOF' 2>log || { cat log; exit 1; }
import optuna
import wandb
from optuna_integration.wandb import WeightsAndBiasesCallback

optuna.logging.set_verbosity(optuna.logging.ERROR)
TRIALS, EPOCHS = 8, 5


def search(epochs: int) -> dict[str, list[float | None]]:
    """What the summary of each trial's run holds, and what Optuna has."""
    callback = WeightsAndBiasesCallback("accuracy", {"project": "faces"}, as_multirun=True)
    summaries = []

    @callback.track_in_wandb()
    def objective(trial: optuna.Trial) -> float:
        finish = wandb.run.finish

        def finished() -> None:
            wandb.log({}, commit=True)  # finish() would commit the callback's row only then
            summaries.append({name: wandb.run.summary.get(name) for name in ("accuracy", "epoch")})
            finish()

        wandb.run.finish = finished  # the callback's last call
        best = trial.suggest_float("best", 0.2, 0.9)
        for epoch in range(epochs):
            wandb.log({"epoch": epoch, "validation": best * (1 - 0.5 ** (epoch + 1))})
        return best

    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.RandomSampler(seed=0))
    study.optimize(objective, n_trials=TRIALS, callbacks=[callback])
    return {
        "accuracy": [summary["accuracy"] for summary in summaries],
        "epoch": [summary["epoch"] for summary in summaries],
        "value": [trial.value for trial in study.trials],
    }


def shown(numbers: list[float | None]) -> str:
    return "".join(f"{'-' if n is None else n if isinstance(n, int) else f'{n:.2f}'.lstrip('0'):>5}" for n in numbers)


five, once = search(EPOCHS), search(1)
print("  trial:                ", shown(list(range(TRIALS))))
print("  Optuna's value:       ", shown(five["value"]))
print("  five epochs logged:   ", shown(five["accuracy"]))
print("  one epoch logged:     ", shown(once["accuracy"]))
assert five["epoch"] == [EPOCHS - 1] * TRIALS
assert five["accuracy"] == [None] * EPOCHS + five["value"][EPOCHS:], "the behaviour has changed"
assert once["accuracy"] == [None] + once["value"][1:], "the behaviour has changed"
EOF
