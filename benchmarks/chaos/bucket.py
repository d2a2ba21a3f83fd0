"""The bucket falls silent for a minute in the middle of a study, then answers again.

python -m benchmarks.chaos.bucket --seconds 60
"""

import argparse
import signal
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.chaos import s3, studies
from study.storage import places

STUDY = [
    *studies.SMALL, "--trials", "4", "--epochs", "4", "--seeds", "1", "--max-concurrent", "1",
    "--name", "s",
]  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.chaos.bucket")
    parser.add_argument("--seconds", type=float, default=60.0)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="chaos-") as name, s3.server() as (server, uri):
        alone, struck = Path(name, "alone"), Path(name, "struck")
        alone.mkdir(), struck.mkdir()
        process = studies.begin(alone, *STUDY)
        process.communicate()
        folder = struck / "runs" / "s"
        process = studies.begin(struck, *STUDY, "--storage", uri)
        studies.wait_for(process, folder, 4, "epoch_done")
        server.send_signal(signal.SIGSTOP)
        time.sleep(asked.seconds)
        during = len(studies.events(folder, "epoch_done"))
        ended = process.poll()
        server.send_signal(signal.SIGCONT)
        out, _ = process.communicate()
        print(out, file=sys.stderr)
        place = places.at(uri) / "s"
        same = places.read(place / "events.jsonl") == (folder / "events.jsonl").read_bytes()
        held = {
            "the study goes on": process.returncode == 0 and ended is None,
            "said once": out.count("can't be reached") == out.count("answers again") == 1,
            "equal to the undisturbed study row for row": not studies.differences(
                folder, alone / "runs" / "s"
            ),
            "no retry": not studies.events(folder, "trial_retried"),
            "nothing is missing in the bucket": same,
        }
        figures = f"{during - 4} epochs more while it was silent"
        return studies.row(f"bucket silent for {asked.seconds:g} s", 1, held, figures)


if __name__ == "__main__":
    sys.exit(main())
