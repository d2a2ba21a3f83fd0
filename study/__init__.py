"""THE EXPERIMENT: configuration, data, training, Ray, the command line.

Here is what every room may use: a line for the person, and the time as the files write it.
"""

import sys
from datetime import UTC, datetime

from fer_data import Mistake as Mistake
from fer_data import counted as counted
from fer_data import listing as listing
from study.output import complain as complain
from study.output import say as say

if sys.platform == "win32":  # it has neither the locks nor the signals that a study relies on
    complain("study: runs on Linux and macOS; on Windows use it in WSL (wsl --install)")
    raise SystemExit(2)


def now() -> str:
    """UTC in ISO 8601, to the millisecond."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")
