"""ExpW: a list of boxes, and the photographs.

    label/label.lst
    image/origin/NAME.jpg

A line is: name, number of the face in it, TOP, LEFT, RIGHT, BOTTOM, confidence of the box, label. A
photograph has several faces, so it is their group. No split is published.
"""

from fer_data import Mistake
from fer_data.catalogue import SOURCES
from fer_data.faces import Face, Found
from fer_data.tree import Tree, lines

LIST = "label.lst"
FIELDS = 8


def find(tree: Tree) -> Found | None:
    lists = [name for name in tree.files if name.rpartition("/")[2] == LIST]
    if not lists:
        return None
    images = {name.rpartition("/")[2]: name for name in tree.files if name != lists[0]}
    faces = [face(tree, line.split(), images) for line in lines(tree, lists[0])]
    there = [one for one in faces if one]
    if not there:
        raise Mistake(f"{tree.path} has {lists[0]} but none of its images: put them beside it")
    lost = len(faces) - len(there)
    notes = (f"{lost:,} faces of {LIST} have no image here",) if lost else ()
    there.sort(key=lambda one: (one.file, one.box))
    return Found(tree, there, "expw", (lists[0],), notes)


def face(tree: Tree, line: list[str], images: dict[str, str]) -> Face | None:
    """The face of a line; None where its image isn't there."""
    numbers = SOURCES["expw"].numbers
    if len(line) != FIELDS or line[7] not in numbers or not all(map(whole, line[2:6])):
        raise Mistake(
            f"{tree.path}: {LIST} has the line {' '.join(line)[:80]!r}; expected name, face, top, "
            "left, right, bottom, confidence and a label from 0 to 6: get a whole copy"
        )
    top, left, right, bottom = map(int, line[2:6])
    name = images.get(line[0])
    if not name:
        return None
    return Face(name, numbers[line[7]], group=line[0], box=(left, top, right, bottom))


def whole(text: str) -> bool:
    return text.removeprefix("-").isdecimal()
