"""A study's confirmed networks asked about another data set: RUN/elsewhere/NAME.parquet."""

import json
import os
import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import torch

from fer_data import near, sources
from fer_data.classes import folded, listed, numbers_alone
from fer_data.dataset import Dataset, parts
from fer_data.rows import SIDE_PX, Rows
from fer_record.journal import read as read_journal
from fer_record.tables import Tables, settings_of
from fer_stats import crossed
from fer_stats.measures import guesses
from study import Mistake, complain, counted, say
from study.config.hyperparameters import Hyperparameters
from study.config.study import Study, recorded
from study.data import datasets
from study.model import confirmed
from study.record import outcome, progress
from study.record.schemas import store
from study.storage import places
from study.storage.mirror import ELSEWHERE
from study.training import checkpoint, loop

OWN = 0.99  # of the faces: one of a single grey is like no other


def device_of(asked: str) -> torch.device:
    there = torch.cuda.is_available()
    if asked == "cuda" and not there:
        raise Mistake("no CUDA device is here: leave out --device, or give cpu")
    return torch.device("cuda" if there and asked != "cpu" else "cpu")


def evaluate(run: Path, source: str, device: torch.device, names: tuple[str, ...] = ()) -> int:
    """Ask the networks, keep what they answer, say it."""
    header, study, tables = opened(run)
    classes, asked = tuple(header["data"]["classes"]), finished(tables, run)
    kind, path = sources.asked(datasets.absolute(source))
    digest = sources.digest(Path(path), kind)
    if digest == (header["data"].get("source") or {}).get("digest"):
        raise Mistake(
            f"{source} is what {run} was trained on: its test is in the report already; give "
            "another data set"
        )
    px = header["data"].get("side_px", SIDE_PX)
    rows, told = faces(source, classes, study.crop, px, names)
    rows, copies = unseen(rows, confirmed.Run(run, header, study, []))
    told = (*told, copies)
    name = rows.known or datasets.plain_name(Path(path))
    path_to = run / ELSEWHERE / f"{name}-{digest}.parquet"
    path_to.parent.mkdir(exist_ok=True)  # before the networks are asked, which takes its time
    answers = {}
    for trial in asked:
        hp = Hyperparameters(**settings_of(tables.trials[trial]))
        state = checkpoint.load(confirmed.states(study, run, tables, trial))
        if state is None:
            complain(f"study.evaluate: the network {trial} was removed: it is passed over")
            continue
        answers[trial] = loop.predict(hp, rows.images, len(classes), device, state)
    if not answers:
        raise Mistake(f"none of the confirmed networks of {run} is kept: confirm some first")
    about = {"name": name, "digest": digest, "source": source, "notes": [*rows.notes, *told]}
    store(path_to, table(answers, rows, classes, about))
    share(study, run, path_to)
    for line in (*rows.notes, *told):
        say(f"{line}.")
    for line in lines(answers, rows, classes, header["data"]["name"], name):
        say(line)
    say(f"The answers are in {path_to}; python -m results {shlex.quote(str(run))} shows them.")
    return 0


def opened(run: Path) -> tuple[dict[str, Any], Study, Tables]:
    """study.json, the study, and what its journal says."""
    header = progress.described(run)
    return header, recorded(header), Tables.of(read_journal(run / "events.jsonl"))


def finished(tables: Tables, run: Path) -> list[str]:
    found = outcome.completed(tables)
    confirmed.refuse_copy(run, tables)
    if not found:
        raise Mistake(f"{run} has confirmed no network yet: let it come to its end")
    return found


def share(study: Study, run: Path, path: Path) -> None:
    """Store answers in shared storage, if the study has one: after its end no driver does."""
    if not study.storage:
        return
    place, why = confirmed.shared(study, run), "it has no study.json"
    try:
        if places.exists(place / "study.json"):
            places.write(place / ELSEWHERE / path.name, path.read_bytes())
            return
    except OSError as error:
        why = places.first_line(error)
    complain(
        f"study.evaluate: the answers aren't kept in {places.without_options(place)} ({why}): "
        f"copy {path} where you need it"
    )


def faces(
    source: str,
    classes: tuple[str, ...],
    crop: float = 0.0,
    px: int = SIDE_PX,
    given: tuple[str, ...] = (),
) -> tuple[Rows, tuple[str, ...]]:
    """The faces of the test split, or of all where the source has no split, that show one of the
    study's classes, under the study's names; and notes. Where it has boxes, they are cut with the
    study's margin; `px` is the side at which the study keeps its faces; `given` are the names of
    its classes in the order of their numbers, where it has numbers alone."""
    kind, place = sources.asked(os.fspath(source))
    path = Path(os.path.expanduser(place))
    rows = sources.read(path, given, kind, crop, trained=False, px=px)
    if rows.unnamed:
        raise Mistake(
            f"{numbers_alone(source, rows.names)}, which match no class of the study's, not even "
            f"one of the same number: say with --classes which of {','.join(classes)} each of them "
            "is, in their order"
        )
    whole = (rows.splits == "").all()
    inside = np.full(len(rows.names), True) if whole else rows.splits == "test"
    notes = [f"asked about {'all of it' if whole else 'its test split'}, {inside.sum():,} faces"]
    ours = {folded(name): name for name in classes} | {name: name for name in classes}
    names = np.array([ours.get(n) or ours.get(folded(n), "") for n in rows.names.tolist()])
    lacking = sorted(set(rows.names[inside & (names == "")].tolist()))
    if lacking:
        lost = int((inside & (names == "")).sum())
        notes.append(f"{lost:,} faces of {listed(lacking)} are left out: no class of the study's")
    unmet = [name for name in classes if name not in set(names[inside].tolist())]
    if unmet:
        notes.append(
            f"it has no face of {listed(unmet)}; a network that answers so is wrong there all the "
            "same"
        )
    kept = np.flatnonzero(inside & (names != ""))
    if not len(kept):
        raise Mistake(
            f"{source} has none of the study's classes ({listed(list(classes))}) but "
            f"{listed(sorted(set(rows.names.tolist())))}: give data whose classes have such names"
        )
    return replace(rows, names=names).taken(kept), tuple(notes)


def unseen(rows: Rows, run: confirmed.Run) -> tuple[Rows, str]:
    """The rows without copies and near copies of the study's training images, and how many those
    were; all of them, and why, where the study's images aren't here."""
    try:
        own = confirmed.images(run)
    except Mistake as mistake:
        return rows, f"copies of training images weren't looked for ({mistake})"
    if owned(rows, own):
        raise Mistake(
            f"its faces, with their labels, are {run.folder}'s own data in another packing: its "
            "test is in the report already; give another data set"
        )
    seen = near.near_copies(rows.images, own.train.images)
    if not seen.any():
        return rows, "none of them is a copy or near copy of a training image"
    if seen.all():
        raise Mistake("all of its faces are copies of training images: give another data set")
    kept = f"{seen.sum():,} that are copies or near copies of training images are left out"
    return rows.taken(np.flatnonzero(~seen)), kept


def owned(rows: Rows, own: Dataset) -> bool:
    """Whether each face is one of the study's, or nearly, with its label: its data in another
    packing."""
    found = 0
    for label, name in enumerate(own.classes):
        asked = near.looks(rows.images[rows.names == name])
        there = (near.looks(split.images[split.labels == label]) for split in parts(own))
        found += near.copies(asked, *there).sum()
    return found >= OWN * len(rows.names)


def table(
    answers: dict[str, np.ndarray], rows: Rows, classes: tuple[str, ...], about: dict[str, Any]
) -> pa.Table:
    """A row per network and face; `about` is in the file's metadata under `elsewhere`."""
    told = [
        json.dumps({what: values[k] for what, values in rows.about.items() if values[k]})
        for k in range(len(rows.ids))
    ]
    columns: dict[str, Any] = {
        "trial_id": np.repeat([*answers], len(rows.ids)),
        "image": np.tile(rows.ids, len(answers)),
        "label": np.tile(rows.names, len(answers)),
        "about": told * len(answers),
    }
    probabilities = np.concatenate([*answers.values()])
    columns |= {f"p_{name}": probabilities[:, k] for k, name in enumerate(classes)}
    return pa.table(columns).replace_schema_metadata({"elsewhere": json.dumps(about)})


def lines(
    answers: dict[str, np.ndarray],
    rows: Rows,
    classes: tuple[str, ...],
    trained: str,
    name: str,
) -> list[str]:
    """Accuracy of each setting here, with its interval for new seeds and new faces."""
    truth = np.array([classes.index(label) for label in rows.names.tolist()])
    settings: dict[str, list[np.ndarray]] = {}
    for trial, probabilities in answers.items():
        right = guesses(probabilities) == truth  # a network that diverged is right nowhere
        settings.setdefault(trial.rpartition("-s")[0], []).append(right)
    said = [f"Trained on {trained}, tested on {name} ({len(truth):,} faces):"]
    for setting, right in settings.items():
        found = crossed.of_one(np.stack(right))
        low, high = np.clip(found.interval(), 0, 1)  # of a share
        between = f" ({100 * low:.1f} to {100 * high:.1f})" if np.isfinite(low) else ""
        said.append(
            f"  {setting}: {100 * found.mean:.1f} %{between}, {counted(len(right), 'seed')}"
        )
    return said
