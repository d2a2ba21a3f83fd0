"""What is kept in a study's folder beside its tables, below explorer/."""

import os
from pathlib import Path


def replace(path: Path, text: str) -> None:
    """A file below explorer/: the whole text or, where that raises OSError, what was there."""
    unfinished = path.with_name(f"{path.name}.{os.getpid()}")
    path.parent.mkdir(exist_ok=True)
    with unfinished.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)
