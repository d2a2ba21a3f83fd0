"""A folder or a zip as sorted names and a way to open them: nothing is unpacked to the disk."""

import csv
import gzip
import io
import lzma
import os
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from fer_data import Mistake

DEPTH_LIMIT = 5  # folders below a source: PREFIX/PREFIX/train/CLASS, and one to spare
CLUTTER = ("__MACOSX", "Thumbs.db", "desktop.ini")
EXPECTED = (
    "expected the table fer2013.csv (plain, .xz, .gz or .zip) or images as train/CLASS/*.jpg and "
    "test/CLASS/*.jpg (a folder or its zip)"
)


Opened = io.BufferedReader | zipfile.ZipExtFile  # can be looked into without reading on


@dataclass(frozen=True)
class Tree:
    """A folder or a zip: its sorted names (those of folders end in /), and how to open one."""

    path: Path
    names: tuple[str, ...]
    open: Callable[[str], Opened]


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Turn what damaged bytes and the file system raise into one sentence."""
    try:
        yield
    except UnicodeDecodeError as error:
        raise Mistake(f"{path} is not UTF-8 text, or is damaged; {EXPECTED}") from error
    except (
        EOFError,
        csv.Error,
        gzip.BadGzipFile,
        lzma.LZMAError,
        zipfile.BadZipFile,
        zlib.error,
    ) as error:
        raise Mistake(f"{path} is damaged or cut short ({error}); get a whole copy") from error
    except NotImplementedError as error:
        raise Mistake(
            f"{path} is packed in a way unknown here ({error}); pack it anew with a plain zip"
        ) from error
    except OSError as error:
        raise Mistake(
            f"{error.filename or path} can't be read ({error.strerror or error}); "
            "check the path and its permissions"
        ) from error


def is_tree(path: Path) -> bool:
    """Whether the source is a folder or a zip rather than a table; told by content, not by name."""
    if path.is_dir():
        return True
    check_file(path)
    with path.open("rb") as file:
        return file.read(4) in (b"PK\3\4", b"PK\5\6")


def check_file(path: Path) -> None:
    if not path.exists():
        raise Mistake(f"there is no {path}; {EXPECTED}")
    if not path.is_file():
        raise Mistake(f"{path} is neither a file nor a folder; {EXPECTED}")


@contextmanager
def opened(path: Path) -> Iterator[Tree]:
    """A folder or a zip as a Tree."""
    if path.is_dir():
        yield Tree(path, tuple(sorted(walk(path))), lambda name: (path / name).open("rb"))
        return
    with zipfile.ZipFile(path) as archive:
        members: dict[str, zipfile.ZipInfo] = {}
        for info in archive.infolist():
            check_member(path, info, members)
            members[plain(info)] = info
        names = tuple(sorted(name for name in members if not clutter(name)))
        yield Tree(path, names, lambda name: cast(zipfile.ZipExtFile, archive.open(members[name])))


def plain(info: zipfile.ZipInfo) -> str:
    return info.filename.replace("\\", "/")  # some Windows programs pack backslashes


def check_member(path: Path, info: zipfile.ZipInfo, known: dict[str, zipfile.ZipInfo]) -> None:
    """Refuse what a zip made of a data set doesn't hold."""
    name = plain(info)
    if name.startswith("/") or ".." in name.split("/") or name[1:2] == ":":
        raise Mistake(
            f"{path} holds the path {name!r}, which climbs out of the archive; expected names "
            "inside it: don't trust this file, get another copy"
        )
    if name in known and not name.endswith("/"):
        raise Mistake(f"{path} holds {name!r} twice; expected one of each: pack it anew")
    if info.flag_bits & 1:
        raise Mistake(
            f"{path} is encrypted ({name!r}); expected a plain zip: pack it without a password"
        )


def walk(path: Path) -> Iterator[str]:
    """Names below a folder; hidden files are left out, links followed (DEPTH_LIMIT ends a loop)."""
    for folder, folders, files in os.walk(path, followlinks=True, onerror=refuse):
        within = Path(folder).relative_to(path)
        if len(within.parts) >= DEPTH_LIMIT:
            folders.clear()
        folders[:] = [name for name in folders if not clutter(name)]
        yield from ((within / name).as_posix() + "/" for name in folders)
        yield from ((within / name).as_posix() for name in files if not clutter(name))


def refuse(error: OSError) -> None:
    """os.walk would pass over a folder that can't be listed."""
    raise error


def clutter(name: str) -> bool:
    return any(part.startswith(".") or part in CLUTTER for part in name.split("/") if part)


def shown(names: list[str]) -> str:
    """The first three names, for a sentence."""
    return ", ".join(name or "./" for name in names[:3]) + (", ..." if len(names) > 3 else "")
