#!/usr/bin/env bash
# arch's SPA, RealityCheck and StepM don't studentise: studentize=True, the default, and False give the same p-values.
#
# Guess: with studentize=True each model's mean difference from the baseline is divided by its standard error, so that a
#   small but sure gain isn't hidden by the noise of other models; False is White's test of the raw means.
# Seen, arch 8.0.0, scipy 1.17.1, pandas 3.1.1, numpy 2.4.6, Python 3.11; log losses on 1,000 faces of a baseline, of the
# same network with better calibration, and of nine other networks as good as the baseline:
#   gain of the better calibrated one: 0.0396 (t = 7.0),
#   standard deviation of the differences: 0.18, of the others 1.92
#   StepM finds, as it is: []  scaled by hand: [0]
#   p of SPA with studentize=True 0.402, False 0.402, True and nested 0.402, by hand 0.000
#   of 20 test sets p < .05: with studentize=True 0, False 0, by hand 20
# studentize is kept, printed as "studentization: asymptotic", and used nowhere. The variances that are computed only say
# which models are too bad to count; the statistic and its bootstrap are raw means, so the noisiest model sets the bar.
# Scaled by hand, the same class finds the better network. RealityCheck is SPA under another name (read).
# Since: the same lines in 5.6.0 and 7.2.0 (read); 8.0.0 run. The docstring says "flag indicating to studentize loss
#   differentials" and cites Hansen (2005), whose statistic is studentised. No issue told it when we looked (November 2026).
# Source: arch/bootstrap/multiple_comparison.py, SPA.__init__: self.studentize, read again for _info only; compute():
#   max of loss_diff.mean(axis=0); _simulate_values: loss_diff_star.mean(0) - mean.
# Bitten: who compares many settings with a baseline by their losses, some close to it and some trained anew. Divide each
#   column of differences by its standard deviation: SPA(zeros, -difference / difference.std(axis=0)).
set -euo pipefail
sed -n '2,/^set /{/^set /!s/^# \{0,1\}//p}' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${FINDINGS_PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile arch==8.0.0 scipy==1.17.1 pandas==3.1.1 numpy==2.4.6
cd "$work"
echo "Now:"
venv/bin/python - <<'EOF' 2>log || { cat log; exit 1; }
import numpy as np
from arch.bootstrap import SPA, StepM
from scipy.special import log_softmax

FACES, OTHERS, SETS = 1000, 9, 20
rng = np.random.default_rng(0)


def loss(label: np.ndarray, scale: float, noise: np.ndarray) -> np.ndarray:
    logits = noise.copy()
    logits[np.arange(FACES), label] += 1.6
    return -log_softmax(scale * 1.6 * logits, axis=1)[np.arange(FACES), label]  # 1.6 is calibrated


def test_set() -> tuple[np.ndarray, np.ndarray]:
    """Losses (faces,) of the baseline and (faces, 10) of the settings, the better calibrated one first."""
    label, seen = rng.integers(0, 7, FACES), rng.normal(size=(FACES, 7))
    others = [loss(label, 1.4, rng.normal(size=(FACES, 7))) for _ in range(OTHERS)]
    return loss(label, 1.4, seen), np.column_stack([loss(label, 1.2, seen), *others])


def p(baseline, settings, **options) -> float:
    test = SPA(baseline, settings, block_size=1, reps=500, seed=1, **options)
    test.compute()
    return float(test.pvalues["consistent"])


def found(baseline, settings) -> list[int]:
    test = StepM(baseline, settings, block_size=1, reps=500, seed=1)
    test.compute()
    return [int(setting) for setting in test.superior_models]


nothing = np.zeros(FACES)
rows = []
for number in range(SETS):
    baseline, settings = test_set()
    gain = baseline[:, None] - settings
    scaled = -gain / gain.std(axis=0)
    if number == 0:
        t = gain[:, 0].mean() / gain[:, 0].std(ddof=1) * FACES**0.5
        print(f"  gain of the better calibrated one: {gain[:, 0].mean():.4f} (t = {t:.1f}),")
        print(f"  standard deviation of the differences: {gain[:, 0].std():.2f}, of the others {gain[:, 1:].std():.2f}")
        print("  StepM finds, as it is:", found(baseline, settings), " scaled by hand:", found(nothing, scaled))
    rows.append((
        p(baseline, settings),
        p(baseline, settings, studentize=False),
        p(baseline, settings, nested=True) if number == 0 else rows[0][0],
        p(nothing, scaled),
    ))
default, without, _, by_hand = np.array(rows).T
print("  p of SPA with studentize=True {:.3f}, False {:.3f}, True and nested {:.3f}, by hand {:.3f}".format(*rows[0]))
below = [int((values < 0.05).sum()) for values in (default, without, by_hand)]
print("  of {} test sets p < .05: with studentize=True {}, False {}, by hand {}".format(SETS, *below))
assert t > 4 and (by_hand < 0.05).mean() > 0.9, "these were right"
assert np.array_equal(default, without) and (default < 0.05).mean() < 0.2, "the behaviour has changed"
EOF
