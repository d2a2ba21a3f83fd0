"""ASHA: stop the trials that are hopeless at a rung. Runs on the driver.

Asynchronous successive halving in its stopping form (Li et al. 2020, arXiv:1810.05934; the rule of
ray.tune.schedulers.AsyncHyperBandScheduler, to which a test holds it). Ours because the rungs
are keyed by our trial ids, come back from the journal after a restart, and every decision
can be told with the cutoff that was in force.
"""

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from ray.tune.schedulers import FIFOScheduler, TrialScheduler


@dataclass(frozen=True)
class Decision:
    """One judgement: a row of decisions.parquet."""

    trial_id: str
    epoch: int
    rung: int
    value: float
    cutoff: float | None  # None for the first trial at a rung, which always goes on
    trials_at_rung: int
    decision: str  # "continue" or "stop"


class Halving:
    """The rungs and who was judged there."""

    def __init__(self, epochs: int, grace_epochs: int, reduction_factor: int) -> None:
        self.reduction_factor = reduction_factor
        self.rungs: dict[int, dict[str, float]] = {}
        rung = grace_epochs
        while rung < epochs:
            self.rungs[rung] = {}
            rung *= reduction_factor

    def recall(self, decisions: Iterable[dict[str, Any]]) -> None:
        """Put back what was judged before a restart."""
        for row in decisions:
            self.rungs[row["rung"]][row["trial_id"]] = row["value"]

    def judge(self, trial_id: str, epoch: int, value: float) -> Decision | None:
        """The decision on a trial that has just done `epoch`; None where there is no rung.

        A trial goes on if its value is at least the (1 - 1/reduction_factor) quantile of those
        judged at the rung before it. Who was judged at a rung isn't judged there again.
        """
        below = [rung for rung in self.rungs if rung <= epoch]
        if not below or trial_id in self.rungs[max(below)]:
            return None
        rung = max(below)
        seen = self.rungs[rung]
        cutoff = None
        if seen:
            cutoff = float(np.percentile([*seen.values()], 100 * (1 - 1 / self.reduction_factor)))
        decision = "stop" if cutoff is not None and value < cutoff else "continue"
        judged = Decision(trial_id, epoch, rung, value, cutoff, len(seen), decision)
        seen[trial_id] = value
        return judged


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
