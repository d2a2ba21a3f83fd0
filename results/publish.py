"""`python -m results.publish RUN`: an artefact folder made fit to be committed (published/).

Left out are host names, paths and process ids, Ray's and Optuna's folders, checkpoints, and the
journal but for what the report reads; probabilities are rounded. No image was ever in it.
"""

import argparse
import json
import re
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from results import Mistake, fail, say
from results.artefacts.load import load, study_header

PUBLISHED = Path(__file__).parent / "published"
LIMIT = 2 * 10**6  # bytes of a study: a repository keeps what it was given for ever
DECIMALS = (4, 3)  # of probabilities: 115 and 77 kB a model of 7,178 images, instead of 285
EVENTS = ("chosen", "study_ended", "driver_started")
OF_A_DRIVER = ("event", "time", "git", "versions", "hardware")  # and never its host and process
PATH = re.compile(r"(?:[A-Za-z]:)?(?:[/\\][\w.+@~-]+){2,}")


def publish(run: Path, name: str = "", root: Path = PUBLISHED) -> Path:
    """Write the folder and return it; what is there under that name is replaced whole."""
    header = study_header(run)
    if header.get("status") == "running":
        raise Mistake(f"{run} is still running, or was killed: end it or resume it first")
    load(run)  # refuses what the report would refuse
    name = name or str(header["study"].get("name") or run.resolve().name)
    if Path(name).name != name or name.startswith("."):  # what is there is removed
        raise Mistake(f"{name!r} can't name a published study: give a plain folder name by --name")
    folder = root / name
    temporary = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    host = str((header.get("hardware") or {}).get("host", ""))
    header["study"]["name"] = name  # by which documents and pages know it, and find the folder
    (temporary / "study.json").write_text(json.dumps(plain_header(header), indent=1) + "\n")
    (temporary / "events.jsonl").write_text(events(run / "events.jsonl"))
    for kind in ("trials", "epochs", "decisions", "images", "attention"):
        if (run / f"{kind}.parquet").exists():
            table = without_machine(pq.read_table(run / f"{kind}.parquet"))
            write(table, temporary / f"{kind}.parquet")
    if (run / "predictions.parquet").exists():
        table = pq.read_table(run / "predictions.parquet")
        for decimals in DECIMALS:
            write(rounded(table, decimals), temporary / "predictions.parquet")
            if size(temporary) <= LIMIT:
                break
    check(temporary, host)
    if size(temporary) > LIMIT:
        raise Mistake(f"{run} has {size(temporary):,} bytes: expected at most {LIMIT:,} of a study")
    shutil.rmtree(folder, ignore_errors=True)
    temporary.rename(folder)
    return folder


def plain_header(header: dict[str, Any]) -> dict[str, Any]:
    """study.json without host, folder and full kernel name; a path keeps its last part."""
    found = without_paths(header)
    found["study"]["out"] = "runs"
    if found.get("hardware"):
        found["hardware"] = plain_machine(found["hardware"])
    return found


def plain_machine(machine: dict[str, Any] | None) -> dict[str, Any]:
    """A machine without its host's name and full kernel name."""
    found = {name: value for name, value in (machine or {}).items() if name != "host"}
    if "system" in found:
        found["system"] = str(found["system"]).partition("-")[0]
    return found


def without_paths(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: without_paths(one) for key, one in value.items()}
    if isinstance(value, list):
        return [without_paths(one) for one in value]
    return PATH.sub(last_part, value) if isinstance(value, str) else value


def last_part(found: re.Match) -> str:
    return re.split(r"[/\\]", found[0])[-1]


def events(path: Path) -> str:
    """The journal's lines that the report reads: drivers, what was chosen, and the end."""
    kept = []
    for line in path.read_text().splitlines() if path.exists() else []:
        try:
            event = json.loads(line)
        except ValueError:
            continue  # a last line half-written: load has a note on it
        if event.get("event") not in EVENTS:
            continue
        event.pop("crc", None)  # of the line as it was
        if event["event"] == "driver_started":
            event = {name: event[name] for name in OF_A_DRIVER if name in event}
            event |= {"hardware": plain_machine(event.get("hardware"))}
        kept.append(json.dumps(without_paths(event)))
    return "".join(f"{line}\n" for line in kept)


def without_machine(table: pa.Table) -> pa.Table:
    """A table without the names of machines, and without paths in its words."""
    for place, field in enumerate(table.schema):
        if field.name == "node":
            column = pa.array([""] * table.num_rows, field.type)
        elif pa.types.is_string(field.type):
            column = pa.array(map(without_paths, table[field.name].to_pylist()), field.type)
        else:
            continue
        table = table.set_column(place, field, column)
    return table


def rounded(table: pa.Table, decimals: int) -> pa.Table:
    """Probabilities of so many decimals; the likeliest class stays the likeliest."""
    names = [name for name in table.column_names if name.startswith("p_")]
    raw = np.stack([table[name].to_numpy() for name in names], 1).astype(float)
    short = np.round(raw, decimals)
    rows = np.arange(len(raw))
    clean = np.nan_to_num(raw, nan=-1.0).argmax(1)
    lost = np.nan_to_num(short, nan=-1.0).argmax(1) != clean
    short[rows[lost], clean[lost]] += 10.0**-decimals
    for name, column in zip(names, short.T, strict=True):
        place = table.column_names.index(name)
        field = table.schema.field(place)
        table = table.set_column(place, field, pa.array(column, field.type))
    return table


def write(table: pa.Table, path: Path) -> None:
    pq.write_table(table, path, compression="zstd", compression_level=19, write_page_checksum=True)


def size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.iterdir())


def check(folder: Path, host: str) -> None:
    """Refuse to publish what still names the machine."""
    words = (folder / "study.json").read_text() + (folder / "events.jsonl").read_text()
    for path in folder.glob("*.parquet"):
        table = pq.read_table(path)
        for field in table.schema:
            if pa.types.is_string(field.type):
                words += "\n".join(map(str, table[field.name].unique().to_pylist()))
    found = PATH.search(words)
    if found or (len(host) > 3 and host in words):
        shutil.rmtree(folder)
        raise Mistake(
            f"{found[0] if found else host} would be published: expected no path and no host name; "
            "take it out of the study's own words"
        )


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m results.publish", description=__doc__)
    parser.add_argument("run", nargs="+", type=Path, metavar="RUN", help="artefact folder")
    parser.add_argument("--name", default="", help="of the published folder (one RUN only)")
    args = parser.parse_args(argv)
    try:
        if args.name and len(args.run) > 1:
            raise Mistake("--name is for one RUN: publish them one by one")
        for run in args.run:
            folder = publish(run, args.name)
            say(f"{folder}: {size(folder):,} bytes")
    except Mistake as mistake:
        return fail("results.publish", mistake)
    return 0


if __name__ == "__main__":
    sys.exit(main())
