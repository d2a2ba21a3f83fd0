#!/usr/bin/env bash
# dabest's permutation test gives p = 0 to three paired seeds that all improve, where .25 is the least possible.
#
# Guess: the p-value it prints is what its text says, how often "the effect size (or greater)" comes of swapped labels;
# of three, four, five pairs it can't be less than 1/4, 1/8, 1/16, and with ps_adjust=True it is never next to 0.
# Seen, dabest 2025.10.20, scipy 1.15.3, numpy 2.1.3, pandas 2.2.3, Python 3.11; how many faces of 3,589 are right, by
# seed, of two networks:
#   3 seeds, all better: dabest 0.0   ps_adjust=True 2e-230   scipy, all swaps 0.250
#   4 seeds, all better: dabest 0.0   ps_adjust=True 3e-65   scipy, all swaps 0.125
#   5 seeds, all better: dabest 0.0   ps_adjust=True 4e-20   scipy, all swaps 0.062
#   two equal networks, 3 seeds, 200 times: p < .05 in 19% by dabest, of fractions in 18%; in 0% by scipy
#   two equal networks, 4 seeds, 200 times: p < .05 in 16% by dabest, of fractions in 8%; in 0% by scipy
# It counts what is greater than the effect, not what is as great, and so neither the data as they are nor all of them
# swapped. Where rounding makes these greater in the last bit, the p-value is as it should be: as fractions more often
# than as counts. ps_adjust takes that count for the right one. Unpaired, rounding decides it too.
# Since: 0.3.0 (read). ps_adjust is in 2025.3.27 (read), for issue 187, which tells of p-values of 0 and blames the
#   finite number of shuffles.
# Source: dabest/_effsize_objects.py, PermutationTest: if abs(es) > THRESHOLD.
# Bitten: who compares two settings over three to six seeds and reports pvalue_permutation, which dabest prints with each
#   effect size. scipy.stats.permutation_test(..., permutation_type="samples") counts ties and takes all swaps.
set -euo pipefail
sed -n '2,/^set /{/^set /!s/^# \{0,1\}//p}' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${FINDINGS_PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile dabest==2025.10.20 scipy==1.15.3 pandas==2.2.3 numpy==2.1.3
cd "$work"
export NUMBA_CACHE_DIR="$work/numba" MPLCONFIGDIR="$work/matplotlib"
echo "Now:"
venv/bin/python - <<'EOF' 2>log || { cat log; exit 1; }
import contextlib
import warnings

import numpy as np
import pandas as pd
from scipy.stats import permutation_test

with contextlib.redirect_stdout(None):
    import dabest

warnings.simplefilter("ignore")
FIRST = np.array([2049, 2060, 2038, 2064, 2046])  # how many of 3,589 faces are right, for each of five seeds
SECOND = np.array([2085, 2103, 2078, 2092, 2110])


def told(seeds: int, **kwargs) -> float:
    """The p-value that dabest prints for that many seeds of two networks."""
    right = np.concatenate([FIRST[:seeds], SECOND[:seeds]])
    table = pd.DataFrame({"seed": [*range(seeds)] * 2, "network": np.repeat(["a", "b"], seeds), "right": right})
    loaded = dabest.load(table, idx=("a", "b"), x="network", y="right", paired="baseline", id_col="seed", **kwargs)
    return float(loaded.mean_diff.results["pvalue_permutation"].iloc[0])


def exact(first: np.ndarray, second: np.ndarray) -> float:
    def difference(x, y, axis):
        return np.mean(x, axis=axis) - np.mean(y, axis=axis)

    test = permutation_test((first, second), difference, permutation_type="samples", vectorized=True, n_resamples=10_000)
    return float(test.pvalue)


for seeds in (3, 4, 5):
    plain, adjusted, least = told(seeds), told(seeds, ps_adjust=True), exact(FIRST[:seeds], SECOND[:seeds])
    print(f"  {seeds} seeds, all better: dabest {plain}   ps_adjust=True {adjusted:.0e}   scipy, all swaps {least:.3f}")
    assert least == 2 / 2**seeds
    assert plain == 0 and adjusted < 1e-6, "the behaviour has changed"
rng = np.random.default_rng(0)
for seeds in (3, 4):
    found = {"counts": [], "fractions": [], "scipy": []}
    for _ in range(200):
        first, second = rng.binomial(3589, 0.57, (2, seeds))
        for name, times in (("counts", 1), ("fractions", 1 / 3589)):
            test = dabest.PermutationTest(
                first * times, second * times, "mean_diff", is_paired="baseline", permutation_count=200
            )
            found[name].append(test.pvalue < 0.05)
        found["scipy"].append(exact(first, second) < 0.05)
    share = {name: np.mean(hits) for name, hits in found.items()}
    print(
        f"  two equal networks, {seeds} seeds, 200 times: p < .05 in {share['counts']:.0%} by dabest, of fractions in "
        f"{share['fractions']:.0%}; in {share['scipy']:.0%} by scipy"
    )
    assert share["scipy"] == 0
    assert share["counts"] > 0.07 and share["fractions"] > 0.02, "the behaviour has changed"
EOF
