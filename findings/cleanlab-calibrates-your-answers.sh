#!/usr/bin/env bash
# cleanlab writes its temperature into the networks' answers themselves: their log loss is another one afterwards.
#
# Guess: get_label_quality_multiannotator_ensemble(votes, answers, calibrate_probs=True) calibrates a copy, as the function
# for one network does, and the answers that were given to it are what the networks said.
# Seen, cleanlab 2.9.0, pandas 3.1.1, scikit-learn 1.9.1, numpy 2.4.6, Python 3.11; one network with three seeds, too sure of
# itself, 500 faces in seven classes, five votes each; log loss and calibration error, averages of the seeds:
#                     one network   ensemble
#   before:           2.318  .325   2.318  .325
#   after the call:   2.318  .325   1.542  .189
# No warning; of a memmap the answers on the disk are changed. get_active_learning_scores_ensemble does the same without
# being asked: it has no such switch.
# Since: 2.3.0, the first with the ensemble (run; 2.2.0 has no such function: read). No issue told it when we looked
#   (November 2026).
# Source: cleanlab/multiannotator.py, get_label_quality_multiannotator_ensemble: pred_probs[i] = temp_scale_pred_probs(...).
# Bitten: who looks at label quality first and reports log loss, calibration or sets of the same answers then; answers.copy()
#   keeps them.
set -euo pipefail
sed -n '2,/^set /{/^set /!s/^# \{0,1\}//p}' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${FINDINGS_PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile cleanlab==2.9.0 pandas==3.1.1 scikit-learn==1.9.1 numpy==2.4.6
cd "$work"
echo "Now:"
venv/bin/python - <<'EOF' 2>log || { cat log; exit 1; }
import numpy as np
from cleanlab.multiannotator import (
    get_active_learning_scores_ensemble,
    get_label_quality_multiannotator,
    get_label_quality_multiannotator_ensemble,
)

FACES, CLASSES, VOTES, SEEDS = 500, 7, 5, 3
rng = np.random.default_rng(0)
truth = rng.integers(CLASSES, size=FACES)
votes = rng.integers(CLASSES, size=(FACES, VOTES))
votes = np.where(rng.random(votes.shape) < 0.7, truth[:, None], votes).astype(float)
logits = rng.normal(size=(SEEDS, FACES, CLASSES))
logits[:, np.arange(FACES), truth] += 1.2
said = np.exp(4 * logits)
said /= said.sum(2, keepdims=True)


def measured(answers: np.ndarray) -> tuple[float, float]:
    """Log loss and calibration error in ten bins, averages over the seeds."""
    loss = -np.log(answers[:, np.arange(FACES), truth]).mean()
    errors = []
    for seed in answers:
        sure, right = seed.max(1), seed.argmax(1) == truth
        bins = [(sure > low) & (sure <= low + 0.1) for low in np.arange(10) / 10]
        errors.append(sum(abs(right[b].sum() - sure[b].sum()) for b in bins) / FACES)
    return float(loss), float(np.mean(errors))


def told(name: str, *pairs: tuple[float, float]) -> None:
    print(f"  {name:18}" + "   ".join(f"{loss:.3f}  {error:.3f}".replace(" 0.", " .") for loss, error in pairs))


one, ensemble = said.copy(), said.copy()
before = measured(one), measured(ensemble)
for answers in one:
    get_label_quality_multiannotator(votes, answers, calibrate_probs=True, verbose=False)
get_label_quality_multiannotator_ensemble(votes, ensemble, calibrate_probs=True, verbose=False)
after = measured(one), measured(ensemble)
print(f"{'':20}one network   ensemble")
told("before:", *before)
told("after the call:", *after)
on_disk = np.memmap("answers.bin", dtype=np.float64, mode="w+", shape=said.shape)
on_disk[:] = said
get_label_quality_multiannotator_ensemble(votes, on_disk, calibrate_probs=True, verbose=False)
on_disk.flush()
kept = np.fromfile("answers.bin").reshape(said.shape)
print(f"  the answers on the disk are {'what they were' if np.array_equal(kept, said) else 'changed'}")
asked_nothing = said.copy()
get_active_learning_scores_ensemble(votes, asked_nothing)
print(f"  after get_active_learning_scores_ensemble: {measured(asked_nothing)[0]:.3f}")
assert np.array_equal(one, said), "this was right"
assert after[1][0] < before[1][0] - 0.5 and after[1][1] < before[1][1] - 0.1, "the behaviour has changed"
assert np.allclose(kept, ensemble) and not np.allclose(asked_nothing, said), "the behaviour has changed"
EOF
