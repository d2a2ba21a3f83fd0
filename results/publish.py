"""`python -m results.publish RUN`: an artefact folder made fit to be committed (published/).

Left out are host names, paths and process ids, Ray's and Optuna's folders, checkpoints, and the
journal but for what the report reads; probabilities are rounded, those of other data sets too
(study.evaluate). No image was ever in it.
"""

import argparse
import json
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from results import Mistake, command, say
from results.artefacts.load import Findings, folders, load, study_header, whole_events

PUBLISHED = Path(__file__).parent / "published"
LIMIT = 2 * 10**6  # bytes of a study: a repository keeps what it was given for ever
DECIMALS = (4, 3)  # of probabilities: 115 and 77 kB a model of 7,178 images, instead of 285
PLACES = ("data", "out", "storage", "address")  # flags; that of the data is in the study too
EVENTS = ("chosen", "study_ended", "driver_started")
WHY = ("reason", "error")  # words of ours and of libraries, which may name a machine
ELSEWHERE = "elsewhere"  # what study.evaluate keeps: a table for each other data set
OF_A_DRIVER = ("event", "time", "git", "versions", "hardware")  # and never its host and process
PART = r"[\w.+@~-]+"
# A folder of a path, whose name may have blanks before capitals and numbers: My Data, Jo Smith 2.
FOLDER = rf"{PART}(?: [A-Z0-9(&-][\w.+@~()&-]*)*(?=[/\\])"
PATH = re.compile(  # of a machine; what begins within a word is none, as in SPLIT/CLASS/NAME
    r"(?<![\w.+~/\\-])(?:"
    rf"[A-Za-z]:(?:[/\\]+{FOLDER})*[/\\]+{PART}"  # below a drive's letter, which alone is no path
    rf"|(?!https?:)[A-Za-z][\w+.-]*:/(?:/+{FOLDER})*/+{PART}"  # an address, as s3://BUCKET/FOLDER
    rf"|~[\w.-]*(?:[/\\]{FOLDER})*[/\\]{PART}"
    rf"|(?<!https:)(?<!http:)[/\\]{{1,2}}{FOLDER}(?:[/\\]+{FOLDER})*[/\\]+{PART})"
)


def publish(run: Path, name: str = "", root: Path = PUBLISHED) -> Path:
    """Write the folder and return it; what is there under that name is replaced whole."""
    header = study_header(run)
    if header.get("status") == "running":
        raise Mistake(f"{run} is still running, or was killed: end it or resume it first")
    found = load(run)  # refuses what the report would refuse
    name = name or str(header["study"].get("name") or run.resolve().name)
    if Path(name).name != name or name.startswith("."):  # what is there is removed
        raise Mistake(f"{name!r} can't name a published study: give a plain folder name by --name")
    known = {one.name: one for one in folders(root) if one != root}  # also one in a folder of them
    folder = known.get(name, root / name)
    if folder.exists() and name not in known:
        raise Mistake(f"{folder} is there and is no study's: give another --name")
    temporary = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    header["study"]["name"] = name  # by which documents and pages know it, and find the folder
    hosts = named(machines(found))
    told = without_hosts(plain_header(header), hosts)
    (temporary / "study.json").write_text(json.dumps(told, indent=1) + "\n")
    (temporary / "events.jsonl").write_text(events(run / "events.jsonl", hosts))
    for kind in ("trials", "epochs", "decisions", "images", "attention"):
        if (run / f"{kind}.parquet").exists():
            table = without_machine(pq.read_table(run / f"{kind}.parquet"), hosts)
            write(table, temporary / f"{kind}.parquet")
    own, others = run / "predictions.parquet", sorted((run / ELSEWHERE).glob("*.parquet"))
    given = [path for path in (own, *others) if path.exists()]
    for decimals in DECIMALS:
        for path in given:
            to = temporary / path.relative_to(run)
            to.parent.mkdir(exist_ok=True)
            write(rounded(answered(path, hosts), decimals), to)
        if size(temporary) <= LIMIT:
            break
    if others and size(temporary) > LIMIT:
        shutil.rmtree(temporary / ELSEWHERE)
        say(f"{folder}: without the answers to other data sets, for which there is no room")
    check(temporary, hosts)
    if (many := size(temporary)) > LIMIT:
        shutil.rmtree(temporary)
        raise Mistake(f"{run} has {many:,} bytes: expected at most {LIMIT:,} of a study")
    shutil.rmtree(folder, ignore_errors=True)
    temporary.rename(folder)
    return folder


def plain_header(header: dict[str, Any]) -> dict[str, Any]:
    """study.json without hosts, folders and full kernel name; a path keeps its last part."""
    found = without_paths(header)
    found["study"]["out"] = "runs"
    for name in ("storage", "address"):  # where it was kept and ran, which may name a machine
        if found["study"].get(name) not in (None, "local"):
            found["study"][name] = ""
    if "flags" in found:
        flags = found["flags"]
        found["flags"] = {name: flags[name] for name in flags if name not in PLACES}
    if data := re.fullmatch(r"([\w-]+:)?(/.+)", str(header["study"].get("data"))):
        kind, path = data.groups(default="")  # whose folders may have names with spaces
        found["study"]["data"] = kind + PurePosixPath(path).name
    for one, as_it_was in zip(
        found["study"].get("own_networks", ()), header["study"].get("own_networks", ()), strict=True
    ):
        one["code"] = as_it_was.get("code", "")  # of which its digest is
        one["source"] = re.sub(r"(^|@)[^@]*/", r"\1", as_it_was["source"])
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


def without_hosts(told: dict[str, Any], hosts: re.Pattern[str]) -> dict[str, Any]:
    """What study.json or an event tells, without names of machines in why something ended."""
    return told | {name: hosts.sub("a machine", str(told[name])) for name in WHY if told.get(name)}


def events(path: Path, hosts: re.Pattern[str]) -> str:
    """The journal's lines that the report reads: drivers, what was chosen, and the end."""
    kept = []
    for event in whole_events(path, []):
        if event.get("event") not in EVENTS:
            continue
        if event["event"] == "driver_started":
            event = {name: event[name] for name in OF_A_DRIVER if name in event}
            event |= {"hardware": plain_machine(event.get("hardware"))}
        kept.append(json.dumps(without_hosts(without_paths(event), hosts)))
    return "".join(f"{line}\n" for line in kept)


def machines(one: Findings) -> set[str]:
    """Names of the machines on which a study ran."""
    found = [(one.study.get("hardware") or {}).get("host")]
    found += [driver.get("host") for driver in one.drivers]
    if "node" in one.trials:
        found += [*one.trials["node"].dropna().unique()]
    return {str(name) for name in found if name and len(str(name)) > 3} - {"localhost"}


def named(machines: set[str]) -> re.Pattern[str]:
    """What finds these names as words; of none, nothing."""
    each = "|".join(map(re.escape, machines))
    return re.compile(rf"(?<![\w-])(?:{each})(?![\w-])" if each else r"(?!)")


def without_machine(table: pa.Table, hosts: re.Pattern[str]) -> pa.Table:
    """A table without the names of machines, without paths in its words, and without what else a
    file may say of itself."""
    table = table.replace_schema_metadata(None)
    for place, field in enumerate(table.schema):
        if field.name == "node":
            column = pa.array([""] * table.num_rows, field.type)
        elif pa.types.is_string(field.type):
            words = [without_paths(text) for text in table[field.name].to_pylist()]
            if field.name in WHY:
                words = [text and hosts.sub("a machine", text) for text in words]
            column = pa.array(words, field.type)
        else:
            continue
        table = table.set_column(place, field, column)
    return table


def answered(path: Path, hosts: re.Pattern[str]) -> pa.Table:
    """A table of answers, with what a file of ELSEWHERE says of the data set that it is on."""
    table = pq.read_table(path)
    about = (table.schema.metadata or {}).get(ELSEWHERE.encode())
    if about is None:
        return table
    told = without_paths(json.loads(about))
    told = {name: told[name] for name in ("name", "notes") if name in told}  # and not its path
    return without_machine(table, hosts).replace_schema_metadata({ELSEWHERE: json.dumps(told)})


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
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def check(folder: Path, hosts: re.Pattern[str]) -> None:
    """Refuse to publish what still names a machine."""
    for text in words_of(folder):
        found = PATH.search(text) or hosts.search(text)
        if found:
            shutil.rmtree(folder)
            raise Mistake(
                f"{found[0]} would be published: expected no path and no host name; take it out of "
                "the study's own words"
            )


def words_of(folder: Path) -> Iterator[str]:
    """All text of a folder as it is meant: JSON's escapes look like paths of Windows."""
    yield from texts(json.loads((folder / "study.json").read_text()))
    for line in (folder / "events.jsonl").read_text().splitlines():
        yield from texts(json.loads(line))
    for path in folder.rglob("*.parquet"):
        table = pq.read_table(path)
        yield from (text.decode() for text in (table.schema.metadata or {}).values())
        for field in table.schema:
            if pa.types.is_string(field.type):
                yield from filter(None, table[field.name].unique().to_pylist())


def texts(value: Any) -> Iterator[str]:
    """The text in a value of JSON, keys included."""
    if isinstance(value, dict):
        value = [*value, *value.values()]
    if isinstance(value, list):
        yield from (text for one in value for text in texts(one))
    elif isinstance(value, str):
        yield value


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m results.publish", description=__doc__)
    parser.add_argument("run", nargs="+", type=Path, metavar="RUN", help="artefact folder")
    parser.add_argument("--name", default="", help="of the published folder (one RUN only)")
    args = parser.parse_args(argv)
    return command("results.publish", lambda: published(args.run, args.name))


def published(runs: list[Path], name: str) -> int:
    """Publish each and say so; the exit code."""
    if name and len(runs) > 1:
        raise Mistake("--name is for one RUN: publish them one by one")
    for run in runs:
        folder = publish(run, name)
        say(f"{folder}: {size(folder):,} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
