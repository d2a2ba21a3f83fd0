#!/usr/bin/env bash
# Keras' Equalization equalises all faces of a batch together, and at inference none.
#
# Guess: keras.layers.Equalization stretches each face by its own histogram, whatever else is in the batch, and does so
# in predict() too: "At inference time, the equalization is consistently applied", its docstring says.
# Seen, keras 3.15.1 (backend numpy, for which it imports jax 0.10.2), scipy 1.17.1, numpy 2.4.6, Python 3.11;
# drawn faces of 48 x 48 x 1, some darker, some flatter than others, seven classes by the mouth:
#   equalised...             darkest and brightest tenth of the faces by mean, grey levels
#   raw:                      34 136
#   alone:                   121 130
#   in batches of 64:         42 202
#   alone, training=False:    34 136
#   in predict():             34 136
#   alone and in its batch a pixel differs by 45 grey levels on average
#   train of 4,000 as one array: 83% of the pixels of 150 and more are black; of 3,600: 0%
#   a linear classifier is right: both face by face 0.74; each as one array 0.51
# The counts of a whole array, as in equalizer(x_train), are int32, and times 255 they are too large for it from 3,656
# faces on: what is bright becomes black. In a Sequential model with an Input the layer raises (a cycle of tensors).
# Since: 3.8.0, with which the layer came (run, and 3.12.0). No issue told it when we looked (November 2026).
# Source: keras/src/layers/preprocessing/image_preprocessing/equalization.py, transform_images: "if training:", and
#   _equalize_channel takes images[..., i], of all images, to one histogram; _apply_equalization: (cdf - cdf_min) * 255.
# Bitten: who equalises faces in a pipeline of batches or as one array, the common first step with FER-2013 and CK+, or
#   uses RandAugment or AugMix, which hold the layer. A model that has the layer in its call() is tested on raw faces.
set -euo pipefail
sed -n '2,/^set /{/^set /!s/^# \{0,1\}//p}' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${FINDINGS_PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile keras==3.15.1 jax==0.10.2 scipy==1.17.1 numpy==2.4.6
cd "$work"
export KERAS_BACKEND=numpy KERAS_HOME="$work"
echo "Now:"
venv/bin/python - <<'EOF' 2>log || { cat log; exit 1; }
import keras
import numpy as np

Y, X = np.mgrid[:48, :48]
MOUTHS = [(6 + 2 * (k % 4), 34 + 3 * (k // 4)) for k in range(7)]  # width and height by class
rng = np.random.default_rng(0)


def drawn(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Faces: an oval, eyes and the mouth of their class, each of its own brightness and contrast."""
    labels = rng.integers(0, 7, count)
    oval = np.exp(-((((X - 24) / 16) ** 2 + ((Y - 24) / 21) ** 2) ** 2))
    faces = []
    for width, height in (MOUTHS[label] for label in labels):
        marks = [(16, 18, 3), (32, 18, 3), (24, height, width)]
        dark = sum(0.5 * np.exp(-(((X - x) / w) ** 2) - ((Y - y) / 2) ** 2) for x, y, w in marks)
        lit = rng.uniform(0, 100) + rng.uniform(40, 150) * (oval - dark)
        faces.append(lit + rng.normal(0, 6, X.shape))
    return np.clip(faces, 0, 255).astype(np.uint8)[..., None], labels


def known(face: np.ndarray) -> np.ndarray:
    """The face by its own histogram, as in any textbook."""
    below = np.cumsum(np.bincount(face.ravel(), minlength=256))
    first = below[below > 0][0]
    return np.clip(np.round((below - first) * 255 / (below[-1] - first)), 0, 255)[face]


def equalised(faces: np.ndarray, size: int, **how: bool) -> np.ndarray:
    layer = keras.layers.Equalization()
    parts = [np.asarray(layer(faces[at : at + size], **how)) for at in range(0, len(faces), size)]
    return np.concatenate(parts)


def inputs(faces: np.ndarray) -> np.ndarray:
    return np.c_[faces.reshape(len(faces), -1) / 255, np.ones(len(faces))]


def right(train: np.ndarray, test: np.ndarray) -> float:
    """The accuracy on test of a linear classifier fitted to train."""
    x = inputs(train)
    weights = np.linalg.solve(x.T @ x + 3 * np.eye(x.shape[1]), x.T @ np.eye(7)[train_labels])
    return round(float(((inputs(test) @ weights).argmax(1) == test_labels).mean()), 2)


class Passed(keras.Model):
    def __init__(self) -> None:
        super().__init__()
        self.equalization = keras.layers.Equalization()

    def call(self, faces, training=False):
        return self.equalization(faces, training=training)


train, train_labels = drawn(4000)
test, test_labels = drawn(2000)
alone, together = equalised(test, 1), equalised(test, 64)
assert np.abs(alone - [known(face) for face in test]).max() <= 1, "alone it is not the textbook's"
spans = {
    "raw": test, "alone": alone, "in batches of 64": together,
    "alone, training=False": equalised(test, 1, training=False),
    "in predict()": Passed().predict(test, verbose=0),
}
print("  equalised...             darkest and brightest tenth of the faces by mean, grey levels")
means = {}
for name, faces in spans.items():
    by_face = np.sort(np.asarray(faces).mean(axis=(1, 2, 3)))
    means[name] = by_face[:200].mean().round(), by_face[-200:].mean().round()
    print(f"  {name + ':':24} {means[name][0]:3.0f} {means[name][1]:3.0f}")
apart = np.abs(alone - together).mean()
print(f"  alone and in its batch a pixel differs by {apart:.0f} grey levels on average")
by_face, whole = equalised(train, 1), equalised(train, len(train))
held = equalised(test, len(test))
black = float((whole[train >= 150] == 0).mean())
print(f"  train of 4,000 as one array: {black:.0%} of the pixels of 150 and more are black; of 3,600: ", end="")
fewer = float((equalised(train[:3600], 3600)[train[:3600] >= 150] == 0).mean())
print(f"{fewer:.0%}")
found = {
    "both face by face": right(by_face, alone),
    "each as one array": right(whole, held),
    "train as one array, test face by face": right(whole, alone),
}
print("  a linear classifier is right: " + "; ".join(f"{name} {value:.2f}" for name, value in found.items()))
assert means["alone, training=False"] == means["in predict()"] == means["raw"], "it has changed: inference"
assert np.array_equal(spans["in predict()"], test), "it has changed: inference"
assert apart > 20 and means["alone"] != means["in batches of 64"], "it has changed: batches"
assert black > 0.2 and fewer == 0, "it has changed: large arrays"
assert found["each as one array"] < found["both face by face"] - 0.1, "it has changed: large arrays"
EOF
