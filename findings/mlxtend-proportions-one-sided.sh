#!/usr/bin/env bash
# mlxtend's test of two accuracies gives the better network p = .995 if it is named first, and two equal ones .5.
#
# Guess: proportion_difference, "the test statistic and p-value for a difference of proportions test", has the
# same p whichever network is named first, and 1 where they are equal.
# Seen, mlxtend 0.25.0, scipy 1.17.1, Python 3.11; accuracies of 3,589 images:
#   .60 and .57: z  2.58  p .9951    two-sided .0099
#   .57 and .60: z -2.58  p .0049    two-sided .0099
#   .57 and .59: z -1.72  p .0430    two-sided .0860
#   .58 and .58: z  0.00  p .5000    two-sided 1.0000
# Since: 2019 or before (read: the same line).
# Source: mlxtend/evaluate/proportion_difference.py: scipy.stats.norm.cdf(z), the chance of a smaller z. The user
#   guide speaks of a two-tailed test and of z beyond 1.96, and then calls z = -1.754, p = .040 significant.
# Bitten: who compares p with .05: the better network named first is never ahead, the worse one named first is
#   behind too easily. 2 * scipy.stats.norm.sf(abs(z)) is the two-sided p.
set -euo pipefail
sed -n '2,/^set /{/^set /!s/^# \{0,1\}//p}' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${FINDINGS_PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile mlxtend==0.25.0 scipy==1.17.1 numpy==2.4.6 pandas==3.0.6
cd "$work"
echo "Now:"
venv/bin/python - <<'EOF' 2>log || { cat log; exit 1; }
from mlxtend.evaluate import proportion_difference
from scipy.stats import norm

seen = {}
for first, second in ((0.60, 0.57), (0.57, 0.60), (0.57, 0.59), (0.58, 0.58)):
    z, p = proportion_difference(first, second, n_1=3589)
    seen[first, second] = float(p)
    told = f"z {z:5.2f}  p {p:.4f}    two-sided {2 * norm.sf(abs(z)):.4f}"
    print(f"  {first:.2f} and {second:.2f}: {told}".replace(" 0.", " .").replace("z  .00", "z  0.00"))
assert seen[0.60, 0.57] > 0.99 and seen[0.57, 0.60] < 0.01, "the behaviour has changed"
assert seen[0.57, 0.59] < 0.05 and seen[0.58, 0.58] == 0.5, "the behaviour has changed"
EOF
