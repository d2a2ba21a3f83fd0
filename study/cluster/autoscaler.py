"""How far the joined cluster can grow, from the configuration of its autoscaler. On the driver."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import ray
import yaml

from study import say


def configuration() -> dict[str, Any]:
    """The configuration of the joined cluster's autoscaler; empty without one on this machine.

    Ray 2.60 tells no driver how far a cluster can grow, but the autoscaler beside the head was
    started with the file that says it.
    """
    address = ray.get_runtime_context().gcs_address
    for words in command_lines():
        files = [word.split("=", 1)[1] for word in words if word.startswith("--autoscaling-config")]
        if files and f"--gcs-address={address}" in words:
            try:
                return yaml.safe_load(Path(files[0]).expanduser().read_text())
            except OSError as error:
                say(f"How far the cluster grows is unknown: {error.filename}, {error.strerror}.")
    return {}


def kinds() -> dict[str, dict[str, Any]]:
    """The autoscaler's node types but the head's own; a list of hosts has one type for all."""
    config = configuration()
    types = config.get("available_node_types", {})
    head = config.get("head_node_type") if len(types) > 1 else None
    return {name: kind for name, kind in types.items() if name != head}


def command_lines(own: bool = False) -> Iterator[list[str]]:
    """The words of each process on this machine; `own` leaves out other users'."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if not own or path.stat().st_uid == os.getuid():
                yield path.read_text().split("\0")
        except (OSError, UnicodeDecodeError):  # it has just ended, or isn't Ray's
            continue
