"""The driver SIGKILLed at random moments, and resumed, again and again in one study.

    python -m benchmarks.chaos.driver --kills 20

One worker, so that the study must equal row for row the same study left alone. A kill comes
after a random number of events and a random part of a second: while Ray starts, in the middle of an
epoch, between the two writes of a decision, in the confirmation, while test is opened.
"""

import argparse
import random
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.chaos import studies

STUDY = [
    *studies.SMALL, "--trials", "9", "--epochs", "6", "--seeds", "2", "--max-concurrent", "1",
    "--name", "s",
]  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.chaos.driver")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    chance = random.Random(asked.seed)
    with tempfile.TemporaryDirectory(prefix="chaos-") as name:
        alone, struck = Path(name, "alone"), Path(name, "struck")
        alone.mkdir(), struck.mkdir()
        process = studies.begin(alone, *STUDY)
        if process.wait() or process.stdout is None:
            print(process.stdout.read() if process.stdout else "")
            return 1
        return disturbed(struck, alone / "runs" / "s", asked.kills, chance)


def disturbed(work: Path, alone: Path, kills: int, chance: random.Random) -> int:
    """Kill and resume until it was killed often enough, let it end, compare."""
    folder, words = work / "runs" / "s", STUDY
    ended: dict[str, dict] = {}
    kept, lingering, done, marks = True, 0, 0, [0]
    while done < kills:
        before = len(studies.events(folder))
        process = studies.begin(work, *words)
        more = chance.choice([0, 1, 1, 2, 2, 3, 4, 6])
        if not studies.wait_for(process, folder, before + more):
            break  # it came to its end before the last kill
        time.sleep(chance.uniform(0, 1))
        process.kill()
        process.wait()
        done += 1
        # Ray's two agents wait a minute and more for their dead head before they end themselves.
        lingering += studies.gone(process.pid, within=5) > 5
        marks.append(len(studies.events(folder, "epoch_done")))
        now = {e["trial_id"]: e for e in studies.events(folder, "trial_ended")}
        kept &= all(now.get(name) == event for name, event in ended.items())
        ended = now
        if (folder / "study.json").exists():
            words = ["--resume", "s", "--address", "local"]
        print(f"kill {done}: {len(ended)} trials ended", file=sys.stderr, flush=True)
    process = studies.begin(work, *words)
    out, _ = process.communicate()
    if process.returncode:
        print(out)
    again, told = studies.told_again(folder), studies.events(folder, "epoch_done")
    spans = zip(marks, [*marks[1:], len(told)], strict=True)  # between two kills
    costs = [studies.most_again(told[:end], begin) for begin, end in spans]
    held = {
        "at most an epoch of a trial lost by a kill": max(costs) <= 1,
        "every finished trial kept": kept,
        "equal to the undisturbed study row for row": not studies.differences(folder, alone),
        "no configuration twice": studies.tried_twice(folder) == studies.tried_twice(alone) == 0,
        "none left running in Optuna": "RUNNING" not in studies.optuna_states(folder),
        "test opened once a model": len(studies.events(folder, "test_opened")) == 2,
    }
    epochs = len(studies.events(alone, "epoch_done"))
    figures = (
        f"{again} of {epochs} epochs told again; after {lingering} kills processes of Ray's were "
        "there for more than 5 s"
    )
    return studies.row("driver SIGKILLed, then `--resume`", done, held, figures)


if __name__ == "__main__":
    sys.exit(main())
