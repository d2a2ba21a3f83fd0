#!/usr/bin/env bash
# pycm's P-Value, of accuracy against always answering one class, is None for a test set of FER-2013's size.
#
# Guess: it is the one-sided binomial test that its documents name, at any number of answers; FER-2013 has 3,589 of test.
# Seen, pycm 4.6, numpy 2.4.6, scipy 1.17.1, Python 3.11; seven classes, of which the most frequent has about .24:
#   answers  right   pycm     scipy's binomtest
#       900  27.0 %  0.025    0.025
#       900  57.0 %  -5e-14   2.2e-98
#     1,100  27.0 %  0.014    0.014
#     1,100  57.0 %  None     5.5e-120
#     1,300  27.0 %  None     0.008
#     3,589  27.0 %  None     3.3e-05
# Nothing else of the matrix is None, and nothing is raised or warned of: print(matrix) has a line "P-Value  None", as it
# has for figures that a matrix can't have. It sums probabilities whose binomial coefficients are beyond a float: from
# some 1,030 answers on where half or more are right, from some 1,220 where 27 % are. Of fewer it takes the sum from 1,
# so that a small p is what rounding leaves, which may be below 0.
# Since: 2.0 and 4.0 do the same (run).
# Source: pycm/overall_funcs.py, p_value_calc: ncr(n, j) * (p ** j) * ..., except Exception: return "None"; 1 - result.
# Bitten: who asks of a network on FER-2013, FER+ or RAF-DB whether it has learned more than the most frequent class;
#   who keeps what has `P-Value < 0.05`, as "None" < 0.05 raises, and who takes its logarithm.
set -euo pipefail
sed -n '2,/^set /{/^set /!s/^# \{0,1\}//p}' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${FINDINGS_PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile pycm==4.6 numpy==2.4.6 scipy==1.17.1
cd "$work"
echo "Now:"
venv/bin/python -W error - <<'EOF' 2>log || { cat log; exit 1; }
import numpy as np
from pycm import ConfusionMatrix
from scipy.stats import binomtest

CLASSES = 7
ROWS = [  # answers, of the most frequent class, right
    (900, 217, 243),
    (900, 217, 513),
    (1100, 265, 297),
    (1100, 265, 627),
    (1300, 313, 351),
    (3589, 865, 969),
]


def answered(answers: int, frequent: int, right: int) -> tuple[np.ndarray, np.ndarray]:
    """Labels, so many of them of class 3, and answers, so many of them right."""
    others = [k for k in range(CLASSES) if k != 3]
    label = np.array([3] * frequent + [others[k % 6] for k in range(answers - frequent)])
    said = (label + 1) % CLASSES
    hit = np.random.default_rng(0).permutation(answers)[:right]
    said[hit] = label[hit]
    return label, said


print("  answers  right   pycm     scipy's binomtest")
for answers, frequent, right in ROWS:
    matrix = ConfusionMatrix(*answered(answers, frequent, right))
    told = matrix.overall_stat["P-Value"]
    true = binomtest(right, answers, frequent / answers, alternative="greater").pvalue
    shown = told if told == "None" else f"{told:.2g}"
    print(f"  {answers:7,}  {100 * right / answers:.1f} %  {shown:7}  {true:.2g}")
    assert np.isclose(matrix.Overall_ACC, right / answers) and np.isclose(matrix.NIR, frequent / answers)
    if answers > 1200 or (answers > 1000 and right > 0.5 * answers):
        assert told == "None", "the behaviour has changed"
    elif right > 0.5 * answers:
        assert abs(told) > 1e-17 > 1e9 * true, "the behaviour has changed"
    else:
        assert np.isclose(told, true, rtol=1e-6)
EOF
