"""`python -m study.predict`: what a study's best network answers about faces in photographs.

python -m study.predict runs/NAME photo.jpg folder/    a table, a row for each face
python -m study.predict runs/NAME photo.jpg --out answer.png
"""

import argparse
import csv
import io
import json
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from fer_stats.share import wilson
from study import Mistake, complain, counted, say
from study.model import card, confirmed, conformal
from study.model.whole import Ensemble
from study.storage import errors

AT_ONCE = 512  # faces that are kept before they are answered
FEW = 100  # photographs up to which it is asked whether they are like the training images
UNLIKE = "  unlike the training images: no face is seen in it"
UNMARKED = "What isn't marked may still be unlike these images: the mark says that no face is seen."
UNASKED = "Whether the photographs are like these images wasn't asked: --unlike."


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
    if not find_spec("cv2"):
        raise Mistake(
            "needs opencv: pip install --constraint constraints.txt --editable '.[model]'"
        )
    from study.model import faces, picture

    if args.json and args.csv:
        raise Mistake("--json and --csv are two forms of one output: leave out one")
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
    run = confirmed.opened(args.run, args.model)
    networks = confirmed.chosen(run, args.network, args.model)
    network, sets = Ensemble(run, networks), calibrated(run, networks)
    rows: list[dict[str, Any]] = []
    waiting: list[tuple[Path, int, faces.Face]] = []
    left_out = 0
    ask = len(paths) <= FEW if args.unlike is None else args.unlike

    def answer() -> None:
        shares = network.probabilities(np.stack([face.crop for _, _, face in waiting]))
        for (path, number, face), own, inside in zip(waiting, shares, sets.of(shares), strict=True):
            unlike = not faces.shows_face(face.crop) if ask else None
            rows.append(row(path, number, face, unlike, own, inside, run.classes))
        waiting.clear()

    for path in paths:
        try:
            image = faces.opened(path)
            there = faces.found(image, run.side_px)
            if not there:
                raise Mistake(f"{path} shows no face that was found")
            waiting += [(path, number, face) for number, face in enumerate(there, 1)]
        except Mistake as error:
            left_out += 1
            complain(f"study.predict: {error}")
        if len(waiting) >= AT_ONCE:
            answer()
    if waiting:
        answer()
    told(rows, args, run, networks, sets, ask)
    if args.out and rows:
        shown = [(face, *bars(one, run.classes)) for face, one in zip(there, rows, strict=True)]
        picture.drawn(image, shown, run.classes).save(args.out)
    if left_out:
        complain(f"study.predict: {left_out} of {counted(len(paths), 'photograph')} left out")
    return 2 if left_out else 0


def calibrated(run: confirmed.Run, networks: list[confirmed.Confirmed]) -> conformal.Sets:
    return conformal.calibrated(*confirmed.answers(run, networks, "val", unseen=True))


def row(
    path: Path,
    number: int,
    face: Any,
    unlike: bool | None,
    shares: np.ndarray,
    inside: np.ndarray,
    classes: list[str],
) -> dict[str, Any]:
    """What is told of a face; `unlike` the training images: None if that wasn't asked."""
    named = [classes[k] for k in np.argsort(-shares) if inside[k]]
    return {
        "photo": str(path),
        "face": number,
        "left": face.left,
        "top": face.top,
        "side": face.side,
        "unlike": unlike,
        "answer": classes[int(shares.argmax())],
        "set": named,
        **{
            f"p_{name}": round(float(share), 6) for name, share in zip(classes, shares, strict=True)
        },
    }


def bars(one: dict[str, Any], classes: list[str]) -> tuple[list[float], list[bool], bool]:
    shares = [one[f"p_{name}"] for name in classes]
    return shares, [name in one["set"] for name in classes], bool(one["unlike"])


def told(
    rows: list[dict[str, Any]],
    args: argparse.Namespace,
    run: confirmed.Run,
    networks: list[confirmed.Confirmed],
    sets: conformal.Sets,
    ask: bool,
) -> None:
    """Print the answers in the form that was asked for."""
    if args.json:
        for one in rows:
            say(json.dumps(one))
        return
    if args.csv:
        text = io.StringIO()
        if rows:
            writer = csv.DictWriter(text, [*rows[0]], lineterminator="\n")
            writer.writeheader()
            writer.writerows({**one, "set": " ".join(one["set"])} for one in rows)
        say(text.getvalue().rstrip("\n"))
        return
    for one in rows:
        share = card.percent(one[f"p_{one['answer']}"])
        say(
            f"{one['photo']}  face {one['face']}: {one['answer']} {share}  90 % set: "
            f"{', '.join(one['set'])}{UNLIKE if one['unlike'] else ''}"
        )
    shares, labels = confirmed.answers(run, networks, "test", unseen=True)
    held, size = conformal.coverage(sets, shares, labels)
    low, high = wilson(held * len(labels), len(labels))
    right = card.percent(float((shares.argmax(1) == labels).mean()))
    say(
        f"By {', '.join(one.name for one in networks)}: {right} right of {len(labels):,} test "
        "images without copies of training images. On them the 90 % set held the right answer for "
        f"{card.percent(held)} (95 %: {card.percent(low)} to {card.percent(high)}), with "
        f"{size:.1f} expressions on average. "
        f"{UNMARKED if ask else UNASKED}"
    )


if __name__ == "__main__":
    sys.exit(main())
