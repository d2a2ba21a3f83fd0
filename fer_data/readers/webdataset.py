"""A webdataset: tar files of KEY.jpg beside KEY.cls, which holds a class number.

    train/0.tar, test/0.tar, classnames.txt       (Hugging Face, clip-benchmark)

Its numbers are in the order of whoever made it, mostly that of the alphabet: 4 neutral, 5 sad and 6
surprise, where FER-2013 has 4 sad, 5 surprise and 6 neutral.
"""

import io
import posixpath
import re
import tarfile
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from fer_data import counted
from fer_data.classes import written
from fer_data.faces import Face, Found
from fer_data.layout import ended
from fer_data.readers.parquet import split_of
from fer_data.tree import Opened, Tree, lines, plain

NAMES = "classnames.txt"
LABEL = ".cls"


@dataclass(frozen=True)
class Sample:
    """An image of a tar, and the label beside it."""

    tar: str  # its name in the tree, "" for the tree itself
    image: str
    label: str


def find(tree: Tree) -> Found | None:
    if any(name.endswith(LABEL) for name in tree.files):
        samples = pairs("", tree.files)
        found = [face_of(tree.open, one, split_of(posixpath.dirname(one.image))) for one in samples]
        faces, tables = named(tree, found)
        return Found(tree, faces, tables=(*(one.label for one in samples), *tables))
    tars = [name for name in tree.files if name.lower().endswith(".tar")]
    archives = {name: members(tree, name) for name in tars}
    if not any(inside.endswith(LABEL) for names in archives.values() for inside in names):
        return None
    open_one = opener(tree, archives)
    faces = [
        face_of(open_one, sample, split_of(name))
        for name, names in archives.items()
        for sample in pairs(name, list(names))
    ]
    faces, tables = named(tree, faces)
    order = {face.file: place for place, face in enumerate(faces)}
    inside = replace(tree, open=open_one, place=order.__getitem__)
    lost = sum(sum(map(ended, names)) for names in archives.values()) - len(faces)
    notes = (f"{counted(lost, 'image')} left out: no {LABEL} beside",) if lost else ()
    return Found(inside, faces, tables=(*tars, *tables), notes=notes, within=True)


def pairs(tar: str, names: Sequence[str]) -> list[Sample]:
    """The images with a label beside them: of the same name but for the ending, else of the same
    key, which in a webdataset is all before the first dot.

    By the key alone the faces of JAFFE, KA.AN1.39.tiff, would be one sample with as many labels
    (webdataset 1.0.2 reads so what it wrote), so a label is shared by a key's images only where it
    is the key's one label, and it or the image is named by nothing but the key.
    """
    told = [name for name in names if name.endswith(LABEL)]
    own = {stem(name): name for name in told}
    many = Counter(map(key, told))
    alone = {key(name): name for name in told if many[key(name)] == 1}

    def label_of(image: str) -> str | None:
        shared = alone.get(key(image))
        plain_key = shared and key(image) in (stem(image), stem(shared))
        return own.get(stem(image)) or (shared if plain_key else None)

    images = filter(ended, names)  # beside them may be .json, .txt and others
    return [Sample(tar, name, label) for name in images if (label := label_of(name))]


def stem(name: str) -> str:
    """All but the ending."""
    return str(PurePosixPath(name).with_suffix(""))


def key(name: str) -> str:
    path = PurePosixPath(name)
    return str(path.with_name(path.name.partition(".")[0]))


def face_of(open_one: Callable[[str], Opened], sample: Sample, split: str) -> Face:
    prefix = f"{sample.tar}:" if sample.tar else ""
    with open_one(prefix + sample.label) as file:
        label = written(file.read().decode("utf-8-sig"), f"{prefix}{sample.label}")
    return Face(prefix + sample.image, label, split)


def members(tree: Tree, name: str) -> dict[str, tuple[int, int]]:
    """File of a tar -> where its bytes begin, and how many they are."""
    with tree.open(name) as file, tarfile.open(fileobj=file) as archive:
        inside = {plain(one.name): (one.offset_data, one.size) for one in archive if one.isfile()}
    return dict(sorted(inside.items()))


def opener(tree: Tree, archives: dict[str, dict[str, tuple[int, int]]]) -> Callable[[str], Opened]:
    """Opens TAR:MEMBER."""

    def open_one(file: str) -> Opened:
        tar, ending, member = re.split(r"(\.tar):", file, maxsplit=1, flags=re.IGNORECASE)
        start, size = archives[tar + ending][member]
        with tree.open(tar + ending) as whole:
            whole.seek(start)
            return io.BufferedReader(io.BytesIO(whole.read(size)))

    return open_one


def named(tree: Tree, faces: list[Face]) -> tuple[list[Face], tuple[str, ...]]:
    """With the names of classnames.txt, a line for each number, where there is one."""
    tables = [name for name in tree.files if name.rpartition("/")[2] == NAMES]
    if not tables:
        return faces, ()
    names = [line.strip() for line in lines(tree, tables[0])]
    if any(not face.label.isdecimal() or int(face.label) >= len(names) for face in faces):
        return faces, ()
    return [replace(face, label=names[int(face.label)]) for face in faces], (tables[0],)
