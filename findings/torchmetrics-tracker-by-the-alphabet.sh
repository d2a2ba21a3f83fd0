#!/usr/bin/env bash
# torchmetrics' MetricTracker takes the list of what is to be maximised in the order of the alphabet.
#
# Takes long: torch's default build brings CUDA, some 5 GB to install.
#
# Guess: MetricTracker(MetricCollection({"macro_f1": ..., "ece": ...}), maximize=[True, False]) keeps the greatest F1 and the
#   least calibration error.
# Seen, torchmetrics 1.9.0, torch 2.14.1 (CPU), numpy 2.4.6, Python 3.11; four epochs, the last of them much too sure:
#   epoch                                    1     2     3     4
#   macro_f1                               .263  .481  .591  .633
#   ece                                    .023  .056  .019  .156
#   dict, macro_f1 first, [True, False]   best epoch by F1 1, by calibration 4
#   dict, ece first, [False, True]        best epoch by F1 4, by calibration 3
#   list, F1 first, [True, False]         best epoch by F1 4, by calibration 3
#   dict, macro_f1 first, no maximize     best epoch by F1 4, by calibration 3
# A collection sorts a dict by its keys; the list is read by position, so that each gets the other's direction and the worst
# epoch of both is called best. A collection of a list keeps its order. The lengths are compared, nothing else.
# Since: 1.0.0 the same (run). Issue 159 asked for the order of the alphabet in 2021; that it exchanges the list's directions
#   we found told nowhere (November 2026): MetricCollection's docstring says that the results are sorted, MetricTracker's
#   has a collection made of a list.
# Source: torchmetrics/wrappers/tracker.py, MetricTracker.best_metric; collections.py, MetricCollection.add_metrics.
# Bitten: who names the measures and keeps the epoch that is best. One of the list's directions is wrong whenever the names
#   don't stand in the order of the alphabet. Without maximize (from 1.7 on) each measure's own direction is taken.
set -euo pipefail
sed -n '2,/^set /{/^set /!s/^# \{0,1\}//p}' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${FINDINGS_PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile torchmetrics==1.9.0 torch==2.14.1 numpy==2.4.6
cd "$work"
echo "Now:"
venv/bin/python - <<'EOF' 2>log || { cat log; exit 1; }
import torch
from torchmetrics import MetricCollection
from torchmetrics.classification import MulticlassCalibrationError, MulticlassF1Score
from torchmetrics.wrappers import MetricTracker

torch.set_num_threads(1)
torch.manual_seed(0)
label = torch.randint(7, (3589,))
EPOCHS = [  # better and better, and from the third on too sure
    (torch.randn(3589, 7) + separation * torch.nn.functional.one_hot(label, 7)) * sure
    for separation, sure in ((0.5, 0.6), (1.2, 1.0), (1.5, 1.5), (1.7, 3.0))
]


def tracked(metrics, maximize):
    tracker = MetricTracker(MetricCollection(metrics), maximize=maximize)
    for logits in EPOCHS:
        tracker.increment()
        tracker.update(logits.softmax(1), label)
    return tracker


F1, ECE = MulticlassF1Score(num_classes=7), MulticlassCalibrationError(num_classes=7)
every = tracked({"macro_f1": F1, "ece": ECE}, [True, False]).compute_all()
print("  epoch                                     1      2      3      4")
for name in ("macro_f1", "ece"):
    print(f"  {name:37}" + "".join(f"{value:7.3f}" for value in every[name].tolist()))
best = {}
for title, metrics, maximize in (
    ("dict, macro_f1 first, [True, False]", {"macro_f1": F1, "ece": ECE}, [True, False]),
    ("dict, ece first, [False, True]", {"ece": ECE, "macro_f1": F1}, [False, True]),
    ("list, F1 first, [True, False]", [F1, ECE], [True, False]),
    ("dict, macro_f1 first, no maximize", {"macro_f1": F1, "ece": ECE}, None),
):
    _, step = tracked(metrics, maximize).best_metric(return_step=True)
    best[title] = [1 + step.get(name, step.get(other)) for name, other in (
        ("macro_f1", "MulticlassF1Score"), ("ece", "MulticlassCalibrationError"),
    )] if None not in step.values() else None  # fmt: skip
    print(f"  {title:37} best epoch by F1 {best[title][0]}, by calibration {best[title][1]}")
wrong, *right = best.values()
assert right[0] == right[1] == right[2] == [1 + int(every["macro_f1"].argmax()), 1 + int(every["ece"].argmin())]
assert wrong == [1 + int(every["macro_f1"].argmin()), 1 + int(every["ece"].argmax())], "the behaviour has changed"
EOF
