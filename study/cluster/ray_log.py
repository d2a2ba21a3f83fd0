"""What Ray tells the driver by itself: into a file, and the person in a line. Runs on the driver.

Of a machine that is lost it is twenty lines of that machine's state, and again when Ray ends.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from ray._private import worker

from study import now

NAME = "ray.log"


@contextmanager
def kept(folder: Path, tell: Callable[[str], None]) -> Iterator[None]:
    """Within, Ray's messages go to the end of `folder`/ray.log; `tell` has each first line once."""
    before, path, said = worker.print_to_stdstream, folder / NAME, set[str]()

    def keep(data: dict[str, Any], ignore_prefix: bool) -> None:
        text = "\n".join(data["lines"]).strip()
        with suppress(OSError):  # a full disk ends the study elsewhere
            with path.open("a", errors="backslashreplace") as file:
                file.write(f"{now()} ({data['pid']}) {text}\n")
        first = text.partition("\n")[0].partition(". ")[0].rstrip(".")[:100]
        if first not in said:
            said.add(first)
            tell(f"Ray says: {first}; all of it is in {path}")

    worker.print_to_stdstream = keep
    try:
        yield
    finally:
        worker.print_to_stdstream = before
