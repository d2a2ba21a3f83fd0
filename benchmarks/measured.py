"""What the benchmarks share: the machine they ran on, paired rounds, a figure with its spread."""

import importlib.metadata
import platform
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import torch

CLOCKS = {"wall": time.perf_counter, "cpu": time.process_time}


def machine(*libraries: str) -> str:
    """Processor or GPU, cores or threads used, and versions: the line under every table."""
    names = ("torch", *libraries)
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in names)
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else processor()
    return f"{device}, Python {platform.python_version()}, {versions}"


def processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return f"{len(names)} x {names[0]}" if names else platform.processor()


def paired(
    first: Callable[[], object],
    second: Callable[[], object],
    rounds: int,
    clock: str = "wall",
) -> list[tuple[float, float]]:
    """Seconds of both, run in turn so that a noisy machine troubles both; who begins alternates.

    Each is run once before, unmeasured.
    """
    first(), second()
    found = []
    for number in range(rounds):
        order = (first, second) if number % 2 else (second, first)
        seconds = {run: timed(run, clock) for run in order}
        found.append((seconds[first], seconds[second]))
    return found


def timed(run: Callable[[], object], clock: str = "wall") -> float:
    """Seconds of one call; a GPU's work is waited for."""
    now = CLOCKS[clock]
    began = now()
    run()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return now() - began


def spread(values: list[float], digits: int = 2) -> str:
    """Median with the range and how many: 1.02 (0.98 to 1.05, n = 7)."""
    low, middle, high = (f"{v:.{digits}f}" for v in (min(values), median(values), max(values)))
    return f"{middle} ({low} to {high}, n = {len(values)})"


def say(*cells: object) -> None:
    """A row of a Markdown table."""
    print("| " + " | ".join(map(str, cells)) + " |", flush=True)


def heading(*names: str) -> None:
    say(*names)
    say(*["---"] * len(names))
