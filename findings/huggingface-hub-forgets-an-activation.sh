#!/usr/bin/env bash
# A network saved with huggingface_hub's PyTorchModelHubMixin comes back with ReLU where it had ELU, and says nothing.
#
# Guess: save_pretrained writes what __init__ was given, and from_pretrained builds that network again; what can't be
# written raises.
# Seen, huggingface_hub 2.4.0, safetensors 0.8.0, torch 2.14.1, pandas 3.1.1, Python 3.11; a network whose __init__ takes
# activation=nn.ReLU, dilation=1 and dropout=0.5, made with a layer's class, and from a row of hyperparameters:
#   given                     config.json says  comes back with  answers that differ, of 1,000
#   activation=nn.ELU         nothing           ReLU             64
#   dilation=numpy.int64(2)   1                 1                21
#   dilation=int(2)           2                 2                0
# Arguments that json doesn't take are left out of what is written, without a word, and the default stands there if json
# takes that. The weights have the same shapes, so they load with strict=True. Whole numbers of pandas and numpy are such
# arguments (numpy.int64), fractions are not (numpy.float64 is a float): of one row the dropout is kept, the dilation not.
# Since: pull request 2079 of 2024, "so that reloaded model have exact same config".
# Source: huggingface_hub/hub_mixin.py, ModelHubMixin.__new__: for key, value ... if instance._is_jsonable(value).
# Bitten: who publishes the best network of a search with the hyperparameters of its row, or one that takes a layer as an
#   argument. int(row["dilation"]); for classes the argument `coders`.
set -euo pipefail
sed -n '2,/^set /{/^set /!s/^# \{0,1\}//p}' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${FINDINGS_PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile huggingface_hub==2.4.0 safetensors==0.8.0 torch==2.14.1 pandas==3.1.1 numpy==2.4.6
cd "$work"
export HF_HUB_OFFLINE=1 HF_HOME="$work/hub" OMP_NUM_THREADS=1
echo "Now:"
venv/bin/python -W error - <<'EOF' 2>log || { cat log; exit 1; }
import json

import pandas as pd
import torch
from huggingface_hub import PyTorchModelHubMixin
from torch import nn


class Net(nn.Module, PyTorchModelHubMixin):
    def __init__(self, width: int = 16, dilation: int = 1, dropout: float = 0.5, activation: type = nn.ReLU):
        super().__init__()
        self.first = nn.Conv2d(1, width, 3, padding="same")
        self.second = nn.Conv2d(width, width, 3, padding="same", dilation=int(dilation))
        self.activation, self.dropout = activation(), nn.Dropout(dropout)
        self.classes = nn.Linear(width, 7)

    def forward(self, faces: torch.Tensor) -> torch.Tensor:
        seen = self.activation(self.second(self.activation(self.first(faces))))
        return self.classes(self.dropout(seen.mean((2, 3))))


def again(folder: str, **given) -> tuple[dict, Net, int]:
    """What of a network is written, the network that is read, and how many of 1,000 answers are another."""
    torch.manual_seed(0)
    saved = Net(**given).eval()
    for parameter in saved.parameters():  # answers that are not all of one class
        nn.init.normal_(parameter)
    saved.save_pretrained(folder)
    with open(f"{folder}/config.json") as file:
        written = json.load(file)
    read = Net.from_pretrained(folder, strict=True)
    faces = nn.functional.interpolate(torch.randn(1000, 1, 6, 6), size=24, mode="bilinear")
    with torch.no_grad():
        return written, read, int((saved(faces).argmax(1) != read(faces).argmax(1)).sum())


def told(given: str, written: object, read: str, differ: int) -> None:
    print(f"  {given:24}  {written!s:16}  {read:15}  {differ}")


trials = pd.DataFrame({"dilation": [1, 2, 3], "dropout": [0.2, 0.3, 0.4]})
dilation, dropout = trials.dilation.iloc[1], trials.dropout.iloc[1]  # numpy.int64, numpy.float64
told("given", "config.json says", "comes back with", "answers that differ, of 1,000")
written, read, differ = again("layer", activation=nn.ELU)
told("activation=nn.ELU", written.get("activation", "nothing"), type(read.activation).__name__, differ)
assert "activation" not in written and isinstance(read.activation, nn.ReLU), "the behaviour has changed"
assert differ > 10
written, read, differ = again("row", dilation=dilation, dropout=dropout)
told("dilation=numpy.int64(2)", written["dilation"], f"{read.second.dilation[0]}", differ)
assert written["dilation"] == 1 and read.second.dilation == (1, 1), "the behaviour has changed"
assert written["dropout"] == 0.3 and read.dropout.p == 0.3 and differ > 10
written, read, differ = again("int", dilation=int(dilation), dropout=dropout)
told("dilation=int(2)", written["dilation"], f"{read.second.dilation[0]}", differ)
assert written["dilation"] == 2 and read.second.dilation == (2, 2) and differ == 0
EOF
