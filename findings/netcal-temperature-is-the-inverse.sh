#!/usr/bin/env bash
# TemperatureScaling.temperature of netcal is .5 where the temperature is 2.
#
# Takes long: torch's default build brings CUDA, some 5 GB to install.
#
# Guess: "s / T with the temperature T", says the class; the getter "for temperature of temperature scaling" gives that T.
# Seen, netcal 1.4.0, torch 2.13.0 (CPU), Python 3.11; 4,000 answers in seven classes, whose logits are twice too large:
#   temperature of the least loss 2.002, scaling.temperature 0.499
#   as they are:                     confidence - accuracy +0.191, calibration error 0.191
#   scaling.transform:               confidence - accuracy +0.001, calibration error 0.018
#   logits / 2:                      confidence - accuracy +0.001, calibration error 0.018
#   logits / scaling.temperature:    confidence - accuracy +0.305, calibration error 0.305
# It is what the logits are multiplied by. transform() is right; who takes the number out and divides by it doubles the
# fault instead of taking it away.
# Since: 1.2.1 or before (read: the same getter). Issue 13 (2021) asked why the code multiplies; the answer was that a
#   weight 1 / T is learned. The documentation has T only.
# Source: netcal/scaling/TemperatureScaling.py: temperature returns self.weights; LogisticCalibration.py, model:
#   torch.mul(x, w).
# Bitten: who writes the temperature into a paper ("T = .5, so it is not sure enough") or into an exported network.
#   1 / scaling.temperature is T.
set -euo pipefail
sed -n '2,/^set /{/^set /!s/^# \{0,1\}//p}' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${FINDINGS_PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile netcal==1.4.0 pyro-ppl==1.9.2 torch==2.13.0 numpy==2.4.6 scipy==1.17.1
cd "$work"
echo "Now:"
venv/bin/python - <<'EOF' 2>log || { cat log; exit 1; }
import numpy as np
from netcal.metrics import ECE
from netcal.scaling import TemperatureScaling
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax

rng = np.random.default_rng(0)
label = rng.integers(0, 7, 4000)
logits = rng.normal(size=(4000, 7))
logits[np.arange(4000), label] += 1.5
logits *= 2 * 1.5  # 1.5 would be right: the classes' normals are 1.5 apart


def loss(temperature: float) -> float:
    return -log_softmax(logits / temperature, axis=1)[np.arange(4000), label].mean()


def told(name: str, probability: np.ndarray) -> tuple[float, float]:
    """Mean confidence less accuracy, and the calibration error."""
    over = probability.max(1).mean() - (probability.argmax(1) == label).mean()
    error = ECE(15).measure(probability, label)
    print(f"  {name:32} confidence - accuracy {over:+.3f}, calibration error {error:.3f}")
    return float(over), float(error)


scaling = TemperatureScaling().fit(softmax(logits, axis=1), label)
temperature = minimize_scalar(loss, bounds=(0.1, 10), method="bounded").x
got = scaling.temperature.item()
print(f"  temperature of the least loss {temperature:.3f}, scaling.temperature {got:.3f}")
seen = [
    told("as they are:", softmax(logits, axis=1)),
    told("scaling.transform:", scaling.transform(softmax(logits, axis=1))),
    told("logits / 2:", softmax(logits / temperature, axis=1)),
    told("logits / scaling.temperature:", softmax(logits / got, axis=1)),
]
as_is, transformed, by_hand, divided = seen
assert abs(temperature - 2) < 0.1 and abs(transformed[0] - by_hand[0]) < 0.01, "these were right"
assert abs(got - 1 / temperature) < 0.01, "the behaviour has changed"
assert divided[0] > as_is[0] + 0.03, "the behaviour has changed"
EOF
