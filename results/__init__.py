"""What a study found, from its artefact folder alone: neither torch nor ray is needed here."""

import os
import signal
import sys

from fer_data import Mistake as Mistake


def fail(program: str, mistake: Mistake | KeyboardInterrupt) -> int:
    """Print a person's mistake on standard error, or that Ctrl-C has stopped it; the exit code."""
    stopped = isinstance(mistake, KeyboardInterrupt)
    print(f"{program}: {'stopped' if stopped else mistake}", file=sys.stderr)
    return 128 + signal.SIGINT if stopped else 2


def say(*lines: object) -> None:
    """Print lines at once. Who reads them may have gone, as `| head` does: what was asked for is
    done all the same."""
    try:
        print(*lines, sep="\n", flush=True)
    except BrokenPipeError:
        null = os.open(os.devnull, os.O_WRONLY)  # else Python would try again at its end
        os.dup2(null, sys.stdout.fileno())
        os.close(null)
