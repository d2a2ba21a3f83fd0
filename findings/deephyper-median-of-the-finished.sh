#!/usr/bin/env bash
# DeepHyper's MedianStopper compares the first epoch of a trial with the last epoch of the trials before it.
#
# Guess: "based on the median of observed objectives at similar budgets": a trial is compared with the others after as many
# epochs as it has had itself, once there are ten of them (min_competing, 10 by default), and the worse half is stopped.
# Seen, deephyper 0.13.2, configspace 1.2.2, pandas 3.1.1, numpy 2.4.6, Python 3.11; MedianStopper(max_steps=20) and a random
# search of 60 trials, whose curves never cross: the best trial is the best in every epoch; 40 searches:
#   MedianStopper:
#     trained to the end: 100% of trials 1-9, 0% of 10-18, 21% of the others
#     the best of 60 trials is stopped in 21 of 40 searches
#   by epoch (the same rule, each value kept under its epoch):
#     trained to the end: 100% of trials 1-9, 47% of 10-18, 25% of the others
#     the best of 60 trials is stopped in 0 of 40 searches
# Trials 10 to 18 stand after one epoch before the results of nine whole trainings, and end there, however good they are.
# Then there are as many values of stopped trials; the first of those that come through to the next comparison have no ten
# rivals there, go on to the end, and the same happens to those behind them.
# Since: 0.9.3, where min_competing became 10 (0 in 0.9.0; read); with a min_competing of one's own since 0.5.0 (read).
# Source: deephyper/stopper/_median_stopper.py: values are kept as `_completed_rung_{self._rung}`, and _rung goes up only
#   when a trial wins a comparison: while there are too few rivals, each later epoch is written over the first.
# Bitten: who prunes by the median. Set min_competing=1 (the best was never stopped in 20 searches); min_steps=5 and
#   interval_steps=5 don't help (in 12 of 20 each).
set -euo pipefail
sed -n '2,/^set /{/^set /!s/^# \{0,1\}//p}' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${FINDINGS_PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile deephyper==0.13.2 configspace==1.2.2 pandas==3.1.1 numpy==2.4.6
cd "$work"
echo "Now:"
OMP_NUM_THREADS=1 venv/bin/python -W ignore - <<'END' 2>log || { cat log; exit 1; }
import numpy as np
import pandas as pd
from deephyper.evaluator import Evaluator
from deephyper.hpo import HpProblem, RandomSearch
from deephyper.stopper import MedianStopper

EPOCHS, TRIALS, SEARCHES = 20, 60, 40


class ByEpoch(MedianStopper):
    """The same rule, with the values of an epoch under the number of that epoch."""

    _rung = property(lambda self: self.step, lambda self, number: None)


def train(job) -> dict:
    """Curves that never cross: a trial that is better in the end is better in every epoch."""
    final = 0.66 - 0.1 * (np.log10(job.parameters["lr"]) + 2.5) ** 2
    for epoch in range(1, EPOCHS + 1):
        job.record(epoch, final - (final - 1 / 7) * np.exp(-epoch / 6))
        if job.stopped():
            break
    return {"objective": job.objective, "metadata": {"epochs": epoch, "final": final}}


def search(stopper: MedianStopper, seed: int) -> pd.DataFrame:
    problem = HpProblem()
    problem.add_hyperparameter((1e-4, 1e-1, "log-uniform"), "lr")
    method = RandomSearch(problem, random_state=seed, stopper=stopper, checkpoint_history_to_csv=False)
    evaluator = Evaluator.create(train, method="thread", method_kwargs={"num_workers": 1})
    trials = method.search(evaluator, max_evals=TRIALS)
    assert len(trials) == TRIALS
    return trials.sort_values("job_id", key=lambda ids: ids.astype(int)).reset_index(drop=True)


lost = {}
for name, stopper in (("MedianStopper", MedianStopper), ("by epoch", ByEpoch)):
    found = [search(stopper(max_steps=EPOCHS), seed) for seed in range(SEARCHES)]
    best = [trials.loc[trials["m:final"].idxmax()] for trials in found]
    lost[name] = sum(trial["m:epochs"] < EPOCHS for trial in best)
    epochs = np.array([trials["m:epochs"] for trials in found])
    print(f"  {name}:")
    print("    epochs of the first search:", *epochs[0])
    ended = [np.mean(epochs[:, part] == EPOCHS) for part in (slice(9), slice(9, 18), slice(18, None))]
    print("    trained to the end: {:.0%} of trials 1-9, {:.0%} of 10-18, {:.0%} of the others".format(*ended))
    print(f"    the best of {TRIALS} trials is stopped in {lost[name]} of {SEARCHES} searches")
    lost[name, "ended"] = ended
assert lost["MedianStopper", "ended"][:2] == [1, 0], "trials 1 to 18 fare otherwise"
assert lost["MedianStopper"] >= 5 and lost["by epoch"] == 0, "the behaviour has changed"
END
