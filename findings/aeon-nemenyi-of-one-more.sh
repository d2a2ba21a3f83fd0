#!/usr/bin/env bash
# aeon's Nemenyi test takes the critical value of one estimator more than there are.
#
# Guess: nemenyi_test and plot_critical_difference(test="nemenyi") part two networks whose mean ranks differ by more
# than the critical difference of Demsar (2006), whose table aeon has: 2.344 for three, 2.569 for four at .05.
# Seen, aeon 1.6.0, scipy 1.17.1, numpy 2.3.5, Python 3.11; ten data sets or folds, one network better than the others:
#   3 networks: critical difference 1.149 where 1.048 is right, a level of 0.028;
#               best and worst differ in 44 % of comparisons instead of 58
#   4 networks: 1.576 where 1.483 is right, a level of 0.032; in 50 % instead of 60
#   7 networks: 2.929 where 2.848 is right, a level of 0.039; in 51 % instead of 57
# The table begins with one zero and is asked by the number of estimators, so that three get the value of four, and
# so on: at .1, the default of the diagram, 2.291 for 2.052. Its bars join networks that differ significantly.
# Since: 0.5.0 and 1.0.0 do the same (read), 1.6.0 run. No issue found (November 2026).
# Source: aeon/benchmarking/stats.py, _get_qalpha, and qalpha[n_estimators] in nemenyi_test.
# Bitten: who compares networks or settings over data sets, folds or seeds by that diagram.
set -euo pipefail
sed -n '2,/^set /{/^set /!s/^# \{0,1\}//p}' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${FINDINGS_PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile aeon==1.6.0 scipy==1.17.1 numpy==2.3.5
cd "$work"
echo "Now:"
OMP_NUM_THREADS=1 venv/bin/python - <<'EOF' 2>log || { cat log; exit 1; }
import numpy as np
from aeon.benchmarking.stats import nemenyi_test
from scipy.stats import rankdata, studentized_range

SETS, WANTED = 10, 0.05


def parted_from(count):
    """The least difference of two mean ranks that aeon calls significant."""
    for difference in np.arange(0.5, 5, 0.001):
        if not nemenyi_test(np.r_[1, np.full(count - 1, 1 + difference)], SETS, WANTED)[0, 1]:
            return difference


def by_definition(count, level=WANTED):
    """Of the studentised range, as in Demsar (2006)."""
    q = studentized_range.ppf(1 - level, count, 1e6) / np.sqrt(2)
    return q * np.sqrt(count * (count + 1) / (6 * SETS))


rng = np.random.default_rng(0)
for count in (3, 4, 5, 7):
    here, wanted = parted_from(count), by_definition(count)
    of_more = by_definition(count + 1) * np.sqrt(count * (count + 1) / ((count + 1) * (count + 2)))
    level = studentized_range.sf(here / np.sqrt(count * (count + 1) / (6 * SETS)) * np.sqrt(2), count, 1e6)
    found = []
    for _ in range(2000):  # the first is better than the others by 1.2 standard deviations
        scores = rng.standard_normal((SETS, count)) + 1.2 * (np.arange(count) == 0)
        ranks = np.sort(rankdata(-scores, axis=1).mean(0))
        found.append((not nemenyi_test(ranks, SETS, WANTED)[0, -1], ranks[-1] - ranks[0] > wanted))
    aeon, right = 100 * np.mean(found, 0)
    print(
        f"  {count} networks: critical difference {here:.3f} where {wanted:.3f} is right, a level of {level:.3f}; "
        f"best and worst differ in {aeon:.0f} % of comparisons instead of {right:.0f}", flush=True,
    )
    assert abs(here - of_more) < 0.005 and here > wanted + 0.05 and aeon < right, "it has changed"
EOF
