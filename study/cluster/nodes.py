"""Ask every node before the first epoch: the same versions, the same code, one folder. Driver."""

import secrets
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ray
from ray.exceptions import GetTimeoutError, RayError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from study import Mistake
from study.cluster import environment
from study.storage.places import Bucket, Place, without_options

ANSWER_SECONDS = 120.0  # a node that takes longer to say what it has is not fit to train


def alive() -> list[dict[str, Any]]:
    """Ray's own description of each node that is up."""
    return [each for each in ray.nodes() if each["Alive"]]


def check(place: Place) -> dict[str, str]:
    """Refuse a cluster whose nodes differ, or don't all see where the results go.

    place is the study's folder, or that in shared storage. Returns `environment.facts()`, by which
    a node that joins later is checked before its first trial. A single node needs no check.
    """
    expected = environment.facts()
    if len(alive()) > 1:
        check_versions(expected)
        if isinstance(place, Bucket):
            check_bucket(place)
        else:
            check_folder(place)
    return expected


def check_versions(expected: dict[str, str]) -> None:
    """Refuse the cluster if a node differs in Python, a library or this project's files."""
    for name, _, found in everywhere(environment.facts):
        if isinstance(found, str):
            raise Mistake(
                f"node {name} can't say what it has ({found}): install this project there as "
                "here (pip install with constraints.txt)"
            )
        wrong = environment.difference(expected, found)
        if wrong:
            raise Mistake(f"node {name} has {wrong}: install the same on every node")


def check_bucket(place: Bucket) -> None:
    """Refuse a study whose folder in a bucket not every node can read and write."""
    for name, _, found in everywhere(environment.uses, place):
        if found is not True:
            raise Mistake(
                f"node {name} can't use {without_options(place)} ({found or 'not found'}): give "
                "it the credentials that this machine has"
            )


def check_folder(folder: Path) -> None:
    """Refuse a study whose folder not every node can read and write."""
    content = secrets.token_hex(8)
    token = folder.resolve() / f".seen-{content}"
    token.write_text(content)
    try:
        blind = [
            name
            for name, node_id, seen in everywhere(environment.sees, token, content)
            if seen is not True or not environment.answer(token, node_id).is_file()
        ]
    finally:
        for path in token.parent.glob(f"{token.name}*"):
            path.unlink()
    if blind:
        raise Mistake(
            f"{folder} isn't seen by {len(blind)} of {len(alive())} nodes ({', '.join(blind)}): "
            "give --storage s3://BUCKET/FOLDER, or an --out that all nodes share"
        )


def everywhere(ask: Callable[..., Any], *given: Any) -> list[tuple[str, str, Any]]:
    """Host name, Ray's id, and what `ask(*given)` returns there or why it couldn't, in words.

    Asked without cores of its own, so that a busy node answers too. A node that goes while it is
    asked is left out: it takes no part.
    """
    remote, asked, found = ray.remote(num_cpus=0, max_retries=0)(ask), [], []
    for each in alive():
        pin = NodeAffinitySchedulingStrategy(each["NodeID"], soft=False)
        answer = remote.options(scheduling_strategy=pin).remote(*given)
        asked.append((each["NodeManagerHostname"], each["NodeID"], answer))
    until = time.monotonic() + ANSWER_SECONDS
    for name, node_id, answer in asked:
        try:
            found.append(
                (name, node_id, ray.get(answer, timeout=max(0.1, until - time.monotonic())))
            )
        except GetTimeoutError:
            found.append((name, node_id, f"no answer in {ANSWER_SECONDS:g} s"))
        except RayError as error:
            if node_id in {each["NodeID"] for each in alive()}:
                found.append((name, node_id, str(error).strip().splitlines()[-1]))
    return found
