#!/usr/bin/env bash
# On faces of 48 px every clip limit of OpenCV's CLAHE up to 14.2 gives the same image.
#
# Guess: a clip limit of 1 leaves a face nearly as it is, 2 and 4 are two settings, and a search over
# them, or an augmentation that draws one for each face, has something to choose from.
# Seen, opencv-python-headless 4.14.0.94, numpy 2.4.6, Python 3.11; 20 drawn faces, 8 x 8 tiles as in the
# tutorials, clip limits .1, .5, 1, 2, 3, 4, 5, 8, 10, 14.2, 15, 20, 30 and 40; a row in brackets is one image:
#   48 px:  [0.1 to 14.2] [15 20] [30] [40]
#   96 px:  [0.1 to 3] [4 5] [8] [10] [14.2] [15] [20] [30] [40]
#   224 px: [0.1 0.5] [1] [2] [3] [4] [5] [8] [10] [14.2] [15] [20] [30] [40]
#   clip limit 2 moves a pixel of 48 px by 31 grey levels on average, of the same face at 224 px by 17
# The limit is made a whole number of pixels of a tile, clip limit x pixels of a tile / 256, and at least
# one. A tile of 48 px / 8 has 36 pixels: 1, 2, 4 and 14.2 are all one pixel, which is as strong as 7.1 would
# be without rounding. At 48 px each step is 7.1 wide; two tiles a side make it .44.
# Since: the beginning (pull request 701 of 2013; the same lines read in a copy of OpenCV 2.4's time). The rule is
#   that of Zuiderveld's code in Graphics Gems IV (1994).
# Source: modules/imgproc/src/clahe.cpp, CLAHE_Impl::apply: static_cast<int>, then std::max(clipLimit, 1).
#   The documentation calls it "threshold for contrast limiting".
# Bitten: who compares clip limits on FER-2013 or CK+ at 48 px, or draws them in an augmentation, and finds
#   that they make no difference; and who takes over "2.0, 8 x 8" from work on larger faces.
set -euo pipefail
sed -n '2,/^set /{/^set /!s/^# \{0,1\}//p}' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${FINDINGS_PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile opencv-python-headless==4.14.0.94 numpy==2.4.6
cd "$work"
echo "Now:"
venv/bin/python - <<'EOF'
import cv2
import numpy as np

LIMITS = (0.1, 0.5, 1, 2, 3, 4, 5, 8, 10, 14.2, 15, 20, 30, 40)


def faces() -> list[np.ndarray]:
    """Drawn faces of 48 px: a bright oval, eyes, a mouth and a little noise."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:48, :48]
    drawn = []
    for _ in range(20):
        oval = 150 * np.exp(-(((x - 24) / 16) ** 2 + ((y - 24) / 21) ** 2) ** 2)
        marks = [(16, 18, 3, 2), (32, 18, 3, 2), (24, rng.uniform(33, 37), rng.uniform(4, 8), 2)]
        dark = sum(90 * np.exp(-(((x - a) / w) ** 2) - ((y - b) / h) ** 2) for a, b, w, h in marks)
        face = 40 + oval - dark + rng.uniform(-1, 1) * x + rng.normal(0, 3, x.shape)
        drawn.append(np.clip(face, 0, 255).astype(np.uint8))
    return drawn


def equalised(images: list[np.ndarray], limit: float) -> np.ndarray:
    return np.stack([cv2.createCLAHE(limit, (8, 8)).apply(image) for image in images])


def alike(images: list[np.ndarray]) -> list[list[float]]:
    """The clip limits, those beside one another together that give the same images."""
    groups, before = [], None
    for limit in LIMITS:
        now = equalised(images, limit)
        if before is None or (now != before).any():
            groups.append([])
        groups[-1].append(limit)
        before = now
    return groups


def told(group: list[float]) -> str:
    return f"[{group[0]:g} to {group[-1]:g}]" if len(group) > 2 else f"[{' '.join(f'{one:g}' for one in group)}]"


small = faces()
sizes = {px: [cv2.resize(face, (px, px), interpolation=cv2.INTER_CUBIC) for face in small] for px in (48, 96, 224)}
seen = {px: alike(images) for px, images in sizes.items()}
moved = {px: np.abs(equalised(images, 2.0).astype(int) - np.stack(images)).mean() for px, images in sizes.items()}
for px, groups in seen.items():
    print(f"  {px} px:".ljust(10), *map(told, groups))
print(
    f"  clip limit 2 moves a pixel of 48 px by {moved[48]:.0f} grey levels on average,"
    f" of the same face at 224 px by {moved[224]:.0f}"
)
assert seen[48] == [list(LIMITS[:10]), [15, 20], [30], [40]], "the behaviour has changed"
assert seen[96][0] == [0.1, 0.5, 1, 2, 3] and len(seen[224]) == 13, "the behaviour has changed"
EOF
