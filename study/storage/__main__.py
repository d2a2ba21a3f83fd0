"""`python -m study.storage get URI [FOLDER]`: fetch a study, or a part of one, from a bucket."""

import sys
from collections.abc import Sequence
from itertools import chain
from pathlib import Path

from study import Mistake, say
from study.storage import errors
from study.storage.handover import further, leads
from study.storage.lock import refuse_open
from study.storage.places import Place, apart, at, copy, exists, first_line, read, without_options

HEADER = "study.json"


def main(argv: Sequence[str]) -> int:
    """`get`: 0, 2 for a mistake, or 130 after Ctrl-C: what is there by then stays, and a second
    `get` goes on."""
    if {"-h", "--help"} & {*argv}:
        say(__doc__)
        return 0
    return errors.command("study.storage", lambda: got(argv))


def got(argv: Sequence[str]) -> int:
    """Fetch what the command line names."""
    try:
        if len(argv) not in (2, 3) or argv[0] != "get":
            raise Mistake("expected: python -m study.storage get URI [FOLDER]")
        source = at(argv[1])
        folder = Path(argv[2] if len(argv) == 3 else apart(argv[1])[1])
        refuse_open(folder)
        if leads(folder, source):
            raise Mistake(f"{without_options(source)} is {folder}, or one is in the other")
        refuse_loss(source, folder)
        count, left = 0, ("checkpoints/", "driver.json", HEADER)
        # The header first: after an interruption the folder is known for this study's.
        header = copy(source, folder, lambda name: name == HEADER)
        for name in chain(header, copy(source, folder, lambda name: not name.startswith(left))):
            count += 1
            say(folder / name)
        if not count:
            raise Mistake(f"{without_options(source)} holds no file: give STORAGE/NAME")
    except OSError as error:  # of a bucket, whose words are many
        raise Mistake(first_line(error)) from None
    return 0


def refuse_loss(source: Place, folder: Path) -> None:
    """Mistake if a local folder is of another study than the one fetched, or holds more of it."""
    if not exists(source / HEADER):  # a part of a study, or nothing
        return
    journal = source / "events.jsonl"
    there = read(journal) if exists(journal) else b""
    if further(folder, str(source), read(source / HEADER), there):
        raise Mistake(
            f"{folder} is further on than {without_options(source)}, or went on apart from it: "
            "move it away or give another folder"
        )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
