#!/usr/bin/env bash
# ONNX's antialiased Resize gives other pixels along the border than Pillow and torch do.
#
# Guess: Resize with mode linear, antialias 1 and the default half_pixel is Pillow's BILINEAR, which
# torch's interpolate(antialias=True) follows too; without antialias the default is torch's bilinear
# everywhere, the border included.
# Seen, onnx 1.23.2, onnxruntime 1.32.0, Pillow 13.0.0, numpy 2.4.6, Python 3.11; 64 images of noise
# made from 48 to 32 pixels in float32, differences in grey levels of 255:
#   as it is by default: inside .00, in the outermost row and column up to 11.57
#   with exclude_outside=1: inside .00, in the outermost row and column up to .00
# The filter is wider than a pixel of the result, so at the border it reaches beyond the image. Pillow
# leaves out what lies there; Resize repeats the outermost pixel, unless it is told otherwise.
# Since: opset 18, where antialias came; exclude_outside is false by default since opset 11.
# Source: onnx/docs/Operators.md, Resize (antialias, exclude_outside); torch's own exporter sets
#   exclude_outside=1 and gives the same pixels.
# Bitten: who writes the resizing of photographs into an ONNX graph by hand; of a face at 32 pixels the
#   border is an eighth of the image.
set -euo pipefail
sed -n '2,/^set /{/^set /!s/^# \{0,1\}//p}' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${FINDINGS_PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile onnx==1.23.2 onnxruntime==1.32.0 pillow==13.0.0 numpy==2.4.6
cd "$work"
echo "Now:"
venv/bin/python - <<'EOF'
import numpy as np
import onnxruntime
from onnx import TensorProto, helper
from PIL import Image

FROM, TO, IMAGES = 48, 32, 64
noise = np.random.default_rng(0).integers(0, 256, (IMAGES, 1, FROM, FROM)).astype(np.float32)


def by_pillow() -> np.ndarray:
    one = [Image.fromarray(image[0]).resize((TO, TO), Image.BILINEAR) for image in noise]
    return np.stack([np.asarray(image) for image in one])[:, None]


def by_onnx(**how) -> np.ndarray:
    sizes = helper.make_tensor("sizes", TensorProto.INT64, [4], [IMAGES, 1, TO, TO])
    node = helper.make_node("Resize", ["x", "", "", "sizes"], ["y"], mode="linear", antialias=1, **how)
    given, made = (
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [IMAGES, 1, side, side])
        for name, side in (("x", FROM), ("y", TO))
    )
    graph = helper.make_graph([node], "resize", [given], [made], [sizes])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    return onnxruntime.InferenceSession(model.SerializeToString()).run(None, {"x": noise})[0]


def differences(made: np.ndarray) -> tuple[float, float]:
    """The largest inside, and in the outermost row and column."""
    apart = np.abs(made - by_pillow()).max(axis=(0, 1))
    inside = apart[1:-1, 1:-1].max()
    apart[1:-1, 1:-1] = 0
    return float(inside), float(apart.max())


default, excluded = differences(by_onnx()), differences(by_onnx(exclude_outside=1))
for name, (inside, border) in {"as it is by default": default, "with exclude_outside=1": excluded}.items():
    print(f"  {name}: inside {inside:.2f}, in the outermost row and column up to {border:.2f}")
assert max(default[0], *excluded) < 0.01, "inside, or with exclude_outside=1, they differ too"
assert default[1] > 5, "along the border they are the same by now"
EOF
