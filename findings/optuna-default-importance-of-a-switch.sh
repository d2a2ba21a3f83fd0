#!/usr/bin/env bash
# Optuna's new default importance gives a switch that decides nearly everything next to nothing.
#
# Guess: get_param_importances ranks what has 90 % of the variance first, as it did up to Optuna 4.
# Seen, optuna 5.0.0 with scikit-learn 1.9.1, Python 3.11; accuracy by a switch (augment, on or off) and a
# quadratic in log10(lr), drawn as a float of -5 to -1; the share that augment gets in three studies:
#   200 random trials, 90 % of the variance:                by default 0.03 0.10 0.07   by fANOVA 0.91 0.90 0.90
#   the same with 5 % of noise:                             by default 0.24 0.34 0.33   by fANOVA 0.92 0.93 0.92
#   lr of two values instead, with the same 10 %:           by default 0.49 0.44 0.43   by fANOVA 0.92 0.93 0.93
#   100 trials of TPE, augment worth 20 points, lr up to 8: by default 0.00 0.00 0.00   by fANOVA 0.95 0.95 0.96
# It asks how far the best tenth of the trials lies from all trials, for each hyperparameter alone. A choice
# of two can at most double its density (a divergence of 1), the best tenth of a learning rate may lie in a
# tenth of its range (9): the score grows with the number of values, not with what they change. And where
# the search has soon seen that augment is better (80 trials of 100), the best tenth hardly differs in it.
# Since: 5.0.0, where PedAnovaImportanceEvaluator became the default (pull request 6748); that class has
#   been there since 3.6 (pull request 5212). In 4.5.0 the default is fANOVA, with figures like those on the right (run).
# Source: optuna/importance/_ped_anova/evaluator.py, _compute_pearson_divergence: the sum of
#   local * (top / local - 1)^2 over the grid. Its documentation says that it's the importance of reaching
#   the top tenth, not that a switch can't have much of it.
# Bitten: who ranks a choice (augmentation, pretrained, network, optimiser) against a learning rate or
#   dropout, and who compares a ranking with one of Optuna 4. FanovaImportanceEvaluator() is the old one.
set -euo pipefail
sed -n '2,/^set /{/^set /!s/^# \{0,1\}//p}' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${FINDINGS_PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile optuna==5.0.0 scikit-learn==1.9.1 numpy==2.4.6
cd "$work"
echo "Now:"
venv/bin/python - <<'EOF'
import warnings

import numpy as np
import optuna
from optuna.distributions import CategoricalDistribution, FloatDistribution
from optuna.importance import FanovaImportanceEvaluator, get_param_importances

optuna.logging.set_verbosity(optuna.logging.ERROR)
warnings.simplefilter("ignore")  # fANOVA is experimental
SWITCH, POWER = CategoricalDistribution([False, True]), FloatDistribution(-5, -1)


def standard(values):
    return (values - values.mean()) / values.std()


def random(seed, noise=0.0, two=False):
    """200 trials: 90 % of the variance is the switch's, the rest lr's and noise."""
    rng = np.random.default_rng(seed)
    augment, power = rng.integers(0, 2, 200), rng.uniform(-5, -1, 200)
    lr, by_lr = (power > -3, power > -3) if two else (power, -((power + 3) ** 2))
    parts = zip((0.9, 0.1 - noise, noise), (augment, by_lr.astype(float), rng.standard_normal(200)))
    accuracy = 0.5 + 0.1 * sum(share**0.5 * standard(values) for share, values in parts)
    space = {"augment": SWITCH, "lr": SWITCH if two else POWER}
    study = optuna.create_study(direction="maximize")
    for on, rate, value in zip(augment.tolist(), lr.tolist(), accuracy.tolist()):
        params = {"augment": bool(on), "lr": rate}
        study.add_trial(optuna.create_trial(params=params, distributions=space, value=value))
    return study


def tpe(seed):
    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=seed))
    for _ in range(100):
        trial = study.ask({"augment": SWITCH, "lr": POWER})
        study.tell(trial, 0.5 + 0.2 * trial.params["augment"] - 0.02 * (trial.params["lr"] + 3) ** 2)
    return study


seen = {}
for name, made in {
    "200 random trials, 90 % of the variance": random,
    "the same with 5 % of noise": lambda seed: random(seed, noise=0.05),
    "lr of two values instead, with the same 10 %": lambda seed: random(seed, two=True),
    "100 trials of TPE, augment worth 20 points, lr up to 8": tpe,
}.items():
    studies = [made(seed) for seed in range(3)]
    by_default = [get_param_importances(study)["augment"] for study in studies]
    fanova = [get_param_importances(s, evaluator=FanovaImportanceEvaluator(seed=0))["augment"] for s in studies]
    seen[name] = by_default, fanova
    shares = [" ".join(f"{share:.2f}" for share in found) for found in seen[name]]
    print(f"  {name + ':':55} by default {shares[0]}   by fANOVA {shares[1]}")
drawn, noisy, two, searched = seen.values()
assert max(drawn[0]) < 0.2 and min(drawn[1]) > 0.8, "the behaviour has changed"
assert max(noisy[0]) < 0.8 < min(noisy[1]), "the behaviour has changed"
assert max(two[0]) < 0.6 and min(two[1]) > 0.8, "the behaviour has changed"
assert max(searched[0]) < 0.05 and min(searched[1]) > 0.5, "the behaviour has changed"
EOF
