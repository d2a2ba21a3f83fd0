"""How a file is replaced whole, everywhere in the study. Runs on driver and workers.

Whoever reads meanwhile, or after a crash or a power failure, finds the old content or the new one:
it is written to a file of another name, fsynced and renamed, and the folder, which holds the
names, is fsynced too.
"""

import errno
import json
import os
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO


def replace(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """The file `path` with what `write` writes; OSError leaves the old one and nothing else."""
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}")  # hidden, and no other writer's
    try:
        with temporary.open("xb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder last: of files that were made in it, renamed or removed."""
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # a file system that can't do that
            raise
    finally:
        os.close(number)


def write_json(path: Path, value: dict[str, Any]) -> None:
    """An indented JSON file."""
    replace(path, lambda file: file.write((json.dumps(value, indent=2) + "\n").encode()))
