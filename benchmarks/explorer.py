"""The explorer in a headless Chromium: how soon a picture, how soon an answer to a brush.

    python -m benchmarks.explorer [--trials 1000] [--stopped] [--loads 5] [--brushes 12]

Made-up studies, written with the study's own writer: every trial with all its 50 epochs, or
(--stopped) as ASHA would stop them. What is timed is what a person waits for: from the start of
loading until the first picture is on the screen; from letting go of a brush until the last of the
six views has answered and the browser has painted.
"""

import argparse
import json
import math
import os
import platform
import shutil
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from playwright.sync_api import Browser, Page, sync_playwright

from results.artefacts.load import load
from results.explorer import written
from results.explorer.app import app
from results.explorer.export import export
from results.explorer.serving import listening
from study.record import schemas

CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
MODELS = ("alexnet", "resnet34", "cbam_resnet34")
CLASSES = ("angry", "disgust", "fear", "happy", "neutral", "sad", "surprise")
START = pd.Timestamp("2026-01-02T03:04:05Z")


def folder(path: Path, trials: int, epochs: int, stopped: bool, images: int = 7178) -> Path:
    """An artefact folder: a search of so many trials, and two confirmed seeds of each network."""
    rng = np.random.default_rng(0)
    path.mkdir(parents=True)
    rows, curves, judged, told = [], [], [], []
    seen: dict[tuple[str, int], list[float]] = {}
    for number in range(trials):
        model = MODELS[number % 3]
        row = trial(f"t{number:05d}", model, epochs, rng)
        top = 0.55 - 0.06 * (math.log10(row["hp_lr"]) + 2) ** 2 - row["hp_dropout"] * 0.05
        values = top * (1 - np.exp(-np.arange(1, epochs + 1) / 9)) + rng.normal(0, 0.012, epochs)
        last, rung = epochs, 2
        while stopped and rung < last:
            known = seen.setdefault((model, rung), [])
            cutoff = float(np.quantile(known, 2 / 3)) if known else None
            stop = cutoff is not None and values[rung - 1] < cutoff
            judged.append(
                {
                    "trial_id": row["trial_id"],
                    "epoch": rung,
                    "rung": rung,
                    "value": values[rung - 1],
                    "cutoff": cutoff,
                    "trials_at_rung": len(known),
                    "decision": "stop" if stop else "continue",
                }
            )
            known.append(values[rung - 1])
            last, rung = (rung, rung) if stop else (last, rung * 3)
            if stop:
                row |= {"status": "stopped", "reason": f"stopped by ASHA at epoch {last}"}
        rows.append(row)
        curves += epoch_rows(row["trial_id"], values[:last], number)
    for model in MODELS:
        for seed in (0, 1):
            row = trial(f"{model}-s{seed}", model, epochs, rng)
            rows.append(row | {"stage": "confirm", "setting": model, "hp_seed": 50000 + seed})
            values = 0.5 * (1 - np.exp(-np.arange(1, epochs + 1) / 9))
            curves += epoch_rows(row["trial_id"], values, trials)
            told.append(answered(row["trial_id"], images, rng))
    (path / "study.json").write_text(json.dumps(header(trials, epochs)))
    (path / "events.jsonl").write_text("")
    for name, table in (("trials", rows), ("epochs", curves), ("decisions", judged)):
        schemas.write_table(path / f"{name}.parquet", table, getattr(schemas, name.upper()))
    pd.concat(told).to_parquet(path / "predictions.parquet")
    return path


def trial(name: str, model: str, epochs: int, rng: np.random.Generator) -> dict[str, Any]:
    attention = {
        "hp_cbam_reduction": int(rng.choice([4, 8, 16])),
        "hp_cbam_order": str(rng.choice(["serial", "parallel"])),
    }
    return {
        "trial_id": name,
        "stage": "search",
        "setting": "",
        "status": "completed",
        "reason": "all epochs done",
        "error": "",
        "retries": 0,
        "node": "here",
        "device": "cpu",
        "gpus": 0.0,
        "started_at": START,
        "ended_at": START + pd.Timedelta(hours=1),
        "parameters": {"alexnet": 3_200_000}.get(model, 21_300_000),
        "multiply_adds": {"alexnet": 90_000_000}.get(model, 75_000_000),
        "hp_model": model,
        "hp_seed": 0,
        "hp_epochs": epochs,
        "hp_batch_size": int(rng.choice([32, 64, 128, 256])),
        "hp_lr": float(10 ** rng.uniform(-3, -1)),
        "hp_dropout": float(rng.uniform(0, 0.6)),
        "hp_weight_decay": float(10 ** rng.uniform(-6, -3)),
        "hp_label_smoothing": float(rng.choice([0.0, 0.1])),
        **(attention if model == "cbam_resnet34" else {}),
    }


def epoch_rows(name: str, values: np.ndarray, number: int) -> list[dict[str, Any]]:
    return [
        {
            "trial_id": name,
            "epoch": k,
            "train_loss": 2 - value,
            "train_accuracy": value + 0.03,
            "val_loss": 2.1 - value,
            "val_accuracy": float(value),
            "lr": 0.01,
            "epoch_seconds": 20.0,
            "images_per_second": 1400.0,
            "memory_mib": 900.0,
            "finished_at": START + pd.Timedelta(seconds=number + 20 * k),
        }
        for k, value in enumerate(values, 1)
    ]


def answered(name: str, images: int, rng: np.random.Generator) -> pd.DataFrame:
    p = rng.dirichlet(np.ones(len(CLASSES)), images).astype(np.float32)
    label = np.random.default_rng(1).integers(0, len(CLASSES), images)
    frame = pd.DataFrame(p, columns=[f"p_{one}" for one in CLASSES])
    split = np.where(np.arange(images) < images // 2, "val", "test")
    return frame.assign(
        trial_id=name,
        split=split,
        image=np.arange(images) + 28709,
        label=np.array(CLASSES)[label],
        duplicate=False,
    )


def header(trials: int, epochs: int) -> dict[str, Any]:
    space = {
        "lr": {"low": 0.001, "high": 0.1, "log": True},
        "batch_size": [32, 64, 128, 256],
        "weight_decay": {"low": 1e-6, "high": 1e-3, "log": True},
        "dropout": {"low": 0.0, "high": 0.6},
    }
    return {
        "study": {
            "preset": "search",
            "name": f"{trials} trials",
            "models": list(MODELS),
            "stages": ["search", "confirm"],
            "trials": trials,
            "epochs": epochs,
            "seeds": 2,
            "sampler": "random",
            "scheduler": "asha",
            "grace_epochs": 2,
            "reduction_factor": 3,
            "space": space,
        },
        "data": {
            "name": "made up",
            "digest": "made-up",
            "synthetic": True,
            "notes": [],
            "classes": list(CLASSES),
            "images": {"train": 28709, "val": 3589, "test": 3589},
        },
        "networks": {},
        "status": "running",
        "reason": "",
        "started_at": START.isoformat(),
        "hardware": {},
        "versions": {},
        "git": {},
    }


@contextmanager
def served(
    *paths: Path, data: Path | None = None, votes: Path | None = None, **more: Any
) -> Iterator[str]:
    """The app over folders, in a thread of this process."""
    server = listening(app(paths, data, votes, **more).server, [0])
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def opened(browser: Browser, url: str) -> tuple[Page, float, float, float]:
    """A page with everything drawn; milliseconds to the first picture, those of processor by then,
    and milliseconds until all of it is drawn."""
    before = browser_ms(browser)
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.goto(url)
    page.wait_for_selector("body[data-ready]", state="attached", timeout=120_000)
    used = browser_ms(browser) - before
    shown = page.evaluate("explorer.times.shown")
    page.wait_for_selector("body[data-whole]", state="attached", timeout=120_000)
    whole = page.evaluate("performance.now()")
    until(page, "explorer.answers && document.querySelector('#figure-models table')")
    page.wait_for_timeout(1500)
    return page, shown, used, whole


def until(page: Page, condition: str, seconds: float = 120.0) -> None:
    """Wait for it; Playwright's own wait needs eval, which the page's policy forbids."""
    end = time.monotonic() + seconds
    while not page.evaluate(f"Boolean({condition})"):
        if time.monotonic() > end:
            raise TimeoutError(condition)
        time.sleep(0.02)


ANSWER = """() => new Promise(done => {
  const body = document.body, before = body.dataset.settled || '0';
  addEventListener('pointerup', () => {
    const began = performance.now();
    const watch = new MutationObserver(() => { if ((body.dataset.settled || '0') !== before) {
      watch.disconnect();
      const painted = () => { window.answered = performance.now() - began; };
      requestAnimationFrame(() => setTimeout(painted));
    }});
    watch.observe(body, {attributes: true});
  }, {once: true, capture: true});
  window.answered = null;
  done();
})"""


def browser_ms(browser: Browser) -> float:
    """Milliseconds of processor that the browser's renderer and painter have used so far."""
    session = browser.new_browser_cdp_session()
    found = session.send("SystemInfo.getProcessInfo")["processInfo"]
    session.detach()
    return 1000 * sum(one["cpuTime"] for one in found if one["type"] in ("renderer", "GPU"))


def brushed(page: Page, axis: str, low: float, high: float) -> tuple[float, float, int]:
    """Drag along an axis between two fractions of its height: milliseconds from letting go until
    every view has answered and is painted, those of processor, and how many it selected."""
    page.evaluate("document.getElementById('trials').scrollIntoView()")
    box = page.locator(f".strip[data-axis='{axis}'] .rule").bounding_box()
    x = box["x"]
    page.evaluate(ANSWER)
    page.mouse.move(x, box["y"] + box["height"] * (1 - high))
    page.mouse.down()
    page.mouse.move(x, box["y"] + box["height"] * (1 - low), steps=6)
    page.wait_for_timeout(300)
    before = browser_ms(page.context.browser)
    page.mouse.up()
    until(page, "window.answered !== null")
    used = browser_ms(page.context.browser) - before
    return page.evaluate("window.answered"), used, page.evaluate("explorer.count_selected")


def appended(page: Page, path: Path) -> float:
    """Seconds from writing a new epoch until the page has it."""
    frame = pd.read_parquet(path / "epochs.parquet")
    last = frame.iloc[[-1]]
    row = last.assign(epoch=last["epoch"] + 1, finished_at=last["finished_at"] + pd.Timedelta("1D"))
    beside = path / "epochs.new"
    pd.concat([frame, row]).to_parquet(beside)
    before = page.evaluate("explorer.data.epochs.epoch.length")
    beside.replace(path / "epochs.parquet")
    began = time.perf_counter()
    until(page, f"explorer.data.epochs.epoch.length === {before + 1}")
    return time.perf_counter() - began


def told(name: str, values: list[float], unit: str, digits: int = 0) -> None:
    middle, low, high = (
        f"{found:.{digits}f}" for found in (statistics.median(values), min(values), max(values))
    )
    print(f"{name:<46} median {middle} {unit}, {low} to {high}, n = {len(values)}", flush=True)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.explorer", description=__doc__)
    parser.add_argument("--trials", type=int, default=1000)
    parser.add_argument("--epochs", type=int, default=50)
    parser.add_argument("--stopped", action="store_true", help="as ASHA would stop them")
    parser.add_argument("--loads", type=int, default=5)
    parser.add_argument("--brushes", type=int, default=12)
    asked = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as playwright:
        path = folder(Path(scratch) / "run", asked.trials, asked.epochs, asked.stopped)
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        findings = load(path)
        print(
            f"{len(findings.trials):,} trials, {len(findings.epochs):,} epochs; Chromium "
            f"{browser.version}, {platform.processor() or platform.machine()}, Python "
            f"{platform.python_version()}, load average {os.getloadavg()[0]:.1f} on "
            f"{os.cpu_count()} cores",
            flush=True,
        )
        rng = np.random.default_rng(0)
        edges = [sorted(rng.uniform(0, 1, 2)) for _ in range(asked.brushes)]
        axes = ["lr", "dropout", "weight_decay", "val_accuracy"]
        with served(path) as url:
            firsts, used, wholes = [], [], []
            for _ in range(asked.loads):
                page, first, busy, whole = opened(browser, url)
                firsts.append(first)
                used.append(busy)
                wholes.append(whole)
                if len(firsts) < asked.loads:
                    page.close()
            told("app: first picture", firsts, "ms")
            told("app: the same, processor time", used, "ms")
            told("app: every view drawn", wholes, "ms")
            answers = [brushed(page, axes[k % 4], *edge) for k, edge in enumerate(edges)]
            told("app: a brush answered in every view", [ms for ms, _, _ in answers], "ms")
            told("app: the same, processor time", [ms for _, ms, _ in answers], "ms")
            selected = page.evaluate("explorer.ids()")
            told(
                "app: a new epoch, written to shown",
                [appended(page, path) for _ in range(5)],
                "s",
                1,
            )
            page.close()
        studies = [load(path)]
        began = time.perf_counter()
        file = Path(scratch) / "export.html"
        file.write_text(export(studies, written.evaluated(studies)))
        seconds = time.perf_counter() - began
        print(f"export: written in {seconds:.1f} s, {file.stat().st_size / 2**20:.1f} MiB")
        page, first, busy, _ = opened(browser, file.as_uri())
        told("export: first picture, from file", [first], "ms")
        told("export: the same, processor time", [busy], "ms")
        again = [brushed(page, axes[k % 4], *edge) for k, edge in enumerate(edges)]
        told("export: a brush answered in every view", [ms for ms, _, _ in again], "ms")
        told("export: the same, processor time", [ms for _, ms, _ in again], "ms")
        print(
            "the same trials for the same brushes:",
            [n for *_, n in answers] == [n for *_, n in again]
            and selected == page.evaluate("explorer.ids()"),
        )
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
