#!/usr/bin/env bash
# pyirr's Krippendorff's alpha is negative for two or three classes, and its rater bias finds a bias between equal raters.
#
# Guess: kripp_alpha, which follows R's irr, is that of the package krippendorff whatever the number of classes, and 1
# where all raters agree; rater_bias is .5 for two raters who err alike, with p < .05 in 5 % of the samples.
# Seen, pyirr 0.84.1.2, krippendorff 0.9.0, pandas 3.1.1, numpy 2.4.6, scipy 1.17.1, statsmodels 0.15.0, Python 3.11; 500
# faces, three raters who are right in 70 % and otherwise name any class; rater_bias of two of them in 200 samples:
#   classes                             2      3      4      5      6      7
#   alpha of krippendorff            0.50   0.48   0.50   0.49   0.49   0.50
#   alpha of pyirr                  -0.33  -0.39   0.50   0.49  error  error
#   alpha of pyirr if all agree     -0.87  -1.00   1.00   1.00  error  error
#   mean rater_bias of equal raters  0.50   0.83   0.50   0.63   0.50   0.60
#   p < .05 in                       0.00   1.00   0.06   0.92   0.07   0.60
#   p < .05 by the counts            0.07   0.10   0.06   0.07   0.07   0.08
# Two classes are "happy or not", three "negative, neutral, positive". No warning is given; six and seven classes raise an
# IndexError in kripp_alpha, not in rater_bias. Ordinal, interval and ratio alphas go the same way.
# Since: 0.84.1.1 at the latest (0.84.1.1 and 0.84.1.2, all that pip finds, have the same lines: read).
# Source: pyirr/kripp_alpha.py takes what is above the diagonal by np.triu_indices_from(cm, k=len(cm)//2 - 1), where k
#   ought to be 1, as it is for four and five classes: for two and three the diagonal is in it, for six and more the next
#   classes are not. pyirr/rater_bias.py: the same k above, -len//2 + 1 below, which isn't its mirror for an odd number.
# Bitten: who says how well the voters of a label agree, or whether one of them leans to a side. krippendorff is right.
set -euo pipefail
sed -n '2,/^set /{/^set /!s/^# \{0,1\}//p}' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${FINDINGS_PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile numpy==2.4.6 pandas==3.1.1 scipy==1.17.1 statsmodels==0.15.0
# pyirr imports pkg_resources, which later setuptools no longer have.
"$work/venv/bin/pip" install --quiet --no-compile pyirr==0.84.1.2 krippendorff==0.9.0 setuptools==80.9.0
cd "$work"
echo "Now:"
OMP_NUM_THREADS=1 venv/bin/python - <<'END' 2>log || { cat log; exit 1; }
import numpy as np
from krippendorff import alpha
from pyirr import kripp_alpha, rater_bias
from scipy.stats import chi2

FACES, SAMPLES, CLASSES = 500, 200, (2, 3, 4, 5, 6, 7)


def votes(seed: int, classes: int, raters: int) -> np.ndarray:
    """A row a face, a column a rater; each rater is right in 70 %, and otherwise names any class."""
    chance = np.random.default_rng(seed)
    truth = chance.integers(classes, size=(FACES, 1))
    guesses = chance.integers(classes, size=(FACES, raters))
    return np.where(chance.random((FACES, raters)) < 0.7, truth, guesses).astype(float)


def of_pyirr(ratings: np.ndarray) -> float | None:
    try:
        return float(kripp_alpha(ratings).value)
    except IndexError:
        return None


def sign_test(ratings: np.ndarray) -> float:
    """The same p-value by the counts above and below the diagonal."""
    more, less = np.sum(ratings[:, 0] < ratings[:, 1]), np.sum(ratings[:, 0] > ratings[:, 1])
    return float(chi2.sf((more - less) ** 2 / (more + less), 1))


def shown(name: str, numbers: list[float | None]) -> None:
    texts = ["error" if number is None else f"{number:.2f}" for number in numbers]
    print(f"  {name:30}", *(f"{text:>6}" for text in texts))


rated = {classes: votes(0, classes, 3) for classes in CLASSES}
right = [float(alpha(rated[classes].T, level_of_measurement="nominal")) for classes in CLASSES]
given = [of_pyirr(rated[classes]) for classes in CLASSES]
agreed = [of_pyirr(rated[classes][:, [0, 0, 0]]) for classes in CLASSES]
print(f"  {'classes':30}", *(f"{classes:6}" for classes in CLASSES))
shown("alpha of krippendorff", right)
shown("alpha of pyirr", given)
shown("alpha of pyirr if all agree", agreed)
pairs = {classes: [votes(seed, classes, 2) for seed in range(SAMPLES)] for classes in CLASSES}
bias = [[rater_bias(pair) for pair in pairs[classes]] for classes in CLASSES]
means = [float(np.mean([result.value for result in of_class])) for of_class in bias]
shares = [float(np.mean([result.pvalue < 0.05 for result in of_class])) for of_class in bias]
signs = [float(np.mean([sign_test(pair) < 0.05 for pair in pairs[classes]])) for classes in CLASSES]
shown("mean rater_bias of equal raters", means)
shown("p < .05 in", shares)
shown("p < .05 by the counts", signs)
assert max(signs) < 0.15 and min(right) > 0.4, "these were right"
assert all(abs(given[k] - right[k]) < 0.01 and agreed[k] > 0.99 for k in (2, 3)), "so were four and five classes"
assert all(given[k] < -0.3 and agreed[k] < -0.5 for k in (0, 1)), "the behaviour has changed"
assert given[4] is None and given[5] is None, "six and seven classes no longer raise"
assert shares[1] > 0.95 and shares[3] > 0.3 and shares[5] > 0.3, "rater_bias has changed"
END
