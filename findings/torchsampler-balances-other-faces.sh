#!/usr/bin/env bash
# Given the indices of a shuffled split, torchsampler's ImbalancedDatasetSampler balances nothing: the weights are others'.
#
# Takes long: torch's default build brings CUDA, some 5 GB to install.
#
# Guess: with the labels of the training faces and their indices, all classes are drawn equally often, in whatever order.
# Seen, torchsampler 0.1.2, torch 2.14.1, torchvision 0.29.1, pandas 3.1.1, numpy 2.4.6, Python 3.11; labels in the numbers of
# FER-2013, 22,967 of them for training; share of each class among what one epoch draws, in %:
#                           angry disgust fear happy  sad  surprise neutral
#   in the training set      14.0   1.5   14.2  24.9  16.7   11.1    17.5
#   indices in order         14.6  14.2   14.5  13.9  14.4   14.4    14.0
#   the same, shuffled       14.9   1.8   13.7  24.4  16.7   10.9    17.6
#   the dataset as a Subset  14.6  14.0   14.5  14.3  14.0   14.2    14.5
# In the third row the large weights of disgust lie on as many faces of any class: 1.5 % of the faces make 14 % of the epoch,
# some nine times each, as in the second row, but here chance chooses them. Nothing is said. The table of labels is sorted
# by index before the weights are read from it; what is drawn is looked up in the indices as they were given.
# Since: 0.1.1, the first release on PyPI (read: the same lines). No issue told it when we looked (November 2026).
# Source: torchsampler/imbalanced.py, ImbalancedDatasetSampler.__init__ (df.sort_index()) and __iter__ (self.indices[i]).
# Bitten: who splits by train_test_split, random_split or a permutation and hands on labels and indices, as is needed where
#   training and validation are parts of one dataset. Sorted indices, labels in their order, or a Subset with
#   callback_get_label are right.
set -euo pipefail
sed -n '2,/^set /{/^set /!s/^# \{0,1\}//p}' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${FINDINGS_PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile torchsampler==0.1.2 torch==2.14.1 torchvision==0.29.1 pandas==3.1.1 numpy==2.4.6
cd "$work"
echo "Now:"
venv/bin/python - <<'EOF' 2>log || { cat log; exit 1; }
import numpy as np
import torch
from torch.utils.data import Subset, TensorDataset
from torchsampler import ImbalancedDatasetSampler

COUNTS = {"angry": 3995, "disgust": 436, "fear": 4097, "happy": 7215, "sad": 4830, "surprise": 3171, "neutral": 4965}
rng = np.random.default_rng(0)
labels = rng.permutation(np.repeat(np.arange(7), list(COUNTS.values())))
train = rng.permutation(len(labels))[:22967]  # the other fifth is for validation
faces = TensorDataset(torch.zeros(len(labels), 1), torch.from_numpy(labels))


def show(name, drawn):
    """Print the share of each class, and give it back with that of the faces that are drawn most."""
    share = 100 * np.bincount(labels[drawn], minlength=7) / len(drawn)
    heavy = np.sort(np.bincount(drawn))[::-1][: (labels[train] == 1).sum()]
    print(f"  {name:24}" + "".join(f"{value:{len(title) + 2}.1f}" for title, value in zip(COUNTS, share)))
    return share, 100 * heavy.sum() / len(drawn)


def epoch(name, indices):
    torch.manual_seed(0)
    sampler = ImbalancedDatasetSampler(faces, labels=labels[indices].tolist(), indices=indices.tolist())
    return show(name, np.array(list(sampler)))


print(" " * 26 + "".join(f"{title:>{len(title) + 2}}" for title in COUNTS))
whole, _ = show("in the training set", train)
right, heavy_right = epoch("indices in order", np.sort(train))
wrong, heavy_wrong = epoch("the same, shuffled", train)
torch.manual_seed(0)
subset = Subset(faces, train.tolist())
sampler = ImbalancedDatasetSampler(subset, callback_get_label=lambda part: labels[part.indices].tolist())
other, _ = show("the dataset as a Subset", train[list(sampler)])
print(f"  the faces drawn most, as many as disgust has, make {heavy_right:.0f} % of the second row, {heavy_wrong:.0f} % of the third")
assert abs(right - 100 / 7).max() < 1 and abs(other - 100 / 7).max() < 1, "these were right"
assert abs(wrong - whole).max() < 1.5 and wrong[1] < 3, "the behaviour has changed"
assert heavy_wrong > 12, "the behaviour has changed"
EOF
