"""What a source of faces holds: a row per image, in the source's order."""

from dataclasses import dataclass, field, replace

import numpy as np

SIDE_PX = 48  # rows, and columns, of an image once it is read; more only where they are asked for
USAGES = {"Training": "train", "PublicTest": "val", "PrivateTest": "test"}  # FER-2013's own names


@dataclass(frozen=True)
class Rows:
    """A source as it was read."""

    images: np.ndarray  # uint8 (N, side, side)
    names: np.ndarray  # str (N,), class names
    splits: np.ndarray  # str (N,), train, val or test; all "" where nothing tells it
    ids: np.ndarray  # int64 (N,), row of the table (FER+: kept row) from 0, or place in its files
    notes: tuple[str, ...]  # sentences on what had to be assumed or changed
    known: str = ""  # the published data set whose images per class and split these are, as fer2013
    groups: np.ndarray = field(default_factory=lambda: np.array([]))  # str (N,), see faces.Face
    about: dict[str, np.ndarray] = field(default_factory=dict)  # attribute -> str (N,), "" unknown
    shares: np.ndarray | None = None  # float (N, 8) of votes for FERPLUS's classes; 0 where none
    largest_px: int = SIDE_PX  # side of the largest face as the source has it
    unnamed: bool = False  # whether `names` are class numbers that nothing names, as class 0

    def taken(self, rows: np.ndarray) -> "Rows":
        """Some of its images, by their places or by a mask of them, in that order."""
        return replace(
            self,
            images=self.images[rows],
            names=self.names[rows],
            splits=self.splits[rows],
            ids=self.ids[rows],
            groups=self.groups[rows] if self.groups.size else self.groups,
            about={what: values[rows] for what, values in self.about.items()},
            shares=None if self.shares is None else self.shares[rows],
        )
