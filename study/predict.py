"""`python -m study.predict`: what a study's best network answers about faces in photographs.

python -m study.predict runs/NAME photo.jpg folder/    a table, a row for each face
python -m study.predict runs/NAME photo.jpg --out answer.png
"""

import argparse
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from study import Mistake
from study.storage import errors

FEW = 100  # photographs up to which it is asked whether they are like the training images


def main(argv: Sequence[str] | None = None) -> int:
    """Exit code 0, or 2 for a mistake: also if some of the photographs couldn't be judged."""
    return errors.command("study.predict", lambda: predict(parser().parse_args(argv)))


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="python -m study.predict",
        description="Find the faces in photographs and answer for each: probabilities, and a set "
        "of expressions that holds the right one with 90 % (calibrated on val). Several seeds of a "
        "network answer together.",
    )
    made.add_argument("run", type=Path, metavar="RUN", help="a study's folder")
    made.add_argument("photos", nargs="+", metavar="PHOTO", help="files, folders, - for a list")
    made.add_argument("--network", default="", help="best confirmed of this network [of all]")
    made.add_argument("--model", default="", help="one confirmed model by name, as resnet34-s0")
    made.add_argument(
        "--unlike",
        action=argparse.BooleanOptionalAction,
        help="mark what is unlike the training images: the face detector sees no face in it; about "
        f"10 ms each [for up to {FEW} photographs]",
    )
    made.add_argument("--json", action="store_true", help="a JSON object a face")
    made.add_argument("--csv", action="store_true", help="a CSV table")
    made.add_argument("--out", type=Path, help="one photograph with boxes and bars, as .png")
    return made


def predict(args: argparse.Namespace) -> int:
    """Refuse what can't be done, then answer: the networks, and torch with them, come last."""
    if args.json and args.csv:
        raise Mistake("--json and --csv are two forms of one output: leave out one")
    if not find_spec("cv2"):
        raise Mistake(
            "needs opencv: pip install --constraint constraints.txt --editable '.[model]'"
        )
    from study.model import faces, picture

    paths = list(faces.photographs(args.photos, sys.stdin))
    if not paths:
        raise Mistake(f"there is no file in {', '.join(args.photos)}: give photographs")
    if args.out and len(paths) > 1:
        raise Mistake(f"--out is for one photograph, but {len(paths)} were given: leave it out")
    if args.out and args.out.suffix.lower() not in picture.ENDINGS:
        expected = ", ".join(picture.ENDINGS)
        raise Mistake(f"--out is {args.out}: expected a name that ends in one of {expected}")
    if args.out and not args.out.parent.is_dir():
        raise Mistake(f"there is no folder {args.out.parent} for {args.out.name}: make it first")
    from study.model import photographs

    ask = len(paths) <= FEW if args.unlike is None else args.unlike
    form = "json" if args.json else "csv" if args.csv else ""
    return photographs.answered(paths, args.run, args.network, args.model, ask, form, args.out)


if __name__ == "__main__":
    sys.exit(main())
