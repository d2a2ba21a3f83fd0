#!/usr/bin/env bash
# LIME cuts a face of 48 x 48 pixels into two or three patches, or one, and then explains every class by the whole face.
#
# Guess: LimeImageExplainer cuts an image into some dozens of superpixels, whatever its size, so that its answer can be an
# eye or the mouth; the defaults suit FER-2013 as they suit ImageNet.
# Seen, lime 0.2.0.1, scikit-image 0.26.0, scikit-learn 1.9.1, numpy 2.4.6, Python 3.11; the 100 faces of scikit-image's
# lfw_subset at 48 x 48, the face of its astronaut at several sizes, and a network that looks at the mouth alone:
#   patches of 100 faces of 48 pixels: one 35, two 34, three 26, four 5
#   what explains the class best is a patch that covers, in the median, 75% of the face; where there is one: all of it
#   patches of one face at 48, 96, 224 pixels: 3, 9, 32
#   with segmentation_fn=SegmentationAlgorithm("slic", n_segments=50): 44 patches in the median, 3% of the face
# With one patch the explanation is drawn as always: the whole face in one colour. quickshift takes kernel_size=4 and
# max_dist=200, lengths in pixels and colours that suit images of some hundred pixels, whatever the size.
# Since: 0.2.0.1 is the latest version; older ones were not looked at.
# Source: lime/lime_image.py, explain_instance: SegmentationAlgorithm("quickshift", kernel_size=4, max_dist=200, ratio=0.2).
# Bitten: who shows where a network for FER-2013, FER+ or 48-pixel crops looks. Enlarge the image to 224 and let the
#   classifier's function make it small again, or pass a segmentation_fn.
set -euo pipefail
sed -n '2,/^set /{/^set /!s/^# \{0,1\}//p}' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${FINDINGS_PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile lime==0.2.0.1 scikit-image==0.26.0 scikit-learn==1.9.1 numpy==2.4.6
cd "$work"
export MPLCONFIGDIR="$work/matplotlib"
echo "Now:"
venv/bin/python - <<'EOF' 2>log || { cat log; exit 1; }
import numpy as np
from lime.lime_image import LimeImageExplainer
from lime.wrappers.scikit_image import SegmentationAlgorithm
from skimage import data
from skimage.color import rgb2gray
from skimage.transform import resize

SLIC = SegmentationAlgorithm("slic", n_segments=50)


def network(images: np.ndarray) -> np.ndarray:
    """(N, 48, 48, 3) -> (N, 2): of the mouth's brightness alone."""
    height = images.shape[1]
    mouth = images[:, height * 2 // 3 : height * 5 // 6, height // 3 : height * 2 // 3, 0].mean((1, 2))
    happy = 1 / (1 + np.exp(-(mouth - 110) / 20))
    return np.stack([1 - happy, happy], 1)


def explained(image: np.ndarray, **kwargs) -> tuple[int, float]:
    """Patches of the image, and the share of it that the one with the largest weight covers."""
    found = LimeImageExplainer(random_state=0).explain_instance(
        image, network, top_labels=1, num_samples=50, **kwargs
    )
    strongest, _ = max(found.local_exp[found.top_labels[0]], key=lambda one: abs(one[1]))
    return len(np.unique(found.segments)), float(np.mean(found.segments == strongest))


def face(grey: np.ndarray, size: int) -> np.ndarray:
    return (255 * resize(grey, (size, size), anti_aliasing=True)).astype(np.uint8)


faces = [face(one, 48) for one in data.lfw_subset()[:100]]
patches, share = np.array([explained(one) for one in faces]).T
counts = np.bincount(patches.astype(int), minlength=5)
print("  patches of 100 faces of 48 pixels: one {}, two {}, three {}, four {}".format(*counts[1:5]))
print(
    "  what explains the class best is a patch that covers, in the median, "
    f"{np.median(share):.0%} of the face; where there is one: all of it"
)
astronaut = rgb2gray(data.astronaut())[40:190, 150:300]
sizes = [explained(face(astronaut, size))[0] for size in (48, 96, 224)]
print("  patches of one face at 48, 96, 224 pixels:", ", ".join(map(str, sizes)))
many, small = np.array([explained(one, segmentation_fn=SLIC) for one in faces[:20]]).T
print(
    f'  with segmentation_fn=SegmentationAlgorithm("slic", n_segments=50): {np.median(many):.0f} patches in the '
    f"median, {np.median(small):.0%} of the face"
)
assert np.median(many) > 20 and np.median(small) < 0.1
assert np.median(patches) <= 3 and counts[1] >= 10 and np.median(share) > 0.4, "the behaviour has changed"
assert sizes[0] <= 5 and sizes[2] >= 20, "the behaviour has changed"
EOF
