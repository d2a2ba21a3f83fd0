#!/usr/bin/env bash
# A process's first optimiser imports torch's compiler, also where nothing is compiled.
#
# Takes long: torch's default build brings CUDA, some 5 GB to install.
#
# Guess: torch.optim.SGD(parameters) makes an object; torch is imported, what more could it load?
# Seen, torch 2.14.1, Python 3.11, Linux:
#   import torch: torch._dynamo loaded: False
#   torch.optim.SGD([w], lr=.1): torch._dynamo loaded: True, 893 modules and 164 MiB more, 7.9 s of a core
#     (2.3 s where Python has compiled them before)
#   a second optimiser: 0 modules more
#   batch normalisation on the meta device, in a process of its own: torch._dynamo loaded: True
# The methods of the optimisers are wrapped so that torch.compile leaves them out (_disable_dynamo), and
# the wrapper imports torch._dynamo, with sympy, at the first call of any of them: add_param_group, which
# the constructor calls. What a norm's shapes are worked out by on "meta" is in the compiler's package too.
# Since: not traced; the wrapper imports when it is called, to avoid a circle of imports (its docstring).
# Source: torch/_compile.py (_disable_dynamo), torch/optim/optimizer.py.
# Bitten: who trains many small networks in processes of their own (a search's workers, tests, cloud
#   functions): each pays it before its first step, in time and in memory.
set -euo pipefail
sed -n '2,/^set /{/^set /!s/^# \{0,1\}//p}' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${FINDINGS_PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile torch==2.14.1 numpy==2.4.6
cd "$work"
echo "Now:"
venv/bin/python - <<'EOF'
import resource
import sys
import time

import torch


def loaded():
    return "torch._dynamo" in sys.modules


before, mib = len(sys.modules), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(f"  import torch: torch._dynamo loaded: {loaded()}")
assert not loaded(), "the behaviour has changed"
w, began = torch.zeros(1, requires_grad=True), time.process_time()
torch.optim.SGD([w], lr=0.1)
spent, more = time.process_time() - began, len(sys.modules) - before
grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024 - mib
print(
    f"  torch.optim.SGD([w], lr=.1): torch._dynamo loaded: {loaded()}, {more} modules and "
    f"{grown:.0f} MiB more, {spent:.1f} s of a core"
)
assert loaded() and more > 400, "the behaviour has changed"
before = len(sys.modules)
torch.optim.AdamW([w], lr=0.1)
print(f"  a second optimiser: {len(sys.modules) - before} modules more")
EOF
venv/bin/python - <<'EOF'
import sys

import torch

with torch.device("meta"):
    torch.nn.BatchNorm2d(2)(torch.zeros(2, 2, 4, 4))
print("  batch normalisation on the meta device, in a process of its own: torch._dynamo loaded:",
      "torch._dynamo" in sys.modules)
assert "torch._dynamo" in sys.modules, "the behaviour has changed"
EOF
