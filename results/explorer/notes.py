"""Tags and notes on trials: a person's words, in a file of their own in the study's folder.

They are no fact of the study: the journal, its tables and what is computed of them never see them.
"""

import json
import threading
from pathlib import Path
from typing import Any

from results import Mistake
from results.artefacts.beside import replace
from results.artefacts.load import Findings

FILE = Path("explorer") / "notes.json"
LONGEST = {"tag": 60, "note": 5000, "tags": 30}  # characters, characters, tags of a trial
Notes = dict[str, dict[str, Any]]  # trial -> {"tags": [...], "note": "..."}
_lock = threading.Lock()  # two viewers of one app


def read(folder: Path) -> Notes:
    """What is written of each trial; refuses a file that isn't ours."""
    path = folder / FILE
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise Mistake(f"{path} can't be read ({error}): mend it or take it away") from None
    if not isinstance(found, dict) or not all(map(is_note, found.values())):
        raise Mistake(f"{path} holds no notes on trials: mend it or take it away")
    return found


def is_note(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and isinstance(value.get("note"), str)
        and isinstance(value.get("tags"), list)
        and all(isinstance(tag, str) for tag in value["tags"])
    )


def write(one: Findings, trial: str, tags: Any, note: Any, began: Any = None) -> Notes:
    """The notes of a study with those of a trial replaced; empty ones are taken out. Refused where
    they are no longer those that the writer `began` with, if that is told."""
    value = {"tags": tags, "note": note}
    if not is_note(value):
        raise Mistake("a note is a text and tags are a list of texts")
    if trial not in set(one.trials["trial_id"]):
        raise Mistake(f"there is no trial {trial!r} in {one.name}")
    if len(tags) > LONGEST["tags"] or max(map(len, tags), default=0) > LONGEST["tag"]:
        raise Mistake(f"at most {LONGEST['tags']} tags of {LONGEST['tag']} characters each")
    if len(note) > LONGEST["note"]:
        raise Mistake(f"a note has at most {LONGEST['note']:,} characters, this one {len(note):,}")
    with _lock:
        notes = read(one.folder)
        if began not in (None, notes.pop(trial, {"tags": [], "note": ""})):
            raise Mistake(
                f"the note on {trial} was changed elsewhere after it was opened here: copy your "
                "words, open the trial again and add them"
            )
        if tags or note.strip():
            notes[trial] = {"tags": list(dict.fromkeys(tags)), "note": note.strip()}
        try:
            replace(one.folder / FILE, json.dumps(notes, indent=1, ensure_ascii=False))
        except OSError as error:
            raise Mistake(f"{one.folder / FILE} can't be written ({error.strerror})") from None
    return notes
