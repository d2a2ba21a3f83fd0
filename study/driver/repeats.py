"""Whole searches again: --repeats N, the same study once for each of N seeds, one after the other.

Each is a process and a folder of its own (NAME-1, NAME-2, ...), to be resumed by itself. The same
command goes on where it ended. `python -m results` of all folders tells what holds for new
searches.
"""

import json
import shlex
import signal
import subprocess
import sys
from datetime import datetime
from pathlib import Path

from study import Mistake, say
from study.config import flags
from study.config.study import preset, recorded

SHARED = ("time_budget", "gpu_hours")  # budgets are of all searches together
AGAIN = ("data", "address", "storage", *SHARED)  # what --resume takes, too, and may be another
ELSEWHERE = ("preset", "classes", "name", "out", "seed", "from", *AGAIN)  # not flags of its study


def number(text: str) -> int:
    if not text.isdecimal() or int(text) < 2:
        raise Mistake(f"--repeats is {text!r}: expected a whole number of searches from 2 on")
    return int(text)


def run(given: dict[str, str], repeats: int, more: list[str]) -> int:
    """Exit code: the highest of the searches'; one that was interrupted or refused ends them.

    `more` are words that every search's command takes as they are.
    """
    source = given.get("preset", "search")
    if "search" not in given.get("stages", ",".join(preset(source).get("stages", ["search"]))):
        raise Mistake("--repeats does nothing here, since nothing is searched: leave it out")
    stem = f"{Path(source).stem}-{datetime.now():%Y%m%d-%H%M%S}"
    name, first = given.get("name") or stem, int(given.get("seed") or preset(source).get("seed", 0))
    folders = [Path(given.get("out", "runs")) / f"{name}-{k + 1}" for k in range(repeats)]
    worst = 0
    for k, folder in enumerate(folders):
        own = given | {"name": folder.name, "seed": str(first + k)}
        own |= {what: f"{float(given[what]) / repeats:g}" for what in SHARED if what in given}
        say(f"Search {k + 1} of {repeats}: {folder}")
        code = done(words(folder, own) + more)
        worst = max(worst, code)
        if code > 1:
            named = "" if "name" in given else f", with --name {name},"
            say(f"Search {k + 1} of {repeats} ended early; the same command{named} goes on there.")
            return code
    say(f"All searches together: python -m results {shlex.join(map(str, folders))}")
    return worst


def words(folder: Path, own: dict[str, str]) -> list[str]:
    """The command line of one search, begun or gone on with; Mistake if the folder is another's."""
    path = folder / "study.json"
    if not path.is_file():
        return as_words(own)
    try:
        study = recorded(json.loads(path.read_bytes())["study"])
    except (ValueError, KeyError, TypeError) as error:
        raise Mistake(f"{path} can't be read ({error!r}): restore it from a copy") from None
    asked = {name: text for name, text in own.items() if name not in ELSEWHERE}
    other = study.preset != own.get("preset", "search") or study.seed != int(own["seed"])
    if other or flags.with_flags(study, asked) != study:
        raise Mistake(f"{folder} holds another study than these flags ask for: choose a new --name")
    again = {name: own[name] for name in AGAIN if name in own}
    return ["--resume", str(folder), *as_words(again)]


def as_words(given: dict[str, str]) -> list[str]:
    """Flags on a command line."""
    return [word for name, text in given.items() for word in (flags.flag(name), text)]


def done(argv: list[str]) -> int:
    """The exit code of `python -m study.run` with these words; signals end it, and then this."""
    child = subprocess.Popen([sys.executable, "-m", "study.run", *argv])
    # Ctrl-C reaches both, and twice would stop the study at once; SIGTERM reaches this one alone.
    before = {
        signal.SIGINT: signal.signal(signal.SIGINT, lambda *_: None),
        signal.SIGTERM: signal.signal(signal.SIGTERM, lambda n, _: child.send_signal(n)),
    }
    try:
        code = child.wait()
    finally:
        for which, handler in before.items():
            signal.signal(which, handler)
    return 128 - code if code < 0 else code
