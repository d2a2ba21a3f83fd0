"""What asks a study to end before its time, and when it is asked twice."""

import signal
import threading
import time
from pathlib import Path

import pytest

from fer_record.tables import Tables
from study import output, run
from study.config.study import Study
from study.driver import signals
from study.driver.session import Session
from study.driver.signals import Signals


def session() -> Session:
    nothing = {
        "header": {},
        "dataset": None,
        "whole_val": None,
        "device": "cpu",
        "need": {},
        "slots": 1,
        "journal": None,
        "trainable": object,
        "say": print,
        "show": lambda s: None,
    }
    return Session(study=Study(), tables=Tables(), folder=Path("x"), **nothing)


@pytest.fixture
def books(monkeypatch):
    """Whether the books were closed because nothing ended in time: soon."""
    monkeypatch.setattr(signals, "GRACE_SECONDS", 0.05)
    return []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_first_signal_asks_and_a_second_one_ends_at_once(number):
    at_work, before = session(), signal.getsignal(number)
    with Signals(at_work):
        signal.raise_signal(number)
        assert (at_work.reason, at_work.interrupted) == (signal.Signals(number).name, True)
        with pytest.raises(KeyboardInterrupt, match="--resume x"):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(number) is before


def test_a_terminal_that_closes_sends_sighup_more_than_once_and_nobody_has_asked_twice():
    """From the shell, and from the kernel when the shell has ended: the study stopped at once."""
    at_work = session()
    with Signals(at_work) as asked:
        signal.raise_signal(signal.SIGHUP)
        signal.raise_signal(signal.SIGHUP)
        with asked.closing():
            signal.raise_signal(signal.SIGHUP)
    assert (at_work.reason, at_work.ending.signal) == ("SIGHUP", signal.SIGHUP)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_exit_code_is_that_of_the_signal_that_stops_it_at_once(monkeypatch, capsys, number):
    """Twice SIGTERM, as of a batch system, ended with the exit code of Ctrl-C."""

    def twice(*words: object) -> int:
        with Signals(session()):
            signal.raise_signal(signal.SIGTERM)
            signal.raise_signal(number)
        return 0

    monkeypatch.setattr(run, "asked", twice)
    assert run.main([]) == 128 + number
    assert "stopped at once; go on with: python -m study.run --resume x" in capsys.readouterr().err

    def before(*words: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(run, "asked", before)
    assert run.main([]) == 130 and capsys.readouterr().err == "study.run: stopped at once\n"


def test_time_that_runs_out_while_nodes_are_asked_leaves_the_books_to_who_closes_them():
    """They stayed locked, and the study never ended."""
    asked = Signals(session())
    asked.out_of_time()
    assert asked.books.acquire(timeout=0.1)


def test_twice_after_the_storage_failed_ends_at_once_too():
    """The gravest cause is kept; that a person has asked is known all the same."""
    at_work = session()
    with Signals(at_work):
        at_work.end("storage", "disk full")
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt, match="--resume x"):
            signal.raise_signal(signal.SIGINT)
    assert at_work.cause == "storage"


def test_a_hangup_that_nohup_ignores_stays_ignored():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        at_work = session()
        with Signals(at_work):
            signal.raise_signal(signal.SIGHUP)
        assert not at_work.ending
        assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_what_does_not_end_in_time_has_its_books_closed_once(books):
    with Signals(session()) as asked:
        asked.give_up = lambda: books.append("closed")
        signal.raise_signal(signal.SIGTERM)
        asked.timer.join()
        assert books == ["closed"] and asked.books.locked()


def test_while_the_books_are_closed_a_first_signal_ends_nothing(books, capsys):
    at_work = session()
    with Signals(at_work) as asked:
        asked.give_up = lambda: books.append("closed")
        with asked.closing():
            signal.raise_signal(signal.SIGINT)
            assert not at_work.ending and "once more stops that too" in capsys.readouterr().out
            with pytest.raises(KeyboardInterrupt, match="--resume x"):
                signal.raise_signal(signal.SIGINT)
        time.sleep(0.1)
    assert books == []


def test_a_signal_before_closing_and_one_in_it_stop_that_too():
    with Signals(session()) as asked:
        signal.raise_signal(signal.SIGTERM)
        with asked.closing(), pytest.raises(KeyboardInterrupt, match="--resume x"):
            signal.raise_signal(signal.SIGINT)


def test_output_that_nobody_reads_ends_the_study_in_order_and_says_so(monkeypatch):
    at_work = session()
    with Signals(at_work):
        monkeypatch.setitem(output.state, "lost", None)
        with output.outlived():
            raise BrokenPipeError(32, "Broken pipe")
        assert at_work.reason == "SIGPIPE: standard output can't be written (Broken pipe)"
    monkeypatch.setitem(output.state, "lost", None)


def test_outside_the_main_thread_nothing_is_heard_and_nothing_raised():
    found = []

    def run() -> None:
        try:
            with Signals(session()):
                found.append(signal.getsignal(signal.SIGTERM))
        except ValueError as error:
            found.append(error)

    before = signal.getsignal(signal.SIGTERM)
    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert found == [before]


def test_the_command_to_go_on_is_one_that_a_shell_takes():
    """Of --name "odd name" it was two words."""
    asked = session()
    asked.folder = Path("runs/odd name")
    assert asked.go_on == "python -m study.run --resume 'runs/odd name'"
