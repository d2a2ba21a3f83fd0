"""`python -m results.datasets SOURCE SOURCE`: two data sets side by side, as the paper's last
figure has FER-2013 beside AffectNet: how many images, of which class, and what share that is.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image, ImageDraw

from fer_data import image_files, listing, sources
from fer_data.catalogue import SOURCES
from fer_data.classes import folded, numbers_alone
from fer_data.rows import SIDE_PX
from results import Mistake, command, say
from results.figures import charts, images

EACH = 8  # faces of a class
LEFT, GAP = 90, 24  # pixels of the names of classes, and between the two sets


def main(argv: Sequence[str] | None = None) -> int:
    """Exit code: 0, or 2 for a person's mistake, printed as one sentence."""
    made = argparse.ArgumentParser(
        prog="python -m results.datasets",
        description="Two data sets side by side: images, counts and shares of each class, as a "
        "table and a figure.",
    )
    made.add_argument("source", nargs=2, help="path, or KIND:PATH, of faces (docs/data.md)")
    made.add_argument(
        "--classes",
        action="append",
        default=[],
        metavar="A,B,...",
        help="names of the classes in the order of their numbers, of a source that has numbers "
        "alone; where both are so, given twice, in the order of the sources",
    )
    made.add_argument(
        "--out", type=Path, default=Path("datasets.svg"), metavar="FILE", help="SVG or PNG"
    )
    made.add_argument(
        "--faces",
        type=Path,
        metavar="FILE.png",
        help=f"also {EACH} faces of each class of both, by lot: the photographs belong to their "
        "owners, so keep such a picture to yourself",
    )
    args = made.parse_args(argv)
    return command("results.datasets", lambda: shown(args))


def shown(args: argparse.Namespace) -> int:
    """Print the table and draw the figure, and the faces if asked for; the exit code."""
    try:
        if args.faces and args.faces.suffix != ".png":
            raise Mistake(f"--faces is {args.faces}: expected a name that ends in .png")
        if args.out.suffix not in (".svg", ".png"):
            raise Mistake(f"--out is {args.out}: expected a name that ends in .svg or .png")
        for path in filter(None, (args.out, args.faces)):
            if not path.parent.is_dir():
                raise Mistake(f"there is no folder {path.parent} for {path.name}: make it first")
        found = read(args.source, [*map(listing, args.classes)])
        frame = counted(args.source, found)
        say(words(frame))
        images.write({args.out: charts.class_shares(frame)})
        say(f"Figure: {args.out}")
        if args.faces:
            drawn(found, list(frame["set"].unique()), list(frame["class"].unique())).save(
                args.faces
            )
            say(f"Faces: {args.faces}")
    except images.NoBrowser as error:
        raise Mistake(f"no figure was drawn ({error}): install a Chromium") from None
    except OSError as error:
        why = f"{error.filename or args.faces} can't be used ({error.strerror or error})"
        raise Mistake(f"{why}: check the path and its permissions") from None
    return 0


def counted(named: Sequence[str], found: list[sources.Rows]) -> pd.DataFrame:
    """A row per data set and class: images, and their share of the set. A class has one name in
    both; where a set hasn't it, it has no image of it."""
    each = [pd.Series([folded(name) for name in rows.names.tolist()]) for rows in found]
    order = list(dict.fromkeys(name for one in each for name in one.value_counts().index))
    rows = [
        {"set": title, "class": name, "images": int((one == name).sum())}
        for title, one in zip(titles(named, [rows.known for rows in found]), each, strict=True)
        for name in order
    ]
    frame = pd.DataFrame(rows)
    return frame.assign(share=frame["images"] / frame.groupby("set")["images"].transform("sum"))


def drawn(found: list[sources.Rows], titles: list[str], classes: list[str]) -> Image.Image:
    """A row for each class: its name, and some of its faces in one set and in the other."""
    wide = EACH * (SIDE_PX + 2)
    page = Image.new("L", (LEFT + 2 * wide + GAP, (len(classes) + 1) * (SIDE_PX + 6)), "white")
    pen = ImageDraw.Draw(page)
    for at, (rows, title) in enumerate(zip(found, titles, strict=True)):
        left = LEFT + at * (wide + GAP)
        pen.text((left, 24), title, fill="black", font_size=16)
        names = np.array([folded(name) for name in rows.names.tolist()])
        for row, name in enumerate(classes, 1):
            pen.text((4, row * (SIDE_PX + 6) + 14), name, fill="black", font_size=14)
            there = np.random.default_rng(0).permutation(np.flatnonzero(names == name))[:EACH]
            for place, face in enumerate(image_files.small(rows.images[there])):
                where = (left + place * (SIDE_PX + 2), row * (SIDE_PX + 6))
                page.paste(Image.fromarray(face), where)
    return page


def read(named: Sequence[str], given: Sequence[tuple[str, ...]] = ()) -> list[sources.Rows]:
    """The rows of each source. `given`: names of the class numbers, for each source that has
    numbers alone, which without them would be one class with whatever has the same number."""
    found, left = [], list(given)
    for one in named:
        kind, place = sources.asked(one)
        path = Path(place).expanduser()
        rows = sources.read(path, (), kind, trained=False)
        if rows.unnamed and left:
            rows = sources.named(rows, one, left.pop(0))
        if rows.unnamed:
            raise Mistake(
                f"{numbers_alone(one, rows.names)}, which match no class of another data set: name "
                "them in their order by --classes A,B,..."
            )
        found.append(rows)
    if left:
        raise Mistake(
            f"--classes is given {len(given)} times, but {len(given) - len(left)} of the sources "
            f"have class numbers without names: leave out {','.join(left[0])}"
        )
    return found


def titles(named: Sequence[str], known: Sequence[str]) -> list[str]:
    """What each is called: by its kind or what it was recognised as, else its file's name; told
    apart by a number."""
    found: list[str] = []
    for one, recognised in zip(named, known, strict=True):
        kind, place = sources.asked(one)
        source = SOURCES.get(kind) or SOURCES.get(recognised)
        title = source.title if source else Path(place).name
        found.append(title if title not in found else f"{title} (2)")
    return found


def words(frame: pd.DataFrame) -> str:
    """The same as a table."""
    shown = frame.assign(
        text=[f"{row.images:,} ({100 * row.share:.1f} %)" for row in frame.itertuples()]
    )
    table = shown.pivot(index="class", columns="set", values="text")
    table = table.loc[frame["class"].unique(), frame["set"].unique()]
    whole = frame.groupby("set")["images"].sum()
    table.loc["all"] = [f"{whole[name]:,}" for name in table.columns]
    return str(table.rename_axis(None).rename_axis(None, axis=1).to_string())


if __name__ == "__main__":
    sys.exit(main())
