#!/usr/bin/env bash
# Static quantisation quantises a network's last Softmax too: many probabilities are then 0.
#
# Guess: quantize_static quantises weights and the activations between layers; what the graph gives is
# float32 and, after a Softmax, adds up to 1. Probabilities are as near to the float ones as accuracy is.
# Seen, onnxruntime 1.32.0, onnx 1.23.2, scikit-learn 1.9.1, numpy 2.4.6, Python 3.11; scikit-learn's
# digits with noise, a network of one hidden layer that overfits, calibrated on its training images:
#   float32:                     accuracy .538, log loss 1.84, probabilities of 0: .00, largest .99999
#   quantised:                   accuracy .550, log loss 3.90, probabilities of 0: .58, largest .99608
#   quantised, Softmax excluded: accuracy .550, log loss 1.84, probabilities of 0: .00, largest .99999
# (log loss with probabilities clipped at 2.2e-16.) The class seen is given exactly 0 for 66 of 898
# images, and rows add up to anything from .988 to 1.004: there are but 256 probabilities.
# Since: onnxruntime 1.13 (2022), when it learned to quantise Softmax (its pull request 12177).
# Source: onnxruntime/quantization/quantize.py, quantize_static: by default all types of registry.py,
#   Softmax among them; base_quantizer.py, adjust_tensor_ranges: its output is 0 to 1, in 8 bits.
# Bitten: who exports probabilities, as a classifier's graph gives them, and measures calibration, log
#   loss or conformal sets of the quantised network: of its error all but a trace is this one node.
#   nodes_to_exclude, or a graph that ends at the logits, mends it.
set -euo pipefail
sed -n '2,/^set /{/^set /!s/^# \{0,1\}//p}' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${FINDINGS_PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile onnx==1.23.2 onnxruntime==1.32.0 scikit-learn==1.9.1 numpy==2.4.6
cd "$work"
cat >quantise.py <<'EOF'
import warnings

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import CalibrationDataReader, quantize_static
from sklearn.datasets import load_digits
from sklearn.neural_network import MLPClassifier

warnings.simplefilter("ignore")
clean, digit = load_digits(return_X_y=True)
noise = np.random.default_rng(0).normal(0, 0.6, clean.shape)
images = (clean / 16 + noise).astype(np.float32)
train, test = slice(0, None, 2), slice(1, None, 2)
network = MLPClassifier((32,), random_state=0, max_iter=300).fit(images[train], digit[train])


class Images(CalibrationDataReader):
    def __init__(self):
        self.batches = iter([{"x": images[train]}])

    def get_next(self):
        return next(self.batches, None)


def write(path: str) -> None:
    held = {f"{kind}{i}": a for kind, of in (("w", network.coefs_), ("b", network.intercepts_)) for i, a in enumerate(of)}
    nodes = [
        helper.make_node("Gemm", ["x", "w0", "b0"], ["hidden"]),
        helper.make_node("Relu", ["hidden"], ["active"]),
        helper.make_node("Gemm", ["active", "w1", "b1"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["p"], name="softmax", axis=1),
    ]
    given, made = (helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", n]) for name, n in (("x", 64), ("p", 10)))
    weights = [numpy_helper.from_array(array.astype(np.float32), name) for name, array in held.items()]
    graph = helper.make_graph(nodes, "digits", [given], [made], weights)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10), path)


def answers(path: str) -> tuple[float, float, float, float]:
    p = onnxruntime.InferenceSession(path).run(None, {"x": images[test]})[0].astype(np.float64)
    of_truth = p[np.arange(len(p)), digit[test]]
    loss = -np.log(of_truth.clip(2.2e-16)).mean()
    return (p.argmax(1) == digit[test]).mean(), loss, (p == 0).mean(), p.max()


write("float.onnx")
quantize_static("float.onnx", "all.onnx", Images())
quantize_static("float.onnx", "some.onnx", Images(), nodes_to_exclude=["softmax"])
names = {"float32:": "float", "quantised:": "all", "quantised, Softmax excluded:": "some"}
seen = {name: answers(f"{path}.onnx") for name, path in names.items()}
for name, (accuracy, loss, zeros, largest) in seen.items():
    print(f"  {name:28} accuracy {accuracy:.3f}, log loss {loss:.2f}, probabilities of 0: {zeros:.2f}, largest {largest:.5f}")
plain, everything, some = seen.values()
assert abs(plain[0] - everything[0]) < 0.05 and abs(plain[1] - some[1]) < 0.1, "the rest differs too"
assert everything[1] > plain[1] + 1 and everything[2] > 0.3 > some[2], "Softmax stays as it is by now"
EOF
echo "Now:"
venv/bin/python quantise.py 2>log || { cat log; exit 1; }
