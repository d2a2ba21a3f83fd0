"""`python -m study.status`: where a study stands, or all studies below a folder.

Reads the journal and study.json, needs neither Ray nor torch, and changes nothing.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fer_stats.metric import on_val
from fer_stats.words import percent
from study import Mistake, complain, counted, output, say
from study.record import progress
from study.storage import errors

WATCH_SECONDS = 5.0
GOING = ("running", "unknown")  # states of a study that may yet go on by itself


def main(argv: Sequence[str] | None = None) -> int:
    """Exit code 0, 2 for a mistake, 1 if one of several studies can't be read."""
    return errors.command("study.status", lambda: shown(parser().parse_args(argv)))


def shown(args: argparse.Namespace) -> int:
    """Print where it stands, once or again and again; the exit code."""
    try:
        while True:
            text, damaged, going = told(args)
            if args.watch and not args.json and os.isatty(1):
                text = "\x1b[H\x1b[J" + text  # the terminal's own page, from its top
                with output.outlived():
                    print(text, flush=True)
            else:
                say(text)
            for why in damaged:
                complain(f"study.status: {why}")
            if not (args.watch and going) or output.state["lost"]:
                return 1 if damaged else 0
            time.sleep(WATCH_SECONDS)
    except KeyboardInterrupt:
        return 0


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="python -m study.status",
        description="Where a study stands: stage, trials, best of each network, budget, time left, "
        "failures, where it runs. Given a folder of studies, a line for each.",
    )
    made.add_argument(
        "folders", nargs="*", type=Path, metavar="RUN", help="a study's folder, or a folder of them"
    )
    made.add_argument("--json", action="store_true", help="the same as JSON, one object a line")
    made.add_argument(
        "--watch",
        action="store_true",
        help=f"again every {WATCH_SECONDS:g} s, until no study runs any more",
    )
    return made


def told(args: argparse.Namespace) -> tuple[str, list[str], bool]:
    """What is to be printed, what is wrong with studies that can't be read, and whether one of the
    others runs. Mistake if none was to be read but one that can't be."""
    parts, damaged, going = [], [], False
    named = args.folders or [Path("runs")]
    for folder in named:
        own = (folder / "study.json").exists()
        for one in [folder] if own else listed(folder):
            try:
                facts = progress.of(one)
            except Mistake as error:
                if own and len(named) == 1:
                    raise
                damaged.append(str(error))
                continue
            going = going or facts["state"] in GOING
            parts.append(json.dumps(facts) if args.json else (page if own else line)(facts))
    return "\n".join(parts), damaged, going


def listed(folder: Path) -> list[Path]:
    """The studies below a folder. Mistake if there are none."""
    if not folder.is_dir():
        raise Mistake(f"there is no folder {folder}: give a study's folder, or a folder of studies")
    found = progress.below(folder)
    if not found:
        raise Mistake(f"there is no study in {folder} (no study.json in it or one folder below)")
    return found


def line(facts: dict[str, Any]) -> str:
    """A study in a line of a list."""
    stages = [f"{name} {ended(facts[name])}" for name in ("search", "confirm") if name in facts]
    objective = f"val_{facts['metric']}"
    found = [f"{row['network']} {percent(row[objective])}" for row in tops(facts)]
    left = facts.get("seconds_left")
    parts = [*stages, *found, f"about {span(left)} left" if left is not None else ""]
    return f"{facts['folder']}  {facts['state']}  {', '.join(filter(None, parts))}".rstrip()


def tops(facts: dict[str, Any]) -> list[dict[str, Any]]:
    """What was found best of each network: confirmed, where there is such a thing."""
    objective = f"val_{facts['metric']}"
    by_network = {row["network"]: row for row in facts.get("best", ()) if row["stage"] == "search"}
    for row in facts.get("best", ()):
        before = by_network.get(row["network"])
        if row["stage"] == "confirm" and (
            before is None or before["stage"] == "search" or row[objective] > before[objective]
        ):
            by_network[row["network"]] = row
    return list(by_network.values())


def page(facts: dict[str, Any]) -> str:
    """A study in a screenful."""
    why = f" ({facts['why']})" if facts["why"] else ""
    lines = [f"{facts['name']} in {facts['folder']}: {facts['state']}{why}"]
    if "search" not in facts:
        return "\n".join([*lines, "A published copy: python -m results shows what it found."])
    lines += [trials(facts, name) for name in ("search", "confirm") if facts[name]["wanted"]]
    lines.append(
        f"Epochs: {facts['epochs']:,}; test opened for {counted(facts['test_opened'], 'model')}"
    )
    lines += [found(row, facts) for row in facts["best"]]
    lines += [f"Failed: {row['trial_id']}, {row['error']}" for row in facts["failures"]]
    lines.append(budget(facts["budget"]))
    if facts["seconds_left"] is not None:
        lines.append(f"About {span(facts['seconds_left'])} left, at the pace so far")
    where = f"{facts['host']}, process {facts['pid']}" if facts["host"] else "nowhere yet"
    heard = datetime.now(UTC) - datetime.fromisoformat(facts["heard_of_at"])
    lines.append(f"Driver: {where}; last heard of {span(heard.total_seconds())} ago")
    return "\n".join(lines)


def ended(stage: dict[str, int]) -> str:
    if not stage["wanted"]:
        return "none"
    return f"{sum(stage[name] for name in progress.STATES[:3])}/{stage['wanted']}"


def trials(facts: dict[str, Any], name: str) -> str:
    stage = facts[name]
    said = {} if facts["state"] in GOING else {"running": "interrupted"}
    counts = [f"{stage[one]} {said.get(one, one)}" for one in progress.STATES if stage[one]]
    states = ", ".join(counts)
    here = " <- here" if facts["state"] == "running" and facts["stage"] == name else ""
    return f"{name.capitalize()}: {ended(stage)} trials ended ({states or 'none begun'}){here}"


def found(row: dict[str, Any], facts: dict[str, Any]) -> str:
    metric, where = facts["metric"], on_val(facts["metric"], facts["val_copies"] == "without")
    value = f"{percent(row[f'val_{metric}'])} {where} after {counted(row['epoch'], 'epoch')}"
    if row["stage"] == "search":
        return f"Best {row['network']} of the search: {value} ({row['trial_id']})"
    many = "one seed" if row["seeds"] == 1 else f"mean of {row['seeds']} seeds"
    return f"Confirmed {row['setting']}: {value} ({many})"


def budget(facts: dict[str, Any]) -> str:
    text = f"Spent: {span(facts['seconds_spent'])}"
    if facts["time_budget"]:
        text += f" of {span(facts['time_budget'])}"
    if facts["gpu_hours_spent"] or facts["gpu_hours"]:
        text += f", {facts['gpu_hours_spent']:.2f} GPU-hours"
        text += f" of {facts['gpu_hours']:g}" if facts["gpu_hours"] else ""
    return text


def span(seconds: float) -> str:
    """45 s, 12 min, 3 h 05 min."""
    whole = max(0, round(seconds))
    if whole < 120:
        return f"{whole} s"
    minutes = round(whole / 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60:02d} min"


if __name__ == "__main__":
    sys.exit(main())
