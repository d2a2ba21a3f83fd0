"""The command line: python -m results RUN [RUN ...] [--votes CSV] [--faces DATA].

It imports nothing that takes long, pandas for one, before it is clear that it is needed.
"""

import argparse
import sys
from pathlib import Path

from results import RUN, Mistake, command, say

HELP = {
    "out": "the page (default: ./report-NAME.html)",
    "votes": "fer2013new.csv of FER+: what ten voters saw in each image, for a section on labels",
    "health": "print on one screen the health checks of each study (PASS or WARN, why, and what "
    "to type next) and write no page",
    "checklist": "print the REFORMS checklist of each study in Markdown, answered as far as its "
    "artefacts answer it, and write no page",
    "faces": "the photographs' source (fer2013.csv, folder or zip), to show some of each class: "
    "such a page is for yourself, not for publication",
}


def main(argv: list[str] | None = None) -> int:
    """Exit code: 0, or 2 for a person's mistake, printed as one sentence."""
    return command("results", lambda: told(parser().parse_args(argv)))


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="python -m results",
        description="What one or more studies found, as one HTML page that needs no network, and "
        "every table as CSV and Markdown in a folder beside it.",
    )
    made.add_argument("run", nargs="+", type=Path, metavar="RUN", help=RUN)
    made.add_argument("--out", type=Path, metavar="FILE", help=HELP["out"])
    made.add_argument("--votes", type=Path, metavar="CSV", help=HELP["votes"])
    made.add_argument("--faces", type=Path, metavar="DATA", help=HELP["faces"])
    made.add_argument("--health", action="store_true", help=HELP["health"])
    made.add_argument("--checklist", action="store_true", help=HELP["checklist"])
    return made


def refuse_idle(args: argparse.Namespace) -> None:
    """Mistake if a flag was given that does nothing beside the others."""
    idle = [f"--{name}" for name in ("out", "votes", "faces") if getattr(args, name)]
    if idle and (args.health or args.checklist):
        raise Mistake(f"{idle[0]} does nothing with --health or --checklist: leave it out")


def told(args: argparse.Namespace) -> int:
    """Write the page, or print what stands in for it; the exit code."""
    refuse_idle(args)
    from results.artefacts.load import all_of
    from results.report.files import short, write
    from results.report.report import report
    from results.report.terminal import lines

    if args.health or args.checklist:
        say(*lines(all_of(args.run), args.health, args.checklist))
        return 0
    studies = all_of(args.run)
    name = "-".join(folder.resolve().name for folder in args.run)
    out = args.out or Path(f"report-{short(name)}.html")
    found = report(studies, faces=args.faces, voters=args.votes)
    say(*write(found, out))
    return 0


if __name__ == "__main__":
    sys.exit(main())
