"""One driver at work on one study, and the signals that may end it. Runs on the driver."""

import shlex
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fer_record import remaining
from fer_record.journal import Event
from fer_record.tables import Tables
from fer_stats.metric import without_copies
from study import now
from study.cluster import environment
from study.config.hyperparameters import Hyperparameters
from study.config.study import BUDGETS, Study
from study.data.datasets import Dataset, Split
from study.driver import networks
from study.driver.notify import Notifier
from study.record.events import check
from study.record.journal import Journal
from study.record.schemas import write_tables
from study.storage import errors, places
from study.storage.mirror import Mirror
from study.storage.places import Place

WRITE_EVERY_SECONDS = 5.0
CAUSES = (*BUDGETS, "signal", "node", "storage")  # of an end; a later one outranks an earlier


@dataclass(frozen=True)
class Ending:
    """Why a study is to end before all of it is done."""

    cause: str  # one of CAUSES
    reason: str  # in words
    signal: int = 0  # its number, where a signal asks


@dataclass
class Session:
    """One driver at work on one study: what it is, what it may use, knows and writes."""

    study: Study
    folder: Path
    header: dict[str, Any]  # study.json, but for how it ended
    dataset: Dataset  # train and val as the trials see them; test for the confirmation
    whole_val: Split  # val before val_images cut it: what the confirmed networks predict
    device: str
    need: dict[str, float]  # cpu and gpu of a trial
    slots: int  # trials at once
    journal: Journal
    tables: Tables
    show: Callable[["Session"], None]
    say: Callable[[str], None]  # a line for the person, at once
    trainable: type  # study.worker.trial.Trial, or what a benchmark or a test puts in its place
    mirror: Mirror | None = None  # of the folder, in shared storage
    waiting: list[tuple[list[Event], Callable[[], None] | None]] = field(default_factory=list)
    ending: Ending | None = None  # where there is one, nothing more is begun
    written: float = 0.0
    cost: float = 0.0
    origin: dict[str, Any] = field(default_factory=dict)  # this driver's code, libraries, machine
    expected: dict[str, str] = field(default_factory=dict)  # environment.facts(), of every node
    notifier: Notifier = field(default_factory=Notifier)

    def log(self, *events: Event) -> None:
        """Write events, which belong together, to the journal at once, after what waits."""
        self.put_off(*events)
        self.commit()

    def put_off(self, *events: Event, then: Callable[[], None] | None = None) -> None:
        """Events, which belong together, that `commit` or the next `log` writes: with one fsync for
        all that came together. Nobody knows of them before, and `then` is called after it.
        """
        moment = now()
        stamped = [{"time": moment, **event} for event in events]
        for event in stamped:
            check(event)
        self.waiting.append((stamped, then))

    def commit(self) -> None:
        """Write what waits to the journal, then fold it into the tables and do what follows from
        it; refresh the files by and by."""
        if not self.waiting:
            return
        self.journal.extend([events for events, _ in self.waiting])
        written, self.waiting = self.waiting, []
        for events, then in written:
            for event in events:
                self.tables.add(event)
            if then:
                then()
        # Rewriting is paced by its own cost, so that a long study spends at most a part on it.
        if time.monotonic() - self.written > max(WRITE_EVERY_SECONDS, 20 * self.cost):
            self.write()

    def write(self) -> None:
        began = time.monotonic()
        write_tables(self.tables, self.folder)
        self.written = time.monotonic()
        self.cost = self.written - began

    def __getstate__(self) -> dict[str, Any]:
        """Tune pickles whatever it is given; nothing of a session belongs into Ray's files."""
        return {}

    def end(self, cause: str, reason: str, signal: int = 0) -> None:
        """Ask the study to end; of several causes the gravest is kept, of two budgets the first."""
        before = self.cause
        if before in BUDGETS and cause in BUDGETS:
            return
        if not before or CAUSES.index(cause) > CAUSES.index(before):
            self.ending = Ending(cause, reason, signal)

    @property
    def cause(self) -> str:
        """Of its end, or empty."""
        return self.ending.cause if self.ending else ""

    @property
    def reason(self) -> str:
        """Of its end, in words, or empty."""
        return self.ending.reason if self.ending else ""

    def lost(self, error: BaseException | str) -> bool:
        """Whether an error, or a worker's text of one, is no fault of the trial's.

        The storage failed, or a node joined that has not what the others have: no trial could go
        on there.
        """
        if environment.UNFIT in str(error):
            self.end("node", str(error)[str(error).index(environment.UNFIT) :])
            return True
        if not isinstance(error, str):
            why = errors.fault(error, self.folder)
        elif not self.mirror:
            why = errors.fault_told(error, self.folder)
        else:  # what a worker's own disk says is no fault of the bucket's
            place = places.without_options(self.mirror.place)
            why = f"{place} can't be reached" if places.SILENT in error else ""
        if why:
            self.end("storage", why)
        return bool(why)

    @property
    def interrupted(self) -> bool:
        """Whether it is cut short at once; a spent budget still opens test for what is done."""
        return self.cause in ("signal", "node", "storage")

    @property
    def go_on(self) -> str:
        """The command to go on here; a cluster that was named must be named again."""
        named = self.study.address
        address = f" --address {shlex.quote(named)}" if named not in ("", "local") else ""
        return f"python -m study.run --resume {shlex.quote(str(self.folder))}{address}"

    @property
    def clean(self) -> bool:
        """Whether epochs are judged on val without copies of training images."""
        return without_copies(self.study.val_copies, self.header.get("data") or {})

    @property
    def gpu_hours_spent(self) -> float:
        return self.tables.gpu_seconds / 3600

    @property
    def place(self) -> Place:
        """The study's folder for any node: in shared storage, if there is one."""
        return self.mirror.place if self.mirror else self.folder.resolve()

    def checkpoints(self, trial_id: str = "") -> Place:
        """Where a trial's states are, for any node."""
        return self.place / "checkpoints" / trial_id

    def afterwards(self, job: Callable[[], None]) -> None:
        """Do what may only be done when the events so far can't be lost any more."""
        if self.mirror:
            self.mirror.later(job)
        else:
            job()

    def mark(self) -> None:
        """Say that a driver might be killed now without harm: shared storage may store this."""
        if self.mirror:
            self.mirror.mark()

    def store(self) -> None:
        """Wait until shared storage, if there is one, has the events so far; end the study if it
        doesn't answer for as long as a worker waits for it."""
        until, stored = time.monotonic() + places.PATIENCE_SECONDS, threading.Event()
        self.afterwards(stored.set)
        while self.mirror and not self.interrupted and not stored.is_set():
            self.mirror.mark(at_once=True)
            stored.wait(0.1)
            if self.mirror.failed and time.monotonic() > until:
                place = places.without_options(self.mirror.place)
                self.end("storage", f"{place} can't be reached ({self.mirror.failed})")

    def seconds_left(self) -> float | None:
        """Until the whole study ends, by the epochs so far; None if nobody can say."""
        return remaining.seconds(self.header, self.tables, datetime.now(UTC))

    def size(self, hp: Hyperparameters) -> dict[str, int]:
        """Parameters and multiply-adds of a trial's network."""
        return networks.size(hp, len(self.dataset.classes))
