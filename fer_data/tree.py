"""A folder, a zip or a tar, packed or not, as sorted names and a way to open each: nothing is
unpacked to the disk.
"""

import csv
import gzip
import io
import lzma
import os
import posixpath
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import cast

from fer_data import Mistake

CLUTTER = ("__MACOSX", "Thumbs.db", "desktop.ini")
UTF8_NAMES = 0x800  # the flag of a zip's entry whose name is UTF-8 (APPNOTE 4.4.4)
EXPECTED = (
    "expected the table fer2013.csv (plain, .xz, .gz, .tar.gz or .zip) or images as "
    "train/CLASS/*.jpg and test/CLASS/*.jpg (a folder, its zip or its tar.gz)"
)


Opened = io.BufferedReader | zipfile.ZipExtFile  # can be looked into without reading on


@dataclass(frozen=True)
class Tree:
    """A folder or an archive: its sorted names (those of folders end in /), and how to open one.

    `size` is a file's in bytes. `place` orders the files for reading: a packed tar is read from its
    beginning for each step back.
    """

    path: Path
    names: tuple[str, ...]
    open: Callable[[str], Opened]
    size: Callable[[str], int]
    place: Callable[[str], int]
    notes: tuple[str, ...] = ()

    @cached_property
    def files(self) -> tuple[str, ...]:
        return tuple(name for name in self.names if not name.endswith("/"))


def lines(tree: Tree, name: str) -> list[str]:
    """The lines of a text file that say something, without the mark that some editors put first."""
    with tree.open(name) as file:
        return [line for line in file.read().decode("utf-8-sig").splitlines() if line.strip()]


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Turn what damaged bytes and the file system raise into one sentence."""
    if not path.exists():
        raise Mistake(f"there is no {path}; {EXPECTED}")
    if not (path.is_file() or path.is_dir()):
        raise Mistake(f"{path} is neither a file nor a folder; {EXPECTED}")
    try:
        yield
    except UnicodeDecodeError as error:
        raise Mistake(f"{path} is not UTF-8 text, or is damaged; {EXPECTED}") from error
    except (
        EOFError,
        csv.Error,
        gzip.BadGzipFile,
        lzma.LZMAError,
        tarfile.TarError,
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
    """Whether a source is a folder or an archive rather than a table; told by content."""
    if path.is_dir():
        return True
    with path.open("rb") as file:
        return file.read(4) in (b"PK\3\4", b"PK\5\6") or tarfile.is_tarfile(path)


@contextmanager
def opened(path: Path) -> Iterator[Tree]:
    if path.is_dir():
        yield of_folder(path)
    elif not is_tree(path):
        yield of_file(path)
    elif tarfile.is_tarfile(path):
        with tarfile.open(path) as archive:
            yield of_tar(path, archive)
    else:
        with zipfile.ZipFile(path) as archive:
            yield of_zip(path, archive)


def of_file(path: Path) -> Tree:
    """A file that is no archive, and what it names beside it."""
    return Tree(
        path,
        (path.name,),
        open=lambda name: (path.parent / name).open("rb"),
        size=lambda name: (path.parent / name).stat().st_size,
        place=lambda name: 0,
    )


def of_folder(path: Path) -> Tree:
    raw = list(walk(path))
    names, notes = decoded_names({name: os.fsencode(name) for name in raw})
    real = {names[name]: path / name for name in raw}
    return Tree(
        path,
        tuple(sorted(real)),
        open=lambda name: real[name].open("rb"),
        size=lambda name: real[name].stat().st_size,
        place=lambda name: 0,
        notes=notes,
    )


def of_zip(path: Path, archive: zipfile.ZipFile) -> Tree:
    members: dict[str, zipfile.ZipInfo] = {}
    for info in archive.infolist():
        name = plain(info.filename)
        check_member(path, name, members)
        if info.flag_bits & 1:
            raise Mistake(
                f"{path} is encrypted ({name!r}); expected a plain zip: pack it without a password"
            )
        if not clutter(name):
            members[name] = info
    raw = {
        name: name.encode("utf-8" if info.flag_bits & UTF8_NAMES else "cp437")
        for name, info in members.items()
    }
    names, notes = decoded_names(raw)
    real = {names[name]: info for name, info in members.items()}
    return Tree(
        path,
        tuple(sorted(real)),
        open=lambda name: cast(zipfile.ZipExtFile, archive.open(real[name])),
        size=lambda name: real[name].file_size,
        place=lambda name: 0,
        notes=notes,
    )


def of_tar(path: Path, archive: tarfile.TarFile) -> Tree:
    members: dict[str, tarfile.TarInfo] = {}
    links: dict[str, tarfile.TarInfo] = {}
    for info in archive:
        name = plain(info.name).removeprefix("./") + "/" * info.isdir()
        if info.isdir() or info.isfile() or info.islnk() or info.issym():  # not devices
            check_member(path, name, members)
            if not clutter(name) and name.strip("./"):
                (links if info.issym() else members)[name] = info
    for name, link in links.items():
        members[name] = linked(path, name, link, members)
    names, notes = decoded_names({name: os.fsencode(name) for name in members})
    real = {names[name]: info for name, info in members.items()}
    return Tree(
        path,
        tuple(sorted(real)),
        open=lambda name: cast(io.BufferedReader, archive.extractfile(real[name])),
        size=lambda name: real[name].size,
        place=lambda name: real[name].offset,
        notes=notes,
    )


def linked(
    path: Path, name: str, link: tarfile.TarInfo, members: dict[str, tarfile.TarInfo]
) -> tarfile.TarInfo:
    """The file of an archive that a symbolic link in it leads to."""
    target = posixpath.normpath(posixpath.join(posixpath.dirname(name), plain(link.linkname)))
    if target not in members or members[target].isdir():
        raise Mistake(
            f"{path} holds {name!r}, a link to {link.linkname!r}, which is no file in it; expected "
            "the files themselves: pack them with tar --dereference"
        )
    return members[target]


def plain(name: str) -> str:
    return name.replace("\\", "/")  # some Windows programs pack backslashes


def check_member(path: Path, name: str, known: Collection[str]) -> None:
    """Refuse what an archive made of a data set doesn't hold."""
    if name.startswith("/") or ".." in name.split("/") or name[1:2] == ":":
        raise Mistake(
            f"{path} holds the path {name!r}, which climbs out of the archive; expected names "
            "inside it: don't trust this file, get another copy"
        )
    if name in known and not name.endswith("/"):
        raise Mistake(f"{path} holds {name!r} twice; expected one of each: pack it anew")


def decoded_names(raw: dict[str, bytes]) -> tuple[dict[str, str], tuple[str, ...]]:
    """What names given as bytes say, and a note where that is not certain.

    Archives say UTF-8 or nothing. Bytes that are UTF-8 are that; of the others, letters of DOS's
    code page 437 stay what zip's standard takes them for, and what would be its line drawings is
    GBK where all of it is: the pages of Chinese Windows, whose zips are by far the most of these.
    """
    said = {name: decoded(content) for name, content in raw.items()}
    names = {name: text for name, text in said.items() if text is not None}
    unknown = sorted(said.keys() - names.keys(), key=raw.__getitem__)
    if not unknown:
        return names, ()
    page = next((page for page in ("gb2312", "gbk") if all_in(page, [raw[n] for n in unknown])), "")
    names |= {name: raw[name].decode(page or "cp437") for name in unknown}
    told = f"read as {page.upper()}" if page else "of an unknown encoding, so they read oddly"
    files = [names[n] for n in unknown if not n.endswith("/")] or [names[n] for n in unknown]
    note = f"{len(files):,} names whose encoding isn't told are {told} ({files[0]})"
    return names, (note,)


def decoded(content: bytes) -> str | None:
    """Text whose encoding is certain: UTF-8, or letters of code page 437; None for other bytes."""
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        text = content.decode("cp437")
        high = [letter for letter in text if not letter.isascii()]
        return text if all(letter.isalpha() and letter < "\u0250" for letter in high) else None


def all_in(page: str, names: list[bytes]) -> bool:
    try:
        return all(name.decode(page) for name in names)
    except UnicodeDecodeError:
        return False


def walk(path: Path) -> Iterator[str]:
    """Names below a folder; hidden files are left out. Links are followed, but for those that lead
    to a folder which they are in: they would go round for ever, and hold nothing else."""
    for folder, folders, files in os.walk(path, followlinks=True, onerror=refuse):
        within, real = Path(folder).relative_to(path), Path(folder).resolve()
        folders[:] = [
            name
            for name in folders
            if not clutter(name)
            and not (Path(folder, name).is_symlink() and above(Path(folder, name), real))
        ]
        yield from ((within / name).as_posix() + "/" for name in folders)
        yield from ((within / name).as_posix() for name in files if not clutter(name))


def above(link: Path, folder: Path) -> bool:
    """Whether a link leads to a folder or to one that it is in."""
    target = link.resolve()
    return target == folder or target in folder.parents


def refuse(error: OSError) -> None:
    """os.walk would pass over a folder that can't be listed."""
    raise error


def clutter(name: str) -> bool:
    return any(part.startswith(".") or part in CLUTTER for part in name.split("/") if part)
