#!/usr/bin/env bash
# Hyperactive given scikit-learn's "neg_log_loss" searches for the greatest log loss; an own score is minimised.
#
# Guess: OptCV(scoring="neg_log_loss") takes the setting that GridSearchCV takes with it, "the same algorithm" (its
# docstring); a function of one's own is a score like any other.
# Seen, hyperactive 5.0.4, scikit-learn 1.7.2, pandas 2.3.3, numpy 2.4.6, Python 3.11; logistic regression on features
# of faces, unequal classes, C in eight steps from .0001 to 1000, the same folds:
#   accuracy         C = 0.001, score  0.767, 75 % of the test right; GridSearchCV: C = 0.001,  0.767, 75 %
#   neg_log_loss     C = 1e-4,  score -1.546, 54 % of the test right; GridSearchCV: C = 0.01,  -0.662, 76 %
#   neg_brier_score  C = 1e-4,  score -0.724, 54 % of the test right; GridSearchCV: C = 0.01,  -0.333, 76 %
#   own macro_f1     C = 1e-4,  score  0.336, 54 % of the test right; GridSearchCV: C = 0.01,   0.702, 76 %
# The last three are the worst of the eight. Hyperactive guesses by the name of the function behind a scorer,
# log_loss, that lower is better, and turns the sign that the scorer has turned already. Of a name that it doesn't
# know, macro_f1 here, it takes the same for granted.
# Since: 5.0.0 of September 2025 (read), 5.0.4 run. Pull request 182 of that month is on signs; no issue found
#   (November 2026).
# Source: hyperactive/experiment/integrations/_skl_metrics.py, _coerce_to_scorer_and_sign, _guess_sign_of_sklmetric.
# Bitten: who searches by log loss or Brier score, or by a score of their own.
set -euo pipefail
sed -n '2,/^set /{/^set /!s/^# \{0,1\}//p}' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${FINDINGS_PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile hyperactive==5.0.4 scikit-learn==1.7.2 pandas==2.3.3 numpy==2.4.6 packaging==26.3
cd "$work"
echo "Now:"
OMP_NUM_THREADS=1 venv/bin/python - <<'EOF' 2>log || { cat log; exit 1; }
import numpy as np
from hyperactive.integrations.sklearn import OptCV
from hyperactive.opt import GridSearchSk
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score, make_scorer
from sklearn.model_selection import GridSearchCV, StratifiedKFold

COUNTS = np.array([399, 43, 409, 721, 483, 317, 496]) // 3  # a thirtieth of FER-2013's training set
rng = np.random.default_rng(0)
CENTRES = rng.standard_normal((7, 32))


def features(labels):
    return CENTRES[labels] + 2.5 * rng.standard_normal((len(labels), 32)), labels


X, Y = features(rng.permutation(np.repeat(np.arange(7), COUNTS)))
TEST, TRUE = features(np.repeat(np.arange(7), COUNTS))
GRID = {"C": np.logspace(-4, 3, 8).tolist()}
FOLDS = StratifiedKFold(5, shuffle=True, random_state=0)
NET = LogisticRegression(max_iter=2000)


def macro_f1(true, answer):
    return f1_score(true, answer, average="macro")


for name, scoring, wrong in (
    ("accuracy", "accuracy", False), ("neg_log_loss", "neg_log_loss", True),
    ("neg_brier_score", "neg_brier_score", True), ("own macro_f1", macro_f1, True),
):
    scorer = make_scorer(scoring) if callable(scoring) else scoring
    usual = GridSearchCV(NET, GRID, scoring=scorer, cv=FOLDS).fit(X, Y)
    scores = usual.cv_results_["mean_test_score"]
    search = OptCV(NET, GridSearchSk(GRID), scoring=scoring, cv=FOLDS).fit(X, Y)
    kept = scores[GRID["C"].index(search.best_params_["C"])]
    right, wanted = ((net.predict(TEST) == TRUE).mean() for net in (search, usual))
    print(
        f"  {name:15}: C = {search.best_params_['C']:g}, score {kept:.3f}, {100 * right:.0f} % of the test right; "
        f"GridSearchCV: C = {usual.best_params_['C']:g}, {scores.max():.3f}, {100 * wanted:.0f} %", flush=True,
    )
    assert kept == (scores.min() if wrong else scores.max()), "it has changed"
EOF
