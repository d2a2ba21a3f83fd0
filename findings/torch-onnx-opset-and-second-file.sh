#!/usr/bin/env bash
# torch.onnx.export writes another opset than was asked for, and two files of which one can't be renamed.
#
# Takes long: torch's default build brings CUDA, some 5 GB to install.
#
# Guess: opset_version=17 gives opset 17 or an error; a network of 143 parameters is one file.
# Seen, torch 2.14.1, onnx 1.23.2, onnxscript 0.7.2, onnxruntime 1.32.0, Python 3.11; a convolution,
# a mean over pixels and a linear layer:
#   asked for 17, written 18; a Python warning says so: False
#   files: net.onnx, net.onnx.data
#   best.onnx, the first renamed: does not load (External data path does not exist)
#   with external_data=False: one file, loads under any name
# Of the opset the log on standard error tells: "Failed to convert the model to the target version 17
# ... The model was not modified"; the call returns as if all were well.
# Since: the exporter is the default since torch 2.9 (dynamo=True); external_data is true by default.
# Source: torch/onnx/__init__.py, export (arguments opset_version, external_data).
# Bitten: who exports a network for a runtime that ends at opset 17, and who copies best.onnx to where it
#   is used.
set -euo pipefail
sed -n '2,/^set /{/^set /!s/^# \{0,1\}//p}' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${FINDINGS_PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile torch==2.14.1 onnx==1.23.2 onnxscript==0.7.2 onnxruntime==1.32.0
cd "$work"
echo "Now:"
venv/bin/python - <<'EOF'
import contextlib
import io
import os
import warnings

import onnx
import onnxruntime
import torch


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.head = torch.nn.Conv2d(1, 8, 3), torch.nn.Linear(8, 7)

    def forward(self, x):
        return self.head(self.conv(x).mean((2, 3)))


def export(path: str, **how) -> list[str]:
    """The warnings that came with it."""
    with warnings.catch_warnings(record=True) as told, contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("always")
        torch.onnx.export(Net().eval(), (torch.rand(1, 1, 8, 8),), path, verbose=False, **how)
    return [str(w.message) for w in told]


def loads(path: str) -> str:
    try:
        onnxruntime.InferenceSession(path)
        return "loads"
    except Exception as error:
        return "External data" if "External data" in str(error) else str(error)


told = export("net.onnx", opset_version=17)
written = onnx.load("net.onnx").opset_import[0].version
warned = any("opset" in line.lower() for line in told)
files = sorted(name for name in os.listdir(".") if name.startswith("net"))
os.mkdir("elsewhere")
os.rename("net.onnx", "elsewhere/best.onnx")
renamed = loads("elsewhere/best.onnx")
export("whole.onnx", external_data=False)
os.rename("whole.onnx", "elsewhere/whole.onnx")
whole = loads("elsewhere/whole.onnx")
print(f"  asked for 17, written {written}; a Python warning says so: {warned}")
print("  files:", ", ".join(files))
print("  best.onnx, the first renamed:", renamed)
print("  with external_data=False:", whole)
assert (written, warned, files) == (18, False, ["net.onnx", "net.onnx.data"]), "changed"
assert (renamed, whole) == ("External data", "loads"), "the behaviour has changed"
EOF
