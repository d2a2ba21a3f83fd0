#!/usr/bin/env bash
# In Plotly's ECDF trials that have diverged are the best by one mode and the worst by another.
#
# Guess: px.ecdf leaves out NaN, as px.histogram and px.box do, or refuses it; and "share above .55" and
# "share of .55 and more" differ by the trials of .55.
# Seen, plotly 7.1.0 with pandas 3.1.1, Python 3.11; a search of 100 trials whose accuracies are .41 to .60,
# five trials each, and others with 100 and 300 more that have diverged (NaN), read from the figure's curve:
#                      half of the trials reach up to   above .55   .55 and more
#   ecdfmode=               standard                  complementary   reversed
#   without NaN:             0.50                            25%          30%
#   with 100 of NaN:         0.60                            62%          15%
#   with 300 of NaN:    no such place                        81%           8%
# The rows of NaN are sorted to the end, which is the upper one, but in "reversed" the lower one, and take part
# in the sum that all is divided by. Nothing is drawn of them and nothing said.
# Since: 5.3.0, when px.ecdf came (pull request 3330, 2021); 5.24.1 with pandas 2.2.3 gives the same (run).
# Source: plotly/express/_core.py, at "ecdfmode": sort(by=base, nulls_last=True), then cum_sum() and sum().
# Bitten: who compares searches or samplers of accuracies: by the default the one with more diverged trials
#   has the better curve. df.dropna(subset=...) mends it.
set -euo pipefail
sed -n '2,/^set /{/^set /!s/^# \{0,1\}//p}' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${FINDINGS_PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile plotly==7.1.0 pandas==3.1.1 numpy==2.4.6
cd "$work"
echo "Now:"
venv/bin/python - <<'EOF'
import numpy as np
import pandas as pd
import plotly.express as px

REACHED = [round(0.41 + 0.01 * step, 2) for step in range(20)] * 5


def curve(diverged, mode):
    table = pd.DataFrame({"accuracy": REACHED + [float("nan")] * diverged})
    trace = px.ecdf(table, x="accuracy", ecdfmode=mode).data[0]
    x, y = np.asarray(trace.x, float), np.asarray(trace.y, float)
    return x[~np.isnan(x)], y[~np.isnan(x)]  # what is drawn


def read(diverged):
    x, y = curve(diverged, "standard")
    half = x[y >= 0.5].min() if (y >= 0.5).any() else None
    x, y = curve(diverged, "complementary")
    above = y[x == 0.55].min()
    x, y = curve(diverged, "reversed")
    return half, round(float(above), 4), round(float(y[x == 0.55].max()), 4)


print("                     half of the trials reach up to   above .55   .55 and more")
print("  ecdfmode=               standard                  complementary   reversed")
seen = {diverged: read(diverged) for diverged in (0, 100, 300)}
for diverged, (half, above, reached) in seen.items():
    name = f"with {diverged} of NaN:" if diverged else "without NaN:"
    place = "no such place" if half is None else f"{half:.2f}"
    print(f"  {name:18}{place:^18}{above:>24.0%}{reached:>13.0%}")
assert seen[0] == (0.5, 0.25, 0.3), "the behaviour has changed"
assert seen[100] == (0.6, 0.625, 0.15) and seen[300] == (None, 0.8125, 0.075), "the behaviour has changed"
EOF
