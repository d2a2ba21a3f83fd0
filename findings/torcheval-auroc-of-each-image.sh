#!/usr/bin/env bash
# torcheval's MulticlassBinnedAUROC takes an AUROC of each image over the classes, and so .65 of one answer for all images.
#
# Takes long: torch's default build brings CUDA, some 5 GB to install.
#
# Guess: with 200 thresholds MulticlassBinnedAUROC is MulticlassAUROC to two or three decimals; the same answer for every
#   image has .5.
# Seen, torcheval 0.0.7, torch 2.14.1 (CPU), scikit-learn 1.9.1, Python 3.11; 3,589 answers in FER-2013's seven classes:
#   AUROC, macro:                    scikit-learn  MulticlassAUROC  MulticlassBinnedAUROC
#   the same for every image                0.500            0.500                  0.646
#   by chance, common classes more          0.501            0.501                  0.585
#   A, all classes alike                    0.814            0.814                  0.785
#   B, common classes more                  0.793            0.793                  0.795
#   the mean of BinaryBinnedAUROC(num_tasks=7), class by class, of A: 0.814
#   MulticlassBinnedAUROC(average=None) of 7 classes and 3589 images: 3589 values
# A network that tells nothing from the face but answers happy more often than disgust looks better than chance, and of two
# networks the lesser, B, looks better. No warning.
# Since: 0.0.6, the first that offers it (run, the first row); the last nightly, 2024.7.31, has the same lines (read). The
#   docstring's own example shows it: five values of average=None for five images in three classes. No issue or request that
#   we found tells of it (November 2026).
# Source: torcheval/metrics/functional/classification/binned_auroc.py, _multiclass_binned_auroc_compute: the answers are
#   (thresholds, images, classes), and the hits are summed over the last of these, as in the binary function, whose last is
#   the images. The curve of an image is then that of its true class against its six others.
# Bitten: who chooses a network by it because the exact measure keeps all answers. It keeps them too; MulticlassAUROC is
#   right, and so is BinaryBinnedAUROC with a task for each class.
set -euo pipefail
sed -n '2,/^set /{/^set /!s/^# \{0,1\}//p}' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${FINDINGS_PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile torcheval==0.0.7 torch==2.14.1 scikit-learn==1.9.1 numpy==2.4.6
cd "$work"
echo "Now:"
venv/bin/python - <<'EOF' 2>log || { cat log; exit 1; }
import torch
from sklearn.metrics import roc_auc_score
from torcheval.metrics import BinaryBinnedAUROC, MulticlassAUROC, MulticlassBinnedAUROC

IMAGES = 3589
torch.manual_seed(0)
share = torch.tensor([0.137, 0.015, 0.142, 0.251, 0.169, 0.115, 0.171])
label = torch.multinomial(share, IMAGES, replacement=True)


def network(strength: float, towards: torch.Tensor) -> torch.Tensor:
    logits = torch.randn(IMAGES, 7)
    logits[torch.arange(IMAGES), label] += strength
    return (logits + towards.log()).softmax(1)


def judge(metric, answers: torch.Tensor) -> float:
    for some, of_these in zip(answers.split(64), label.split(64), strict=True):
        metric.update(some, of_these)
    value = metric.compute()
    return float(value[0] if isinstance(value, tuple) else value)


networks = {
    "the same for every image": share.repeat(IMAGES, 1),
    "by chance, common classes more": network(0, share),
    "A, all classes alike": network(1.1, torch.ones(7)),
    "B, common classes more": network(0.95, share),
}
print(f"  {'AUROC, macro:':32} scikit-learn  MulticlassAUROC  MulticlassBinnedAUROC")
seen = {}
for name, answers in networks.items():
    reference = roc_auc_score(label, answers.double() / answers.double().sum(1, keepdim=True), multi_class="ovr")
    exact = judge(MulticlassAUROC(num_classes=7), answers)
    binned = judge(MulticlassBinnedAUROC(num_classes=7), answers)
    seen[name] = exact, binned
    print(f"  {name:32} {reference:12.3f}  {exact:15.3f}  {binned:21.3f}")
    assert abs(reference - exact) < 0.002, "this was right"
seven = BinaryBinnedAUROC(num_tasks=7)
one_hot = torch.nn.functional.one_hot(label, 7)
by_class = seven.update(networks["A, all classes alike"].T, one_hot.T).compute()[0]
print(f"  the mean of BinaryBinnedAUROC(num_tasks=7), class by class, of A: {float(by_class.mean()):.3f}")
assert abs(float(by_class.mean()) - seen["A, all classes alike"][0]) < 0.01, "this was right"
each = MulticlassBinnedAUROC(num_classes=7, average=None)
values = each.update(networks["A, all classes alike"], label).compute()[0]
print(f"  MulticlassBinnedAUROC(average=None) of 7 classes and {IMAGES} images: {len(values)} values")
same, chance, a, b = seen.values()
assert abs(same[0] - 0.5) < 0.001 and abs(chance[0] - 0.5) < 0.03 and a[0] > b[0], "these were right"
assert same[1] > 0.6 and chance[1] > 0.55 and b[1] > a[1], "the behaviour has changed"
assert len(values) == IMAGES, "the behaviour has changed"
EOF
