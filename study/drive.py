"""Run the trials of one stage through Ray Tune, and keep the journal. Runs on the driver.

The recorder is the only place where what Tune says becomes an event: it is written first, and only
then told to Optuna or acted upon. After a restart a stage is the same call with what is left.
"""

import errno
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

from ray import tune
from ray.tune.search import Searcher

from fer_models import MODELS
from fer_models.layers import multiply_adds, parameters
from study import checkpoint
from study.config import Study
from study.data import Dataset, Split
from study.hyperparameters import Hyperparameters
from study.journal import Event, Journal, now
from study.record import Tables
from study.schedule import ASHA, Halving
from study.trial import Trial

WRITE_EVERY_SECONDS = 5.0
GRACE_SECONDS = 20.0


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
    stop: str = ""  # why the study is to end before its time
    written: float = 0.0
    cost: float = 0.0
    sizes: dict[str, dict[str, int]] = field(default_factory=dict)

    def log(self, *events: Event) -> None:
        """Write events to the journal, fold them into the tables, refresh the files by and by."""
        stamped = [{"time": now(), **event} for event in events]
        with self.noticing_full_disk():
            self.journal.append(*stamped)
        for event in stamped:
            self.tables.add(event)
        # Rewriting is paced by its own cost, so that a long study spends at most a part on it.
        if time.monotonic() - self.written > max(WRITE_EVERY_SECONDS, 20 * self.cost):
            self.write()

    def write(self) -> None:
        began = time.monotonic()
        with self.noticing_full_disk():
            self.tables.write(self.folder)
        self.written = time.monotonic()
        self.cost = self.written - began

    def __getstate__(self) -> dict[str, Any]:
        """Tune pickles whatever it is given; nothing of a session belongs into Ray's files."""
        return {}

    @contextmanager
    def noticing_full_disk(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            if error.errno == errno.ENOSPC:
                self.stop = f"disk full at {self.folder}"
            raise

    @property
    def disk_full(self) -> bool:
        return self.stop.startswith("disk full")

    @property
    def interrupted(self) -> bool:
        """Whether it is cut short and wants to be resumed; a spent budget is an end."""
        return self.stop.startswith("SIG") or self.disk_full

    @property
    def gpu_hours_spent(self) -> float:
        trials = self.tables.trials
        return sum(
            row["epoch_seconds"] * trials[row["trial_id"]]["gpus"] / 3600
            for row in self.tables.epochs.values()
        )

    def checkpoints(self, trial_id: str = "") -> Path:
        return self.folder / "checkpoints" / trial_id

    def size(self, hp: Hyperparameters) -> dict[str, int]:
        """Parameters and multiply-adds of a trial's network."""
        key = str((hp.model, hp.image_px, hp.options))
        if key not in self.sizes:
            model = MODELS[hp.model](classes=len(self.dataset.classes), **hp.options)
            self.sizes[key] = {
                "parameters": parameters(model),
                "multiply_adds": multiply_adds(model, hp.image_px),
            }
        return self.sizes[key]


class Limits(tune.Stopper):
    """Ends the stage when a budget is spent, a signal came or the disk is full."""

    def __init__(self, session: Session) -> None:
        self.session, self.began = session, time.monotonic()
        self.before, self.checked = session.tables.wall_seconds, 0.0

    def __call__(self, trial_id: str, result: dict[str, Any]) -> bool:
        return False

    def stop_all(self) -> bool:
        session, study = self.session, self.session.study
        elapsed = time.monotonic() - self.began
        if study.time_budget and self.before + elapsed >= study.time_budget:
            session.stop = session.stop or f"time budget of {study.time_budget:g} s spent"
        if study.gpu_hours and elapsed - self.checked > 1:
            self.checked = elapsed
            if session.gpu_hours_spent >= study.gpu_hours:
                session.stop = session.stop or f"{study.gpu_hours:g} GPU-hours spent"
        return bool(session.stop)


class Recorder(tune.Callback):
    """Tune's news as events, and what follows from them."""

    def __init__(
        self,
        session: Session,
        stage: str,
        tell: Any = None,  # search.Optimiser
        settings: dict[str, str] | None = None,  # trial -> the setting that it trains
    ) -> None:
        self.session, self.stage, self.tell, self.settings = session, stage, tell, settings or {}
        self.judged: list[Event] = []  # decisions on the epoch that is being reported
        self.diverged: dict[str, str] = {}

    def judge(self, decision: dict[str, Any]) -> None:
        self.judged.append({"event": "rung_judged", **decision})

    def on_trial_start(self, iteration: int, trials: list, trial: Any, **info: Any) -> None:
        name = trial.config["trial_id"]
        if name in self.session.tables.trials:
            return
        hp = {k: v for k, v in trial.config.items() if k != "trial_id"}
        self.session.log(
            {
                "event": "trial_started",
                "trial_id": name,
                "stage": self.stage,
                "setting": self.settings.get(name, ""),
                "gpus": self.session.need["gpu"],
                "hp": hp,
                **self.session.size(Hyperparameters(**hp)),
            }
        )

    def on_trial_result(
        self, iteration: int, trials: list, trial: Any, result: dict[str, Any], **info: Any
    ) -> None:
        name, decisions = trial.config["trial_id"], self.judged
        self.judged = []
        if "diverged" in result:
            self.diverged[name] = result["diverged"]
            return
        self.session.log({"event": "epoch_done", "trial_id": name, **observed(result)}, *decisions)
        if self.tell:
            self.tell.report(name, result["epoch"], result["val_accuracy"])
        self.session.show(self.session)

    def on_trial_complete(self, iteration: int, trials: list, trial: Any, **info: Any) -> None:
        name = trial.config["trial_id"]
        if name in self.diverged:
            ended = {"status": "failed", "reason": "diverged", "error": self.diverged.pop(name)}
        elif self.session.tables.last[name]["epoch"] >= trial.config["epochs"]:
            ended = {"status": "completed", "reason": "all epochs done"}
        else:
            ended = self.stopped_by_asha(name)
        self.end(name, ended)

    def stopped_by_asha(self, name: str) -> dict[str, str]:
        rung = max(r for t, r in self.session.tables.decisions if t == name)
        return {"status": "stopped", "reason": f"asha: below the cutoff at rung {rung}"}

    def on_trial_recover(self, iteration: int, trials: list, trial: Any, **info: Any) -> None:
        name, error = trial.config["trial_id"], last_line(traceback(trial))
        if self.full_disk(error):
            return
        self.session.log({"event": "trial_retried", "trial_id": name, "error": error})

    def on_trial_error(self, iteration: int, trials: list, trial: Any, **info: Any) -> None:
        name, whole = trial.config["trial_id"], traceback(trial)
        if self.full_disk(last_line(whole)):
            return
        ended = {"status": "failed", "reason": "error", "error": last_line(whole)}
        self.end(name, ended | {"traceback": whole})

    def end(self, name: str, ended: dict[str, str]) -> None:
        self.session.log({"event": "trial_ended", "trial_id": name, **ended})
        if self.tell:
            self.tell.tell(name, ended["status"])
        folder = self.session.checkpoints(name)
        if self.stage == "confirm" and ended["status"] == "completed":
            checkpoint.reduce(folder)
        else:
            checkpoint.clear(folder)
        self.session.show(self.session)

    def full_disk(self, error: str) -> bool:
        """A worker couldn't write: no fault of the trial's, and no other trial could go on."""
        if errno_text(errno.ENOSPC) in error:
            self.session.stop = f"disk full at {self.session.folder}"
            return True
        return False

    def on_step_end(self, iteration: int, trials: list, **info: Any) -> None:
        self.session.show(self.session)


def run_stage(
    session: Session,
    recorder: Recorder,
    proposals: Searcher,
    count: int,
    halving: Halving | None = None,
) -> None:
    """Train up to `count` trials from `proposals`, until they have ended or session.stop is set."""
    if count <= 0:
        return
    trainable = tune.with_parameters(
        Trial,
        train_split=session.dataset.train,
        val_split=session.dataset.val,
        classes=len(session.dataset.classes),
        device=session.device,
        threads=int(session.need["cpu"]),
        gpus=session.need["gpu"],
        checkpoints=str(session.checkpoints().resolve()),
    )
    tuner = tune.Tuner(
        tune.with_resources(trainable, session.need),
        tune_config=tune.TuneConfig(
            search_alg=proposals,
            scheduler=ASHA(halving, recorder.judge) if halving else None,
            num_samples=count,
            max_concurrent_trials=session.slots,
            reuse_actors=True,
        ),
        run_config=tune.RunConfig(
            name=recorder.stage,
            storage_path=str((session.folder / "ray").resolve()),
            stop=Limits(session),
            callbacks=[recorder],
            failure_config=tune.FailureConfig(max_failures=session.study.retries),
            checkpoint_config=tune.CheckpointConfig(checkpoint_at_end=False),
            verbose=0,
        ),
    )
    tuner.fit()
    session.write()


def observed(result: dict[str, Any]) -> dict[str, Any]:
    """The worker's part of a result, without what Tune added."""
    from_fit = (
        "epoch",
        "train_loss",
        "train_accuracy",
        "val_loss",
        "val_accuracy",
        "lr",
        "epoch_seconds",
        "images_per_second",
        "memory_mib",
    )
    return {name: result[name] for name in (*from_fit, "node", "device")}


def errno_text(number: int) -> str:
    return f"[Errno {number}]"


def traceback(trial: Any) -> str:
    """What Tune kept of a trial's error."""
    path = Path(trial.error_file or "")
    return path.read_text() if path.is_file() else ""


def last_line(error: str) -> str:
    """The last line that says something."""
    lines = [line.strip() for line in error.splitlines() if line.strip()]
    return lines[-1][:500] if lines else "no message"


@contextmanager
def signals(session: Session, give_up: Callable[[], None]) -> Iterator[None]:
    """Ctrl-C and SIGTERM ask the stage to end in order; a second one ends at once.

    If Ray itself was hit (a signal to the whole process group), waiting for it would take a
    minute and end in an abort: after GRACE_SECONDS `give_up` closes the books instead.
    """
    timer = threading.Timer(GRACE_SECONDS, give_up)
    timer.daemon = True

    def ask(number: int, frame: FrameType | None) -> None:
        if session.interrupted:
            raise KeyboardInterrupt
        session.stop = signal.Signals(number).name
        timer.start()

    before = {n: signal.signal(n, ask) for n in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        timer.cancel()
        for number, handler in before.items():
            signal.signal(number, handler)
