"""READERS, one layout of faces each: a tree's names, and what they say of each face.

A reader takes a tree and returns what it finds, or None where the tree is laid out otherwise; only
a tree that is its own and broken raises Mistake. It decodes no image.
"""

import sys
from collections.abc import Callable

from fer_data.faces import Found
from fer_data.readers import (
    affectnet,
    ck_plus,
    class_folders,
    expw,
    ferplus,
    jaffe,
    kdef,
    parquet,
    path_table,
    raf_db,
    split_folders,
    webdataset,
)
from fer_data.tree import Tree

Reader = Callable[[Tree], Found | None]

# Kind, as in --data KIND:PATH -> its reader. The first that finds something wins: those that know
# their files' names come before those that take any.
READERS: dict[str, Reader] = {
    "raf-db": raf_db.find,
    "affectnet": affectnet.find,
    "expw": expw.find,
    "ckplus": ck_plus.find,
    "kdef": kdef.find,
    "jaffe": jaffe.find,
    "ferplus": ferplus.find,
    "ferplus-votes": ferplus.find_votes,
    "webdataset": webdataset.find,
    "parquet": parquet.find,
    "folders": split_folders.find,
    "paths": path_table.find,
    "classes": class_folders.find,
}


# Layouts in which any data set may be.
CARRIERS = ("webdataset", "parquet", "folders", "paths", "classes")


def find(tree: Tree, kind: str = "") -> Found | None:
    """What the readers for a kind find, or the first of all; None where none does.

    `kind`: a layout, or a data set, which may also lie in a layout that any may have.
    """
    if kind == "classes":
        return class_folders.any_folders(tree)
    if kind in CARRIERS:
        return READERS[kind](tree)
    tried = [name for name in READERS if not kind or name == kind or name in CARRIERS]
    return next((found for name in tried if (found := READERS[name](tree))), None)


def lone(tree: Tree) -> bool:
    """Whether a file that is no archive has a reader here, and isn't FER-2013's table."""
    (name,) = tree.names
    if name.lower().endswith(".parquet"):
        return True
    return name.lower().endswith(".csv") and path_table.is_table(path_table.header(tree, name))


def laid_out(kind: str) -> str:
    """How a layout looks, in a sentence: the indented lines of its reader's docstring."""
    lines = (
        sys.modules[getattr(READERS[kind], "func", READERS[kind]).__module__].__doc__ or ""
    ).splitlines()
    return "expected " + "; ".join(" ".join(x.split()) for x in lines if x.startswith("    "))
