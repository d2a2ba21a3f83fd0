"""Where images lie: which split and which class a file of a folder or an archive belongs to."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from fer_data import Mistake, image_files
from fer_data.classes import folded, listed
from fer_data.rows import USAGES
from fer_data.tree import EXPECTED, Tree

EVAL = "eval"  # val or test, by what is beside it: see splits.settled
FOLDERS = {
    "train": "train",
    "training": "train",
    "train_set": "train",
    "training_set": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "val_set": "val",
    "validation_set": "val",
    "dev": "val",
    "dev_set": "val",
    "development": "val",
    "publictest": "val",
    "test": "test",
    "testing": "test",
    "test_set": "test",
    "privatetest": "test",
    "eval": EVAL,
    "evaluation": EVAL,
}


USUAL = (".jpg", ".png", ".jpeg")  # so that Pillow needn't load all of its formats for them


@dataclass(frozen=True)
class File:
    """A file or a folder (its name ends in /) below SPLIT/CLASS/."""

    name: str
    prefix: str  # the folder that holds SPLIT/, "" for the source itself
    split: str
    label: str
    below: str  # folders between the class and the file, "" for none


def layout(tree: Tree) -> tuple[list[File], tuple[str, ...], str]:
    """The images lying as [PREFIX/]SPLIT/CLASS/[...]NAME, sorted by name, and notes; [] if none.
    Then why no study can train on them, where a split is missing."""
    placed = {name: place for name in tree.names if (place := placement(name))}
    names = placed_images(tree, placed)
    if not names:
        return [], (), ""
    if len({placed[name].prefix for name in names}) > 1:
        placed = {name: replace(place, prefix=outer(place)) for name, place in placed.items()}
    files, copies, notes = one_tree(tree, [placed[name] for name in names])
    check_filled(tree, placed, files)
    check_depth(tree, files)
    why, (files, told) = lacking(tree, files), with_splits(files)
    known = {file.name for file in (*files, *copies)}
    others = [name for name in tree.files if name not in known]
    return files, (*tree.notes, *notes, *told, *below(files), *left_out(placed, others)), why


def placed_images(tree: Tree, placed: dict[str, File]) -> list[str]:
    """Names of the images, told by their endings, and where those say nothing by their content."""
    files = [name for name in placed if not name.endswith("/")]
    odd = sorted((name for name in files if not ended(name)), key=tree.place)
    return sorted([*filter(ended, files), *(name for name in odd if image_files.opens(tree, name))])


def placement(name: str) -> File | None:
    """Where a file or folder belongs; None outside SPLIT/CLASS/. A path's last SPLIT/ counts."""
    folders = name.split("/")[:-1]  # a folder's last part is empty
    for at in range(len(folders) - 2, -1, -1):
        split = FOLDERS.get(folders[at].casefold())
        if split:
            prefix, deeper = "/".join(folders[:at]), "/".join(folders[at + 2 :])
            return File(name, prefix, split, folders[at + 1], deeper)
    return None


def ended(name: str) -> bool:
    end = name[name.rfind(".") :].lower()  # pathlib took a second
    return end in USUAL or end in image_files.endings()


def one_tree(tree: Tree, files: list[File]) -> tuple[list[File], list[File], tuple[str, ...]]:
    """The files of one data set, files that are the same again, and notes on them; several
    different ones are refused."""
    sets: dict[str, list[File]] = {}
    for file in files:
        sets.setdefault(file.prefix, []).append(file)
    first, *others = sorted(sets, key=lambda prefix: (len(prefix), prefix))
    if any(not same_files(tree, sets[first], sets[other]) for other in others):
        folders = listed([prefix or "./" for prefix in sorted(sets)])
        raise Mistake(
            f"{tree.path} holds train/ or test/ in several folders ({folders}); expected one data "
            "set: " + ("give the folder of one" if tree.path.is_dir() else "unpack it, give one")
        )
    notes = tuple(f"{other}/ holds the same files again and was left out" for other in others)
    return sets[first], [file for other in others for file in sets[other]], notes


def outer(file: File) -> str:
    """The prefix without folders that say the split again: train/train/CLASS beside
    test/test/CLASS is one data set."""
    folders = file.prefix.split("/")
    while folders and FOLDERS.get(folders[-1].casefold()) == file.split:
        folders.pop()
    return "/".join(folders)


def same_files(tree: Tree, one: list[File], other: list[File]) -> bool:
    """Whether two data sets have the same names below their prefixes, with the same bytes."""
    first, second = (
        {file.name.removeprefix(file.prefix).lstrip("/"): file.name for file in files}
        for files in (one, other)
    )
    return first.keys() == second.keys() and all(
        tree.size(first[name]) == tree.size(second[name])
        and content(tree, first[name]) == content(tree, second[name])
        for name in first
    )


def content(tree: Tree, name: str) -> bytes:
    with tree.open(name) as file:
        return file.read()


def check_filled(tree: Tree, placed: dict[str, File], files: list[File]) -> None:
    """Refuse a class that would vanish because none of its files is an image."""
    filled = {(file.split, file.label) for file in files}
    folders = {file.name.rpartition("/")[0] for file in files}
    above = {f"{parent}/" for one in folders for parent in PurePosixPath(one, "_").parents}
    lost = [
        place
        for name, place in placed.items()
        if place.prefix == files[0].prefix
        and (place.split, place.label) not in filled
        and name not in above
    ]
    if lost:
        own = [p.name for p in lost if (p.split, p.label) == (lost[0].split, lost[0].label)]
        others = Counter(ending(name) for name in own if not name.endswith("/"))
        folder = lost[0].name.rpartition("/")[0].removesuffix(lost[0].below).rstrip("/")
        raise Mistake(
            f"{tree.path}: the class folder {folder}/ holds no image"
            f"{f' but {counted(others)}' if others else ''}; expected files that Pillow opens, as "
            ".jpg, .png or .webp: fill it or remove it"
        )


def check_depth(tree: Tree, files: list[File]) -> None:
    """Refuse classes that seem to lie one folder deeper than the others."""
    labels = {folded(file.label) for file in files}
    for file in files:
        deep = [part for part in file.below.split("/") if part and folded(part) in labels]
        if deep and folded(file.label) != folded(deep[0]):
            raise Mistake(
                f"{tree.path}: {file.name} lies in {file.label}/ and in {deep[0]}/, which are both "
                "classes; expected SPLIT/CLASS/NAME: move it to one"
            )


def passed_over(names: Iterable[str]) -> tuple[str, ...]:
    """A note on folders of splits, of a data set that is split by its persons instead."""
    words = (part.casefold() for name in names for part in name.split("/")[:-1])
    if len({FOLDERS[word] for word in words if word in FOLDERS}) < 2:
        return ()
    return (
        "its folders of splits are passed over, so that no person is on two sides; "
        "--data folders:PATH keeps them",
    )


def below(files: list[File]) -> tuple[str, ...]:
    deep = Counter(file.label for file in files if file.below)
    if not deep:
        return ()
    return (
        f"{deep.total():,} images that lie in folders below their class's "
        f"({listed(sorted({file.below for file in files if file.below}))}) are counted to it",
    )


def lacking(tree: Tree, files: list[File]) -> str:
    """Why no study can train on the files: they have no train, or nothing else; "" if it can."""
    splits = {file.split for file in files}
    if "train" in splits and splits != {"train"}:
        return ""
    return (
        f"{tree.path} has no images in {'test' if 'train' in splits else 'train'}/CLASS/; "
        f"{EXPECTED}: add them, or give the folder that holds the classes, all of which is taken "
        "as one"
    )


def with_splits(files: list[File]) -> tuple[list[File], tuple[str, ...]]:
    """The files, with val told from test as far as names tell them, and notes."""
    splits = {file.split for file in files}
    if splits == {"test"}:  # of whatever data set: that its names tell nothing is no news
        return with_halves(files)[0], ()
    return with_halves(files) if splits == {"train", "test"} else (files, ())


def with_halves(files: list[File]) -> tuple[list[File], tuple[str, ...]]:
    """Tell val from test by the names in test/; if that can't be done, a note says so."""
    halves = Counter(half(file) for file in files if file.split == "test")
    if halves.keys() == {"val", "test"}:
        return [
            replace(file, split=half(file)) if file.split == "test" else file for file in files
        ], ()
    note = (
        f"the names in test/ don't tell the two test halves apart ({halves['val']:,} begin with "
        f"PublicTest_, {halves['test']:,} with PrivateTest_, {halves['']:,} with neither)"
    )
    return files, (note,)


def half(file: File) -> str:
    """val, test, or "" where the name doesn't say."""
    mark = file.name.rpartition("/")[2].partition("_")[0]
    return USAGES[mark] if mark in ("PublicTest", "PrivateTest") else ""


def left_out(
    placed: dict[str, File], others: list[str], form: str = "SPLIT/CLASS/"
) -> tuple[str, ...]:
    """What isn't read, by ending and class, of a source whose images lie as `form`."""
    found: dict[str, Counter[str]] = {}
    for name in others:
        place = f"in {placed[name].label}" if name in placed else f"outside {form}"
        found.setdefault(place, Counter())[ending(name)] += 1
    if not found:
        return ()
    told = [f"{counted(endings)} {place}" for place, endings in sorted(found.items())]
    return (f"files that are no images as {form}NAME were left out: {listed(told)}",)


def ending(name: str) -> str:
    return PurePosixPath(name).suffix.lower() or "without an ending"


def counted(endings: Counter[str]) -> str:
    return ", ".join(f"{many:,} {kind}" for kind, many in endings.most_common())
