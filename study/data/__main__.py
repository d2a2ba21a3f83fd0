"""`python -m study.data`: check a data set, prepare it, describe it, or download it first."""

import argparse
import shlex
import sys
from pathlib import Path

from fer_data import listing, sources
from fer_data.rows import SIDE_PX
from study import Mistake, say
from study.data.datasets import describe, load
from study.data.download import download
from study.storage import errors


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m study.data",
        description="Check a data set, prepare it for studies and describe it.",
    )
    parser.add_argument(
        "source",
        nargs="?",
        help="fer2013.csv (plain, .xz, .gz, .tar.gz, .zip), or a folder, zip or tar.gz of faces in "
        f"any layout of docs/data.md; KIND:PATH insists on one ({', '.join(sources.KINDS)}); "
        "faces:N draws faces (default: faces)",
    )
    parser.add_argument("--download", action="store_true", help="get FER-2013 from Kaggle first")
    parser.add_argument("--cache", type=Path, metavar="DIR", help="where to keep what is prepared")
    parser.add_argument(
        "--classes",
        default="",
        metavar="A,B,...",
        help="names of the classes in the order of "
        "their numbers, where the source has numbers alone",
    )
    parser.add_argument(
        "--without", default="", metavar="A,B,...", help="classes to leave out, as contempt"
    )
    parser.add_argument(
        "--crop",
        type=float,
        default=0.0,
        metavar="X",
        help="margin around a face's box on each side, as a share of its side [0]",
    )
    parser.add_argument(
        "--image-px",
        type=int,
        default=SIDE_PX,
        metavar="N",
        help="side at which faces are kept, as far as their files have so many pixels [48]",
    )
    args = parser.parse_args(argv)
    if args.download and args.source:
        parser.error("--download brings its own source: leave out one of the two")
    return errors.command("study.data", lambda: described(args))


def described(args: argparse.Namespace) -> int:
    """Print what the data set is, downloaded first where that is asked for."""
    if args.image_px < SIDE_PX:
        raise Mistake(
            f"--image-px is {args.image_px}: faces are kept at {SIDE_PX} x {SIDE_PX} at least, and "
            "each trial resizes them to its own; leave it out"
        )
    source = download() if args.download else args.source
    names = listing(args.classes)
    without = listing(args.without)
    say(describe(load(source, args.cache, names, without, args.crop, args.image_px)))
    if args.download:
        say(f"\nIt lies in {source}; give it to a study as\n")
        say(f"    python -m study.run --data {shlex.quote(str(source))}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
