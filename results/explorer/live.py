"""What the live app has read and computed of its studies, kept until their files change.

Everything is a function of the artefact folders: no viewer has a state here.
"""

import threading
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import lru_cache
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pandas as pd

from results import Mistake
from results.artefacts.load import Findings, load, named_apart
from results.explorer import notes, written
from results.explorer.answers import pictures
from results.explorer.gallery import found, sheet
from results.facts.evaluation import Evaluated
from results.figures import style

PREDICTED = ("predictions.parquet", "images.parquet")
ANSWERED = (*PREDICTED, "attention.parquet")
FILES = ("study.json", "trials.parquet", "epochs.parquet", "decisions.parquet", *ANSWERED)
SHOWN = (*FILES, str(notes.FILE))
Folders = tuple[Path, ...]
Stamp = tuple[tuple[int, int], ...]


def stamp(folders: Folders, names: tuple[str, ...] = FILES) -> Stamp:
    """(modification time in ns, bytes) of each file: changes whenever one of the files does."""
    found = []
    for folder in folders:
        for name in names:
            try:
                stat = (folder / name).stat()
                found.append((stat.st_mtime_ns, stat.st_size))
            except OSError:
                found.append((0, 0))
    return tuple(found)


def text(now: Stamp) -> str:
    return "-".join(f"{when:x}.{size:x}" for when, size in now)


@lru_cache(maxsize=1)
def studies_at(folders: Folders, _stamp: Stamp) -> list[Findings]:
    return named_apart([load(folder) for folder in folders])


def studies_now(folders: Folders) -> list[Findings]:
    return studies_at(folders, stamp(folders))


@dataclass
class Evaluations:
    """The measures of the confirmed settings: they take seconds and change with `PREDICTED`
    alone, so they are computed once, and what needs no test figure doesn't wait for them."""

    folders: Folders
    lock: threading.Lock = field(default_factory=threading.Lock)
    at: Stamp | None = None
    settings: list[Evaluated] = field(default_factory=list)

    def ready(self) -> list[Evaluated] | None:
        """None while they are still to be computed."""
        return self.settings if self.at == stamp(self.folders, PREDICTED) else None

    def computed(self) -> list[Evaluated]:
        with self.lock:
            if self.ready() is None:
                now = stamp(self.folders, PREDICTED)
                self.settings = written.evaluated(studies_now(self.folders))
                self.at = now
            return self.settings


@dataclass
class Searches:
    """What each whole search says, as HTML: half a minute of Python for a thousand trials, so in
    a process of its own, while the page asks for other things."""

    folders: Folders
    lock: threading.Lock = field(default_factory=threading.Lock)
    at: Stamp | None = None
    html: str = ""

    def computed(self) -> str:
        with self.lock:
            now = stamp(self.folders)
            if self.at != now:
                studies = studies_at(self.folders, now)
                alike = style.take, (style.places(),)
                with ProcessPoolExecutor(1, get_context("spawn"), *alike) as pool:
                    self.html = pool.submit(written.searches, studies).result()
                self.at = now
            return self.html


@dataclass
class Gallery:
    """The faces of whatever was answered, read once: a table takes 15 seconds."""

    folders: Folders
    data: Path | None
    lock: threading.Lock = field(default_factory=threading.Lock)
    at: Stamp | None = None
    faces: np.ndarray | str = ""
    shown: pd.DataFrame = field(default_factory=pd.DataFrame)
    sheets: dict[int, bytes] = field(default_factory=dict)

    def now(self) -> tuple[np.ndarray | str, pd.DataFrame]:
        """The faces, or why there are none, and the table of them."""
        with self.lock:
            answered = stamp(self.folders, PREDICTED)
            if self.at != answered:
                studies = studies_now(self.folders)
                self.shown = pictures(studies)
                try:
                    self.faces = found(studies, self.shown, self.data)
                except Mistake as mistake:
                    self.faces = f"No pictures: {mistake}."
                self.sheets, self.at = {}, answered
            return self.faces, self.shown

    def sheet(self, number: int) -> bytes | None:
        """Sheet `number` as PNG, made once; None where there are no faces."""
        faces, _ = self.now()
        if isinstance(faces, str):
            return None
        if number not in self.sheets:
            self.sheets[number] = sheet(faces, number)
        return self.sheets[number]
