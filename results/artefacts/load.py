"""An artefact folder as frames, checked at the door; a study that still runs is welcome."""

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from fer_record.journal import Event, checked, whole
from fer_record.tables import Tables
from fer_stats.measures import guesses
from results import Mistake
from results.artefacts.once import once
from results.words import measure_words

# What is read of each table; a folder without one of these was written by another version.
COLUMNS = {
    "trials": (
        "trial_id stage setting status reason error retries device gpus started_at ended_at "
        "parameters multiply_adds hp_model hp_seed hp_epochs hp_batch_size hp_lr"
    ).split(),
    "epochs": (
        "trial_id epoch train_loss train_accuracy val_loss val_accuracy epoch_seconds finished_at"
    ).split(),
    "decisions": "trial_id epoch rung value cutoff decision".split(),
    "predictions": "trial_id split image label duplicate".split(),
    "images": "split image pixels".split(),
}
NOT_AT_ONCE = ("predictions", "images")  # written late, or by newer versions only


@dataclass(frozen=True, eq=False)
class Findings:
    """A study as its folder tells it; `notes` say what was missing or passed over."""

    name: str
    folder: Path
    study: dict[str, Any]
    trials: pd.DataFrame
    epochs: pd.DataFrame  # with gpus, cores and `judged`, the column that the study's metric names
    decisions: pd.DataFrame
    predictions: pd.DataFrame
    images: pd.DataFrame  # of val and test: split, image, pixels (their digest); older have none
    chosen: pd.DataFrame  # setting, from_trial, judged, epoch, beside: what is confirmed
    last_event: str  # UTC, empty without a journal
    notes: tuple[str, ...]
    drivers: tuple[Event, ...] = ()  # when each began, with what code, libraries, machine
    record: Tables = field(default_factory=Tables)  # by the journal; a published one has no trials

    @property
    def classes(self) -> list[str]:
        return list(self.study["data"]["classes"])

    @property
    def metric(self) -> str:
        """What its trials were judged by on val: accuracy, balanced_accuracy or macro_f1."""
        return str(self.study["study"].get("metric") or "accuracy")

    @property
    def judged(self) -> str:
        """The same in words: val accuracy."""
        return measure_words(f"val_{self.metric}")

    @property
    def synthetic(self) -> bool:
        return bool(self.study["data"].get("synthetic"))

    @property
    def searches(self) -> bool:
        """Whether it searches or did: `stages` lacks the search once --resume left it for its
        confirmation."""
        tried = bool((self.trials["stage"] == "search").any())
        return tried or "search" in self.study["study"].get("stages", [])


@dataclass(frozen=True, eq=False)
class Answers:
    """The predictions of a setting's confirmed models on val and test: S seeds, N images."""

    study: str
    setting: str
    model: str
    digest: str  # of the data: only equal digests can be compared image by image
    classes: tuple[str, ...]
    epochs: int
    seeds: tuple[int, ...]  # S
    split: np.ndarray  # (N,) "val" or "test"
    image: np.ndarray  # (N,)
    pixels: np.ndarray  # (N,) str, 16 hex digits of each image's; "" where a study kept none
    duplicate: np.ndarray  # (N,) bool
    label: np.ndarray  # (N,) 0…K-1
    probability: np.ndarray  # (S, N, K), NaN where a network diverged
    train_images: int = 0  # how many it was trained on
    near: np.ndarray | None = None  # (N,) bool, a near copy; None where a study didn't look
    metric: str = "accuracy"  # by which its study chose

    @cached_property
    def guess(self) -> np.ndarray:
        """(S, N) the class with the highest probability, -1 where there is no number."""
        return guesses(self.probability)


def all_of(runs: Sequence[Path]) -> list[Findings]:
    """The studies in these folders, each that of one study or of several, which come by name."""
    return [load(folder) for run in runs for folder in folders(run)]


def folders(run: Path) -> list[Path]:
    """A study's folder itself, or those of the studies in it and in its folders."""
    if os.path.exists(run / "study.json"):
        return [run]
    found = [path.parent for deep in ("", "[!.]*/") for path in run.glob(f"[!.]*/{deep}study.json")]
    return sorted(found) or [run]


def load(folder: Path) -> Findings:
    """The study in `folder`; refuses what isn't one."""
    header = study_header(folder)
    notes: list[str] = []
    tables = {name: table(folder, name, notes) for name in COLUMNS}
    objective = f"val_{header['study'].get('metric') or 'accuracy'}"
    if objective not in tables["epochs"]:
        if len(tables["epochs"]):
            raise Mistake(
                f"{folder}/epochs.parquet lacks {objective}, by which the study was judged"
            )
        tables["epochs"] = tables["epochs"].assign(**{objective: None})
    chosen, last, drivers, record = journal(folder / "events.jsonl", objective, notes)
    if header.get("status") != "running":
        record.epochs.clear()  # only a forecast asks it for them
    for key, name in ((["trial_id", "epoch"], "epochs"), (["trial_id"], "trials")):
        tables[name] = tables[name].drop_duplicates(key, keep="last").reset_index(drop=True)
    judged, gpus = tables["epochs"][objective], shares(tables["trials"], tables["epochs"])
    cores = of_each(tables["epochs"], "cores", header["study"].get("cpus_per_trial") or 1)
    tables["epochs"] = tables["epochs"].assign(judged=judged, gpus=gpus, cores=cores)
    name = header["study"].get("name") or folder.resolve().name
    return Findings(
        str(name),
        folder,
        header,
        **tables,
        chosen=chosen,
        last_event=last,
        notes=tuple(notes),
        drivers=drivers,
        record=record,
    )


def shares(trials: pd.DataFrame, epochs: pd.DataFrame) -> pd.Series:
    """Share of a GPU that each epoch was trained on; 0 without. That of its trial where an older
    study tells no other."""
    begun = epochs["trial_id"].map(trials.set_index("trial_id")["gpus"])
    return of_each(epochs, "gpus", begun.astype(float)).fillna(0.0)


def of_each(epochs: pd.DataFrame, name: str, otherwise: Any) -> pd.Series:
    """A number of each epoch; `otherwise` where an older study doesn't tell it of epochs."""
    return epochs.get(name, pd.Series(np.nan, epochs.index)).astype(float).fillna(otherwise)


def named_apart(studies: list[Findings]) -> list[Findings]:
    """The same studies; one whose name is taken gets a number behind it."""
    found: list[Findings] = []
    for one in studies:
        name, number = one.name, 1
        while name in {other.name for other in found}:
            number += 1
            name = f"{one.name} {number}"
        found.append(replace(one, name=name))
    return found


def study_header(folder: Path) -> dict[str, Any]:
    """study.json, or the sentence that says what is wrong."""
    path = folder / "study.json"
    if not os.path.isdir(folder):  # False, too, of what mustn't be looked into
        raise Mistake(f"{folder} is not a folder: give the artefact folder of a study, runs/NAME")
    content = content_of(path)
    if content is None:
        raise Mistake(
            f"{folder} holds no study.json, nor does a folder in it: give the artefact folder of a "
            "study, or a folder of such"
        )
    try:
        header = json.loads(content)
    except ValueError:
        raise Mistake(f"{path} is not JSON: restore it from a copy") from None
    parts = [header.get("study"), header.get("data")] if isinstance(header, dict) else []
    whole = len(parts) == 2 and all(isinstance(part, dict) for part in parts)
    if not whole or not header["data"].get("classes"):
        raise Mistake(f"{path} isn't a study's: it lacks 'study' or 'data' with its classes")
    return header


def content_of(path: Path) -> bytes | None:
    """A file's content; None if it isn't there, Mistake if it can't be read."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise Mistake(f"{path} can't be read ({error.strerror}): check its permissions") from None


def table(folder: Path, name: str, notes: list[str]) -> pd.DataFrame:
    """A parquet table with at least its COLUMNS; empty, with a note, where there is none."""
    path = folder / f"{name}.parquet"
    if not path.exists():
        if name not in NOT_AT_ONCE:
            notes.append(f"{path.name} isn't there yet")
        return pd.DataFrame({column: pd.Series(dtype=object) for column in COLUMNS[name]})
    frame = stored(path)
    lacking = [column for column in COLUMNS[name] if column not in frame]
    if lacking:
        raise Mistake(
            f"{path} lacks {', '.join(lacking)}: it was written by another version of this project"
        )
    return frame


def stored(path: Path, columns: list[str] | None = None) -> pd.DataFrame:
    """A parquet file as it was written, by the checksums of its pages; Mistake if it is damaged."""
    try:
        return pd.read_parquet(path, columns=columns, page_checksum_verification=True)
    except Exception as error:  # there is no error that damage can't make Arrow raise
        first = (str(error).splitlines() or [type(error).__name__])[0]
        raise Mistake(f"{path} can't be read ({first}): restore it from a copy") from None


def whole_events(path: Path, notes: list[str]) -> Iterator[Event]:
    """The journal's events that are as they were written; of what isn't there is a note."""
    content = content_of(path) or b""
    for number, event in checked(content):
        if isinstance(event, ValueError):
            notes.append(f"line {number} of {path.name} {event} and was passed over")
        else:
            yield event
    if half := content[whole(content) :]:
        part = "block" if b"\n" in half else "line"
        notes.append(f"the journal's last {part} is half-written and was passed over")


def journal(
    path: Path, objective: str, notes: list[str]
) -> tuple[pd.DataFrame, str, tuple[Event, ...], Tables]:
    """What the search chose, the time of the last whole event, the drivers' beginnings, and all
    that can be understood of it."""
    columns = {"setting": "setting", "from_trial": "from_trial", "judged": objective}
    columns |= {"epoch": "epoch", "beside": "beside"}
    rows, last, drivers, record = [], "", [], Tables()
    for event in whole_events(path, notes):
        last = event.get("time", last)
        if event.get("event") == "chosen":
            rows.append({column: event.get(name) for column, name in columns.items()})
        elif event.get("event") == "driver_started":
            drivers.append(event)
        with suppress(KeyError, TypeError, ValueError, AttributeError):  # of another version
            record.add(event)
    return pd.DataFrame(rows, columns=[*columns]), last, tuple(drivers), record


@once
def answers(findings: Findings) -> list[Answers]:
    """The confirmed settings that have predictions, in the order of their trials."""
    found = []
    trials = findings.trials[findings.trials["stage"] == "confirm"]
    told = findings.predictions.sort_values(["split", "image"])
    predicted = dict(iter(told.groupby("trial_id", sort=False)))
    columns = [f"p_{name}" for name in findings.classes]
    for setting, group in trials.groupby("setting", sort=False):
        group = group[group["trial_id"].isin(predicted)]
        if group.empty:
            continue
        frames = [predicted[name] for name in group["trial_id"]]
        first = frames[0]
        for frame, name in zip(frames, group["trial_id"], strict=True):
            same = len(frame) == len(first) and (frame["image"].array == first["image"].array).all()
            if not same:
                raise Mistake(
                    f"predictions.parquet of {findings.folder}: {name} answered other images than "
                    f"{group['trial_id'].iloc[0]}"
                )
        place = {name: k for k, name in enumerate(findings.classes)}
        own = first[["split", "image"]].merge(findings.images, how="left", on=["split", "image"])
        found.append(
            Answers(
                study=findings.name,
                setting=str(setting),
                model=str(group["hp_model"].iloc[0]),
                digest=str(findings.study["data"].get("digest")),
                classes=tuple(findings.classes),
                epochs=int(group["hp_epochs"].iloc[0]),
                seeds=tuple(int(seed) for seed in group["hp_seed"]),
                split=first["split"].to_numpy(str),
                image=first["image"].to_numpy(int),
                pixels=own["pixels"].fillna("").to_numpy(str),
                duplicate=first["duplicate"].fillna(False).to_numpy(bool),
                label=first["label"].map(place).to_numpy(int),
                probability=np.stack([frame[columns].to_numpy(float) for frame in frames]),
                near=own["near"].fillna(False).to_numpy(bool) if "near" in own else None,
                metric=findings.metric,
                train_images=int(findings.study["data"].get("images", {}).get("train") or 0),
            )
        )
    return found
