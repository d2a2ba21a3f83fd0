"""What report and explorer cost, one checkout beside another, taken in turn.

    python -m benchmarks.pages RUN [RUN ...] [--beside CHECKOUT] [--rounds 5]
    python -m benchmarks.pages --trials 1000 --what export brush [--beside CHECKOUT]

Processor seconds (user and system) of a command and of all that it starts, its browser included:
`report` is python -m results, `export` is python -m results.explorer --export, `start` is the app
and a Chromium until the first picture stands. `brush` is milliseconds of processor and on the wall
from letting go of a brush until every view has answered and is painted, in one Chromium for both.
Each round has a fresh copy of the artefact folders, so nothing that an earlier one kept helps.
--trials N --epochs M --stopped: the made-up study of benchmarks.explorer instead of RUN. Linux
only.
"""

import argparse
import ctypes
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import sync_playwright

from benchmarks.explorer import CHROMIUM, browser_ms, brushed, folder, opened
from benchmarks.measured import heading, processor, say, spread

HERE = Path(__file__).parents[1]
ADOPT = 36  # PR_SET_CHILD_SUBREAPER: a browser's processes outlive their parent and come to us
AXES = ("lr", "dropout", "weight_decay")  # not accuracy: checkouts may compare at another epoch


def used() -> float:
    """Processor seconds of all processes that were started here and have ended."""
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime


def ended() -> None:
    """Waits for every process of ours."""
    try:
        while True:
            os.wait()
    except ChildProcessError:
        return


def command(checkout: Path, *words: str | Path) -> subprocess.Popen[str]:
    """python -m of that checkout's code."""
    code = os.environ | {"PYTHONPATH": str(checkout), "OMP_NUM_THREADS": "1"}
    whole = [sys.executable, "-m", *map(str, words)]
    return subprocess.Popen(
        whole, cwd=checkout, env=code, text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )


@contextmanager
def copied(runs: list[Path]) -> Iterator[list[Path]]:
    """The artefact folders in a scratch folder."""
    with tempfile.TemporaryDirectory() as scratch:
        yield [Path(shutil.copytree(run, Path(scratch) / run.name)) for run in runs]


def page(checkout: Path, runs: list[Path], *words: str) -> tuple[float, float]:
    """Processor seconds of a command that writes one file, and the file's MiB."""
    with copied(runs) as copies:
        file = copies[0].parent / "page.html"
        ended()
        before = used()
        process = command(checkout, *words[:1], *copies, *words[1:], file)
        process.communicate()
        ended()
        if process.returncode:
            raise RuntimeError(f"{checkout}: {words[0]} ended with {process.returncode}")
        return used() - before, file.stat().st_size / 2**20


@contextmanager
def explorer(checkout: Path, runs: list[Path], *more: str) -> Iterator[str]:
    """The address of that checkout's app, which is ended afterwards."""
    process = command(checkout, "results.explorer", *runs, "--port", "0", *more)
    try:
        assert process.stdout
        yield process.stdout.readline().split()[2]
    finally:
        process.terminate()
        process.wait()


def start(checkout: Path, runs: list[Path], *more: str) -> tuple[float, float]:
    """Processor seconds of the app and a browser until the first picture, and those on the wall."""
    with copied(runs) as copies, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        before, began = used(), time.perf_counter()
        with explorer(checkout, copies, *more) as url:
            view = browser.new_page(viewport={"width": 1440, "height": 900})
            view.goto(url)
            view.wait_for_selector("body[data-ready]", state="attached", timeout=120_000)
            seconds = time.perf_counter() - began
            drawn = browser_ms(browser) / 1000
        browser.close()
        return used() - before + drawn, seconds


def brushes(
    checkouts: list[Path], runs: list[Path], rounds: int
) -> list[list[tuple[float, float]]]:
    """Milliseconds of processor and on the wall of every checkout's answers to the same brushes, in
    turn."""
    rng = np.random.default_rng(0)
    edges = [sorted(rng.uniform(0, 1, 2)) for _ in range(rounds)]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        found: list[list[tuple[float, float]]] = [[] for _ in checkouts]
        apps = [explorer(checkout, runs) for checkout in checkouts]
        urls = [each.__enter__() for each in apps]
        views = [opened(browser, url)[0] for url in urls]
        for number, (low, high) in enumerate(edges):
            counts = set()
            for place, view in turned(list(enumerate(views)), number):
                view.bring_to_front()
                wall, busy_ms, count = brushed(view, AXES[number % len(AXES)], low, high)
                found[place].append((busy_ms, wall))
                counts.add(count)
            if len(counts) > 1:
                raise RuntimeError(f"one brush, but {counts} trials")
        browser.close()
        for each in apps:
            each.__exit__(None, None, None)
    return found


def turned(each: list[Any], number: int) -> list[Any]:
    """In turn: who begins alternates."""
    return each if number % 2 else each[::-1]


def report(checkout: Path, runs: list[Path], *_: str) -> tuple[float, float]:
    return page(checkout, runs, "results", "--out")


def export(checkout: Path, runs: list[Path], *_: str) -> tuple[float, float]:
    return page(checkout, runs, "results.explorer", "--export")


One = Callable[..., tuple[float, float]]
ONE: dict[str, tuple[One, str]] = {
    "report": (report, "MiB"),
    "export": (export, "MiB"),
    "start": (start, "s on the wall"),
}


def measured(
    what: str, checkouts: list[Path], runs: list[Path], rounds: int, *more: str
) -> list[list[tuple[float, float]]]:
    """(processor seconds, the other figure) of every round, for each checkout."""
    found: list[list[tuple[float, float]]] = [[] for _ in checkouts]
    for number in range(rounds):
        for place, checkout in turned(list(enumerate(checkouts)), number):
            found[place].append(ONE[what][0](checkout, runs, *more))
    return found


def told(what: str, unit: str, found: list[list[float]], digits: int = 2) -> None:
    """A row: here, beside, and the ratio of each round."""
    ratios = [ours / theirs for ours, theirs in zip(found[0], found[-1], strict=True)]
    cells = [spread(values, digits) for values in found]
    say(what, unit, *cells, *([spread(ratios)] if len(found) > 1 else []))


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pages", description=__doc__)
    parser.add_argument("run", nargs="*", type=Path, metavar="RUN", help="artefact folders")
    parser.add_argument("--beside", type=Path, metavar="CHECKOUT", help="another checkout")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--what", nargs="+", choices=[*ONE, "brush"], default=list(ONE))
    parser.add_argument("--data", type=Path, help="the data set that the started app shows")
    parser.add_argument("--trials", type=int, help="a made-up study of so many, instead of RUN")
    parser.add_argument("--epochs", type=int, default=50)
    parser.add_argument("--stopped", action="store_true", help="as ASHA would stop them")
    asked = parser.parse_args()
    if bool(asked.run) == bool(asked.trials):
        parser.error("give either artefact folders or --trials")
    ctypes.CDLL(None).prctl(ADOPT, 1, 0, 0, 0)
    checkouts = [HERE, *([asked.beside.resolve()] if asked.beside else [])]
    with tempfile.TemporaryDirectory() as scratch:
        runs = [run.resolve() for run in asked.run] or [
            folder(Path(scratch) / "run", asked.trials, asked.epochs, asked.stopped)
        ]
        print(f"{processor()}, load {os.getloadavg()[0]:.1f}\n")
        data = ["--data", str(asked.data.resolve())] if asked.data else []
        heading("what", "in", "here", *(["beside", "here / beside"] if asked.beside else []))
        for what in asked.what:
            brush = what == "brush"
            found = (
                brushes(checkouts, runs, asked.rounds)
                if brush
                else measured(what, checkouts, runs, asked.rounds, *data)
            )
            units = (
                ("ms of processor", "ms on the wall") if brush else ("s of processor", ONE[what][1])
            )
            for place, unit in enumerate(units):
                values = [[one[place] for one in each] for each in found]
                told(what, unit, values, 0 if brush else 2)
    return 0


if __name__ == "__main__":
    sys.exit(main())
