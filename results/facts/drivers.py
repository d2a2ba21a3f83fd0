"""With what code, libraries and machines a study was run: each driver's own, from the journal."""

import re
from typing import Any

import pandas as pd

from results.artefacts.load import Findings

UNKNOWN = "code and versions not recorded"


def rows(findings: Findings) -> dict[str, str]:
    """A row for each driver of a study that had more than one: when it began, and with what.

    Drivers of older versions left nothing of themselves; the first one's stands in study.json.
    """
    drivers = known(findings)
    if len(drivers) < 2:
        return {}
    return {
        f"Driver {number}": f"{began(driver)}: {', '.join(words(driver)) or UNKNOWN}"
        for number, driver in enumerate(drivers, 1)
    }


def devices(trials: pd.DataFrame) -> str:
    """What trials ran on; older studies wrote "1 threads"."""
    told = map(str, trials["device"].dropna().unique())
    return ", ".join(re.sub(r"\b1 threads$", "1 thread", one) for one in told)


def mixed(findings: Findings) -> str:
    """What its drivers did not all run with, in words; empty if they did, or nobody knows."""
    found: dict[str, list[str]] = {}
    for driver in known(findings):
        for name, text in facts(driver).items():
            if text and text not in found.setdefault(name, []):
                found[name].append(text)
    return "; ".join(f"{n} {', then '.join(texts)}" for n, texts in found.items() if len(texts) > 1)


def known(findings: Findings) -> list[dict[str, Any]]:
    """The drivers in their order; the first with what study.json says where it left nothing."""
    drivers = [dict(driver) for driver in findings.drivers]
    for driver in drivers[:1]:
        for part in ("git", "versions", "hardware"):
            driver.setdefault(part, findings.study.get(part))
    return drivers


def facts(driver: dict[str, Any]) -> dict[str, str]:
    """What of a driver may decide a result."""
    git, versions, machine = (driver.get(part) or {} for part in ("git", "versions", "hardware"))
    gpus = machine.get("gpus")
    return {
        "code": str(git.get("code") or ""),
        **{str(name): str(value) for name, value in versions.items()},
        "processor": str(machine.get("processor") or ""),
        "GPU": "" if gpus is None else ", ".join(map(str, gpus)) or "none",
    }


def words(driver: dict[str, Any]) -> list[str]:
    return [f"{name} {text}" for name, text in facts(driver).items() if text]


def began(driver: dict[str, Any]) -> str:
    time = driver.get("time")
    return pd.Timestamp(time).strftime("%Y-%m-%d %H:%M UTC") if time else "at an unknown time"
