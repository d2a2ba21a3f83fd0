"""What orchestration costs: studies of trials that only sleep, against the time they sleep.

The whole command runs (journal, Optuna, ASHA's bookkeeping, tables, display), with a worker that
sleeps instead of training. Counted from when every slot has a worker: their start, paid once,
stands on its own. Beside it Ray Tune alone on the same machine: the same worker with no journal,
no Optuna, no tables, no display.

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
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import ray
from ray import tune

from benchmarks.measured import heading, machine, say
from benchmarks.sleeping import Sleeping
from study import run
from study.cluster import connection
from study.driver.recorder import Recorder

CASES = {  # trials, epochs of each, seconds of an epoch, slots
    "trials of 30 s": (24, 1, 30.0, 8),
    "trials of 30 s, an epoch a second": (24, 30, 1.0, 8),
    "trials of one second": (480, 1, 1.0, 16),
    "ten reports a second from each of 16": (16, 300, 0.1, 16),
}
MEASURED = ("beyond the sleep", "workers' start, s", "driver's processor, ms a report")


@dataclass(frozen=True)
class Report:
    """An epoch that Tune's callback was told of."""

    time: float
    worker: tuple[str, int]  # node and process
    processor: float  # seconds that the driver's process has used so far


@dataclass(frozen=True)
class Cost:
    """What a run took beyond the sleeping itself."""

    share: float  # of the time slept, once every slot had a worker
    start: float  # seconds until then
    processor: float  # the driver's milliseconds of processor time for a report


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", nargs="+", default=list(CASES), choices=CASES)
    parser.add_argument("--rounds", type=int, default=1)
    asked = parser.parse_args()
    both = [f"{what}: {whose}" for what in MEASURED for whose in ("a study", "Ray alone")]
    heading("case", "trials", "slots", *both)
    for name in asked.cases * asked.rounds:
        trials, epochs, nap, slots = CASES[name]
        runs = [measured(run, trials, epochs, nap, slots) for run in (of_study, of_ray)]
        shares, starts = [f"{run.share:.1%}" for run in runs], [f"{run.start:.1f}" for run in runs]
        say(name, trials, slots, *shares, *starts, *[f"{run.processor:.2f}" for run in runs])
    print(f"\n{os.cpu_count()} cores. {machine('ray', 'optuna')}")


def measured(run: Callable[..., None], trials: int, epochs: int, nap: float, slots: int) -> Cost:
    """One run, with a Ray of that many slots and a folder of its own."""
    for key, value in connection.ENVIRONMENT.items():
        os.environ.setdefault(key, value)
    with tempfile.TemporaryDirectory() as folder:
        ray.init(
            num_cpus=slots, include_dashboard=False, log_to_driver=False, logging_level="ERROR"
        )
        try:
            began, reports = time.time(), list[Report]()
            run(reports, folder, trials, epochs, nap, slots)
        finally:
            ray.shutdown()
    return cost(reports, began, nap, slots)


def cost(reports: list[Report], began: float, nap: float, slots: int) -> Cost:
    """Of these reports of epochs that slept `nap` seconds each, on `slots` workers."""
    firsts = {report.worker: report.time for report in reversed(reports)}
    there = sorted(firsts.values())[:slots][-1] - nap
    later = [report for report in reports if report.time > there]
    share = (later[-1].time - there) * slots / (len(later) * nap) - 1
    used = later[-1].processor - later[0].processor
    return Cost(share, there - began, 1000 * used / max(1, len(later) - 1))


@contextlib.contextmanager
def told(callback: type, reports: list[Report]) -> Iterator[None]:
    """Collects each report that Tune's callback is told of."""
    handle = callback.on_trial_result

    def heard(its: Any, *given: Any, **named: Any) -> None:
        worker = (named["result"]["node_ip"], named["result"]["pid"])
        reports.append(Report(time.time(), worker, time.process_time()))
        handle(its, *given, **named)

    callback.on_trial_result = heard
    try:
        yield
    finally:
        callback.on_trial_result = handle


def of_study(
    reports: list[Report], folder: str, trials: int, epochs: int, nap: float, slots: int
) -> None:
    """The whole command, with workers that sleep."""
    words = f"--data faces:140 --stages search --sampler random --models alexnet --out {folder}"
    words += f" --name it --trials {trials} --epochs {epochs} --scheduler none"
    words += " --batch-size 8 --image-px 32"
    with told(Recorder, reports), contextlib.redirect_stdout(io.StringIO()):
        assert run.main(words.split(), sleeper(nap)) == 0


def of_ray(
    reports: list[Report], folder: str, trials: int, epochs: int, nap: float, slots: int
) -> None:
    """Ray Tune alone, as its own tests run it: loggers and snapshots off."""
    tuner = tune.Tuner(
        tune.with_resources(sleeper(nap), {"cpu": 1}),
        param_space={"epochs": epochs, "lr": 0.01},
        tune_config=tune.TuneConfig(
            num_samples=trials, max_concurrent_trials=slots, reuse_actors=True
        ),
        run_config=tune.RunConfig(
            storage_path=folder,
            callbacks=[Heard()],
            checkpoint_config=tune.CheckpointConfig(checkpoint_at_end=False),
            verbose=0,
        ),
    )
    with told(Heard, reports):
        ended = tuner.fit()
    assert not ended.errors, ended.errors[0]


def sleeper(nap: float) -> type:
    """A worker whose epoch is a nap of known seconds; Ray sends it to the workers with them."""

    class Sleeper(Sleeping):
        seconds = nap

    return Sleeper


class Heard(tune.Callback):
    """Told of reports, and does nothing with them."""

    def on_trial_result(self, *given: Any, **named: Any) -> None:
        pass


if __name__ == "__main__":
    main()
