"""Plotly figures as image files, where choreographer and a Chromium are at hand."""

import asyncio
import base64
import json
import logging
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import plotly.graph_objects as go

from results import Mistake

PX = 720  # of a figure without a width of its own
PATIENCE = 60.0  # seconds for a browser's start and for each picture, before it is given up
HERE = Path(__file__).parent


class NoBrowser(Exception):
    """Why no image could be written, in a few words."""


def write(plots: dict[Path, go.Figure], patience: float = PATIENCE) -> None:
    """Each figure into its file, .svg or .png (twice the pixels); raises NoBrowser, and Mistake
    for a file that can't be written.

    One page of one browser draws them all, and a figure once for both of its files. kaleido 1.5
    loads its page with all of plotly.js again after each file: 132 files took it 3 times as long.
    """
    logging.getLogger("choreographer").setLevel(logging.CRITICAL)  # its last half message
    try:
        # In a thread of its own: the caller may have a loop that runs.
        with ThreadPoolExecutor(1) as aside:
            aside.submit(asyncio.run, drawn(files(plots), patience)).result()
    except Mistake:
        raise
    except TimeoutError:
        raise NoBrowser(f"its browser didn't answer within {patience:g} s") from None
    except (ImportError, ValueError, RuntimeError, OSError) as error:
        words = " ".join(map(str, error.args)) or str(error)  # choreographer's is a tuple
        raise NoBrowser(" ".join(words.split()).split(". ")[0][:120]) from None


def files(plots: dict[Path, go.Figure]) -> list[tuple[go.Figure, list[Path]]]:
    """Each figure once, with its files."""
    found: dict[int, tuple[go.Figure, list[Path]]] = {}
    for path, figure in plots.items():
        found.setdefault(id(figure), (figure, []))[1].append(path)
    return list(found.values())


async def drawn(figures: list[tuple[go.Figure, list[Path]]], patience: float) -> None:
    """All of them in a browser, which is ended whatever happens; raises TimeoutError."""
    import choreographer

    browser = choreographer.Browser()
    try:
        await within(patience, browser.open())
        tab = await within(patience, browser.create_tab("about:blank"))
        for script in ("plotly-basic.min.js", "legend.js", "drawing.js"):
            text = (HERE / script).read_text(encoding="utf-8")
            await within(patience, told(tab, "Runtime.evaluate", {"expression": text}))
        for figure, paths in figures:
            images = await within(patience, asked(tab, figure, paths))
            for path, image in zip(paths, images, strict=True):
                keep(path, image)
    finally:
        await closed(browser)


def keep(path: Path, image: bytes) -> None:
    """One picture's file; raises Mistake, since a full disk is no missing browser."""
    try:
        path.write_bytes(image)
    except OSError as error:
        why = error.strerror
        raise Mistake(f"can't write {path} ({why}): make room, or give another folder") from None


async def asked(tab: Any, figure: go.Figure, paths: list[Path]) -> list[bytes]:
    """The figure's images, of the kinds that the files' names say."""
    size = {"width": figure.layout.width or PX, "height": figure.layout.height or PX // 2}
    kinds = [path.suffix[1:] for path in paths]
    words = f"drawing({figure.to_json()}, {json.dumps(size)}, {json.dumps(kinds)})"
    wait = {"expression": words, "awaitPromise": True, "returnByValue": True}
    answer = await told(tab, "Runtime.evaluate", wait)
    return [base64.b64decode(image) for image in answer["value"]]


async def told(tab: Any, command: str, how: dict[str, Any]) -> dict[str, Any]:
    """What the page answers; an error there is one here."""
    answer = (await tab.send_command(command, how)).get("result", {})
    if wrong := answer.get("exceptionDetails"):
        raise RuntimeError(wrong.get("exception", wrong).get("description", wrong["text"]))
    result: dict[str, Any] = answer["result"]
    return result


async def within(seconds: float, work: Coroutine[Any, Any, Any]) -> Any:
    """Wait so long and no longer, whatever `work` makes of being cancelled (asyncio.wait_for waits
    on, and choreographer turns it into an error of its own)."""
    task = asyncio.create_task(work)
    done, _ = await asyncio.wait({task}, timeout=seconds)
    if not done:
        task.add_done_callback(lambda ended: ended.cancelled() or ended.exception())
        task.cancel()
        raise TimeoutError
    return task.result()


async def closed(browser: Any) -> None:
    """End the browser: asked to, and, where it doesn't answer, killed with all that it began."""
    try:
        await asyncio.wait_for(browser.close(), 5)  # cancelled, choreographer's close kills it
    except Exception:
        logging.getLogger(__name__).debug("the browser was gone", exc_info=True)
