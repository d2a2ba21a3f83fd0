#!/usr/bin/env bash
# deepchecks' "specificity" is the precision, its "fpr" 1 - precision, and its "fnr" of a class that is missed nearly 0.
#
# Guess: the scorers specificity (or tnr), fpr and fnr are what their docstrings say: TN / (TN + FP), FP / (FP + TN) and
# FN / (FN + TP), so that fnr = 1 - recall and fpr = 1 - specificity.
# Seen, deepchecks 0.19.1, scikit-learn 1.5.2, pandas 2.2.3, scipy 1.13.1, numpy 1.26.4, Python 3.11; 3,589 faces, of which
# the first network finds 14 % of those of disgust; the second always answers "happy":
#              recall  precision  specificity        fpr                fnr
#                                 deepchecks  real   deepchecks  real   deepchecks  real
#     anger     0.725      0.782       0.782 0.967        0.218 0.033        0.045 0.275
#     disgust   0.145      1.000       1.000 1.000        0.000 0.000        0.016 0.855
#     fear      0.752      0.762       0.762 0.963        0.238 0.037        0.039 0.248
#     happy     0.865      0.750       0.750 0.900        0.250 0.100        0.050 0.135
#     neutral   0.764      0.745       0.745 0.947        0.255 0.053        0.048 0.236
#     sad       0.772      0.746       0.746 0.947        0.254 0.053        0.047 0.228
#     surprise  0.617      0.770       0.770 0.978        0.230 0.022        0.045 0.383
#   always happy:
#     happy     1.000      0.259       0.259 0.000        0.741 1.000        0.000 0.000
#     disgust   0.000      0.000       0.000 1.000        0.000 0.000        0.019 1.000
# The confusion matrix of "this class or another" has the others first, and the routines take its last cell, TP, for TN and
# its first one, TN, for TP. So "fnr" is FN / (FN + TN), least of all for a rare class; and where a network names a class
# only if it is sure, its "specificity" goes up as its precision does. With two classes it is the same.
# Since: 0.8.2, the first with these scorers (0.8.2, 0.8.3, 0.9.0, 0.9.2 and 0.19.1 have the same lines, 0.8.1 has no such
#   file: read).
# Source: deepchecks/tabular/metric_utils/additional_classification_metrics.py: _true_negative_rate_per_class takes
#   matrix[1, 1] / (matrix[1, 1] + matrix[0, 1]) with labels=[0, 1], and so the five others.
# Bitten: who reports specificity, false alarms or misses by class with it, or compares networks by them. recall_per_class and
#   precision_per_class are right; fnr is 1 - recall.
set -euo pipefail
sed -n '2,/^set /{/^set /!s/^# \{0,1\}//p}' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${FINDINGS_PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile deepchecks==0.19.1 scikit-learn==1.5.2 pandas==2.2.3 scipy==1.13.1 numpy==1.26.4 statsmodels==0.14.4 category-encoders==2.6.4 plotly==5.24.1
cd "$work"
echo "Now:"
DISABLE_LATEST_VERSION_CHECK=True OMP_NUM_THREADS=1 venv/bin/python -W ignore - <<'EOF' 2>log || { cat log; exit 1; }
import numpy as np
import pandas as pd
from deepchecks.tabular import Dataset
from deepchecks.tabular.checks import SingleDatasetPerformance

FACES, HAPPY = 3589, 3
NAMES = ["anger", "disgust", "fear", "happy", "neutral", "sad", "surprise"]
SHARES = [0.14, 0.02, 0.14, 0.25, 0.17, 0.17, 0.11]
SCORERS = ["recall", "precision", "specificity", "fpr", "fnr"]

chance = np.random.default_rng(0)
labels = chance.choice(7, FACES, p=SHARES)
logits = chance.normal(0, 1, (FACES, 7)) + 2 * np.eye(7)[labels] + np.log(SHARES)
probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
constant = np.tile(np.where(np.arange(7) == HAPPY, 0.7, 0.05), (FACES, 1))
table = Dataset(
    pd.DataFrame({"brightness": chance.random(FACES), "label": labels}),
    label="label",
    features=["brightness"],
    cat_features=[],
)


def asked(probabilities: np.ndarray) -> dict[str, np.ndarray]:
    """What deepchecks says of each class, by scorer."""
    check = SingleDatasetPerformance(scorers=[f"{scorer}_per_class" for scorer in SCORERS])
    value = check.run(
        table, y_pred=probabilities.argmax(axis=1), y_proba=probabilities, model_classes=list(range(7))
    ).value
    return {name: rows.sort_values("Class").Value.to_numpy(float) for name, rows in value.groupby("Metric")}


def counted(probabilities: np.ndarray) -> dict[str, np.ndarray]:
    """Specificity, false positive and false negative rate by their definitions."""
    true, named = labels[:, None] == np.arange(7), probabilities.argmax(axis=1)[:, None] == np.arange(7)
    specificity = (~true & ~named).sum(axis=0) / (~true).sum(axis=0)
    return {"specificity": specificity, "fpr": 1 - specificity, "fnr": (true & ~named).sum(axis=0) / true.sum(axis=0)}


first, second = asked(probabilities), asked(constant)
real, real_second = counted(probabilities), counted(constant)
print("             recall  precision  specificity        fpr                fnr")
print("                                deepchecks  real   deepchecks  real   deepchecks  real")


def line(name: str, found: dict, real: dict, column: int) -> None:
    pairs = "   ".join(f"{found[key][column]:10.3f} {real[key][column]:.3f}" for key in ("specificity", "fpr", "fnr"))
    print(f"    {name:9}{found['recall'][column]:6.3f}  {found['precision'][column]:9.3f}  {pairs}")


for column, name in enumerate(NAMES):
    line(name, first, real, column)
print("  always happy:")
line("happy", second, real_second, HAPPY)
line("disgust", second, real_second, 1)

assert np.allclose(1 - first["recall"], real["fnr"]), "recall was right"
for found in (first, second):
    assert np.allclose(found["specificity"], found["precision"]), "the behaviour has changed"
assert np.allclose(first["fpr"], 1 - first["precision"]), "the behaviour has changed"
assert first["fnr"][1] < 0.05 < 0.8 < real["fnr"][1], "the behaviour has changed"
EOF
