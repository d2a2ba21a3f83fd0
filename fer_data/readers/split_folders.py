"""[PREFIX/]SPLIT/CLASS/NAME: what most people have, whatever the faces are.

    train/happy/7.jpg, test/happy/8.jpg        and val, valid, validation, train_set, ...

A path's last SPLIT/ counts.
"""

from fer_data.faces import Face, Found
from fer_data.layout import layout
from fer_data.tree import Tree


def find(tree: Tree) -> Found | None:
    files, notes, lacking = layout(tree)
    faces = [Face(file.name, file.label, file.split) for file in files]
    return Found(tree, faces, notes=notes, lacking=lacking, told=tree.files) if faces else None
