"""SIGINT, SIGTERM and a second Ctrl-C at random moments of a study, and the command to go on.

    python -m benchmarks.chaos.signals --n 9

Each is sent to a driver with much to do yet, after a random number of epochs and a random part of a
second; one study takes them all, and must come to its end after the last.
"""

import argparse
import random
import signal
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.chaos import studies

STUDY = [
    *studies.SMALL, "--trials", "6", "--epochs", "12", "--seeds", "1", "--scheduler", "none",
    "--name", "s",
]  # fmt: skip
KINDS = ("SIGINT", "SIGTERM", "SIGINT twice")
CODES = {"SIGINT": 130, "SIGTERM": 143, "SIGINT twice": 130}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.chaos.signals")
    parser.add_argument("--n", type=int, default=9)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    chance = random.Random(asked.seed)
    with tempfile.TemporaryDirectory(prefix="chaos-") as name:
        work, words = Path(name), STUDY
        seen: dict[str, list[dict[str, bool]]] = {kind: [] for kind in KINDS}
        took: dict[str, float] = dict.fromkeys(KINDS, 0.0)
        for number in range(asked.n):
            kind = KINDS[number % len(KINDS)]
            held, seconds = struck(work, words, kind, chance)
            seen[kind].append(held)
            took[kind] = max(took[kind], seconds)
            words = ["--resume", "s", "--address", "local"]
        process = studies.begin(work, *words)
        out, _ = process.communicate()
        ended = process.returncode == 0 and not studies.tried_twice(work / "runs" / "s")
        if not ended:
            print(out, file=sys.stderr)
    codes = []
    for kind, all_held in seen.items():
        held = {what: all(each[what] for each in all_held) for what in all_held[0]}
        held["the study came to its end after"] = ended
        codes.append(studies.row(kind, len(all_held), held, f"{took[kind]:.1f} s to end at most"))
    return max(codes)


def struck(
    work: Path, words: list[str], kind: str, chance: random.Random
) -> tuple[dict[str, bool], float]:
    """What held of one signal, and the seconds until the driver had ended."""
    folder = work / "runs" / "s"
    before = len(studies.events(folder, "epoch_done"))
    process = studies.begin(work, *words)
    studies.wait_for(process, folder, before + chance.randint(1, 4), "epoch_done")
    time.sleep(chance.uniform(0, 1))
    kept = len(studies.events(folder, "epoch_done"))
    began = time.monotonic()
    process.send_signal(signal.SIGTERM if kind == "SIGTERM" else signal.SIGINT)
    if kind == "SIGINT twice":
        time.sleep(chance.uniform(0, 0.3))
        process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=120)
    seconds = time.monotonic() - began
    studies.gone(process.pid, within=60)
    held = {
        f"exit code {CODES[kind]}": process.returncode == CODES[kind],
        "all epochs kept": len(studies.events(folder, "epoch_done")) >= kept,
        "it says how to go on": "--resume runs/s" in out,
        "no traceback": "Traceback" not in out,
    }
    if not all(held.values()):
        print(kind, held, out, file=sys.stderr)
    return held, seconds


if __name__ == "__main__":
    sys.exit(main())
