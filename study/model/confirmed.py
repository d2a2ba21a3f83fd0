"""The confirmed networks of a study: which there are, the best on val, their states and answers."""

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from fer_data.classes import ASSUMED
from fer_data.dataset import Dataset
from fer_data.rows import SIDE_PX
from fer_record.journal import read
from fer_record.tables import Tables, settings_of
from study import Mistake
from study.config.hyperparameters import Hyperparameters
from study.config.study import Study, recorded
from study.data import datasets
from study.record import outcome, progress
from study.storage import places
from study.storage.places import Place
from study.training import checkpoint


@dataclass(frozen=True)
class Confirmed:
    """A confirmed network: a setting, trained with one seed."""

    name: str  # of its trial: setting and seed
    setting: str
    hp: Hyperparameters
    val_accuracy: float  # by its answers, on the images of val by which it is chosen; fraction
    judged: float  # the same in what the study is judged by
    val_images: int  # how many those are
    checkpoints: Place


@dataclass(frozen=True)
class Run:
    """A study that is over, and its confirmed networks that have answered on val and test."""

    folder: Path
    header: dict[str, Any]  # study.json
    study: Study
    networks: list[Confirmed]

    @property
    def classes(self) -> list[str]:
        return list(self.header["data"]["classes"])

    @property
    def side_px(self) -> int:
        """Rows, and columns, of the faces as the study keeps them."""
        return int(self.header["data"].get("side_px", SIDE_PX))


def opened(folder: Path, name: str = "") -> Run:
    """The study in a folder. Mistake if it is none, has confirmed nothing or is still going; while
    it goes on, a finished network is had by its `name`."""
    header = progress.described(folder)
    events = list(read(folder / "events.jsonl"))
    tables = Tables.of(events)
    driver = tables.drivers[-1] if tables.drivers else {}
    if progress.state_of(folder, header, driver, events)[0] == "running" and not name:
        raise Mistake(
            f"{folder} is still being run, so which of its networks is best isn't known: wait, or "
            "name one that has finished by --model"
        )
    study = recorded(header)
    on_val = outcome.on_val(folder, study, header["data"])
    networks = [
        Confirmed(
            name=one,
            setting=tables.trials[one]["setting"],
            hp=Hyperparameters(**settings_of(tables.trials[one])),
            val_accuracy=float(on_val[one]["accuracy"]),
            judged=float(on_val[one][study.metric]),
            val_images=on_val[one]["images"],
            checkpoints=states(study, folder, tables, one),
        )
        for one in outcome.completed(tables)
        if one in on_val
    ]
    refuse_copy(folder, tables)
    if not networks:
        raise Mistake(
            f"{folder} has no confirmed network (none has been trained to its end and asked about "
            f"val and test): python -m study.status {shlex.quote(str(folder))} says where it stands"
        )
    return Run(folder, header, study, networks)


def refuse_copy(folder: Path, tables: Tables) -> None:
    """Mistake of a published copy: its few events know no trial, and it has no networks."""
    if not tables.trials and (folder / "trials.parquet").exists():
        raise Mistake(f"{folder} is a published copy, which has no networks: give the study's own")


def chosen(run: Run, network: str = "", model: str = "") -> list[Confirmed]:
    """All seeds of the setting that is best on val by the study's metric, mean of its seeds, the
    best seed first; of one network if it is named, or the one model of that name. Mistake if there
    is no such. Report, explorer and best-NETWORK.toml choose by the same answers."""
    found = [one for one in run.networks if network in ("", one.hp.model)]
    found = [one for one in found if model in ("", one.name)]
    if not found:
        what = f"model {model}" if model else f"network {network}"
        known = ", ".join(f"{one.name} ({one.hp.model})" for one in run.networks)
        raise Mistake(f"{run.folder} has no confirmed {what}: it has {known}")
    settings: dict[str, list[Confirmed]] = {}
    for one in found:
        settings.setdefault(one.setting, []).append(one)
    best = max(settings.values(), key=lambda own: np.mean([one.judged for one in own]))
    return sorted(best, key=lambda one: -one.judged)


def states(study: Study, folder: Path, tables: Tables, name: str) -> Place:
    """Where a confirmed network's states are: in the study's folder where that has the last one, as
    of a study that hasn't always had storage it may have an older one, else in shared storage."""
    own, last = folder / "checkpoints" / name, checkpoint.file_of(tables.last[name]["epoch"])
    here = not study.storage or (own / last).is_file()
    return own if here else shared(study, folder) / "checkpoints" / name


def shared(study: Study, folder: Path) -> Place:
    """A study's folder in shared storage, by whatever name it was fetched from there."""
    return places.at(study.storage) / (study.name or folder.resolve().name)


def state(one: Confirmed) -> dict[str, Any]:
    """A confirmed network's trained state. Mistake if its checkpoint is gone."""
    found = checkpoint.load(one.checkpoints)
    if found is None:
        raise Mistake(
            f"the checkpoint of {one.name} is gone from {places.without_options(one.checkpoints)}: "
            "put it back from a copy, or choose another by --model"
        )
    return found


def answers(
    run: Run, networks: list[Confirmed], split: str, unseen: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """Mean probabilities (N, K) of networks on the images of val or test, and labels (N,), as the
    study has kept them; `unseen` leaves out copies of what was trained on, where others are left.
    """
    table, why = outcome.kept(run.folder / "predictions.parquet")
    if table is None:
        raise Mistake(f"{run.folder}/predictions.parquet can't be read ({why}): restore it")
    frame = outcome.of_split(run.folder, table.to_pandas(), split, unseen)
    columns = [f"p_{name}" for name in run.classes]
    own = [frame[frame["trial_id"] == one.name] for one in networks]
    labels = own[0]["label"].map({name: k for k, name in enumerate(run.classes)}).to_numpy()
    return np.mean([rows[columns].to_numpy(np.float64) for rows in own], axis=0), labels


def images(run: Run, source: str = "") -> Dataset:
    """The study's own data set, whole, from where it was or from `source`. Mistake if it is another
    or isn't there."""
    data = run.header["data"]
    names = run.study.classes if data.get("levels") else ASSUMED
    given, study = source or run.study.data, run.study
    whole = datasets.load(
        given, names=names, without=study.without, crop=study.crop, px=run.side_px
    )
    if whole.digest != data["digest"]:
        raise Mistake(
            f"{source or run.study.data} has digest {whole.digest}, but the study was run on "
            f"{data['name']} ({data['digest']}): give the same data by --data"
        )
    return whole
