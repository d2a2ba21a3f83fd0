#!/usr/bin/env bash
# permute's stratified test gives p = 0 to any two settings that were run once with each seed, and knows no direction.
#
# Guess: stratified_permutationtest(seed, setting, accuracy), for two settings "the difference in means, aggregated across
# groups", exchanges settings within a seed. Two equal settings have p < .05 in 5 % of studies, and of a setting that loses
# everywhere "greater" and "less" say that it does.
# Seen, permute 0.2, cryptorandom 0.4, scipy 1.17.1, numpy 2.4.6, Python 3.11; accuracies around .65, runs differ by .01:
#   two equal settings, ten seeds, one run each, 20 studies:
#     stratified_permutationtest, two-sided: p < .05 in 100%, and p = 0 in 100%
#     stratified_permutationtest, less:      p < .05 in 100%, and p = 0 in 100%
#     one_sample of the pairs, two-sided:    p < .05 in 0%
#   p of the second setting (two-sided, greater, less), ten seeds, one run each:
#     .03 better: 0.00 1.00 0.00
#     .03 worse:  0.00 1.00 0.00
#   the same, four data sets, five runs each:
#     .02 better on all:                     0.02 0.01 0.99
#     .02 worse on all:                      0.02 0.01 0.99
#     better on two of them, worse on two:   0.02 0.01 0.99
#   "greater", three settings, five runs each, the third one .3 worse:
#     on three data sets: 0.01
#     on two data sets:   0.98
#   stratified_two_sample(stat="mean"), two-sided, three seeds, one run each:
#     second setting .05 worse:  0.34
#     second setting .05 better: 0.00
# Within each stratum it takes |difference|, or the standard deviation from three strata on, and adds these up: with one run
# each all permutations have the same sum. p is then 1, "less" is 1 - p, and two-sided is twice the lesser of both: 0. Which
# statistic it takes goes by the number of strata, not of settings: of two data sets only the first two settings count.
# stratified_two_sample keeps the sign; its "less" and "two-sided" are 0 too where no permutation is below what was seen.
# Since: 0.1a4 has the same lines; 0.1a3 takes u[0] - u[1] of two strata, the standard deviation of more, and has no
#   such p (read). That the number of strata decides is said in a comment on pull request 193 of statlab/permute.
# Source: permute/stratified.py, stratified_permutationtest_mean: `len(groups) == 2` chooses np.fabs(u[0] - u[1]), otherwise
#   np.std; stratified_permutationtest and stratified_two_sample: thePvalue.
# Bitten: who compares settings with seeds, folds, persons or data sets as strata. permute.core.one_sample of the pairs is
#   right for one run each.
set -euo pipefail
sed -n '2,/^set /{/^set /!s/^# \{0,1\}//p}' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${FINDINGS_PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile permute==0.2 cryptorandom==0.4 scipy==1.17.1 numpy==2.4.6
cd "$work"
echo "Now:"
OMP_NUM_THREADS=1 venv/bin/python - <<'EOF' 2>log || { cat log; exit 1; }
import numpy as np
from permute.core import one_sample
from permute.stratified import stratified_permutationtest, stratified_two_sample

STUDIES, REPS = 20, 99
ALTERNATIVES = ("two-sided", "greater", "less")


def study(seed: int, runs: int, gains: list[list[float]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """One row a run: stratum, setting, accuracy. gains[stratum][setting] is what the setting adds there."""
    chance = np.random.default_rng(seed)
    rows = []
    for stratum, added in enumerate(gains):
        level = chance.normal(0.65, 0.03)
        for setting, gain in enumerate(added):
            rows += [(stratum, setting, level + gain + chance.normal(0, 0.01)) for _ in range(runs)]
    strata, settings, accuracies = np.array(rows).T
    return strata.astype(int), settings.astype(int), accuracies


def p(table, alternative: str = "two-sided", test=stratified_permutationtest) -> float:
    return float(test(*table, alternative=alternative, reps=REPS, seed=1)[0])


equal = [study(seed, 1, [[0, 0]] * 10) for seed in range(STUDIES)]
values = {alternative: np.array([p(table, alternative) for table in equal]) for alternative in ("two-sided", "less")}
pairs = np.array([
    one_sample(
        accuracies[settings == 0], accuracies[settings == 1], reps=REPS, alternative="two-sided", seed=1
    )[0]
    for _, settings, accuracies in equal
])
print(f"  two equal settings, ten seeds, one run each, {STUDIES} studies:")
for alternative, found in values.items():
    name = f"stratified_permutationtest, {alternative}:"
    print(f"    {name:38} p < .05 in {np.mean(found < 0.05):.0%}, and p = 0 in {np.mean(found == 0):.0%}")
print(f"    {'one_sample of the pairs, two-sided:':38} p < .05 in {np.mean(pairs < 0.05):.0%}")


def each(runs: int, gains: list[list[float]]) -> list[float]:
    table = study(100, runs, gains)
    return [p(table, alternative) for alternative in ALTERNATIVES]


def text(found: list[float]) -> str:
    return " ".join(f"{value:.2f}" for value in found)


once = each(1, [[0, 0.03]] * 10), each(1, [[0, -0.03]] * 10)
print(f"  p of the second setting ({', '.join(ALTERNATIVES)}), ten seeds, one run each:")
print("    .03 better:", text(once[0]))
print("    .03 worse: ", text(once[1]))
better, worse, both = each(5, [[0, 0.02]] * 4), each(5, [[0, -0.02]] * 4), each(5, [[0, 0.02], [0, -0.02]] * 2)
print("  the same, four data sets, five runs each:")
for name, found in (
    (".02 better on all:", better), (".02 worse on all:", worse), ("better on two of them, worse on two:", both)
):
    print(f"    {name:38} {text(found)}")
third = [p(study(1, 5, [[0, 0, -0.3]] * strata), "greater") for strata in (3, 2)]
print('  "greater", three settings, five runs each, the third one .3 worse:')
print(f"    on three data sets: {third[0]:.2f}\n    on two data sets:   {third[1]:.2f}")
three = [p(study(5, 1, [[0, gain]] * 3), test=stratified_two_sample) for gain in (-0.05, 0.05)]
print('  stratified_two_sample(stat="mean"), two-sided, three seeds, one run each:')
print(f"    second setting .05 worse:  {three[0]:.2f}\n    second setting .05 better: {three[1]:.2f}")

assert np.mean(pairs < 0.05) < 0.2 and three[0] > 0.1, "these were right"
assert all(np.all(found == 0) for found in values.values()), "the behaviour has changed"
assert once[0] == once[1] == [0, 1, 0] and better == worse == both, "the behaviour has changed"
assert better[1] < 0.05 and third[0] < 0.05 < third[1] and three[1] == 0, "the behaviour has changed"
EOF
