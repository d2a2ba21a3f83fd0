#!/usr/bin/env bash
# Keras' RandAugment turns faces one way only, up to upside down, and makes negatives of them the gentler it is set.
#
# Guess: as in the paper and elsewhere it turns by 30 degrees at most, to the left or the right, shifts and brightens both
# ways; factor, "the strength of the augmentation" from 0 to 1, goes from nothing to much; and each image of a batch
# has operations of its own.
# Seen, keras 3.15.1 (backend numpy, for which it imports jax 0.10.2), scipy 1.17.1, numpy 2.4.6, Python 3.11;
# a drawn face of 48 x 48, 2,000 draws each:
#   factor =                                                   0.0          0.1          0.3          0.5
#   turned by, degrees:                                       0..0        0..36       0..108       0..180
#   shifted to the right and down by, pixels:                 0..0         0..5        0..14        0..24
#   brighter by, grey levels:                                 0..0        0..25        0..76       0..127
#   contrast times:                                     1.00..1.00   1.00..1.10   1.00..1.30   1.00..1.50
#   fine detail after random_sharpness, times:          0.89..0.89   0.89..0.90   0.89..0.94   0.89..1.00
#   grey levels left by posterization:                        2..2         2..2         2..2         2..7
#   correlation of the solarised face with the face:  -1.00..-1.00 -1.00..-0.98  -1.00..0.27  -1.00..0.43
#   one operation makes the contrary (below 0) of:             11%          11%          13%          23%
# The default is .5. So with .1 a posterised face is black and white, a solarised one its negative, even with 0; and all
# 32 faces of a batch get the same one or two operations.
# Since: 3.8.0, with which the layer came (its source read). No issue told it when we looked (November 2026).
# Source: keras/src/layers/preprocessing/image_preprocessing/rand_augment.py: self.factor is (0, factor) and goes as it
#   is to RandomRotation, for which 1 is a whole turn and a pair the two ends, to RandomTranslation, RandomBrightness and
#   RandomContrast, to Solarization as its threshold, to RandomSharpness, for which .5 is no change, and times 8 to
#   RandomPosterization as the bits to keep; layer_idxes is drawn once a call. aug_mix.py does the same with .3. (Of
#   thresholds and bits that fall the wrong way with the strength timm's auto_augment.py tells, for the paper's code.)
# Bitten: who augments faces with it, or searches for its factor. RandomRotation((-.08, .08)) and so on one by one.
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

DRAWS, CALLS = 2000, 300
Y, X = np.mgrid[:48, :48]
oval = np.exp(-((((X - 24) / 16) ** 2 + ((Y - 24) / 21) ** 2) ** 2))
marks = [(16, 18, 3), (32, 18, 3), (24, 35, 8)]
dark = sum(0.5 * np.exp(-(((X - x) / w) ** 2) - ((Y - y) / 2) ** 2) for x, y, w in marks)
face = 30 + 180 * (oval - dark) + np.random.default_rng(0).normal(0, 3, X.shape)
face = face.clip(0, 255).round().astype("float32")[..., None]
many = np.repeat(face[None], DRAWS, axis=0)


def alike(image: np.ndarray) -> float:
    return float(np.corrcoef(image.ravel(), face.ravel())[0, 1]) if image.std() else 0.0


def fine(images: np.ndarray) -> np.ndarray:
    """The spread of the differences of neighbours."""
    return np.diff(images, axis=2).std(axis=(1, 2, 3))


def seen(factor: float) -> dict[str, tuple[float, float]]:
    layer = keras.layers.RandAugment(factor=factor, seed=0)
    drawn = layer.get_random_transformation(many)["transforms"]
    sharp = fine(np.asarray(layer.random_sharpness(many))) / fine(face[None])
    grey = [len(np.unique(image)) for image in np.asarray(layer.random_posterization(many)[:CALLS])]
    solar = [alike(image) for image in np.asarray(layer.solarization(many)[:CALLS])]
    ends = {
        "turned by, degrees": drawn["random_rotation"]["angle"],
        "shifted to the right and down by, pixels": drawn["random_translation"]["translations"],
        "brighter by, grey levels": drawn["random_brightness"]["rgb_delta"],
        "contrast times": drawn["random_contrast"]["contrast_factor"],
        "fine detail after random_sharpness, times": sharp,
        "grey levels left by posterization": grey,
        "correlation of the solarised face with the face": solar,
    }
    return {name: (float(np.min(values)), float(np.max(values))) for name, values in ends.items()}


table = {factor: seen(factor) for factor in (0.0, 0.1, 0.3, 0.5)}
print(f"  {'factor =':49}" + "".join(f"{factor:>13}" for factor in table))
for name in table[0.5]:
    digits = 0 if max(abs(end) for end in table[0.5][name]) > 2 else 2
    ends = [f"{low + 0:.{digits}f}..{high:.{digits}f}" for low, high in (row[name] for row in table.values())]
    print(f"  {name + ':':49}" + "".join(f"{end:>13}" for end in ends))
lost = {}
for factor in table:
    layer = keras.layers.RandAugment(factor=factor, num_ops=1, seed=0)
    images = [np.asarray(layer(face[None]))[0] for _ in range(CALLS)]
    lost[factor] = np.mean([alike(image) < 0 for image in images])
name = "one operation makes the contrary (below 0) of:"
print(f"  {name:49}" + "".join(f"{share:>13.0%}" for share in lost.values()))
layer = keras.layers.RandAugment(num_ops=1, seed=0)
for _ in range(20):
    batch = layer.get_random_transformation(many[:32])["layer_idxes"]
    assert np.shape(batch) == (1,), "it has changed: operations by image"
print("  operations drawn for a batch of 32: 1")
half, gentle, none = table[0.5], table[0.1], table[0.0]
turned, shifted, brighter = list(half.values())[:3]
assert turned[0] >= 0 and turned[1] > 170, "it has changed: turns"
assert shifted[0] >= 0 and shifted[1] > 20 and brighter[0] >= 0, "it has changed: shifts"
assert gentle["grey levels left by posterization"] == none["grey levels left by posterization"] == (2, 2), "bits"
solarised = "correlation of the solarised face with the face"
assert none[solarised][1] < -0.99 and gentle[solarised][1] < -0.8, "it has changed: solarization"
assert lost[0.0] > 0.03, "it has changed: strength"
EOF
