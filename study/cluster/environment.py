"""What must be the same on every node: Python, the libraries that decide a result, this code.

Runs on the driver and in workers.
"""

import hashlib
import importlib.metadata
import platform
import socket
from importlib.util import find_spec
from pathlib import Path

import ray

from study.storage import places
from study.storage.places import Bucket, Place

OURS = ("fer_data", "fer_models", "fer_record", "fer_stats", "study")
LIBRARIES = ("torch", "ray", "numpy")
UNFIT = "unfit node:"  # how a trial's error begins if its node is to blame


def facts() -> dict[str, str]:
    """Versions of Python and the libraries, and `code`, the digest of this project's files."""
    return {
        "python": platform.python_version(),
        **{name: importlib.metadata.version(name) for name in LIBRARIES},
        "code": digest(),
    }


def folder(package: str) -> Path:
    """Where a package of ours lies; without it nothing here could have been imported."""
    spec = find_spec(package)
    assert spec and spec.origin
    return Path(spec.origin).parent


def digest() -> str:
    """Of every module and preset of ours that a trial runs: a copy without git has it too."""
    total = hashlib.sha256()
    for package in map(folder, OURS):
        for path in sorted(p for p in package.rglob("*") if p.suffix in (".py", ".toml")):
            total.update(f"{package.name}/{path.relative_to(package)}\0".encode())
            total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()[:12]


def difference(expected: dict[str, str], found: dict[str, str]) -> str:
    """What a node has otherwise than the driver, in words; empty if nothing."""
    wrong = [name for name in expected if found.get(name) != expected[name]]
    return ", ".join(
        f"{'the code' if name == 'code' else name} {found.get(name, 'missing')} "
        f"(the driver has {expected[name]})"
        for name in wrong
    )


def verify(expected: dict[str, str], place: Place) -> None:
    """For a node that joined after the start: raises before its first trial trains anything."""
    wrong = difference(expected, facts())
    try:
        used = places.patiently(lambda: uses(place)) or "which the driver writes to"
    except OSError as error:
        used = f"which it may not use ({places.first_line(error)})"
    if used is not True:
        wrong = wrong or f"no {places.without_options(place)}, {used}"
    if wrong:
        raise RuntimeError(f"{UNFIT} {socket.gethostname()} has {wrong}")


def reads(place: Place) -> bool:
    """Whether this node reads what the driver has written into a study's folder."""
    # In shared storage the second is there first.
    return any(places.exists(place / name) for name in ("study.json", "driver.json"))


def uses(place: Place) -> bool:
    """The same, and in a bucket whether this node may write and delete there: OSError if not."""
    if isinstance(place, Bucket):
        mark = place / "checkpoints" / f".probe-{ray.get_runtime_context().get_node_id()}"
        places.write(mark, b"x")
        places.delete(mark)
    return reads(place)


def sees(token: Path, content: str) -> bool:
    """Whether this node reads the driver's token file; it leaves its answer beside it."""
    try:
        if token.read_text() != content:
            return False
        answer(token, ray.get_runtime_context().get_node_id()).write_text(content)
    except OSError:
        return False
    return True


def answer(token: Path, node_id: str) -> Path:
    """Where a node answers, so that the driver can look whether it wrote into the same folder."""
    return token.with_name(f"{token.name}-{node_id}")
