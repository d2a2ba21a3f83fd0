"""What a study found, from its artefact folder alone: neither torch nor ray is needed here."""

import sys


class Mistake(Exception):
    """A person's mistake: told in one sentence, exit code 2, no traceback."""


def fail(program: str, mistake: Mistake) -> int:
    """Tell a person's mistake; the exit code."""
    print(f"{program}: {mistake}", file=sys.stderr)
    return 2
