#!/usr/bin/env bash
# jurity's get_all_scores takes five of its scores of group 1, whatever group is asked for.
#
# Guess: BinaryFairnessMetrics.get_all_scores(..., membership_labels=0) is the table of what its classes say one by one
# with membership_labels=0; of labels 1 and 2 membership_labels=2 is that of group 2.
# Seen, jurity 2.1.0, scikit-learn 1.9.1, pandas 3.1.1, numpy 2.4.6, Python 3.11; 3,000 faces, happy or not, of which a
# network finds 90 % of the happy ones of group 0 and 70 % of those of group 1; membership_labels=0:
#   Equal Opportunity    -0.168, its own class  0.168
#   FNR difference        0.168, its own class -0.168
#   Predictive Equality   0.104, its own class -0.104
#   Average Odds         -0.032, its own class  0.032
#   Statistical Parity    0.047, its own class -0.047
#   Disparate Impact      0.842, its own class  0.842
#   FOR difference       -0.068, its own class -0.068
# By the table group 0 is the one whose happy faces are missed.
# The label is handed on as the fourth argument, which since the surrogates came is theirs: of known groups they are
# not used, and the label stays 1. Disparate Impact and FOR have no surrogates and get it, so that one table says of
# two groups at once.
# Since: 2.0.0 (read), 2.1.0 run; in 1.3.4 the fourth argument is the label (read). No issue found (November 2026).
# Source: jurity/fairness/__init__.py, BinaryFairnessMetrics._get_score_logic.
# Bitten: who asks for another group than 1: the men of RAF-DB, 0 where women are 1, or the second of groups 1 and 2.
set -euo pipefail
sed -n '2,/^set /{/^set /!s/^# \{0,1\}//p}' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${FINDINGS_PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile jurity==2.1.0 scikit-learn==1.9.1 pandas==3.1.1 numpy==2.4.6
cd "$work"
echo "Now:"
OMP_NUM_THREADS=1 venv/bin/python - <<'EOF' 2>log || { cat log; exit 1; }
import numpy as np
from jurity.fairness import BinaryFairnessMetrics as Metrics

rng = np.random.default_rng(0)
group = (rng.random(3000) < 0.67).astype(int)
happy = (rng.random(3000) < 0.25).astype(int)
chance = np.where(happy == 1, np.where(group == 0, 0.9, 0.7), np.where(group == 0, 0.05, 0.15))
answer = (rng.random(3000) < chance).astype(int)


def one_by_one(name, groups, label):
    given = (answer,) if name in ("DisparateImpact", "StatisticalParity") else (happy, answer)
    asked = "membership_label" if name in ("DisparateImpact", "FORDifference") else "membership_labels"
    return getattr(Metrics, name)().get_score(*given, groups, **{asked: label})


NAMES = {
    "Equal Opportunity": "EqualOpportunity", "FNR difference": "FNRDifference",
    "Predictive Equality": "PredictiveEquality", "Average Odds": "AverageOdds",
    "Statistical Parity": "StatisticalParity", "Disparate Impact": "DisparateImpact",
    "FOR difference": "FORDifference",
}
for first, label in ((0, 0), (1, 2), (0, 1)):
    groups = group + first
    table = Metrics.get_all_scores(happy, answer, groups, membership_labels=label)["Value"]
    print(f"  groups {first} and {first + 1}, membership_labels={label}:")
    for title, name in NAMES.items():
        own = one_by_one(name, groups, label)
        print(f"    {title:20} {table[title]:6.3f}, its own class {own:6.3f}")
        turned = label != 1 and name not in ("DisparateImpact", "FORDifference")
        assert abs(table[title] - (-own if turned else own)) < 0.001 and abs(own) > 0.03, "it has changed"
EOF
