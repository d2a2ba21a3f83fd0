"""ASHA: stop the trials that are unpromising at a rung. Runs on the driver.

Asynchronous successive halving in its stopping form (Li et al. 2020, arXiv:1810.05934; the rule of
ray.tune.schedulers.AsyncHyperBandScheduler, to which a test holds it). Ours because the rungs
are keyed by our trial ids, come back from the journal after a restart, and every decision
can be told with the cutoff that was in force.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from fer_record.rungs import rungs


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

    @property
    def reason(self) -> str:
        """Why a trial that it stops has ended, for trials.parquet."""
        return f"asha: below the cutoff at rung {self.rung}"


class Halving:
    """The rungs and who was judged there."""

    def __init__(self, epochs: int, grace_epochs: int, reduction_factor: int) -> None:
        self.reduction_factor = reduction_factor
        self.rungs: dict[int, dict[str, float]] = {
            rung: {} for rung in rungs(epochs, grace_epochs, reduction_factor)
        }

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
