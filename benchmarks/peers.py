"""A search by `study.run` against what people would write instead, on the same images and space.

    ray       Ray Tune as its guides show it: OptunaSearch, ASHAScheduler, a function trainable with
              ImageFolder and DataLoader, a core a trial
    optuna    Optuna alone: TPE, its Hyperband pruner, a worker process a core, the same loop
    study     python -m study.run --stages search

Each has the same time, its start included. Then the best of each is trained anew by the same code,
with other seeds, and asked about the same val and test images.

    python -m benchmarks.peers               three quarters of an hour, and the confirmations
    python -m benchmarks.peers --orders 3    three times, who begins changing
    python -m benchmarks.peers --first 1     the second of those times alone
    python -m benchmarks.peers --models alexnet    where none can leave the slow networks
"""

import argparse
import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pandas as pd
import torch
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from ray import tune
from ray.tune.schedulers import ASHAScheduler
from ray.tune.search.optuna import OptunaSearch

from benchmarks.measured import heading, machine, say, spread
from benchmarks.naive import plain_loop, save_jpegs
from benchmarks.trials import MOVED, cut
from fer_models import MODELS
from study.config.hyperparameters import Hyperparameters, applies
from study.data import datasets
from study.training import loop
from study.training.execution import fastest

BATCHES, RATES, DROPOUT = (32, 64, 128), (0.001, 0.1), (0.0, 0.4)
CORES = os.cpu_count() or 1


@dataclass(frozen=True)
class Task:
    """What each of them is to do."""

    data: str
    jpegs: str
    images: int
    epochs: int
    px: int
    minutes: float
    seed: int
    models: tuple[str, ...] = tuple(MODELS)

    @property
    def seconds(self) -> float:
        return 60 * self.minutes

    def hyperparameters(self, point: dict[str, Any], seed: int) -> Hyperparameters:
        stem = {"stem": "imagenet"} if applies("stem", point["model"]) else {}
        size = dict(image_px=self.px, epochs=self.epochs, seed=seed)
        return Hyperparameters(**point, **stem, **size, **MOVED)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default="faces:4096")
    parser.add_argument("--images", type=int, default=2048)
    parser.add_argument("--epochs", type=int, default=9)
    parser.add_argument("--px", type=int, default=32)
    parser.add_argument("--minutes", type=float, default=15)
    parser.add_argument("--orders", type=int, default=1, help="rounds; another begins each")
    parser.add_argument("--first", type=int, default=0, help="round to begin with, from 0")
    parser.add_argument("--seeds", type=int, default=2, help="of the best's confirmation")
    parser.add_argument("--models", nargs="+", default=list(MODELS), choices=MODELS)
    parser.add_argument("--peers", nargs="+", default=list(PEERS), choices=PEERS)
    parser.add_argument("--one", nargs=3, help=argparse.SUPPRESS)  # a process of its own
    asked = parser.parse_args()
    if asked.one:
        peer, task, folder = asked.one
        PEERS[peer](Task(**json.loads(task)), Path(folder))
        return
    whole = datasets.load(asked.data)
    splits = {name: cut(whole, name, asked.images) for name in ("train", "val")}
    splits["test"] = whole.test
    found: dict[str, list[dict[str, float]]] = {peer: [] for peer in asked.peers}
    with tempfile.TemporaryDirectory() as place:
        save_jpegs(splits, whole.classes, Path(place) / "jpegs")
        for number in range(asked.first, asked.first + asked.orders):
            turn = number % len(asked.peers)
            for peer in asked.peers[turn:] + asked.peers[:turn]:
                task = Task(
                    asked.data,
                    f"{place}/jpegs",
                    asked.images,
                    asked.epochs,
                    asked.px,
                    asked.minutes,
                    number,
                    tuple(asked.models),
                )
                folder = Path(place) / f"{peer}-{number}"
                rows = searched(peer, task, folder)
                row = counted(rows, asked.minutes) | confirmed(task, rows, splits, asked.seeds)
                print(f"{peer} {number}: {row}", file=sys.stderr, flush=True)
                found[peer].append(row)
    heading("", *COLUMNS)
    for peer, rows in found.items():
        say(peer, *(spread([row[name] for row in rows], 1) for name in COLUMNS))
    print(
        f"\n{asked.images} training images of {asked.data}, {', '.join(asked.models)} at "
        f"{asked.px} px, up to {asked.epochs} epochs, {asked.minutes:g} min each, start included; "
        f"the best confirmed with {asked.seeds} other seeds. {CORES} cores. "
        f"{machine('ray', 'optuna', 'torchvision')}"
    )


COLUMNS = (
    "trials an hour",
    "full trials",
    "epochs an hour",
    "of AlexNet, %",
    "val, %",
    "test, %",
)


def searched(peer: str, task: Task, folder: Path) -> list[dict[str, Any]]:
    """What a peer has tried: a row a trial, with its point and val accuracy epoch by epoch."""
    folder.mkdir()
    command = [sys.executable, "-m", "benchmarks.peers", "--one", peer, json.dumps(asdict(task))]
    with (folder / "output.txt").open("w") as output:
        done = subprocess.run([*command, str(folder)], stdout=output, stderr=output)
    if not (folder / "rows.json").exists():
        raise SystemExit(
            f"{peer} ended with {done.returncode}:\n{(folder / 'output.txt').read_text()[-3000:]}"
        )
    return json.loads((folder / "rows.json").read_text())


def counted(rows: list[dict[str, Any]], minutes: float) -> dict[str, float]:
    """Trials that were judged to be ended by the search, and all epochs."""
    trained = sum(len(row["val"]) for row in rows)
    alexnets = sum(len(row["val"]) for row in rows if row["point"].get("model") == "alexnet")
    return {
        "trials an hour": 60 / minutes * sum(row["ended"] for row in rows),
        "full trials": float(sum(row["full"] for row in rows)),
        "epochs an hour": 60 / minutes * trained,
        "of AlexNet, %": 100 * alexnets / max(1, trained),
    }


def confirmed(
    task: Task, rows: list[dict[str, Any]], splits: dict[str, datasets.Split], seeds: int
) -> dict[str, float]:
    """Mean accuracy in percent of the best trial's setting, trained anew by `fit`."""
    best = max(rows, key=lambda row: (len(row["val"]), row["val"][-1] if row["val"] else 0.0))
    device, known = torch.device("cpu"), {}
    right: dict[str, list[float]] = {"val": [], "test": []}
    for seed in range(1000, 1000 + seeds):
        hp = task.hyperparameters(best["point"], seed)
        resident = loop.resident(splits["train"], splits["val"], hp.image_px, device)
        how = fastest(hp, 7, device, known)
        *_, (last, state) = loop.fit(hp, resident, 7, device, execution=how)
        right["val"].append(last.val_accuracy)
        net = loop.trained(hp, 7, device, state)
        images = splits["test"].images
        guesses = torch.cat([*loop.outputs(hp, net, images, device, state, 64)]).argmax(1).numpy()
        right["test"].append(float((guesses == splits["test"].labels).mean()))
    return {f"{name}, %": 100 * float(np.mean(values)) for name, values in right.items()}


def epochs(task: Task, point: dict[str, Any], seed: int) -> Iterator[float]:
    """Val accuracy of each epoch of the loop that people write."""
    torch.set_num_threads(1)
    hp = task.hyperparameters(point, seed)
    return islice(plain_loop(hp, Path(task.jpegs), 7, torch.device("cpu"), workers=0), hp.epochs)


def suggested(trial: optuna.Trial, models: Sequence[str] = tuple(MODELS)) -> dict[str, Any]:
    return {
        "model": trial.suggest_categorical("model", list(models)),
        "batch_size": trial.suggest_categorical("batch_size", list(BATCHES)),
        "lr": trial.suggest_float("lr", *RATES, log=True),
        "dropout": trial.suggest_float("dropout", *DROPOUT),
    }


def by_ray(task: Task, folder: Path) -> None:
    """Ray Tune with OptunaSearch and ASHA, until the time is over."""
    began = time.monotonic()

    def train(config: dict[str, Any]) -> None:
        for accuracy in epochs(task, config, task.seed):
            tune.report({"accuracy": accuracy})

    space = partial(suggested, models=task.models)
    tuner = tune.Tuner(
        tune.with_resources(train, {"cpu": 1}),
        tune_config=tune.TuneConfig(
            metric="accuracy",
            mode="max",
            search_alg=OptunaSearch(space=space, metric="accuracy", mode="max", seed=task.seed),
            scheduler=ASHAScheduler(max_t=task.epochs, grace_period=1, reduction_factor=3),
            num_samples=-1,
            max_concurrent_trials=CORES,
            time_budget_s=task.seconds - (time.monotonic() - began),
        ),
        run_config=tune.RunConfig(storage_path=str(folder), name="ray", verbose=0),
    )
    results = tuner.fit()
    rows = []
    for number in range(len(results)):
        one = results[number]
        frame = one.metrics_dataframe
        val = [] if frame is None or frame.empty else [*frame["accuracy"]]
        at_the_end = number >= len(results) - CORES  # these were at work when time was over
        rows.append(row(task, one.config or {}, val, not at_the_end))
    written(folder, rows)


def by_optuna(task: Task, folder: Path) -> None:
    """Worker processes that share a study, until the time is over."""
    began = time.time()
    study = shared(task, folder)
    workers = [
        multiprocessing.get_context("spawn").Process(
            target=optimise, args=(task, folder, began + task.seconds, number)
        )
        for number in range(CORES)
    ]
    for one in workers:
        one.start()
    for one in workers:
        one.join()
    ended = (optuna.trial.TrialState.COMPLETE, optuna.trial.TrialState.PRUNED)
    rows = [
        row(task, one.params, [*one.intermediate_values.values()], one.state in ended)
        for one in study.get_trials()
    ]
    written(folder, rows)


def shared(task: Task, folder: Path, number: int = 0) -> optuna.Study:
    return optuna.create_study(
        study_name="optuna",
        storage=JournalStorage(JournalFileBackend(str(folder / "optuna.log"))),
        load_if_exists=True,
        direction="maximize",
        sampler=optuna.samplers.TPESampler(seed=100 * task.seed + number),
        pruner=optuna.pruners.HyperbandPruner(
            min_resource=1, max_resource=task.epochs, reduction_factor=3
        ),
    )


def optimise(task: Task, folder: Path, until: float, number: int) -> None:
    def objective(trial: optuna.Trial) -> float:
        accuracy = 0.0
        for epoch, accuracy in enumerate(epochs(task, suggested(trial, task.models), task.seed), 1):
            if time.time() > until:
                raise TimeoutError
            trial.report(accuracy, epoch)
            if trial.should_prune():
                raise optuna.TrialPruned
        return accuracy

    study = shared(task, folder, number)
    left = max(0.0, until - time.time())
    study.optimize(objective, timeout=left, catch=TimeoutError)


def by_study(task: Task, folder: Path) -> None:
    """The command line."""
    fixed = dict(residual_init=1.0, stem="imagenet", cbam_order="serial", cbam_reduction=16)
    of_networks = {
        name.replace("_", "-"): value
        for name, value in fixed.items()
        if any(applies(name, model) for model in task.models)
    }
    words = {
        "data": task.data,
        "models": ",".join(task.models),
        "stages": "search",
        "trials": 10_000,
        "epochs": task.epochs,
        "train-images": task.images,
        "val-images": task.images // 4,
        "batch-size": ",".join(map(str, BATCHES)),
        "lr": ":".join(map(str, (*RATES, "log"))),
        "dropout": ":".join(map(str, DROPOUT)),
        "optimizer": "sgd",
        "warmup-epochs": Hyperparameters("alexnet").warmup_epochs,
        "label-smoothing": 0.0,
        "image-px": task.px,
        **of_networks,
        **MOVED,
        "seed": task.seed,
        "time-budget": round(task.seconds),
        "name": "study",
        "out": folder,
        "address": "local",
    }
    command = [sys.executable, "-m", "study.run"]
    for name, value in words.items():
        command += [f"--{name}", str(value)]
    subprocess.run(command)
    trials = pd.read_parquet(folder / "study" / "trials.parquet")
    val = pd.read_parquet(folder / "study" / "epochs.parquet").sort_values("epoch")
    own = {name: [*part["val_accuracy"]] for name, part in val.groupby("trial_id")}
    rows = [
        row(
            task,
            {name: one[f"hp_{name}"] for name in ("model", "batch_size", "lr", "dropout")},
            own.get(one["trial_id"], []),
            one["status"] in ("completed", "stopped"),
        )
        for one in trials.to_dict("records")
    ]
    written(folder, rows)


def row(task: Task, point: dict[str, Any], val: list[float], ended: bool) -> dict[str, Any]:
    values = [float(one) for one in val]
    return {
        "point": point,
        "val": values,
        "ended": ended or len(values) == task.epochs,
        "full": len(values) == task.epochs,
    }


def written(folder: Path, rows: list[dict[str, Any]]) -> None:
    (folder / "rows.json").write_text(json.dumps(rows))


PEERS: dict[str, Callable[[Task, Path], None]] = {
    "ray": by_ray,
    "optuna": by_optuna,
    "study": by_study,
}

if __name__ == "__main__":
    main()
