#!/usr/bin/env bash
# torch-uncertainty's SWA counts the first network twice.
#
# Takes long: torch's default build brings CUDA, some 5 GB to install.
#
# Guess: SWA is the mean of the weights at the ends of the cycles, as in the paper that it cites and as torch's AveragedModel.
# Seen, torch-uncertainty 0.13.0, lightning 2.6.6, torch 2.14.1 (CPU), numpy 2.4.6, Python 3.11; a weight that is 10, 20, 30, 40
# and 50 at the ends of five epochs, and the share of the first network, which is the least trained one:
#   networks    SWA    torch's AveragedModel    share of the first by SWA
#          1  10.00                    10.00                        1.000
#          2  13.33                    15.00                        0.667
#          3  17.50                    20.00                        0.500
#          4  22.00                    25.00                        0.400
#          5  26.67                    30.00                        0.333
# The first update copies the network, sets the count to 1 and then adds 1 as every update does: the second divides by 3. So
# two networks are averaged by 2 to 1, five as if they were six. torch-uncertainty's SWAG has a count of its own and is right
# (read). No warning.
# Since: 0.5.2 at the latest (read: the same lines in 0.5.2, 0.6.0, 0.7.0, 0.8.0 and 0.9.0). No issue found (November 2026).
# Source: torch_uncertainty/methods/swa.py, SWA.update_wrapper.
# Bitten: who averages the last few epochs, or compares SWA of several lengths or with torch's own: the shorter the average, the
#   more of it is the network at its beginning.
set -euo pipefail
sed -n '2,/^set /{/^set /!s/^# \{0,1\}//p}' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${FINDINGS_PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile "torch-uncertainty[cpu]==0.13.0" lightning==2.6.6 torch==2.14.1 numpy==2.4.6
cd "$work"
echo "Now:"
venv/bin/python - <<'EOF' 2>log || { cat log; exit 1; }
import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel
from torch_uncertainty.methods import SWA


def average_of(values):
    """The average by torch-uncertainty and that by torch of a weight that takes these values."""
    net = nn.Linear(1, 1, bias=False)
    swa, own = SWA(net, cycle_start=0, cycle_length=1), AveragedModel(net)
    for epoch, value in enumerate(values):
        net.weight.data.fill_(value)
        swa.update_wrapper(epoch)
        own.update_parameters(net)
    image = torch.ones(1, 1)
    with torch.no_grad():
        return swa.eval()(image).item(), own(image).item()


print("  networks    SWA    torch's AveragedModel    share of the first by SWA")
for count in range(1, 6):
    swa, own = average_of([10.0 * (epoch + 1) for epoch in range(count)])
    share, _ = average_of([1.0] + [0.0] * (count - 1))
    print(f"  {count:8}{swa:7.2f}{own:25.2f}{share:29.3f}")
    assert abs(own - 5 * (count + 1)) < 1e-4, "this was right"
    assert abs(share - 2 / (count + 1)) < 1e-5, "the behaviour has changed"
EOF
