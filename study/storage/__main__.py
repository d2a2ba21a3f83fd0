"""`python -m study.storage get URI [FOLDER]`: fetch a study, or a part of one, from a bucket."""

import sys
from collections.abc import Sequence
from pathlib import Path

from study import Mistake
from study.storage.places import apart, at, copy, first_line, without_options


def main(argv: Sequence[str]) -> int:
    """`get`: 0, or 2 for a mistake."""
    try:
        if len(argv) not in (2, 3) or argv[0] != "get":
            raise Mistake("expected: python -m study.storage get URI [FOLDER]")
        source = at(argv[1])
        folder = Path(argv[2] if len(argv) == 3 else apart(argv[1])[1])
        count, left = 0, ("checkpoints/", "driver.json")
        for name in copy(source, folder, lambda name: not name.startswith(left)):
            count += 1
            print(f"{folder / name}", flush=True)
        if not count:
            raise Mistake(f"{without_options(source)} holds no file: give STORAGE/NAME")
    except (Mistake, OSError) as error:
        print(f"study.storage: {first_line(error)}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
