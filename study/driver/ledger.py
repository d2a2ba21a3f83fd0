"""A ledger of test openings on this machine: which looks at the same test images came before.

A line per study and data set, beside the prepared data sets (FER_STUDY_CACHE). Runs on the driver.
"""

import json
from contextlib import suppress
from pathlib import Path

from fer_data import cache
from study import now

NAME = "test-openings.jsonl"


def opened(digest: str, study: str, settings: list[str], folder: Path | None = None) -> int:
    """Write down that a study opened the test images of the data; the how-manieth did so here.

    A study that is in the ledger counts once. Where nothing can be written it is only counted.
    """
    path = cache.folder(folder) / NAME
    before = [one for one in lines(path) if one.get("data") == digest]
    names = list(dict.fromkeys(str(one.get("study")) for one in before))
    if study in names:
        return names.index(study) + 1
    line = {"time": now(), "data": digest, "study": study, "settings": settings}
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a") as file:
            file.write(json.dumps(line) + "\n")
    return len(names) + 1


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
