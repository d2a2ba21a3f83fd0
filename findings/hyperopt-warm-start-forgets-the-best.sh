#!/usr/bin/env bash
# hyperopt's HyperoptSearchCV, fitted on with warm_start, gives the best of the last fit alone, and tries old points again.
#
# Guess: HyperoptSearchCV(..., warm_start=True), whose docstring says "reuse the solution of the previous fit call and add
# iterations", gives the best of all its trials as best_params_ and best_estimator_ after each fit, and a random_state of
# 0 makes the whole search repeatable, no more.
# Seen, hyperopt 0.3.0, scikit-learn 1.9.1, scipy 1.17.1, numpy 2.4.6, Python 3.11; seven classes, logistic regression,
# C from 1e-5 to 100; ten trials, then max_evals=14 and fit again, in ten searches each:
#   random_state is a number:
#     best_score_ is below that of trials_ in 6 of 10 searches
#     best accuracy: first fit 0.668, second 0.651, of all trials 0.668
#     of 4 further points 4.0 were tried before
#   random_state is a Generator:
#     best_score_ is below that of trials_ in 6 of 10 searches
#     best accuracy: first fit 0.668, second 0.661, of all trials 0.677
#     of 4 further points 0.0 were tried before
# trials_ holds them all, cv_results_ those of the last fit. And a fit for which nothing is left to do raises IndexError.
# Without warm_start a Trials object given as `trials` is not used at all (read).
# Since: it came with 0.3.0; 0.2.7 has no HyperoptSearchCV (looked up).
# Source: hyperopt/sklearn.py, _run_search: fmin goes on with self.trials_, but BaseSearchCV ranks the candidates of this
#   fit only, and np.random.default_rng(self.random_state) is made anew, so that the first points come again (TPE's
#   first 20 are random).
# Bitten: who goes on with a search as long as it pays, or after a time limit. Take trials_.best_trial, and a Generator.
set -euo pipefail
sed -n '2,/^set /{/^set /!s/^# \{0,1\}//p}' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${FINDINGS_PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile hyperopt==0.3.0 scikit-learn==1.9.1 scipy==1.17.1 numpy==2.4.6
cd "$work"
echo "Now:"
OMP_NUM_THREADS=1 venv/bin/python -W ignore - <<'END' 2>log || { cat log; exit 1; }
import contextlib
import io

import numpy as np
from hyperopt import hp, tpe
from hyperopt.sklearn import HyperoptSearchCV
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression

FIRST, LATER, SEARCHES = 10, 14, 10
X, y = make_classification(400, 30, n_informative=8, n_classes=7, n_clusters_per_class=1, random_state=0)


def search(random_state) -> tuple[float, float, float, int]:
    """The best accuracy of the first fit, of the second, of all trials, and how many points of the second are not new."""
    space = {"C": hp.loguniform("C", np.log(1e-5), np.log(100))}
    model = LogisticRegression(max_iter=50)
    found = HyperoptSearchCV(
        model, space, FIRST, algo=tpe.suggest, warm_start=True, cv=3, random_state=random_state
    )
    first = found.fit(X, y).best_score_
    second = found.set_params(max_evals=LATER).fit(X, y).best_score_
    assert len(found.trials_) == LATER and len(found.cv_results_["params"]) == LATER - FIRST
    points = [result["params"]["C"] for result in found.trials_.results]
    again = sum(point in points[:FIRST] for point in points[FIRST:])
    return first, second, -min(found.trials_.losses()), again


seen = {}
for name, made in (("a number", lambda seed: seed), ("a Generator", np.random.default_rng)):
    with contextlib.redirect_stdout(io.StringIO()):  # the bars of progress
        results = np.array([search(made(seed)) for seed in range(SEARCHES)])
    worse = int(np.sum(results[:, 1] < results[:, 2]))
    seen[name] = worse, *results.mean(axis=0)
    _, first, second, every, again = seen[name]
    print(f"  random_state is {name}:")
    print(f"    best_score_ is below that of trials_ in {worse} of {SEARCHES} searches")
    print(f"    best accuracy: first fit {first:.3f}, second {second:.3f}, of all trials {every:.3f}")
    print(f"    of {LATER - FIRST} further points {again:.1f} were tried before")
assert all(worse >= 3 and second < first for worse, first, second, *_ in seen.values()), "the behaviour has changed"
assert seen["a number"][4] > 3 and seen["a Generator"][4] == 0, "the points are others"
END
