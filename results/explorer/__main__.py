"""The command line: python -m results.explorer RUN [RUN ...].

It imports nothing that takes long, pandas or Dash for one, before it is clear that it is needed.
"""

import argparse
import sys
import webbrowser
from pathlib import Path

from results import RUN, Mistake, command, say

PORT = 8050  # or any that is free


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="python -m results.explorer",
        description="Studies to look at and touch, running or finished: an app on this machine "
        "alone, or one HTML file that needs no network.",
    )
    made.add_argument("run", nargs="+", type=Path, metavar="RUN", help=RUN)
    made.add_argument(
        "--data",
        type=Path,
        metavar="FILE",
        help="the data set, for the faces: "
        "fer2013.csv (.xz, .gz), the folder copy, its zip (default: what the study "
        "prepared or read, if it is here)",
    )
    made.add_argument("--votes", type=Path, metavar="FILE", help="FER+'s fer2013new.csv")
    made.add_argument(
        "--port", type=int, metavar="N", help=f"of 127.0.0.1 (default: {PORT}, or a free one)"
    )
    made.add_argument("--open", action="store_true", help="open it in a browser")
    made.add_argument(
        "--allow-host",
        action="append",
        default=[],
        metavar="NAME",
        help="a name under which a proxy (JupyterHub, nginx) hands requests on to it; may be given "
        "several times",
    )
    made.add_argument(
        "--prefix",
        default="",
        metavar="PATH",
        help="the path before its own that the proxy leaves in a request, as /user/me/proxy/8050",
    )
    made.add_argument(
        "--export",
        type=Path,
        metavar="FILE.html",
        help="write one HTML file instead of starting the app",
    )
    made.add_argument(
        "--with-faces",
        action="store_true",
        help="the faces too: their licence forbids spreading them, so keep such a file to yourself",
    )
    return made


def refuse_idle(args: argparse.Namespace) -> None:
    """Mistake if a flag was given that does nothing beside the others."""
    served = {
        "--port": args.port is not None,
        "--prefix": args.prefix,
        "--allow-host": args.allow_host,
    }
    if args.export:
        idle = [flag for flag, given in served.items() if given]
        idle += ["--data"] * bool(args.data and not args.with_faces)
        why = (
            "a file is served by nothing"
            if idle and idle != ["--data"]
            else "the file gets no faces"
        )
    else:
        idle, why = ["--with-faces"] * args.with_faces, "it is for --export"
    if idle:
        raise Mistake(f"{' and '.join(idle)} does nothing here, since {why}: leave it out")


def main(argv: list[str] | None = None) -> int:
    """Exit code: 0 after Ctrl-C or an export, 2 for a person's mistake, printed as a sentence."""
    args = parser().parse_args(argv)
    return command("results.explorer", lambda: shown(args))


def shown(args: argparse.Namespace) -> int:
    """Write the file, or serve the app until Ctrl-C; the exit code."""
    refuse_idle(args)
    if args.export:
        return exported(args)
    from results.artefacts.load import folders
    from results.explorer.app import app
    from results.explorer.serving import listening

    meant = tuple(folder.absolute() for run in args.run for folder in folders(run))
    made = app(meant, args.data, args.votes, tuple(args.allow_host), args.prefix)
    server = listening(made.server, [PORT, 0] if args.port is None else [args.port])
    say(f"The explorer: http://127.0.0.1:{server.port} (Ctrl-C ends it)")
    if args.open:
        webbrowser.open(f"http://127.0.0.1:{server.port}")
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        say()
    return 0


def exported(args: argparse.Namespace) -> int:
    """Write one HTML file; the exit code."""
    from results.artefacts.load import all_of, named_apart
    from results.explorer import written
    from results.explorer.answers import pictures
    from results.explorer.export import export, write
    from results.explorer.gallery import found
    from results.facts import kept

    studies = named_apart(all_of(args.run))
    faces = found(studies, pictures(studies), args.data) if args.with_faces else None
    if args.with_faces and isinstance(faces, str):
        raise Mistake(f"there are no faces to write: {faces}")
    for one in studies:
        kept.importances(one, say=tell)
    page = export(studies, written.evaluated(studies), faces=faces, votes=args.votes)
    write(page, args.export)
    if args.open:
        webbrowser.open(args.export.absolute().as_uri())
    size = args.export.stat().st_size / 2**20
    say(f"Page: {args.export} ({size:.1f} MiB, needs no network)")
    return 0


def tell(words: str) -> None:
    """A line while a person waits."""
    print(words, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
