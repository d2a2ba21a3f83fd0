"""The head's machine gone with its disk, again and again; another goes on from the bucket.

    python -m benchmarks.chaos.head --heads 5

One worker, so that the study must equal row for row the same study left alone. A head ends by
SIGKILL after a random number of events and some seconds; its whole folder is deleted.
"""

import argparse
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from benchmarks.chaos import s3, studies
from study.storage import lease, places

STUDY = [
    *studies.SMALL, "--trials", "6", "--epochs", "5", "--seeds", "2", "--max-concurrent", "1",
    "--name", "s",
]  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.chaos.head")
    parser.add_argument("--heads", type=int, default=5, help="how many are lost")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="chaos-") as name, s3.server() as (_, uri):
        alone = Path(name, "alone")
        alone.mkdir()
        process = studies.begin(alone, *STUDY)
        out, _ = process.communicate()
        if process.returncode:
            print(out)
            return 1
        return lost(Path(name), alone / "runs" / "s", uri, asked.heads, random.Random(asked.seed))


def lost(work: Path, alone: Path, uri: str, heads: int, chance: random.Random) -> int:
    """Begin, kill, delete, go on elsewhere; in the end compare."""
    place = places.at(uri) / "s"
    trained: dict[tuple[str, int], float] = {}
    again, longest, done, most = [], 0.0, 0, 0
    while True:
        head = work / f"head{done}"
        head.mkdir()
        folder = head / "runs" / "s"
        known = "study.json" in places.names(place)
        words = ["--resume", str(place), "--address", "local"] if known else STUDY
        began = time.monotonic()
        process = studies.begin(head, *words, "--storage", uri)
        last = done == heads
        if not last and studies.wait_for(process, folder, 3):
            longest = max(longest, time.monotonic() - began)
            before = len(studies.events(folder))
            studies.wait_for(process, folder, before + chance.randrange(12))
            time.sleep(chance.uniform(0, 4))
            last = process.poll() is not None
        out, _ = process.communicate() if last else (process.kill(), None)
        process.wait()
        studies.gone(process.pid, within=60)
        now = epoch_seconds(folder)
        costs = Counter(key[0] for key, old in trained.items() if now.get(key, old) != old)
        again.append(costs.total())
        most = max([most, *costs.values()])
        if last:
            break
        trained |= now
        done += 1
        print(f"head {done} lost after {len(now)} epochs", file=sys.stderr, flush=True)
        shutil.rmtree(head)
    if process.returncode:
        print(out)
    stored = {n: places.read(place / n) for n in places.names(place) if "/" not in n}
    del stored["driver.json"]
    here = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    kept = [name for name in places.names(place / "checkpoints")]
    held = {
        "at most an epoch of a trial lost with a head": most <= 1,
        "equal to the undisturbed study row for row": not studies.differences(folder, alone),
        "none left running in Optuna": "RUNNING" not in studies.optuna_states(folder),
        "the bucket holds what the last head holds": stored == here,
        "confirmed networks alone are kept": len(kept) == 2,
        "the study is free": lease.read(place)["token"] == "",
    }
    figures = (
        f"{sum(again)} of {len(epoch_seconds(folder))} epochs trained again; "
        f"{longest:.0f} s from the command to the first event at most"
    )
    return studies.row("the head's machine gone, `--resume URI`", done, held, figures)


def epoch_seconds(folder: Path) -> dict[tuple[str, int], float]:
    """How long each epoch took: told again it took as long, trained again it didn't."""
    done = studies.events(folder, "epoch_done")
    return {(e["trial_id"], e["epoch"]): e["epoch_seconds"] for e in done}


if __name__ == "__main__":
    sys.exit(main())
