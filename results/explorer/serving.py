"""The server of the live app, on loopback."""

import io
from contextlib import redirect_stderr

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
        if not 0 <= number < 2**16:  # glibc would take what is left of it
            raise Mistake(
                f"there is no port {number}: give one of 1 to 65535, or none for a free one"
            )
        try:
            # werkzeug would tell a person to stop what has the port
            with redirect_stderr(io.StringIO()):
                return make_server(
                    "127.0.0.1", number, application, threaded=True, request_handler=Quiet
                )
        except (OSError, SystemExit):
            continue
    raise Mistake(
        f"port {ports[0]} is taken or not permitted: give another --port, or none for a free one"
    )
