#!/usr/bin/env bash
# datasets' imagefolder takes folders Train, Val and Test, with capitals, for one training set.
#
# Guess: the folders of SFEW 2.0's layout, Train/Happy/... and so on, are three splits; a folder whose
# name is no split raises, as load_dataset(split="test") then does.
# Seen, datasets 5.2.0, pillow 13.0.0, Python 3.11; seven classes, images made up:
#   train/, val/, test/, 14 images each:  train 14, validation 14, test 14
#   Train/, Val/, Test/, 14 images each:  train 42
#   train/, Test/, 14 images each:        train 14
#   class folders alone, 42 images:       train 42
#   the same 42 and a happy/test.png:     test 1, without labels
# A name that it knows makes the rest unseen, without a warning; where it knows none, all is train. The
# classes are the folders above the images, so nothing looks wrong with what was tested on in train.
# Since: 2.0 (2022), when imagefolder came, or before. The documentation tells lower-case names and says
#   nothing of others; the single train.png is its issue 7201, open since 2024.
# Source: datasets/data_files.py: SPLIT_KEYWORDS, patterns of lower case in a glob that heeds case;
#   _get_data_files_patterns, which takes the first patterns that match anything.
# Bitten: who loads SFEW (Train, Val, Test), AFEW (Train_AFEW) or a folder of faces with a test picture in
#   it: train has the test images, or most images are gone.
set -euo pipefail
sed -n '2,/^set /{/^set /!s/^# \{0,1\}//p}' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${FINDINGS_PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile datasets==5.2.0 pillow==13.0.0
cd "$work"
export HF_HOME="$work/home" HF_HUB_OFFLINE=1
cat >load.py <<'EOF'
from pathlib import Path

from datasets import disable_progress_bars, load_dataset
from PIL import Image

CLASSES = ["angry", "disgust", "fear", "happy", "neutral", "sad", "surprise"]


def loaded(folder: str, files: list[str]) -> dict[str, int]:
    """The images of each split; of one without labels less than none."""
    for level, file in enumerate(files):
        path = Path(folder, file)
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (8, 8), level).save(path)
    splits = load_dataset("imagefolder", data_dir=folder)
    return {name: len(of) * (1 if "label" in of.features else -1) for name, of in splits.items()}


def in_splits(*splits: str) -> list[str]:
    return [f"{split}/{name}/{k}.png" for split in splits for name in CLASSES for k in range(2)]


disable_progress_bars()
plain = [f"{name}/{k}.png" for name in CLASSES for k in range(6)]
layouts = {
    "train/, val/, test/, 14 images each:": in_splits("train", "val", "test"),
    "Train/, Val/, Test/, 14 images each:": in_splits("Train", "Val", "Test"),
    "train/, Test/, 14 images each:": in_splits("train", "Test"),
    "class folders alone, 42 images:": plain,
    "the same 42 and a happy/test.png:": [*plain, "happy/test.png"],
}
seen = [loaded(f"faces{k}", files) for k, files in enumerate(layouts.values())]
for name, splits in zip(layouts, seen, strict=True):
    words = [f"{split} {abs(n)}" + ", without labels" * (n < 0) for split, n in splits.items()]
    print(f"  {name:37} {', '.join(words)}")
lower, *others = seen
assert lower == {"train": 14, "validation": 14, "test": 14}, "it knows other names by now"
assert others == [{"train": 42}, {"train": 14}, {"train": 42}, {"test": -1}], "the behaviour has changed"
EOF
echo "Now:"
venv/bin/python load.py 2>log || { cat log; exit 1; }
