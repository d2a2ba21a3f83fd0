"""A source of faces: FER-2013's table, or images in one of the layouts of `readers`, packed or not.

Told by content, not by name. Nothing is unpacked to the disk, nothing that a source holds is ever
executed, and whatever is wrong with it raises Mistake. Images are numbered here, for the study
that answers them and for the results that show them.
"""

import hashlib
import math
import os
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

import numpy as np

from fer_data import Mistake, classes, image_files, readers, table
from fer_data.catalogue import SOURCES, Source
from fer_data.classes import listed
from fer_data.faces import Found
from fer_data.known import FERPLUS
from fer_data.layout import ended, ending
from fer_data.readers import ferplus
from fer_data.rows import SIDE_PX, USAGES, Rows
from fer_data.splits import settled
from fer_data.tree import EXPECTED, Tree, is_tree, opened, readable

TABLES = ("fer2013.csv", "icml_face_data.csv")
TABLE_ENDS = (".csv", ".csv.xz", ".csv.gz")
KINDS = (*SOURCES, *(kind for kind in readers.READERS if kind not in SOURCES))
FERPLUS_KINDS = ("ferplus", "ferplus-votes")
APART = ("raf-db", "affectnet", "expw", "kdef", "jaffe")  # never in a table of pixels


@dataclass(frozen=True)
class Content:
    """A source before its classes have names."""

    images: np.ndarray  # uint8 (N, side, side)
    labels: np.ndarray  # str (N,), as they are written
    splits: np.ndarray  # str (N,), "" where the source has none
    groups: np.ndarray  # str (N,), "" for an image by itself
    about: dict[str, np.ndarray]  # attribute -> str (N,), "" where it isn't told
    notes: tuple[str, ...]
    source: str = ""  # the published data set that its layout tells
    table: bool = False  # whether it is FER-2013's
    shares: np.ndarray | None = None  # as in Rows
    boxes: bool = False  # whether it tells where in a file a face is
    largest_px: int = SIDE_PX  # as in Rows


def asked(text: str) -> tuple[str, str]:
    """The kind and the path of KIND:PATH; no kind where it is a path alone."""
    kind, colon, path = text.partition(":")
    if colon and path and kind in KINDS:
        return kind, path
    if colon and kind.isidentifier() and len(kind) > 1 and not os.path.exists(text):
        raise Mistake(
            f"there is no {text}, and {kind} is no kind of data; expected KIND:PATH with one of "
            f"{', '.join(KINDS)}"
        )
    return "", text


def read(
    path: Path,
    names: tuple[str, ...] = (),
    kind: str = "",
    crop: float = 0.0,
    trained: bool = True,
    px: int = SIDE_PX,
) -> Rows:
    """The source's rows; whatever is wrong with it raises Mistake.

    `names` are those of the classes in the order of their numbers, where the source has no names.
    `kind` insists on a layout or on a published data set; empty finds out. `crop` is the margin on
    each side of the square around a face's box, as a share of its side. `px` is the side at which
    images are kept, as far as the files have so many pixels. `trained` is whether a study trains on
    them: what networks are only asked about may have a test split alone, and faces without boxes
    are taken whole then, whatever the margin.
    """
    if not 0 <= crop < math.inf:
        raise Mistake(f"the margin --crop is {crop}; expected 0 or more, as 0.2")
    with readable(path):
        found = content(path, kind, crop, px, trained)
    if crop and not found.boxes and trained:
        raise Mistake(f"{path} has no boxes around its faces: leave out --crop")
    check_kind(path, kind, found.source, "its layout")
    counted = None if names else by_counts(found)
    source = SOURCES.get(kind) or counted
    labels, told = in_order(found, source, names, source is not counted)
    named, known, notes = classes.named(str(path), labels, found.splits, names, found.table)
    known = known or found.source or (counted.kind if counted else "")
    check_kind(path, kind, known, "its images of each class and split")
    notes = found.notes + told + notes
    titled = SOURCES.get(known) or SOURCES.get(kind)
    if titled and titled.kind != "fer2013":
        notes = (what(titled, named, found.splits), *notes)
    return Rows(
        found.images,
        named,
        found.splits,
        np.arange(len(found.images)),
        notes,
        known,
        found.groups,
        found.about,
        found.shares,
        found.largest_px,
        unnamed=classes.unnamed(labels, named),
    )


def named(rows: Rows, where: str, given: tuple[str, ...]) -> Rows:
    """Rows whose classes are `unnamed`, under the names that are given in the order of their
    numbers: the source isn't read again."""
    numbers = np.array([name.removeprefix(classes.plain("")) for name in rows.names.tolist()])
    names, known, notes = classes.named(where, numbers, rows.splits, given, False)
    kept = (note for note in rows.notes if "--classes" not in note)  # that nothing names them
    return replace(
        rows, names=names, known=known or rows.known, notes=(*kept, *notes), unnamed=False
    )


def content(path: Path, kind: str, crop: float, px: int, trained: bool) -> Content:
    with opened(path) as tree:
        if kind in FERPLUS_KINDS and not ferplus.find(tree):
            return joined(tree, kind == "ferplus-votes")
        if is_tree(path) or readers.lone(tree):
            if found := readers.find(tree, kind):
                if trained and found.lacking:
                    raise Mistake(found.lacking)
                return decoded(found, crop, px)
        if kind in readers.CARRIERS or kind in APART:
            raise Mistake(f"{path} is not laid out as {kind}; {readers.laid_out(kind)}")
        return of_table(tree)


def of_table(tree: Tree) -> Content:
    name = table_name(tree) if is_tree(tree.path) else ""
    where = f"{tree.path}: {name}" if name else str(tree.path)
    with tree.open(name or tree.names[0]) as file:
        images, labels, splits = table.read(file, where)
    none = np.full(len(images), "")
    return Content(images, labels, splits, none, {}, (), table=True)


def joined(tree: Tree, by_votes: bool) -> Content:
    """FER-2013's table with FER+'s labels: row k has the votes of row k."""
    found = of_table(tree)
    votes, usages = ferplus.table(tree)
    splits = np.array([USAGES.get(usage, "") for usage in usages])
    if not np.array_equal(splits, found.splits):
        raise Mistake(
            f"{tree.path}: {ferplus.TABLE} has {len(splits):,} rows whose Usage isn't that of the "
            f"{len(found.splits):,} rows of the table; expected row k to be row k: get whole copies"
        )
    targets = [ferplus.target(one, by_votes, s) for one, s in zip(votes, splits, strict=True)]
    labels = np.array([label for label, _ in targets])
    kept = labels != ""
    note = ferplus.without(int((~kept).sum()), len(kept), by_votes)
    shares = stacked([shares for _, shares in targets])
    return Content(
        found.images[kept],
        labels[kept],
        found.splits[kept],
        found.groups[kept],
        {},
        (note,),
        "ferplus",
        shares=None if shares is None else shares[kept],
    )


def stacked(each: list[tuple[float, ...]]) -> np.ndarray | None:
    """Shares (N, 8), zeros where a face has none; None where no face has."""
    none = (0.0,) * len(FERPLUS)
    return np.array([shares or none for shares in each]) if any(each) else None


def decoded(found: Found, crop: float, px: int) -> Content:
    faces, meant = settled(found.tree.path, found.faces)
    boxes = found.source != "kdef" and any(face.box for face in faces)  # its square: all the width
    images, largest, told = image_files.read(
        found.tree, [face.file for face in faces], [face.box for face in faces], crop * boxes, px
    )
    labels, splits, groups = (
        np.array([getattr(face, key) for face in faces]) for key in ("label", "split", "group")
    )
    names = dict.fromkeys(name for face in faces for name, _ in face.about)
    about = {name: np.array([dict(face.about).get(name, "") for face in faces]) for name in names}
    notes = (*found.notes, *unread(found), *meant, *told)
    shares = stacked([face.shares for face in faces])
    return Content(
        images,
        labels,
        splits,
        groups,
        about,
        notes,
        found.source,
        shares=shares,
        boxes=boxes,
        largest_px=largest,
    )


def unread(found: Found) -> tuple[str, ...]:
    """Images that the layout has no face for, by ending and folder, but those that
    its reader tells."""
    if found.within:
        return ()
    known = {face.file for face in found.faces}.union(found.told)
    lost = [name for name in found.tree.files if ended(name) and name not in known]
    if not lost:
        return ()
    places = Counter((ending(name), name.rpartition("/")[0] or "./") for name in lost)
    each = [f"{many:,} {end} in {folder}" for (end, folder), many in places.most_common()]
    return (f"images that are no face of its layout were left out: {listed(each)}",)


def check_kind(path: Path, kind: str, told: str, by: str) -> None:
    """Refuse a published data set where the source tells that it is another."""
    if kind in SOURCES and told not in ("", kind):
        raise Mistake(
            f"{path} is {SOURCES[told].title} by {by}, but --data says {kind}: give "
            f"{told}:{path}, or the path alone"
        )


def by_counts(found: Content) -> Source | None:
    """The data set that has just as many images of each number, in each split where it has some of
    its own."""
    labels = found.labels.tolist()
    there = Counter(zip(labels, found.splits.tolist(), strict=True))
    whole = Counter((label, "") for label in labels)
    for source in SOURCES.values():
        published = {
            (number, split): counts[name]
            for split, counts in source.counts.items()
            for number, name in source.numbers.items()
            if name in counts
        }
        if published and published == (whole if "" in source.counts else there):
            return source
    return None


def in_order(
    found: Content, source: Source | None, names: tuple[str, ...], insisted: bool
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Labels with the names that the numbers of the data set have which a person insists on.

    Counts that are published come first: they know copies in another order.
    """
    if not source or names or not source.numbers or not classes.numbered(found.labels):
        return found.labels, ()
    if classes.recognised(found.labels, found.splits):
        return found.labels, ()
    lost = [label for label in set(found.labels.tolist()) if label not in source.numbers]
    if lost:
        raise Mistake(
            f"it has the class number {lost[0]}, but {source.title} has "
            f"{listed(list(source.numbers))}: give --classes, or the path without {source.kind}:"
        )
    pairs = listed([f"{number} {name}" for number, name in source.numbers.items()])
    why = "--data says so; no count confirms it" if insisted else "it has as many of each class"
    note = f"the class numbers are taken for {source.title}'s, since {why}: {pairs}"
    return classes.renamed(found.labels, source.numbers), (note,)


def what(source: Source, names: np.ndarray, splits: np.ndarray) -> str:
    """Which data set it is, how its counts are to those published, and what one may do with it."""
    folded = np.array([classes.folded(name) for name in names.tolist()])
    releases = [source.counts, source.counts | source.other]
    if (splits == "").all():  # none of it is told, so it may be of one split alone
        releases = [{split: own} for release in releases for split, own in release.items()]
    each = [(different(release, folded, splits), [*release]) for release in releases]
    others, parts = min(each, key=lambda one: len(one[0]), default=([], []))
    of = f" of {parts[0]}" if len(parts) == 1 and parts[0] else ""
    told = f"as many images of each class as published{of}, " if parts else ""
    if others:
        told = f"other counts than published ({listed(others)}), "
    return f"{source.said}{told}licence: {source.licence}"


def different(
    release: dict[str, dict[str, int]], names: np.ndarray, splits: np.ndarray
) -> list[str]:
    """Where the images of each class aren't as many as those of a release."""
    told = []
    for split, counts in release.items():
        inside = names[(splits == split) | (splits == "") | (split == "")]
        here = Counter(inside.tolist())
        told += [
            f"{name}{f' in {split}' if split else ''} {here[name]:,} and not {there:,}"
            for name, there in counts.items()
            if here[name] != there
        ]
    return told


def digest(path: Path, kind: str = "") -> str:
    """16 hex digits of the sha256 over the source's bytes: of a folder, its names and images."""
    with readable(path):
        if not path.is_dir():
            with path.open("rb") as whole:
                alone = hashlib.file_digest(whole, "sha256").hexdigest()[:16]
        with opened(path) as tree:
            if not path.is_dir() and (is_tree(path) or not readers.lone(tree)):
                return alone
            total = hashlib.sha256("\0".join(tree.names).encode(errors="surrogateescape"))
            for name in files_of(tree, kind):
                with tree.open(name) as file:
                    total.update(hashlib.file_digest(file, "sha256").digest())
            return total.hexdigest()[:16]


def files_of(tree: Tree, kind: str) -> list[str]:
    """The files that decide what a tree says."""
    found = readers.find(tree, kind)
    if found is None or (kind in FERPLUS_KINDS and not ferplus.find(tree)):
        votes = [name for name in tree.files if name.rpartition("/")[2] == ferplus.TABLE]
        return [table_name(tree), *votes * (kind in FERPLUS_KINDS)]
    faces = () if found.within else dict.fromkeys(face.file for face in found.faces)
    return [*faces, *found.tables]


def table_name(tree: Tree) -> str:
    """The one table of a tree without images; where there are several, the one named like FER's."""
    if not tree.files:
        raise Mistake(f"{tree.path} is empty; {EXPECTED}")
    tables = [name for name in tree.files if name.lower().endswith(TABLE_ENDS)]
    named = [name for name in tables if PurePosixPath(name).name.lower().startswith(TABLES)]
    if len(tables) == 1 or len(named) == 1:
        return (named or tables)[0]
    if tables:
        raise Mistake(
            f"{tree.path} holds {len(tables)} tables ({listed(tables)}); expected one: give its "
            "path"
        )
    raise Mistake(f"{tree.path} holds no data set but {listed(tree.files)}; {EXPECTED}")
