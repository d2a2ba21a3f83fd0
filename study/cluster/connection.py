"""Join or start Ray, say what there is, refuse what is missing. Runs on the driver."""

import atexit
import logging
import os
import secrets
import signal
import socket
import time
from pathlib import Path

import ray
from ray._private import ray_constants
from ray.exceptions import RayError

from study import Mistake, say
from study.cluster import autoscaler, cores, ray_folder, resources
from study.cluster.nodes import alive

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
ATTEMPTS = 3  # to start Ray on this machine
ASSEMBLY_SECONDS = 180.0  # for the nodes that a list of hosts promises; ssh and ray start took 20


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
    return any(f"--gcs_server_port={port}" in words for words in autoscaler.command_lines(own=True))


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
    say("Starting Ray ...")
    start_here()
    return "Ray started on this machine"


def start_here(cpus: int = 0) -> None:
    """A Ray of this process's own: on loopback alone, its token and its sockets for nobody else.

    Ray by itself listens on every address of the machine, leaves the token of what it starts in a
    file of the home folder, and opens its folder under /tmp to everybody. It knows loopback only as
    what spares macOS's users questions of their firewall, by a constant that is read when it is
    imported. It has `cpus` cores, by itself as many as this process may use.
    """
    if not {"RAY_AUTH_MODE", "RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"} & {*os.environ}:
        os.environ["RAY_AUTH_TOKEN"] = secrets.token_hex(32)  # Ray then turns the login on
    before, ray_constants.ENABLE_RAY_CLUSTER = ray_constants.ENABLE_RAY_CLUSTER, False
    try:
        for left in reversed(range(ATTEMPTS)):
            folder, made = ray_folder.make()
            atexit.register(leave_nothing, made)
            try:
                ray.init(
                    "local",
                    include_dashboard=False,
                    log_to_driver=False,
                    logging_level=logging.ERROR,
                    num_cpus=cpus or cores.usable(),
                    _temp_dir=folder,
                )
                return
            except Exception as error:  # a bare one, where the machine is too busy for 30 s
                end_what_started(folder)
                why = first_sentence(error)
                if not left:
                    raise Mistake(f"Ray can't be started on this machine ({why})") from error
                say(f"Ray didn't start ({why}): tried again.")
    finally:
        ray_constants.ENABLE_RAY_CLUSTER = before


def end_what_started(folder: str) -> None:
    """Kill the processes of a Ray that didn't come up, of which Ray has no handle any more."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if path.stat().st_uid == os.getuid() and folder in path.read_text():
                os.kill(int(path.parent.name), signal.SIGKILL)
        except (OSError, UnicodeDecodeError):  # it has just ended, or isn't Ray's
            continue


def leave_nothing(made: list[str]) -> None:
    ray.shutdown()  # else it would go on writing there
    ray_folder.remove(made)


def first_sentence(error: Exception) -> str:
    """Ray's errors run over lines, with advice."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0].split(". ")[0].rstrip(".")


def join(address: str) -> str:
    """Join a cluster and wait for the nodes that it promises; what is wrong with it, in words."""
    if why := silence(address):
        return why
    try:
        ray.init(address, log_to_driver=False, logging_level=logging.ERROR)
    except (ConnectionError, ValueError, RuntimeError, RayError) as error:
        return first_sentence(error)
    if resources.capacity()["CPU"] < 1:
        ray.shutdown()
        return "it has no core to train on and nothing that would add a node"
    assemble()
    return ""


def assemble() -> None:
    """Wait for the nodes that an autoscaler keeps at any time, as it does for a list of hosts."""
    promised = 1 + sum(kind.get("min_workers", 0) for kind in autoscaler.kinds().values())
    until = time.monotonic() + ASSEMBLY_SECONDS
    if len(alive()) < promised:
        say(f"Waiting for {promised - len(alive())} of {promised} nodes.")
    while len(alive()) < promised and time.monotonic() < until:
        time.sleep(1)
    if len(alive()) < promised:
        say(f"Going on with {len(alive())} of {promised} nodes; 'ray status' says what is missing.")
