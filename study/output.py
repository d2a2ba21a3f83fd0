"""Standard output, which may be closed while a study runs: by `| head`, or with its terminal."""

import errno
import os
import re
import select
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

# Escape sequences, and what else moves a terminal's cursor or rings its bell.
CONTROLS = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07]*\x07|[\x00-\x08\x0b-\x1f\x7f-\x9f]")
HANGUP = errno.EIO  # how a terminal that is gone says so; a pipe says EPIPE
state: dict[str, Any] = {"lost": None, "tell": None, "unwritten": ""}


def say(text: Any = "") -> None:
    """A line on standard output, at once."""
    with outlived():
        print(readable(str(text), sys.stdout), flush=True)


def complain(text: str) -> None:
    """A line on standard error, at once."""
    with suppress(OSError):
        print(readable(text, sys.stderr), file=sys.stderr, flush=True)


def readable(text: str, stream: Any) -> str:
    """A text, perhaps of others, as a stream can print it: no control characters, and what its
    encoding lacks as \\xNN."""
    encoding = getattr(stream, "encoding", None) or "utf-8"
    return CONTROLS.sub("", text).encode(encoding, "backslashreplace").decode(encoding)


@contextmanager
def outlived() -> Iterator[None]:
    """What prints within goes on where nobody reads it any more: its output goes nowhere then."""
    try:
        try:
            yield
        except BlockingIOError:
            wait()
    except OSError as error:
        nowhere(sys.stdout)
        number = signal.SIGHUP if error.errno == HANGUP else signal.SIGPIPE
        why = f"standard output can't be written ({error.strerror})"
        if error.errno not in (HANGUP, errno.EPIPE):
            state["unwritten"] = why
        state["lost"] = (number, f"{number.name}: {why}")
        if state["tell"]:
            state["tell"](*state["lost"])


def wait() -> None:
    """Until what waits to be printed is written: another process has set the terminal or pipe that
    it shares not to wait for its reader."""
    while True:
        select.select([], [sys.stdout], [])
        try:
            sys.stdout.flush()
        except BlockingIOError:
            continue
        return


def nowhere(stream: Any) -> None:
    """Let a stream's file be the null device, so that what waits in its buffers is no error."""
    with suppress(OSError, ValueError):  # a stream in memory, which no one can close
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, stream.fileno())
        os.close(null)


def on_loss(tell: Callable[[int, str], None] | None) -> None:
    """Who is to hear that the output is lost, at once if it is so: the signal's number, and why."""
    state["tell"] = tell
    if tell and state["lost"]:
        tell(*state["lost"])


def flushed() -> str:
    """At a command's end: why its output is lost where a file should have held it, as of a full
    disk; what nobody reads is no error of its own."""
    with outlived():
        if sys.stdout:
            sys.stdout.flush()
    return str(state["unwritten"])
