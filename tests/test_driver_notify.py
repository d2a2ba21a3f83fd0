"""--notify: events told to real commands and to a real server on this machine."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import pytest

from fer_record.tables import Tables
from study import Mistake
from study.config.study import Study
from study.driver import failures, notify
from study.driver.notify import Notifier
from study.run import main

HEADER = {"study": {"name": "s", "models": ["alexnet"]}, "started_at": "2026-01-01T00:00:00+00:00"}


@pytest.fixture
def folder(tmp_path):
    """A study's, in which nothing has happened."""
    made = tmp_path / "s"
    made.mkdir()
    (made / "study.json").write_text(json.dumps(HEADER))
    return made


@pytest.fixture
def server():
    """Keeps the bodies of what is posted to it; answers by the path: /503, /302, /slow or 200."""
    kept, free = [], threading.Event()

    class Keeps(BaseHTTPRequestHandler):
        def do_POST(self):
            kept.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            if self.path == "/slow":
                free.wait(60)
            self.send_response(int(self.path[1:]) if self.path[1:].isdigit() else 200)
            self.send_header("Location", "/elsewhere")
            self.end_headers()

        def log_message(self, *about):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Keeps) as at_work:
        at_work.daemon_threads = True
        threading.Thread(target=at_work.serve_forever, daemon=True).start()
        yield SimpleNamespace(url=f"http://127.0.0.1:{at_work.server_port}", kept=kept)
        free.set()
        at_work.shutdown()


def told(receiver, folder, *events):
    """What is said to the person while these events are told."""
    said, notifier = [], Notifier(receiver)
    notifier.begin(folder, said.append)
    for event in events:
        notifier.tell(event, f"what {event} means")
    notifier.close()
    return said


def test_a_command_gets_each_event_on_its_standard_input(folder, tmp_path):
    path = tmp_path / "a b.jsonl"
    assert told(f"sh -c 'cat >> \"{path}\"'", folder, "first_result", "ended") == []
    events = [json.loads(line) for line in path.read_text().splitlines()]
    assert [one["event"] for one in events] == ["first_result", "ended"]
    assert events[0]["text"] == "what first_result means"
    assert events[0]["study"]["name"] == "s" and events[0]["study"]["search"]["completed"] == 0


def test_a_url_gets_one_post_an_event(folder, server):
    assert told(f"{server.url}/hook?key=1", folder, "stalled", "ended") == []
    assert [one["event"] for one in server.kept] == ["stalled", "ended"]


FAILING = {
    "sh -c 'echo no such channel >&2; exit 3'": "exit code 3 (no such channel)",
    "/etc/passwd": "no program",
    "URL/503": "the answer was 503",
    "URL/302": "the answer was 302",
    "http://127.0.0.1:9/": "Connection refused",
}


@pytest.mark.parametrize("receiver", FAILING)
def test_a_receiver_that_fails_is_told_once(folder, server, receiver):
    words = receiver.replace("URL", server.url)
    if receiver == "/etc/passwd":
        with pytest.raises(Mistake, match=FAILING[receiver]):
            Notifier(words)
        return
    (line,) = told(words, folder, "first_result", "stalled", "ended")
    assert line.startswith("--notify: first_result wasn't delivered: ")
    assert FAILING[receiver] in line
    assert line.endswith("The study goes on, and this isn't said again.")


def test_a_receiver_that_hangs_is_ended_and_the_next_event_is_tried(
    folder, server, monkeypatch, tmp_path
):
    monkeypatch.setattr(notify, "LONGEST_SECONDS", 0.3)
    (line,) = told(f"{server.url}/slow", folder, "first_result", "ended")
    assert "timed out" in line
    wait(lambda: len(server.kept) == 2)
    monkeypatch.setattr(notify, "LONGEST_SECONDS", 1.0)
    (line,) = told(f"sh -c 'sleep 60 & echo $! > {tmp_path}/pid; wait'", folder, "ended")
    assert "no end within 1 s" in line
    started = Path("/proc", (tmp_path / "pid").read_text().strip())
    wait(lambda: not alive(started))


def alive(process: Path) -> bool:
    """Whether a process, by its folder in /proc, still runs."""
    try:
        return (process / "stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def wait(until) -> None:
    """For half of what a receiver here would take at most."""
    deadline = time.monotonic() + 30
    while not until():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_telling_comes_back_at_once_and_the_end_waits_only_so_long(folder, monkeypatch):
    monkeypatch.setattr(notify, "LAST_SECONDS", 0.2)
    said, notifier, answer = [], Notifier("true"), threading.Event()
    notifier.deliver = lambda event: answer.wait(60)
    notifier.begin(folder, said.append)
    began = time.monotonic()
    notifier.tell("ended", "over")
    notifier.close()
    notifier.close()
    assert time.monotonic() - began < 30, "of the minute that the receiver takes"
    answer.set()
    notifier.thread.join()
    assert said == [
        "--notify: what is waiting at the end can't be delivered. The study goes on, and this "
        "isn't said again."
    ]


def test_a_disk_that_is_full_once_loses_one_event_and_not_those_after_it(folder, monkeypatch):
    """The thread that delivers died of it, and the end, too, was told to nobody."""
    arrived = []

    def deliver(event: bytes) -> None:
        arrived.append(json.loads(event)["event"])
        if len(arrived) == 1:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(notify, "receiver", lambda text: deliver)
    (line,) = told("cat", folder, "stalled", "ended")
    assert "stalled wasn't delivered: [Errno 28] No space left on device" in line
    assert arrived == ["stalled", "ended"]


def test_where_the_study_cannot_be_read_the_event_is_told_without_it(tmp_path, server):
    assert told(server.url, tmp_path / "gone", "ended") == []
    assert server.kept[0]["study"]["name"] == "gone" and "unread" in server.kept[0]["study"]


WRONG = {
    "ftp://host/x": "expected a command, or a URL of http or https",
    "http://[::1/x": "expected a command, or a URL of http or https",
    "https:///x": "expected a command, or a URL of http or https",
    "no-such-program --now": "there is no program 'no-such-program'",
    "sh -c 'half": "can't be read as a command",
}


@pytest.mark.parametrize("words", WRONG)
def test_what_is_no_receiver_is_refused_before_anything_begins(words, capsys):
    assert main(["--notify", words]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert WRONG[words] in line


def test_nine_tenths_of_a_budget_are_told_once():
    notifier, told = Notifier(), []
    notifier.tell = lambda event, text, **more: (notifier.told.add(event), told.append(text))
    for spent in (0, 89, 90, 99):
        notify.budgets(notifier, {"time_budget": (spent, 100.0), "gpu_hours": (spent, 0.0)})
    assert told == ["90 % of time_budget 100 is spent"]


def test_of_two_budgets_each_is_told():
    """Of the one that came second nothing was said."""
    notifier, told = Notifier(), []
    notifier.tell = lambda event, text, **more: (notifier.told.add(event), told.append(text))
    for seconds, hours in ((89, 1), (90, 7), (95, 7.5), (99, 7.9)):
        notify.budgets(notifier, {"time_budget": (seconds, 100.0), "gpu_hours": (hours, 8.0)})
    assert told == ["90 % of time_budget 100 is spent", "94 % of gpu_hours 8 is spent"]


def test_a_standstill_is_told_once_until_a_trial_reports_again(monkeypatch):
    clock = SimpleNamespace(now=0.0)
    monkeypatch.setattr(failures.time, "monotonic", lambda: clock.now)
    watch = failures.Watch(Study(), Tables())
    watch.longest[1] = 60.0
    found = []
    for clock.now in (1199.0, 1201.0, 1300.0):
        found.append(watch.stalled())
    watch.reported("t0000")
    for clock.now in (2000.0, 2600.0):
        found.append(watch.stalled())
    assert found == [0.0, 1201.0, 0.0, 0.0, 1300.0]


def test_the_documents_have_the_events():
    text = (Path(__file__).parents[1] / "docs" / "commands.md").read_text()
    for event, meaning in notify.EVENTS.items():
        assert f"| `{event}` | {meaning} |" in text
