#!/usr/bin/env bash
# SMOTE on pixels of type uint8 makes noise: a third of the new faces' pixels lie outside of the class.
#
# Guess: a new face lies between two faces of its class, whatever type the pixels have; uint8 is what
# cv2.imread, Pillow and the usual readers of fer2013.csv give.
# Seen, imbalanced-learn 0.14.2, scikit-learn 1.9.1, numpy 2.4.6, Python 3.11; 60 drawn faces of one class, 12 of
# another, the same random_state; how many pixels of the new faces are darker or brighter than that pixel is in any
# face of the class, and how far they are from those made of float32, on average:
#   SMOTE            float32: .000, 0.0   int16: .000, 0.5   uint8: .345, 32.8
#   BorderlineSMOTE  float32: .000, 0.0   int16: .000, 0.5   uint8: .390, 37.7
#   ADASYN           float32: .000, 0.0   int16: .000, 0.5   uint8: .359, 31.1
# The difference of two faces is taken in their own type: 100 - 120 is 236, and 120 + .5 x 236 = 238 is in the new face
# instead of 110. No warning; the faces that were there stay as they are, and the counts of the classes are as asked.
# Since: before 0.4 (2018), as its source says (read; there each new face was made by itself, by the same difference).
# Source: imblearn/over_sampling/_smote/base.py, BaseSMOTE._generate_samples: nn_data[...] - X[rows], then
#   astype(X.dtype); _adasyn.py the same. No issue told it when we looked (November 2026).
# Bitten: who fills up disgust (436 of FER-2013's 28,709 training faces) with SMOTE before dividing by 255.
#   X.astype("float32") first, and all is well.
set -euo pipefail
sed -n '2,/^set /{/^set /!s/^# \{0,1\}//p}' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${FINDINGS_PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile imbalanced-learn==0.14.2 scikit-learn==1.9.1 numpy==2.4.6 scipy==1.17.1
cd "$work"
echo "Now:"
venv/bin/python - <<'EOF'
import numpy as np
from imblearn.over_sampling import ADASYN, SMOTE, BorderlineSMOTE

RNG = np.random.default_rng(0)
Y, X = np.mgrid[:48, :48]


def face(mouth: float) -> np.ndarray:
    """A drawn face: a bright oval, eyes, a mouth of about this width, light from a side and a little noise."""
    oval = 150 * np.exp(-((((X - 24) / 16) ** 2 + ((Y - 24) / 21) ** 2) ** 2))
    marks = [(16, 18, 3), (32, 18, 3), (24, RNG.uniform(33, 37), mouth * RNG.uniform(0.8, 1.2))]
    dark = sum(90 * np.exp(-(((X - x) / width) ** 2) - ((Y - y) / 2) ** 2) for x, y, width in marks)
    drawn = 40 + oval - dark + RNG.uniform(-1, 1) * X + RNG.normal(0, 3, X.shape)
    return np.clip(drawn, 0, 255).astype(np.uint8).ravel()


faces = np.stack([face(8) for _ in range(60)] + [face(4) for _ in range(12)])
classes = np.repeat([0, 1], [60, 12])
darkest, brightest = faces[60:].min(axis=0).astype(int), faces[60:].max(axis=0).astype(int)
seen = {}
for sampler in (SMOTE, BorderlineSMOTE, ADASYN):
    made = {}
    for kind in ("float32", "int16", "uint8"):
        filled, _ = sampler(random_state=0).fit_resample(faces.astype(kind), classes)
        assert filled.dtype == kind and (filled[:72] == faces).all(), "the behaviour has changed"
        made[kind] = filled[72:].astype(float)
    outside = {kind: ((new < darkest - 1) | (new > brightest)).mean() for kind, new in made.items()}
    far = {kind: np.abs(new - made["float32"]).mean() for kind, new in made.items()}
    told = "   ".join(f"{kind}: {outside[kind]:.3f}, {far[kind]:.1f}" for kind in made)
    print(f"  {sampler.__name__:16} {told}")
    assert outside["float32"] == outside["int16"] == 0 and far["int16"] < 1, "these were right"
    assert outside["uint8"] > 0.2 and far["uint8"] > 20, "the behaviour has changed"
EOF
