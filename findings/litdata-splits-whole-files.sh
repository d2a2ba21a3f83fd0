#!/usr/bin/env bash
# litdata's train_test_split(shuffle=True) shuffles files of 64 MB, not samples: faces stored by folder are split by class.
#
# Guess: "shuffle: whether to shuffle the data before splitting" shuffles samples, as scikit-learn's does, and `subsample`,
# the "fraction of the dataset to be randomly sampled", draws from all of it; `seed` gives another draw.
# Seen, litdata 0.2.76, torch 2.14.1, Python 3.11; 28,709 faces of 48 x 48 grey pixels in the folders' order, as many of
# each class as in FER-2013's train, written by `optimize` with the 64 MB a file of its own examples (two files):
#     2 files                         angry  disgust     fear    happy  neutral      sad surprise
#     all                              3995      436     4097     7215     4965     4830     3171
#     train, .8, seed 42               3995      436     4097     7215     4965     2259        0
#     val, .2                             0        0        0        0        0     2571     3170
#     train, .8, seed 7                3995      436     4097     7215     4965      947     1312
#     val, .2                             0        0        0        0        0     3883     1858
#     subsample=0.1, shuffle=True      2870        0        0        0        0        0        0
#     inputs shuffled, val, .2          815       88      833     1438      964      980      623
# The first network never sees surprise and is chosen by sad and surprise alone. The order of the files is shuffled, and
# they are cut where the shares end; seeds choose among the orders of the files, of which small pictures have few, here
# two. `shuffle=True` of the dataset comes later, within what the split left.
# Since: 0.2.20 and 0.2.50, without the parameter, shuffle files too (read); issue 673, which asked for it, says of the
#   function that it "randomly shuffles the dataset and then splits it".
# Source: litdata/utilities/train_test_split.py and subsample.py, shuffle_lists_together of chunks and their regions.
# Bitten: who streams a data set of small pictures that was written folder by folder, as ImageFolder lists it. Shuffle the
#   inputs of `optimize` before they are written, or write the splits one by one.
set -euo pipefail
sed -n '2,/^set /{/^set /!s/^# \{0,1\}//p}' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${FINDINGS_PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile litdata==0.2.76 torch==2.14.1 torchvision==0.29.1 numpy==2.4.6
cd "$work"
cat >split.py <<'EOF'
import os
import random

import numpy as np
from litdata import StreamingDataset, optimize, train_test_split

COUNTS = {"angry": 3995, "disgust": 436, "fear": 4097, "happy": 7215, "neutral": 4965, "sad": 4830, "surprise": 3171}


def face(task: tuple[int, int]) -> dict:
    label, number = task
    return {"image": np.full((48, 48), number % 256, np.uint8), "label": label}


def written(folder: str, tasks: list[tuple[int, int]]) -> StreamingDataset:
    optimize(face, tasks, output_dir=folder, chunk_bytes="64MB", num_workers=1)
    return StreamingDataset(folder)


def counted(name: str, dataset: StreamingDataset) -> np.ndarray:
    found = np.bincount([dataset[i]["label"] for i in range(len(dataset))], minlength=len(COUNTS))
    print(f"  {name:28}" + "".join(f"{count:9}" for count in found), file=told)
    return found


if __name__ == "__main__":
    with open("told", "w") as told:
        tasks = [(label, number) for label, many in enumerate(COUNTS.values()) for number in range(many)]
        whole = written("faces", tasks)
        files = sum(name.startswith("chunk") for name in os.listdir("faces"))
        print(f"  {files} files".ljust(30) + "".join(f"{name:>9}" for name in COUNTS), file=told)
        assert counted("all", whole).tolist() == [*COUNTS.values()]
        for seed in (42, 7):
            train, val = train_test_split(whole, splits=[0.8, 0.2], seed=seed, shuffle=True)
            counted(f"train, .8, seed {seed}", train)
            assert (counted("val, .2", val) == 0).sum() >= 3, "the behaviour has changed"
        part = StreamingDataset("faces", subsample=0.1, shuffle=True)
        assert (counted("subsample=0.1, shuffle=True", part) > 0).sum() <= 2, "the behaviour has changed"
        random.Random(0).shuffle(tasks)
        _, val = train_test_split(written("shuffled", tasks), splits=[0.8, 0.2])
        share = counted("inputs shuffled, val, .2", val) / len(val)
        assert np.abs(share - np.array([*COUNTS.values()]) / len(tasks)).max() < 0.02
EOF
export DATA_OPTIMIZER_CACHE_FOLDER="$work/cache" DATA_OPTIMIZER_DATA_CACHE_FOLDER="$work/data" HOME="$work"
venv/bin/python split.py >log 2>&1 || { cat log; exit 1; }
echo "Now:"
cat told
