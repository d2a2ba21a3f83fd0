"""One driver at a time in a study's folder: the lock on its journal. Runs on the driver."""

import errno
import fcntl
import os
from pathlib import Path
from typing import IO

from study import Mistake

# What file systems say that have no such locks: Lustre without -o flock, NFS without lockd, FUSE.
LACKING = (errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOTSUP, errno.EINVAL, errno.ENOTTY)


def lock(journal: IO[bytes], folder: Path) -> None:
    """Hold an open journal until it is closed. Mistake if another driver holds it, or none can."""
    try:
        fcntl.flock(journal, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):  # SMB says the second
        raise Mistake(
            f"{folder} is being run by another driver: wait for it or stop it first"
        ) from None
    except OSError as error:
        if error.errno not in LACKING:
            raise
        raise Mistake(
            f"{folder} is on a file system without file locks (flock: {os.strerror(error.errno)}), "
            "so that nothing would keep a second driver out: give an --out on this machine's own "
            f"disk, and --storage {folder.absolute().parent} to keep the study there as well"
        ) from None


def refuse_open(folder: Path) -> None:
    """Mistake while a driver runs the study in a folder; nothing if there is no study in it."""
    path = folder / "events.jsonl"
    if path.exists():
        with path.open("r+b") as journal:  # NFS locks only what may be written
            lock(journal, folder)
