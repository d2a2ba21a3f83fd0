"""Who runs a study in shared storage: the driver's signs of life there. Runs on the driver."""

import json
import os
import time
from collections.abc import Callable
from typing import Any

from study import Mistake, now
from study.storage import places, process
from study.storage.places import Place, without_options

LEASE = "driver.json"  # who runs the study, and how much of its two logs belongs together
LEASE_SECONDS = 60.0  # without a sign of life, after which another driver may go on
UNKNOWN = {"host": "an unknown machine", "pid": 0}  # of a damaged lease: its age alone counts


def read(place: Place) -> dict[str, Any]:
    """The lease; UNKNOWN of a damaged one, empty if there never was any."""
    try:
        found = json.loads(places.read(place / LEASE))
    except FileNotFoundError:
        return {}
    except ValueError:
        return UNKNOWN
    return found if whole(found) else UNKNOWN


def whole(found: Any) -> bool:
    """Whether it is what `write` wrote, as far as it is used."""
    kinds = {"host": str, "pid": int, "token": str, "sizes": dict}
    return (
        isinstance(found, dict)
        and all(type(found.get(name)) is kind for name, kind in kinds.items())
        and all(type(size) is int and size >= 0 for size in found["sizes"].values())
    )


def write(place: Place, token: str, sizes: dict[str, int]) -> None:
    """A sign of life of the driver with this token; without one, that the study is free."""
    lease = {
        "host": os.uname().nodename,
        "pid": os.getpid(),
        **process.facts(os.getpid()),
        "token": token,
        "time": now(),
        "sizes": sizes,
    }
    places.write(place / LEASE, json.dumps(lease).encode())


def refuse_held(place: Place, moment: float, say: Callable[[str], None]) -> None:
    """Mistake while another driver gives signs of life; `moment` is now by the storage's clock.

    A driver that was killed on this machine keeps nobody waiting. Where the system doesn't tell
    whether it was, the lease decides, and what is left of it is waited for.
    """
    holder, began = read(place), time.monotonic()
    if not holder or holder.get("token") == "" or process.ended(holder):
        return
    since = moment - places.written_at(place / LEASE)
    if holder["host"] == os.uname().nodename and process.here(holder) is None:
        say(
            f"{without_options(place)} was run by process {holder['pid']} on {holder['host']}, "
            f"last seen {max(0, since):.0f} s ago: waiting for up to "
            f"{max(0, LEASE_SECONDS - since):.0f} s to see whether it still is."
        )
        while since + time.monotonic() - began < LEASE_SECONDS and read(place) == holder:
            time.sleep(1)
        since += time.monotonic() - began
        if read(place) != holder:
            since = 0.0
    if since < LEASE_SECONDS:
        raise Mistake(
            f"{without_options(place)} is being run by a driver on {holder['host']} (process "
            f"{holder['pid']}, last seen {max(0, since):.0f} s ago): stop it first or, if its "
            f"machine is gone, try again in {LEASE_SECONDS - since:.0f} s"
        )
