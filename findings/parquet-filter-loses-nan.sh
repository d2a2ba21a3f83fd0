#!/usr/bin/env bash
# A filter on a Parquet file does not find the diverged trial that the same filter finds in memory.
#
# Guess: reading with a filter and filtering what was read give the same rows.
# Seen, pyarrow 26.0.1, duckdb 2.0.1, polars 2.1.0, Python 3.11; losses 1.2, NaN, 1.9 of trials a, b, c:
#   pyarrow, ~(loss < 10)          file: []     memory: ['b']
#   duckdb, isnan(loss)            file: []     memory: ['b']
#   duckdb, loss > 10              file: []     memory: ['b']    (NaN is its largest number)
#   duckdb, max(loss)              file: 1.9    memory: nan
#   polars, is_nan() and > 10      file: ['b']  memory: ['b']
# The writer leaves NaN out of a row group's minimum and maximum, as the format says; pyarrow and
# DuckDB then skip the row group by them. DuckDB finds it with read_parquet(..., can_have_nan=true) and
# in its own files, which have no minimum and maximum where there is a NaN.
# Since: pyarrow the same in 18.1.0 (run); DuckDB `loss > 10` the same in 1.4.4 (run), where isnan
#   still found the row (pull request 25550 of September 2026 made functions skip row groups).
# Source: parquet.thrift, Statistics ("When looking for NaN values, min and max should be ignored");
#   DuckDB issue 25521 and pull requests 17883 (can_have_nan,
#   false by default) and 25747; Arrow issue 28074 (closed).
# Bitten: who asks a study's table of epochs "which trials diverged?" with DuckDB, or with filters=
#   of pyarrow or pandas, and gets none.
set -euo pipefail
sed -n '2,/^set /{/^set /!s/^# \{0,1\}//p}' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${FINDINGS_PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile pyarrow==26.0.1 duckdb==2.0.1 polars==2.1.0
cd "$work"
echo "Now:"
venv/bin/python - <<'EOF'
import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

table = pa.table({"trial": ["a", "b", "c"], "loss": [1.2, float("nan"), 1.9]})
pq.write_table(table, "epochs.parquet")
seen = {}

diverged = ~(pc.field("loss") < 10)
seen["pyarrow ~(loss < 10)"] = (
    pq.read_table("epochs.parquet", filters=diverged)["trial"].to_pylist(),
    table.filter(diverged)["trial"].to_pylist(),
)
duckdb.sql("create table memory as select * from 'epochs.parquet'")
for where in ("isnan(loss)", "loss > 10"):
    seen[f"duckdb {where}"] = tuple(
        [row[0] for row in duckdb.sql(f"select trial from {source} where {where}").fetchall()]
        for source in ("'epochs.parquet'", "memory")
    )
for name, where in (("is_nan()", pl.col("loss").is_nan()), ("> 10", pl.col("loss") > 10)):
    seen[f"polars {name}"] = (
        pl.scan_parquet("epochs.parquet").filter(where).collect()["trial"].to_list(),
        pl.read_parquet("epochs.parquet").filter(where)["trial"].to_list(),
    )
for name, (file, held) in seen.items():
    print(f"  {name:22} file: {file!s:6} memory: {held}")
largest = [
    str(duckdb.sql(f"select max(loss) from {source}").fetchall()[0][0])
    for source in ("'epochs.parquet'", "memory")
]
told = duckdb.sql(
    "select trial from read_parquet('epochs.parquet', can_have_nan=true) where isnan(loss)"
).fetchall()
print(f"  duckdb max(loss)       file: {largest[0]}    memory: {largest[1]}")
print("  duckdb isnan(loss) with can_have_nan=true:", told)
assert list(seen.values()) == [([], ["b"])] * 3 + [(["b"], ["b"])] * 2, "the behaviour has changed"
assert largest == ["1.9", "nan"] and told == [("b",)], "the behaviour has changed"
EOF
