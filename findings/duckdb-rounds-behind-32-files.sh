#!/usr/bin/env bash
# DuckDB reads a hyperparameter of all trials behind the thirty-second as a whole number.
#
# Guess: select from 'search/*/result.json' gives the numbers that are in the files, or an error.
# Seen, duckdb 2.0.1, Python 3.11; a grid of 4 learning rates, 10 seeds and [0, .0001, .001] for the weight
# decay, a result.json for each of the 120 trials, laid out and ordered as Ray Tune does it:
#   json:                        0: 40 trials, .60   0.0001: 40 trials, .62   0.001: 40 trials, .65
#   duckdb:                      0: 120 trials, .62
#   duckdb, union_by_name=true:  0: 40 trials, .60   0.0001: 40 trials, .62   0.001: 40 trials, .65
#   [0, .3, .6] in that place:   0: 80 trials, .61   1: 40 trials, .65
#   zeros in the first 31 files: all is right; in the first 32: all behind them are rounded
# The types come from the first 32 files, where a 0 that a person wrote as 0 is whole; a fraction behind
# them is cast to that without a word. The same trials as progress.csv are refused: "Schema mismatch".
# Since: 1.0.0 (2024) or before (run, and 1.4.4); read_json looks into several files since pull request 8891 (2023).
# Source: extension/json/json_functions/json_transform.cpp, GetValueNumerical: a real number is cast to the
#   column's type like any other; read_json's maximum_sample_files is 32. DuckDB issue 25786 (open, of
#   September 2026) has it of numbers behind the first 20,480 lines, which a search's epochs seldom fill.
# Bitten: who asks a search of more than 32 trials about a weight decay, dropout or momentum of 0, .1, .5
#   and finds that it makes no difference. Ray's grid varies what comes last in the alphabet slowest.
set -euo pipefail
sed -n '2,/^set /{/^set /!s/^# \{0,1\}//p}' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${FINDINGS_PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile duckdb==2.0.1
cd "$work"
echo "Now:"
venv/bin/python - <<'EOF'
import itertools
import json
from pathlib import Path

import duckdb

ACCURACY = (0.60, 0.62, 0.65)


def search(name: str, values: list[float], first: int | None = None) -> None:
    """A folder a trial, in the order of Ray's grid; or `first` of the first value and 40 of the next."""
    grid = list(itertools.product(range(3), range(10), (0.001, 0.01, 0.1, 1.0)))
    if first is not None:
        grid = [(0, seed, 0.1) for seed in range(first)] + [(1, seed, 0.1) for seed in range(40)]
    for number, (which, seed, lr) in enumerate(grid):
        folder = Path(name, f"train_0a1b2_{number:05d}")
        folder.mkdir(parents=True)
        config = {"lr": lr, "seed": seed, "weight_decay": values[which]}
        row = {"training_iteration": 1, "accuracy": ACCURACY[which], "config": config}
        (folder / "result.json").write_text(json.dumps(row) + "\n")
        line = f"1,{ACCURACY[which]},{values[which]}\n"
        (folder / "progress.csv").write_text("training_iteration,accuracy,config/weight_decay\n" + line)


def by_json(name: str) -> list[tuple]:
    rows = [json.loads(path.read_text()) for path in Path(name).glob("*/result.json")]
    found: dict[float, list[float]] = {}
    for row in rows:
        found.setdefault(row["config"]["weight_decay"], []).append(row["accuracy"])
    return [(value, len(of), round(sum(of) / len(of), 2)) for value, of in sorted(found.items())]


def by_duckdb(name: str, options: str = "") -> list[tuple]:
    return duckdb.sql(
        f"""select config.weight_decay, count(*), round(avg(accuracy), 2)
        from read_json('{name}/*/result.json'{options}) group by 1 order by 1"""
    ).fetchall()


def told(rows: list[tuple]) -> str:
    return "   ".join(f"{value:g}: {count} trials, {mean:.2f}" for value, count, mean in rows)


search("decay", [0, 0.0001, 0.001])
search("depth", [0, 0.3, 0.6])
search("early", [0, 0.5], first=31)
search("late", [0, 0.5], first=32)
held, seen, united = by_json("decay"), by_duckdb("decay"), by_duckdb("decay", ", union_by_name=true")
print("  json:                       ", told(held))
print("  duckdb:                     ", told(seen))
print("  duckdb, union_by_name=true: ", told(united))
print("  [0, .3, .6] in that place:  ", told(by_duckdb("depth")))
for name, first in (("early", 31), ("late", 32)):
    print(f"  zeros in {first} files, then .5: ", told(by_duckdb(name)))
try:
    duckdb.sql("select * from 'decay/*/progress.csv'").fetchall()
    refused = "nothing"
except duckdb.Error as error:
    refused = str(error).splitlines()[0]
print("  progress.csv:               ", refused)
assert [count for _, count, _ in held] == [40, 40, 40] and united == held, "the behaviour has changed"
assert seen == [(0, 120, 0.62)], "the behaviour has changed"
assert [row[:2] for row in by_duckdb("depth")] == [(0, 80), (1, 40)], "the behaviour has changed"
assert by_duckdb("early") == by_json("early") != by_duckdb("late"), "the behaviour has changed"
assert "Schema mismatch" in refused, "the behaviour has changed"
EOF
