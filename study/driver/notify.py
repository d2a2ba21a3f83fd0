"""--notify: what happens to a study, told to a command or to a URL. Runs on the driver.

An event is a JSON object: on standard input of a command, which is run for each, or as the body of
a POST. It is delivered by a thread, so that whatever the receiver does the study goes on; what
can't be delivered is said once.
"""

import contextlib
import json
import os
import queue
import shlex
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from study import Mistake, now
from study.record import progress

NEARLY = 0.9  # of a budget
LONGEST_SECONDS = 10.0  # that a delivery may take
LAST_SECONDS = 15.0  # that the end of a study waits for what isn't delivered yet
EVENTS = {
    "first_result": "the first epoch of the study has been validated",
    "trial_failed": "a trial has failed for good; told of the first one alone",
    "budget_nearly_spent": "90 % of a budget is spent",
    "stalled": "a trial was killed for its silence, no trial reports, or no node can hold one",
    "ended": "the driver ends, with `status`, `reason` and `exit_code`",
}


class Undelivered(Exception):
    """Why an event didn't arrive, in words."""


def receiver(text: str) -> Callable[[bytes], None]:
    """What delivers an event to a command or a URL. Mistake if it is neither."""
    if "://" in text.split(" ")[0]:
        try:
            parts = urllib.parse.urlsplit(text)
        except ValueError:  # as of http://[::1/
            parts = urllib.parse.urlsplit("")
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise Mistake(f"--notify is {text}: expected a command, or a URL of http or https")
        return lambda event: post(text, event)
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise Mistake(f"--notify is {text}: can't be read as a command ({error})") from None
    if not words or not shutil.which(words[0]):
        raise Mistake(
            f"--notify is {text}: expected a URL, or a command, and there is no program "
            f"{words[0] if words else ''!r}"
        )
    return lambda event: run(words, event)


class NoRedirect(urllib.request.HTTPRedirectHandler):
    """A POST that is redirected would arrive as a GET, without the event."""

    def redirect_request(self, *about: Any) -> None:
        return None


def post(url: str, event: bytes) -> None:
    """One POST. Undelivered if the answer isn't 2xx, or there is none."""
    request = urllib.request.Request(url, event, {"Content-Type": "application/json"})
    try:
        with urllib.request.build_opener(NoRedirect).open(request, timeout=LONGEST_SECONDS):
            pass
    except urllib.error.HTTPError as error:
        raise Undelivered(f"the answer was {error.code} {error.reason}") from None
    except Exception as error:  # of sockets, TLS, HTTP and its parser
        raise Undelivered(str(getattr(error, "reason", error)) or type(error).__name__) from None


def run(words: list[str], event: bytes) -> None:
    """The command once, in a session of its own, which Ctrl-C doesn't reach. Undelivered if it
    can't be run, takes too long or ends with another exit code than 0."""
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as said:
        given.write(event)
        given.seek(0)
        try:
            process = subprocess.Popen(
                words, stdin=given, stdout=subprocess.DEVNULL, stderr=said, start_new_session=True
            )
        except OSError as error:
            raise Undelivered(f"it can't be run ({error.strerror})") from None
        try:
            code = process.wait(LONGEST_SECONDS)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(OSError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise Undelivered(f"no end within {LONGEST_SECONDS:g} s: it was killed") from None
        if code:
            said.seek(0)
            lines = said.read().decode(errors="replace").strip().splitlines()
            why = f" ({lines[-1][:200]})" if lines else ""
            raise Undelivered(f"exit code {code}{why}")


class Notifier:
    """Delivers the events of one driver, in their order; without a receiver it does nothing."""

    def __init__(self, text: str = "") -> None:
        self.deliver = receiver(text) if text else None
        self.say: Callable[[str], None] = lambda line: None
        self.folder, self.told = Path(), set[str]()
        self.waiting: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self.failed = self.closed = False
        self.thread = threading.Thread(target=self.work, name="notify", daemon=True)

    def begin(self, folder: Path, say: Callable[[str], None]) -> None:
        """From here on events of the study in this folder are told."""
        self.folder, self.say = folder, say
        if self.deliver:
            self.thread.start()

    def tell(self, event: str, text: str, **more: Any) -> None:
        """One of EVENTS, with a sentence; comes back at once."""
        assert event in EVENTS, event
        self.told.add(event)
        if self.thread.is_alive() and not self.closed:
            about = {"time": now(), "event": event, "text": text, **more}
            self.waiting.put(about | {"host": socket.gethostname()})

    def once(self, event: str, text: str, which: str = "", **more: Any) -> None:
        """The same, if this driver hasn't told such an event yet; where there are several of its
        kind, `which` of them."""
        if f"{event}{which}" not in self.told:
            self.told.add(f"{event}{which}")
            self.tell(event, text, **more)

    def close(self) -> None:
        """Wait a little for what isn't delivered yet; nothing is told after it."""
        if self.thread.is_alive() and not self.closed:
            self.closed = True
            self.waiting.put(None)
            self.thread.join(LAST_SECONDS)
            if self.thread.is_alive():
                self.complain("what is waiting at the end can't be delivered")

    def work(self) -> None:
        while (event := self.waiting.get()) is not None:
            try:
                self.deliver_one(event)
            except Exception as why:  # not Undelivered alone: a full disk may be what is to be told
                self.complain(f"{event['event']} wasn't delivered: {why}")

    def deliver_one(self, event: dict[str, Any]) -> None:
        assert self.deliver
        text = json.dumps(event | {"study": self.standing()})
        self.deliver(text.encode() + b"\n")

    def standing(self) -> dict[str, Any]:
        """What `python -m study.status --json` says of the study; its name where it can't."""
        try:
            return progress.of(self.folder)
        except Exception as error:  # the disk may be what has failed
            return {"name": self.folder.name, "folder": str(self.folder), "unread": str(error)}

    def complain(self, why: str) -> None:
        """Say once that the receiver fails."""
        if not self.failed:
            self.failed = True
            self.say(f"--notify: {why}. The study goes on, and this isn't said again.")


def budgets(notifier: Notifier, spent: dict[str, tuple[float, float]]) -> None:
    """Tell that a budget is nearly spent: name -> what is spent of it, and the whole; 0 is none."""
    for name, (part, whole) in spent.items():
        if whole and part >= NEARLY * whole:
            text = f"{100 * part / whole:.0f} % of {name} {whole:g} is spent"
            notifier.once("budget_nearly_spent", text, name, budget=name, spent=part, of=whole)
