"""Where a study stands, from its journal and study.json alone: for `python -m study.status`.

Needs the standard library alone, so that asking costs next to nothing while a study runs.
"""

import json
import os
import re
import shlex
import socket
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fer_record import remaining
from fer_record.journal import read
from fer_record.tables import Tables
from fer_stats.metric import without_copies
from study import Mistake

Facts = dict[str, Any]
STATES = ("completed", "stopped", "failed", "running")


def of(folder: Path) -> Facts:
    """What a study was asked for, has come to, and still has to do. Mistake if it is no study."""
    header, events = described(folder), list(read(folder / "events.jsonl"))
    try:
        return standing(folder, header, events)
    except Mistake:
        raise
    # Each is what some other study.json gives: no such metric, nothing in the place of a list, no
    # network, a list in the place of a table, and no network before a trial has ended.
    except (KeyError, TypeError, ValueError, AttributeError, ZeroDivisionError) as error:
        raise damaged(folder / "study.json", error) from None


def standing(folder: Path, header: Facts, events: list[Facts]) -> Facts:
    """The same by study.json, whole as JSON, and the journal's events."""
    study, data = header["study"], header.get("data") or {}
    facts: Facts = {
        "name": study.get("name") or folder.name,
        "folder": str(folder),
        "data": data.get("name", ""),
        "networks": list(study.get("models", [])),
        "metric": study.get("metric", "accuracy"),
        "val_copies": "without" if without_copies(study.get("val_copies"), data) else "with",
        "started_at": header.get("started_at"),
    }
    if published(folder, events):
        return facts | {"state": header.get("status", "complete"), "why": header.get("reason", "")}
    tables = Tables.of(events)
    driver = tables.drivers[-1] if tables.drivers else {}
    state, why = state_of(folder, header, driver, events)
    over = bool(events) and events[-1]["event"] == "study_ended"  # though a driver may go on soon
    going, now = state in ("running", "unknown") and not over, datetime.now(UTC)
    spent = remaining.spent(tables, now) if going and state == "running" else tables.wall_seconds
    return facts | {
        "state": state,
        "why": why,
        "stage": stage(study, tables),
        "search": trials(tables, "search", remaining.searched(study)),
        "confirm": trials(tables, "confirm", len(remaining.due(study, tables))),
        "epochs": len(tables.epochs),
        "test_opened": len(tables.opened),
        "best": best(study, tables),
        "failures": failures(tables),
        "budget": budget(study, tables, spent),
        "seconds_left": remaining.seconds(header, tables, now) if going else None,
        "host": driver.get("host", ""),
        "pid": driver.get("pid"),
        "heard_of_at": events[-1]["time"] if events else header.get("started_at"),
    }


def published(folder: Path, events: list[Facts]) -> bool:
    """Whether it is a copy that keeps its tables and a few events, none of which names a process.
    A study has its tables from its first event on, before any trial."""
    own = any(event["event"] == "trial_started" or "pid" in event for event in events)
    return not own and (folder / "trials.parquet").exists()


def described(folder: Path) -> Facts:
    """study.json, or a Mistake."""
    path = folder / "study.json"
    try:
        header = json.loads(path.read_bytes())
        assert isinstance(header["study"], dict)
    except (FileNotFoundError, NotADirectoryError):
        raise Mistake(f"{folder} holds no study.json: expected the folder of a study") from None
    except (ValueError, KeyError, TypeError, AssertionError) as error:
        raise damaged(path, error) from None
    except OSError as error:
        raise Mistake(f"{path} can't be read ({error.strerror}): check its permissions") from None
    return header


def damaged(path: Path, error: Exception) -> Mistake:
    """Of a study.json that says something else than one."""
    return Mistake(
        f"{path} is damaged ({error!r}): python -m study.run --resume "
        f"{shlex.quote(str(path.parent))} makes it anew from the journal, if that is whole"
    )


def below(folder: Path) -> list[Path]:
    """All folders of studies in a folder, or in one of its folders, newest last."""
    found = [path.parent for path in (*folder.glob("*/study.json"), *folder.glob("*/*/study.json"))]
    return sorted(found, key=lambda one: (one / "study.json").stat().st_mtime)


def state_of(folder: Path, header: Facts, driver: Facts, events: list[Facts]) -> tuple[str, str]:
    """running, complete, interrupted, dead (its driver died without a word), or unknown (it runs on
    another machine, or did); and why, in words."""
    last = events[-1] if events else header
    if last.get("event") == "study_ended" or not events and last.get("status") != "running":
        if goes_on(folder / "events.jsonl", driver.get("pid")):
            return "running", "a driver goes on with it"
        return last.get("status", "unknown"), last.get("reason", "")
    if not driver:  # before its first event
        driver = {"host": (header.get("hardware") or {}).get("host")}
    alive = works(folder / "events.jsonl", driver)
    if alive is None:
        return "unknown", f"its driver is on {driver.get('host') or 'another machine'}"
    return ("running", "") if alive else ("dead", "its driver has ended without a word: resume it")


def works(journal: Path, driver: Facts) -> bool | None:
    """Whether a driver holds the journal; None if this machine can't tell.

    Linux tells who holds a lock without asking for it, which could keep a driver from beginning.
    """
    if driver.get("host") != socket.gethostname():
        return None
    if not journal.exists():  # killed when it had made the folder
        return False
    try:
        found = locked(journal)
    except OSError:
        return exists(driver.get("pid"))
    return held(*found, driver.get("pid"))


def goes_on(journal: Path, ended: int | None) -> bool:
    """Whether a driver goes on with a study that has ended, and hasn't told it yet: another process
    than the one that ended it, which may not have let go yet, holds the journal."""
    try:
        return any(own and pid != ended for pid, own in holders(*locked(journal)))
    except OSError:
        return False


def locked(journal: Path) -> tuple[str, int, int]:
    """What the machine says of its locks, and the device and the inode of the journal."""
    status = journal.stat()
    return Path("/proc/locks").read_text(), status.st_dev, status.st_ino


def holders(locks: str, device: int, inode: int) -> list[tuple[int, bool]]:
    """The processes that hold a lock on a file of this inode, and whether its device is told."""
    of_stat = f"{os.major(device):02x}:{os.minor(device):02x}"
    found = re.findall(rf"FLOCK +\S+ +\S+ +(-?\d+) +(\S+:\S+):{inode} ", locks)
    return [(int(holder), of_lock == of_stat) for holder, of_lock in found]


def held(locks: str, device: int, inode: int, pid: int | None) -> bool:
    """Whether /proc/locks (proc_locks(5)) tells of a lock on a file, known by what stat says of it.

    btrfs and overlays tell another device there than stat does. There the inode and the driver's
    process must do, or the inode alone where no driver has told its process yet.
    """
    found = holders(locks, device, inode)
    return any(own or pid in (None, holder) for holder, own in found)


def exists(pid: Any) -> bool | None:
    if not isinstance(pid, int):
        return None
    try:
        os.kill(pid, 0)  # asks only
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # another user's
    return True


def stage(study: Facts, tables: Tables) -> str:
    """search, confirm or test: what it is at, or was last."""
    trains = any(row["status"] == "running" for row in tables.of_stage("confirm").values())
    if tables.opened and not trains:  # after it more seeds, or budget, may be given
        return "test"
    if tables.chosen or tables.of_stage("confirm") or study.get("stages") == ["confirm"]:
        return "confirm"
    return "search"


def trials(tables: Tables, stage: str, wanted: int) -> Facts:
    """How many trials a stage is to have, has, and how they stand."""
    states = Counter(row["status"] for row in tables.of_stage(stage).values())
    return {"wanted": max(wanted, states.total()), **{name: states[name] for name in STATES}}


def best(study: Facts, tables: Tables) -> list[Facts]:
    """The best trial of each network in the search, and each network's confirmed models."""
    objective = f"val_{study.get('metric', 'accuracy')}"
    found = [
        {"network": model, "stage": "search", **row}
        for model, row in tables.best(study.get("models", []), objective).items()
    ]
    for setting, row in tables.chosen.items():
        own = [
            tables.last[name]
            for name, trial in tables.of_stage("confirm").items()
            if trial["setting"] == setting and trial["status"] == "completed"
        ]
        if own:
            found.append(
                {
                    "network": row["hp"]["model"],
                    "stage": "confirm",
                    "setting": setting,
                    "seeds": len(own),
                    "epoch": max(one["epoch"] for one in own),
                    **{
                        name: sum(one[name] for one in own) / len(own)
                        for name in dict.fromkeys(("val_accuracy", objective))
                    },
                }
            )
    return found


def failures(tables: Tables) -> list[Facts]:
    """Trials that failed, and models that gave no answers, with the last line of the error."""
    rows = tables.trials.items()
    found = [
        {"trial_id": name, "error": row["error"]} for name, row in rows if row["status"] == "failed"
    ]
    return found + [{"trial_id": n, "error": last_line(e)} for n, e in tables.unanswered.items()]


def last_line(text: str) -> str:
    return (text.strip().splitlines() or [""])[-1]


def budget(study: Facts, tables: Tables, seconds: float) -> Facts:
    """What was spent, and what there is to spend where a budget was given."""
    return {
        "seconds_spent": seconds,
        "gpu_hours_spent": tables.gpu_seconds / 3600,
        "time_budget": study.get("time_budget") or None,
        "gpu_hours": study.get("gpu_hours") or None,
    }
