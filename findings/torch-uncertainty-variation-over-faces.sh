#!/usr/bin/env bash
# The variation ratio of torch-uncertainty compares the faces of a batch with each other, not the networks of an ensemble.
#
# Guess: VariationRatio takes probabilities as its docstring says, (images, networks, classes), and says which share of the
#   networks is of another opinion than the ensemble: 0 where all agree; Disagreement, of the same shape, is right.
# Seen, torch-uncertainty[cpu] 0.13.0, torch 2.14.1, torchmetrics 1.9.0, numpy 2.4.6, Python 3.11; 3,500 faces of seven classes
# in batches of 100, ensembles of five networks, mean over the faces:
#                                       by hand  VariationRatio  with axes exchanged  Disagreement
#   five times the same network:        0.000           0.777                0.000         0.000
#   nearly the same:                    0.113           0.776                0.113         0.179
#   different ones:                     0.331           0.787                0.331         0.509
#   guessing:                           0.586           0.805                0.586         0.847
# update() exchanges the first two axes, compute() then takes the second one for the networks: what comes out is how many
# of a batch's faces are not of the batch's most probable class. The docstring's own example prints .45, where its first
# image has .3 and its second .4. Two more signs: reduction="none" gives five values a batch instead of one a face,
# and a last batch that is smaller, as with FER-2013's 3,589 and 100, ends compute() with a RuntimeError.
# Since: the same line in 0.4.0, 0.6.0, 0.9.0 and 0.12.0 (read). No issue told it when we looked (November 2026).
# Source: torch_uncertainty/metrics/classification/variation_ratio.py, update: probs.transpose(0, 1), under a comment that
#   says (example, estimator, class). The library's own criterion for unknown images exchanges them too before it calls
#   this, so that there it comes out right.
# Bitten: who says by it how far an ensemble, MC dropout or the seeds of a setting agree. probs.transpose(0, 1), that is
#   (networks, images, classes), and it is right, with unequal batches too.
set -euo pipefail
sed -n '2,/^set /{/^set /!s/^# \{0,1\}//p}' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${FINDINGS_PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile "torch-uncertainty[cpu]==0.13.0" torch==2.14.1 torchmetrics==1.9.0 numpy==2.4.6
cd "$work"
echo "Now:"
MPLCONFIGDIR="$work" venv/bin/python - <<'EOF' 2>log || { cat log; exit 1; }
import torch
from torch_uncertainty.metrics.classification import Disagreement, VariationRatio

FACES, NETWORKS, CLASSES, BATCH = 3500, 5, 7, 100
torch.manual_seed(0)
label = torch.multinomial(torch.tensor([0.14, 0.015, 0.14, 0.25, 0.17, 0.115, 0.17]), FACES, replacement=True)


def ensemble(own: float) -> torch.Tensor:
    """Probabilities (faces, networks, classes); own: what each network sees differently."""
    logits = torch.randn(FACES, 1, CLASSES) + own * torch.randn(FACES, NETWORKS, CLASSES)
    logits[torch.arange(FACES), :, label] += 2
    return (2 * logits).softmax(-1)


def batches(metric, probabilities: torch.Tensor, faces: int = 0) -> torch.Tensor:
    for batch in probabilities.split(BATCH, dim=faces):
        metric.update(batch)
    return metric.compute()


def by_hand(probabilities: torch.Tensor) -> float:
    chosen = probabilities.mean(1).argmax(-1)
    return float((probabilities.argmax(-1) != chosen[:, None]).float().mean())


print(f"  {'':34}by hand  VariationRatio  with axes exchanged  Disagreement")
seen = []
for name, own in {"five times the same network": 0.0, "nearly the same": 0.3, "different ones": 1.0, "guessing": 9.0}.items():
    probabilities = ensemble(own)
    seen.append((
        by_hand(probabilities),
        float(batches(VariationRatio(probabilistic=False), probabilities)),
        float(batches(VariationRatio(probabilistic=False), probabilities.transpose(0, 1), faces=1)),
        float(batches(Disagreement(), probabilities)),
    ))
    print(f"  {name + ':':34}{seen[-1][0]:7.3f}{seen[-1][1]:16.3f}{seen[-1][2]:21.3f}{seen[-1][3]:14.3f}")
values = len(batches(VariationRatio(reduction="none", probabilistic=False), probabilities))
example = torch.tensor([[[0.7, 0.3], [0.6, 0.4], [0.8, 0.2]], [[0.4, 0.6], [0.5, 0.5], [0.3, 0.7]]])
docs = float(batches(VariationRatio(), example))
by_image = batches(VariationRatio(reduction="none"), example.transpose(0, 1), faces=1).tolist()
print(f"  reduction='none': {values} values for {FACES} faces")
print(f"  the docstring's example: {docs:.2f}; its two images: {by_image[0]:.2f} and {by_image[1]:.2f}")
try:
    batches(VariationRatio(probabilistic=False), probabilities[:3489])
    said = "no error"
except RuntimeError as error:
    said = "RuntimeError: " + str(error)[:60]
print("  a last batch of 89:", said)
hand, ratio, exchanged, disagreement = map(torch.tensor, zip(*seen))
assert torch.allclose(hand, exchanged, atol=1e-5) and hand[0] == disagreement[0] == 0 and hand[3] > 0.5, "these were right"
assert (ratio[:2] > 0.5).all() and ratio[0] > 0.5, "the behaviour has changed"
assert values < FACES and abs(docs - 0.45) < 1e-4 and said.startswith("RuntimeError"), "the behaviour has changed"
EOF
