"""RAF-DB as its authors give it, and as folders 1 to 7.

    basic/EmoLabel/list_patition_label.txt         train_00001.jpg 5
    basic/Image/aligned/train_00001_aligned.jpg    or Image/original/train_00001.jpg
    basic/Annotation/manual/train_00001_manu_attri.txt
    DATASET/train/5/train_00001_aligned.jpg        (Kaggle, shuvoalok/raf-db-dataset)

1 surprise, 2 fear, 3 disgust, 4 happy, 5 sad, 6 angry, 7 neutral: no other set's order. The
attributes of a face are five lines of landmarks, then gender, race and age group, a number a line.
"""

import re
from pathlib import PurePosixPath

from fer_data import Mistake
from fer_data.catalogue import SOURCES
from fer_data.faces import Face, Found
from fer_data.layout import ended
from fer_data.tree import Tree, lines

LISTS = ("list_patition_label.txt", "list_partition_label.txt")
FILE = re.compile(r"^(train|test)_\d+(_aligned)?\.\w+$")
ATTRIBUTES = {
    "gender": ("male", "female", "unsure"),
    "race": ("Caucasian", "African-American", "Asian"),
    "age": ("0-3", "4-19", "20-39", "40-69", "70+"),
}


def find(tree: Tree) -> Found | None:
    lists = [name for name in tree.files if name.endswith(LISTS)]
    return official(tree, lists[0]) if lists else numbered_folders(tree)


def official(tree: Tree, name: str) -> Found:
    """The release: a list of labels, and the aligned faces, else the photographs."""
    pairs = [line.split() for line in lines(tree, name)]
    images = aligned(tree) or original(tree)
    manual = {stem(one, "_manu_attri"): one for one in tree.files if "_manu_attri.txt" in one}
    faces = []
    for pair in pairs:
        key = PurePosixPath(pair[0]).stem
        if len(pair) != 2 or pair[1] not in SOURCES["raf-db"].numbers or key not in images:
            raise Mistake(
                f"{tree.path}: {name} has the line {' '.join(pair)!r}; expected the name of an "
                "image that is there and a number from 1 to 7: get a whole copy"
            )
        about = attributes(tree, manual[key]) if key in manual else ()
        label = SOURCES["raf-db"].numbers[pair[1]]
        faces.append(Face(images[key], label, key.partition("_")[0], about=about))
    faces.sort(key=lambda face: face.file)
    known = [manual[key] for key in sorted(manual)]
    return Found(tree, faces, "raf-db", (name, *known))


def aligned(tree: Tree) -> dict[str, str]:
    return {stem(one, "_aligned"): one for one in tree.files if "_aligned." in one}


def original(tree: Tree) -> dict[str, str]:
    names = [one for one in tree.files if FILE.match(base(one)) and ended(one)]
    return {PurePosixPath(one).stem: one for one in names}


def stem(name: str, end: str) -> str:
    return PurePosixPath(name).stem.removesuffix(end)


def base(name: str) -> str:
    return PurePosixPath(name).name


def attributes(tree: Tree, name: str) -> tuple[tuple[str, str], ...]:
    """Gender, race and age group of a face; those whose number is unknown are left out."""
    with tree.open(name) as file:
        numbers = file.read().decode().split()[-len(ATTRIBUTES) :]
    return tuple(
        (what, words[int(number)])
        for (what, words), number in zip(ATTRIBUTES.items(), numbers, strict=False)
        if number.isdecimal() and int(number) < len(words)
    )


def numbered_folders(tree: Tree) -> Found | None:
    """train/5/train_00001_aligned.jpg: told by the names of its images, by those of all of them."""
    numbers = SOURCES["raf-db"].numbers
    faces = []
    for name in filter(ended, tree.files):
        parts = name.split("/")
        if len(parts) < 3 or parts[-2] not in numbers:
            continue
        if not (match := FILE.match(parts[-1])):
            return None
        faces.append(Face(name, numbers[parts[-2]], match[1]))
    return Found(tree, faces, "raf-db") if faces else None
