"""[PREFIX/]CLASS/[...]NAME without any splits: test and val are carved.

    happy/7.jpg, sad/8.jpg

What lies deeper in a class's folder is counted to it.
"""

import posixpath

from fer_data import Mistake
from fer_data.classes import folded
from fer_data.faces import Face, Found
from fer_data.layout import (
    FOLDERS,
    File,
    below,
    check_depth,
    check_filled,
    ended,
    left_out,
    placed_images,
)
from fer_data.tree import Tree

EMOTIONS = {"angry", "disgust", "fear", "happy", "sad", "surprise", "neutral", "contempt"}


def find(tree: Tree) -> Found | None:
    """Where some folders are called like emotions, or all are numbers and hold images alone."""
    labels = {place.label for name, place in placed(tree).items() if ended(name)}
    deep = any(place.below for place in placed(tree).values())
    known = any(folded(name) in EMOTIONS for name in labels)
    return any_folders(tree) if known or (not deep and all(map(str.isdecimal, labels))) else None


def any_folders(tree: Tree) -> Found | None:
    """Where two folders or more hold images and lie in one."""
    places = placed(tree)
    files = [places[name] for name in placed_images(tree, places)]
    if len({file.label for file in files}) < 2:
        return None
    check_filled(tree, places, files)
    check_depth(tree, files)
    check_splits(tree, files)
    there = {file.name for file in files}
    others = [name for name in tree.files if name not in there]
    notes = (*tree.notes, *below(files), *left_out(places, others, "CLASS/"))
    faces = [Face(file.name, file.label) for file in files]
    return Found(tree, faces, notes=notes, told=tree.files)


def check_splits(tree: Tree, files: list[File]) -> None:
    """Refuse splits below the classes: they would be mixed and carved anew."""
    for file in files:
        if split := [part for part in file.below.split("/") if part.casefold() in FOLDERS]:
            raise Mistake(
                f"{tree.path}: {file.name} lies in {split[0]}/ below its class {file.label}/; "
                "expected SPLIT/CLASS/NAME: put the classes' folders into those of the splits"
            )


def placed(tree: Tree) -> dict[str, File]:
    """Files and folders below CLASS/, which lies in the folder that holds all folders of images."""
    folders = {posixpath.dirname(name) for name in tree.files if ended(name)} - {""}
    if not folders:
        return {}
    prefix = posixpath.commonpath(folders)
    if prefix in folders:  # one folder alone, or images beside the classes
        prefix = posixpath.dirname(prefix) if len(folders) == 1 else prefix
    start = f"{prefix}/" if prefix else ""
    found = {}
    for name in tree.names:
        label, slash, rest = name.removeprefix(start).partition("/")
        if name.startswith(start) and slash:
            found[name] = File(name, prefix, "", label, posixpath.dirname(rest))
    return found
