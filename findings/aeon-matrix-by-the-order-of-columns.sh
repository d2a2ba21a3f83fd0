#!/usr/bin/env bash
# aeon's multi-comparison matrix finds nothing significant where the better networks stand behind the worse ones.
#
# Guess: create_multi_comparison_matrix says of each pair of networks whether they differ, in whatever order the
# columns of the table stand; with higher_stat_better=False it says the same of errors.
# Seen, aeon 1.6.0, scipy 1.17.1, matplotlib 3.11.2, pandas 3.0.6, numpy 2.3.5, Python 3.11; accuracies on 15 data sets
# or folds, on all of which resnet is better than vgg and vgg than alexnet, by 3 points each; by hand, Wilcoxon's
# two-sided p is .00006 for each pair. All by default, resnet against alexnet:
#   columns alexnet, vgg, resnet: 15 of 15 won, p = 1.00000, not significant
#   columns resnet, vgg, alexnet: 15 of 15 won, p = 0.00003, significant
#   errors of resnet, vgg, alexnet, higher_stat_better=False: 15 of 15 won, p = 1.00000, not significant
#   errors, without correction: p = 1.00000; alexnet against resnet, 0 of 15 won, is significant, p = 0.00003
# Each cell holds the one-sided test of "row greater than column". The correction, which is on unless switched off
# (the docstring says None), takes the three p-values of the pairs in the order of the columns and writes them into the
# opposite cells too: p = 1 of "alexnet greater than resnet" for "resnet greater than alexnet". Of errors "greater"
# stays greater, so that without the correction the worse ones are marked.
# Since: 1.0.0 has it, by default since 1.4.0 (both read), 1.6.0 run. No issue found (November 2026).
# Source: aeon/visualisation/results/_mcm.py, _holms_correction (the last loop), _get_pairwise_content ("greater").
# Bitten: who compares networks or settings over data sets, folds or seeds by that matrix.
set -euo pipefail
sed -n '2,/^set /{/^set /!s/^# \{0,1\}//p}' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${FINDINGS_PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile aeon==1.6.0 scipy==1.17.1 matplotlib==3.11.2 pandas==3.0.6 numpy==2.3.5
cd "$work"
echo "Now:"
OMP_NUM_THREADS=1 venv/bin/python - <<'EOF' 2>log || { cat log; exit 1; }
import json

import matplotlib
import numpy as np
import pandas as pd
from scipy.stats import wilcoxon

matplotlib.use("Agg")
from aeon.visualisation import create_multi_comparison_matrix

rng = np.random.default_rng(0)
sets = rng.normal(0.6, 0.05, 15)
TABLE = pd.DataFrame({
    name: sets + gain + rng.normal(0, 0.01, 15) for name, gain in (("alexnet", 0), ("vgg", 0.03), ("resnet", 0.06))
})
PAIRS = ("vgg", "alexnet"), ("resnet", "alexnet"), ("resnet", "vgg")
print("  by hand, two-sided: p =", ", ".join(f"{wilcoxon(TABLE[a], TABLE[b]).pvalue:.5f}" for a, b in PAIRS))


def cells(title, table, **options):
    create_multi_comparison_matrix(table, save_path="./matrix", formats="json", **options)
    with open("matrix_analysis.json") as file:
        found = json.load(file)
    print(f"  {title}:")
    marked = []
    for better, worse in PAIRS:
        one, other = found[f"{better}-vs-{worse}"], found[f"{worse}-vs-{better}"]
        marked += [one["is-significant"], other["is-significant"]]
        print(
            f"    {better} against {worse}: {one['win']} of 15 won, p = {one['pvalue']:.5f}, "
            f"{'' if one['is-significant'] else 'not '}significant; the other way round p = {other['pvalue']:.5f}, "
            f"{'' if other['is-significant'] else 'not '}significant"
        )
    return marked


turned = TABLE[TABLE.columns[::-1]]
errors = {"higher_stat_better": False}
assert cells("alexnet, vgg, resnet", TABLE) == [False] * 6, "it has changed"
assert cells("resnet, vgg, alexnet", turned) == [True] * 6, "it has changed"
assert cells("errors of resnet, vgg, alexnet", 1 - turned, **errors) == [False] * 6, "it has changed"
plain = cells("errors, pvalue_correction=None", 1 - TABLE, pvalue_correction=None, **errors)
assert plain == [False, True] * 3, "it has changed"
plain = cells("alexnet, vgg, resnet, pvalue_correction=None", TABLE, pvalue_correction=None)
assert plain == [True, False] * 3, "this was right"
EOF
