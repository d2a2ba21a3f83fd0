"""`python -m study.export`: a confirmed network as a file that needs nothing of this project.

python -m study.export runs/NAME --out best.onnx            uint8 faces in, probabilities out
python -m study.export runs/NAME --out best.onnx --int8     and a smaller one in 8 bits
python -m study.export runs/NAME --format safetensors --out best.safetensors
"""

import argparse
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from study import Mistake
from study.storage import errors

FORMATS = {"onnx": ".onnx", "torchscript": ".pt", "safetensors": ".safetensors"}
# What is written beside it: a model card, a loader; and what their first lines say.
BESIDE = {".md": "that reads facial expressions", ".py": "Needs torch alone"}


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
    """Refuse what can't be done, then write: torch is imported no sooner."""
    if not find_spec("onnxruntime"):
        raise Mistake(
            "needs onnx and onnxruntime: pip install --constraint constraints.txt "
            "--editable '.[model]'"
        )
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
    refuse_own(out, args.format)
    from study.model import as_file

    return as_file.write(
        args.run, args.network, args.model, out, args.format, args.opset, args.int8, args.data
    )


def refuse_own(out: Path, kind: str) -> None:
    """Mistake where what is written beside `out` would replace a file that is no export's."""
    for end, words in BESIDE.items():
        beside = out.with_suffix(end)
        if (end == ".py" and kind != "safetensors") or not beside.is_file():
            continue
        with beside.open(errors="replace") as file:
            if words not in file.readline():
                raise Mistake(
                    f"{beside} isn't of an earlier export and would be replaced by what is written "
                    f"beside {out.name}: give another --out, or move it"
                )


if __name__ == "__main__":
    sys.exit(main())
