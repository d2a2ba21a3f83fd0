#!/usr/bin/env bash
# calzone's Cox calibration slope is that of class 1, whatever class is asked for.
#
# Guess: CalibrationMetrics(class_to_calculate=3), "multiclass extension by 1-vs-rest", says how well the probability
# of class 3 is calibrated; cox_regression_analysis(class_to_calculate=3) the same: a slope of 1 is right.
# Seen, calzone-tool 0.1.0, statsmodels 0.15.0, scipy 1.17.1, numpy 2.4.6, Python 3.11; seven expressions in the counts
# of FER-2013's test, probabilities by Bayes' rule but for happy, which is far too sure of itself; disgust is class 1:
#   slope (and ICI)   by hand          CalibrationMetrics            cox_regression_analysis
#   angry              0.81 (0.018)    0.97 (0.011), 0.80 to 1.14          0.07
#   disgust            0.97 (0.001)    0.97 (0.001), 0.80 to 1.14          0.97
#   happy              0.42 (0.082)    0.97 (0.008), 0.80 to 1.14         -0.31
#   neutral            0.89 (0.012)    0.97 (0.013), 0.80 to 1.14          0.09
# "COX" of CalibrationMetrics leaves class_to_calculate out, so that all of its figures but the ICI are those of class
# 1, the rarest of FER-2013, with its wide interval; the ICI lays the curve of class 1 on another's probabilities. The
# function itself sets the labels of the class asked for beside the probabilities of class 1: slopes near 0, as of a
# network that knows nothing. The other measures (ECE, Spiegelhalter, Hosmer-Lemeshow) are of the class asked for.
# Since: 0.1.0, the one release on PyPI. No issue found (November 2026).
# Source: calzone/metrics.py, cox_regression_analysis (y_proba[:, 1]) and CalibrationMetrics.calculate_metrics, "COX".
# Bitten: who says by class how well a network is calibrated, with its Cox slope and intercept.
set -euo pipefail
sed -n '2,/^set /{/^set /!s/^# \{0,1\}//p}' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${FINDINGS_PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile calzone-tool==0.1.0 statsmodels==0.15.0 scipy==1.17.1 numpy==2.4.6
cd "$work"
echo "Now:"
OMP_NUM_THREADS=1 venv/bin/python - <<'EOF' 2>log || { cat log; exit 1; }
import numpy as np
import statsmodels.api as sm
from calzone.metrics import CalibrationMetrics, cox_regression_analysis
from scipy.special import logit, softmax

NAMES = "angry disgust fear happy sad surprise neutral".split()
COUNTS = np.array([467, 56, 496, 895, 653, 415, 607])
rng = np.random.default_rng(0)
LABELS = np.repeat(np.arange(7), COUNTS)
features = rng.standard_normal((len(LABELS), 7)) + 1.5 * np.eye(7)[LABELS]
logits = 1.5 * features + np.log(COUNTS / COUNTS.sum())  # Bayes' rule for these features
own = logits[:, 3] - np.log(np.exp(np.delete(logits, 3, 1)).sum(1))
logits[:, 3] += 1.5 * own  # the log odds of happy 2.5 times as far from 0
SHARES = softmax(logits, 1)

print("  slope (and ICI)   by hand          CalibrationMetrics            cox_regression_analysis")
found = []
for k, name in enumerate(NAMES):
    is_k, share = (LABELS == k).astype(float), np.clip(SHARES[:, k], 1e-7, 1 - 1e-7)
    fitted = sm.Logit(is_k, sm.add_constant(logit(share))).fit(disp=0)
    off = np.abs(fitted.predict() - share).mean()
    told = CalibrationMetrics(class_to_calculate=k).calculate_metrics(LABELS, SHARES, ["COX"])
    asked, *_ = cox_regression_analysis(LABELS, SHARES, class_to_calculate=k)
    found.append((fitted.params[1], told["COX coef"], asked))
    print(
        f"  {name:9}      {fitted.params[1]:8.2f} ({off:.3f})   {told['COX coef']:5.2f} ({told['COX ICI']:.3f}), "
        f"{told['COX coef lowerci']:.2f} to {told['COX coef upperci']:.2f} {asked:13.2f}"
    )
right, told, asked = np.array(found).T
others = np.arange(7) != 1
assert abs(right[3] - 0.4) < 0.05 and (right[[1, 5]] > 0.9).all(), "this was right"
assert np.ptp(told) < 1e-9 and abs(told[3] - right[1]) < 0.01, "it has changed"
assert abs(asked[1] - right[1]) < 0.01 and (asked[others] < 0.2).all(), "it has changed"
EOF
