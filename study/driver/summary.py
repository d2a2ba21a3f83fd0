"""What a study found, in a screenful: for the end of a run. Runs on the driver."""

import math
import shlex
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from fer_data import fer2013
from fer_models import own as own_models
from fer_record.tables import Tables
from fer_stats import crossed
from fer_stats.measures import of_answers
from fer_stats.metric import WORDS, on_val, without_copies
from fer_stats.plans import Plan
from fer_stats.words import added_after_test, percent
from study import counted
from study.config.hyperparameters import present
from study.config.study import BUDGETS, Setting, Study, configuration, confirmed_names, pairs_of
from study.data.datasets import Dataset
from study.driver import compared, header, learning, prepare, sizing, wider
from study.driver.failures import last_line
from study.driver.session import Session
from study.record.outcome import (
    answered,
    best,
    completed,
    copied,
    due,
    kept,
    passed_over,
    wanted,
    with_search,
)
from study.search import earlier
from study.search.proposals import enough
from study.storage import places
from study.storage.mirror import Mirror


def searched(tables: Tables, study: Study, clean: bool) -> pd.DataFrame:
    """The best configuration of each network, a row each; `clean`: judged without copies in val."""
    rows = []
    val = "val, no duplicates" if clean else "val"  # as confirmed has them
    judged = val if study.metric == "accuracy" else f"{val} {WORDS[study.metric]}"
    for model, found in best(tables, study).items():
        trial = tables.trials[found["trial_id"]]
        rows.append(
            {
                "network": model,
                "trial": found["trial_id"],
                "batch": trial["hp_batch_size"],
                "lr": f"{trial['hp_lr']:.4g}",
                "epochs": f"{found['epoch']}/{study.epochs}",
                val: percent(found["val_accuracy"]),
                judged: percent(found[study.objective]),
            }
        )
    return pd.DataFrame(rows)


def confirmed(
    tables: Tables,
    study: Study,
    predictions: pd.DataFrame,
    data: dict[str, Any],
    copied: pd.Series | None = None,
    cluster: np.ndarray | None = None,
) -> pd.DataFrame:
    """Accuracy by setting over its seeds: on val, test, both, and either without duplicates, which
    `copied` marks where near copies are known too.

    Where val+test is the test folder of the Kaggle copy, which the paper tested on, its own figure
    stands beside it. Interval and sd are of test without duplicates; the interval is for new seeds
    and new images, so that one seed has none; `cluster` numbers those of them that are identical.
    """
    classes, theirs = list(data["classes"]), published(study, data)
    guess = learning.answers(predictions, classes)
    frame = predictions[["trial_id", "split", "image", "label"]].assign(
        guess=guess,
        duplicate=predictions["duplicate"] if copied is None else copied,
        hit=guess == predictions["label"],
        setting=predictions["trial_id"].map(
            {n: row["setting"] for n, row in tables.trials.items()}
        ),
    )
    rows = []
    for setting in tables.chosen:
        own = frame[frame["setting"] == setting]
        if own.empty:
            continue
        test = own[own["split"] == "test"]
        clean = test[~test["duplicate"]]
        val = own[own["split"] == "val"]
        clean_val = val[~val["duplicate"]]
        row = {
            "setting": setting,
            "seeds": test["trial_id"].nunique(),
            "val": percent(val["hit"].mean()),
            **metric_of(study, own, classes),
            "val, no duplicates": accuracy(clean_val),
            "test, no duplicates": accuracy(clean),
            **over_seeds(clean, cluster),
            "test": percent(test["hit"].mean()),
            "val+test": percent(own["hit"].mean()),
        }
        if theirs:
            row["paper"] = percent(theirs[setting]) if setting in theirs else ""
        rows.append(row)
    return pd.DataFrame(rows)


def accuracy(answers: pd.DataFrame) -> str:
    """Of answers, or that there is no image to answer."""
    return percent(answers["hit"].mean()) if len(answers) else "no image"


def over_seeds(clean: pd.DataFrame, cluster: np.ndarray | None = None) -> dict[str, str]:
    """Interval and sd of a setting's accuracy on these images, which every seed has answered."""
    right = clean.pivot(index="trial_id", columns="image", values="hit").to_numpy()
    if len(right) < 2:
        return dict.fromkeys(("95 %", "sd (seeds)"), "one seed" if len(right) else "no image")
    low, high = np.clip(crossed.of_one(right, cluster).interval(), 0, 1)  # of a share
    return {
        "95 %": f"{100 * low:.1f} to {100 * high:.1f} %",
        "sd (seeds)": f"{100 * right.mean(1).std(ddof=1):.2f}",
    }


def metric_of(study: Study, own: pd.DataFrame, classes: list[str]) -> dict[str, str]:
    """Of a setting's answers: what the study is judged by, on val and test, mean over seeds;
    nothing where that is accuracy, which the table has."""
    if study.metric == "accuracy":
        return {}
    found = {}
    for split in ("val", "test"):
        part = own[own["split"] == split]
        each = [measured(one, classes)[study.metric] for _, one in part.groupby("trial_id")]
        found[f"{split} {WORDS[study.metric]}"] = percent(float(np.mean(each)))
    return found


def measured(answers: pd.DataFrame, classes: list[str]) -> dict[str, np.ndarray]:
    """The measures of one network's answers."""
    place = {name: k for k, name in enumerate(classes)}
    truth, told = (
        np.array([place.get(one, -1) for one in answers[column]]) for column in ("label", "guess")
    )
    return of_answers(truth, told, len(classes))


def report(
    folder: Path, study: Study, tables: Tables, data: dict[str, Any], val: np.ndarray
) -> str:
    """The text printed at the end; `data` is that of study.json, `val` the labels of the images
    that epochs are judged on."""
    classes = tuple(data["classes"])
    parts = []
    clean = without_copies(study.val_copies, data)
    found = searched(tables, study, clean)
    if len(found):
        parts += ["Best configuration of each network (search):", table(found), ""]
        parts += learning.searched(tables, study, val, classes)
    answers, _ = kept(folder / "predictions.parquet")
    if answers is not None:
        predictions = answers.to_pandas()
        given = compared.Given(folder, study, tables, predictions, list(classes))
        seen = copied(folder, predictions)
        held = confirmed(tables, study, predictions, data, seen, given.cluster)
        parts += [choices(study, data), table(held), *beside_the_paper(study, data), ""]
        parts += compared.lines(compared.of(given))
        parts += compared.gained(given)
        parts += learning.confirmed(tables, predictions, list(classes), study.metric)
    failed = [name for name, row in tables.trials.items() if row["status"] == "failed"]
    if failed:
        parts += [f"{len(failed)} failed: {', '.join(failed)} (trials.parquet says why)", ""]
    return "\n".join(parts)


def choices(study: Study, data: dict[str, Any]) -> str:
    """What was chosen on which images, above the confirmed settings. Those that the paper printed
    were first read by val and test together, as `results.facts.status.chosen_on_test` says."""
    if any(one.published for one in study.settings) and fer2013.of_its_halves(data):
        return (
            "Confirmed with fresh seeds (what the paper doesn't say of its settings was first "
            "chosen by val and test together, so test may be a little high):"
        )
    return "Confirmed with fresh seeds (val may have been used for choices, test never was):"


def published(study: Study, data: dict[str, Any]) -> dict[str, float]:
    """Setting -> accuracy that is published of it, where val and test are the same images and it
    was trained as it says."""
    if fer2013.not_the_papers(data):
        return {}
    return {one.name: one.published for one in study.settings if one.published and not one.replaced}


def beside_the_paper(study: Study, data: dict[str, Any]) -> list[str]:
    """Why the published accuracies of the settings don't stand beside ours, if they don't."""
    known = [one for one in study.settings if one.published]
    if known and (why := fer2013.not_the_papers(data)):
        return [f"The paper's accuracies aren't set beside these: {why}."]
    changed: dict[str, list[str]] = {}
    for one in known:
        words = ", ".join(f"{name} {value}" for name, value in one.replaced.items())
        changed.setdefault(words, []).append(one.name)
    return [
        f"The paper's accuracy of {', '.join(names)} isn't set beside ours: it is of the setting "
        f"as {study.preset} has it, with {words}."
        for words, names in changed.items()
        if words
    ]


def table(frame: pd.DataFrame, width: int = 80) -> str:
    """The frame in columns; those that don't fit into the width follow in tables below, which
    begin with its first column too."""
    first, *others = frame.columns
    blocks = [[first]]
    for name in others:
        if len(blocks[-1]) > 1 and wide(frame[[*blocks[-1], name]]) > width:
            blocks.append([first])
        blocks[-1].append(name)
    return "\n\n".join(frame[block].to_string(index=False) for block in blocks)


def wide(frame: pd.DataFrame) -> int:
    """Characters of the longest line of a frame's text."""
    return max(map(len, frame.to_string(index=False).splitlines()))


def opening(session: Session, joined: str) -> str:
    """What will be done, with what and where: before the first trial."""
    study, dataset, share = session.study, session.dataset, session.need["gpu"]
    cores = session.need["cpu"]
    each = f"{share:g} GPU" if share else f"{cores:g} core{'' if cores == 1 else 's'}"
    images = [f"{len(split.labels):,}" for split in (dataset.train, dataset.val, dataset.test)]
    side, whole = dataset.side_px, with_search(study, session.tables)
    lines = [
        f"Study {study.name} in {session.folder}",
        f"Data: {dataset.name} ({dataset.digest}), {images[0]} train, {images[1]} val, "
        f"{images[2]} test, {len(dataset.classes)} classes, {side} x {side} pixels",
        *(f"Note: {note}." for note in (*dataset.notes, *enlarged(whole, side))),
        f"Machine: {joined}; {counted(session.slots, 'trial')} at once on {session.device}, {each} "
        "each",
    ]
    before = session.tables.drivers[-1] if session.tables.drivers else session.header
    if other := header.others(session.header | before, session.origin):
        lines.append(f"Note: it goes on with {', '.join(other)}.")
    lines += [f"Note: {why}." for why in map(own_models.changed, study.own_networks) if why]
    if session.mirror:
        lines.append(f"Shared storage: {places.without_options(session.mirror.place)}")
    if "search" in study.stages:
        lines.append(
            f"Search: {counted(study.trials, 'trial')} of up to {counted(study.epochs, 'epoch')} "
            f"over {', '.join(study.models)}; {study.sampler}, {study.scheduler}"
            + ("" if study.metric == "accuracy" else f"; by {on_val(study.metric, session.clean)}")
        )
        known = session.header.get("earlier")  # whose first points it passes over
        lines += [] if known or session.tables.chosen else too_few(study)
        lines += [f"Changed {wider.words(one)}" for one in session.header.get("changed", ())]
        lines += map(earlier.words, session.header.get("earlier", ()))
    if "confirm" in study.stages:
        what = "the best of each network"
        if "search" not in whole.stages:
            what = counted(len(wanted(study)), "setting")
        lines.append(
            f"Confirmation: {what}, {counted(study.seeds, 'seed')} each{beside(whole)}, then the "
            "test images"
        )
        if words := decides(whole, session.dataset).words:
            lines.append(f"Decides: {words}")
    if paces := session.header.get("seconds_per_epoch"):
        seconds = sizing.expected(study, paces, session.slots, session.header["data"])
        lines.append(how_long(study, seconds))
    return "\n".join(lines)


def too_few(study: Study) -> list[str]:
    """That a search has fewer trials than it takes to come to each network, first points first."""
    least = enough(study)
    if study.trials >= least:
        return []
    return [
        f"Note: of {counted(study.trials, 'trial')} not every network has one, of {least} it has."
    ]


def how_long(study: Study, seconds: float) -> str:
    """How long a new study will take, and whether its time budget is enough for that."""
    about = f"Time: about {minutes(seconds)} here"
    if 0 < study.time_budget < seconds:
        return (
            f"{about}, but the time budget of {study.time_budget:g} s ends it before; --epochs, "
            "--train-images for less"
        )
    return f"{about}; --epochs, --train-images for more"


def enlarged(study: Study, side: int) -> list[str]:
    """That some trials are of more pixels than the faces have, which adds nothing to them."""
    largest = prepare.side_px(study)
    if largest <= side:
        return []
    return [f"trials of up to {largest} x {largest} pixels enlarge faces of {side} x {side}"]


def minutes(seconds: float) -> str:
    return f"{seconds / 60:.0f} min" if seconds >= 90 else f"{seconds:.0f} s"


def beside(study: Study) -> str:
    """What is confirmed beside the best of the search, in words."""
    if not study.baseline_seeds or "search" not in study.stages:
        return ""
    more = f" and {study.runners_up} next best" if study.runners_up else ""
    return f", its default{more}, {counted(study.baseline_seeds, 'seed')} each"


def decides(study: Study, dataset: Dataset) -> Plan:
    """What the seeds and the test images that count can decide."""
    names = confirmed_names(study)
    pairs = pairs_of(study) or [*combinations(names, 2)]
    named = {model: Setting(model, {"model": model}) for model in study.models}
    named |= {setting.name: setting for setting in study.settings}
    starts = {
        name: compared.start(present(configuration(study, one))) for name, one in named.items()
    }
    alike = [starts.get(a, a) == starts.get(b, b) for a, b in pairs]
    images = int((~(dataset.duplicate | dataset.near)).sum())
    return Plan(study.seeds, images, len(pairs), bool(alike) and all(alike))


def elsewhere(session: Session) -> list[str]:
    """How another machine goes on, if shared storage is used."""
    if not session.mirror or session.mirror.failed:
        return []
    place = shlex.quote(str(session.mirror.place))
    return [f"On another machine: python -m study.run --resume {place}"]


def not_mirrored(session: Session, mirror: Mirror) -> str:
    """What to do when shared storage didn't get the end of a study."""
    return (
        f"{places.without_options(mirror.place)} lacks the end of the study "
        f"({mirror.failed}), which is whole in {session.folder}: when it can be reached, "
        f"{session.go_on} brings it there"
    )


def closing(session: Session) -> str:
    """What was found, where it is and what to type next."""
    study, folder, tables, data = session.study, session.folder, session.tables, session.dataset
    again = session.go_on
    if session.cause == "storage":  # what lies there can't be read for a report
        return (
            f"\nStopped: {session.reason}. What was written before is kept.\n"
            f"See to it, then go on with: {again}"
        )
    lines = ["", report(folder, study, tables, session.header["data"], data.val.labels)]
    if added := session.header.get("seeds_after_test"):
        lines.append(added_after_test(*added))
    lines += [f"Note: {note}." for note in session.dataset.notes]
    if mixed := header.mixed(session.header, tables.drivers):
        lines.append(f"Note: not all of it ran with the same: {'; '.join(mixed)}.")
    if session.cause == "node":
        lines += [
            f"Stopped: {session.reason}; kept in {folder}.",
            f"Install the same on every node, then go on with: {again}",
        ]
        return "\n".join(lines)
    if session.cause == "signal":
        lines += [f"Interrupted ({session.reason}); kept in {folder}.", f"Go on with: {again}"]
        lines += elsewhere(session)
        return "\n".join(lines)
    lines += not_confirmed(session)
    if session.cause in BUDGETS:
        lines.append(f"Budget spent ({session.reason}); {progress(session)}. Artefacts: {folder}")
        searches, confirms = "search" in study.stages, "confirm" in study.stages
        over = not confirms and len(tables.of_stage("search")) >= study.trials
        if not over:
            lines.append(f"Go on with: {again} {more(session)}")
        elif study.sampler != "grid":  # which has no more points
            others = f"{again} --trials {2 * study.trials} {more(session)}"
            lines.append(f"All its trials have begun, and ended by now; others: {others}")
        open_still = searches and (confirms or over) and not tables.chosen
        if open_still and best(tables, study):
            lines.append(f"Or confirm the best so far: {again} --stages confirm {more(session)}")
        return "\n".join(lines)
    lines.append(f"Complete. Artefacts: {folder}")
    if "confirm" not in study.stages:
        if best(tables, study):
            lines.append(f"To confirm the best on test: {again} --stages confirm")
    elif answered(folder):
        named = shlex.quote(str(folder))
        lines += [
            f"Health checks: python -m results {named} --health",
            f"The report: python -m results {named}",
            f"The explorer: python -m results.explorer {named}",
            f"Ask the best network about a photo: python -m study.predict {named} PHOTO",
            f"The best network as a file: python -m study.export {named} --out best.onnx",
        ]
    else:
        closed = "" if tables.opened else ": test stays closed"
        lines.append(f"Nothing could be confirmed{closed}.")
    return "\n".join(lines)


def progress(session: Session) -> str:
    """How far a study came whose budget is spent."""
    study, tables = session.study, session.tables
    if "confirm" not in study.stages:
        return f"{len(tables.of_stage('search'))} of {counted(study.trials, 'trial')} tried"
    wanted = due(tables, study)
    return f"{len(answered(session.folder) & set(wanted))} of {len(wanted)} confirmed"


def more(session: Session) -> str:
    """The flag that gives a study more of what it has spent; twice as much, as an example.

    A budget that was given on --resume may be less than what had been spent before.
    """
    study = session.study
    if session.cause == "time_budget":
        return f"--time-budget {twice(study.time_budget, session.tables.wall_seconds):g}"
    return f"--gpu-hours {twice(study.gpu_hours, session.gpu_hours_spent):g}"


def twice(budget: float, spent: float) -> float:
    return 2 * budget if 2 * budget > spent else 2 * math.ceil(spent)


def not_confirmed(session: Session) -> list[str]:
    """What a person expects to see confirmed, and isn't, and why."""
    study, tables = session.study, session.tables
    lines = []
    undecided = session.cause in BUDGETS and not tables.chosen
    for model in [] if undecided else passed_over(tables, study):
        tried = [r for r in tables.of_stage("search").values() if r["hp_model"] == model]
        failed = sum(row["status"] == "failed" for row in tried)
        why = f"of its {counted(len(tried), 'trial')} none finished an epoch without failing"
        why += f" ({failed} failed)"
        why = why if tried else "it had no trial"
        lines.append(f"Not confirmed: {model}, since {why}")
    for name in sorted(set(completed(tables)) - answered(session.folder)):
        why = tables.unanswered.get(name, "it wasn't asked")
        lines.append(f"Not confirmed: {name}, since its network gave no answers ({last_line(why)})")
    return lines
