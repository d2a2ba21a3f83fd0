"""What is printed, and a reader that goes away."""

import errno
import io
import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from study import complain, output, say
from study.storage.errors import command


@pytest.fixture
def told(monkeypatch):
    """Why output was lost, for who hears of it."""
    monkeypatch.setitem(output.state, "lost", None)
    monkeypatch.setitem(output.state, "unwritten", "")
    heard = []
    output.on_loss(lambda number, why: heard.append(why))
    yield heard
    output.on_loss(None)


@contextmanager
def piped(monkeypatch) -> Iterator[int]:
    """Standard output as a pipe; its reading end."""
    reads, writes = os.pipe()
    with os.fdopen(writes, "w") as stream, monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", stream)
        yield reads


def test_a_line_is_read_at_once(monkeypatch):
    with piped(monkeypatch) as reads:
        os.set_blocking(reads, False)  # what isn't there yet is an error, and not waited for
        say("one")
        assert os.read(reads, 99) == b"one\n"
    os.close(reads)


def test_a_closed_pipe_is_told_once_and_nothing_printed_after_it_is_an_error(monkeypatch, told):
    with piped(monkeypatch) as reads:
        os.close(reads)
        say("nobody reads this")
        for line in range(3):
            say(line)
        print("nor this", flush=True)
    assert told == ["SIGPIPE: standard output can't be written (Broken pipe)"]


class Gone(io.StringIO):
    """A terminal that was closed, or the file of a full disk."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number

    def write(self, text: str) -> int:
        raise OSError(self.number, os.strerror(self.number))


@pytest.mark.parametrize(
    ("number", "name"),
    [
        (errno.EIO, "SIGHUP"),
        (errno.EPIPE, "SIGPIPE"),
        (errno.ENOSPC, "SIGPIPE"),
    ],
)
def test_whatever_keeps_output_from_being_written_is_told_by_a_signals_name(
    monkeypatch, told, number, name
):
    monkeypatch.setattr(sys, "stdout", Gone(number))
    say("x")
    assert told[0].startswith(f"{name}: standard output can't be written ({os.strerror(number)}")


@pytest.mark.parametrize(
    ("number", "code", "said"),
    [
        (errno.ENOSPC, 2, "study.status: standard output can't be written (No space left on"),
        (errno.EPIPE, 0, ""),
        (errno.EIO, 0, ""),
    ],
)
def test_answers_that_a_full_disk_did_not_take_are_told_and_those_nobody_reads_are_not(
    monkeypatch, capsys, told, number, code, said
):
    """`study.status --json > file` ended with 0 and half a file."""
    monkeypatch.setattr(sys, "stdout", Gone(number))

    def do() -> int:
        say("{}")
        return 0

    assert command("study.status", do) == code
    assert capsys.readouterr().err.startswith(said) and bool(said) == bool(code)


def test_a_loss_before_anyone_listens_is_told_when_someone_does(monkeypatch, told):
    output.on_loss(None)
    with piped(monkeypatch) as reads:
        os.close(reads)
        say("x")
    output.on_loss(lambda number, why: told.append(why))
    assert len(told) == 1


def test_a_slow_reader_of_a_pipe_that_does_not_wait_is_no_loss(monkeypatch, told):
    """EAGAIN ended a study in order: a program that shares the terminal had set it so."""
    with piped(monkeypatch) as reads:
        os.set_blocking(sys.stdout.fileno(), False)
        lines = [f"{number} {'x' * 4000}" for number in range(40)]  # a pipe holds 64 KiB
        read = bytearray()

        def reader() -> None:
            time.sleep(0.2)  # by when the pipe is full
            while not read.endswith(b"end\n"):
                read.extend(os.read(reads, 1000))

        thread = threading.Thread(target=reader)
        thread.start()
        for line in [*lines, "end"]:
            say(line)
        thread.join(30)
    os.close(reads)
    assert read.decode().splitlines() == [*lines, "end"] and told == []


def test_no_output_at_all_is_no_error(monkeypatch, told):
    monkeypatch.setattr(sys, "stdout", None)  # as Python has it for `command >&-`
    monkeypatch.setattr(sys, "stderr", None)
    say("x")
    complain("x")
    output.flushed()
    assert told == []


def test_a_complaint_that_nobody_reads_is_no_error(monkeypatch):
    monkeypatch.setattr(sys, "stderr", Gone(errno.EPIPE))
    complain("x")


@pytest.mark.parametrize(
    ("encoding", "text", "printed"),
    [
        ("ascii", "gl\u00fccklich \u2026", "gl\\xfccklich \\u2026"),
        ("utf-8", "file \udcff of a disk", "file \\udcff of a disk"),
        ("utf-8", "\x1b[31mred\x1b[0m \x07bell\r\tand \x1b]0;title\x07more", "red bell\tand more"),
        ("utf-8", "two\nlines", "two\nlines"),
    ],
)
def test_every_text_can_be_printed_and_none_commands_the_terminal(
    monkeypatch, encoding, text, printed
):
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding=encoding))
    say(text)
    assert raw.getvalue().decode() == printed + "\n"
