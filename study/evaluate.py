"""`python -m study.evaluate RUN --data KIND:PATH`: confirmed networks meet another data set.

Their answers are kept in RUN/elsewhere/, a file for each data set, and report and explorer show
them: trained on, tested on.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from fer_data import listing
from study.storage import errors


def main(argv: Sequence[str] | None = None) -> int:
    """Exit code 0, or 2 for a mistake."""
    made = argparse.ArgumentParser(
        prog="python -m study.evaluate",
        description="Asks a study's confirmed networks about the faces of another data set and "
        "keeps the answers in the study's folder, for report and explorer.",
    )
    made.add_argument("run", type=Path, metavar="RUN", help="artefact folder, runs/NAME")
    made.add_argument("--data", required=True, help="path, or KIND:PATH, of faces (docs/data.md)")
    made.add_argument(
        "--classes",
        default="",
        metavar="A,B,...",
        help="names of the classes in the order of their numbers, where the faces have numbers "
        "alone",
    )
    made.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda"))
    args = made.parse_args(argv)
    return errors.command(
        "study.evaluate",
        lambda: evaluate(args.run, args.data, args.device, listing(args.classes)),
    )


def evaluate(run: Path, source: str, device: str, names: tuple[str, ...]) -> int:
    """With torch, for which neither --help nor a wrong flag waits."""
    from study.model import other_data

    return other_data.evaluate(run, source, other_data.device_of(device), names)


if __name__ == "__main__":
    sys.exit(main())
