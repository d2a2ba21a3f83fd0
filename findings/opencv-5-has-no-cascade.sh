#!/usr/bin/env bash
# OpenCV 5's wheel finds no face: the cascade class and its files are gone, their folder is still named.
#
# Guess: cv2.CascadeClassifier(cv2.data.haarcascades + "haarcascade_frontalface_default.xml"), the line
# of every tutorial on facial expressions.
# Seen, opencv-python-headless 5.0.0.93, Python 3.11:
#   cv2.data.haarcascades is a folder: True, XML files in it: 0
#   cv2.CascadeClassifier: AttributeError
#   cv2.FaceDetectorYN is there, ONNX files in the wheel: 0
# With 4.14.0.94: 17 XML files, and the class is there.
# Since: 5.0.0.
# Source: the package itself (cv2/data/).
# Bitten: who upgrades, and who asks whether the folder exists to learn whether there is a detector.
set -euo pipefail
sed -n '2,/^set /{/^set /!s/^# \{0,1\}//p}' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${FINDINGS_PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile opencv-python-headless==5.0.0.93
cd "$work"
echo "Now:"
venv/bin/python - <<'EOF'
from pathlib import Path

import cv2

folder = Path(cv2.data.haarcascades)
cascades = list(folder.glob("*.xml"))
models = list(Path(cv2.__file__).parent.rglob("*.onnx"))
there = {name: hasattr(cv2, name) for name in ("CascadeClassifier", "FaceDetectorYN")}
print(f"  cv2.data.haarcascades is a folder: {folder.is_dir()}, XML files in it: {len(cascades)}")
print(f"  {there}, ONNX files in the wheel: {len(models)}")
assert folder.is_dir() and not cascades and not models, "the behaviour has changed"
assert there == {"CascadeClassifier": False, "FaceDetectorYN": True}, "the behaviour has changed"
EOF
