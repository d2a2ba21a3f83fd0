#!/usr/bin/env bash
# roc_auc_score refuses probabilities that log_loss takes: those of half precision, or of four decimals.
#
# Guess: a softmax in float16, or rounded to four decimals for a small file, is still a probability.
# Seen, scikit-learn 1.9.1 with numpy 2.4.6, Python 3.11; 2,000 answers over seven classes:
#                   roc_auc_score(multi_class="ovr")   log_loss   brier_score_loss
#   float64         0.838                              1.368      0.671
#   float32         0.838                              1.368      0.671
#   float16         ValueError                         1.367      0.671
#   four decimals   ValueError                         1.368, a warning   0.671, a warning
# The ranking that an AUC measures needs no sum of one, and of float16 log_loss says nothing at all.
# Since: the error is the same in 1.5.2 (run).
# Source: sklearn/metrics/_ranking.py, _multiclass_roc_auc_score: `np.allclose(1, y_score.sum(axis=1))`
#   ("Target scores need to be probabilities"); log_loss warns beyond
#   the square root of the type's epsilon (_classification.py).
# Bitten: who stores the answers of a network trained in half precision, or rounds them for publication.
set -euo pipefail
sed -n '2,/^set /{/^set /!s/^# \{0,1\}//p}' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${FINDINGS_PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile scikit-learn==1.9.1 numpy==2.4.6
cd "$work"
echo "Now:"
venv/bin/python - <<'EOF'
import warnings

import numpy as np
from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score

rng = np.random.default_rng(0)
exact = rng.dirichlet(np.full(7, 0.5), size=2000)
labels = np.array([rng.choice(7, p=row) for row in exact])
answers = {
    "float64": exact,
    "float32": exact.astype(np.float32),
    "float16": exact.astype(np.float16),
    "four decimals": exact.round(4),
}
measures = (
    lambda p: roc_auc_score(labels, p, multi_class="ovr"),
    lambda p: log_loss(labels, p),
    lambda p: brier_score_loss(labels, p),
)


def tried(measure, p) -> str:
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        try:
            return f"{measure(p):.3f}" + (", a warning" if told else "")
        except ValueError as error:
            assert "sum up to 1.0" in str(error)
            return "ValueError"


seen = {name: [tried(measure, p) for measure in measures] for name, p in answers.items()}
for name, row in seen.items():
    print(f"  {name:15}", *(f"{cell:18}" for cell in row))
assert [row[0] for row in seen.values()] == ["0.838", "0.838"] + ["ValueError"] * 2, "changed"
assert seen["float16"][1] == "1.367" and seen["four decimals"][1] == "1.368, a warning", "changed"
EOF
