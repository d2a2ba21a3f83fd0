"""JAFFE: names of person, emotion with the number of the take, and number of the file.

    KA.AN1.39.tiff

FE is fear: other sets write it AF. Ten women, about three takes of each emotion: the person is the
group.
"""

import re

from fer_data.faces import Face, Found
from fer_data.layout import ended, passed_over
from fer_data.tree import Tree

EMOTIONS = {
    "AN": "angry",
    "DI": "disgust",
    "FE": "fear",
    "HA": "happy",
    "NE": "neutral",
    "SA": "sad",
    "SU": "surprise",
}
FILE = re.compile(rf"(?:^|/)([A-Z]{{2}})\.({'|'.join(EMOTIONS)})\d\.\d+\.\w+$")


def find(tree: Tree) -> Found | None:
    matches = [match for name in tree.files if ended(name) and (match := FILE.search(name))]
    faces = [Face(match.string, EMOTIONS[match[2]], group=match[1]) for match in matches]
    notes = passed_over(face.file for face in faces)
    return Found(tree, faces, "jaffe", notes=notes) if faces else None
