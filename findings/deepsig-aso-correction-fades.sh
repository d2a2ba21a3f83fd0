#!/usr/bin/env bash
# The Bonferroni correction of deepsig's ASO test fades with the number of comparisons: with 45 there is hardly any.
#
# Guess: for 45 comparisons at a confidence level of .95 each is tested at 1 - .05 / 45 = .9989, and a bound only grows with
#   the number of comparisons.
# Seen, deepsig 1.2.8, scipy 1.17.1, numpy 2.4.6, pandas 3.1.1, Python 3.11; two networks of five seeds, .66 and .652 with a
# deviation of .01; the first is better if eps_min is below .5:
#   comparisons   level that its eps_min has   1 - .05 / n   eps_min   with 1 - .05 / n
#             1                        .9500         .9500      .319               .319
#             2                        .9750         .9750      .380               .380
#             3                        .9667         .9833      .356               .413
#            10                        .9550         .9950      .329               .500
#            45                        .9511         .9989      .321               .594
# The level is raised by (1 - level) / n, not to 1 - (1 - level) / n: the same for two comparisons, and the less the more
# there are.
# Since: 1.2.5 at the latest (read); 1.2.3, where the level was still given as .05, divided it, which is right (read).
#   No issue told it when we looked (November 2026).
# Source: deepsig/aso.py, aso and multi_aso: confidence_level += (1 - confidence_level) / num_comparisons.
# Bitten: who compares all pairs of some networks or settings with multi_aso, which corrects by default: ten networks are 45
#   comparisons. Give confidence_level=1 - .05 / n and use_bonferroni=False.
set -euo pipefail
sed -n '2,/^set /{/^set /!s/^# \{0,1\}//p}' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${FINDINGS_PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile deepsig==1.2.8 scipy==1.17.1 numpy==2.4.6 pandas==3.1.1
cd "$work"
echo "Now:"
venv/bin/python - <<'EOF' 2>log || { cat log; exit 1; }
import numpy as np
from deepsig import aso, multi_aso
from scipy.stats import norm

rng = np.random.default_rng(0)
better = 0.66 + 0.01 * rng.normal(size=5)
worse = 0.652 + 0.01 * rng.normal(size=5)


def bound(comparisons: int = 1, level: float = 0.95) -> float:
    how = {"num_bootstrap_iterations": 100, "seed": 1, "show_progress": False}
    return float(aso(better, worse, confidence_level=level, num_comparisons=comparisons, **how))


# eps_min = ratio + spread * norm.ppf(level): two levels tell both
low, high = bound(level=0.95), bound(level=0.99)
spread = (high - low) / (norm.ppf(0.99) - norm.ppf(0.95))
ratio = low - spread * norm.ppf(0.95)
print("  comparisons   level that its eps_min has   1 - .05 / n   eps_min   with 1 - .05 / n")
seen = {}
for many in (1, 2, 3, 10, 45):
    got, right = bound(many), bound(level=1 - 0.05 / many)
    had = norm.cdf((got - ratio) / spread)
    seen[many] = got, right
    print(f"  {many:11}  {had:27.4f}  {1 - 0.05 / many:12.4f}  {got:8.3f}  {right:17.3f}".replace(" 0.", "  ."))
scores = {f"network {i}": 0.65 + 0.01 * rng.normal(size=5) for i in range(10)}
how = {"num_bootstrap_iterations": 10, "seed": 1, "show_progress": False}
corrected = multi_aso(scores, **how)
by_hand = multi_aso(scores, use_bonferroni=False, confidence_level=0.95 + 0.05 / 45, **how)
print("  multi_aso of ten networks has the bounds of level .9511:", bool(np.allclose(corrected, by_hand)))
assert np.allclose(*seen[1]) and np.allclose(*seen[2]), "these were right"
assert seen[45][0] < seen[10][0] < seen[3][0] and seen[45][0] < 0.5 < seen[45][1], "the behaviour has changed"
assert np.allclose(corrected, by_hand), "the behaviour has changed"
EOF
