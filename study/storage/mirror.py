"""A study's folder in shared storage: brought there as the study goes on, and back. The driver.

Shared storage has STORAGE/NAME/ with the files of runs/NAME, the trials' checkpoints, which
workers write themselves, and driver.json: who runs the study, and how much of its two logs belongs
together.
"""

import math
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from study import Mistake
from study.storage import lease, places
from study.storage.handover import LOGS, reached, whole_lines
from study.storage.places import Place, first_line, without_options

RENEW_SECONDS = 15.0
EVERY_SECONDS = 5.0
LONGEST_PAUSE_SECONDS = 15.0
ELSEWHERE = "elsewhere"  # answers about other data sets
FLUSH_SECONDS = 30.0  # a spot machine has two minutes in all


@dataclass
class Snapshot:
    """A moment at which journal and Optuna's log agree, and what may be done once it is stored."""

    sizes: dict[str, int]
    taken_at: float  # time.time(): files written later may know of more than the logs do
    jobs: list[Callable[[], None]] = field(default_factory=list)


class Mirror:
    """Brings a study's folder to shared storage on a thread of its own.

    `mark` says that now is a moment at which a driver might have been killed without harm. What
    is stored is always such a moment, so going on from it is what --resume does anyway.
    """

    def __init__(
        self, folder: Path, place: Place, say: Callable[[str], None], lost: Callable[[str], None]
    ) -> None:
        """`lost` is told why, if another driver takes the study over. Mistake if storage stays
        silent for as long as a worker would wait for it."""
        self.folder, self.place, self.say, self.lost = folder, place, say, lost
        self.token = secrets.token_hex(8)
        self.stored: dict[str, float] = {}  # file -> size of a log, or time of writing, as stored
        self.jobs: list[Callable[[], None]] = []  # since the last mark
        self.snapshot = Snapshot({}, 0.0)
        self.seconds: list[float] = []  # of each upload
        self.due = self.renewed = 0.0
        self.failed = ""
        self.closing = threading.Event()
        self.marked = threading.Event()
        with reached(place):
            places.patiently(self.take_over, self.waits)
        self.told(None)
        self.thread = threading.Thread(target=self.work, name="mirror", daemon=True)
        self.thread.start()

    def take_over(self) -> None:
        self.stored.update(lease.read(self.place).get("sizes", {}))
        self.write_lease()

    def waits(self, error: OSError) -> None:
        """Say once that storage is away before the study has begun."""
        if not self.failed:
            self.failed = described(error)
            self.say(
                f"{without_options(self.place)} can't be reached ({self.failed}): waiting for up "
                f"to {places.PATIENCE_SECONDS:g} s."
            )

    def later(self, job: Callable[[], None]) -> None:
        """Do it once shared storage knows the events so far: a checkpoint goes after its news."""
        self.jobs.append(job)

    def mark(self, at_once: bool = False) -> None:
        """Called by the driver when all that the journal holds has been told to Optuna."""
        if (at_once or time.monotonic() >= self.due) and not self.marked.is_set():
            self.take()
            self.marked.set()

    def take(self) -> None:
        sizes = {name: size(self.folder / name) for name in LOGS}
        jobs, self.jobs = self.snapshot.jobs + self.jobs, []
        self.snapshot = Snapshot(sizes, time.time(), jobs)

    def work(self) -> None:
        """The thread, which never dies unseen: whatever ends it ends the study."""
        try:
            self.upload_marks()
        except BaseException as error:
            self.failed = described(error)
            self.lost(f"{without_options(self.place)} is no longer kept ({self.failed})")

    def upload_marks(self) -> None:
        """An upload for each mark, and a sign of life in between."""
        pause = 1.0
        while not self.closing.is_set():
            self.marked.wait(RENEW_SECONDS)
            if self.closing.is_set():
                return
            began, marked = time.monotonic(), self.marked.is_set()
            try:
                self.upload()
            except Exception as error:  # of whatever kind: the study is whole in its folder
                self.told(error)
                self.closing.wait(pause)
                pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
                continue
            self.told(None)
            pause = 1.0
            if marked:
                cost = time.monotonic() - began
                self.seconds.append(cost)
                self.due = time.monotonic() + max(EVERY_SECONDS, 20 * cost)
                self.marked.clear()

    def told(self, error: Exception | None) -> None:
        """Say once that storage is away, and once that it is back."""
        place, failed = without_options(self.place), described(error) if error else ""
        if failed and not self.failed:
            away = isinstance(error, OSError | Mistake)
            what = "can't be reached" if away else "isn't up to date"
            self.say(
                f"{place} {what} ({failed}): the study goes on and is kept in {self.folder}; tried "
                "again until it answers."
            )
        elif self.failed and not failed:
            self.say(f"{place} answers again; nothing is missing there.")
        self.failed = failed

    def upload(self, ended: bool = False) -> None:
        """Store the snapshot: logs, then what says that they belong together, then the rest."""
        holder = lease.read(self.place)
        if holder.get("token", self.token) != self.token:
            self.closing.set()
            self.lost(f"{without_options(self.place)} was taken over by {holder['host']}")
            return
        snapshot, changed = self.snapshot, False
        for name, length in snapshot.sizes.items():
            if self.stored.get(name, 0) != length:
                with (self.folder / name).open("rb") as file:
                    content = whole_lines(file.read(length))
                places.write(self.place / name, content)
                self.stored[name], changed = len(content), True
        if changed or time.monotonic() - self.renewed > RENEW_SECONDS / 2:
            self.write_lease()
        for path in self.files():
            name, written = str(path.relative_to(self.folder)), path.stat().st_mtime
            if self.stored.get(name) == written or written > snapshot.taken_at:
                continue
            content = path.read_bytes()
            if path.stat().st_mtime == written:  # else replaced just now, for the next upload
                places.write(self.place / name, content)
                self.stored[name] = written
        while snapshot.jobs:
            snapshot.jobs[0]()
            snapshot.jobs.pop(0)
        if ended:
            self.write_lease(ended)

    def files(self) -> Iterator[Path]:
        """What is stored beside the logs. Not explorer/: a person's notes are written without a
        driver, too, and a copy of them that is older would take the place of the newer one."""
        for path in sorted([*self.folder.iterdir(), *(self.folder / ELSEWHERE).glob("*")]):
            left = path.name in LOGS or path.name.startswith(".") or path.suffix == ".lock"
            if path.is_file() and not path.is_symlink() and not left:
                yield path

    def write_lease(self, ended: bool = False) -> None:
        sizes = {name: int(self.stored.get(name, 0)) for name in LOGS}
        lease.write(self.place, "" if ended else self.token, sizes)
        self.renewed = time.monotonic()

    def flush(self) -> bool:
        """Store everything and give the study free; False, with `failed`, if it can't be done."""
        if self.closing.is_set():  # done already, or another driver has it
            return not self.failed
        self.closing.set()
        self.marked.set()
        self.thread.join(FLUSH_SECONDS)
        if self.thread.is_alive():  # what it still writes there must not come after the end
            self.failed = f"no answer in {FLUSH_SECONDS:g} s"
            return False
        self.take()
        self.snapshot.taken_at = math.inf  # nothing is written meanwhile, whatever its clock says
        until = time.monotonic() + FLUSH_SECONDS
        while True:
            try:
                self.upload(ended=True)
                self.failed = ""
                return True
            except Exception as error:
                self.failed = described(error)
                if time.monotonic() > until:
                    return False
            time.sleep(1)


def described(error: BaseException) -> str:
    """An error in some words, with its kind where that isn't the storage's own."""
    kind = "" if isinstance(error, OSError | Mistake) else f"{type(error).__name__}: "
    return kind + first_line(error)


def size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
