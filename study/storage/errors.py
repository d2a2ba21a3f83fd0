"""What a full or vanished storage says, told apart from every other error. On the driver, and in
every command."""

import errno
import os
import re
import signal
from collections.abc import Callable
from pathlib import Path

from study import Mistake, complain, output

FULL = (errno.ENOSPC, errno.EDQUOT)
GONE = (errno.EIO, errno.ESTALE, errno.ENOTCONN, errno.EROFS, errno.ENODEV, errno.ENXIO)
# These may be a mistake elsewhere; they are the storage's only if the folder can't be used.
PERHAPS = (errno.ENOENT, errno.ENOTDIR, errno.EACCES, errno.EPERM)
# These are of the name that was given.
NAMES = (errno.EISDIR, errno.ENAMETOOLONG, errno.ELOOP, errno.EINVAL, errno.EEXIST)


def command(name: str, do: Callable[[], int]) -> int:
    """A command's exit code: what `do` returns or, with a sentence, 2 for a person's mistake or a
    file that can't be read or written, and 130 after Ctrl-C."""
    try:
        code = ended(name, do)
    finally:
        why = output.flushed()
    if why and not code:
        complain(f"{name}: {why}")
        return 2
    return code


def ended(name: str, do: Callable[[], int]) -> int:
    try:
        return do()
    except KeyboardInterrupt:
        complain(f"{name}: stopped")
        return 128 + signal.SIGINT
    except Mistake as error:
        complain(f"{name}: {' '.join(str(error).splitlines())}")
    except OSError as error:
        if not (why := refused(error)):
            raise
        complain(f"{name}: {why}")
    return 2


def fault(error: BaseException, folder: Path) -> str:
    """Why nothing more can be kept in `folder`, by an error or what it came from; else empty.

    Tune wraps what a callback raises, so the error's causes are looked at too.
    """
    seen: BaseException | None = error
    while seen is not None:
        if (
            isinstance(seen, OSError)
            and seen.errno
            and (found := by_number(seen.errno, folder, seen.strerror))
        ):
            return found
        seen = seen.__cause__ or seen.__context__
    return ""


def fault_told(text: str, folder: Path) -> str:
    """The same from a worker's error, of which only the text arrives."""
    for number in re.findall(r"\[[Ee]rrno (\d+)\]", text):
        if found := by_number(int(number), folder):
            return found
    return ""


def by_number(number: int, folder: Path, words: str | None = None) -> str:
    words = words or os.strerror(number)
    if number in FULL:
        return f"disk full at {folder} ({words})"
    if number in GONE or (number in PERHAPS and not usable(folder)):
        return f"storage gone at {folder} ({words})"
    return ""


def refused(error: OSError) -> str:
    """A file that can't be read or written, in a sentence; empty for what is no file's error."""
    at = Path(error.filename) if isinstance(error.filename, str) else None
    if error.errno in FULL + GONE:
        words = error.strerror if error.errno in GONE else None  # a bucket's say more than EIO
        why = by_number(error.errno, at or Path("the folder in use"), words)
        return f"{why}: see to it, then begin again or, of a study, go on with --resume"
    if at and error.errno in (*PERHAPS, *NAMES):
        return (
            f"{at} can't be used ({os.strerror(error.errno)}): check the path and its permissions"
        )
    return ""


def usable(folder: Path) -> bool:
    """Whether the study is there and a file can be written beside it."""
    probe = folder / f".probe.{os.getpid()}"
    try:
        if not (folder / "events.jsonl").is_file():
            return False
        probe.write_bytes(b"x")
        probe.unlink()
    except OSError:
        return False
    return True
