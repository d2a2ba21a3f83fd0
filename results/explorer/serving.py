"""The server of the live app, on loopback."""

import flask
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from results import Mistake


class Quiet(WSGIRequestHandler):
    """No line for each request: a person reads this terminal."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        pass


def listening(application: flask.Flask, ports: list[int]) -> BaseWSGIServer:
    """A server on loopback, at the first of these ports that is free; 0 is any."""
    for number in ports:
        try:
            return make_server(
                "127.0.0.1", number, application, threaded=True, request_handler=Quiet
            )
        except (OSError, SystemExit):
            continue
    raise Mistake(f"port {ports[0]} is taken: give another --port, or none for a free one")
