#!/usr/bin/env bash
# In a collection of torchmetrics two measures become one for good if their first batch gives them the same counts.
#
# Takes long: torch's default build brings CUDA, some 5 GB to install.
#
# Guess: a measure in a MetricCollection has the value it has alone, whatever the images' order.
# Seen, torchmetrics 1.9.0, torch 2.13.0 (CPU), Python 3.11; 700 answers in batches of 50, by update(): accuracy of seven
# classes and of six (neutral ignored), mean recall, and mean recall of the two best answers:
#   each alone:                         seven .730  six .686  recall .669  in two .811
#   collection, images by class:        seven .730  six .730  recall .669  in two .811
#   the same, then an epoch mixed:      seven .730  six .730  recall .669  in two .811
#   collection, images mixed:           seven .730  six .686  recall .669  in two .811
#   collection, first batch all right:  seven .730  six .686  recall .811  in two .811
#   compute_groups=False, by class:     seven .730  six .686  recall .669  in two .811
# After the first update the collection compares the counts. By class, as an ImageFolder gives them without shuffle, the
# angry come first, and those without the neutral are all of them: from then on one measure counts for both, the one whose
# name comes first. reset() keeps it so. No warning.
# Since: 0.8, whose comparison was coarser yet (read); 1.0.0 the same (run). Issues 2596, 2916 and 1890 tell it of
#   measures of one's own, of BLEU, and of minimum and maximum; the documentation says that measures with the same state
#   share it, not that the first batch decides which.
# Source: torchmetrics/collections.py, MetricCollection.update, _merge_compute_groups and _equal_metric_states.
# Bitten: who reports accuracy with and without a class, or of the best and the two best answers, side by side.
#   compute_groups=False, and all is well; forward() does not merge.
set -euo pipefail
sed -n '2,/^set /{/^set /!s/^# \{0,1\}//p}' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${FINDINGS_PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile torchmetrics==1.9.0 torch==2.13.0 numpy==2.4.6
cd "$work"
echo "Now:"
venv/bin/python - <<'EOF' 2>log || { cat log; exit 1; }
import torch
from torchmetrics import MetricCollection
from torchmetrics.classification import MulticlassAccuracy

NEUTRAL = 4  # of angry, disgust, fear, happy, neutral, sad, surprise
torch.manual_seed(0)
label = torch.arange(7).repeat_interleave(torch.tensor([100, 20, 100, 180, 120, 100, 80]))
logits = torch.randn(700, 7)
logits[torch.arange(700), label] += torch.tensor([2, 1, 1, 2.5, 3, 1.5, 2])[label]
probability = logits.softmax(1)
MEASURES = {
    "seven": {"average": "micro"},
    "six": {"average": "micro", "ignore_index": NEUTRAL},
    "recall": {"average": "macro"},
    "in two": {"average": "macro", "top_k": 2},
}


def made() -> dict[str, MulticlassAccuracy]:
    return {name: MulticlassAccuracy(7, **how) for name, how in MEASURES.items()}


def measured(measures: MetricCollection, order: torch.Tensor) -> dict[str, float]:
    for batch in order.split(50):
        measures.update(probability[batch], label[batch])
    return {name: round(float(value), 3) for name, value in measures.compute().items()}


def told(name: str, values: dict[str, float]) -> dict[str, float]:
    told = "  ".join(f"{measure} {values[measure]:.3f}".replace(" 0.", " .") for measure in MEASURES)
    print(f"  {name:36}{told}")
    return values


by_class, mixed = torch.arange(700), torch.randperm(700)
right = probability.argmax(1) == label
easy_first = torch.cat([mixed[right[mixed]], mixed[~right[mixed]]])
alone = {}
for name, measure in made().items():
    for batch in by_class.split(50):
        measure.update(probability[batch], label[batch])
    alone[name] = round(float(measure.compute()), 3)
told("each alone:", alone)
kept = MetricCollection(made())
sorted_faces = told("collection, images by class:", measured(kept, by_class))
kept.reset()
later = told("the same, then an epoch mixed:", measured(kept, mixed))
shuffled = told("collection, images mixed:", measured(MetricCollection(made()), mixed))
easy = told("collection, first batch all right:", measured(MetricCollection(made()), easy_first))
single = MetricCollection(made(), compute_groups=False)
whole = told("compute_groups=False, by class:", measured(single, by_class))
assert shuffled == whole == alone and abs(alone["six"] - alone["seven"]) > 0.02, "these were right"
assert sorted_faces == later == alone | {"six": alone["seven"]}, "the behaviour has changed"
assert easy == alone | {"recall": alone["in two"]}, "the behaviour has changed"
EOF
