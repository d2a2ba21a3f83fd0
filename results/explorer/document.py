"""The page: one script, one style sheet and one body, for the live app and for the export."""

import html
from pathlib import Path
from string import Template

from results.artefacts.load import Findings
from results.report import page
from results.words import listed

PAGE = Path(__file__).parent / "page"
SCRIPTS = (
    "data selection arithmetic filter comparable plot paint coordinates grid history trials curves "
    "comparison confusion faces sides notes main"
).split()


def script(last: str) -> str:
    """The page's script; `last` is live for the app, kept for the export."""
    parts = [(PAGE / f"{name}.js").read_text() for name in (*SCRIPTS, last)]
    return "\n".join([page.shared(), *parts])


def css() -> str:
    """The report's style sheet, and what the explorer adds to it."""
    return page.css() + (PAGE / "explorer.css").read_text()


def plotly_js() -> str:
    return page.plotly_js()


def title(studies: list[Findings]) -> str:
    return f"Explorer: {listed([one.name for one in studies])}"


def lead(studies: list[Findings]) -> str:
    """What the studies are of, in a sentence."""
    networks = sorted({str(m) for one in studies for m in one.study["study"].get("models", [])})
    data = sorted({str(one.study["data"].get("name")) for one in studies})
    of = f"{listed(networks)} " if networks else ""
    return f"{of}on {listed(data)}. Select trials in any view; all views follow."


def metrics(studies: list[Findings]) -> str:
    """Where the studies' trials were judged by different metrics: which, and what is shown."""
    judged = {one.name: one.judged for one in studies}
    if len(set(judged.values())) < 2:
        return ""
    each = listed([f"{name} by {words}" for name, words in judged.items()])
    return (
        f"The studies' trials were judged by different metrics: {each}. Pictures and tables show "
        "the val accuracy that all of them have, which isn't what each study chose by; the best "
        "setting of each is by its own metric."
    )


def body(studies: list[Findings], foot: str, note: str = "") -> str:
    """The body's markup, without scripts. Names in it are escaped."""
    told = [words for words in (note, metrics(studies)) if words]
    shown = "".join(f'<p class="note">{html.escape(words)}</p>' for words in told)
    return Template((PAGE / "body.html").read_text()).substitute(
        title=html.escape(title(studies)),
        lead=html.escape(lead(studies)),
        note=shown,
        foot=html.escape(foot),
    )
