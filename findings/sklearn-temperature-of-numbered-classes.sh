#!/usr/bin/env bash
# CalibratedClassifierCV(method="temperature") answers 1/7 for every class if the classes are numbered from 1 to 7.
#
# Guess: the temperature doesn't depend on what the classes are called, as with method="sigmoid" or "isotonic"; predict()
#   and classes_ are right, so the rest is.
# Seen, scikit-learn 1.9.1, scipy 1.17.1, numpy 2.4.6, pandas 3.1.1, Python 3.11; 3,589 answers of a network whose logits
# are twice too large:
#                                  temperature, log loss, mean confidence
#   none:                                  1.00  1.299  0.793  (accuracy 0.609)
#   classes 0 to 6:                        1.98  1.064  0.617  (accuracy 0.609)
#   classes by name:                       1.98  1.064  0.617  (accuracy 0.609)
#   classes 1 to 7, as RAF-DB has:     22026.46  1.946  0.143  (accuracy 0.609)
#   0 to 7 without 6:                      2.79  1.109  0.507  (accuracy 0.609)
#   0, 2 to 6, without disgust:          211.32  1.772  0.171  (accuracy 0.641)
#   classes 1 to 7, sigmoid:                nan  1.033  0.524  (accuracy 0.644)
# No warning. The loss takes a label for the number of a column, and only labels of type str are encoded before. Label 1
# is the second class's logit, label 7 the first logit of the next image: the best is no answer at all, 22026 = e^10 the
# end of the range that is searched.
# "Are they strings?" asks y[0]: a Series that train_test_split has left without a row 0 raises KeyError: 0.
# Since: it came (1.8.0, run). No issue told it when we looked (November 2026).
# Source: sklearn/calibration.py, CalibratedClassifierCV.fit: isinstance(y[0], str); _fit_calibrator: 'for
#   method="temperature", y needs to be label encoded'; sklearn/_loss/_loss.pyx.tp, multinomial: raw_prediction[i, k].
# Bitten: who calibrates on RAF-DB as it is labelled, without one class, or on two classes called -1 and 1. The accuracy
#   stays as it was. LabelEncoder().fit_transform(y) on all labels beforehand, or their names, and it is right.
set -euo pipefail
sed -n '2,/^set /{/^set /!s/^# \{0,1\}//p}' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${FINDINGS_PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile scikit-learn==1.9.1 scipy==1.17.1 numpy==2.4.6 pandas==3.1.1
cd "$work"
echo "Now:"
venv/bin/python - <<'EOF' 2>log || { cat log; exit 1; }
import numpy as np
import pandas as pd
from scipy.special import softmax
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import log_loss

IMAGES = 3589
rng = np.random.default_rng(0)
emotion = rng.choice(7, IMAGES, p=[0.14, 0.015, 0.14, 0.25, 0.17, 0.115, 0.17])
logits = rng.normal(size=(IMAGES, 7))
logits[np.arange(IMAGES), emotion] += 1.6
logits *= 2 * 1.6  # 1.6 would be right: the classes' normals are 1.6 apart
names = np.array(["anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral"])
in_order = np.argsort(names)


class Network(ClassifierMixin, BaseEstimator):
    """A trained network: its logits are given."""

    def fit(self, logits, label):
        self.classes_ = np.unique(label)
        return self

    def decision_function(self, logits):
        return logits

    def predict(self, logits):
        return self.classes_[logits.argmax(1)]


def calibrated(logits, label, method="temperature"):
    network = FrozenEstimator(Network().fit(logits, label))
    return CalibratedClassifierCV(network, method=method).fit(logits, label)


def told(what: str, logits, label, method="temperature") -> tuple[float, float, float]:
    """Temperature, log loss and mean confidence."""
    if method is None:
        temperature, answers = 1.0, softmax(logits, axis=1)
    else:
        network = calibrated(logits, label, method)
        answers = network.predict_proba(logits)
        calibrator = network.calibrated_classifiers_[0].calibrators[0]
        temperature = 1 / calibrator.beta_ if method == "temperature" else np.nan
    loss, confidence = log_loss(label, answers), answers.max(1).mean()
    accuracy = (np.unique(label)[answers.argmax(1)] == label).mean()
    print(f"  {what:33} {temperature:9.2f}  {loss:.3f}  {confidence:.3f}  (accuracy {accuracy:.3f})")
    return float(temperature), float(loss), float(confidence)


print(f"  {'':30} temperature, log loss, mean confidence")
without = emotion != 1
none = told("none:", logits, emotion, None)
right = told("classes 0 to 6:", logits, emotion)
named = told("classes by name:", logits[:, in_order], names[emotion])
from_one = told("classes 1 to 7, as RAF-DB has:", logits, emotion + 1)
gap = told("0 to 7 without 6:", logits, emotion + (emotion == 6))
fewer = told("0, 2 to 6, without disgust:", np.delete(logits[without], 1, axis=1), emotion[without])
sigmoid = told("classes 1 to 7, sigmoid:", logits, emotion + 1, "sigmoid")
part = pd.Series(emotion).drop(0)
try:
    calibrated(logits[1:], part)
    said = "no error"
except KeyError as error:
    said = f"KeyError: {error}"
print("  a Series without row 0:", said)
assert abs(right[0] - 2) < 0.1 and np.allclose(right, named) and sigmoid[1] < 1.1, "these were right"
assert from_one[0] > 1000 and from_one[2] < 0.15 and from_one[1] > none[1] > right[1], "the behaviour has changed"
assert gap[0] > 2.5 and fewer[0] > 100, "the behaviour has changed"
assert said == "KeyError: 0", "the behaviour has changed"
EOF
