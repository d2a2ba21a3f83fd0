#!/usr/bin/env bash
# mapie's Spiegelhalter p-value finds a network that is too modest to be calibrated, the surer the more modest it is.
#
# Guess: spiegelhalter_p_value is "the probability of the observed statistic under the null hypothesis of perfect
# calibration", as kolmogorov_smirnov_p_value and kuiper_p_value beside it: small where the confidence is off, either way.
# Seen, mapie 1.6.0, scikit-learn 1.9.1, scipy 1.17.1, numpy 2.4.6, Python 3.11; 3,589 faces in seven classes:
#   p-value of the answers' confidence:  mean confidence  Spiegelhalter  two-sided  Kolmogorov-Smirnov  Kuiper
#     honest:                                      0.772       0.301111   0.602222            0.509614 0.363551
#     too sure, temperature .8:                    0.815       0.000000   0.000000            0.000000 0.000000
#     too modest, temperature 1.25:                0.721       1.000000   0.000000            0.000000 0.000000
#     label smoothing .1:                          0.709       1.000000   0.000000            0.000000 0.000000
#   accuracy 0.773; p < .05 in 200 test sets:  Spiegelhalter  two-sided
#     honest:                                            2.5%       4.5%
#     too sure, temperature .8:                        100.0%     100.0%
#     too modest, temperature 1.25:                      0.0%     100.0%
#     label smoothing .1:                                0.0%     100.0%
# Its statistic is about normal, above 0 where a network is too sure and below 0 where it is too modest (of confidences above
# .5). The p-value is 1 - cdf: that of the one side. It is 1 for what label smoothing, mixup, dropout left on, the mean of an
# ensemble or a temperature that is too high make, and who calls a network calibrated at p > .05 never finds them.
# Since: 0.7.0 has the same line, 0.6.5 no such test (read).
# Source: mapie/metrics/calibration.py, spiegelhalter_p_value: 1 - scipy.stats.norm.cdf(sp_stat). The docstring and the page
#   on the measures say nothing of a side.
# Bitten: who tests the calibration of networks with it, above all of those trained with label smoothing or mixup. Take
#   2 * scipy.stats.norm.sf(abs(spiegelhalter_statistic(...))).
set -euo pipefail
sed -n '2,/^set /{/^set /!s/^# \{0,1\}//p}' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${FINDINGS_PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile mapie==1.6.0 scikit-learn==1.9.1 scipy==1.17.1 numpy==2.4.6
cd "$work"
echo "Now:"
OMP_NUM_THREADS=1 venv/bin/python - <<'EOF' 2>log || { cat log; exit 1; }
import numpy as np
from mapie.metrics.calibration import (
    kolmogorov_smirnov_p_value,
    kuiper_p_value,
    spiegelhalter_p_value,
    spiegelhalter_statistic,
)
from scipy.stats import norm

FACES, SETS = 3589, 200
SHARES = [0.14, 0.02, 0.14, 0.25, 0.17, 0.11, 0.17]


def softmax(logits: np.ndarray) -> np.ndarray:
    raised = np.exp(logits - logits.max(axis=1, keepdims=True))
    return raised / raised.sum(axis=1, keepdims=True)


def test_set(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Logits of an honest network, and labels drawn by its probabilities."""
    chance = np.random.default_rng(seed)
    logits = chance.normal(0, 4, (FACES, 7)) + np.log(SHARES)
    return logits, (chance.random((FACES, 1)) > softmax(logits).cumsum(axis=1)).sum(axis=1)


NETWORKS = {
    "honest": lambda logits: softmax(logits),
    "too sure, temperature .8": lambda logits: softmax(logits / 0.8),
    "too modest, temperature 1.25": lambda logits: softmax(logits / 1.25),
    "label smoothing .1": lambda logits: 0.9 * softmax(logits) + 0.1 / 7,
}


def tests(probabilities: np.ndarray, labels: np.ndarray) -> tuple[float, ...]:
    confidence, right = probabilities.max(axis=1), (probabilities.argmax(axis=1) == labels).astype(int)
    both = 2 * norm.sf(abs(spiegelhalter_statistic(right, confidence)))
    spiegelhalter = spiegelhalter_p_value(right, confidence)
    others = (kolmogorov_smirnov_p_value(right, confidence), kuiper_p_value(right, confidence))
    return float(np.mean(right)), float(np.mean(confidence)), spiegelhalter, both, *others


logits, labels = test_set(0)
print("  p-value of the answers' confidence:  mean confidence  Spiegelhalter  two-sided  Kolmogorov-Smirnov  Kuiper")
seen = {}
for name, network in NETWORKS.items():
    accuracy, confidence, one, both, ks, kuiper = seen[name] = tests(network(logits), labels)
    print(f"    {name + ':':34} {confidence:15.3f} {one:14.6f} {both:10.6f} {abs(ks):19.6f} {abs(kuiper):7.6f}")
print(f"  accuracy {accuracy:.3f}; p < .05 in {SETS} test sets:  Spiegelhalter  two-sided")
found = {}
for name, network in NETWORKS.items():
    values = np.array([tests(network(logits), labels)[2:4] for logits, labels in map(test_set, range(SETS))])
    found[name] = (values < 0.05).mean(axis=0)
    print(f"    {name + ':':41} {found[name][0]:13.1%} {found[name][1]:10.1%}")

honest, sure, modest, smoothed = found.values()
assert max(honest) < 0.1 and min(sure[0], modest[1], smoothed[1], sure[1]) > 0.9, "these were right"
assert modest[0] == smoothed[0] == 0, "the behaviour has changed"
assert seen["label smoothing .1"][2] > 0.999 > 0.001 > seen["label smoothing .1"][4], "the behaviour has changed"
EOF
