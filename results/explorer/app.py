"""The live app: Dash on loopback. It delivers the payload, what is new of it, and the faces.

What is drawn, selected and linked is the page's script; nothing of a viewer is kept here.
"""

import json
import threading
from functools import lru_cache
from pathlib import Path
from typing import Any

import dash
import flask
import numpy as np
from dash import ClientsideFunction, Input, Output, State, dcc, html

from results import Mistake
from results.explorer import document, written
from results.explorer.answers import answers_payload, images
from results.explorer.export import export, faces_payload
from results.explorer.faces import Faces, find, sheet
from results.explorer.payload import payload
from results.load import Findings, answers, load, named_apart

POLL_MS = 1500
FILES = ("study.json", "trials.parquet", "epochs.parquet", "decisions.parquet",
         "predictions.parquet", "attention.parquet")  # fmt: skip
POLICY = ("default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
          "img-src 'self' data: blob:; connect-src 'self' data: blob:; font-src 'self' data:; "
          "base-uri 'none'; form-action 'none'; frame-ancestors 'none'")  # fmt: skip
ANSWERED = ("predictions.parquet",)
HOSTS = ("127.0.0.1", "localhost")  # another name for this address is a stranger's page
NOT_HERE = ("The data set isn't on this machine, so there are no pictures; --data FILE names it. "
            "Everything else works without.")  # fmt: skip
DRAWN = ("These faces were drawn and aren't kept on this machine, so there are no pictures. "
         "Everything else works without.")  # fmt: skip

Stamp = tuple[tuple[int, int], ...]


def stamp(folders: tuple[Path, ...], names: tuple[str, ...] = FILES) -> Stamp:
    """Changes whenever one of the files does."""
    found = []
    for folder in folders:
        for name in names:
            try:
                told = (folder / name).stat()
                found.append((told.st_mtime_ns, told.st_size))
            except OSError:
                found.append((0, 0))
    return tuple(found)


# What the folders say is a function of their files: kept until they change, for all viewers.
@lru_cache(maxsize=1)
def studies_at(folders: tuple[Path, ...], _stamp: Stamp) -> list[Findings]:
    return named_apart([load(folder) for folder in folders])


class Judged:
    """The bootstraps of the confirmed settings: they take seconds and change with the predictions
    alone, so they are computed once, and what needs no test figure doesn't wait for them."""

    def __init__(self, folders: tuple[Path, ...]) -> None:
        self.folders, self.lock = folders, threading.Lock()
        self.at: Stamp | None = None
        self.settings: list[Any] = []

    def ready(self) -> list[Any] | None:
        """None while they are still to be computed."""
        return self.settings if self.at == stamp(self.folders, ANSWERED) else None

    def computed(self) -> list[Any]:
        with self.lock:
            if self.ready() is None:
                now = stamp(self.folders, ANSWERED)
                self.settings = written.judged(studies_at(self.folders, stamp(self.folders)))
                self.at = now
            return self.settings


class Pages(dash.Dash):
    """Dash with the explorer's page around its own entry; its scripts wait in a template."""

    body = ""

    def interpolate_index(self, **parts: str) -> str:
        entry = parts["scripts"] + parts["renderer"] + '<script src="renderer.js"></script>'
        return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{parts["title"]}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="explorer.css">
<link rel="preload" href="payload" as="fetch" crossorigin>
</head>
<body>
{self.body}
<div hidden>{parts["app_entry"]}</div>
{parts["config"]}
<template id="dash">{entry}</template>
<script src="explorer.js"></script>
</body>
</html>
"""


def app(
    folders: tuple[Path, ...], data: Path | None = None, votes_file: Path | None = None
) -> dash.Dash:
    """The app over these artefact folders; refuses what isn't one, or faces of another study."""
    first = studies_at(folders, stamp(folders))
    faces, why = faces_of(first, data)
    judged = Judged(folders)
    threading.Thread(target=judged.computed, daemon=True).start()
    made = Pages("results.explorer", title=document.title(first), update_title="",
                 serve_locally=True, assets_ignore=".*")  # fmt: skip
    made.body = document.body(first, "python -m results.explorer; nothing leaves this machine.")
    made.layout = html.Div([
        dcc.Interval(id="tick", interval=POLL_MS), dcc.Store(id="known"), dcc.Store(id="news"),
    ])  # fmt: skip
    made.clientside_callback(ClientsideFunction("explorer", "take"), Output("known", "data"),
                             Input("news", "data"))  # fmt: skip

    @made.callback(Output("news", "data"), Input("tick", "n_intervals"), State("known", "data"))
    def news(_: int, known: dict[str, Any] | None) -> Any:
        """What changed since the page last asked; a file that can't be read is told, not raised."""
        now = stamp(folders)
        if known and known.get("stamp") == text(now):
            return dash.no_update
        try:
            return told(now, float((known or {}).get("newest") or 0))
        except Mistake as mistake:
            return {"stamp": text(now), "trouble": str(mistake), "answers": answered()}

    def answered() -> str:
        return text(stamp(folders, ("predictions.parquet", "attention.parquet")))

    def told(now: Stamp, since: float = 0.0) -> dict[str, Any]:
        studies = studies_at(folders, now)
        return {"stamp": text(now), "answers": answered(), "payload": payload(studies, since),
                "overview": written.overview_html(studies, judged.ready())}  # fmt: skip

    def current() -> list[Findings]:
        return studies_at(folders, stamp(folders))

    server = made.server

    @server.get("/payload")
    def whole() -> flask.Response:
        return as_json(told(stamp(folders)))

    @server.get("/answers")
    def said() -> flask.Response:
        faces_told = faces_payload(current(), faces, votes_file, why, sheets=False)
        return as_json({"answers": answers_payload(current()), "faces": faces_told})

    @server.get("/written")
    def text_views() -> flask.Response:
        studies, settings = current(), judged.computed()
        return as_json({"overview": written.overview_html(studies, settings),
                        "comparison": written.comparison_html(studies, settings),
                        "paper": written.paper_html(studies, settings)})  # fmt: skip

    @server.get("/sheet/<int:number>.png")
    def faces_sheet(number: int) -> flask.Response:
        if faces is None:
            flask.abort(404)
        ids = images([each for one in current() for each in answers(one)])["image"]
        return flask.Response(sheet(faces, ids.to_numpy(np.int64), number), mimetype="image/png")

    @server.post("/export")
    def save() -> flask.Response:
        asked = flask.request.get_json()
        inside = faces if asked.get("faces") else None
        page = export(current(), asked.get("keys"), asked.get("address", ""), inside, votes_file,
                      judged.computed())  # fmt: skip
        return flask.Response(page, mimetype="text/html")

    for path, kind, content in (
        ("explorer.js", "text/javascript", lambda: document.script("live")),
        ("explorer.css", "text/css", document.css),
        ("plotly.js", "text/javascript", document.plotly_js),
        ("renderer.js", "text/javascript", lambda: made.renderer),
    ):
        server.add_url_rule(f"/{path}", path, serve(content, kind))
    if faces is not None and votes_file:
        faces_payload(first, faces, votes_file, why, sheets=False)  # a wrong file is told at once
    server.before_request(own_host)
    server.after_request(guarded)
    server.register_error_handler(Mistake, lambda mistake: (str(mistake), 409))
    return made


def faces_of(studies: list[Findings], data: Path | None) -> tuple[Faces | None, str]:
    """The faces, or why there are none. Without --data a source that doesn't fit is passed over."""
    if len({one.study["data"].get("digest") for one in studies}) > 1:
        return None, "These studies are on different data: open one at a time to see faces."
    try:
        faces = find(studies[0], data)
    except Mistake as mistake:
        if data is not None:
            raise
        return None, f"No pictures: {mistake}."
    return faces, "" if faces else DRAWN if studies[0].synthetic else NOT_HERE


def text(now: Stamp) -> str:
    return "-".join(f"{when:x}.{size:x}" for when, size in now)


def serve(content: Any, kind: str) -> Any:
    return lambda: flask.Response(content(), mimetype=kind)


def as_json(value: Any) -> flask.Response:
    return flask.Response(json.dumps(value, allow_nan=False), mimetype="application/json")


def own_host() -> flask.Response | None:
    """Refuse a page of the web that reached this address under a name of its own."""
    if flask.request.host.rsplit(":", 1)[0] not in HOSTS:
        return flask.Response("The explorer answers on 127.0.0.1 alone.", 403)
    return None


def guarded(response: flask.Response) -> flask.Response:
    response.headers["Content-Security-Policy"] = POLICY
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response
