"""The data set of a study: uint8 splits from any source, checked at the door and cached once.

Runs on the driver and in the worker. `python -m study.data --help` describes, prepares, downloads.
"""

import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from fer_data import cache as caches
from fer_data import fer2013, sources
from fer_data.classes import ASSUMED
from fer_data.dataset import Dataset, Split, checked, content_digest, parts, read
from fer_data.known import SPLITS
from fer_data.rows import SIDE_PX
from fer_data.splits import identical
from study import Mistake, complain
from study.data import drawn_faces
from study.storage import atomic

if TYPE_CHECKING:
    import pandas as pd

CACHE_VERSION = 10  # count up when what is read, carved or stored changes
DRAWING_SEED = 0
MARKS = ("duplicate", "val_duplicate", "near", "val_near")  # of a data set's images
ENDS = (".csv", ".xz", ".gz", ".bz2", ".tar", ".tgz", ".zip")
DRAWN = (
    "these faces are drawn, so the numbers say nothing of real faces; get FER-2013 with "
    "`python -m study.data --download` or give --data PATH"
)


def load(
    source: str | Path | None = None,
    cache: Path | None = None,
    names: tuple[str, ...] = (),
    without: tuple[str, ...] = (),
    crop: float = 0.0,
    px: int = SIDE_PX,
) -> Dataset:
    """The data set of a path, or KIND:PATH, or of drawn faces (None, "faces", or "faces:N" with N
    for train).

    `names` are those of the classes in the order of their numbers, where the source has no names;
    `without` are classes to leave out; `crop` is the margin around a face's box, of its side; `px`
    the side at which faces are kept, as far as the source has so many pixels. What was prepared
    before is read from the folder `cache`, else FER_STUDY_CACHE, else ~/.cache/fer-study. A folder
    that was named and can't be written is a Mistake; without the usual one the images are prepared
    all the same, and stderr says so.
    """
    if source is None or (isinstance(source, str) and source.partition(":")[0] == "faces"):
        if names not in ((), ASSUMED):
            raise Mistake("drawn faces have classes with names: leave out --classes")
        if without:
            raise Mistake("drawn faces are drawn with all of their classes: leave out --without")
        if crop:
            raise Mistake("drawn faces have no boxes to cut to: leave out --crop")
        sizes = drawn_sizes(source)
        return cached(drawn_digest(sizes), cache, lambda: drawn(sizes))
    kind, place = sources.asked(os.fspath(source))
    path = Path(os.path.expanduser(place))
    digest = sources.digest(path, kind)
    key = f"{digest}{f'-{kind}' if kind else ''}{named(names)}{named(without, 'without-')}"
    key += f"-crop{crop:g}" if crop else ""
    if px > SIDE_PX and largest(prepared(key, cache)) > SIDE_PX:
        key += f"-{px}px"
    dataset = cached(key, cache, lambda: read(path, names, kind, without, crop, px))
    name = os.path.basename(os.path.abspath(path))
    return replace(dataset, name=dataset.known or plain_name(path), source=(name, digest))


def named(names: tuple[str, ...], what: str = "") -> str:
    """The part of a cache file's name that is of the names of classes given; "" without any."""
    if not names:
        return ""
    return f"-{what}{hashlib.sha256(json.dumps(names).encode()).hexdigest()[:8]}"


def absolute(source: str) -> str:
    """A source's name that holds from any folder; drawn faces and addresses are as they are."""
    if source.partition(":")[0] == "faces" or "://" in source:
        return source
    kind, path = sources.asked(source)
    return f"{kind}:" * bool(kind) + os.path.abspath(os.path.expanduser(path))


def subset(split: Split, images: int, seed: int) -> Split:
    """That many images of a split, in its order and its shares of the classes; 0 means all."""
    total = len(split.labels)
    if not 0 <= images <= total:
        raise Mistake(f"{images:,} images were asked for; expected 1 to {total:,}, or 0 for all")
    if images == 0:
        return split
    generator = np.random.default_rng(seed)
    taken = [
        generator.permutation(np.flatnonzero(split.labels == label))[:share]
        for label, share in enumerate(shares(np.bincount(split.labels), images))
    ]
    return split.taken(np.sort(np.concatenate(taken)))


def counts(dataset: Dataset) -> "pd.DataFrame":
    """Images per split (rows) and class (columns)."""
    import pandas as pd  # half a second that a worker, or a load, does without

    table = [np.bincount(split.labels, minlength=len(dataset.classes)) for split in parts(dataset)]
    return pd.DataFrame(table, index=list(SPLITS), columns=list(dataset.classes))


def overlaps(dataset: Dataset) -> "pd.DataFrame":
    """Images per finding (rows) and split (columns); identical means in all pixels."""
    import pandas as pd

    rows = images_table(dataset)
    found = {"further copy within the split": rows.duplicated(["split", "group"])}
    for name in SPLITS:
        inside = rows["split"] == name
        found[f"also in {name}"] = rows["group"].isin(rows["group"][inside]) & ~inside
    found["identical to one with another label"] = rows["labels"] > 1
    found["blank (a single grey level)"] = rows["blank"]
    return pd.DataFrame(found).groupby(rows["split"].array).sum().T[list(SPLITS)]


def images_table(dataset: Dataset) -> "pd.DataFrame":
    """A row per image: split, group of identical images, how many labels that group has, blank."""
    import pandas as pd

    splits = parts(dataset)
    sizes = [len(split.labels) for split in splits]
    pixels = np.concatenate([split.images.reshape(len(split.images), -1) for split in splits])
    rows = pd.DataFrame({"split": np.repeat(SPLITS, sizes), "group": identical(pixels)})
    rows["label"] = np.concatenate([split.labels for split in splits])
    rows["labels"] = rows.groupby("group")["label"].transform("nunique")
    rows["blank"] = pixels.min(1) == pixels.max(1)
    return rows


def describe(dataset: Dataset) -> str:
    """The data set in plain text, as the command line prints it."""
    table = counts(dataset).assign(all=lambda frame: frame.sum(axis=1))
    table.loc["all"] = table.sum()
    rows = images_table(dataset)
    conflicts = rows["group"][rows["labels"] > 1].nunique()
    lines = [
        f"{dataset.name}: {len(rows):,} images of {dataset.side_px} x {dataset.side_px} pixels in "
        f"{len(dataset.classes)} classes, digest {dataset.digest}{known(dataset)}",
        printed(table),
        printed(overlaps(dataset)),
        f"test images that also occur in train or val: {dataset.duplicate.sum():,}\n"
        f"val images that also occur in train: {dataset.val_duplicate.sum():,}\n"
        f"near copies: test images of one in train or val {dataset.near.sum():,}, val images of "
        f"one in train {dataset.val_near.sum():,}\n"
        f"groups of identical images with different labels: {conflicts:,}",
    ]
    return "\n\n".join([*lines, *(f"Note: {note}." for note in dataset.notes)])


def known(dataset: Dataset) -> str:
    """Which published data set this was recognised as, for a sentence; "" for any other."""
    return f"; recognised as {dataset.known}" if dataset.known else ""


def printed(table: "pd.DataFrame") -> str:
    return table.map(lambda number: f"{number:,}" if number else "-").to_string()


def plain_name(path: Path) -> str:
    """The name of a file without .csv, .zip and the like, or that of a folder."""
    name = os.path.basename(os.path.abspath(path))
    while not path.is_dir() and Path(name).suffix.lower() in ENDS:
        name = Path(name).stem
    return name


def shares(available: np.ndarray, images: int) -> np.ndarray:
    """How many of each class make up `images`: in proportion, and one at least where that fits."""
    taken, rest = np.divmod(images * available, available.sum())
    taken[np.argsort(-rest, kind="stable")[: images - taken.sum()]] += 1
    if images >= np.count_nonzero(available):
        for label in np.flatnonzero((taken == 0) & (available > 0)):
            taken[np.argmax(taken)] -= 1
            taken[label] = 1
    return taken


def drawn_sizes(source: str | None) -> tuple[int, int, int]:
    """Images of train, val and test that "faces" or "faces:N" asks for."""
    if source in (None, "faces"):
        train, val, test = fer2013.SIZES.values()
        return train, val, test
    least = 2 * len(drawn_faces.CLASSES)
    number = source.partition(":")[2]
    if not (number.isdecimal() and least <= int(number) <= 10_000_000):
        raise Mistake(
            f"{source!r} was asked for; expected faces:N with {least} training images or more, as "
            "faces:2000 (a file of that name is ./faces)"
        )
    eighth = max(int(number) // 8, least)
    return int(number), eighth, eighth


def drawn_digest(sizes: tuple[int, int, int]) -> str:
    """What decides drawn faces: how many, the seed, and the code that draws them."""
    code = Path(drawn_faces.__file__).read_bytes()
    return hashlib.sha256(code + repr((sizes, DRAWING_SEED)).encode()).hexdigest()[:16]


def drawn(sizes: tuple[int, int, int]) -> Dataset:
    images, labels, names = drawn_faces.draw(*sizes, DRAWING_SEED)
    splits = []
    for name in SPLITS:
        ids = np.flatnonzero(names == name)
        splits.append(Split(images[ids], labels[ids], ids))
    return checked("faces", drawn_faces.CLASSES, splits, (DRAWN,), synthetic=True)


def prepared(key: str, cache: Path | None) -> Path:
    """The file of the cache."""
    return caches.folder(cache) / f"{key}-v{CACHE_VERSION}.npz"


def largest(path: Path) -> float:
    """The side of the largest face of a source of which a file was prepared; inf where none was."""
    try:
        with np.load(path, allow_pickle=False) as file:
            return float(json.loads(str(file["about"]))["largest_px"])
    except Exception:  # none there, or damaged, which `cached` says
        return np.inf


def cached(key: str, cache: Path | None, prepare: Callable[[], Dataset]) -> Dataset:
    """What the cache has under the source's digest, else what `prepare` returns, stored there."""
    path = prepared(key, cache)
    if os.path.exists(path):
        try:
            return stored(path)
        except Exception as error:  # there is no error that damage can't make NumPy raise
            say(f"the cache file {path} is damaged ({error}): it is built anew")
    dataset = prepare()
    try:
        store(dataset, path)
    except OSError as error:
        refusal = f"{path.parent} can't be written ({error.strerror or error})"
        if cache or os.environ.get("FER_STUDY_CACHE"):
            raise Mistake(
                f"the cache folder {refusal}; expected a folder with 100 MB to spare: give another "
                f"as {'--cache DIR' if cache else 'FER_STUDY_CACHE'}"
            ) from error
        say(f"the cache folder {refusal}: going on without it; FER_STUDY_CACHE names another")
    return dataset


def store(dataset: Dataset, path: Path) -> None:
    """Write a data set as a .npz file, replaced whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    about = {name: getattr(dataset, name) for name in ("name", "digest", "classes", "notes")}
    about |= {name: getattr(dataset, name) for name in ("synthetic", "known", "largest_px")}
    arrays = {"about": np.array(json.dumps(about))}
    arrays |= {name: getattr(dataset, name) for name in MARKS}
    for name, split in zip(SPLITS, parts(dataset), strict=True):
        there = {key: value for key, value in vars(split).items() if value is not None}
        arrays |= {f"{name}_{key}": value for key, value in there.items()}
    atomic.replace(path, lambda file: np.savez(file, allow_pickle=False, **arrays))


def stored(path: Path) -> Dataset:
    """A data set as `store` wrote it; ValueError where its content isn't that of its digest."""
    with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
        about = json.loads(str(file["about"]))
        splits = [
            Split(
                **{
                    key: file[f"{name}_{key}"]
                    for key in ("images", "labels", "ids", "shares")
                    if f"{name}_{key}" in file
                }
            )
            for name in SPLITS
        ]
        dataset = Dataset(
            name=about["name"],
            digest=about["digest"],
            classes=tuple(about["classes"]),
            train=splits[0],
            val=splits[1],
            test=splits[2],
            **{name: file[name] for name in MARKS},
            notes=tuple(about["notes"]),
            synthetic=about["synthetic"],
            known=about["known"],
            largest_px=about["largest_px"],
        )
    if content_digest(dataset.classes, splits) != dataset.digest:
        raise ValueError("its content is not that of its digest")
    return dataset


def say(sentence: str) -> None:
    """One line on stderr, whatever a file name holds."""
    complain(f"study.data: {' '.join(sentence.split())}")
