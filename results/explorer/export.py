"""The selection as one HTML file that works without network, app or data set."""

import base64
import html
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from results import Mistake
from results.artefacts.load import Findings, answers
from results.explorer import document, written
from results.explorer.answers import answers_payload, images
from results.explorer.gallery import SHEET, sheet, vote_counts
from results.explorer.payload import payload
from results.facts.evaluation import Judged
from results.report.page import POLICY, as_json

MOST_MIB = 15  # of faces in one file
NO_FACES = ("This file holds no faces: their licence forbids spreading them. The app shows them "
            "where the data set is; an export holds them only if asked for.")  # fmt: skip


def part(one: Findings, names: set[str]) -> Findings:
    """A study with only these trials."""
    tables = {
        name: frame[frame["trial_id"].isin(names)].reset_index(drop=True)
        for name in ("trials", "epochs", "decisions", "predictions")
        for frame in [getattr(one, name)]
    }
    return replace(one, **tables)


def selected(studies: list[Findings], keys: list[str]) -> list[Findings]:
    """The studies with only the trials of `keys`: STUDY:TRIAL, with the study's place from 0."""
    wanted: dict[str, set[str]] = {}
    for key in keys:
        number, _, name = key.partition(":")
        wanted.setdefault(number, set()).add(name)
    return [part(one, wanted.get(str(number), set())) for number, one in enumerate(studies)]


def pictures(studies: list[Findings]) -> pd.DataFrame:
    """The images that any network of the studies answered, in the payload's order."""
    return images([each for one in studies for each in answers(one)])


def faces_payload(
    faces: np.ndarray | str, shown: pd.DataFrame, votes: Path | None, sheets: bool
) -> dict[str, Any]:
    """What the page must know of the faces, or why there are none; `sheets`: the pictures too, up
    to MOST_MIB: what is cut is told."""
    there = isinstance(faces, np.ndarray)
    told: dict[str, Any] = {"there": there, "why": "" if there else faces}
    if votes:
        told["votes"] = vote_counts(votes, shown)
    if there and sheets:
        told["sheets"], size = [], 0
        for number in range(-(-len(faces) // SHEET**2)):
            raw = base64.b64encode(sheet(faces, number)).decode()
            size += len(raw)
            kept = size <= MOST_MIB << 20
            told["sheets"].append(f"data:image/png;base64,{raw}" if kept else "")
        lost = sum(not one for one in told["sheets"]) * SHEET**2
        if lost:
            told["why"] = f"The faces of {lost:,} images were left out: a file holds at most " \
                          f"{MOST_MIB} MiB of them."  # fmt: skip
    return told


def export(
    studies: list[Findings],
    settings: list[Judged],
    keys: list[str] | None = None,
    address: str = "",
    faces: np.ndarray | str = NO_FACES,
    votes: Path | None = None,
    searches: str | None = None,
) -> str:
    """The whole page. `keys`: only these trials; `address`: the selection it opens with; `faces`,
    those of all `pictures(studies)`, only where someone asked for them in the file; `searches`:
    `written.searches_html` of them, if it is known."""
    kept = studies if keys is None else selected(studies, keys)
    whole, shown = pictures(studies), pictures(kept)
    if isinstance(faces, np.ndarray) and len(shown) < len(whole):
        own = ["digest", "split", "image"]
        faces = faces[
            pd.MultiIndex.from_frame(whole[own]).isin(pd.MultiIndex.from_frame(shown[own]))
        ]
    many, all_of_them = (sum(len(one.trials) for one in some) for some in (kept, studies))
    note = f"This file holds {many:,} of the {all_of_them:,} trials; the overview and the tables " \
           "on confirmed networks are of all." if many < all_of_them else ""  # fmt: skip
    texts = written.texts(studies, settings, votes)
    first = {"payload": payload(kept), "overview": texts["overview"]}
    later = {
        "answers": answers_payload(kept),
        "faces": faces_payload(faces, shown, votes, sheets=True),
        "written": texts,
        "searches": written.searches_html(studies, settings) if searches is None else searches,
    }
    foot = "Made by python -m results.explorer from the artefact folders; it asks nothing of a " \
           "network."  # fmt: skip
    if isinstance(faces, np.ndarray):
        foot += " It holds faces whose licence forbids spreading them: keep it to yourself."
    title = html.escape(document.title(studies))
    start = json.dumps(address if address.startswith("#") else "#")
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{POLICY}; connect-src data: blob:">
<title>{title}</title>
<style>
{document.css()}</style>
</head>
<body>
{document.body(kept, foot, note)}
<script type="application/json" id="payload">{data(first)}</script>
<script type="application/json" id="later">{data(later)}</script>
<script>const opening = {as_json(start)};</script>
<script>{document.script("kept")}</script>
<script>{document.plotly_js()}</script>
</body>
</html>
"""


def data(value: Any) -> str:
    """JSON that can't end the element it stands in."""
    return as_json(json.dumps(value, allow_nan=False))


def write(text: str, out: Path) -> None:
    try:
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        raise Mistake(f"can't write {out} ({error.strerror}): give another file") from None
