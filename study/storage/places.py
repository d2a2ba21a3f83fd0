"""A folder that every machine sees: a bucket, behind the few functions that a study needs of it.

Runs on driver and workers. A local folder, also as file://, stays a Path.

python -m study.storage get URI [FOLDER]    fetch a study, or a part of one, from a bucket
"""

import errno
import os
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import TypeVar
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from pyarrow.fs import (
    AwsStandardS3RetryStrategy,
    FileSelector,
    FileSystem,
    FileType,
    S3FileSystem,
    resolve_s3_region,
)

from study import Mistake
from study.storage import atomic

T = TypeVar("T")
PATIENCE_SECONDS = 180.0  # that a worker waits for a bucket which doesn't answer
LONGEST_PAUSE_SECONDS = 15.0
SILENT = "no shared storage for"  # how a worker's error begins after that


@dataclass(frozen=True)
class Bucket:
    """A file or folder in a bucket: what a Path is on a disk. Pickled, it is two texts."""

    root: str  # URI, with its options
    path: str = ""  # below it

    def __truediv__(self, name: str) -> "Bucket":
        return Bucket(self.root, "/".join(part for part in (self.path, name) if part))

    @property
    def parent(self) -> "Bucket":
        return Bucket(self.root, self.path.rpartition("/")[0])

    def __str__(self) -> str:
        uri = urlsplit(self.root)
        return uri._replace(path=f"{uri.path.rstrip('/')}/{quote(self.path)}".rstrip("/")).geturl()


Place = Path | Bucket


def absolute(text: str) -> str:
    """A place's name that holds from any folder; a URI is as it is, and so is none."""
    return text if not text or "://" in text else os.path.abspath(os.path.expanduser(text))


def at(text: str) -> Place:
    """The folder that a URI or a local path names. Mistake if it can't be understood."""
    uri = urlsplit(text)
    if "://" not in text:
        return Path(absolute(text)).resolve()
    if uri.scheme == "file":
        if uri.netloc or not uri.path:
            raise Mistake(f"{text} names no local folder: expected file:///FOLDER")
        return Path(unquote(uri.path)).resolve()
    if "@" in uri.netloc:
        raise Mistake(
            f"the {uri.scheme}:// URI holds credentials, which would be written into study.json: "
            "give them in the environment (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY)"
        )
    if not uri.netloc:
        raise Mistake(f"{text} names no bucket: expected {uri.scheme}://BUCKET/FOLDER")
    return Bucket(text)


def apart(text: str) -> tuple[str, str]:
    """A study's URI as that of the folder around it, and its name."""
    uri = urlsplit(text)
    path = PurePosixPath(unquote(uri.path.rstrip("/")))
    if path.name in ("", ".."):
        raise Mistake(f"{text} names no study: expected STORAGE/NAME, as --storage had it")
    return uri._replace(path=quote(str(path.parent))).geturl(), path.name


@lru_cache
def opened(root: str) -> tuple[FileSystem, str]:
    """The file system of a root and the root's path in it; one connection a process."""
    uri = urlsplit(root)
    try:
        if uri.scheme == "s3":
            path = f"{uri.netloc}{unquote(uri.path)}"
            return s3(uri.netloc, dict(parse_qsl(uri.query))), path
        return FileSystem.from_uri(root)
    except (ValueError, NotImplementedError) as error:
        raise Mistake(
            f"{without_options(root)} can't be opened ({first_line(error)}): expected s3://, "
            "gs:// or file://, with options as ?endpoint_override=HOST:PORT&scheme=http"
        ) from None


def s3(bucket: str, options: dict[str, str]) -> FileSystem:
    """S3 that gives up soon: a silent server holds pyarrow's own from_uri for 99 s a request.

    A small file is written by one request (PutObject) instead of three (a multipart upload).
    """
    if unknown := set(options) - {"region", "scheme", "endpoint_override"}:
        raise ValueError(f"unknown option {', '.join(sorted(unknown))}")
    # from_uri heeds this variable, the constructor doesn't.
    if elsewhere := options.get("endpoint_override") or os.environ.get("AWS_ENDPOINT_URL"):
        options = options | {"endpoint_override": elsewhere}
    elif "region" not in options:
        options = options | {"region": resolve_s3_region(bucket)}
    return S3FileSystem(
        **options,
        connect_timeout=5,
        request_timeout=5,
        retry_strategy=AwsStandardS3RetryStrategy(max_attempts=2),
        allow_delayed_open=True,
    )


def located(place: Bucket) -> tuple[FileSystem, str]:
    files, root = opened(place.root)
    return files, f"{root.rstrip('/')}/{place.path}".rstrip("/")


def write(place: Place, data: bytes | memoryview) -> None:
    """Replace a file whole; its folders are made. An object in a bucket is whole or isn't there."""
    if isinstance(place, Bucket):
        files, path = located(place)
        with files.open_output_stream(path) as stream:
            stream.write(data)
        return
    place.parent.mkdir(parents=True, exist_ok=True)
    atomic.replace(place, lambda file: file.write(data))


def read(place: Place) -> bytes:
    """A file's content. FileNotFoundError if it isn't there."""
    if isinstance(place, Path):
        return place.read_bytes()
    files, path = located(place)
    with files.open_input_stream(path) as stream:
        return stream.read()


def exists(place: Place) -> bool:
    """Whether there is such a file."""
    if isinstance(place, Path):
        return place.is_file()
    files, path = located(place)
    return files.get_file_info(path).type == FileType.File


def names(place: Place) -> list[str]:
    """The files below a folder, as sorted paths relative to it; a missing folder has none. Hidden
    ones are left out: what is being written, or was when its writer was killed."""
    if isinstance(place, Path):
        found = (path for path in place.rglob("*") if shown(path.name) and path.is_file())
        return sorted(str(path.relative_to(place)) for path in found)
    files, path = located(place)
    infos = files.get_file_info(FileSelector(path, allow_not_found=True, recursive=True))
    if not infos:
        container = path.split("/")[0]
        # pyarrow lists a bucket that isn't there as an empty one
        if container and files.get_file_info(container).type == FileType.NotFound:
            raise OSError(errno.EIO, "there is no bucket", container)
    there = (i.path[len(path) :].lstrip("/") for i in infos if i.type == FileType.File)
    return sorted(name for name in there if shown(PurePosixPath(name).name))


def shown(name: str) -> bool:
    return not name.startswith(".")


def delete(place: Place) -> None:
    if isinstance(place, Path):
        place.unlink(missing_ok=True)
        return
    files, path = located(place)
    try:
        files.delete_file(path)
    except FileNotFoundError:
        return


def clear(place: Place) -> None:
    """Delete a folder with all that is in it, if it is there."""
    if isinstance(place, Path):
        shutil.rmtree(place, ignore_errors=True)
        return
    files, path = located(place)
    try:
        files.delete_dir(path)
    except FileNotFoundError:
        return


def written_at(place: Place) -> float:
    """When a file was written, in seconds by the storage's own clock."""
    if isinstance(place, Path):
        return place.stat().st_mtime
    files, path = located(place)
    info = files.get_file_info(path)
    if info.type == FileType.NotFound:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(place))
    return info.mtime.timestamp()


def probe(place: Place) -> float:
    """Write, read, delete: what a study will do there. The storage's time; Mistake if it can't."""
    file, content = place / f".probe-{os.getpid()}", os.urandom(8)
    try:
        write(file, content)
        whole, moment = read(file) == content, written_at(file)
        delete(file)
    except OSError as error:
        raise Mistake(
            f"{without_options(place)} can't be used as storage ({first_line(error)}): make the "
            "bucket, give its address right, and allow this machine to read, write, list and delete"
        ) from None
    if not whole:
        raise Mistake(f"{without_options(place)} gives back something else than was written there")
    return moment


def patiently(do: Callable[[], T], tell: Callable[[OSError], None] | None = None) -> T:
    """What `do` returns, asked again while a bucket doesn't answer, which `tell` is told each time;
    EIO after PATIENCE_SECONDS."""
    until, pause = time.monotonic() + PATIENCE_SECONDS, 1.0
    while True:
        try:
            return do()
        except FileNotFoundError:
            raise
        except OSError as error:
            if time.monotonic() + pause > until:
                told = f"{SILENT} {PATIENCE_SECONDS:g} s ({first_line(error)})"
                raise OSError(errno.EIO, told) from error
            if tell:
                tell(error)
        time.sleep(pause)
        pause = min(2 * pause, LONGEST_PAUSE_SECONDS)


def copy(source: Place, target: Place, wanted: Callable[[str], bool]) -> Iterator[str]:
    """Copy the files below a folder whose relative name is wanted; yields each name when done."""
    for name in filter(wanted, names(source)):
        if any(part in ("", ".", "..") for part in name.split("/")) or "\\" in name:
            raise Mistake(f"{without_options(source)} has a file named {name!r}: not copied")
        write(target / name, read(source / name))
        yield name


def without_options(place: Place | str) -> str:
    """A place as a sentence names it."""
    return str(place).split("?")[0]


def first_line(error: BaseException) -> str:
    """An error in some words: pyarrow's run over lines and end in request ids."""
    text = (str(error).strip().splitlines() or [type(error).__name__])[0]
    for end in (" (Request ID", ". Detail:", "; Details:"):
        text = text.split(end)[0]
    return text.rstrip(".")[:300]
