"""THE EXPERIMENT: configuration, data, training, Ray, the command line.

Here is what every room may use: a line for the person, and the time as the files write it.
"""

from datetime import UTC, datetime
from typing import Any

from fer_data import Mistake as Mistake


def say(text: Any = "") -> None:
    """A line on standard output, at once."""
    print(text, flush=True)


def now() -> str:
    """UTC in ISO 8601, to the millisecond."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")
