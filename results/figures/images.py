"""Plotly figures as image files, where kaleido and a Chromium are at hand."""

import asyncio
import logging
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import plotly.graph_objects as go

PX = 720  # of a figure without a width of its own
PATIENCE = 60.0  # seconds for a browser's start and for each picture, before it is given up


class NoBrowser(Exception):
    """Why no image could be written, in a few words."""


def write(plots: dict[Path, go.Figure], patience: float = PATIENCE) -> None:
    """Each figure into its file, of the kind that its name says; raises NoBrowser.

    Not by plotly.io.write_images: that waits for ever for a browser that doesn't answer (kaleido
    1.5 has a limit for a picture and none for its browser), and drops a picture's error.
    """
    for name in ("kaleido", "choreographer"):  # a browser's last half message is no news
        logging.getLogger(name).setLevel(logging.CRITICAL)
    specs = [
        {
            "fig": figure.to_dict(),
            "path": path,
            "opts": {
                "format": path.suffix[1:],
                "width": figure.layout.width or PX,
                "height": figure.layout.height,
                "scale": 2 if path.suffix == ".png" else 1,
            },
        }
        for path, figure in plots.items()
    ]
    try:
        # In a thread of its own: the caller may have a loop that runs.
        with ThreadPoolExecutor(1) as aside:
            aside.submit(asyncio.run, drawn(specs, patience)).result()
    except TimeoutError:
        raise NoBrowser(f"its browser didn't answer within {patience:g} s") from None
    except (ImportError, ValueError, RuntimeError, OSError) as error:
        words = " ".join(map(str, error.args)) or str(error)  # choreographer's is a tuple
        raise NoBrowser(" ".join(words.split()).split(". ")[0][:120]) from None


async def drawn(specs: list[dict[str, Any]], patience: float) -> None:
    """Each picture by one browser, which is ended whatever happens; raises TimeoutError."""
    import kaleido

    browser = kaleido.Kaleido(mathjax=False)
    try:
        await within(patience, browser.open())
        for spec in specs:
            await within(patience, browser.write_fig_from_object([spec], cancel_on_error=True))
    finally:
        await closed(browser)


async def within(seconds: float, work: Coroutine[Any, Any, Any]) -> None:
    """Wait so long and no longer, whatever `work` makes of being cancelled (asyncio.wait_for waits
    on, and choreographer turns it into an error of its own)."""
    task = asyncio.create_task(work)
    done, _ = await asyncio.wait({task}, timeout=seconds)
    if not done:
        task.add_done_callback(lambda ended: ended.cancelled() or ended.exception())
        task.cancel()
        raise TimeoutError
    task.result()


async def closed(browser: Any) -> None:
    """End the browser: asked to, and, where it doesn't answer, killed with all that it began."""
    try:
        await asyncio.wait_for(browser.close(), 5)  # cancelled, choreographer's close kills it
    except Exception:
        logging.getLogger(__name__).debug("the browser was gone", exc_info=True)
