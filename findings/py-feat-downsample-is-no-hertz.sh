#!/usr/bin/env bash
# py-feat's Fex.downsample(10) makes one row of ten and calls that 10 Hz.
#
# Guess: downsample(target), "target sampling frequency in Hz" by its docstring, gives so many rows a second.
# Seen, py-feat 2.1.5, torch 2.14.1, pandas 3.1.1, numpy 2.4.6, scipy 1.17.1, Python 3.11; a face that smiles each four seconds,
# filmed for a minute; seconds and smiles by the sampling_freq that the result has; a low-pass (clean) of .49 Hz behind it:
#   60 s with 15 smiles (0.25 a second)    rows  seconds  smiles/s  left by a low-pass
#   30 Hz as it is                         1800     60.0     0.250      1.00
#   30 Hz downsample(10)                    180     18.0     0.833      0.00
#   30 Hz downsample(1)                    1800   1800.0     0.008      1.00
#   30 Hz downsample(10, target_type="hz")  600     60.0     0.250      1.00
#   25 Hz downsample(10)                    150     15.0     1.000      0.00
#   60 Hz downsample(10)                    360     36.0     0.417      0.83
# So three clips of a minute, all brought to "10 Hz", are 15, 18 and 36 s long, and the filter behind it takes away the smiles.
# Since: 2.0.0, whose docstring says hertz for the first time (read; 2.1.5 run). 0.6.2 had the same lines and told "typically in
#   samples not seconds", so that its mark was wrong and its docstring right. No issue told it when we looked (November 2026).
# Source: feat/data.py, Fex.downsample: hands target on to feat/utils/stats.py, downsample(..., target_type="samples"), and
#   sets sampling_freq = target. upsample of the same class has target_type="hz" and is right.
# Bitten: who brings clips of 25, 30 and 60 frames a second to one rate, or thins them out before a filter or wavelets.
#   downsample(10, target_type="hz").
set -euo pipefail
sed -n '2,/^set /{/^set /!s/^# \{0,1\}//p}' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${FINDINGS_PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile py-feat==2.1.5 torch==2.14.1 torchvision==0.29.1 torchcodec==0.17.0 pandas==3.1.1 numpy==2.4.6 scipy==1.17.1
cd "$work"
echo "Now:"
venv/bin/python - <<'EOF' 2>log || { cat log; exit 1; }
import numpy as np
import pandas as pd
from feat import Fex
from scipy.signal import periodogram

SECONDS, SMILES = 60, 0.25  # a smile each four seconds


def clip(rate: int) -> Fex:
    at = np.arange(SECONDS * rate) / rate
    happiness = 0.5 + 0.4 * np.sin(2 * np.pi * SMILES * at)
    frames = pd.DataFrame({"happiness": happiness, "neutral": 1 - happiness})
    return Fex(frames, emotion_columns=list(frames), sampling_freq=rate)


def told(fex: Fex) -> tuple[int, float, float, float]:
    """Rows, seconds and smiles a second by its sampling_freq, and what a low-pass of .5 Hz leaves of the smiles."""
    frequency, power = periodogram(fex["happiness"].to_numpy() - 0.5, fs=fex.sampling_freq)
    smooth = fex.clean(detrend=False, standardize=False, low_pass=0.49)["happiness"]
    middle = smooth.iloc[len(fex) // 4 : -len(fex) // 4]
    return len(fex), len(fex) / fex.sampling_freq, frequency[power.argmax()], (middle.max() - middle.min()) / 0.8


print(f"  {SECONDS} s with {SMILES * SECONDS:.0f} smiles ({SMILES} a second)    rows  seconds  smiles/s  left by a low-pass")
seen = {}
for rate in (30, 25, 60):
    fex = clip(rate)
    ways = [("downsample(10)", fex.downsample(10))]
    if rate == 30:
        ways = [("as it is", fex), *ways, ("downsample(1)", fex.downsample(1))]
        ways.append(('downsample(10, target_type="hz")', fex.downsample(10, target_type="hz")))
    for name, one in ways:
        seen[rate, name] = told(one)
        print(f"  {rate} Hz {name:33}{{:4}}  {{:7.1f}}  {{:8.3f}}  {{:8.2f}}".format(*seen[rate, name]))
assert seen[30, "as it is"][1:3] == (60, 0.25) and seen[30, 'downsample(10, target_type="hz")'][0] == 600, "these were right"
assert [seen[rate, "downsample(10)"][0] for rate in (25, 30, 60)] == [150, 180, 360], "the behaviour has changed"
assert seen[30, "downsample(1)"][:2] == (1800, 1800), "the behaviour has changed"
EOF
