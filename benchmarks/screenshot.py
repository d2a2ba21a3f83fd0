"""The explorer's pictures in the documents: a real study on drawn faces in a headless Chromium.

    python -m study.run --name drawn-faces --trials 24 --seeds 2
    python -m benchmarks.screenshot runs/drawn-faces

Refuses a study on photographs, which may not be redistributed.
"""

import argparse
import io
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

from benchmarks.explorer import CHROMIUM, served
from results import Mistake, command
from results.artefacts.load import load

DOCS = Path(__file__).parents[1] / "docs"
COLOURS = 256  # of the palette: text stays sharp, and a picture is a third as large


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.screenshot", description=__doc__)
    parser.add_argument("run", type=Path, help="artefact folder of a study on drawn faces")
    parser.add_argument("--views", nargs="+", default=["overview", "trials"], metavar="VIEW")
    asked = parser.parse_args()
    return command("benchmarks.screenshot", lambda: taken(asked.run, asked.views))


def taken(run: Path, views: list[str]) -> int:
    """Write a picture of each of the views; the exit code."""
    if not load(run).synthetic:
        raise Mistake(f"{run} is on photographs: give a study on drawn faces")
    with served(run) as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.goto(url)
        page.wait_for_selector("body[data-whole]", state="attached", timeout=120_000)
        page.wait_for_load_state("networkidle")
        for name in views:
            page.evaluate(f"document.getElementById('{name}').scrollIntoView()")
            page.wait_for_timeout(2000)
            print(save(page, DOCS / f"explorer-{name}.png"))
        browser.close()
    return 0


def save(page: Page, path: Path) -> str:
    """What the page shows now, as a PNG with a palette; its name and size in words."""
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    picture.quantize(COLOURS, Image.Quantize.MAXCOVERAGE).save(path, optimize=True)
    return f"{path}: {picture.width} x {picture.height}, {path.stat().st_size:,} bytes"


if __name__ == "__main__":
    sys.exit(main())
