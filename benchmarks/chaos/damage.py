"""Files cut short: the journal in its last block, the newest checkpoint, and every table.

    python -m benchmarks.chaos.damage --n 5

A study with one worker is killed once; each time a copy of what it left is cut at random bytes and
resumed, and must equal the study that nothing befell, row for row.
"""

import argparse
import os
import random
import shutil
import sys
import tempfile
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import ray

from benchmarks.chaos import studies
from fer_record.journal import block_size
from study import run
from study.cluster import connection

STUDY = [
    *studies.SMALL, "--trials", "4", "--epochs", "4", "--seeds", "1", "--max-concurrent", "1",
    "--name", "s",
]  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.chaos.damage")
    parser.add_argument("--n", type=int, default=5)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    chance = random.Random(asked.seed)
    with tempfile.TemporaryDirectory(prefix="chaos-") as name:
        alone, killed = Path(name, "alone"), Path(name, "killed")
        alone.mkdir(), killed.mkdir()
        if studies.begin(alone, *STUDY).wait():
            return 1
        process = studies.begin(killed, *STUDY)
        studies.wait_for(process, killed / "runs" / "s", 10, "epoch_done")
        process.kill()
        process.wait()
        studies.gone(process.pid, within=60)
        connection.connect("local")
        found = []
        for number in range(asked.n):
            found.append(cut_and_resumed(killed, Path(name, f"cut{number}"), alone, chance))
        ray.shutdown()
    held = {what: all(each[what] for each in found) for what in found[0]}
    return studies.row("journal, newest checkpoint and tables cut short", asked.n, held, "")


def cut_and_resumed(killed: Path, work: Path, alone: Path, chance: random.Random) -> dict:
    shutil.copytree(killed, work)
    folder = work / "runs" / "s"
    journal = folder / "events.jsonl"
    size, last = journal.stat().st_size, last_block(journal.read_bytes())
    os.truncate(journal, size - chance.randint(1, last - 1))
    checkpoints = sorted(folder.glob("checkpoints/*/*.pt"))
    for path in [*checkpoints[-1:], *folder.glob("*.parquet")]:
        os.truncate(path, chance.randint(0, path.stat().st_size - 1))
    with redirect_stdout(StringIO()) as out:
        code = run.main(["--resume", str(folder)])
    told, repeated = out.getvalue(), studies.told_again(folder)
    held = {
        "resumed to its end": code == 0,
        "equal to the undisturbed study row for row": not studies.differences(
            folder, alone / "runs" / "s"
        ),
        "the journal's half is told": "no whole block: passed over" in told,
        "an epoch done again is told": "again: no checkpoint" in told or not repeated,
    }
    if not all(held.values()):
        print(held, told, file=sys.stderr)
    return held


def last_block(content: bytes) -> int:
    """How many bytes the last block of a whole journal has."""
    lines, at = content.splitlines(keepends=True), 0
    while at + block_size(lines[at]) < len(lines):
        at += block_size(lines[at])
    return sum(map(len, lines[at:]))


if __name__ == "__main__":
    sys.exit(main())
