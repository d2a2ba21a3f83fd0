"""Who goes on and who is stopped, as Ray Tune asks for it. Runs on the driver."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from ray.tune.schedulers import FIFOScheduler, TrialScheduler

from study.search.asha import Halving


class Patient(FIFOScheduler):
    """Nobody is stopped for being slow; a worker that is free takes the next trial.

    Ray's own FIFO hands it to the first trial that waits, whose worker is being started, and has
    that one killed: where trials are shorter than a worker's start, half of the slots and more
    stayed empty to the end (480 trials of one second on 16 slots, by 8 workers).
    """

    def __init__(self, given_up: list[Any]) -> None:
        """`given_up` is filled by whoever counts failures: Tune's trials to be ended, not begun."""
        super().__init__()
        self.given_up = given_up
        self.struck: list[Any] = []  # that have failed, and wait to be started again

    def on_trial_error(self, controller: Any, trial: Any) -> None:
        self.struck.append(trial)

    def choose_trial_to_run(self, controller: Any) -> Any:
        """Who has failed goes first; else no preference: Tune takes what waits in its order.

        Tune itself puts a failed trial behind all others, and where no core is free to start its
        worker, every worker that gets free goes to a new trial before it.
        """
        while self.given_up:
            controller.stop_trial(self.given_up.pop())
        self.struck = [trial for trial in self.struck if trial.status == trial.PENDING]
        return self.struck[0] if self.struck else None


class ASHA(Patient):
    """Halving as Ray Tune asks for it; each decision is handed to `tell` before Tune acts on it.

    `halvings` has one for each network: a trial is judged among those of its own. Judged together,
    a network that begins slowly would be stopped before its learning rate is found, and the study's
    question, which network is best, would be answered by who is ahead after one epoch.
    """

    def __init__(
        self,
        given_up: list[Any],
        halvings: dict[str, Halving],
        tell: Callable[[dict[str, Any]], None],
    ) -> None:
        super().__init__(given_up)
        self.halvings, self.tell = halvings, tell

    def on_trial_result(self, controller: Any, trial: Any, result: dict[str, Any]) -> str:
        if "val_accuracy" not in result:
            return TrialScheduler.CONTINUE
        judged = self.halvings[trial.config["model"]].judge(
            trial.config["trial_id"], result["epoch"], result["val_accuracy"]
        )
        if judged is None:
            return TrialScheduler.CONTINUE
        self.tell(asdict(judged))
        return TrialScheduler.STOP if judged.decision == "stop" else TrialScheduler.CONTINUE
