"""Run the trials of one stage through Ray Tune. Runs on the driver.

After a restart a stage is the same call with what is left.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from ray import tune
from ray.air.execution._internal.actor_manager import RayActorManager
from ray.exceptions import RayActorError, RayTaskError
from ray.tune.progress_reporter import TrialProgressCallback
from ray.tune.search import Searcher

from study.driver import notify
from study.driver.recorder import Recorder
from study.driver.scheduling import NoEarlyStopping
from study.driver.session import Session
from study.search.proposals import Config

HANDLER = "_actor_task_failed"  # of RayActorManager: what Tune makes of a worker's error


class Silent(TrialProgressCallback):
    """In the place of Tune's own, which prints the end of a trial without an epoch at verbose=0."""

    def on_trial_complete(self, *args: Any, **more: Any) -> None:
        pass


class Proposals(Searcher):
    """Tune's view of a stage: first what was left unfinished, then what `ask` gives until None.

    Telling results back is the recorder's work, which writes the journal first; the
    notifications that Tune sends here are therefore not needed.
    """

    def __init__(self, unfinished: list[Config], ask: Callable[[], Config | None]) -> None:
        super().__init__()
        self.unfinished, self.ask = unfinished, ask

    # Ray's own FINISHED is a string, which its annotation leaves out.
    def suggest(self, trial_id: str) -> Config | str:  # type: ignore[override]
        config = self.unfinished.pop(0) if self.unfinished else self.ask()
        return Searcher.FINISHED if config is None else config

    def on_trial_complete(self, trial_id: str, result: Any = None, error: bool = False) -> None:
        pass

    def __getstate__(self) -> dict[str, Any]:
        return {}

    def save(self, checkpoint_path: str) -> None:
        """Nothing of ours is kept in Ray's snapshots: the journal has it."""

    def restore(self, checkpoint_path: str) -> None:
        raise NotImplementedError("a study goes on from its journal, not from Ray's snapshots")


class Limits(tune.Stopper):
    """Ends the stage when a budget is spent, a signal came or the storage failed."""

    def __init__(self, session: Session) -> None:
        self.session, self.began = session, time.monotonic()
        self.before, self.checked = session.tables.wall_seconds, 0.0

    def __call__(self, trial_id: str, result: dict[str, Any]) -> bool:
        return False

    def stop_all(self) -> bool:
        session, study = self.session, self.session.study
        elapsed = time.monotonic() - self.began
        spent = {"time_budget": (self.before + elapsed, study.time_budget)}
        spent["gpu_hours"] = session.gpu_hours_spent, study.gpu_hours
        notify.budgets(session.notifier, spent)
        if study.time_budget and self.before + elapsed >= study.time_budget:
            session.end("time_budget", f"time budget of {study.time_budget:g} s spent")
        if study.gpu_hours and elapsed - self.checked > 1:
            self.checked = elapsed
            if session.gpu_hours_spent >= study.gpu_hours:
                session.end("gpu_hours", f"{study.gpu_hours:g} GPU-hours spent")
        return session.ending is not None


def run_stage(
    session: Session,
    recorder: Recorder,
    proposals: Proposals,
    count: int,
    scheduler: NoEarlyStopping,
) -> None:
    """Train up to `count` trials from `proposals`, until they have ended or the study is to end."""
    limits = Limits(session)
    while count > 0 and not limits.stop_all():
        fit(session, recorder, proposals, count, scheduler, limits)
        recorder.commit()
        recorder.end_given_up()
        proposals.unfinished += recorder.left.values()
        count = len(recorder.left)
        recorder.left = {}
    recorder.sweep()
    session.write()


def fit(
    session: Session,
    recorder: Recorder,
    proposals: Proposals,
    count: int,
    scheduler: NoEarlyStopping,
    limits: Limits,
) -> None:
    """One run of Tune."""
    trainable = tune.with_parameters(
        session.trainable,
        train_split=session.dataset.train,
        val_split=session.dataset.val,
        classes=len(session.dataset.classes),
        device=session.device,
        threads=int(session.need["cpu"]),
        gpus=session.need["gpu"],
        checkpoints=session.checkpoints(),
        expected=session.expected,
        execution=session.study.execution,
        keep=recorder.stage == "confirm",
        own_networks=session.study.own_networks,
        objective=session.study.objective,
    )
    tuner = tune.Tuner(
        tune.with_resources(trainable, session.need),
        tune_config=tune.TuneConfig(
            search_alg=proposals,
            scheduler=scheduler,
            num_samples=count,
            max_concurrent_trials=session.slots,
            reuse_actors=True,
        ),
        run_config=tune.RunConfig(
            name=recorder.stage,
            storage_path=str((session.folder / "ray").resolve()),
            stop=limits,
            callbacks=[recorder, Silent()],
            failure_config=tune.FailureConfig(max_failures=-1),  # the recorder gives up
            checkpoint_config=tune.CheckpointConfig(checkpoint_at_end=False),
            verbose=0,
        ),
    )
    with every_error_a_trials():
        tuner.fit()


@contextmanager
def every_error_a_trials() -> Iterator[None]:
    """Tune takes a worker's death for its trial's failure only if Ray says so by RayActorError.

    A worker that Ray's memory monitor has killed, so that the machine doesn't run out of memory, is
    told by an OutOfMemoryError, on which Tune ends the whole study with an exception.
    """
    handle = getattr(RayActorManager, HANDLER)

    def failed(manager: RayActorManager, tracked_actor_task: Any, exception: Exception) -> None:
        if not isinstance(exception, (RayActorError, RayTaskError)):
            said = str(exception).strip()  # what it comes to is in the first line
            first = f"{type(exception).__name__}: {said.splitlines()[0] if said else ''}"
            exception = RayActorError(error_msg=f"{said}\n{first}")
        handle(manager, tracked_actor_task, exception)

    setattr(RayActorManager, HANDLER, failed)  # Tune has no setting for it
    try:
        yield
    finally:
        setattr(RayActorManager, HANDLER, handle)
