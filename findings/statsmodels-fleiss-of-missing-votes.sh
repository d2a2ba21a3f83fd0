#!/usr/bin/env bash
# statsmodels counts the votes that are missing as votes for a class of their own, on which raters agree.
#
# Guess: aggregate_raters on a table of faces and raters with NaN where a rater has not seen a face leaves these out, and
# fleiss_kappa then refuses the unequal counts; or it raises, since "bincount will raise exception if data cannot be
# converted to integer".
# Seen, statsmodels 0.15.0, krippendorff 0.9.0, pandas 3.1.1, numpy 2.4.6, scipy 1.17.1, Python 3.11; 700 faces in seven
# classes, five raters, Fleiss' kappa beside Krippendorff's alpha:
#   70 % know, all see all:                              kappa  0.49  alpha  0.49
#   70 % know, one vote in ten is passed:                kappa  0.38  alpha  0.49
#   70 % know, three of five see each:                   kappa  0.07  alpha  0.49
#   all agree, three of five see each:                   kappa  0.23  alpha  1.00
#   all guess, the second half not seen yet:             kappa  0.41  alpha -0.01
# NaN becomes an eighth class, so each face has five votes again and nothing is refused: raters who have seen the same
# faces agree on those that they have not seen, others disagree. With n_cat=7 a TypeError is raised.
# Since: 0.14.0 at the latest (0.14.0 has the same lines: read).
# Source: statsmodels/stats/inter_rater.py, aggregate_raters: np.unique(data.ravel(), return_inverse=True) gives NaN a
#   number behind those of the classes; the NaN in the second value that comes back is the only sign.
# Bitten: who has each face rated by some of the raters, or lets them pass, and says how well they agree.
set -euo pipefail
sed -n '2,/^set /{/^set /!s/^# \{0,1\}//p}' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${FINDINGS_PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile statsmodels==0.15.0 krippendorff==0.9.0
"$work/venv/bin/pip" install --quiet --no-compile pandas==3.1.1 numpy==2.4.6 scipy==1.17.1
cd "$work"
echo "Now:"
OMP_NUM_THREADS=1 venv/bin/python - <<'END' 2>log || { cat log; exit 1; }
import numpy as np
import pandas as pd
from krippendorff import alpha
from statsmodels.stats.inter_rater import aggregate_raters, fleiss_kappa

FACES, RATERS = 700, 5
SHARES = [0.14, 0.02, 0.14, 0.25, 0.17, 0.11, 0.17]
chance = np.random.default_rng(0)
truth = chance.choice(7, size=(FACES, 1), p=SHARES)
guesses = chance.choice(7, size=(FACES, RATERS), p=SHARES)
alike = np.repeat(truth, RATERS, axis=1)
mostly = np.where(chance.random((FACES, RATERS)) < 0.7, truth, guesses)
some = chance.random((FACES, RATERS)).argsort(axis=1) < 3
passed = chance.random((FACES, RATERS)) < 0.9
first_half = np.repeat(np.arange(FACES)[:, None] < FACES // 2, RATERS, axis=1)


def both(name: str, votes: np.ndarray, seen: np.ndarray) -> tuple[float, float]:
    """Fleiss' kappa of a table as a pivot gives it, a row a face and NaN where a rater has none, and the alpha of it."""
    table = pd.DataFrame(votes).where(seen)
    counts, _ = aggregate_raters(table)
    kappa = float(fleiss_kappa(counts))
    right = float(alpha(table.T.to_numpy(), level_of_measurement="nominal"))
    print(f"  {name + ':':52} kappa {kappa:5.2f}  alpha {right:5.2f}")
    return kappa, right


everything = np.ones_like(some)
whole = both("70 % know, all see all", mostly, everything)
tenth = both("70 % know, one vote in ten is passed", mostly, passed)
three = both("70 % know, three of five see each", mostly, some)
agreed = both("all agree, three of five see each", alike, some)
unseen = both("all guess, the second half not seen yet", guesses, first_half)
assert abs(whole[0] - whole[1]) < 0.01, "this was right"
assert min(tenth[1], three[1]) > 0.45 and agreed[1] > 0.999 and abs(unseen[1]) < 0.05, "krippendorff was right"
assert tenth[0] < 0.42 and three[0] < 0.3 and agreed[0] < 0.5 and unseen[0] > 0.3, "the behaviour has changed"
END
