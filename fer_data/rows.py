"""What a source of faces holds: a row per image, in the source's order."""

from dataclasses import dataclass, field

import numpy as np

SIDE_PX = 48  # rows, and columns, of every image once it is read
USAGES = {"Training": "train", "PublicTest": "val", "PrivateTest": "test"}  # FER-2013's own names


@dataclass(frozen=True)
class Rows:
    """A source as it was read."""

    images: np.ndarray  # uint8 (N, 48, 48)
    names: np.ndarray  # str (N,), class names
    splits: np.ndarray  # str (N,), train, val or test; "" where nothing tells it
    ids: np.ndarray  # int64 (N,), row of the table from 0, or place in the sorted list of files
    notes: tuple[str, ...]  # sentences on what had to be assumed or changed
    known: str = ""  # the published data set whose images per class and split these are, as fer2013
    groups: np.ndarray = field(default_factory=lambda: np.array([]))  # str (N,), see faces.Face
    about: dict[str, np.ndarray] = field(default_factory=dict)  # attribute -> str (N,), "" unknown
    shares: np.ndarray | None = None  # float (N, 8) of votes for FERPLUS's classes; 0 where none
