"""The command line: python -m results RUN [RUN ...] [--out FILE]."""

import argparse
import sys
from pathlib import Path

from results import Mistake
from results.load import load
from results.report import report, write


def main(argv: list[str] | None = None) -> int:
    """Exit code: 0, or 2 for a person's mistake, told in one sentence."""
    parser = argparse.ArgumentParser(
        prog="python -m results",
        description="What one or more studies found, as one HTML page that needs no network, and "
        "every table as CSV and Markdown in a folder beside it.",
    )
    parser.add_argument(
        "run", nargs="+", type=Path, metavar="RUN", help="artefact folder, runs/NAME"
    )
    parser.add_argument("--out", type=Path, metavar="FILE",
                        help="the page (default: ./report-NAME.html)")  # fmt: skip
    asked = parser.parse_args(argv)
    try:
        studies = [load(folder) for folder in asked.run]
        name = "-".join(folder.resolve().name for folder in asked.run)
        out = asked.out or Path(f"report-{name}.html")
        print(*write(report(studies), out), sep="\n")
    except Mistake as mistake:
        print(f"results: {mistake}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
