"""What is said while a study runs."""

import errno
import re
from datetime import UTC, datetime, timedelta
from functools import partial
from io import StringIO
from types import SimpleNamespace

import pytest
from rich.console import Console

from fer_record.tables import Tables
from study import output
from study.config.study import Study
from study.driver import display
from study.driver.display import Display, duration, ending


def tables(*events: dict) -> Tables:
    return Tables.of({"time": "2026-01-01T00:00:00+00:00", **e} for e in events)


def started(name: str, epochs: int = 10) -> dict:
    hp = {"model": "alexnet", "batch_size": 32, "lr": 0.012345, "epochs": epochs}
    return {
        "event": "trial_started",
        "trial_id": name,
        "stage": "search",
        "setting": "",
        "gpus": 0.0,
        "hp": hp,
    }


def epoch(name: str, number: int) -> dict:
    return {
        "event": "epoch_done",
        "trial_id": name,
        "epoch": number,
        "epoch_seconds": 6.0,
        "images_per_second": 1500.0,
        "val_accuracy": 0.4567,
        "node": "a",
        "device": "b",
        "microbatches": 1,
    }


def ended(name: str, status: str, reason: str) -> dict:
    return {"event": "trial_ended", "trial_id": name, "status": status, "reason": reason}


def at_work(found: Tables, left: float | None = None, clean: bool = False) -> SimpleNamespace:
    """A session with these tables, which knows how long it will still take, or doesn't."""
    return SimpleNamespace(
        tables=found, slots=2, gpu_hours_spent=0.25, seconds_left=lambda: left, clean=clean
    )


def shown(wanted: int, found: Tables, left: float | None = None, **budget: float) -> str:
    display = Display(Study(**budget), ())
    display.begin(at_work(found), "search", wanted)
    display.end()
    return display.counts(at_work(found, left))


def test_the_time_left_is_of_all_of_the_study_and_nothing_is_promised_where_it_is_not_known():
    found = tables(started("t0000"), epoch("t0000", 1), started("t0001"))
    line = shown(4, found, 754.0)
    assert line.startswith("search: 0 of 4 trials completed, 2 running, 1 epoch, 1,500 images/s, ")
    assert line.endswith("about 12:34 left in all")
    assert shown(4, found).endswith("0 s so far, how long still isn't known")
    for nearly in (0.0, 0.9):
        assert shown(4, found, nearly).endswith("nearly done"), "and not about 0 s"


def test_what_is_left_of_the_budgets_is_told():
    found = tables(started("t0000"), epoch("t0000", 1))
    found.wall_seconds = 40.0
    line = shown(1, found, time_budget=100.0, gpu_hours=1.0)
    assert "budget left 1:00" in line and "0.75 GPU-hours left" in line
    found.moment = datetime.now(UTC) - timedelta(seconds=30)  # in the middle of an epoch
    assert re.search(r"budget left (30|2\d) s", shown(1, found, time_budget=100.0))


def test_the_end_of_a_trial_says_how_far_it_came_and_why_it_ended():
    found = tables(started("t0000"), epoch("t0000", 3), ended("t0000", "stopped", "asha: below"))
    said = "t0000 alexnet, batch 32, lr 0.01235: stopped at epoch 3/10, 45.7 % on val (asha: below)"
    assert ending("t0000", found, Study(), False) == said
    found = tables(started("t0001"), ended("t0001", "failed", "diverged") | {"error": "NaN"})
    said = "t0001 alexnet, batch 32, lr 0.01235: failed at epoch 0/10 (NaN)"
    assert ending("t0001", found, Study(), False) == said


def test_a_trial_that_is_stopped_after_a_retry_says_why_it_was_stopped():
    """It was told with the error after which it had gone on."""
    retried = {"event": "trial_retried", "trial_id": "t0000", "error": "worker died"}
    stopped = ended("t0000", "stopped", "asha: below")
    found = tables(started("t0000"), retried, epoch("t0000", 3), stopped)
    assert ending("t0000", found, Study(), False).endswith("(asha: below)")


def test_what_a_study_is_judged_by_is_what_its_trials_end_with():
    found = tables(started("t0000"), epoch("t0000", 10) | {"val_macro_f1": 0.25})
    line = ending("t0000", found, Study(metric="macro_f1"), False)
    assert line.startswith("t0000 alexnet, batch 32, lr 0.01235: running at epoch 10/10, ")
    assert ", 25.0 % macro-F1 on val" in line


def test_lines_and_table_say_that_val_is_without_copies(monkeypatch, capsys):
    """On FER-2013 it is 5 points harder than all of val."""
    found = tables(started("t0000"), epoch("t0000", 10), ended("t0000", "completed", "all"))
    Display(Study(), ())(at_work(found, clean=True))
    assert "at epoch 10/10, 45.7 % on val without duplicates\n" in capsys.readouterr().out
    shown = StringIO()
    terminal = partial(Console, force_terminal=True, width=120, file=shown, color_system=None)
    monkeypatch.setattr(display, "Console", terminal)
    made = Display(Study(), ())
    made.begin(at_work(found, clean=True), "search", 1)
    made(at_work(found, clean=True))
    made.end()
    assert "val without duplicates" in shown.getvalue()


@pytest.mark.parametrize(
    ("seconds", "text"), [(3.4, "3 s"), (60, "1:00"), (754, "12:34"), (3723, "1:02:03")]
)
def test_durations_read_like_a_clock(seconds, text):
    assert duration(seconds) == text


TEXTS = [
    "RuntimeError: can't read [/data/faces] in time",
    "RuntimeError: [enforce fail at alloc_cpu.cpp:118] err == 0. DefaultCPUAllocator",
    "ValueError: [bold]no[/bold] [link=http://x]x[/link] :smile: [red",
    "KeyError: '[/]'",
]


def test_on_a_narrow_terminal_each_trial_is_told_whole(monkeypatch):
    """At 60 columns t0000 and t0001 were both t00..., and their epochs cut."""
    shown = StringIO()
    terminal = partial(Console, force_terminal=True, width=60, file=shown, color_system=None)
    monkeypatch.setattr(display, "Console", terminal)
    trial = started("t0000")
    trial["hp"] = trial["hp"] | {"model": "cbam_resnet34"}
    found = tables(trial, epoch("t0000", 3) | {"val_macro_f1": 0.25})
    made = Display(Study(metric="macro_f1"), ())
    made.begin(at_work(found), "search", 1)
    made(at_work(found))
    made.end()
    for words in ("trial", "batch", "epoch", "t0000", "0.01235", "3/10", "25.0 %"):
        assert words in shown.getvalue()
    assert "…" not in shown.getvalue()


def test_the_opening_of_test_is_told_like_a_stage(monkeypatch, capsys):
    """It was silent for minutes, and for ever where no worker could be started."""
    monkeypatch.setattr(display, "REFRESH_SECONDS", {True: 0.0, False: 0.0})
    made = Display(Study(), ())
    made.opening(at_work(tables()), 3, 18)
    said = capsys.readouterr().out
    assert "val and test: 3 of 18 networks have answered, 0 s so far" in said
    shown = StringIO()
    terminal = partial(Console, force_terminal=True, width=80, file=shown, color_system=None)
    monkeypatch.setattr(display, "Console", terminal)
    made = Display(Study(), ())
    found = tables(started("a-s0") | {"stage": "confirm"}, epoch("a-s0", 10))
    made.begin(at_work(found), "confirm", 1)
    made.opening(at_work(found), 0, 1)
    made.end()
    assert "0 of 1 networks have answered" in shown.getvalue() and "a-s0" in shown.getvalue()


@pytest.mark.parametrize("text", TEXTS)
def test_no_text_of_others_is_markup_on_a_terminal(monkeypatch, text):
    """Above the table, in the table and in the notes below it."""
    shown = StringIO()
    terminal = partial(Console, force_terminal=True, width=200, file=shown, color_system=None)
    monkeypatch.setattr(display, "Console", terminal)
    made = Display(Study(), (f"\x1b[2J\x1b]0;title\x07note {text}",))
    name = "[bold][link=x]:smile:-s0"
    found = tables(started(name) | {"stage": "confirm"}, epoch(name, 1))
    session = at_work(found)
    made.begin(session, "confirm", 1)
    made(session)
    made.print(f"t0000 is started again: \x1b[31m{text}\x1b[0m")
    made.end()
    for words in (f"note {text}", name, f"started again: {text}"):
        assert words in shown.getvalue()
    assert "\x1b[2J" not in shown.getvalue() and "\x1b]0;" not in shown.getvalue()


def test_a_terminal_that_is_gone_is_no_error_of_the_display(monkeypatch):
    class Gone(StringIO):
        def write(self, text: str) -> int:
            raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setitem(output.state, "lost", None)
    monkeypatch.setattr(display, "Console", partial(Console, force_terminal=True, file=Gone()))
    made = Display(Study(), ())
    found = tables(started("t0000"), epoch("t0000", 1))
    session = at_work(found)
    made.begin(session, "search", 1)
    made(session)
    made.print("x")
    made.end()
    assert output.state["lost"][1].startswith("SIGHUP: ")
