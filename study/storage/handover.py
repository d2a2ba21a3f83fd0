"""A study handed from one machine to another through shared storage. Runs on the driver.

Here is decided who may run it and which copy of it counts; mirror.py brings it there.
"""

import errno
import json
import os
import secrets
import shlex
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from study import Mistake
from study.config.study import Study
from study.storage import lease, places
from study.storage.lock import refuse_open
from study.storage.places import Bucket, Place, first_line, without_options

LOGS = ("optuna.log", "events.jsonl")  # only ever appended to


def whole_lines(content: bytes) -> bytes:
    return content[: content.rfind(b"\n") + 1]


def read_logs(place: Place) -> dict[str, bytes]:
    """The study's two logs as far as they belong together; empty ones if there is no study."""
    found = {name: b"" for name in LOGS}
    if (sizes := lease.read(place).get("sizes")) is None:  # lost: what they tell apart is settled
        there = set(LOGS) & {*places.names(place)}
        return found | {name: whole_lines(places.read(place / name)) for name in there}
    for name in LOGS:
        if sizes.get(name):
            found[name] = places.read(place / name)[: sizes[name]]
            if len(found[name]) < sizes[name]:
                raise Mistake(
                    f"{without_options(place / name)} has {len(found[name])} bytes, but "
                    f"{lease.LEASE} says {sizes[name]}: restore it from a copy"
                )
    return found


@contextmanager
def reached(place: Place) -> Iterator[None]:
    """What storage refuses at the edge of a study is told in a sentence."""
    try:
        yield
    except FileNotFoundError as error:
        raise Mistake(
            f"{without_options(place)} isn't whole ({first_line(error)}): restore it from a copy"
        ) from None
    except OSError as error:
        if error.errno == errno.ENOSPC:  # of this machine: told as everywhere
            raise
        raise Mistake(
            f"{without_options(place)} can't be reached ({first_line(error)}): try again later"
        ) from None


def prepare(
    study: Study, folder: Path, say: Callable[[str], None], before: str | None = None
) -> None:
    """See that shared storage can take the study, before anything of it starts.

    `before` is the storage that an existing study had; its checkpoints move with it. Refused:
    storage that can't be written or read, that is the study's own folder, that holds another study
    of the name or a later state of this one, that another driver works on, or a folder that was the
    study's before and now has nothing of it.
    """
    place = of(study.storage, folder)
    old = place if before is None else of(before, folder)
    if study.storage:
        if before is not None and old == place:  # before the probe, which would make the folder
            refuse_lost(place, folder)
        moment = places.probe(places.at(study.storage))
        with reached(place):
            refuse_one_place(place, folder)
            lease.refuse_held(place, moment, say)
            refuse_other(place, folder)
    if old == place:
        return
    try:
        if before and not stored(old) and not places.names(place / "checkpoints"):
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
        for _ in places.copy(old / "checkpoints", place / "checkpoints", lambda name: True):
            continue
    except OSError as error:
        say(
            f"{without_options(old / 'checkpoints')} can't be copied ({first_line(error)}): "
            "unfinished trials begin again."
        )


def of(uri: str, folder: Path) -> Place:
    """Where the study in a local folder keeps its checkpoints, given its storage or none."""
    return places.at(uri) / folder.name if uri else folder.resolve()


def stored(place: Place) -> bool:
    """Whether a place in storage has anything; that of a bucket is asked for where it is used."""
    return isinstance(place, Bucket) or (place.is_dir() and any(place.iterdir()))


def refuse_lost(place: Place, folder: Path) -> None:
    """Mistake if a local folder of storage has nothing of a study that was there: it isn't mounted,
    or was named from another folder. Its trained networks would begin again, in silence."""
    begun = (folder / "events.jsonl").exists() and (folder / "events.jsonl").stat().st_size
    if begun and not stored(place):
        raise Mistake(
            f"{place}, where {folder} had its storage, isn't there or is empty: mount it or, if it "
            "was named from another folder, say by --storage where it is"
        )


def refuse_one_place(place: Place, folder: Path) -> None:
    """Mistake if a study's place in storage and its folder are one, or one of them is in the other.

    The copy of the journal would take the place of the journal itself, which the driver has open.
    """
    if leads(folder, place) or leads(place, folder):
        raise Mistake(
            f"{without_options(place)}, where storage would keep a copy of the study, is the "
            f"study's own folder {folder}, or one is in the other: give another --storage, or none "
            "to keep all in the folder"
        )


def leads(first: Place, second: Place) -> bool:
    """Whether `second` is `first`, above it or below it, by whatever name.

    Links, mounts and buckets mounted as folders give one folder many names, so that no names are
    compared: a file that is written at `first`, or above if it isn't there yet, is looked for.
    """
    if isinstance(first, Path):
        first = first.resolve()
    if isinstance(second, Path):
        second = second.resolve()
    at = first
    while isinstance(at, Path) and not at.is_dir():
        at = at.parent
    rest = first.relative_to(at).parts if isinstance(first, Path) and isinstance(at, Path) else ()
    mark = f".mark-{secrets.token_hex(8)}"
    around = (second,) if isinstance(second, Bucket) else (second, *second.parents)
    try:
        places.write(at / mark, b"")
        seen = [one for one in around if places.exists(one / mark)]
    finally:
        places.delete(at / mark)
    if not seen:
        return False
    top = seen[0]
    below: tuple[str, ...] = ()
    if isinstance(second, Path) and isinstance(top, Path):
        below = second.relative_to(top).parts
    return all(one == other for one, other in zip(rest, below, strict=False))


def refuse_other(place: Place, folder: Path) -> None:
    """Mistake unless what is stored is what the local folder holds, or an earlier state of it."""
    there, path = read_logs(place)["events.jsonl"], folder / "events.jsonl"
    here = whole_lines(path.read_bytes()) if path.exists() else b""
    if here.startswith(there):
        return
    name, again = without_options(place), f"--resume {shlex.quote(str(place))}"
    if not path.exists():
        raise Mistake(f"{name} exists: go on with it by {again}, or choose another --name")
    if there.startswith(here):
        raise Mistake(f"{name} is ahead of {folder}: go on with it by {again}")
    raise Mistake(
        f"{name} and {folder} are different studies, or went on apart from each other: move "
        f"{folder} away and give {again}, or choose another --storage"
    )


def bring(uri: str, out: Path, say: Callable[[str], None]) -> tuple[Path, str]:
    """A study in shared storage as a local folder below `out`, and the storage it came from.

    A local folder of it that is further is left as it is, one that is as far gets what it lacks,
    and one that is behind is brought up to date; one of something else is refused.
    """
    root, name = places.apart(uri)
    place, folder = places.at(root) / name, out / name
    moment = places.probe(places.at(root))
    with reached(place):
        if "study.json" not in places.names(place):
            raise Mistake(
                f"{without_options(place)} holds no study: give --resume the URI STORAGE/NAME"
            )
        refuse_one_place(place, folder)
        lease.refuse_held(place, moment, say)
        header, there = places.read(place / "study.json"), read_logs(place)
        if further(folder, uri, header, there["events.jsonl"]):  # ahead, or apart: prepare says
            return folder, root
        refuse_open(folder)
        journal = folder / "events.jsonl"
        as_far = journal.exists() and whole_lines(journal.read_bytes()) == there[journal.name]

        def stays(name: str) -> bool:
            """What is written after an event, as answers, may not have come to storage."""
            return as_far and (folder / name).exists()

        def wanted(name: str) -> bool:
            fixed = name in (*LOGS, lease.LEASE, "study.json") or name.startswith("checkpoints/")
            return not fixed and not stays(name)

        if not stays("study.json"):
            places.write(folder / "study.json", header)
        for _ in places.copy(place, folder, wanted):
            continue
        for name in LOGS:  # the journal last: until it is there, this begins again
            if not stays(name):
                places.write(folder / name, there[name])
    return folder, root


def further(folder: Path, uri: str, header: bytes, there: bytes) -> bool:
    """Whether a local folder's journal holds what the one in storage, `there`, doesn't.

    Mistake if the folder is of something else than the study with this study.json.
    """
    if not same_study(folder, header):
        if folder.is_file() or places.names(folder):
            raise Mistake(
                f"{folder} is another study than {without_options(uri)}: move it away or give "
                "another folder"
            )
        return False
    path = folder / "events.jsonl"
    return path.exists() and not there.startswith(whole_lines(path.read_bytes()))


def same_study(folder: Path, header: bytes) -> bool:
    """Whether a local folder is of the study with this study.json: of the same beginning."""
    path = folder / "study.json"
    if not path.exists():
        return False
    try:
        return json.loads(path.read_bytes())["started_at"] == json.loads(header)["started_at"]
    except (ValueError, KeyError):
        return False
