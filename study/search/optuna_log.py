"""Optuna's log of the search, in the format of its journal file, for one driver that writes alone.

Optuna's own backend takes a lock, opens the file three times and waits for the disk at each value
that is reported, because others might write too. Here none does, the study's journal keeps them
out, and what a power failure takes from the end of this log is told again from that journal.
"""

import json
from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from optuna.storages.journal import BaseJournalBackend

from study.record.journal import cut_half

Log = dict[str, Any]


class OptunaLog(BaseJournalBackend):
    """What optuna-dashboard opens as a JournalFileBackend of the same file."""

    def __init__(self, path: Path) -> None:
        # A lock of Optuna's own backend is a dead driver's; who opens the log to write would wait.
        Path(f"{path}.lock").unlink(missing_ok=True)
        self.file = path.open("a+b", buffering=0)
        cut_half(self.file)  # Optuna would write on behind it, and never read its log again
        self.file.seek(0)
        self.unread: deque[tuple[int, Log]] = deque(enumerate(map(json.loads, self.file)))
        self.count = len(self.unread)

    def read_logs(self, log_number_from: int) -> Iterator[Log]:
        """Those from a number on; its one reader goes forwards, and what it has read is let go."""
        while self.unread:
            number, log = self.unread.popleft()
            if number >= log_number_from:
                yield log

    def append_logs(self, logs: Iterable[Log]) -> None:
        """Hand them to the operating system, which a killed driver leaves them with."""
        lines = [json.dumps(log, separators=(",", ":")) for log in logs]
        content = "".join(f"{line}\n" for line in lines).encode()
        while content:
            content = content[self.file.write(content) :]
        self.unread += enumerate(map(json.loads, lines), self.count)
        self.count += len(lines)

    def __del__(self) -> None:
        self.file.close()
