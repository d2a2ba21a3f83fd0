#!/usr/bin/env bash
# Two models that are right and wrong on the very same images differ "with p = 0".
#
# Guess: p = 1, or NaN: there is no image on which they differ.
# Seen, statsmodels 0.15.0, Python 3.11; 10 images both right, 5 both wrong, none apart:
#   exact (the default)          p = 1
#   chi-square, corrected        p = 0
#   chi-square, not corrected    p = nan
# The continuity correction makes (|0 - 0| - 1)^2 / 0, an infinite statistic; numpy warns of a division.
# Since: the same in 0.14.4 (run).
# Source: statsmodels/stats/contingency_tables.py, mcnemar, the branch `exact=False` (whose default is
#   `correction=True`).
# Bitten: who compares networks on thousands of images with exact=False, as is usual for large counts,
#   and has two that answer the majority class, or one model twice.
set -euo pipefail
sed -n '2,/^set /{/^set /!s/^# \{0,1\}//p}' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${FINDINGS_PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile statsmodels==0.15.0 scipy==1.17.1 numpy==2.4.6
cd "$work"
echo "Now:"
venv/bin/python - <<'EOF'
import warnings

from statsmodels.stats.contingency_tables import mcnemar

warnings.simplefilter("ignore")
table = [[10, 0], [0, 5]]
ways = {
    "exact (the default)": {},
    "chi-square, corrected": {"exact": False},
    "chi-square, not corrected": {"exact": False, "correction": False},
}
seen = {name: f"{mcnemar(table, **how).pvalue:g}" for name, how in ways.items()}
for name, p in seen.items():
    print(f"  {name:28} p = {p}")
assert list(seen.values()) == ["1", "0", "nan"], "the behaviour has changed"
EOF
