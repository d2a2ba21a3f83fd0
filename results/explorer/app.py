"""The live app: Dash on loopback. It delivers the payload, what is new of it, and the faces.

What is drawn, selected and linked is the page's script; nothing of a viewer is kept here.
"""

import json
import threading
from concurrent.futures import ProcessPoolExecutor
from functools import lru_cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import dash
import flask
import numpy as np
import pandas as pd
from dash import ClientsideFunction, Input, Output, State, dcc, html

from results import Mistake
from results.artefacts.load import Findings, load, named_apart
from results.explorer import document, written
from results.explorer.answers import answers_payload
from results.explorer.export import NO_FACES, export, faces_payload, pictures
from results.explorer.gallery import found, sheet
from results.explorer.payload import payload

POLL_MS = 1500
FILES = ("study.json", "trials.parquet", "epochs.parquet", "decisions.parquet",
         "predictions.parquet", "attention.parquet")  # fmt: skip
POLICY = ("default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
          "img-src 'self' data: blob:; connect-src 'self' data: blob:; font-src 'self' data:; "
          "base-uri 'none'; form-action 'none'; frame-ancestors 'none'")  # fmt: skip
ANSWERED = ("predictions.parquet",)
HOSTS = ("127.0.0.1", "localhost")  # another name for this address is a stranger's page
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


class Searches:
    """What each whole search says, worked out once: half a minute of Python for a thousand trials,
    so in a process of its own, while the page asks for other things."""

    def __init__(self, folders: tuple[Path, ...], judged: Judged) -> None:
        self.folders, self.judged, self.lock = folders, judged, threading.Lock()
        self.at: Stamp | None = None
        self.html = ""

    def computed(self) -> str:
        with self.lock:
            now = stamp(self.folders)
            if self.at != now:
                given = studies_at(self.folders, now), self.judged.computed()
                with ProcessPoolExecutor(1, get_context("spawn")) as aside:
                    self.html = aside.submit(written.searches_html, *given).result()
                self.at = now
            return self.html


class Gallery:
    """The faces of whatever was answered, read when first asked for: a table takes 15 seconds."""

    def __init__(self, folders: tuple[Path, ...], data: Path | None) -> None:
        self.folders, self.data, self.lock = folders, data, threading.Lock()
        self.at: Stamp | None = None
        self.faces: np.ndarray | str = ""
        self.shown = pd.DataFrame()
        self.sheets: dict[int, bytes] = {}

    def now(self) -> tuple[np.ndarray | str, pd.DataFrame]:
        """The faces, or why there are none, and the table of them."""
        with self.lock:
            answered = stamp(self.folders, ANSWERED)
            if self.at != answered:
                studies = studies_at(self.folders, stamp(self.folders))
                self.shown = pictures(studies)
                try:
                    self.faces = found(studies, self.shown, self.data)
                except Mistake as mistake:
                    self.faces = f"No pictures: {mistake}."
                self.sheets, self.at = {}, answered
            return self.faces, self.shown

    def sheet(self, number: int) -> bytes | None:
        """Sheet `number` as PNG, made once; None where there are no faces."""
        faces, _ = self.now()
        if isinstance(faces, str):
            return None
        if number not in self.sheets:
            self.sheets[number] = sheet(faces, number)
        return self.sheets[number]


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
    folders: tuple[Path, ...], data: Path | None = None, votes: Path | None = None
) -> dash.Dash:
    """The app over these artefact folders; refuses what isn't one, or faces of another study."""
    first = studies_at(folders, stamp(folders))
    shown = pictures(first)
    if data or votes:  # a wrong file is told before anything is shown
        faces_payload(found(first, shown, data) if data else "", shown, votes, sheets=False)
    judged, gallery = Judged(folders), Gallery(folders, data)
    searched = Searches(folders, judged)
    threading.Thread(target=judged.computed, daemon=True).start()
    made = Pages("results.explorer", title=document.title(first), update_title="",
                 serve_locally=True, assets_ignore=".*")  # fmt: skip
    made.body = document.body(first, "python -m results.explorer; nothing leaves this machine.")
    made.layout = html.Div([
        dcc.Interval(id="tick", interval=POLL_MS), dcc.Store(id="known"), dcc.Store(id="news"),
    ])  # fmt: skip
    made.clientside_callback(ClientsideFunction("explorer", "take"), Output("known", "data"),
                             Input("news", "data"))  # fmt: skip

    @made.callback(Output("news", "data"), Input("tick", "n_intervals"), State("known", "data"),
                   prevent_initial_call=True)  # fmt: skip
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

    @lru_cache(maxsize=1)
    def first_payload(now: Stamp, _ready: bool) -> str:
        return json.dumps(told(now), allow_nan=False)

    def whole() -> flask.Response:
        content = first_payload(stamp(folders), judged.ready() is not None)
        return flask.Response(content, mimetype="application/json")

    first_payload(stamp(folders), False)  # so that the first page doesn't wait for it
    server.add_url_rule("/payload", "payload", whole)

    @server.get("/answers")
    def said() -> flask.Response:
        return as_json(answers_payload(current()))

    @server.get("/faces")
    def faces_told() -> flask.Response:
        faces, shown = gallery.now()
        return as_json(faces_payload(faces, shown, votes, sheets=False))

    @server.get("/written")
    def text_views() -> flask.Response:
        return as_json(written.texts(current(), judged.computed(), votes))

    @server.get("/searches")
    def searches() -> flask.Response:
        return as_json(searched.computed())

    @server.get("/sheet/<int:number>.png")
    def faces_sheet(number: int) -> flask.Response:
        content = gallery.sheet(number)
        if content is None:
            flask.abort(404)
        return flask.Response(content, mimetype="image/png")

    @server.post("/export")
    def save() -> flask.Response:
        asked = flask.request.get_json()
        faces = gallery.now()[0] if asked.get("faces") else NO_FACES
        page = export(current(), judged.computed(), asked.get("keys"), asked.get("address", ""),
                      faces, votes, searched.computed())  # fmt: skip
        return flask.Response(page, mimetype="text/html")

    for path, kind, content in (
        ("explorer.js", "text/javascript", lambda: document.script("live")),
        ("explorer.css", "text/css", document.css),
        ("plotly.js", "text/javascript", document.plotly_js),
        ("renderer.js", "text/javascript", lambda: made.renderer),
    ):
        server.add_url_rule(f"/{path}", path, serve(content, kind))
    server.before_request(own_host)
    server.after_request(guarded)
    server.register_error_handler(Mistake, lambda mistake: (str(mistake), 409))
    return made


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
