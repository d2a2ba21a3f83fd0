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
from pathlib import Path

from study import Mistake, say
from study.config import flags
from study.config.study import (
    BUDGETS,
    MEANS,
    Study,
    named_by_default,
    preset,
    read_preset,
    recorded,
)

ELSEWHERE = ("preset", "classes", "name", "out", "seed", "from", *MEANS)  # not flags of its study
# What is of all searches together, and so must be known before the first of them begins.
TOGETHER = ("name", "out", "seed", "stages", *BUDGETS)


def number(text: str) -> int:
    if not text.isdecimal() or int(text) < 2:
        raise Mistake(f"--repeats is {text!r}: expected a whole number of searches from 2 on")
    return int(text)


def run(given: dict[str, str], repeats: int, more: list[str]) -> int:
    """Exit code: the highest of the searches'; one that was interrupted or refused ends them.

    `more` are words that every search's command takes as they are.
    """
    source = given.get("preset", "search")
    study = whole(source, given)
    if "search" not in study.stages:
        raise Mistake("--repeats does nothing here, since nothing is searched: leave it out")
    name = study.name or named_by_default(source)
    folders = [Path(study.out) / f"{name}-{k + 1}" for k in range(repeats)]
    shares = {what: getattr(study, what) / repeats for what in BUDGETS if getattr(study, what)}
    worst = 0
    for k, folder in enumerate(folders):
        own = given | {"name": folder.name, "seed": str(study.seed + k)}
        own |= {what: f"{share:g}" for what, share in shares.items()}
        if k and not folder.exists():  # as long as the first was made: --minutes may have cut it
            own |= {"trials": str(begun(folders[0]).trials)}
        say(f"Search {k + 1} of {repeats}: {folder}")
        code = done(words(folder, own) + more)
        worst = max(worst, code)
        if code == 2 and not folder.exists():  # a mistake, which it has told
            return code
        if code > 1:
            named = "" if study.name else f", with --name {name},"
            say(f"Search {k + 1} of {repeats} ended early; the same command{named} goes on there.")
            return code
    say(f"All searches together: python -m results {shlex.join(map(str, folders))}")
    return worst


def whole(source: str, given: dict[str, str]) -> Study:
    """What preset and flags say of all searches together; the rest is each search's own matter."""
    for kind, part in preset(source).get("hardware", {}).items():
        if found := [name for name in TOGETHER if name in part]:
            raise Mistake(
                f"hardware.{kind} of {source} has {' and '.join(found)}, which with --repeats is "
                "of all searches together: put it above the tables"
            )
    study, _ = read_preset(source, "")
    return flags.with_flags(study, {name: given[name] for name in TOGETHER if name in given})


def begun(folder: Path) -> Study:
    """The study that a folder holds."""
    path = folder / "study.json"
    try:
        return recorded(json.loads(path.read_bytes()))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Mistake(f"{path} can't be read ({error!r}): restore it from a copy") from None


def words(folder: Path, own: dict[str, str]) -> list[str]:
    """The command line of one search, begun or gone on with; Mistake if the folder is another's."""
    if not (folder / "study.json").is_file():
        return as_words(own)
    study = begun(folder)
    asked = {name: text for name, text in own.items() if name not in ELSEWHERE}
    other = study.preset != own.get("preset", "search") or study.seed != int(own["seed"])
    if other or flags.with_flags(study, asked) != study:
        raise Mistake(f"{folder} holds another study than these flags ask for: choose a new --name")
    again = {name: own[name] for name in MEANS if name in own}  # which --resume takes, too
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
