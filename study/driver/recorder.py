"""What Tune says of its trials as events, and what follows from them. Runs on the driver.

The only place where Tune's news becomes an event: it is written first, and only then told to Optuna
or acted upon. Epochs that are reported together are written together; until then nothing goes on
but the trials that reported.
"""

import time
from dataclasses import asdict, fields
from functools import cache
from textwrap import shorten
from typing import Any

import ray
from ray import tune

from fer_stats.metric import on_val
from fer_stats.words import percent
from study.cluster import nodes, resources
from study.config.hyperparameters import Hyperparameters
from study.driver.failures import Failures, Watch, last_line, machine_gone, newest, traceback
from study.driver.scheduling import NoEarlyStopping
from study.driver.session import Session
from study.search.proposals import Optimiser

WORKER_DIED = "worker process has died"  # how Ray says it
TOGETHER_SECONDS = 0.05  # for which an epoch may wait for others, to be written with one fsync
LEAVES_SECONDS = 5.0  # after which a machine that shuts down has left the cluster: 1 s was seen


class Recorder(tune.Callback):
    """Tune's news as events, and what follows from them."""

    def __init__(
        self,
        session: Session,
        stage: str,
        scheduler: NoEarlyStopping,
        optimiser: Optimiser | None = None,  # in the search
        settings: dict[str, str] | None = None,  # trial -> the setting that it trains
    ) -> None:
        self.session, self.stage, self.scheduler = session, stage, scheduler
        self.optimiser, self.settings = optimiser, settings or {}
        self.stopped: dict[str, str] = {}  # trial -> why the scheduler stops it
        self.failed: dict[str, dict[str, str]] = {}  # how it ended, before Tune has ended it
        self.failures = Failures(session.study.retries)
        self.failing: set[str] = set()  # reported as failed, and not begun since
        self.left: dict[str, dict[str, Any]] = {}  # given up by Tune alone: to be proposed again
        self.address: dict[str, str] = {}  # trial -> the machine that reported its last epoch
        self.watch, self.watched = Watch(session.study, session.tables), 0.0
        self.waits = False  # for a machine that holds a trial
        self.hung: dict[str, str] = {}  # killed for its silence, and not yet seen to have died
        self.together: dict[str, int] = {}  # trial -> its last epoch, which waits to be written
        self.since = 0.0  # when the first that waits was reported
        self.came = False  # whether this step of Tune's had an epoch

    def __getstate__(self) -> dict[str, Any]:
        """Tune pickles its callbacks; nothing of this one belongs into Ray's files."""
        return {}

    def on_trial_start(self, iteration: int, trials: list, trial: Any, **info: Any) -> None:
        self.commit()
        name = trial.config["trial_id"]
        self.watch.reported(name)
        self.failing.discard(name)
        self.started(trial)
        if self.session.tables.trials[name]["status"] != "running":  # a budget had stopped it
            self.session.log({"event": "trial_continued", "trial_id": name})

    def lengthen(self) -> None:
        """Where a study has got more epochs, its unfinished trials have them too."""
        for name, row in self.session.tables.of_stage(self.stage).items():
            if row["status"] == "running" and row["hp_epochs"] < self.session.study.epochs:
                more = {"trial_id": name, "epochs": self.session.study.epochs}
                self.session.log({"event": "trial_continued", **more})

    def started(self, trial: Any) -> None:
        """The first report of a trial: that a worker has it, or couldn't even begin."""
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
        name, decisions = trial.config["trial_id"], self.scheduler.decisions()
        if name in self.together:  # what follows looks back at its last epoch
            self.commit()
        self.stopped |= {one.trial_id: one.reason for one in decisions if one.decision == "stop"}
        if "diverged" in result:
            error = result["diverged"]
            self.failed[name] = {"status": "failed", "reason": "diverged", "error": error}
            return
        self.watch.reported(name)
        self.address[name] = result["node_ip"]
        if result["again"] and (name, result["epoch"]) in self.session.tables.epochs:
            return  # reported again by a trial that goes on, to a driver that may not know it
        self.shorter_of_memory(name, result)
        if not self.fell_back(name, result["epoch"]):
            self.failures.went_on(name)
        done = {"event": "epoch_done", "trial_id": name, **observed(result)}
        done["gpus"] = self.session.need["gpu"]
        judged = ({"event": "rung_judged", **asdict(one)} for one in decisions)
        if not self.session.waiting:
            self.since = time.monotonic()
        self.session.put_off(done, *judged, then=lambda: self.told(name, result))
        self.together[name], self.came = result["epoch"], True

    def told(self, name: str, result: dict[str, Any]) -> None:
        """What follows from an epoch that can't be lost any more."""
        self.watch.epoch_took(name, result["epoch_seconds"])
        if len(self.session.tables.epochs) == 1:
            study = self.session.study
            where = on_val(study.metric, self.session.clean)
            text = f"{name}: {percent(result[study.objective])} {where} after its first epoch"
            self.session.notifier.once("first_result", text, trial_id=name)
        if self.optimiser:
            self.optimiser.report(name, result["epoch"], result[self.session.study.objective])

    def commit(self) -> None:
        """Write the epochs that wait."""
        self.together.clear()
        self.session.commit()

    def shorter_of_memory(self, name: str, result: dict[str, Any]) -> None:
        """The worker tried an epoch again with smaller parts: that is a retry in its row."""
        parts = result["microbatches"]
        if parts > self.session.tables.trials[name]["microbatches"]:
            error = f"out of memory: went on with its batches in {parts} parts"
            self.session.log({"event": "trial_retried", "trial_id": name, "error": error})

    def fell_back(self, name: str, epoch: int) -> bool:
        """Say where a trial trains an epoch again that it had reported."""
        reported = self.session.tables.last.get(name, {"epoch": 0})["epoch"]
        if epoch <= reported:
            self.session.log(
                {"event": "fell_back", "trial_id": name, "epoch": epoch, "told": reported}
            )
            self.session.say(f"{name} does epoch {epoch} again: no checkpoint of it is whole")
        return epoch <= reported

    def on_trial_complete(self, iteration: int, trials: list, trial: Any, **info: Any) -> None:
        name = trial.config["trial_id"]
        if name in self.failed:
            ended = self.failed.pop(name)
        elif self.last_epoch(name) >= trial.config["epochs"]:
            ended = {"status": "completed", "reason": "all epochs done"}
        else:
            ended = {"status": "stopped", "reason": self.stopped.pop(name, "the scheduler")}
        self.end(name, ended)

    def last_epoch(self, name: str) -> int:
        """That a trial has reported, whether it is written or waits to be; 0 for none."""
        return self.together.get(name) or self.session.tables.last.get(name, {"epoch": 0})["epoch"]

    def on_trial_recover(self, iteration: int, trials: list, trial: Any, **info: Any) -> None:
        """Tune starts a failed trial again however often it fails; enough is decided here."""
        name = trial.config["trial_id"]
        if ended := self.failure(trial):
            self.failed[name] = ended
            self.scheduler.give_up(trial)

    def on_trial_error(self, iteration: int, trials: list, trial: Any, **info: Any) -> None:
        """Tune won't start it again: what fails while a used worker is handed over is told twice,
        the second time so. It is proposed again at the stage's end."""
        name = trial.config["trial_id"]
        if name in self.failed:  # the second time, of one that was given up the first time
            self.end(name, self.failed.pop(name))
        elif name not in self.failing and (ended := self.failure(trial)):
            self.end(name, ended)
        elif not self.session.interrupted:
            self.left[name] = trial.config

    def failure(self, trial: Any) -> dict[str, str] | None:
        """Take note that a trial has failed. How it ends, if it has failed too often; else None."""
        self.commit()
        name, whole = trial.config["trial_id"], traceback(trial)
        self.watch.forget(name)
        self.failing.add(name)
        gone = machine_gone(newest(whole)) or self.machine_left(name, newest(whole))
        error = self.hung.pop(name, last_line(whole))
        if gone:
            error = f"its machine is gone, or can't be reached ({error})"
        if self.session.lost(error):  # no fault of the trial's, and no other could go on
            return None
        self.started(trial)
        if self.failures.too_many(name, gone):
            return {"status": "failed", "reason": "error", "error": error, "traceback": whole}
        self.session.log({"event": "trial_retried", "trial_id": name, "error": error})
        done = self.session.tables.last.get(name, {"epoch": 0})["epoch"]
        why = shorten(error, 100, placeholder=" ...")
        self.session.say(f"{name} is started again, after epoch {done}: {why}")
        return None

    def machine_left(self, name: str, error: str) -> bool:
        """Whether the machine of a worker that has died goes too: where one shuts down, as spot
        machines do, its workers may be seen to end before it."""
        address = self.address.get(name, ray.util.get_node_ip_address())
        if WORKER_DIED not in error or address == ray.util.get_node_ip_address():
            return False  # the driver's own machine is still there
        until = time.monotonic() + LEAVES_SECONDS
        while time.monotonic() < until:
            if address not in {each["NodeManagerAddress"] for each in nodes.alive()}:
                return True
            time.sleep(0.2)
        return False

    def end(self, name: str, ended: dict[str, str]) -> None:
        from study.training import checkpoint

        self.watch.forget(name)
        self.session.log({"event": "trial_ended", "trial_id": name, **ended})
        if ended["status"] == "failed":
            text = f"{name} has failed: {ended['error']}"
            self.session.notifier.once("trial_failed", text, trial_id=name)
        if self.optimiser:
            self.optimiser.tell(name, ended["status"])
        folder = self.session.checkpoints(name)
        if self.stage == "confirm" and ended["status"] == "completed":
            self.session.afterwards(lambda: checkpoint.reduce(folder))
        elif self.stage == "search" or ended["status"] == "failed":
            # A confirmation stopped by a budget may yet go on.
            self.session.afterwards(lambda: checkpoint.clear(folder))
        self.session.show(self.session)

    def end_given_up(self) -> None:
        """End the trials that the scheduler didn't come to: given up in a stage's last step."""
        for trial in self.scheduler.given_up:
            name = trial.config["trial_id"]
            if name in self.failed:
                self.end(name, self.failed.pop(name))
        self.scheduler.given_up.clear()

    def sweep(self) -> None:
        """A worker may have finished a write after its trial's folder was cleared."""
        from study.training import checkpoint

        folder, over = self.session.checkpoints(), []
        for name, row in self.session.tables.of_stage(self.stage).items():
            if row["status"] == "failed" or (self.stage == "search" and row["status"] != "running"):
                over.append(name)
        self.session.afterwards(lambda: checkpoint.sweep(folder, over))

    def on_step_end(self, iteration: int, trials: list, **info: Any) -> None:
        """Tune hands over one report a step, at once where several wait."""
        if not self.came or time.monotonic() - self.since > TOGETHER_SECONDS:
            self.commit()
        self.came = False
        self.session.mark()
        self.session.show(self.session)
        if time.monotonic() - self.watched > 1:
            self.watched = time.monotonic()
            self.end_the_hung(trials)
            if silent := self.watch.stalled():
                self.session.notifier.tell("stalled", f"no trial has reported for {silent:.0f} s")
            self.tell_if_none_holds(trials)

    def tell_if_none_holds(self, trials: list) -> None:
        """Tune waits in silence for a machine that may never come: of the last one that held a
        trial, nothing is left."""
        need = self.session.need
        waits = all(trial.status != trial.RUNNING for trial in trials) and not any(
            machine.holds(need) for machine in resources.nodes_there()
        )
        if waits and not self.waits:
            what = f"No node with {resources.needs(need)} is left: waiting for one to join"
            self.session.say(f"{what} (Ctrl-C ends the study, which can go on later)")
            self.session.notifier.tell("stalled", what)
        self.waits = waits

    def end_the_hung(self, trials: list) -> None:
        """Kill the workers of silent trials; Tune then sees a failure and starts them again."""
        for name, limit in self.watch.hung():
            (trial,) = [t for t in trials if t.config["trial_id"] == name]
            self.watch.forget(name)
            self.hung[name] = f"no report for {limit:g} s"
            text = f"{name}: {self.hung[name]}, killed to be retried"
            self.session.notifier.tell("stalled", text)
            if trial.temporary_state.ray_actor:
                ray.kill(trial.temporary_state.ray_actor)


def observed(result: dict[str, Any]) -> dict[str, Any]:
    """The worker's part of a result, without what Tune added."""
    return {name: result.get(name) for name in (*measures(), "node", "device", "microbatches")}


@cache
def measures() -> tuple[str, ...]:
    """What a worker observes in an epoch; asked for with the first report, when torch is there."""
    from study.training.loop import EpochRecord

    return tuple(one.name for one in fields(EpochRecord))
