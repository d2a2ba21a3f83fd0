#!/usr/bin/env bash
# AutoContrast and Equalize of albumentations are written into the training set itself, where the faces are grey.
#
# Guess: transform(image=face)["image"] is a new image wherever something was changed; the face stays as it is.
# Seen, albumentations 2.0.8, albucore 0.0.24, opencv-python-headless 4.14.0.94, numpy 2.4.6, Python 3.11; 200 drawn faces
# of type uint8 in one array; the share of them that is no longer what it was after 1, 5 and 20 epochs:
#                                 48 x 48          48 x 48 x 1
#   AutoContrast(p=.2)            .18  .66  .98    .00  .00  .00
#   the same behind a flip (.5)   .07  .39  .84    .00  .00  .00
#   Equalize(mode="pil", p=.2)    .18  .66  .98    .18  .66  .98
#   Equalize(p=.2)                .00  .00  .00    .00  .00  .00
#   CLAHE(p=.2)                   .00  .00  .00    .00  .00  .00
# So the augmentation ends of itself: at last every face is stretched, in each draw. A np.memmap, whose mode is r+ unless
# asked otherwise, has another file after one epoch.
# Since: 1.4.22 or before (run; there AutoContrast did so with 48 x 48 x 1 too). AlbumentationsX 2.4.0 still had Equalize's
#   line, 2.5.1 copies (both read). No issue told it when we looked (November 2026).
# Source: albumentations/augmentations/pixel/functional.py: auto_contrast copies the image and then has
#   result = sz_lut(channel, lut), whose default in albucore is inplace=True; _equalize_pil: sz_lut(img, lut, inplace=True).
# Bitten: who holds grey faces as one array in the training process, or as a memmap; where the folds are of one array, the
#   faces of val too. transform(image=face.copy()), and all is well.
set -euo pipefail
sed -n '2,/^set /{/^set /!s/^# \{0,1\}//p}' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${FINDINGS_PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile albumentations==2.0.8 opencv-python-headless==4.14.0.94 numpy==2.4.6
cd "$work"
echo "Now:"
NO_ALBUMENTATIONS_UPDATE=1 venv/bin/python - <<'EOF' 2>log || { cat log; exit 1; }
import hashlib
import random
from pathlib import Path

import albumentations as A
import numpy as np

FACES, EPOCHS = 200, (1, 5, 20)
Y, X = np.mgrid[:48, :48]
rng = np.random.default_rng(0)


def face() -> np.ndarray:
    """A drawn face: an oval, eyes and a mouth, some brighter and some flatter than others."""
    oval = 150 * np.exp(-((((X - 24) / 16) ** 2 + ((Y - 24) / 21) ** 2) ** 2))
    marks = [(16, 18, 3), (32, 18, 3), (24, rng.uniform(33, 37), rng.uniform(4, 9))]
    dark = sum(90 * np.exp(-(((X - x) / w) ** 2) - ((Y - y) / 2) ** 2) for x, y, w in marks)
    drawn = 30 + rng.uniform(0, 40) + rng.uniform(0.4, 1) * (oval - dark)
    return np.clip(drawn + rng.normal(0, 3, X.shape), 0, 255).astype(np.uint8)


ORIGINAL = np.stack([face() for _ in range(FACES)])


def composed(steps: list[A.BasicTransform]) -> A.Compose:
    """The same draws in each run."""
    transform = A.Compose(steps)
    transform.set_random_state(np.random.default_rng(0), random.Random(0))
    return transform


def changed(steps: list[A.BasicTransform], *channels: int) -> list[float]:
    """The share of the training set's faces that are others after so many epochs."""
    faces = ORIGINAL.reshape(FACES, 48, 48, *channels).copy()
    transform = composed(steps)
    shares = []
    for _ in range(EPOCHS[-1]):
        for face in faces:
            transform(image=face)
        others = faces.reshape(ORIGINAL.shape) != ORIGINAL
        shares.append(float(others.any(axis=(1, 2)).mean()))
    return [shares[epoch - 1] for epoch in EPOCHS]


WAYS = {
    "AutoContrast(p=.2)": [A.AutoContrast(p=0.2)],
    "the same behind a flip (.5)": [A.HorizontalFlip(p=0.5), A.AutoContrast(p=0.2)],
    'Equalize(mode="pil", p=.2)': [A.Equalize(mode="pil", p=0.2)],
    "Equalize(p=.2)": [A.Equalize(p=0.2)],
    "CLAHE(p=.2)": [A.CLAHE(p=0.2)],
}
print(f"  {'':29} {'48 x 48':16} 48 x 48 x 1")
seen = {}
for name, steps in WAYS.items():
    seen[name] = changed(steps), changed(steps, 1)
    told = "    ".join("  ".join(f"{share:.2f}" for share in way) for way in seen[name])
    print(f"  {name:29} {told}".replace(" 0.", " ."))
file = Path("faces.bin")
ORIGINAL.tofile(file)
before = hashlib.sha256(file.read_bytes()).hexdigest()[:8]
faces = np.memmap(file, dtype=np.uint8, shape=ORIGINAL.shape)
transform = composed([A.AutoContrast(p=0.2)])
for face in faces:
    transform(image=face)
faces.flush()
after = hashlib.sha256(file.read_bytes()).hexdigest()[:8]
print(f"  the memmap's file, one epoch: {'the same' if after == before else 'another'}")
stretched, flipped, pil, plain, clahe = seen.values()
assert plain == clahe == ([0] * 3, [0] * 3), "these were right"
assert stretched[0][-1] > 0.9 and pil[0][-1] > 0.9 and pil[1][-1] > 0.9, "the behaviour has changed"
assert flipped[0][-1] > 0.7 and after != before, "the behaviour has changed"
EOF
