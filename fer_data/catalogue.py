"""Published data sets: the order of their class numbers, how many images they have, what one may do
with them, and where they are to be had.

Counts are those of the papers and releases; where people's copies differ, the reader's note says by
how much. `EMOTIONS` words are used for all, so that classes of two sets meet by their names.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from fer_data.known import EMOTIONS, FERPLUS

RAF_DB = ("surprise", "fear", "disgust", "happy", "sad", "angry", "neutral")
AFFECTNET = ("neutral", "happy", "sad", "surprise", "fear", "disgust", "angry", "contempt")
CK_PLUS = ("neutral", "angry", "contempt", "disgust", "fear", "happy", "sad", "surprise")


@dataclass(frozen=True)
class Source:
    """A published data set. `numbers`: class number -> class, where the release has numbers."""

    kind: str  # as in --data KIND:PATH
    title: str
    licence: str
    get: str
    numbers: dict[str, str] = field(default_factory=dict)
    counts: dict[str, dict[str, int]] = field(default_factory=dict)  # split -> class -> images
    other: dict[str, dict[str, int]] = field(default_factory=dict)  # where another release differs

    @property
    def said(self) -> str:
        """How the note begins that says of images that they are of it."""
        return f"it is {self.title}, "


def numbered(order: tuple[str, ...], first: int = 0) -> dict[str, str]:
    return {str(number): name for number, name in enumerate(order, first)}


def counted(order: tuple[str, ...], images: tuple[int, ...]) -> dict[str, int]:
    return dict(zip(order, images, strict=True))


SOURCES = {
    source.kind: source
    for source in (
        Source(
            "fer2013",
            "FER-2013",
            "none was granted; photographs from web search, for research only",
            "Kaggle, msambare/fer2013 (`python -m study.data --download`)",
            numbered(EMOTIONS),
        ),
        Source(
            "ferplus",
            "FER+",
            "labels MIT (Microsoft); photographs are FER-2013's",
            "github.com/microsoft/FERPlus with FER-2013's table",
            numbered(FERPLUS),
        ),
        Source(
            "raf-db",
            "RAF-DB (basic)",
            "non-commercial research, on request from its authors",
            "whdeng.cn/RAF/model1.html",
            numbered(RAF_DB, 1),
            {
                "train": counted(RAF_DB, (1290, 281, 717, 4772, 1982, 705, 2524)),
                "test": counted(RAF_DB, (329, 74, 160, 1185, 478, 162, 680)),
            },
        ),
        Source(
            "affectnet",
            "AffectNet",
            "non-commercial research, by agreement with its authors",
            "mohammadmahoor.com/pages/databases/affectnet",
            numbered(AFFECTNET),
            {
                "train": counted(AFFECTNET, (74874, 134415, 25459, 14090, 6378, 3803, 24882, 3750)),
                "test": counted(AFFECTNET, (500,) * 7 + (499,)),
            },
            {"test": counted(AFFECTNET, (500,) * 8)},  # of 2017
        ),
        Source(
            "expw",
            "ExpW",
            "non-commercial research",
            "mmlab.ie.cuhk.edu.hk/projects/socialrelation",
            numbered(EMOTIONS),
            {"": counted(EMOTIONS, (3671, 3995, 1088, 30537, 10559, 7060, 34883))},
        ),
        Source(
            "ckplus",
            "CK+",
            "research, by agreement with its authors",
            "jeffcohn.net/Resources, or Kaggle, shawon10/ckplus",
            numbered(CK_PLUS),
            {"": counted(CK_PLUS[1:], (135, 54, 177, 75, 207, 84, 249))},  # CK+48
            {"": counted(CK_PLUS[1:], (45, 18, 59, 25, 69, 28, 83))},  # the authors': sequences
        ),
        Source(
            "ckextended",
            "CK+ as ckextended.csv",
            "research, by agreement with CK+'s authors",
            "Kaggle, davilsena/ckdataset",
            numbered((*EMOTIONS, "contempt")),
            {"": counted((*EMOTIONS, "contempt"), (45, 59, 25, 69, 28, 83, 593, 18))},
        ),
        Source(
            "kdef",
            "KDEF",
            "non-commercial research, on request from its authors",
            "kdef.se",
            counts={"": {name: 700 for name in EMOTIONS}},
        ),
        Source(
            "jaffe",
            "JAFFE",
            "non-commercial research",
            "zenodo.org/records/3451524",
            counts={"": counted(EMOTIONS, (30, 29, 32, 31, 31, 30, 30))},
        ),
    )
}


def of_study(data: Mapping[str, Any], asked: str = "") -> Source | None:
    """The published data set that a study's images are of: as it was recognised, insisted on, or,
    where classes were left out of it, as its note says. `data` is that of study.json, `asked` the
    study's --data."""
    for kind in (str(data.get("known", "")), asked.partition(":")[0]):
        if kind in SOURCES:
            return SOURCES[kind]
    notes = data.get("notes", ())
    told = [one for one in SOURCES.values() if any(note.startswith(one.said) for note in notes)]
    return told[0] if told else None


def margin(study: Mapping[str, Any], data: Mapping[str, Any]) -> float:
    """The margin around a study's faces, by the two parts of study.json: KDEF's squares are as wide
    as its portraits and have none, though --crop was taken for it before 2026-11-30."""
    source = of_study(data, str(study.get("data", "")))
    kind = source.kind if source else data.get("name")  # which is all that the journal keeps
    return 0.0 if kind == "kdef" else study.get("crop", 0.0)
