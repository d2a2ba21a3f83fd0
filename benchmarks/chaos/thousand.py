"""A thousand trials of fifty epochs each that do nothing: what a long study costs its driver.

    python -m benchmarks.chaos.thousand --trials 1000 --epochs 50

The whole driver is at work (Tune, Optuna, journal, tables); only training is replaced by
`benchmarks.sleeping`. Memory is the driver process's own (resident, MiB). A report's time is the
processor's, so that other work on the machine doesn't count: what the recorder takes for it
(journal, tables, Optuna; the median), and what the whole driver process took for each, proposals,
tables and Tune included.
"""

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.chaos import studies
from benchmarks.sleeping import Sleeping
from study import run
from study.driver import recorder

STUDY = studies.otherwise(
    studies.SMALL, "--models", "alexnet,resnet34,cbam_resnet34", "--scheduler", "none",
    "--stages", "search", "--name", "s",
)  # fmt: skip
PARTS = 10  # figures are of the first, the middle and the last tenth


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.chaos.thousand")
    parser.add_argument("--trials", type=int, default=1000)
    parser.add_argument("--epochs", type=int, default=50)
    asked = parser.parse_args()
    took, whole, memory = [], [], []
    handle = recorder.Recorder.on_trial_result

    def timed(its: recorder.Recorder, *given: Any, **named: Any) -> None:
        began = time.thread_time()
        handle(its, *given, **named)
        took.append(time.thread_time() - began)
        whole.append(time.process_time())
        memory.append(resident_mib())

    recorder.Recorder.on_trial_result = timed
    with tempfile.TemporaryDirectory(prefix="chaos-") as name:
        words = studies.otherwise(
            STUDY, "--trials", str(asked.trials), "--epochs", str(asked.epochs), "--out", name
        )
        began = time.monotonic()
        code = run.main(words, trainable=Sleeping)
        seconds = time.monotonic() - began
        reports = len(studies.events(Path(name, "s"), "epoch_done"))
    figures = {"took": np.array(took) * 1000, "whole": np.array(whole) * 1000}
    return told(reports, code, figures, np.array(memory), seconds)


def told(
    reports: int, code: int, ms: dict[str, np.ndarray], memory: np.ndarray, seconds: float
) -> int:
    parts = thirds(len(memory))
    medians = [float(np.median(ms["took"][part])) for part in parts]
    each = [float(np.ptp(ms["whole"][part])) / (len(memory) // PARTS) for part in parts]
    mib = [float(memory[part][-1]) for part in parts]
    held = {
        "ended": code == 0,
        "memory bounded": mib[2] < 1.5 * mib[0] + 200,
        "time per report flat": medians[2] < 1.5 * medians[0],
    }
    figures = (
        f"driver memory {mib[0]:.0f}, {mib[1]:.0f}, {mib[2]:.0f} MiB after the first, the middle "
        f"and the last tenth; {medians[0]:.2f}, {medians[1]:.2f}, {medians[2]:.2f} ms of processor "
        f"a report, {each[0]:.1f}, {each[1]:.1f}, {each[2]:.1f} ms with all of the driver; "
        f"{seconds:.0f} s in all"
    )
    return studies.row("many trials", f"{reports:,} reports", held, figures)


def thirds(reports: int) -> tuple[slice, slice, slice]:
    """The first, the middle and the last tenth of the reports."""
    part = reports // PARTS
    middle = (reports - part) // 2
    return slice(0, part), slice(middle, middle + part), slice(reports - part, reports)


def resident_mib() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


if __name__ == "__main__":
    sys.exit(main())
