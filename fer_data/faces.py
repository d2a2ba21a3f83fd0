"""What a reader finds: one face after the other, with all that its source says of it."""

from collections.abc import Collection
from dataclasses import dataclass

from fer_data.tree import Tree

Box = tuple[int, int, int, int]  # left, top, right, bottom, in pixels of the file


@dataclass(frozen=True)
class Face:
    """A face: its file in the tree, and what the source says of it."""

    file: str
    label: str  # a class's name, or its number as it is written
    split: str = ""  # train, val, test or layout.EVAL; "" where the source has none
    group: str = ""  # the person, sequence or photograph it is of; "" for an image by itself
    box: Box | None = None  # the part of the file that is the face; None for all of it
    about: tuple[tuple[str, str], ...] = ()  # attribute -> value, as ("gender", "female")
    shares: tuple[float, ...] = ()  # of the classes in FERPLUS, where it has votes


@dataclass(frozen=True)
class Found:
    """The faces of a source, sorted by file, and how they were read."""

    tree: Tree  # opens the faces' files
    faces: list[Face]
    source: str = ""  # the published data set that it must be, a kind of catalogue.SOURCES
    tables: tuple[str, ...] = ()  # files that say what the faces show, or hold them
    notes: tuple[str, ...] = ()
    within: bool = False  # whether the faces' files are parts of `tables`
    lacking: str = ""  # why no study can train on them, as without a split that it needs
    told: Collection[str] = ()  # files without a face that its notes count already
