#!/usr/bin/env bash
# puncc's APS and RAPS sets hold at most as many classes as there are images in the call: for one image, one.
#
# Guess: the set of an image does not depend on how many are asked at once; of a calibrated predictor with
# alpha = .1 it holds the true class in 90 % of the images, also in a demo, a service or a loop over faces.
# Seen, puncc 0.9.3, scikit-learn 1.9.1, numpy 1.26.4, Python 3.11; 3,589 drawn answers of seven classes as unbalanced as
# FER-2013's, 60 % right, and as many to calibrate; how many sets hold the true class, by the images in a call:
#   LAC:              by 3589: 0.89, largest 6   by 7: 0.89, largest 6   by 3: 0.89, largest 6   by 1: 0.89, largest 6
#   APS:              by 3589: 0.89, largest 5   by 7: 0.89, largest 5   by 3: 0.86, largest 3   by 1: 0.59, largest 1
#   APS, rand=False:  by 3589: 0.96, largest 6   by 7: 0.96, largest 6   by 3: 0.89, largest 3   by 1: 0.60, largest 1
#   RAPS:             by 3589: 0.89, largest 5   by 7: 0.89, largest 5   by 3: 0.87, largest 3   by 1: 0.60, largest 1
# Without a word: the sets of a whole test set are right, and these are what one measures.
# Since: 0.7, the oldest on PyPI (run).
# Source: deel/puncc/api/prediction_sets.py, raps_set: the place of the last class is limited by pred_len, the number of
#   images, instead of n_classes; APS is RAPS with lambd=0. No issue told it when we looked (November 2026).
# Bitten: who calibrates on a test set and then asks image by image, in batches smaller than the number of classes (of a
#   thousand classes: any usual batch), or has a last batch of one. Ask for seven rows at least, and take the first.
set -euo pipefail
sed -n '2,/^set /{/^set /!s/^# \{0,1\}//p}' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${FINDINGS_PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile puncc==0.9.3 scikit-learn==1.9.1 scipy==1.17.1 pandas==3.0.6 numpy==1.26.4
cd "$work"
echo "Now:"
venv/bin/python - <<'EOF' 2>log || { cat log; exit 1; }
import numpy as np
from deel.puncc.api.prediction import BasePredictor
from deel.puncc.classification import APS, LAC, RAPS
from deel.puncc.metrics import classification_mean_coverage as coverage

RNG = np.random.default_rng(0)
COUNTS = np.array([467, 56, 496, 895, 653, 415, 607])  # FER-2013's PublicTest, 3,589 faces of seven classes


def answers() -> tuple[np.ndarray, np.ndarray]:
    """Probabilities of a network on as many faces, and their classes."""
    classes = RNG.permutation(np.repeat(np.arange(7), COUNTS))
    logits = RNG.normal(size=(len(classes), 7)) + np.log(COUNTS / COUNTS.sum())
    logits[np.arange(len(classes)), classes] += 1.5
    return np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True), classes


class Ready(BasePredictor):
    """The probabilities are there already."""

    def predict(self, X, **_):
        return X


calibration, test = answers(), answers()
print(f"  accuracy {(test[0].argmax(axis=1) == test[1]).mean():.2f}; alpha = .1")
seen = {}
for name, method, kwargs in (
    ("LAC", LAC, {}),
    ("APS", APS, {}),
    ("APS, rand=False", APS, {"rand": False}),
    ("RAPS", RAPS, {"lambd": 0.01, "k_reg": 2}),
):
    predictor = method(Ready(None, is_trained=True), train=False, **kwargs)
    predictor.fit(X_calib=calibration[0], y_calib=calibration[1])
    told = []
    for batch in (3589, 7, 3, 1):
        np.random.seed(0)  # where puncc draws
        starts = range(0, len(test[0]), batch)
        sets = [one for at in starts for one in predictor.predict(test[0][at : at + batch], alpha=0.1)[1]]
        seen[name, batch] = coverage(test[1], sets), max(map(len, sets))
        told.append(f"by {batch}: {seen[name, batch][0]:.2f}, largest {seen[name, batch][1]}")
    print(f"  {name + ':':16} {'   '.join(told)}")
    if name == "LAC":
        assert len({seen[name, batch] for batch in (3589, 7, 3, 1)}) == 1, "this did not depend on it"
    else:
        assert seen[name, 3589][0] > 0.87 and seen[name, 7][0] > 0.87, "whole test sets were right"
        assert seen[name, 3][1] == 3 and seen[name, 1][1] == 1, "the behaviour has changed"
        assert seen[name, 1][0] < 0.7, "the behaviour has changed"
EOF
