"""Loading a data set with a cold and a warm cache: processor time and peak memory, this code beside
another checkout's, in turn.

    python -m benchmarks.loading fer2013.csv fer2013.zip --other ../before --rounds 3

Each load is a process of its own, of which Linux tells the processor's seconds (all threads). The
largest resident memory it reads of itself: its parent would be told at least what the parent has.
The ratio of two loads right after one another says what a busy machine can't. A source that the
other checkout can't read has no ratio.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks import measured

HERE = Path(__file__).parents[1]
# Older checkouts had the same function in study.data.
LOAD = """
import sys
try:
    from study.data.datasets import load
except ModuleNotFoundError:
    from study.data import load
load(sys.argv[1])
print("peak", next(line for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""


def main() -> None:
    made = argparse.ArgumentParser(prog="python -m benchmarks.loading", description=__doc__)
    made.add_argument("sources", nargs="+", help="as for --data")
    made.add_argument("--other", type=Path, help="a checkout to compare with")
    made.add_argument("--rounds", type=int, default=3)
    args = made.parse_args()
    for source in args.sources:
        rows: dict[tuple[str, str], list[tuple[float, float]]] = {}
        for _ in range(args.rounds):
            for name, tree in (("other", args.other), ("this", HERE)):
                if tree:
                    for cache, seen in zip(("cold", "warm"), loads(tree, source), strict=True):
                        rows.setdefault((name, cache), []).append(seen)
        for cache in ("cold", "warm"):
            print(told(source, cache, rows))
    print(measured.machine())


def loads(tree: Path, source: str) -> list[tuple[float, float]]:
    """Seconds and MiB of a load without, and then with what the first one kept."""
    with tempfile.TemporaryDirectory() as cache:
        return [cost(tree, source, cache) for _ in range(2)]


def cost(tree: Path, source: str, cache: str) -> tuple[float, float]:
    """Processor seconds and peak MiB of one load; infinite where it fails."""
    environment = os.environ | {"FER_STUDY_CACHE": cache, "PYTHONPATH": str(tree)}
    command = [sys.executable, "-c", LOAD, str(Path(source).resolve())]
    child = subprocess.Popen(
        command, env=environment, cwd=tree, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert child.stdout
    said = child.stdout.read().decode()
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = status
    if status:
        return float("inf"), float("inf")
    return used.ru_utime + used.ru_stime, int(said.rpartition("VmHWM:")[2].split()[0]) / 1024


def told(source: str, cache: str, rows: dict[tuple[str, str], list[tuple[float, float]]]) -> str:
    """A line: the medians, and the ratios of loads right after one another."""
    this, other = rows["this", cache], rows.get(("other", cache), [])
    parts = [f"{Path(source).name}, {cache} cache: {middle(this)}"]
    if other and other[0][0] < float("inf"):
        ratios = sorted(new[0] / old[0] for new, old in zip(this, other, strict=True))
        parts.append(f"the other {middle(other)}")
        parts.append(f"ratio {statistics.median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})")
    return "; ".join(parts)


def middle(each: list[tuple[float, float]]) -> str:
    seconds, memory = (statistics.median(column) for column in zip(*each, strict=True))
    return f"{seconds:.1f} s of processor, {memory:,.0f} MiB (median of {len(each)})"


if __name__ == "__main__":
    main()
