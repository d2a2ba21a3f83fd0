"""Files that are replaced whole. Runs on driver and workers."""

import json
import os
from pathlib import Path
from typing import Any


def replace_whole(path: Path, write: Any) -> None:
    """Write beside, fsync, rename: a reader sees the old file or the new one, never a part."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        write(beside)
        with beside.open("rb") as file:
            os.fsync(file.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def write_json(path: Path, value: dict[str, Any]) -> None:
    text = json.dumps(value, indent=2) + "\n"
    replace_whole(path, lambda beside: beside.write_text(text))
