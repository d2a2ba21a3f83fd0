"""What orchestration costs: studies of trials that only sleep, against the time they sleep.

The whole command runs (journal, Optuna, ASHA's bookkeeping, tables, display), with a worker that
sleeps instead of training. The start of the workers, paid once, stands on its own. Beside it Ray
Tune alone on the same machine: the same worker with no journal, no Optuna, no tables, no display.

    python -m benchmarks.overhead            trials of 30 s, and the size of Ray's own tests

Ray publishes for its own (release/tune_tests/scalability_tests): 14.4 % for 10,000 trials of one
second on 16 slots, 3.5 % for 96 trials that report ten times a second, loggers off.
"""

import argparse
import contextlib
import io
import os
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import ray
from ray import tune

from benchmarks.measured import heading, machine, say
from benchmarks.sleeping import Sleeping
from study import run
from study.cluster import connection
from study.driver.recorder import Recorder
from study.record.journal import read

CASES = {  # trials, epochs of each, seconds of an epoch, slots
    "trials of 30 s": (24, 1, 30.0, 8),
    "trials of 30 s, an epoch a second": (24, 30, 1.0, 8),
    "trials of one second": (480, 1, 1.0, 16),
    "ten reports a second from each of 16": (16, 300, 0.1, 16),
}


Timed = tuple[float, float, float]  # seconds at work, before it; the driver's ms of processor


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", nargs="+", default=list(CASES), choices=CASES)
    parser.add_argument("--rounds", type=int, default=1)
    asked = parser.parse_args()
    columns = ("case", "trials", "slots", "ideal s", "a study", "Ray alone", "workers' start s")
    heading(*columns, "driver's processor, ms a report: a study", "Ray alone")
    for name in asked.cases * asked.rounds:
        trials, epochs, nap, slots = CASES[name]
        ideal = trials * epochs * nap / slots
        took, start, cost = measured(slots, lambda f, given=CASES[name]: of_study(f, *given))
        bare, _, bare_cost = measured(slots, lambda f, given=CASES[name]: of_ray(f, *given))
        parts = (f"{ideal:.1f}", f"{took / ideal - 1:.1%}", f"{bare / ideal - 1:.1%}")
        say(name, trials, slots, *parts, f"{start:.1f}", f"{cost:.2f}", f"{bare_cost:.2f}")
    print(f"\n{os.cpu_count()} cores. {machine('ray', 'optuna')}")


def measured(slots: int, run: Callable[[str], Timed]) -> Timed:
    """With a Ray of that many slots and a folder of its own."""
    for key, value in connection.ENVIRONMENT.items():
        os.environ.setdefault(key, value)
    with tempfile.TemporaryDirectory() as folder:
        ray.init(
            num_cpus=slots, include_dashboard=False, log_to_driver=False, logging_level="ERROR"
        )
        try:
            return run(folder)
        finally:
            ray.shutdown()


def of_study(folder: str, trials: int, epochs: int, nap: float, slots: int) -> Timed:
    """Seconds from the first epoch's beginning to the last trial's end, and those before; what a
    report costs the driver's process."""
    with reports_timed(Recorder) as spent:
        went = studied(folder, trials, epochs, nap)
    return *went, each(spent)


@contextlib.contextmanager
def reports_timed(callback: type) -> Iterator[list[float]]:
    """The process's seconds of processor time at each report that Tune's callback is told of."""
    spent, handle = list[float](), callback.on_trial_result

    def told(its: Any, *given: Any, **named: Any) -> None:
        spent.append(time.process_time())
        handle(its, *given, **named)

    callback.on_trial_result = told
    try:
        yield spent
    finally:
        callback.on_trial_result = handle


def each(spent: list[float]) -> float:
    """Milliseconds of a report, without the first fifth: then all workers are there."""
    steady = spent[len(spent) // 5 :]
    return 1000 * (steady[-1] - steady[0]) / max(1, len(steady) - 1)


def studied(folder: str, trials: int, epochs: int, nap: float) -> tuple[float, float]:
    """A study's seconds at work, and before."""
    words = f"--data faces:140 --stages search --sampler random --models alexnet --out {folder}"
    words += f" --name it --trials {trials} --epochs {epochs} --scheduler none"
    words += " --batch-size 8 --image-px 32"
    with contextlib.redirect_stdout(io.StringIO()):
        assert run.main(words.split(), sleeper(nap)) == 0
    times: dict[str, list[float]] = defaultdict(list)
    for event in read(Path(folder) / "it" / "events.jsonl"):
        times[event["event"]].append(datetime.fromisoformat(event["time"]).timestamp())
    began = min(times["epoch_done"]) - nap
    return max(times["trial_ended"]) - began, began - times["driver_started"][0]


def of_ray(folder: str, trials: int, epochs: int, nap: float, slots: int) -> Timed:
    """The same of Ray Tune alone, as its own tests run it: loggers and snapshots off."""
    heard, began = Heard(), time.time()
    with reports_timed(Heard) as spent:
        ended = tuned(heard, folder, trials, epochs, nap, slots)
    assert not ended.errors, ended.errors[0]
    return heard.last - (heard.first - nap), heard.first - nap - began, each(spent)


def tuned(
    heard: tune.Callback, folder: str, trials: int, epochs: int, nap: float, slots: int
) -> tune.ResultGrid:
    """Ray Tune alone, to its end."""
    return tune.Tuner(
        tune.with_resources(sleeper(nap), {"cpu": 1}),
        param_space={"epochs": epochs, "lr": 0.01},
        tune_config=tune.TuneConfig(
            num_samples=trials, max_concurrent_trials=slots, reuse_actors=True
        ),
        run_config=tune.RunConfig(
            storage_path=folder,
            callbacks=[heard],
            checkpoint_config=tune.CheckpointConfig(checkpoint_at_end=False),
            verbose=0,
        ),
    ).fit()


def sleeper(nap: float) -> type:
    """A worker whose epoch is a nap of known seconds; Ray sends it to the workers with them."""

    class Sleeper(Sleeping):
        seconds = nap

    return Sleeper


class Heard(tune.Callback):
    """When the first epoch and the last trial were told."""

    first = last = 0.0

    def on_trial_result(self, *given: Any, **info: Any) -> None:
        self.first = self.first or time.time()

    def on_trial_complete(self, *given: Any, **info: Any) -> None:
        self.last = time.time()


if __name__ == "__main__":
    main()
