"""A thousand trials of fifty epochs each that do nothing: what a long study costs its driver.

    python -m benchmarks.chaos.thousand --trials 1000 --epochs 50

The whole driver is at work (Tune, Optuna, journal, tables); only training is replaced by
`standins.Sleeping`. Memory is the driver process's own (resident, MiB); a report's time is what the
recorder takes for it (journal, tables, Optuna), and the rate is of reports as the journal has them.
"""

import argparse
import os
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.chaos import studies
from benchmarks.chaos.standins import Sleeping
from study import drive, run

PARTS = 10  # figures are of the first, the middle and the last tenth


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.chaos.thousand")
    parser.add_argument("--trials", type=int, default=1000)
    parser.add_argument("--epochs", type=int, default=50)
    asked = parser.parse_args()
    took, memory = [], []
    handle = drive.Recorder.on_trial_result

    def timed(recorder: drive.Recorder, *given: Any, **named: Any) -> None:
        began = time.perf_counter()
        handle(recorder, *given, **named)
        took.append(time.perf_counter() - began)
        memory.append(resident_mib())

    drive.Recorder.on_trial_result = timed
    with tempfile.TemporaryDirectory(prefix="chaos-") as name:
        words = [
            *studies.SMALL, "--trials", str(asked.trials), "--epochs", str(asked.epochs),
            "--models", "alexnet,resnet34,cbam_resnet34", "--scheduler", "none",
            "--stages", "search", "--name", "s", "--out", name,
        ]  # fmt: skip
        began = time.monotonic()
        code = run.main(words, trainable=Sleeping)
        seconds = time.monotonic() - began
        return told(Path(name, "s"), code, np.array(took) * 1000, np.array(memory), seconds)


def told(folder: Path, code: int, took: np.ndarray, memory: np.ndarray, seconds: float) -> int:
    done = studies.events(folder, "epoch_done")
    moments = np.array([datetime.fromisoformat(e["time"]).timestamp() for e in done])
    first, middle, last = thirds(len(done))
    rates = [(len(moments[p]) - 1) / np.ptp(moments[p]) for p in (first, middle, last)]
    medians = [float(np.median(took[p])) for p in (first, middle, last)]
    mib = [memory[first][-1], memory[middle][-1], memory[-1]]
    held = {
        "ended": code == 0,
        "memory bounded": mib[2] < 1.5 * mib[0] + 200,
        "time per report flat": medians[2] < 2 * medians[0],
    }
    figures = (
        f"driver memory {mib[0]:.0f}, {mib[1]:.0f}, {mib[2]:.0f} MiB after the first, the middle "
        f"and the last tenth; {medians[0]:.1f}, {medians[1]:.1f}, {medians[2]:.1f} ms a report "
        f"(median), {rates[0]:.0f}, {rates[1]:.0f}, {rates[2]:.0f} reports/s; {seconds:.0f} s"
    )
    return studies.row("many trials", f"{len(done):,} reports", held, figures)


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
