#!/usr/bin/env bash
# Fleiss' kappa of torchmetrics is far below 1 where all raters agree, if not every image has as many votes.
#
# Takes long: torch's default build brings CUDA, some 5 GB to install.
#
# Guess: "if the raters are in complete agreement then the score 1 is returned"; counts of different sums are refused, as
# statsmodels refuses them, or taken as they are, as Krippendorff's alpha takes them.
# Seen, torchmetrics 1.9.0, torch 2.13.0 (CPU), krippendorff 0.9.0, Python 3.11; 700 faces in seven classes, ten votes
# each, all of them, and without some, as where those for "unknown" or "no face" are left out:
#   all agree, 10 votes:       kappa 1.000  alpha 1.000
#   all agree, 4 to 10 votes:  kappa  .767  alpha 1.000
#   most agree, 10 votes:      kappa  .646  alpha  .646
#   most agree, 4 to 10 votes: kappa  .492  alpha  .648
# Every image is reckoned as if it had the most votes that any has: six of six are (36 - 10) / 90 = .29 of agreement. No
# warning; the counts of its own example, randint(0, 10, (100, 5)) for "10 raters", are of that kind.
# And mode="probs" takes the number of raters for that of classes: three networks on seven classes raise "Class
# values must be smaller than num_classes".
# Since: it came (1.0.0, run). statsmodels 0.15.0 raises AssertionError (run). No issue told it when we looked (November
#   2026).
# Source: torchmetrics/functional/nominal/fleiss_kappa.py, _fleiss_kappa_compute: counts.sum(1).max(), and
#   _fleiss_kappa_update: num_classes=ratings.shape[1], after the argmax over the classes.
# Bitten: who says how well voters agree, as those of FER+, where some votes are left out or not all saw each image; who
#   takes the agreement of a few networks.
set -euo pipefail
sed -n '2,/^set /{/^set /!s/^# \{0,1\}//p}' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${FINDINGS_PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile torchmetrics==1.9.0 torch==2.13.0 krippendorff==0.9.0 numpy==2.4.6
cd "$work"
echo "Now:"
venv/bin/python - <<'EOF' 2>log || { cat log; exit 1; }
import krippendorff
import torch
from torchmetrics.nominal import FleissKappa

FACES, CLASSES, VOTERS = 700, 7, 10
torch.manual_seed(0)
truth = torch.arange(FACES).remainder(CLASSES)[:, None].expand(-1, VOTERS)
other = torch.randint(CLASSES, (FACES, VOTERS))
kept = torch.rand(FACES, VOTERS) < torch.linspace(1, 0.8, FACES)[:, None]


def counts(agreed: float, all_votes: bool) -> torch.Tensor:
    """Votes by face and class; so many voters see what is meant, the others anything."""
    votes = torch.where(torch.rand(FACES, VOTERS) < agreed, truth, other)
    used = torch.ones_like(kept) if all_votes else kept
    return (torch.nn.functional.one_hot(votes, CLASSES) * used[..., None]).sum(1)


seen = {}
for name, agreed in (("all agree", 1.0), ("most agree", 0.8)):
    for all_votes in (True, False):
        table = counts(agreed, all_votes)
        sums = table.sum(1)
        measure = FleissKappa(mode="counts")
        for batch in table.split(100):
            measure.update(batch)
        kappa = float(measure.compute())
        alpha = krippendorff.alpha(
            value_counts=table.numpy(), level_of_measurement="nominal"
        )
        seen[agreed, all_votes] = kappa, alpha
        votes = f"{int(sums.min())} to {int(sums.max())} votes:" if not all_votes else "10 votes:"
        print(f"  {name + ', ' + votes:26} kappa {kappa:.3f}  alpha {alpha:.3f}".replace(" 0.", "  ."))
try:
    FleissKappa(mode="probs").update(torch.rand(FACES, CLASSES, 3))
    said = "no error"
except RuntimeError as error:
    said = str(error)
print(f'  three networks, seven classes, mode="probs": {said}')
for agreed in (1.0, 0.8):
    (kappa, alpha), (fewer, as_alpha) = seen[agreed, True], seen[agreed, False]
    assert abs(kappa - alpha) < 0.01 and abs(as_alpha - alpha) < 0.02, "these were right"
    assert fewer < kappa - 0.1, "the behaviour has changed"
assert "smaller than num_classes" in said, "the behaviour has changed"
EOF
