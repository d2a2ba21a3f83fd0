"""[PREFIX/]CLASS/NAME without any splits: test and val are carved.

happy/7.jpg, sad/8.jpg
"""

from pathlib import PurePosixPath

from fer_data.classes import folded
from fer_data.faces import Face, Found
from fer_data.layout import ended
from fer_data.tree import Tree

EMOTIONS = {"angry", "disgust", "fear", "happy", "sad", "surprise", "neutral", "contempt"}


def find(tree: Tree) -> Found | None:
    """Where some folders are called like emotions, or all are numbers."""
    found = any_folders(tree)
    names = {face.label for face in found.faces} if found else set()
    known = any(folded(name) in EMOTIONS for name in names)
    return found if known or all(name.isdecimal() for name in names) else None


def any_folders(tree: Tree) -> Found | None:
    """Where two folders or more hold images and lie in one."""
    images = [PurePosixPath(name) for name in tree.files if ended(name)]
    folders = {image.parent for image in images}
    apart = len({folder.parent for folder in folders}) > 1 or PurePosixPath(".") in folders
    if len(folders) < 2 or apart:
        return None
    return Found(tree, [Face(str(image), image.parent.name) for image in images])
