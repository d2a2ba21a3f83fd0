"""Which trial begins next and which is stopped early, as Ray Tune asks for it. On the driver.

Tune asks its scheduler before it tells its callbacks of a result: the recorder, which is one of
them, takes a result's decisions from here and writes them in one block with the epoch.
"""

from collections.abc import Callable
from typing import Any

from ray.tune.schedulers import FIFOScheduler, TrialScheduler

from fer_record.tables import Tables
from study.config.study import Study
from study.search.asha import Decision, Halving


class NoEarlyStopping(FIFOScheduler):
    """Every trial gets its full budget; one that has failed is started again before new ones.

    Tune itself puts a failed trial behind all others, and where no core is free to start its
    worker, every worker that gets free goes to a new trial before it. And its FIFO scheduler hands
    a free worker to the first waiting trial, whose own worker is being started, and kills that one:
    where trials are shorter than a worker's start, half of the slots and more stayed empty to the
    end (480 trials of one second on 16 slots, by 8 workers).
    """

    def __init__(self) -> None:
        super().__init__()
        self.retry_queue: list[Any] = []  # Tune's trials that have failed and wait for a worker
        self.given_up: list[Any] = []  # that have failed too often, and are to be ended

    def give_up(self, trial: Any) -> None:
        """End a failed trial at the next step instead of starting it again."""
        self.given_up.append(trial)

    def decisions(self) -> list[Decision]:
        """The decisions since this was last asked."""
        return []

    def on_trial_error(self, controller: Any, trial: Any) -> None:
        self.retry_queue.append(trial)

    def choose_trial_to_run(self, controller: Any) -> Any:
        """The first of the retry queue, else None: Tune takes what waits in its own order."""
        while self.given_up:
            controller.stop_trial(self.given_up.pop())
        self.retry_queue = [trial for trial in self.retry_queue if trial.status == trial.PENDING]
        return self.retry_queue[0] if self.retry_queue else None


class EarlyStopping(NoEarlyStopping):
    """Trials stop by a rule that compares them at certain epochs.

    `rules` has one for each network: a trial is judged among those of its own. Judged together, a
    network that begins slowly would be stopped before its learning rate is found, and the study's
    question, which network is best, would be answered by who is ahead after one epoch.
    """

    def __init__(self, rules: dict[str, Halving], objective: str = "val_accuracy") -> None:
        super().__init__()
        self.rules, self.objective, self.made = rules, objective, list[Decision]()

    def decisions(self) -> list[Decision]:
        made, self.made = self.made, []
        return made

    def on_trial_result(self, controller: Any, trial: Any, result: dict[str, Any]) -> str:
        if self.objective not in result:  # it has diverged
            return TrialScheduler.CONTINUE
        decision = self.rules[trial.config["model"]].judge(
            trial.config["trial_id"], result["epoch"], result[self.objective]
        )
        if decision is None:
            return TrialScheduler.CONTINUE
        self.made.append(decision)
        return TrialScheduler.STOP if decision.decision == "stop" else TrialScheduler.CONTINUE


def asha(study: Study, tables: Tables) -> EarlyStopping:
    """ASHA with the rungs as the journal left them."""
    rules = {}
    for model in study.models:
        rules[model] = Halving(study.epochs, study.grace_epochs, study.reduction_factor)
        rules[model].recall(
            row
            for (name, _), row in tables.decisions.items()
            if tables.trials[name]["hp_model"] == model
        )
    return EarlyStopping(rules, study.objective)


# By the names that study.config.study gives them.
SCHEDULERS: dict[str, Callable[[Study, Tables], NoEarlyStopping]] = {
    "asha": asha,
    "none": lambda study, tables: NoEarlyStopping(),
}
