"""A ledger of test openings: which looks at the same test images came before, on this machine and
in the study's shared storage.

On the machine a line per study and data set, beside the prepared data sets (FER_STUDY_CACHE); in
storage, where nothing can be appended and machines write at once, a file each. Runs on the driver.
"""

import json
from contextlib import suppress
from pathlib import Path

from fer_data import cache
from study import now
from study.storage import places
from study.storage.places import Place

NAME = "test-openings.jsonl"
SHARED = ".test-openings"  # no study's name begins with a point


def opened(
    digest: str,
    study: str,
    settings: list[str],
    folder: Path | None = None,
    storage: Place | None = None,
    source: str = "",
    begun: str = "",
) -> int:
    """Write down that a study opened the test images of the data; the how-manieth did so, of those
    that this machine and the storage know.

    `source` is the digest of the file or folder that was read: another size or choice of its images
    has another `digest`, and the same test. A study that is in the ledger counts once: the one of
    that name that was `begun` then, so that a folder that is removed and made anew is another look.
    Where nothing can be written it is only counted.
    """
    path, keys = cache.folder(folder) / NAME, [key for key in (digest, source) if key]
    here = [one for one in lines(path) if {one.get("data"), one.get("source")} & {*keys}]
    there = [one for key in keys for one in shared(storage, key)] if storage else []
    line: dict[str, object] = {"time": now(), "data": digest, "study": study, "settings": settings}
    line |= {key: told for key, told in (("source", source), ("begun", begun)) if told}
    own, name = (study, begun), f"{study} {begun}".strip().replace(":", "")
    if own not in of(here):
        with suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("a") as file:
                file.write(json.dumps(line) + "\n")
    if storage and own not in of(there):
        with suppress(OSError):  # a silent bucket loses no study
            for key in keys:
                places.write(storage / SHARED / key / f"{name}.json", json.dumps(line).encode())
    known = of(sorted([*here, *there, line], key=lambda one: str(one.get("time", ""))))
    return known.index(own) + 1


def of(found: list[dict[str, object]]) -> list[tuple[str, str]]:
    """The studies of some lines, each once: name, and when it was begun, where that is known."""
    return list(dict.fromkeys((str(one.get("study")), str(one.get("begun", ""))) for one in found))


def shared(storage: Place, digest: str) -> list[dict[str, object]]:
    """The openings of these test images that this storage holds; none where it is silent."""
    place, found = storage / SHARED / digest, []
    with suppress(OSError, ValueError):
        for name in places.names(place):
            found.append(dict(json.loads(places.read(place / name))))
    return found


def lines(path: Path) -> list[dict[str, object]]:
    """What the ledger holds; a damaged line is passed over."""
    found = []
    with suppress(OSError):
        for text in path.read_text(errors="replace").splitlines():
            with suppress(ValueError):
                line = json.loads(text)
                if isinstance(line, dict):
                    found.append(line)
    return found
