"""One trial of a study goes wrong in each of the ways a trial can; the others must not notice.

    python -m benchmarks.chaos.trials --n 5            # all of them
    python -m benchmarks.chaos.trials --only hang

Three trials of five epochs; the fault strikes the second, after a random one of them. A NaN loss is
a real one (a learning rate of 1e30), the rest are the stand-ins of `standins.py`, in real training.
"""

import argparse
import os
import sys
import tempfile
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import pandas as pd
import ray

from benchmarks.chaos import standins, studies
from study import run
from study.cluster import connection
from study.worker.trial import Trial

STUDY = [
    *studies.SMALL, "--trials", "3", "--epochs", "5", "--scheduler", "none", "--stages", "search",
    "--name", "s",
]  # fmt: skip
HANG = ["--hang-seconds", "20"]
NAN = ["--lr", "0.01,1e30", "--sampler", "grid", "--batch-size", "8", "--trials", "2"]
MEMORY = "running low on memory"  # Ray's monitor, which ends the worker that has most
# name -> what stands in the place of training, flags, how the trial must end and what it must say
FAULTS = {
    "exception, once": (standins.Raising, [], "completed", 1, "a fault of one moment"),
    "exception, always": (standins.RaisingAlways, [], "failed", 2, "a fault of one moment"),
    "no start, once": (standins.NoStart, [], "completed", 1, "a fault before the beginning"),
    "no start, always": (standins.NoStartAlways, [], "failed", 2, "a fault before the beginning"),
    "NaN loss": (Trial, NAN, "failed", 0, "loss is not a number in epoch 1"),
    "out of memory, once": (standins.OutOfMemory, [], "completed", 1, "batches in 2 parts"),
    "out of memory, always": (standins.OutOfMemoryAlways, [], "failed", 2, "CUDA out of memory"),
    "the machine's memory full, once": (standins.Hungry, [], "completed", 1, MEMORY),
    "the machine's memory full, always": (standins.HungryAlways, [], "failed", 2, MEMORY),
    "hang, once": (standins.Hanging, HANG, "completed", 1, "no report for 20 s"),
    "hang, always": (standins.HangingAlways, HANG, "failed", 2, "no report for 20 s"),
    "worker SIGKILLed": (standins.Killed, [], "completed", 1, "worker process has died"),
    "checkpoint cut short": (standins.CutShort, [], "completed", 1, "worker process has died"),
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.chaos.trials")
    parser.add_argument("--only", default="", help="faults whose name begins so")
    parser.add_argument("--n", type=int, default=5)
    parser.add_argument("--seed", type=int, default=0, help="of the moments")
    asked = parser.parse_args()
    # The monitor's limit, so that not all of this machine's memory must be filled.
    os.environ["RAY_memory_usage_threshold"] = f"{share_of_memory_used() + 0.25:.2f}"
    connection.connect("local")
    codes = []
    for fault in FAULTS:
        if fault.startswith(asked.only):
            struck = [strike(fault, asked.seed + number) for number in range(asked.n)]
            held = {what: all(each[what] for each, _, _ in struck) for what in struck[0][0]}
            again = [lost for _, lost, _ in struck]
            figures = (
                f"retries {FAULTS[fault][3]}, epochs told again {min(again)} to {max(again)}; "
                f"“{struck[0][2][:60]}”"
            )
            codes.append(studies.row(f"in one trial: {fault}", asked.n, held, figures))
    ray.shutdown()
    return max(codes)


def share_of_memory_used() -> float:
    lines = Path("/proc/meminfo").read_text().splitlines()
    kib = {line.split(":")[0]: int(line.split()[1]) for line in lines}
    return 1 - kib["MemAvailable"] / kib["MemTotal"]


def strike(fault: str, seed: int) -> tuple[dict[str, bool], int, str]:
    """What held, the epochs told again, and the error in the trial's row."""
    trainable, flags, status, retries, error = FAULTS[fault]
    with tempfile.TemporaryDirectory(prefix="chaos-") as name:
        with redirect_stdout(StringIO()) as out:
            words = studies.otherwise(STUDY, *flags, "--seed", str(seed), "--out", name)
            code = run.main(words, trainable=trainable)
        folder = Path(name, "s")
        trials = pd.read_parquet(folder / "trials.parquet").set_index("trial_id")
        epochs = pd.read_parquet(folder / "epochs.parquet").groupby("trial_id").size()
        lost = studies.told_again(folder)
    struck, others = trials.loc[standins.STRUCK], trials.drop(standins.STRUCK)
    whole = status != "completed" or epochs[standins.STRUCK] == struck["hp_epochs"]
    held = {
        f"{status} as configured": struck["status"] == status and whole,
        "its row says why": error in struck["error"],
        "retries in its row": struck["retries"] == retries,
        "at most an epoch lost by each": lost <= max(1, retries),
        "the study went on": code == 0 and others["status"].eq("completed").all(),
    }
    if not all(held.values()):
        print(out.getvalue(), struck.to_string(), sep="\n", file=sys.stderr)
    return held, lost, struck["error"]


if __name__ == "__main__":
    sys.exit(main())
