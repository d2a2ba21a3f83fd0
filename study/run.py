"""`python -m study.run`: a study from its first trial to the opened test. The driver.

python -m study.run                          a whole study on drawn faces, no data needed
python -m study.run --data fer2013.csv.xz    the same on real FER-2013
python -m study.run --resume runs/NAME       go on after Ctrl-C, a crash or a reboot
"""

import errno
import json
import logging
import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import ray

from fer_models import MODELS
from fer_models.layers import layer_table
from study import Mistake, cluster, confirm, data, flags, search, summary
from study.config import (
    Range,
    Setting,
    Study,
    configuration,
    domains,
    from_dict,
    read_preset,
    to_dict,
)
from study.display import Display, say
from study.drive import Recorder, Session, run_stage, signals
from study.journal import Journal, now, read
from study.record import Tables, write_json
from study.schedule import Halving

MAY_CHANGE = (  # on --resume: what a study may use and how far it goes, not what it is
    "stages",
    "trials",
    "seeds",
    "time_budget",
    "gpu_hours",
    "max_concurrent",
    "retries",
    "address",
    "out",
)


def main(argv: Sequence[str] | None = None) -> int:
    """The command line. 0: came to its end; 2: a person's mistake; 128 + signal: interrupted."""
    try:
        given = {k: v for k, v in vars(flags.parser().parse_args(argv)).items() if v is not None}
        resume = given.pop("resume")
        return go_on(resume, given) if resume else start(given)
    except Mistake as error:
        return flags.fail(error)
    except OSError as error:
        if error.errno == errno.ENOSPC:
            return flags.fail(
                Mistake(
                    f"disk full ({error.filename or 'while writing'}): free some "
                    "space, then go on with --resume"
                )
            )
        raise
    finally:
        if ray.is_initialized():
            ray.shutdown()


def start(given: dict[str, str]) -> int:
    """A new study from preset and flags."""
    joined = cluster.connect(given["address"]) if cluster.wanted(given.get("address", "")) else ""
    device = flags.option("device", given.get("device", "auto"))
    kind = cluster.hardware_kind(device)
    base, why = read_preset(given.get("preset", "search"), kind)
    study = flags.with_flags(base, {k: v for k, v in given.items() if k != "preset"})
    if study.sampler == "grid" and "trials" not in given:
        study = replace(study, trials=len(search.grid(study)))
    preset = Path(study.preset).stem
    study = replace(study, name=study.name or f"{preset}-{datetime.now():%Y%m%d-%H%M%S}")
    folder = Path(study.out) / study.name
    if folder.exists():
        raise Mistake(
            f"{folder} exists: go on with it by --resume {folder}, or choose another --name"
        )
    dataset, val = faces(study)
    check_batches(study, len(dataset.train.labels))
    joined = joined or cluster.connect(study.address)
    need = cluster.resources(study)
    folder.mkdir(parents=True)
    header = {
        "study": to_dict(study),
        "status": "running",
        "reason": "",
        "why_this_size": why,
        "started_at": now(),
        "ended_at": None,
        "data": {
            "name": dataset.name,
            "digest": dataset.digest,
            "synthetic": dataset.synthetic,
            "classes": list(dataset.classes),
            "images": {
                "train": len(dataset.train.labels),
                "val": len(dataset.val.labels),
                "test": len(dataset.test.labels),
            },
            "counts": data.counts(dataset).to_dict(),
            "test_duplicates": int(dataset.duplicate.sum()),
            "notes": list(dataset.notes),
        },
        "networks": networks(study, len(dataset.classes)),
        "git": cluster.revision(),
        "versions": cluster.versions(),
        "hardware": cluster.hardware(),
    }
    write_json(folder / "study.json", header)
    if why:
        say(f"Sized for {why}.")
    return run(study, folder, header, dataset, val, need, joined)


def go_on(name: str, given: dict[str, str]) -> int:
    """An existing study, from what its journal says."""
    given.pop("preset", None)
    folder = Path(name) if Path(name).is_dir() else Path(given.get("out", "runs")) / name
    if not (folder / "study.json").is_file():
        raise Mistake(f"{folder} holds no study.json: give --resume a study's folder or its name")
    header = json.loads((folder / "study.json").read_text())
    study = from_dict(header["study"])
    for flag in given:
        if flag not in MAY_CHANGE:
            raise Mistake(
                f"{flags.flag(flag)} can't change in a study that exists (only "
                f"{', '.join(map(flags.flag, MAY_CHANGE))} can): start another with --name"
            )
    study = flags.with_flags(study, given)
    dataset, val = faces(study)
    if dataset.digest != header["data"]["digest"]:
        raise Mistake(
            f"{study.data} has digest {dataset.digest}, but the study was begun on "
            f"{header['data']['digest']}: give the same data back"
        )
    joined = cluster.connect(study.address)
    need = cluster.resources(study)
    header["study"] = to_dict(study)
    return run(study, folder, header, dataset, val, need, joined)


def faces(study: Study) -> tuple[data.Dataset, data.Split]:
    """The data set, train and val cut to the parts that the study asks for; and that val."""
    dataset = data.load(study.data)
    val = data.subset(dataset.val, study.val_images, study.seed)
    train = data.subset(dataset.train, study.train_images, study.seed)
    return replace(dataset, train=train), val


def check_batches(study: Study, images: int) -> None:
    """Refuse a batch larger than the training split before anything starts."""
    largest = [configuration(study, s).batch_size for s in confirm.wanted(study)]
    for model in study.models if "search" in study.stages else ():
        _, domain = domains(study, model).get("batch_size", ("", ()))
        values = (domain.high,) if isinstance(domain, Range) else domain
        largest += values if isinstance(values, tuple) else (values,)
    if max(largest, default=0) > images:
        raise Mistake(
            f"batch_size goes up to {max(largest)}, but there are {images} training images: "
            "choose smaller batches or more images"
        )


def networks(study: Study, classes: int) -> dict[str, list[dict[str, Any]]]:
    """Network -> a row per layer (shape, parameters, multiply-adds) of the real module."""
    tables = {}
    for model in study.models:
        hp = configuration(study, Setting("", {"model": model}))
        tables[model] = layer_table(MODELS[model](classes=classes, **hp.options), hp.image_px)
    return tables


def run(
    study: Study,
    folder: Path,
    header: dict[str, Any],
    dataset: data.Dataset,
    val: data.Split,
    need: dict[str, float],
    joined: str,
) -> int:
    """Both stages from wherever the journal is, and the end of them."""
    for name in ("ray", "ray.tune", "ray.tune.execution.tune_controller", "ray.tune.tune"):
        logging.getLogger(name).setLevel(logging.CRITICAL)  # a failed trial is a row, told by us
    tables = Tables.of(read(folder / "events.jsonl"))
    display = Display(study, dataset.notes)
    session = Session(
        folder=folder,
        journal=Journal(folder / "events.jsonl"),
        tables=tables,
        classes=len(dataset.classes),
        need=need,
        slots=cluster.slots(study, need),
        retries=study.retries,
        show=display,
        time_budget=study.time_budget,
        gpu_hours=study.gpu_hours,
    )
    device = "cuda" if need["gpu"] else "cpu"
    say(opening(study, folder, dataset, val, session, device, joined))
    resumed = bool(tables.trials)
    session.log(
        {
            "event": "driver_started",
            "host": os.uname().nodename,
            "pid": os.getpid(),
            "resumed": resumed,
        }
    )
    write_json(
        folder / "study.json", header | {"status": "running", "reason": "", "ended_at": None}
    )
    trial_data = replace(dataset, val=val)
    with signals(session):
        try:
            if "search" in study.stages:
                search_stage(session, study, trial_data, device, display)
            if "confirm" in study.stages and not session.stop:
                confirm_stage(session, study, trial_data, device, display)
                if not session.stop:
                    confirm.open_test(session, study, dataset, dataset.val, device)
        finally:
            display.end()
    return close(session, study, header, dataset)


def search_stage(
    session: Session, study: Study, dataset: data.Dataset, device: str, display: Display
) -> None:
    """Optuna proposes, ASHA stops; budgets end it early, a signal leaves it to be resumed."""
    tables = session.tables
    optimiser = search.Optimiser(study, session.folder)
    halving = None
    if study.scheduler == "asha":
        halving = Halving(study.epochs, study.grace_epochs, study.reduction_factor)
        halving.recall(tables.decisions.values())
    settle(session, optimiser)
    open_trials = [n for n, row in tables.of_stage("search").items() if row["status"] == "running"]
    unfinished = [
        {"trial_id": n, **{k[3:]: v for k, v in tables.trials[n].items() if k.startswith("hp_")}}
        for n in open_trials
    ] + optimiser.left_over(set(tables.trials))
    fresh = max(0, study.trials - optimiser.asked())
    display.begin("search", study.trials, tables)
    run_stage(
        session,
        "search",
        search.Proposals(unfinished, optimiser.ask),
        len(unfinished) + fresh,
        dataset,
        device,
        halving,
        optimiser,
    )
    if session.stop and not interrupted(session):
        recorder = Recorder(session, "search", {}, optimiser)
        for name, row in tables.of_stage("search").items():
            if row["status"] == "running":
                recorder.end(name, {"status": "stopped", "reason": session.stop})


def settle(session: Session, optimiser: search.Optimiser) -> None:
    """After a crash between two writes: bring Optuna and the tables to what the journal implies."""
    recorder = Recorder(session, "search", {}, optimiser)
    for name, row in session.tables.of_stage("search").items():
        if name in session.tables.last:
            for (trial, epoch), seen in session.tables.epochs.items():
                if trial == name:
                    optimiser.report(name, epoch, seen["val_accuracy"])
        if row["status"] == "running":
            stopped = [
                r
                for (t, _), r in session.tables.decisions.items()
                if t == name and r["decision"] == "stop"
            ]
            if stopped:
                recorder.end(name, recorder.stopped_by_asha(name))
        else:
            optimiser.tell(name, row["status"])


def confirm_stage(
    session: Session, study: Study, dataset: data.Dataset, device: str, display: Display
) -> None:
    """Each chosen configuration, with fresh seeds, at the full budget, without early stopping."""
    confirm.choose(session, study)
    all_of_it = list(confirm.configs(session.tables, study))
    stage = session.tables.of_stage("confirm")
    due = [
        c
        for c, _ in all_of_it
        if c["trial_id"] not in stage or stage[c["trial_id"]]["status"] == "running"
    ]
    display.begin("confirm", len(all_of_it), session.tables)
    run_stage(
        session,
        "confirm",
        search.Proposals(due, lambda: None),
        len(due),
        dataset,
        device,
        settings={c["trial_id"]: setting for c, setting in all_of_it},
    )


def interrupted(session: Session) -> bool:
    return session.stop.startswith(("SIG", "disk full"))


def close(session: Session, study: Study, header: dict[str, Any], dataset: data.Dataset) -> int:
    """Write how it ended and say what was found, where it is and what to type next."""
    status = "interrupted" if interrupted(session) else "complete"
    reason = session.stop or "all stages done"
    session.log({"event": "study_ended", "status": status, "reason": reason})
    session.write()
    session.journal.close()
    write_json(
        session.folder / "study.json",
        header | {"status": status, "reason": reason, "ended_at": now()},
    )
    say()
    say(summary.report(session.folder, study, session.tables, dataset.classes))
    for note in dataset.notes:
        say(f"Note: {note}")
    say(f"{status.capitalize()} ({reason}). Artefacts: {session.folder}")
    again = f"python -m study.run --resume {session.folder}"
    if status == "complete":
        say(
            f"Look at it while it is fresh: optuna-dashboard {session.folder}/optuna.log"
            if "search" in study.stages
            else f"More seeds: {again} --seeds {study.seeds + 2}"
        )
        return 0
    say(f"Go on with: {again}")
    if session.stop.startswith("disk full"):
        return 2
    return 128 + signal.Signals[session.stop]


def opening(
    study: Study,
    folder: Path,
    dataset: data.Dataset,
    val: data.Split,
    session: Session,
    device: str,
    joined: str,
) -> str:
    """What will be done, with what, where: before the first trial."""
    share = session.need["gpu"]
    each = f"{share:g} GPU" if share else f"{session.need['cpu']:g} core(s)"
    lines = [
        f"Study {study.name} in {folder}",
        f"Data: {dataset.name} ({dataset.digest}), {len(dataset.train.labels):,} train, "
        f"{len(val.labels):,} val, {len(dataset.test.labels):,} test, "
        f"{len(dataset.classes)} classes",
        *(f"Note: {note}" for note in dataset.notes),
        f"Machine: {joined}; {session.slots} trial(s) at once on {device}, {each} each",
    ]
    if "search" in study.stages:
        lines.append(
            f"Search: {study.trials} trials of up to {study.epochs} epochs over "
            f"{', '.join(study.models)}; {study.sampler}, {study.scheduler}"
        )
    if "confirm" in study.stages:
        what = (
            "the best of each network"
            if "search" in study.stages
            else (f"{len(confirm.wanted(study))} settings")
        )
        lines.append(f"Confirmation: {what}, {study.seeds} seed(s) each, then the test images")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
