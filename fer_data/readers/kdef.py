"""KDEF: photographs of 562 x 762 pixels.

    KDEF/AF01/AF01AFS.JPG

Session A or B, sex, number, emotion, angle (FL, HL, S straight, HR, FR). AF01 and BF01 are the same
person in two sessions: sex and number are the group. Two files of the release have cut names, and
some are all black.
"""

import re

from fer_data import counted, image_files
from fer_data.faces import Box, Face, Found
from fer_data.layout import ended, passed_over
from fer_data.tree import Tree

EMOTIONS = {
    "AF": "fear",
    "AN": "angry",
    "DI": "disgust",
    "HA": "happy",
    "NE": "neutral",
    "SA": "sad",
    "SU": "surprise",
}
FILE = re.compile(
    rf"(?:^|/)[AB]([FM]\d\d)({'|'.join(EMOTIONS)})(FL|HL|S|HR|FR)\.\w+$", re.IGNORECASE
)
CUT = {"AF31V.JPG": "AF31SAHL.JPG", "AM31H.JPG": "AM31SUHR.JPG"}  # errata: what they are
BLACK = 12_104  # bytes of the files of the release that are all black
MIDDLE = (0, 100, 562, 662)  # the square of a portrait in which the face is
WHOLE_PX = (562, 762)


def find(tree: Tree) -> Found | None:
    matched = {name: FILE.search(whole(name)) for name in tree.files}
    there = {name: match for name, match in matched.items() if match and ended(name)}
    if not there:
        return None
    black = [name for name in there if tree.size(name) == BLACK]
    box = middle(tree, next((name for name in there if name not in black), [*there][0]))
    faces = [
        Face(
            name,
            EMOTIONS[match[2].upper()],
            group=match[1].upper(),
            box=box,
            about=(("angle", match[3].upper()),),
        )
        for name, match in there.items()
        if name not in black
    ]
    notes = passed_over(there)
    if black:
        notes += (f"{counted(len(black), 'file')} left out: all black in the release",)
    if cut := [name for name in there if name.rpartition("/")[2].upper() in CUT]:
        notes += (f"{len(cut):,} files whose names the release cut were read by its errata",)
    return Found(tree, faces, "kdef", notes=notes, told=black)


def middle(tree: Tree, name: str) -> Box | None:
    """The square with the face by the size of one file, as copies are all of one: a portrait's part
    in the same place where it is smaller, and all of what isn't a portrait."""
    with tree.open(name) as file:
        wide, high = image_files.size(file.read())
    scale = wide / WHOLE_PX[0]
    if not scale or abs(scale * WHOLE_PX[1] - high) > 2:
        return None
    left, top, right, bottom = (round(scale * end) for end in MIDDLE)
    return left, top, right, bottom


def whole(name: str) -> str:
    folder, slash, file = name.rpartition("/")
    return folder + slash + CUT.get(file.upper(), file)
