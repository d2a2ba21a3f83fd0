"""What a new study is made of before its first trial: images, share of a GPU, folder. Driver."""

import math
import os
import shlex
import shutil
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from fer_data.classes import ASSUMED
from fer_data.dataset import levels
from fer_data.rows import SIDE_PX
from fer_models import MODELS
from fer_models.own import KNOWN
from study import Mistake, listing
from study.cluster import resources
from study.config.hyperparameters import Hyperparameters
from study.config.study import Range, Setting, Study, configuration, domains
from study.data import datasets
from study.record import outcome, progress
from study.search import earlier
from study.storage import atomic, errors

TRIALS_PER_GPU = 4  # more only where asked for: how they slow each other isn't measured
OTHERWISE = (
    "; if they are, they hold files that the version which began it left out (by their ending, or "
    "one folder deeper) or didn't turn as their EXIF says: start another study"
)


def at_most(study: Study, whole: datasets.Dataset, given: Iterable[str]) -> Study:
    """A preset's parts of the images shrink to what there is; what a person gives does not."""
    judged = clean(whole) if study.val_copies == "without" else whole.val
    there = {"train_images": len(whole.train.labels), "val_images": len(judged.labels)}
    small: dict[str, Any] = {
        name: 0 for name, size in there.items() if name not in given and getattr(study, name) > size
    }
    return replace(study, **small)


def parts(study: Study, whole: datasets.Dataset) -> datasets.Dataset:
    """The data set with train and val cut to the parts that the study asks for."""
    val = clean(whole) if study.val_copies == "without" else whole.val
    return replace(
        whole,
        train=datasets.subset(whole.train, study.train_images, study.seed),
        val=datasets.subset(val, study.val_images, study.seed),
    )


def clean(whole: datasets.Dataset) -> datasets.Split:
    """Val without exact and near copies of training images; all of it where no other is left."""
    keep = ~(whole.val_duplicate | whole.val_near)
    return whole.val.taken(keep) if keep.any() else whole.val


def side_px(study: Study) -> int:
    """The side at which the study's faces are kept, where their files have so many pixels: that of
    its largest trial."""
    return max(SIDE_PX, *(largest.image_px for _, largest in extremes(study)))


def check_batches(study: Study, images: int) -> None:
    """Refuse what no batch can be made of, or trained on, before anything starts."""
    tried = [hp for pair in extremes(study) for hp in pair]
    if (largest := max(hp.batch_size for hp in tried)) > images:
        raise Mistake(
            f"batch_size goes up to {largest}, but there are {images} training images: choose "
            "smaller batches (--batch-size) or more images"
        )
    for hp in tried:
        if hp.batch_size == 1 and not trains_on_one_image(hp):
            raise Mistake(
                f"{hp.model} can't train on batches of one image: at image_px {hp.image_px} its "
                "batch normalisation would see one value a channel; choose --batch-size 2 or more"
            )


def check_networks(study: Study, classes: int) -> None:
    """Refuse networks of one's own that no trial could train."""
    tried = [hp for pair in extremes(study) for hp in pair if hp.model in KNOWN]
    if tried:
        from study.training import own_networks

        own_networks.check(tried, classes)


def extremes(study: Study) -> list[tuple[Hyperparameters, Hyperparameters]]:
    """With the smallest and with the largest batch and image that the study may try, a pair for
    each network of a search, or for each setting."""
    if "search" not in study.stages:
        return [(hp, hp) for hp in (configuration(study, s) for s in outcome.wanted(study))]
    pairs = []
    for model in study.models:
        hp = configuration(study, Setting("", {"model": model}))
        low, high = {}, {}
        for name in ("batch_size", "image_px"):
            _, domain = domains(study, model).get(name, ("", getattr(hp, name)))
            values = (domain.low, domain.high) if isinstance(domain, Range) else domain
            values = values if isinstance(values, tuple) else (values,)
            low[name], high[name] = min(values), max(values)
        pairs.append((replace(hp, **low), replace(hp, **high)))
    return pairs


def trains_on_one_image(hp: Hyperparameters) -> bool:
    """Shapes alone are worked out: the meta device computes nothing."""
    import torch

    with torch.device("meta"):
        model = MODELS[hp.model](classes=2, **hp.options).train()
        try:
            model(torch.zeros(1, 1, hp.image_px, hp.image_px))
        except ValueError:  # "Expected more than 1 value per channel when training"
            return False
    return True


def earlier_trials(study: Study, given: str, digest: str) -> dict[str, list[earlier.Record]]:
    """What the sampler knows of the studies in these folders (A,B), for study.json; empty where
    none is given. Mistake if it would make nothing of it."""
    names = listing(given)
    if not names:
        return {}
    if "search" not in study.stages or study.sampler != "tpe":
        why = f"sampler {study.sampler} proposes the same whatever it knows"
        why = why if "search" in study.stages else "nothing is searched"
        raise Mistake(f"--from does nothing here, since {why}: leave it out")
    if len({Path(name).resolve() for name in names}) < len(names):
        raise Mistake(f"--from is {given}: expected each study once")
    found = []
    for name in names:
        folder = Path(name)
        old, tables = progress.described(folder), outcome.past(folder)
        found.append(earlier.record(study, digest, name, old, tables))
    if not any(one["known"] for one in found):
        told = "; ".join(map(earlier.words, found))
        raise Mistake(f"--from does nothing here, since none fits ({told}): leave it out")
    return {"earlier": found}


def shared(study: Study, dataset: datasets.Dataset) -> Study:
    """A share of a GPU that isn't given is worked out from the memory that trials need.

    It holds for this driver's machines: what the study asks for stays as it is.
    """
    capacity = resources.capacity()
    if study.gpus_per_trial or study.device == "cpu" or not capacity["GPU"]:
        return study
    images = len(dataset.train.labels) + len(dataset.val.labels)
    free_mib, native = resources.gpus_have()
    cores = capacity["CPU"] / capacity["GPU"]
    together = trials_per_gpu(study, len(dataset.classes), images, free_mib, cores, native)
    return replace(study, gpus_per_trial=1 / together)


def trials_per_gpu(
    study: Study, classes: int, images: int, free_mib: float, cores: float, native: bool
) -> int:
    """Trials that share a GPU with this much free memory (MiB), by the trial that needs most of it;
    `native` is whether the GPU computes in bfloat16, which halves that.

    At least one, at most TRIALS_PER_GPU, and no more than there are cores for.
    """
    from study.training import gpu_memory

    each = [hp for _, hp in extremes(study)]
    if not native:
        each = [replace(hp, precision="float32") if hp.precision == "auto" else hp for hp in each]
    need = max(gpu_memory.memory_mib(hp, classes, images) for hp in each)
    fit = min(free_mib // need, cores // study.cpus_per_trial, TRIALS_PER_GPU)
    return max(1, math.floor(fit))


def described(whole: datasets.Dataset, dataset: datasets.Dataset) -> dict[str, Any]:
    """The data set as study.json tells it: `counts` of all of it, `images` of the parts used, and
    `judged`, the classes of the images of val that an epoch is judged on."""
    splits = {"train": dataset.train, "val": dataset.val, "test": dataset.test}
    return {
        "name": whole.name,
        "digest": whole.digest,
        "synthetic": whole.synthetic,
        "classes": list(whole.classes),
        "images": {name: len(split.labels) for name, split in splits.items()},
        "counts": datasets.counts(whole).T.to_dict(),
        "judged": datasets.counts(dataset).T.to_dict()["val"],
        "test_duplicates": int(whole.duplicate.sum()),
        "val_duplicates": int(whole.val_duplicate.sum()),
        "test_near_copies": int(whole.near.sum()),
        "val_near_copies": int(whole.val_near.sum()),
        "levels": levels(whole),
        "known": whole.known,
        "side_px": whole.side_px,
        "source": dict(zip(("name", "digest"), whole.source, strict=True)),
        "notes": list(whole.notes),
    }


def class_names(study: Study, data: dict[str, Any]) -> tuple[str, ...]:
    """The names with which a study that exists reads its classes. Versions that didn't keep grey
    levels took numbers for FER-2013's, and what was begun so goes on so."""
    return study.classes if data.get("levels") else ASSUMED


def check_same(study: Study, whole: datasets.Dataset, data: dict[str, Any]) -> None:
    """Refuse to go on with other data than the study was begun on."""
    if whole.digest == data["digest"]:
        return
    source = data.get("source")
    copy = f" ({source['name']}, file {source['digest']})" if source and source["name"] else ""
    raise Mistake(
        f"{study.data} has digest {whole.digest}, but the study was begun on "
        f"{data['digest']}{copy}: give the same data back"
        + ("" if data.get("levels") else OTHERWISE)
    )


def taken(folder: Path) -> Mistake:
    """Of a new study whose folder is there."""
    return Mistake(
        f"{folder} exists: go on with it by --resume {shlex.quote(str(folder))}, or choose another "
        "--name"
    )


def make_folder(folder: Path, header: dict[str, Any]) -> None:
    """The study's folder with its study.json, at once: a driver that dies leaves both or neither,
    and so nothing that is neither new nor to be resumed."""
    unfinished = folder.with_name(f".{folder.name}.{os.getpid()}")
    try:
        unfinished.mkdir(parents=True)
        atomic.write_json(unfinished / "study.json", header | {"status": "running", "reason": ""})
        unfinished.rename(folder)
        atomic.sync_folder(folder.parent)
    except OSError as error:
        shutil.rmtree(unfinished, ignore_errors=True)
        if error.filename2 and folder.exists():  # another study was faster
            raise taken(folder) from None
        if why := errors.refused(error):
            raise Mistake(why) from None
        raise
