"""What a person sees while a study runs: a live table on a terminal, lines elsewhere. Driver."""

import sys
import time
from datetime import UTC, datetime

from rich.console import Console, Group, JustifyMethod
from rich.live import Live
from rich.table import Table
from rich.text import Text

from fer_record import remaining
from fer_record.journal import Row
from fer_record.tables import Tables
from fer_stats.metric import on_val
from fer_stats.words import percent
from study import say
from study.config.study import Study
from study.driver.session import Session
from study.output import outlived, readable
from study.record.outcome import best

WHOLE = ("trial", "batch", "lr", "epoch")  # never cut: on a narrow terminal the others wrap
COLUMNS: tuple[tuple[str, JustifyMethod], ...] = (
    ("trial", "left"),
    ("network", "left"),
    ("batch", "right"),
    ("lr", "right"),
    ("epoch", "right"),
    ("val", "right"),
    ("", "left"),
)
REFRESH_SECONDS = {True: 0.5, False: 30.0}  # terminal or not


class Display:
    """Called with the session whenever something may have changed; paces itself."""

    def __init__(self, study: Study, notes: tuple[str, ...]) -> None:
        self.study, self.notes = study, notes
        # What is shown are texts, some of them of others: never markup.
        self.console = Console(highlight=False, markup=False, emoji=False)
        self.terminal = self.console.is_terminal
        self.live: Live | None = None
        self.stage, self.wanted, self.began = "", 0, time.monotonic()
        self.shown = 0.0
        self.listed: set[str] = set()
        self.answered: tuple[int, int] | None = None  # while test is opened: networks, of how many

    def begin(self, session: Session, stage: str, wanted: int) -> None:
        """A stage of `wanted` trials in all begins; some may have ended before a restart."""
        tables = session.tables
        self.stage, self.wanted, self.began = stage, wanted, time.monotonic()
        self.listed |= {name for name, row in tables.trials.items() if ended(row)}
        self.shown = 0.0
        if self.terminal and self.live is None:
            self.live = Live(console=self.console, auto_refresh=False, transient=False)
            with outlived():
                self.live.start()

    def opening(self, session: Session, answered: int, asked: int) -> None:
        """Test is being opened: so many of the networks asked have answered."""
        if self.answered is None:
            self.began = self.shown = time.monotonic()
        self.answered = answered, asked
        self(session)

    def end(self) -> None:
        if self.live is not None:
            with outlived():
                self.live.stop()
            self.live = None

    def __call__(self, session: Session) -> None:
        fresh = [
            n for n, row in session.tables.trials.items() if ended(row) and n not in self.listed
        ]
        self.listed.update(fresh)
        if not self.terminal:
            for name in fresh:
                self.print(ending(name, session.tables, self.study, session.clean))
        if time.monotonic() - self.shown < REFRESH_SECONDS[self.terminal] and not (
            fresh and self.terminal
        ):
            return
        self.shown = time.monotonic()
        if self.live is not None:
            with outlived():
                self.live.update(self.picture(session), refresh=True)
        elif self.answered or session.tables.of_stage(self.stage):
            self.print(self.counts(session))

    def print(self, line: str) -> None:
        """A line at once; above the table on a terminal."""
        line = f"{datetime.now():%H:%M:%S} {line}"
        if self.live is None:
            say(line)
            return
        with outlived():
            self.live.console.print(readable(line, sys.stdout))

    def counts(self, session: Session) -> str:
        """One line: how many, how fast, how long still, what is left of the budget."""
        if self.answered:
            there, asked = self.answered
            so_far = duration(time.monotonic() - self.began)
            return f"val and test: {there} of {asked} networks have answered, {so_far} so far"
        rows = session.tables.of_stage(self.stage)
        by = {
            s: sum(row["status"] == s for row in rows.values())
            for s in ("running", "completed", "stopped", "failed")
        }
        speed = sum(
            session.tables.last[n]["images_per_second"]
            for n, row in rows.items()
            if row["status"] == "running" and n in session.tables.last
        )
        epochs = sum(name in rows for name, _ in session.tables.epochs)
        parts = [f"{self.stage}: {by['completed']} of {self.wanted} trials completed"]
        parts += [f"{n} {status}" for status, n in by.items() if n and status != "completed"]
        parts.append(f"{epochs} epoch{'s' * (epochs != 1)}")
        if speed:
            parts.append(f"{speed:,.0f} images/s")
        parts.append(self.left(session))
        if self.study.time_budget:
            spent = remaining.spent(session.tables, datetime.now(UTC))
            parts.append(f"budget left {duration(max(0, self.study.time_budget - spent))}")
        if self.study.gpu_hours:
            left_hours = max(0.0, self.study.gpu_hours - session.gpu_hours_spent)
            parts.append(f"{left_hours:.2f} GPU-hours left")
        return ", ".join(parts)

    def left(self, session: Session) -> str:
        """How long the whole study will still take, or that nobody can say."""
        left = session.seconds_left()
        if left is None:
            so_far = duration(time.monotonic() - self.began)
            return f"{so_far} so far, how long still isn't known"
        return f"about {duration(left)} left in all" if left >= 1 else "nearly done"

    def picture(self, session: Session) -> Group:
        """The live table: the best so far, what runs now, and the counts."""
        tables, objective = session.tables, self.study.objective
        grid = Table(box=None, pad_edge=False, header_style="dim")
        judged = on_val(self.study.metric, session.clean).removeprefix("on ")
        for head, side in COLUMNS:
            name = judged if head == "val" else head
            grid.add_column(name, justify=side, no_wrap=head in WHOLE, overflow="fold")
        stage = tables.of_stage(self.stage)
        leading = best(tables, self.study) if self.stage == "search" else {}
        for row in leading.values():
            grid.add_row(*cells(row["trial_id"], tables, objective), "best so far", style="bold")
        leaders = {row["trial_id"] for row in leading.values()}
        for name in [n for n, row in stage.items() if row["status"] == "running"][-12:]:
            if name not in leaders:
                grid.add_row(*cells(name, tables, objective), "running")
        if self.stage == "confirm":
            for name in [n for n, row in stage.items() if ended(row)][-12:]:
                grid.add_row(*cells(name, tables, objective), stage[name]["status"])
        told = readable("\n".join(self.notes), sys.stdout)  # which may name files of others
        return Group(grid, Text(self.counts(session)), Text(told, style="dim"))


def ended(row: Row) -> bool:
    return row["status"] != "running"


def cells(name: str, tables: Tables, objective: str = "val_accuracy") -> list[str]:
    """A trial as texts: id, network, batch, lr, epoch of epochs, what it is judged by."""
    row, last = tables.trials[name], tables.last.get(name)
    epoch = f"{last['epoch'] if last else 0}/{row['hp_epochs']}"
    accuracy = percent(last[objective]) if last else ""
    return [
        name,
        row["hp_model"],
        str(row["hp_batch_size"]),
        f"{row['hp_lr']:.4g}",
        epoch,
        accuracy,
    ]


def ending(name: str, tables: Tables, study: Study, clean: bool) -> str:
    """A line on a trial that has ended."""
    row = tables.trials[name]
    _, model, batch, lr, epoch, value = cells(name, tables, study.objective)
    line = f"{name} {model}, batch {batch}, lr {lr}: {row['status']} at epoch {epoch}"
    line += f", {value} {on_val(study.metric, clean)}" if value else ""
    if row["status"] == "completed":
        return line
    return f"{line} ({row['error' if row['status'] == 'failed' else 'reason']})"


def duration(seconds: float) -> str:
    """1:02:03, 2:03 or 3 s."""
    seconds = round(seconds)
    if seconds < 60:
        return f"{seconds} s"
    hours, rest = divmod(seconds, 3600)
    text = f"{rest // 60:02d}:{rest % 60:02d}"
    return f"{hours}:{text}" if hours else text.lstrip("0")
