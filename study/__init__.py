"""THE EXPERIMENT: configuration, data, training, Ray, the command line.

Here is what every room may use: a line for the person, and the time as the files write it.
"""

from datetime import UTC, datetime

from fer_data import Mistake as Mistake
from study.output import complain as complain
from study.output import say as say


def now() -> str:
    """UTC in ISO 8601, to the millisecond."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")
