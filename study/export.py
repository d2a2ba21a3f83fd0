"""`python -m study.export`: a confirmed network as a file that needs nothing of this project.

python -m study.export runs/NAME --out best.onnx            uint8 faces in, probabilities out
python -m study.export runs/NAME --out best.onnx --int8     and a smaller one in 8 bits
python -m study.export runs/NAME --format safetensors --out best.safetensors
"""

import argparse
import sys
import time
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from study import Mistake, say
from study.model import card, confirmed, whole
from study.storage import errors

FORMATS = {"onnx": ".onnx", "torchscript": ".pt", "safetensors": ".safetensors"}
BESIDE = (".md", ".py")  # what is written beside it: the model card, a loader
CALIBRATION = 512  # train images that 8 bits take their ranges from
RUNS = 200  # single images that are timed


def main(argv: Sequence[str] | None = None) -> int:
    """Exit code 0, or 2 for a mistake."""
    return errors.command("study.export", lambda: export(parser().parse_args(argv)))


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="python -m study.export",
        description="Write a confirmed network of a study as one file: uint8 faces in, "
        "probabilities out, whatever has to be done in between inside. It is compared with the "
        "study's own answers on all of val before it is left there; a model card is written "
        "beside it.",
    )
    made.add_argument("run", type=Path, metavar="RUN", help="a study's folder")
    made.add_argument("--out", type=Path, help="the file to write [best.onnx, .pt, .safetensors]")
    made.add_argument("--format", choices=[*FORMATS], default="onnx", help="kind of file [onnx]")
    made.add_argument("--network", default="", help="best confirmed of this network [of all]")
    made.add_argument("--model", default="", help="a confirmed model by name, as resnet34-s0")
    made.add_argument("--opset", type=int, help="ONNX operators' version [18]")
    made.add_argument("--int8", action="store_true", help="also an ONNX file in 8 bits")
    made.add_argument("--data", default="", help="the study's data, if it has moved")
    return made


def export(args: argparse.Namespace) -> int:
    """Write, compare, describe; a file that answers otherwise than the study isn't left there."""
    if not find_spec("onnxruntime"):
        raise Mistake(
            "needs onnx and onnxruntime: pip install --constraint constraints.txt "
            "--editable '.[model]'"
        )
    from study.model import formats

    out = args.out or Path("best" + FORMATS[args.format])
    for flag, given in {"--int8": args.int8, "--opset": args.opset is not None}.items():
        if given and args.format != "onnx":
            raise Mistake(
                f"{flag} is for ONNX, but --format is {args.format}: leave out one of them"
            )
    if out.suffix.lower() in {*FORMATS.values(), *BESIDE} - {FORMATS[args.format]}:
        raise Mistake(
            f"--out is {out}, but --format is {args.format}: expected a name that ends in "
            f"{FORMATS[args.format]}, or another --format"
        )
    if not out.parent.is_dir():
        raise Mistake(f"there is no folder {out.parent} for {out.name}: make it first")
    run = confirmed.opened(args.run, args.model)
    one = confirmed.chosen(run, args.network, args.model)[0]
    model = whole.whole(run, one)
    data = confirmed.images(run, args.data)
    about = facts(run, one)
    say(f"{one.name}: {one.hp.model}, {card.percent(one.val_accuracy)} on val")
    written = [out]
    if args.format == "onnx":
        opset = formats.LEAST if args.opset is None else args.opset
        formats.write_onnx(model, out, opset, about)
    elif args.format == "torchscript":
        formats.write_torchscript(model, out)
    else:
        written.append(formats.write_safetensors(model, out, about))
    try:
        measured = [compared(run, one, out, args.format, data)]
    except BaseException:
        for path in written:
            path.unlink(missing_ok=True)
        raise
    if args.format == "onnx":
        measured.append(paced(out, run.side_px))
    if args.int8:
        small = out.with_suffix(".int8.onnx")
        rng = np.random.default_rng(0)
        some = rng.permutation(len(data.train.labels))[:CALIBRATION]
        formats.write_int8(out, small, data.train.images[np.sort(some)], about | {"int8": "static"})
        measured += [eight_bits(out, small, data), paced(small, run.side_px)]
        written.append(small)
    beside = out.with_suffix(".md")
    beside.write_text(card.card(run, one, [path.name for path in written], measured))
    for line in measured:
        say(line)
    say(f"Written: {', '.join(str(path) for path in [*written, beside])}")
    return 0


def facts(run: confirmed.Run, one: confirmed.Confirmed) -> dict[str, str]:
    """What stands in the file's metadata."""
    shares, labels = confirmed.answers(run, [one], "test")
    data = run.header["data"]
    return {
        "classes": ",".join(run.classes),
        "model": one.name,
        "network": one.hp.model,
        "study": str(run.header["study"]["name"]),
        "data": f"{data['name']} {data['digest']}",
        "val_accuracy": f"{one.val_accuracy:.4f}",
        "test_accuracy": f"{(shares.argmax(1) == labels).mean():.4f}",
        "test_images": str(len(labels)),
        "source": "fer-study " + str((run.header.get("git") or {}).get("commit") or ""),
        "license": "code Apache-2.0; the data's own terms hold for what was trained on them: "
        "see the model card",
        "input": "faces: uint8 (batch, height, width, 3), red green blue, cropped as in the data",
        "output": "probabilities: float32 (batch, classes)",
    }


def compared(
    run: confirmed.Run, one: confirmed.Confirmed, path: Path, kind: str, data: confirmed.Dataset
) -> str:
    """A sentence on how the file's answers to val differ from the study's; Mistake if any does."""
    from study.model import formats

    faces = data.val.images
    ours, theirs = whole.probabilities(run, one, faces), formats.asked(path, kind, faces)
    others = int((ours.argmax(1) != theirs.argmax(1)).sum())
    largest = float(abs(ours - theirs).max())
    if others or not largest < 0.01:
        raise Mistake(
            f"{path.name} would answer {others:,} of {len(faces):,} val images otherwise than the "
            f"study (probabilities differ by up to {largest:.2g}): it isn't left there"
        )
    return (
        f"{path.name}: the same answers as the study's network on all {len(faces):,} images of "
        f"val; probabilities differ by {largest:.1g} at most"
    )


def eight_bits(whole_file: Path, small: Path, data: confirmed.Dataset) -> str:
    """Accuracy on val and size, before and after."""
    from study.model import formats

    right = [
        (formats.asked(path, "onnx", data.val.images).argmax(1) == data.val.labels).mean()
        for path in (whole_file, small)
    ]
    sizes = [path.stat().st_size / 1e6 for path in (whole_file, small)]
    return (
        f"{small.name}: {card.percent(right[1])} on val ({len(data.val.labels):,} images) instead "
        f"of {card.percent(right[0])}, {sizes[1]:.1f} MB instead of {sizes[0]:.1f} MB"
    )


def paced(path: Path, px: int) -> str:
    """How long one face takes on one core: median of single runs, in time of the processor, of
    which other work takes none."""
    from study.model import formats

    run = formats.session(path)
    face = np.random.default_rng(0).integers(0, 256, (1, px, px, 3), np.uint8)
    spent = []
    for _ in range(RUNS):
        began = time.process_time()
        run.run(None, {formats.INPUT: face})
        spent.append(1000 * (time.process_time() - began))
    return (
        f"{path.name}: {np.median(spent):.2f} ms a face on one core of this machine, one at a time "
        f"(median of {RUNS})"
    )


if __name__ == "__main__":
    sys.exit(main())
