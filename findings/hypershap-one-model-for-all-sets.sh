#!/usr/bin/env bash
# HyperSHAP over several data sets with a base_model explains the last data set alone.
#
# Guess: from_data_multidata(space, [trials on FER-2013, trials on RAF-DB], base_model=...) fits one such model for each
#   data set, as it does without a base_model; the values are the mean of both and don't depend on the order.
# Seen, hypershap 0.0.6, shapiq 1.4.1, configspace 1.2.2, scikit-learn 1.9.1, numpy 2.4.6, Python 3.11; 200 trials on each of
# two data sets, the learning rate matters on FER-2013, dropout on RAF-DB; Shapley values of the tunability (accuracy):
#                                          learning rate       dropout         mixup
#   FER-2013 alone:                              0.058         0.001         0.000
#   RAF-DB alone:                                0.001         0.056         0.002
#   both, no base_model:                         0.030         0.028         0.001
#   both, base_model:                            0.001         0.056         0.002
#   both in the other order, base_model:         0.058         0.001         0.000
#   both, a model of its own each:               0.030         0.028         0.001
# The same estimator is fitted to each data set in turn and kept as the model of all, so the last fit speaks for all of
# them. The forest that is written down here is the one that is taken by default. No warning; ablation, sensitivity and
# mistunability read the same list. from_function_multidata does the same (read).
# Since: 0.0.3, the first version with several data sets (read). No issue told it when we looked (November 2026).
# Source: hypershap/task.py, from_data_multidata: the base_model is handed on for each data set;
#   hypershap/surrogate_model.py, DataBasedSurrogateModel: it is fitted and kept, not a clone of it.
# Bitten: who asks which hyperparameters matter over data sets, seeds or networks and names a model, with a seed or more
#   trees or other than a forest. One ExplanationTask.from_data for each data set, with a model of its own, and their
#   surrogate models as a list for ExplanationTask, and it is right.
set -euo pipefail
sed -n '2,/^set /{/^set /!s/^# \{0,1\}//p}' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${FINDINGS_PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile hypershap==0.0.6 shapiq==1.4.1 configspace==1.2.2 scikit-learn==1.9.1 numpy==2.4.6
cd "$work"
echo "Now:"
MPLCONFIGDIR="$work" venv/bin/python - <<'EOF' 2>log || { cat log; exit 1; }
import numpy as np
from ConfigSpace import ConfigurationSpace, Float
from hypershap import ExplanationTask, HyperSHAP
from sklearn.base import clone
from sklearn.ensemble import RandomForestRegressor

rng = np.random.default_rng(0)
space = ConfigurationSpace(seed=0)
space.add(
    Float("learning_rate", (1e-4, 1e-1), log=True, default=1e-3),
    Float("dropout", (0.0, 0.6), default=0.4),
    Float("mixup", (0.0, 1.0), default=0.2),
)


def trials(accuracy) -> list:
    return [(c, accuracy(c) + rng.normal(0, 0.003)) for c in space.sample_configuration(200)]


fer = trials(lambda c: 0.70 - 0.06 * (np.log10(c["learning_rate"]) + 2) ** 2)
raf = trials(lambda c: 0.85 - 0.6 * (c["dropout"] - 0.1) ** 2)
forest = RandomForestRegressor(random_state=0)


def told(what: str, task: ExplanationTask) -> np.ndarray:
    study = HyperSHAP(task)
    values = study.get_interaction_values_with_names(study.tunability(index="SV", order=1, n_samples=500))
    seen = np.array([values.get((name,), 0.0) for name in ("learning_rate", "dropout", "mixup")])
    print(f"  {what:36}", *(f"{value:13.3f}" for value in seen))
    return seen


print(" " * 39 + "learning rate       dropout         mixup")
alone = {name: told(f"{name} alone:", ExplanationTask.from_data(space, data, clone(forest)))
         for name, data in {"FER-2013": fer, "RAF-DB": raf}.items()}
default = told("both, no base_model:", ExplanationTask.from_data_multidata(space, [fer, raf]))
raf_last = told("both, base_model:", ExplanationTask.from_data_multidata(space, [fer, raf], forest))
fer_last = told("both in the other order, base_model:", ExplanationTask.from_data_multidata(space, [raf, fer], forest))
each = [ExplanationTask.from_data(space, data, clone(forest)).get_single_surrogate_model() for data in (fer, raf)]
by_hand = told("both, a model of its own each:", ExplanationTask(space, each))
assert np.allclose(default, by_hand) and np.allclose(default, (alone["FER-2013"] + alone["RAF-DB"]) / 2), "these were right"
assert default[0] > 0.02 and default[1] > 0.01, "these were right"
assert np.allclose(raf_last, alone["RAF-DB"]) and np.allclose(fer_last, alone["FER-2013"]), "the behaviour has changed"
EOF
