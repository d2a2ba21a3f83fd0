"""The selection as one HTML file that works without network, app or data set."""

import base64
import gzip
import html
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from results import Mistake
from results.artefacts.load import Findings
from results.explorer import document, written
from results.explorer.answers import IMAGE_KEY, answers_payload, pictures
from results.explorer.gallery import NO_FACES, NONE_DRAWN, faces_payload
from results.explorer.payload import payload
from results.facts.evaluation import Evaluated
from results.report.page import POLICY, as_json

FOOT = "Made by python -m results.explorer from the artefact folders; it asks nothing of a network."
WITH_FACES = " It holds faces whose licence forbids spreading them: keep it to yourself."
PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{policy}; connect-src data: blob:">
<title>{title}</title>
<style>
{css}</style>
</head>
<body>
{body}
<script type="application/json" id="payload">{first}</script>
<script type="text/plain" id="later">{later}</script>
<script>const opening = {opening};</script>
<script>{script}</script>
<script>{plotly}</script>
</body>
</html>
"""


def part(one: Findings, names: set[str]) -> Findings:
    """A study with only these trials."""
    tables = {
        name: frame[frame["trial_id"].isin(names)].reset_index(drop=True)
        for name in ("trials", "epochs", "decisions", "predictions")
        for frame in [getattr(one, name)]
    }
    return replace(one, **tables)


def selected(studies: list[Findings], keys: list[str]) -> list[Findings]:
    """The studies with only the trials of `keys` (STUDY:TRIAL, with the study's place from 0) and
    what was confirmed because of them."""
    wanted: dict[str, set[str]] = {}
    for key in keys:
        number, _, name = key.partition(":")
        wanted.setdefault(number, set()).add(name)
    return [
        part(one, with_confirmed(one, wanted.get(str(number), set())))
        for number, one in enumerate(studies)
    ]


def with_confirmed(one: Findings, names: set[str]) -> set[str]:
    """These trials, and those that were confirmed because of them: the page shows them together."""
    because = one.chosen.loc[one.chosen["from_trial"].isin(names), "setting"]
    confirmed = (one.trials["stage"] == "confirm") & one.trials["setting"].isin(because)
    return names | set(one.trials.loc[confirmed, "trial_id"])


def export(
    studies: list[Findings],
    settings: list[Evaluated],
    keys: list[str] | None = None,
    address: str = "",
    faces: np.ndarray | str | None = None,
    votes: Path | None = None,
    searches: str | None = None,
) -> str:
    """The whole page. `keys`: only these trials; `address`: the selection it opens with; `faces`,
    those of all `pictures(studies)`, only where someone asked for them in the file; `searches`:
    `written.searches` of them, if it is known."""
    drawn = all(one.synthetic for one in studies)
    if faces is None:
        faces = NONE_DRAWN if drawn else NO_FACES
    kept = studies if keys is None else selected(studies, keys)
    shown = pictures(kept)
    if isinstance(faces, np.ndarray):
        faces = faces[among(pictures(studies), shown)]
    texts = written.texts(studies, settings, votes)
    at_once = {name: texts.pop(name) for name in ("answer", "study")}
    later = {
        "answers": answers_payload(kept),
        "faces": faces_payload(faces, shown, votes, sheets=True),
        "written": texts,
        "searches": written.searches(studies) if searches is None else searches,
    }
    foot = FOOT + (WITH_FACES if isinstance(faces, np.ndarray) and not drawn else "")
    return PAGE.format(
        policy=POLICY,
        title=html.escape(document.title(studies)),
        css=document.css(),
        body=document.body(kept, foot, left_out(kept, studies)),
        first=data({"payload": payload(kept, whole=studies), "written": at_once}),
        later=packed(later),
        opening=as_json(json.dumps(address if address.startswith("#") else "#")),
        script=document.script("kept"),
        plotly=document.plotly_js(),
    )


def among(whole: pd.DataFrame, shown: pd.DataFrame) -> np.ndarray:
    """(N,) which rows of `whole` are images that `shown` has too."""
    every, some = (pd.MultiIndex.from_frame(frame[IMAGE_KEY]) for frame in (whole, shown))
    return every.isin(some)


def left_out(kept: list[Findings], studies: list[Findings]) -> str:
    many, of = (sum(len(one.trials) for one in some) for some in (kept, studies))
    if many == of:
        return ""
    return (
        f"This file holds {many:,} of the {of:,} trials; the overview and the tables on confirmed "
        "networks are of all."
    )


def data(value: Any) -> str:
    """JSON that can't end the element it stands in."""
    return as_json(json.dumps(value, allow_nan=False))


def packed(value: Any) -> str:
    """JSON as gzip in base64: two fifths less of what is mostly probabilities and tables."""
    plain = json.dumps(value, allow_nan=False).encode()
    return base64.b64encode(gzip.compress(plain, 2, mtime=0)).decode()


def write(page: str, out: Path) -> None:
    try:
        out.write_text(page, encoding="utf-8")
    except OSError as error:
        raise Mistake(f"can't write {out} ({error.strerror}): give another file") from None
