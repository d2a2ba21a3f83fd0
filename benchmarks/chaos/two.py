"""A second driver on a study that is at work already.

python -m benchmarks.chaos.two --n 5
"""

import argparse
import sys
import tempfile
from pathlib import Path

from benchmarks.chaos import studies

STUDY = [
    *studies.SMALL, "--trials", "4", "--epochs", "60", "--scheduler", "none", "--seeds", "1",
    "--stages", "search", "--name", "s",
]  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.chaos.two")
    parser.add_argument("--n", type=int, default=5)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="chaos-") as name:
        work, folder = Path(name), Path(name, "runs", "s")
        first = studies.begin(work, *STUDY)
        studies.wait_for(first, folder, 1, "epoch_done")
        refused = []
        for _ in range(asked.n):
            second = studies.begin(work, "--resume", "s", "--address", "local")
            out, _ = second.communicate()
            studies.gone(second.pid, within=60)
            refused.append(second.returncode == 2 and "is being run by another driver" in out)
        still = first.poll() is None
        ended = first.wait() == 0
        held = {
            "the second refused in a sentence": all(refused) and still,
            "the first came to its end": ended,
            "one driver in the journal": len(studies.events(folder, "driver_started")) == 1,
        }
    return studies.row("two drivers on one study", asked.n, held, "")


if __name__ == "__main__":
    sys.exit(main())
