#!/usr/bin/env bash
# bonferroni_correction of deepsig gives a comparison the corrected p-value of another.
#
# Guess: corrected p-values come in the order of those that go in, and none is smaller than before.
# Seen, deepsig 1.2.8, numpy 2.4.6, scipy 1.17.1, pandas 3.1.1, Python 3.11; three settings, each against the default:
#                  p     deepsig  Holm, by hand
#   dropout       .030     .200     .060
#   augmentation  .200     .030     .200
#   warm-up       .010     .060     .030
# Augmentation with p = .2 is significant, warm-up with .01 isn't. The values are sorted, corrected (by Holm's factors, as
# its issue 2 tells) and should be put back; the order that sorts them is applied once more instead of its inverse. That
# is right where it is its own inverse: 4 of 6 orders of three p-values, 232 of 5,040 of seven, 9,496 of 3,628,800 of ten.
# And .01, .02, .03 come out as .03, .04, .03: a larger p-value may get the smaller one, Holm's running maximum is missing.
# Since: 1.0.0, its first version (read: the same line there). No issue told it when we looked (November 2026).
# Source: deepsig/correction.py, bonferroni_correction: corrected_p_values[sorted_indices], where
#   corrected_p_values[np.argsort(sorted_indices)] is meant.
# Bitten: who compares several networks, classes or data sets as its README says, and doesn't happen to have the p-values
#   in order. statsmodels.stats.multitest.multipletests(p, method="holm") is right.
set -euo pipefail
sed -n '2,/^set /{/^set /!s/^# \{0,1\}//p}' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${FINDINGS_PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile deepsig==1.2.8 numpy==2.4.6 scipy==1.17.1 pandas==3.1.1
cd "$work"
echo "Now:"
venv/bin/python - <<'EOF' 2>log || { cat log; exit 1; }
from itertools import permutations

import numpy as np
from deepsig import bonferroni_correction


def holm(p: np.ndarray) -> np.ndarray:
    order = np.argsort(p)
    corrected = np.empty(len(p))
    corrected[order] = np.minimum(np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1)), 1)
    return corrected


settings = {"dropout": 0.03, "augmentation": 0.2, "warm-up": 0.01}
p = np.array(list(settings.values()))
theirs, mine = bonferroni_correction(p), holm(p)
print(f"  {'':12}   p     deepsig  Holm, by hand")
for name, *row in zip(settings, p, theirs, mine):
    print(f"  {name:12}  " + "     ".join(f"{value:.3f}"[1:] for value in row))
right = {}
for many in (3, 7):
    orders = [np.array(order) for order in permutations([0.001, 0.004, 0.01, 0.03, 0.1, 0.3, 0.9][:many])]
    right[many] = sum(np.allclose(bonferroni_correction(order), holm(order)) for order in orders)
    print(f"  of {len(orders)} orders of {many} p-values {right[many]} are right")
rising = bonferroni_correction(np.array([0.01, 0.02, 0.03]))
print("  of .01, .02, .03:", ", ".join(f"{value:.2f}"[1:] for value in rising))
assert np.allclose(mine, [0.06, 0.2, 0.03]), "this was right"
assert np.allclose(theirs, [0.2, 0.03, 0.06]), "the behaviour has changed"
assert right == {3: 4, 7: 232} and rising[2] < rising[1], "the behaviour has changed"
EOF
