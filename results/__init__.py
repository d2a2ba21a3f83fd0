"""What a study found, from its artefact folder alone: neither torch nor ray is needed here."""

import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress

from fer_data import Mistake as Mistake

# What the commands that show studies are given.
RUN = "artefact folder, runs/NAME, or a folder of such, all of whose studies are meant"


def command(program: str, do: Callable[[], int]) -> int:
    """A command's exit code: what `do` returns or, with a line on standard error, 2 for a person's
    mistake or a file that can't be read or written, and 130 after Ctrl-C."""
    try:
        return do()
    except Mistake as mistake:
        print(f"{program}: {mistake}", file=sys.stderr)
        return 2
    except OSError as error:
        unheard()
        what, why = error.filename or "its output", error.strerror or error
        print(f"{program}: {what} can't be read or written ({why})", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"{program}: stopped", file=sys.stderr)
        return 128 + signal.SIGINT


def say(*lines: object) -> None:
    """Print lines at once. Who reads them may have gone, as `| head` does: what was asked for is
    done all the same."""
    try:
        print(*lines, sep="\n", flush=True)
    except BrokenPipeError:
        unheard()


def unheard() -> None:
    """Let standard output go nowhere: what waits in it would be tried again at Python's end."""
    with suppress(OSError):  # a stream in memory
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, sys.stdout.fileno())
        os.close(null)
