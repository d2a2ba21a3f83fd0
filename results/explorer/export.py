"""The selection as one HTML file that works without network, app or data set."""

import base64
import html
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from results import Mistake
from results.explorer import document, written
from results.explorer.answers import answers_payload, images
from results.explorer.faces import SHEET, Faces, sheet, votes
from results.explorer.payload import payload
from results.facts import Judged
from results.load import Findings, answers
from results.page import POLICY, as_json

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
    """The studies with only the trials of `keys`, each STUDY:TRIAL with the study's place from 0."""
    wanted: dict[str, set[str]] = {}
    for key in keys:
        number, _, name = key.partition(":")
        wanted.setdefault(number, set()).add(name)
    return [part(one, wanted.get(str(number), set())) for number, one in enumerate(studies)]


def faces_payload(
    studies: list[Findings], faces: Faces | None, votes_file: Path | None, why: str, sheets: bool
) -> dict[str, Any]:
    """What the page must know of the faces; `sheets`: the pictures themselves, up to MOST_MIB."""
    pictures = images([each for one in studies for each in answers(one)])
    told: dict[str, Any] = {"there": faces is not None, "why": why, "count": len(pictures)}
    if votes_file:
        told["votes"] = votes(votes_file, pictures)
    if faces is not None and sheets:
        told["sheets"], size = [], 0
        ids = pictures["image"].to_numpy(np.int64)
        for number in range(-(-len(ids) // SHEET**2)):
            raw = base64.b64encode(sheet(faces, ids, number)).decode()
            size += len(raw)
            kept = size <= MOST_MIB << 20
            told["sheets"].append(f"data:image/png;base64,{raw}" if kept else "")
    return told


def export(
    studies: list[Findings],
    keys: list[str] | None = None,
    address: str = "",
    faces: Faces | None = None,
    votes_file: Path | None = None,
    settings: list[Judged] | None = None,
) -> str:
    """The whole page. `keys`: only these trials; `address`: the selection it opens with; `faces`
    only where someone asked for them in the file."""
    settings = written.judged(studies) if settings is None else settings
    kept = studies if keys is None else selected(studies, keys)
    many, whole = (sum(len(one.trials) for one in some) for some in (kept, studies))
    note = f"This file holds {many:,} of the {whole:,} trials; the overview and the tables on " \
           "confirmed networks are of all." if many < whole else ""  # fmt: skip
    first = {"payload": payload(kept), "overview": written.overview_html(studies, settings)}
    later = {
        "answers": answers_payload(kept),
        "faces": faces_payload(kept, faces, votes_file, NO_FACES, sheets=True),
        "written": {
            "overview": first["overview"],
            "comparison": written.comparison_html(studies, settings),
            "paper": written.paper_html(studies, settings),
        },
    }
    foot = "Made by python -m results.explorer from the artefact folders; it asks nothing of a " \
           "network." + (" It holds faces whose licence forbids spreading them." if faces else "")  # fmt: skip
    title = html.escape(document.title(studies))
    start = json.dumps(address if address.startswith("#") else "")
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
<script>if (!location.hash) try {{ history.replaceState(null, '', {as_json(start)} || '#'); }} catch {{}}
{document.plotly_js()}</script>
<script>{document.script("kept")}</script>
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
