"""`python -m study.storage get URI [FOLDER]`: fetch a study, or a part of one, from a bucket."""

import sys
from collections.abc import Sequence
from pathlib import Path

from study import Mistake, complain, say
from study.storage.handover import leads
from study.storage.lock import refuse_open
from study.storage.places import apart, at, copy, first_line, without_options


def main(argv: Sequence[str]) -> int:
    """`get`: 0, or 2 for a mistake."""
    if {"-h", "--help"} & {*argv}:
        say(__doc__)
        return 0
    try:
        if len(argv) not in (2, 3) or argv[0] != "get":
            raise Mistake("expected: python -m study.storage get URI [FOLDER]")
        source = at(argv[1])
        folder = Path(argv[2] if len(argv) == 3 else apart(argv[1])[1])
        refuse_open(folder)
        if leads(folder, source):
            raise Mistake(f"{without_options(source)} is {folder}, or one is in the other")
        count, left = 0, ("checkpoints/", "driver.json")
        for name in copy(source, folder, lambda name: not name.startswith(left)):
            count += 1
            say(folder / name)
        if not count:
            raise Mistake(f"{without_options(source)} holds no file: give STORAGE/NAME")
    except (Mistake, OSError) as error:
        complain(f"study.storage: {first_line(error)}")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
