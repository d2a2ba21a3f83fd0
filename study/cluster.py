"""Join or start Ray, say what there is, refuse what is missing. Runs on the driver."""

import atexit
import os
import secrets
import shutil
import socket
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import ray
import torch
import yaml
from ray._private import ray_constants
from ray.exceptions import RayError

from study import Mistake, installed
from study.config import Study
from study.display import say
from study.nodes import alive

# Read by Ray when it starts or when Tune runs: no telemetry, no loggers beside our journal, no
# handling of Ctrl-C beside ours, no snapshots that nobody reads, the caller's working folder, and
# workers at the caller's niceness (Ray adds 15 to it: beside other work, training then gets what
# is left over; who wants that starts the study with `nice`).
ENVIRONMENT = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_AIR_NEW_OUTPUT": "0",
    "RAY_CHDIR_TO_TRIAL_DIR": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_worker_niceness": "0",
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    "TUNE_DISABLE_SIGINT_HANDLER": "1",
    "TUNE_GLOBAL_CHECKPOINT_S": "3600",
    "TUNE_WARN_EXCESSIVE_EXPERIMENT_CHECKPOINT_SYNC_THRESHOLD_S": "0",
}
SETTINGS = bytes((0, 0, 0, 4, 0, 0, 0, 0, 0))  # an empty frame of them: RFC 9113, 4.1 and 6.5
HELLO_SECONDS = 5.0  # for the first answer of a head that is there
ASSEMBLY_SECONDS = 180.0  # for the nodes that a list of hosts promises; ssh and ray start took 20


def hardware_kind(device: str) -> str:
    """What presets are sized by, gpu or cpu; refuses a GPU asked for where there is none.

    The GPUs are those of the cluster where one has been joined, else of this machine.
    """
    found = capacity()["GPU"] > 0 if ray.is_initialized() else torch.cuda.is_available()
    if device == "cuda" and not found:
        raise Mistake(
            "device is cuda, but no CUDA device is found here: use --device cpu, or a machine or "
            "cluster with a GPU"
        )
    return "gpu" if found and device != "cpu" else "cpu"


def wanted(address: str) -> str:
    """The cluster to join: the address given, else RAY_ADDRESS, else a head here; "" for none."""
    named = address or os.environ.get("RAY_ADDRESS", "")
    if named == "auto" and not head_here():
        raise Mistake(
            "the Ray address is auto, but no head runs on this machine: start one with "
            "'ray start --head', name its HOST:PORT, or use --address local"
        )
    if named.startswith("ray://"):
        raise Mistake(f"{named} is Ray Client's, which can't train: run this on the cluster's head")
    return {"local": "", "": head_here(), "auto": head_here()}.get(named, named)


def head_here() -> str:
    """The address that `ray start --head` left on this machine, if it is ours and answers."""
    folder = os.environ.get("RAY_TMPDIR") or os.environ.get("TMPDIR") or "/tmp"
    path = Path(folder) / "ray" / "ray_current_cluster"
    try:
        if path.stat().st_uid != os.getuid():  # a head of someone else's is not for us
            return ""
        address = path.read_text().strip()
    except OSError:
        return ""
    if not ours(address):  # an ended head leaves its address behind, and others may listen there
        return ""
    return "" if silence(address) else address


def ours(address: str) -> bool:
    """Whether a server of Ray's that this user has started was given this address's port; without
    /proc (macOS) whoever answers there is believed."""
    if not Path("/proc/self/cmdline").exists():
        return True
    port = address.rpartition(":")[2]
    return any(f"--gcs_server_port={port}" in words for words in command_lines(own=True))


def command_lines(own: bool = False) -> Iterator[list[str]]:
    """The words of each process on this machine; `own` leaves out other users'."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if not own or path.stat().st_uid == os.getuid():
                yield path.read_text().split("\0")
        except (OSError, UnicodeDecodeError):  # it has just ended, or isn't Ray's
            continue


def silence(address: str) -> str:
    """Why nothing like Ray speaks at HOST:PORT, in words; empty if something does.

    Ray's own way to find out takes two minutes and then ends the process. Its server speaks gRPC,
    that is HTTP/2, whose first word on both sides is a frame of settings (RFC 9113, 3.4).
    """
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit():
        return "expected HOST:PORT"
    try:
        with socket.create_connection((host, int(port)), timeout=HELLO_SECONDS) as connection:
            connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + SETTINGS)
            hello = connection.recv(9)
    except (OSError, OverflowError) as error:
        return str(error)
    return "" if hello[3:4] == b"\x04" else "what listens there isn't Ray"


def connect(address: str) -> str:
    """Join the cluster that is asked for or found, else start Ray here; says which, in words.

    A Ray that this process has joined already (a notebook, a test) is used as it is. A head that
    was asked for and can't be joined is refused; one that was only found here is left aside.
    """
    if ray.is_initialized():
        return "Ray as this process has joined it"
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    found = wanted(address)
    if found:
        problem = join(found)
        if not problem:
            return f"joined the Ray cluster at {found}"
        if address or os.environ.get("RAY_ADDRESS"):
            raise Mistake(
                f"no Ray cluster can be joined at {found} ({problem}): start one with "
                "'ray start --head', or use --address local"
            )
        say(f"A Ray head on this machine, {found}, is left aside: {problem}.")
    start_here()
    return "Ray started on this machine"


def start_here() -> None:
    """A Ray of this process's own: on loopback alone, its token and its sockets for nobody else.

    Ray by itself listens on every address of the machine, leaves the token of what it starts in a
    file of the home folder, and opens its folder under /tmp to everybody. It knows loopback only as
    what spares macOS's users questions of their firewall, by a constant that is read when it is
    imported.
    """
    if not {"RAY_AUTH_MODE", "RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"} & {*os.environ}:
        os.environ["RAY_AUTH_TOKEN"] = secrets.token_hex(32)  # Ray then turns the login on
    # Not TMPDIR, which is long on macOS: a socket's name has 103 characters at most.
    private = tempfile.mkdtemp(prefix="fer-ray-", dir=os.environ.get("RAY_TMPDIR", "/tmp"))
    atexit.register(leave_nothing, private)
    before, ray_constants.ENABLE_RAY_CLUSTER = ray_constants.ENABLE_RAY_CLUSTER, False
    try:
        ray.init(
            "local", include_dashboard=False, log_to_driver=False, logging_level="ERROR",
            _temp_dir=f"{private}/ray",
        )  # fmt: skip
    finally:
        ray_constants.ENABLE_RAY_CLUSTER = before


def leave_nothing(folder: str) -> None:
    ray.shutdown()  # else it would go on writing there
    shutil.rmtree(folder, ignore_errors=True)


def join(address: str) -> str:
    """Join a cluster and wait for the nodes that it promises; what is wrong with it, in words."""
    if why := silence(address):
        return why
    try:
        ray.init(address, log_to_driver=False, logging_level="ERROR")
    except (ConnectionError, ValueError, RuntimeError, RayError) as error:
        return str(error).strip().splitlines()[0].split(". ")[0].rstrip(".")
    if capacity()["CPU"] < 1:
        ray.shutdown()
        return "it has no core to train on and nothing that would add a node"
    assemble()
    return ""


def assemble() -> None:
    """Wait for the nodes that an autoscaler keeps at any time, as it does for a list of hosts."""
    promised = 1 + sum(kind.get("min_workers", 0) for kind in kinds().values())
    until = time.monotonic() + ASSEMBLY_SECONDS
    if len(alive()) < promised:
        say(f"Waiting for {promised - len(alive())} of {promised} nodes.")
    while len(alive()) < promised and time.monotonic() < until:
        time.sleep(1)
    if len(alive()) < promised:
        say(f"Going on with {len(alive())} of {promised} nodes; 'ray status' says what is missing.")


def autoscaler() -> dict[str, Any]:
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
    config = autoscaler()
    types = config.get("available_node_types", {})
    head = config.get("head_node_type") if len(types) > 1 else None
    return {name: kind for name, kind in types.items() if name != head}


def capacity() -> dict[str, float]:
    """Cores and GPUs that the cluster has, or can come to have by its autoscaler."""
    there = ray.cluster_resources()
    config, grown = autoscaler(), {"CPU": 0.0, "GPU": 0.0}
    left = config.get("max_workers", 0)
    most = sorted(kinds().values(), key=lambda kind: -kind["resources"].get("GPU", 0))
    for kind in most:
        count = min(left, kind.get("max_workers", config.get("max_workers", 0)))
        left -= count
        for name in grown:
            grown[name] += count * kind["resources"].get(name, 0)
    return {name: max(there.get(name, 0.0), grown[name]) for name in grown}


def gpu_free_mib() -> float:
    """Free memory of the cluster's fullest GPU; 0 where none is there yet, or none answers."""
    count = int(ray.cluster_resources().get("GPU", 0))
    asked = [ray.remote(free_mib).options(num_gpus=1).remote() for _ in range(count)]
    answered, _ = ray.wait(asked, num_returns=count, timeout=60) if asked else ([], [])
    return min(ray.get(answered), default=0.0) if len(answered) == count else 0.0


def free_mib() -> float:
    return torch.cuda.mem_get_info()[0] / 2**20


def resources(study: Study) -> dict[str, float]:
    """What a trial gets; refuses more than the cluster has or can come to have."""
    there = capacity()
    gpus, cpus = there["GPU"], int(there["CPU"])
    if study.device == "cuda" and not gpus:
        raise Mistake("device is cuda, but the cluster has no GPU: use --device cpu or add one")
    gpu = study.gpus_per_trial if gpus and study.device != "cpu" else 0.0
    if gpu > gpus:
        raise Mistake(f"gpus_per_trial is {gpu:g}, but the cluster has {gpus:g}: ask for fewer")
    if study.cpus_per_trial > cpus:
        raise Mistake(
            f"cpus_per_trial is {study.cpus_per_trial}, but the cluster has {cpus}: ask for fewer"
        )
    return {"cpu": study.cpus_per_trial, "gpu": gpu}


def slots(study: Study, need: dict[str, float]) -> int:
    """Trials at once: what fits, or fewer if max_concurrent says so."""
    there = capacity()
    fit = int(there["CPU"] // need["cpu"])
    if need["gpu"]:
        fit = min(fit, int(there["GPU"] / need["gpu"] + 1e-9))
    return min(fit, study.max_concurrent) if study.max_concurrent else fit


def inventory(joined: str) -> str:
    """The cluster in a sentence: how it was come by, nodes, cores, GPUs, and versions."""
    there, most, nodes = ray.cluster_resources(), capacity(), alive()
    amounts = {}
    for name, word in (("CPU", "core"), ("GPU", "GPU")):
        now, then = there.get(name, 0), most[name]
        amounts[word] = f"{now:g} {word}{'s' * (now != 1)}"
        amounts[word] += f" (up to {then:g})" if then > now else ""
    names = ", ".join(sorted(each["NodeManagerHostname"] for each in nodes))
    has = installed.facts()
    return (
        f"{joined}: {len(nodes)} node{'s' * (len(nodes) != 1)} ({names}), {amounts['core']}, "
        f"{amounts['GPU']}; Python {has['python']}, torch {has['torch']}, ray {has['ray']}"
    )
