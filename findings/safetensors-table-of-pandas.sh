#!/usr/bin/env bash
# A pandas table written with safetensors.numpy comes back with its values in other places.
#
# Guess: what save_file takes is what load_file gives; an array that it can't keep is refused, as
# safetensors.torch refuses a tensor that isn't contiguous.
# Seen, Python 3.11, numpy 2.4.6, pandas 3.1.1; 2,000 rows of seven probabilities, DataFrame.to_numpy(),
# the class of the largest compared before and after:
#   safetensors 0.8.0: shape and sum the same, largest class the same in .14 of the rows, rows' sums .2 to 2.5
#   safetensors 0.7.0: largest class the same in 1.00 of the rows, rows' sums 1.0 to 1.0
# pandas keeps columns together, so to_numpy() is in Fortran's order, as are what PCA gives, a transposed
# weight and a weight of torch in channels_last seen as numpy. np.ascontiguousarray mends it.
# Since: safetensors 0.8.0 (2026), the newest; known there as issue 825 and mended in its repository since.
# Source: safetensors/numpy.py, _flatten: passes the array's address and number of bytes, where 0.7.0 called
#   tobytes(), which writes C's order. The docstring asks for contiguous arrays, and nothing looks.
# Bitten: who keeps answers, embeddings or weights in safetensors: no error, the right shape and range,
#   and a network of chance accuracy.
set -euo pipefail
sed -n '2,/^set /{/^set /!s/^# \{0,1\}//p}' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${FINDINGS_PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile safetensors==0.8.0 numpy==2.4.6 pandas==3.1.1
cd "$work"
cat >keep.py <<'EOF'
import sys

import numpy as np
import pandas as pd
import safetensors
from safetensors.numpy import load_file, save_file

classes = ["angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"]
answers = np.random.default_rng(0).dirichlet(np.ones(7), 2000)
table = pd.DataFrame(answers, columns=classes)
save_file({"answers": table.to_numpy()}, "answers.safetensors")
read = load_file("answers.safetensors")["answers"]
assert read.shape == answers.shape and np.isclose(read.sum(), answers.sum()), "the values are others"
same = (read.argmax(1) == answers.argmax(1)).mean()
sums = read.sum(1)
print(f"  safetensors {safetensors.__version__}: largest class the same in {same:.2f} of the rows,", end=" ")
print(f"rows' sums {sums.min():.1f} to {sums.max():.1f}")
kept = np.array_equal(read, answers)
assert kept == (sys.argv[1] == "kept"), "the behaviour has changed"
save_file({"answers": np.ascontiguousarray(table)}, "answers.safetensors")
assert np.array_equal(load_file("answers.safetensors")["answers"], answers), "ascontiguousarray does not help"
EOF
echo "Now:"
venv/bin/python keep.py moved
venv/bin/pip install --quiet --no-compile safetensors==0.7.0
venv/bin/python keep.py kept
