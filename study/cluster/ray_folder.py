"""Where a Ray of the study's own keeps its files: a folder for nobody else. Runs on the driver."""

import os
import shutil
import socket
import sys
import tempfile

from study import Mistake, say

# What Ray puts behind its folder; the kernel takes names of sockets of so many bytes (unix(7)).
SOCKET = "/session_2026-11-24_10-00-00_000000_4194304/sockets/plasma_store.1"
LONGEST = 103 if sys.platform == "darwin" else 107


def make() -> tuple[str, list[str]]:
    """The folder by a name that is short enough for Ray, and what is to be removed in the end.

    It lies in RAY_TMPDIR where that is set, as batch systems do, however long it is: Ray then
    reaches it by a link. A file system without sockets can't have it: then it lies in /tmp, and
    that is said. Mistake where there is no such folder at all.
    """
    own = os.path.abspath(os.environ.get("RAY_TMPDIR") or "/tmp")  # a link leads to it
    for where in dict.fromkeys((own, "/tmp", "/var/tmp")):
        try:
            name, made = reachable(where)
            if why := no_sockets(name):
                remove(made)
                raise OSError(f"it can't hold sockets: {why}")
            return name, made
        except OSError as error:
            say(f"Ray's own files can't lie in {where} ({error.strerror or error}).")
    raise Mistake("Ray has no folder for its own files: name one on a local disk in RAY_TMPDIR")


def reachable(where: str) -> tuple[str, list[str]]:
    """A new folder of Ray's in `where`, by its own name or by a shorter one."""
    private = tempfile.mkdtemp(prefix="fer-ray-", dir=where)  # Ray opens its own to everybody
    os.mkdir(f"{private}/ray")
    if len(os.fsencode(f"{private}/ray{SOCKET}")) <= LONGEST:
        return f"{private}/ray", [private]
    short = tempfile.mkdtemp(prefix="fer-ray-", dir="/tmp")
    os.symlink(f"{private}/ray", f"{short}/ray")
    return f"{short}/ray", [private, short]


def no_sockets(folder: str) -> str:
    """Why a folder can't hold sockets, as a mounted bucket can't, or exFAT; empty if it can."""
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.bind(f"{folder}/probe")
            os.unlink(f"{folder}/probe")
        except OSError as error:
            return error.strerror or str(error)
    return ""


def remove(made: list[str]) -> None:
    for folder in made:
        shutil.rmtree(folder, ignore_errors=True)
