"""The disk that fills up, and the storage that is gone for a while. Needs root, for its mounts.

    python -m benchmarks.chaos.storage --n 3

Full: a small file system in memory, of a random size that no study fits in; then it is made larger.
Gone: the study's folder is unmounted at a random moment of the study; then it is mounted again.
"""

import argparse
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.chaos import studies

STUDY = [
    *studies.SMALL, "--trials", "3", "--epochs", "8", "--seeds", "1", "--scheduler", "none",
    "--name", "s",
]  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.chaos.storage")
    parser.add_argument("--n", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    chance = random.Random(asked.seed)
    codes = []
    for fault, struck in (("disk full", full), ("storage gone", gone)):
        found = []
        for _ in range(asked.n):
            with tempfile.TemporaryDirectory(prefix="chaos-") as name:
                found.append(struck(Path(name), chance))
        held = {what: all(each[what] for each in found) for what in found[0]}
        codes.append(studies.row(fault, asked.n, held, ""))
    return max(codes)


def mount(*words: str) -> None:
    subprocess.run(["mount", *words], check=True)


def full(work: Path, chance: random.Random) -> dict[str, bool]:
    disk = work / "disk"
    disk.mkdir()
    mount("-t", "tmpfs", "-o", f"size={chance.randint(1, 60)}m", "tmpfs", str(disk))
    try:
        process = studies.begin(work, *STUDY, "--out", "disk")
        out, _ = process.communicate()
        studies.gone(process.pid, within=60)
        mount("-o", "remount,size=900m", str(disk))
        return judged(work, disk / "s", process.returncode, out, "disk full at disk/s")
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


def gone(work: Path, chance: random.Random) -> dict[str, bool]:
    disk, real = work / "disk", work / "real"
    disk.mkdir(), real.mkdir()
    mount("--bind", str(real), str(disk))
    try:
        process = studies.begin(work, *STUDY, "--out", "disk")
        studies.wait_for(process, disk / "s", chance.randint(1, 5), "epoch_done")
        time.sleep(chance.uniform(0, 1))
        subprocess.run(["umount", "-l", str(disk)], check=True)
        out, _ = process.communicate()
        studies.gone(process.pid, within=60)
        mount("--bind", str(real), str(disk))
        return judged(work, disk / "s", process.returncode, out, "storage gone at disk/s")
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


def judged(work: Path, folder: Path, code: int, out: str, sentence: str) -> dict[str, bool]:
    """What held, and whether the study goes on once the storage is well again."""
    begun = (folder / "study.json").exists()  # a very small disk ends it before there is a study
    words = ["--resume", str(folder), "--address", "local"] if begun else [*STUDY, "--out", "disk"]
    before = studies.events(folder) if begun else []
    process = studies.begin(work, *words)
    again, _ = process.communicate()
    after = studies.events(folder)
    held = {
        "stopped with a sentence, exit code 2": code == 2 and sentence.split(" at ")[0] in out,
        "no traceback": "Traceback" not in out,
        "nothing lost of the journal": after[: len(before)] == before,
        "resumed to its end": process.returncode == 0,
    }
    if not all(held.values()):
        print(held, out, again, sep="\n", file=sys.stderr)
    return held


if __name__ == "__main__":
    sys.exit(main())
