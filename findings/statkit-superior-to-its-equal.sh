#!/usr/bin/env bash
# statkit's test of one network against the rest finds it superior to an equal one as soon as worse ones stand beside them.
#
# Guess: one_vs_rest_permutation_test, whose null hypothesis is that the first network's predictions are "similar to the
# highest metric of (and thus, doesn't outperform) the rest", has p < .05 in 5 % of test sets if the best of the rest is as
# good as the first, and more of the rest, none of them better, don't make it easier.
# Seen, statkit 1.1.0, scikit-learn 1.9.1, scipy 1.17.1, numpy 2.4.6, pandas 3.1.1, Python 3.11; in 200 test sets of 500 faces,
# the first network has an accuracy of .60:
#   best two alone, paired_permutation_test:   superior in 6.0%
#   against one of .60:                        superior in 4.5%
#   against five of .60:                       superior in 4.5%
#   against one of .60 and four of .50:        superior in 29.0%
#   against one of .60 and ten of .50:         superior in 41.5%
#   against one of .61 and ten of .50:         superior in 32.0%
# The permutations mix all networks, the worse ones too, so all of them become equal, and the highest of many equal ones is
# above the first by chance. The real difference to the one good rival has no such handicap.
# Since: 0.2.7 at the latest (0.2.7, 1.0.0, 1.0.1, 1.0.3 and 1.1.0 have the same lines, 0.2.1 has no such test: read).
# Source: statkit/non_parametric.py, one_vs_rest_permutation_test: random_state.permuted(Y_pred, axis=1) over all columns,
#   then the first one's score minus the max of the others'.
# Bitten: who shows with it that the best of several networks or settings is better than the others. Test it against the
#   second by paired_permutation_test.
set -euo pipefail
sed -n '2,/^set /{/^set /!s/^# \{0,1\}//p}' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${FINDINGS_PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile statkit==1.1.0 scikit-learn==1.9.1 scipy==1.17.1
"$work/venv/bin/pip" install --quiet --no-compile numpy==2.4.6 pandas==3.1.1
cd "$work"
echo "Now:"
OMP_NUM_THREADS=1 venv/bin/python - <<'EOF' 2>log || { cat log; exit 1; }
import numpy as np
from statkit.non_parametric import one_vs_rest_permutation_test, paired_permutation_test

FACES, SETS, PERMUTATIONS = 500, 200, 200
SHARES = [0.14, 0.02, 0.14, 0.25, 0.17, 0.11, 0.17]


def accuracy(labels: np.ndarray, answers: np.ndarray) -> float:
    return float(np.mean(labels == answers))


def answers(chance: np.random.Generator, labels: np.ndarray, share: float) -> np.ndarray:
    """Those of a network that is right with this probability, and otherwise names any other class."""
    others = (labels + chance.integers(1, 7, len(labels))) % 7
    return np.where(chance.random(len(labels)) < share, labels, others)


def rejected(first: float, rest: list[float], test) -> float:
    """The share of test sets in which the test finds the first network better, at a level of .05."""
    found = 0
    for seed in range(SETS):
        chance = np.random.default_rng(seed)
        labels = chance.choice(7, FACES, p=SHARES)
        given = [answers(chance, labels, share) for share in (first, *rest)]
        p = test(
            labels, *given, metric=accuracy, alternative="greater", n_iterations=PERMUTATIONS, random_state=seed
        )
        found += p < 0.05
    return found / SETS


seen = []
for name, first, rest, test in (
    ("best two alone, paired_permutation_test", 0.6, [0.6], paired_permutation_test),
    ("against one of .60", 0.6, [0.6], one_vs_rest_permutation_test),
    ("against five of .60", 0.6, [0.6] * 5, one_vs_rest_permutation_test),
    ("against one of .60 and four of .50", 0.6, [0.6] + [0.5] * 4, one_vs_rest_permutation_test),
    ("against one of .60 and ten of .50", 0.6, [0.6] + [0.5] * 10, one_vs_rest_permutation_test),
    ("against one of .61 and ten of .50", 0.6, [0.61] + [0.5] * 10, one_vs_rest_permutation_test),
):
    seen.append(rejected(first, rest, test))
    print(f"  {name + ':':42} superior in {seen[-1]:.1%}")
paired, one, five, four_worse, ten_worse, better = seen
assert max(paired, one, five) < 0.1, "these were right"
assert min(four_worse, ten_worse) > 0.2 and better > 0.1, "the behaviour has changed"
EOF
