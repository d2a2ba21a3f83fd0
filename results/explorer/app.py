"""The live app: Dash on loopback. It delivers the payload, what is new of it, and the faces.

What is drawn, selected and linked is the page's script; nothing of a viewer is kept here.
"""

import json
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import dash
import flask
from dash import ClientsideFunction, Input, Output, State, dcc, html

from results import Mistake
from results.artefacts.faces import located
from results.artefacts.load import Findings
from results.explorer import document, notes, written
from results.explorer.answers import answers_payload, pictures
from results.explorer.export import export
from results.explorer.gallery import faces_payload
from results.explorer.live import (
    ANSWERED,
    SHOWN,
    Evaluations,
    Folders,
    Gallery,
    Searches,
    Stamp,
    stamp,
    studies_now,
    text,
)
from results.explorer.payload import payload

POLL_MS = 1500
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; connect-src 'self' data: blob:; font-src 'self' data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HOSTS = ("127.0.0.1", "localhost")  # another name for this address is a stranger's page
Wsgi = Callable[[dict[str, Any], Any], Any]
PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="explorer.css">
<link rel="preload" href="payload" as="fetch" crossorigin>
</head>
<body>
{body}
<div hidden>{app_entry}</div>
{config}
<template id="dash">{scripts}{renderer}<script src="renderer.js"></script></template>
<script src="explorer.js"></script>
</body>
</html>
"""


class Pages(dash.Dash):
    """Dash with the explorer's page around its own entry; its scripts wait in a template."""

    body = ""

    def interpolate_index(self, **parts: Any) -> str:  # type: ignore[override]  # Dash names them
        return PAGE.format(body=self.body, **parts)


def app(
    folders: Folders,
    data: Path | None = None,
    votes: Path | None = None,
    hosts: tuple[str, ...] = (),
    prefix: str = "",
) -> dash.Dash:
    """The app over these artefact folders; refuses what isn't one. Faces of another study are said
    on the page, once the data set is read.

    `hosts`: names beside this machine's own under which a proxy hands requests on; `prefix`: the
    path that it leaves before ours. A prefix that the proxy takes away needs no word: all that the
    page asks for is relative to the page.
    """
    first = studies_now(folders)
    if data and not located(data)[1].exists():
        raise Mistake(f"there is no {data}: give the data set's file, folder or zip")
    if votes:  # a wrong file is refused before anything is shown
        faces_payload("", pictures(first), votes, sheets=False)
    evaluations, gallery = Evaluations(folders), Gallery(folders, data)
    made = Pages(
        "results.explorer",
        title=document.title(first),
        update_title="",
        serve_locally=True,
        assets_ignore=".*",
    )
    made.body = document.body(first, "python -m results.explorer; nothing leaves this machine.")
    poll(made, folders, evaluations)
    deliver(made.server, evaluations, gallery, votes)
    deliver_page(made, hosts)
    if prefix.strip("/"):
        made.server.wsgi_app = below(prefix, made.server.wsgi_app)
    return made


def poll(made: dash.Dash, folders: Folders, evaluations: Evaluations) -> None:
    """What is new: the page polls POLL_MS after the last answer and hands it to its script.

    While one is awaited the clock stands: Dash drops an answer once the same is asked again, so
    that one which took longer than POLL_MS would never be shown.
    """
    made.layout = html.Div(
        [dcc.Interval(id="tick", interval=POLL_MS), dcc.Store(id="known"), dcc.Store(id="news")]
    )
    taken = ClientsideFunction("explorer", "take")
    made.clientside_callback(taken, Output("known", "data"), Input("news", "data"))

    @made.callback(
        Output("news", "data"),
        Input("tick", "n_intervals"),
        State("known", "data"),
        running=[(Output("tick", "disabled"), True, False)],
        prevent_initial_call=True,
    )
    def news(tick: int, known: dict[str, Any] | None) -> Any:
        """What changed since the last poll; a file that can't be read is reported, not raised."""
        now = stamp(folders, SHOWN)
        known = known or {}
        if known.get("stamp") == text(now):
            return {"heard": tick}  # no news: a word all the same, so that silence means something
        try:
            return state(folders, now, evaluations, float(known.get("newest") or 0))
        except Mistake as mistake:
            return {"stamp": text(now), "trouble": str(mistake), "answers": answered(folders)}


def answered(folders: Folders) -> str:
    return text(stamp(folders, ANSWERED))


def state(
    folders: Folders, now: Stamp, evaluations: Evaluations, since: float = 0.0
) -> dict[str, Any]:
    """The payload, its epochs only those finished after `since` (ms), and what is written first."""
    studies = studies_now(folders)
    return {
        "stamp": text(now),
        "answers": answered(folders),
        "payload": payload(studies, since),
        "written": written.first(studies, evaluations.ready()),
        "waits": evaluations.ready() is None,  # for `first`
    }


def deliver(
    server: flask.Flask, evaluations: Evaluations, gallery: Gallery, votes: Path | None
) -> None:
    """The addresses behind which the studies' data lie."""
    folders = evaluations.folders
    searches = Searches(folders)

    @lru_cache(maxsize=1)
    def whole(now: Stamp, _ready: bool) -> str:
        return json.dumps(state(folders, now, evaluations), allow_nan=False)

    def payload_whole() -> flask.Response:
        content = whole(stamp(folders, SHOWN), evaluations.ready() is not None)
        return flask.Response(content, mimetype="application/json")

    whole(stamp(folders, SHOWN), False)  # so that the first page doesn't wait for it

    def current() -> list[Findings]:
        return studies_now(folders)

    def faces() -> flask.Response:
        return as_json(faces_payload(*gallery.now(), votes, sheets=False))

    def first() -> flask.Response:
        settings = evaluations.computed()  # takes seconds: the studies are those of after it
        return as_json(written.first(current(), settings))

    def written_views() -> flask.Response:
        settings = evaluations.computed()
        return as_json(written.texts(current(), settings, votes))

    def note() -> flask.Response:
        told = flask.request.get_json()
        number, trial = told.get("study"), str(told.get("trial"))
        studies = current()
        if not isinstance(number, int) or not 0 <= number < len(studies):
            raise Mistake("there is no such study here")
        words = told.get("tags"), told.get("note"), told.get("began")
        return as_json(notes.write(studies[number], trial, *words))

    def sheet(number: int) -> flask.Response:
        content = gallery.sheet(number)
        if content is None:
            flask.abort(404)
        return flask.Response(content, mimetype="image/png")

    def save() -> flask.Response:
        wanted = flask.request.get_json()
        page = export(
            current(),
            evaluations.computed(),
            wanted.get("keys"),
            wanted.get("address", ""),
            gallery.now()[0] if wanted.get("faces") else None,
            votes,
            searches.computed(),
        )
        return flask.Response(page, mimetype="text/html")

    server.get("/payload")(payload_whole)
    server.get("/answers", endpoint="answers")(lambda: as_json(answers_payload(current())))
    server.get("/faces")(faces)
    server.get("/first")(first)
    server.get("/written")(written_views)
    server.get("/searches", endpoint="searches")(lambda: as_json(searches.computed()))
    server.get("/sheet/<int:number>.png")(sheet)
    server.post("/export")(save)
    server.post("/notes")(note)


def deliver_page(made: dash.Dash, hosts: tuple[str, ...]) -> None:
    """The page's own files, and what guards every answer."""
    files: tuple[tuple[str, str, Callable[[], str]], ...] = (
        ("explorer.js", "text/javascript", lambda: document.script("live")),
        ("explorer.css", "text/css", document.css),
        ("plotly.js", "text/javascript", document.plotly_js),
        ("renderer.js", "text/javascript", lambda: made.renderer),
    )
    for path, kind, content in files:
        made.server.add_url_rule(f"/{path}", path, serve(content, kind))
    made.server.before_request(lambda: own_host(hosts))
    made.server.after_request(guarded)
    made.server.register_error_handler(Mistake, lambda mistake: (str(mistake), 409))


def serve(content: Callable[[], str], kind: str) -> Callable[[], flask.Response]:
    return lambda: flask.Response(content(), mimetype=kind)


def as_json(value: Any) -> flask.Response:
    return flask.Response(json.dumps(value, allow_nan=False), mimetype="application/json")


def own_host(others: tuple[str, ...]) -> flask.Response | None:
    """Refuse a page of the web that reached this address under a name of its own."""
    name = flask.request.host.rsplit(":", 1)[0]
    if name in (*HOSTS, *others):
        return None
    words = (
        "The explorer answers on 127.0.0.1 alone. If a proxy of yours hands requests on under the "
        f"name {name}, start it with --allow-host {name}."
    )
    return flask.Response(words, 403, mimetype="text/plain")


def below(prefix: str, inner: Wsgi) -> Wsgi:
    """The same app below a path, as a proxy hands it on that doesn't take the path away. What comes
    without it is answered too: then the proxy has taken it away."""
    root = f"/{prefix.strip('/')}"

    def outer(environ: dict[str, Any], start: Any) -> Any:
        path = environ.get("PATH_INFO", "")
        if path == root:  # the page's addresses are relative: without the last / they'd miss it
            start("308 Permanent Redirect", [("Location", f"{root}/"), ("Content-Length", "0")])
            return []
        if path.startswith(f"{root}/"):
            environ = environ | {"PATH_INFO": path[len(root) :], "SCRIPT_NAME": root}
        return inner(environ, start)

    return outer


def guarded(response: flask.Response) -> flask.Response:
    response.headers["Content-Security-Policy"] = POLICY
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response
