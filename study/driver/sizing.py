"""How long a new study will take here, by a few steps of each network, and the search cut to that.

Runs on the driver. What is told then is `remaining`'s, as is the time that is left later.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import ray
from ray.exceptions import RayError

from fer_record import remaining
from fer_record.tables import Tables
from study import say
from study.cluster import resources
from study.config.flags import flag
from study.config.hyperparameters import Hyperparameters
from study.config.study import Study, to_dict
from study.data.datasets import Dataset
from study.driver.failures import last_line
from study.search.proposals import enough, typical

PATIENCE_SECONDS = 60.0  # for workers to answer: a cluster may be busy with other work
CPU_BATCH = 32  # images of a measured step at most: on a CPU a larger batch takes as much longer
SIZE = ("trials", "epochs", "train_images")  # who gives one of them has chosen the size


def begin(study: Study, dataset: Dataset, need: dict[str, float]) -> Callable[[], remaining.Paces]:
    """Let workers take a few steps, as many at once as trials will train, the networks shared among
    them; whom to ask for seconds of an epoch by network, which is empty where nothing is measured.
    The trials find these workers with all that they import."""
    if not study.minutes:
        return dict
    from study.worker import speed

    trials = [typical(study, model) for model in study.models]
    smaller = not need["gpu"] and most(trials, "batch_size") > CPU_BATCH
    if smaller:
        trials = [replace(hp, batch_size=min(hp.batch_size, CPU_BATCH)) for hp in trials]
    say(f"Measuring a step of each network{f', on {CPU_BATCH} images' if smaller else ''} ...")
    first = np.arange(min(len(dataset.train.labels), speed.STEPS * most(trials, "batch_size")))
    ask: Any = ray.remote(speed.seconds).options(num_cpus=need["cpu"], num_gpus=need["gpu"])
    given = (
        dataset.train.taken(first),
        dataset.val.taken(np.arange(min(len(dataset.val.labels), speed.JUDGED))),
        (len(dataset.train.labels), len(dataset.val.labels)),
        len(dataset.classes),
        "cuda" if need["gpu"] else "cpu",
        int(need["cpu"]),
        study.own_networks,
    )
    slots = min(resources.slots(study, need), study.trials)
    shares = [trials[worker % len(trials) :: slots] for worker in range(slots)]
    asked = [ask.remote(share, *given) for share in shares]
    return lambda: answered(asked)


def answered(asked: list[Any]) -> remaining.Paces:
    """What workers say, on average; nothing, and a line that says so, where they can't."""
    try:
        found = ray.get(asked, timeout=PATIENCE_SECONDS)
    except (RayError, TimeoutError) as error:
        for one in asked:
            ray.cancel(one, force=True)
        late = isinstance(error, TimeoutError)
        why = f"no answer in {PATIENCE_SECONDS:g} s" if late else last_line(str(error))
        say(
            f"No step could be measured ({why}): how long the study takes isn't known, and "
            "--minutes leaves no trial out; --trials, --epochs or --train-images make it shorter."
        )
        return {}
    said: dict[str, list[float]] = {}
    for one in found:
        for model, seconds in one.items():
            said.setdefault(model, []).append(seconds)
    return {model: sum(each) / len(each) for model, each in said.items()}


def most(trials: Iterable[Hyperparameters], name: str) -> int:
    return max(getattr(hp, name) for hp in trials)


def cut(
    study: Study,
    said: Iterable[str],
    paces: remaining.Paces,
    slots: int,
    data: remaining.Facts | None = None,
) -> Study:
    """As many of the search's trials as fit into the study's minutes and its time budget, and at
    least so many that each network has one; all of them where a person has chosen the size, or
    nothing is known. `data` is that of study.json."""
    if not paces or {*SIZE} & {*said} or "search" not in study.stages:
        return study
    least, most = enough(study), min(60 * study.minutes, study.time_budget or math.inf)
    while study.trials > least and expected(study, paces, slots, data) > most:
        study = replace(study, trials=study.trials - 1)
    return study


def reasons(why: str, sized: Mapping[str, Any], given: Iterable[str]) -> str:
    """Why a preset is sized so, and which flags have said otherwise; `sized` is its part for this
    kind of machine."""
    space = sized.get("space", {})
    own = [name for part in space.values() if isinstance(part, dict) for name in part]
    otherwise = [flag(name) for name in given if name in (*sized, *space, *own)]
    return f"{why}; {', '.join(otherwise)} as given" if why and otherwise else why


def left_out(before: Study, study: Study) -> str:
    """What `cut` has left out, in words, for the sentence on the study's size."""
    if study.trials == before.trials:
        return ""
    most = f"{study.minutes:g} min"
    if 0 < study.time_budget < 60 * study.minutes:
        most = f"the time budget of {study.time_budget:g} s"
    return (
        f"{study.trials} of {before.trials} trials, since with all of them it would take more "
        f"than {most} here"
    )


def expected(
    study: Study, paces: remaining.Paces, slots: int, data: remaining.Facts | None = None
) -> float:
    """Seconds that the whole study would take, whatever its budget."""
    whole = to_dict(replace(study, time_budget=0.0, gpu_hours=0.0))
    header = {"study": whole, "trials_at_once": slots, "seconds_per_epoch": paces, "data": data}
    return remaining.seconds(header, Tables(), datetime.now(UTC)) or 0.0
