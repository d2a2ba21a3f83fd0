"""What a study found, from its artefact folder alone: neither torch nor ray is needed here."""

import sys

from fer_data import Mistake as Mistake


def fail(program: str, mistake: Mistake) -> int:
    """Print a person's mistake on standard error; returns exit code 2."""
    print(f"{program}: {mistake}", file=sys.stderr)
    return 2
