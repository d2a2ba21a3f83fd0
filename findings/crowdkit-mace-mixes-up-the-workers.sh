#!/usr/bin/env bash
# MACE of crowd-kit gives each worker's habits to another: who only ever answers "neutral" comes out as the competent one.
#
# Guess: MACE finds out which workers answer without looking; labels and competences don't depend on how workers and classes
# are called or in which order the rows stand; n_restarts=10 starts from ten places and keeps the best.
# Seen, crowd-kit 1.4.2, pandas 3.1.1, scikit-learn 1.9.1, numpy 2.4.6, scipy 1.17.1, Python 3.11; 700 faces, five votes each
# by 20 workers, 8 of whom answer "neutral" without looking at 9 faces of 10; the share of right labels, and the correlation
# of MACE's competences with the true ones:
#                                         vb            em
#   names, rows as they come:              .513  -.957   .706   .536
#   names, rows in another order:          .447  -.979   .369  -.973
#   numbers in the order of appearance:    .883   .995   .891   .993
#   majority vote:                         .596
# Ten restarts: 1 place to start from.
# Workers and classes are numbered as they first appear, the counts from which it learns their habits come sorted by name,
# and are used by number: a worker gets the habits of another, a class those of another. With numbers in the order of
# appearance the two are the same. And random_state is a number, given anew to each restart.
# Since: 1.1.0, the first with MACE (1.1.0, 1.2.0 and 1.3.0 have the same lines, 1.0.0 has no MACE: read). No issue told
#   it when we looked (November 2026).
# Source: crowdkit/aggregation/classification/mace.py, fit: pd.factorize; _e_step: groupby(["worker", "label"]) ...
#   unstack(), whose .values become thetas_; _initialize: rvs(random_state=self.random_state).
# Bitten: who aggregates votes on faces with it, or drops workers by its competences. Give it numbers, as above, and turn
#   the labels back; leave n_restarts at 1.
set -euo pipefail
sed -n '2,/^set /{/^set /!s/^# \{0,1\}//p}' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${FINDINGS_PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile crowd-kit==1.4.2 pandas==3.1.1 numpy==2.4.6
"$work/venv/bin/pip" install --quiet --no-compile scikit-learn==1.9.1 scipy==1.17.1 numpy==2.4.6
cd "$work"
echo "Now:"
venv/bin/python - <<'EOF' 2>log || { cat log; exit 1; }
import numpy as np
import pandas as pd
from crowdkit.aggregation import MACE, MajorityVote

CLASSES = np.array(["anger", "disgust", "fear", "happiness", "neutral", "sadness", "surprise"])
FACES, WORKERS, VOTES, LAZY = 700, 20, 5, 8
rng = np.random.default_rng(0)
truth = rng.choice(7, FACES, p=[0.14, 0.02, 0.14, 0.25, 0.17, 0.11, 0.17])
looks = rng.permutation([0.1] * LAZY + [0.75] * (WORKERS - LAZY))  # the share of faces that one looks at
worker = rng.random((FACES, WORKERS)).argsort(axis=1)[:, :VOTES]
guess = np.where(looks[worker] == 0.1, 4, rng.integers(7, size=worker.shape))
vote = np.where(rng.random(worker.shape) < looks[worker], truth[:, None], guess)
WORKER_NAMES = np.array([f"worker{number:02}" for number in range(WORKERS)])
votes = pd.DataFrame(
    {
        "task": np.repeat(np.arange(FACES), VOTES),
        "worker": WORKER_NAMES[worker.ravel()],
        "label": CLASSES[vote.ravel()],
    }
)


def numbered(table: pd.DataFrame) -> pd.DataFrame:
    return table.assign(worker=pd.factorize(table["worker"])[0], label=pd.factorize(table["label"])[0])


def right(labels: pd.Series) -> float:
    return float(np.mean(labels.reindex(range(FACES)).to_numpy() == CLASSES[truth]))


def judged(method: str, table: pd.DataFrame, numbers: bool) -> tuple[float, float]:
    """The share of right labels, and the correlation of the competences with the true ones."""
    model = MACE(n_restarts=1, method=method)
    labels = model.fit_predict(numbered(table) if numbers else table)
    if numbers:
        labels = labels.map(dict(enumerate(pd.unique(table["label"]))))
    competence = pd.Series(model.spamming_[:, 1], index=pd.unique(table["worker"])).reindex(WORKER_NAMES)
    return right(labels), float(np.corrcoef(competence, looks)[0, 1])


seen = {}
print(f"{'':42}vb            em")
for name, table, numbers in (
    ("names, rows as they come", votes, False),
    ("names, rows in another order", votes.sample(frac=1, random_state=1), False),
    ("numbers in the order of appearance", votes, True),
):
    seen[name] = [judged(method, table, numbers) for method in ("vb", "em")]
    told = "  ".join(f"{share:5.3f} {agrees:6.3f}".replace("0.", " .").replace("- .", " -.") for share, agrees in seen[name])
    print(f"  {name + ':':38}{told}")
majority = right(MajorityVote().fit_predict(votes))
print(f"  {'majority vote:':39}{majority:.3f}".replace("0.", "."))

starts = set()


class Watched(MACE):
    def _initialize(self, n_workers: int, n_labels: int) -> None:
        super()._initialize(n_workers, n_labels)
        starts.add((self.spamming_.tobytes(), self.thetas_.tobytes()))


Watched(n_restarts=10, n_iter=1).fit(votes)
print(f"Ten restarts: {len(starts)} place to start from.")
come, other, numbers = seen.values()
for share, agrees in numbers:
    assert share > majority + 0.15 and agrees > 0.95, "these were right"
for share, agrees in (come[0], other[0]):
    assert share < majority - 0.05 and agrees < -0.8, "the behaviour has changed"
assert all(wrong[1][0] < numbers[1][0] - 0.1 for wrong in (come, other)), "the behaviour has changed"
assert len(starts) == 1, "the behaviour has changed"
EOF
