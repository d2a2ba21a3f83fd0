"""A source of faces: FER-2013's table, or images in folders, either of them packed or not.

Told by content, not by name. Nothing is unpacked to the disk, nothing that a source holds is ever
executed, and whatever is wrong with it raises Mistake. Images are numbered here, for the study
that answers them and for the results that show them.
"""

import hashlib
from pathlib import Path, PurePosixPath

from fer_data import Mistake
from fer_data.image_files import layout, read_images
from fer_data.rows import Rows
from fer_data.table import read_table
from fer_data.tree import EXPECTED, Tree, check_file, is_tree, opened, readable, shown

TABLES = ("fer2013.csv", "icml_face_data.csv")
TABLE_ENDS = (".csv", ".csv.xz", ".csv.gz")


def read(path: Path) -> Rows:
    """The source's rows; whatever is wrong with it raises Mistake."""
    with readable(path):
        if not is_tree(path):
            with path.open("rb") as file:
                return read_table(file, str(path))
        with opened(path) as tree:
            files, notes = layout(tree)
            if files:
                return read_images(tree, files, notes)
            table = table_name(tree)
            with tree.open(table) as file:
                return read_table(file, f"{path}: {table}")


def digest(path: Path) -> str:
    """16 hex digits of the sha256 over the source's bytes: of a folder, its names and images."""
    with readable(path):
        if not path.is_dir():
            check_file(path)
            with path.open("rb") as whole:
                return hashlib.file_digest(whole, "sha256").hexdigest()[:16]
        with opened(path) as tree:
            total = hashlib.sha256("\0".join(tree.names).encode(errors="surrogateescape"))
            files, _ = layout(tree)
            for name in [file.name for file in files] or [table_name(tree)]:
                with tree.open(name) as file:
                    total.update(hashlib.file_digest(file, "sha256").digest())
            return total.hexdigest()[:16]


def table_name(tree: Tree) -> str:
    """The one table of a tree without images; where there are several, the one named like FER's."""
    files = [name for name in tree.names if not name.endswith("/")]
    if not files:
        raise Mistake(f"{tree.path} is empty; {EXPECTED}")
    tables = [name for name in files if name.lower().endswith(TABLE_ENDS)]
    named = [name for name in tables if PurePosixPath(name).name.lower().startswith(TABLES)]
    if len(tables) == 1 or len(named) == 1:
        return (named or tables)[0]
    if tables:
        raise Mistake(
            f"{tree.path} holds {len(tables)} tables ({shown(tables)}); expected one: give its path"
        )
    raise Mistake(f"{tree.path} holds no data set but {shown(files)}; {EXPECTED}")
