#!/usr/bin/env bash
# The last convolutions of a ResNet on small images take most of a step, and a matrix product a tenth of it.
#
# Takes long: torch's default build brings CUDA, some 5 GB to install.
#
# Guess: a convolution costs its multiply-adds; on maps of one or two pixels a 3 x 3 kernel of 512
#   channels is cheap, and no line of Python makes it faster.
# Seen, torch 2.14.1 with oneDNN 3.12, Python 3.11, one thread of an Intel Xeon with AVX-512 and AMX; the
# gradient of the weights of 512 -> 512 channels, batch 32, channels-last, float32, medians of 9:
#   on 1 x 1 pixel: torch 20.6 ms, as a product 0.7 ms (28 times)
#   on 2 x 2 pixels: torch 22.7 ms, as a product 6.5 ms (3.5 times)
# On one pixel only the kernel's middle meets anything: the product is one of (512, 32) and (32, 512), and
# the other eight ninths of the gradient are zeros. With AVX2 alone, and in bfloat16, it is alike or worse.
# Such maps are what ResNet-34 with its usual stem has at 32 x 32 pixels: stage 3 has 2 x 2, stage 4 1 x 1.
# Since: not known; seen in 2.14.1 alone.
# Source: torch.backends.mkldnn.verbose names the kernels (jit:avx512_core backward_weights).
# Bitten: who trains a network for photographs on small faces, digits or CIFAR on a CPU.
set -euo pipefail
sed -n '2,/^set /{/^set /!s/^# \{0,1\}//p}' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${FINDINGS_PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile torch==2.14.1 numpy==2.4.6
cd "$work"
echo "Now:"
OMP_NUM_THREADS=1 venv/bin/python - <<'EOF'
import time
from statistics import median

import torch

torch.manual_seed(0)
last = {"memory_format": torch.channels_last}
weight = torch.randn(512, 512, 3, 3).contiguous(**last)


def milliseconds(run):
    run()
    found = []
    for _ in range(9):
        began = time.process_time()
        run()
        found.append(1000 * (time.process_time() - began))
    return median(found)


times = {}
for side, plural in ((1, ""), (2, "s")):
    x = torch.randn(32, 512, side, side).contiguous(**last)
    grad = torch.randn(32, 512, side, side).contiguous(**last)
    pixels, slopes = x.permute(0, 2, 3, 1), grad.permute(0, 2, 3, 1).reshape(-1, 512)

    def torchs():
        how = (None, [1, 1], [1, 1], [1, 1], False, [0, 0], 1, [False, True, False])
        return torch.ops.aten.convolution_backward(grad, x, weight, *how)[1]

    def product():
        if side == 1:
            found = torch.zeros_like(weight)
            found[:, :, 1, 1] = slopes.T @ pixels.reshape(-1, 512)
            return found
        padded = torch.nn.functional.pad(pixels, (0, 0, 1, 1, 1, 1))
        a, b, c, d = padded.stride()
        met = padded.as_strided((32, side, side, 3, 3, 512), (a, b, c, b, c, d))
        return (slopes.T @ met.reshape(-1, 9 * 512)).view(512, 3, 3, 512).permute(0, 3, 1, 2)

    torch.testing.assert_close(product(), torchs(), rtol=1e-3, atol=1e-3)
    theirs, ours = milliseconds(torchs), milliseconds(product)
    times[side] = theirs / ours
    print(
        f"  on {side} x {side} pixel{plural}: torch {theirs:.1f} ms, as a product {ours:.1f} ms "
        f"({times[side]:.1f} times)"
    )
assert times[1] > 4 and times[2] > 1.3, "the behaviour has changed"
EOF
