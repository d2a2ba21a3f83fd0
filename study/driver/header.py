"""study.json, read again; a damaged one, from what its drivers wrote into the journal. Driver."""

import json
from pathlib import Path
from typing import Any

from fer_record.journal import Row
from fer_record.tables import Tables
from study import Mistake, say
from study.config.study import Study, recorded
from study.driver.session import Session
from study.storage import atomic

OF_THE_DATA = ("name", "digest", "source", "levels", "side_px")  # which copy, and how it is read
OF_A_DRIVER = ("git", "versions", "hardware")  # with what code, libraries and machine it ran
# All that study.json says and that can't be worked out again from the data and the study.
KEPT = (
    "study",
    "flags",
    "device",
    "why_this_size",
    "started_at",
    "data",
    "earlier",
    "changed",
    "seeds_after_test",
    *OF_A_DRIVER,
)

CHANGES = ("study", "device", "changed", "seeds_after_test")  # with --resume


def of_journal(header: dict[str, Any]) -> Row:
    """The part of a header that each driver writes into the journal when it begins."""
    kept = {name: header[name] for name in KEPT if name in header}
    data = {name: header["data"][name] for name in OF_THE_DATA if name in header["data"]}
    return kept | {"data": data}


def write(
    session: Session, status: str = "running", reason: str = "", ended_at: str | None = None
) -> None:
    """study.json as it is now."""
    ending = {"status": status, "reason": reason, "ended_at": ended_at}
    atomic.write_json(session.folder / "study.json", session.header | ending)


def read(folder: Path, tables: Tables) -> tuple[dict[str, Any], Study]:
    """study.json, and the study in it. Mistake if neither it nor the journal has them.

    What a person or a fault has changed in the study since its last driver wrote it is told, and
    the journal's holds.
    """
    path = folder / "study.json"
    last = tables.drivers[-1] if tables.drivers else {}
    look = {"look_at_test": tables.look} if tables.look else {}
    if not path.is_file() and "study" not in last:
        raise Mistake(f"{folder} holds no study.json: give --resume a study's folder or its name")
    try:
        header = json.loads(path.read_bytes())
        study = recorded(header)
        str(header["data"]["digest"] + header["started_at"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        if isinstance(error, OSError) and path.exists():
            raise
        if "study" not in last:
            raise Mistake(f"{path} is damaged ({error!r}): restore it from a copy") from None
        say(f"{path} is damaged or lost ({error!r}): it is made anew from the journal.")
        return last | look, recorded(last)
    if "study" in last and study != (before := recorded(last | {"data": header["data"]})):
        say(f"{path} isn't as its last driver wrote it: the study goes on as the journal has it.")
        changed = {name: last[name] for name in CHANGES if name in last}
        return header | look | changed, before
    return header | look, study


def others(before: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """What a driver runs with that another didn't, in words, as far as both are known."""
    known = {name: text for name, text in facts(before).items() if text}
    return [
        f"{name} {text} (before {known[name]})"
        for name, text in facts(now).items()
        if name in known and text not in ("", known[name])
    ]


def mixed(header: dict[str, Any], drivers: list[Row]) -> list[str]:
    """What a study's drivers did not all run with, in the order in which they had it.

    `header` is study.json, which has it of the first, where older drivers left none in the journal.
    """
    known, found = [facts(header | driver) for driver in drivers[:1]], []
    known += [facts(driver) for driver in drivers[1:]]
    for name in known[0] if known else ():
        values = list(dict.fromkeys(one[name] for one in known if one.get(name)))
        if len(values) > 1:
            found.append(f"{name} {', then '.join(values)}")
    return found


def facts(driver: dict[str, Any]) -> dict[str, str]:
    """What of a driver may decide a result: its code, libraries and machine."""
    git, versions, machine = (driver.get(name) or {} for name in OF_A_DRIVER)
    gpus = machine.get("gpus")
    return {
        "code": git.get("code") or "",
        **versions,
        "processor": machine.get("processor") or "",
        "GPU": "" if gpus is None else ", ".join(gpus) or "none",
    }
