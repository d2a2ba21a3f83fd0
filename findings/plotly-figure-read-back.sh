#!/usr/bin/env bash
# A figure that was saved and read again holds no numbers.
#
# Guess: pio.from_json(fig.to_json()) gives back the arrays, as it did.
# Seen, plotly 7.1.0 with numpy 2.4.6, Python 3.11; a curve of .1, .2, .3 from a numpy array:
#   before: ndarray, largest value 0.3
#   after:  dict of ['bdata', 'dtype'], its max() is 'dtype'
#   from a list instead of an array: tuple, largest value 0.3
# Arrays are written as base64 and never decoded in Python; only the browser's script does.
# Since: 6.0.0 (pull request 4470, base64 encoding of typed arrays); in 5.24.1 it is a tuple (run).
# Source: _plotly_utils/utils.py, to_typed_array_spec; no counterpart in plotly/io/_json.py, from_json;
#   plotly.py issues 5124 and 5340 (open).
# Bitten: who keeps figures as JSON beside a study and later takes a curve's best epoch, or joins two
#   figures; no error: max() of the dict answers with a word. Hand lists over to be safe.
set -euo pipefail
sed -n '2,/^set /{/^set /!s/^# \{0,1\}//p}' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${FINDINGS_PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile plotly==7.1.0 numpy==2.4.6
cd "$work"
echo "Now:"
venv/bin/python - <<'EOF'
import numpy as np
import plotly.graph_objects as go
import plotly.io as pio


def again(values):
    return pio.from_json(go.Figure(go.Scatter(y=values)).to_json()).data[0].y


array = np.array([0.1, 0.2, 0.3])
before, after, listed = go.Figure(go.Scatter(y=array)).data[0].y, again(array), again(array.tolist())
print(f"  before: {type(before).__name__}, largest value {max(before)}")
print(f"  after:  {type(after).__name__} of {sorted(after)}, its max() is {max(after)!r}")
print(f"  from a list instead of an array: {type(listed).__name__}, largest value {max(listed)}")
assert isinstance(after, dict) and max(after) == "dtype", "the behaviour has changed"
assert max(listed) == 0.3, "the behaviour has changed"
EOF
