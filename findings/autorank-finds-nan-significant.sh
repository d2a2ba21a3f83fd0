#!/usr/bin/env bash
# autorank reports a significant difference wherever one value is NaN.
#
# Guess: of ten paired results, one of which is NaN, it leaves out that pair, or that network, or raises.
# Seen, autorank 1.3.0, scipy 1.17.1, pandas 3.1.1, numpy 2.4.6, Python 3.11; three networks whose ten
# accuracies are of one normal distribution (mean .60, deviation .01), for the seeds 0, 3 and 4:
#   complete:      p = 0.741, 1.000, 0.560; failed to reject, no significant difference, three times
#   one run NaN:   p = nan, nan, nan; "We reject the null hypothesis (p=nan)", significant, three times
# Mean ranks are then of nine runs for one network and of ten for the others, and no word tells of it.
# Since: unknown.
# Source: autorank/autorank.py, create_report: "if result.pvalue >= result.alpha: ... failed to reject,
#   else: reject", which is False for NaN; autorank() nowhere looks for NaN.
# Bitten: who compares networks over seeds or data sets, of which one diverged, and copies the report.
set -euo pipefail
sed -n '2,/^set /{/^set /!s/^# \{0,1\}//p}' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${FINDINGS_PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile autorank==1.3.0 scipy==1.17.1 pandas==3.1.1 numpy==2.4.6
cd "$work"
echo "Now:"
venv/bin/python - <<'EOF' 2>log || { cat log; exit 1; }
import contextlib
import io

import numpy as np
import pandas as pd
from autorank import autorank, create_report

NETWORKS = ["alexnet", "resnet34", "cbam"]


def told(accuracies: pd.DataFrame) -> tuple[float, bool]:
    """The p-value, and whether the report calls the difference significant."""
    report = io.StringIO()
    with contextlib.redirect_stdout(report):
        result = autorank(accuracies)
        create_report(result)
    text = report.getvalue()
    significant = "there is a statistically significant difference" in text
    assert significant != ("there is no statistically significant difference" in text), text
    assert not significant or f"We reject the null hypothesis (p={result.pvalue:.3f})" in text, text
    return result.pvalue, significant


seen = {"complete:": [], "one run NaN:": []}
for seed in (0, 3, 4):
    accuracies = pd.DataFrame(np.random.default_rng(seed).normal(0.6, 0.01, (10, 3)), columns=NETWORKS)
    seen["complete:"].append(told(accuracies))
    accuracies.loc[3, "resnet34"] = np.nan
    seen["one run NaN:"].append(told(accuracies))
for name, of in seen.items():
    words = ["significant" if significant else "no difference" for _, significant in of]
    print(f"  {name:14} p = {', '.join(f'{p:.3f}' for p, _ in of)}; {', '.join(words)}")
complete, missing = seen.values()
assert all(p > 0.05 and not significant for p, significant in complete), "complete runs are told otherwise"
assert all(np.isnan(p) and significant for p, significant in missing), "the behaviour has changed"
EOF
