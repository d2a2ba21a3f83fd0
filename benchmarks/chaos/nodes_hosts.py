"""Hosts on one machine: network namespaces on a bridge, each with its own processes, name and /tmp.

A host's first process is all there is of its power switch: when it is killed, the kernel ends every
process of the host at once, as a machine that is gone. `ray stop` in a host sees only that host's
processes. Needs root and Linux; a checkout under /tmp is hidden from them by their own /tmp.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

TAG = f"{os.getpid() % 10000:04d}"  # two plays at once don't meet
BRIDGE, GATEWAY = f"ferbr{TAG}", "10.99.0.254"
TOKEN = "0" * 63 + "1"  # these hosts are on no network but their own
ROOT = Path(__file__).parents[2]
ON: list["Host"] = []  # switched on
FIRST = """
mount --bind "$1" /tmp; hostname "$2"; trap : TERM; touch /tmp/.up
while :; do sleep 3600 & wait $!; done
"""


def sh(*words: str, check: bool = True) -> str:
    done = subprocess.run(words, capture_output=True, text=True)
    if check and done.returncode:
        raise RuntimeError(f"{' '.join(words)}: {done.stderr.strip()}")
    return done.stdout


class Host:
    """A machine: its own address, processes, host name and /tmp (and HOME in it)."""

    def __init__(self, number: int, work: Path, address: str = "", name: str = "") -> None:
        self.number, self.name = number, name or f"h{number}"
        self.address = address or f"10.99.0.{number}"
        self.space, self.link = f"fer{TAG}-{self.name}", f"fer{TAG}v{number}"
        self.tmp = work / self.name
        self.pid = 0
        self.given = {  # the environment of whatever runs on it
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "HOME": "/tmp/home",
            "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", "LANG": "C.UTF-8",
            "RAY_USAGE_STATS_ENABLED": "0", "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": TOKEN,
        }  # fmt: skip

    def up(self) -> "Host":
        """Switch it on: a new network interface, an empty process table, /tmp as it was left."""
        ON.append(self)
        self.tmp.mkdir(exist_ok=True)
        (self.tmp / "home").mkdir(exist_ok=True)
        (self.tmp / ".up").unlink(missing_ok=True)
        sh("ip", "netns", "add", self.space)
        sh("ip", "link", "add", self.link, "type", "veth", "peer", "eth0", "netns", self.space)
        sh("ip", "link", "set", self.link, "master", BRIDGE, "up")
        # Nothing that runs here can reach the world: whatever is not on the bridge is asked for on
        # the bridge, where nobody answers. Ray wants such a route to find its own address by.
        for command in (
            f"addr add {self.address}/16 dev eth0",
            "link set eth0 up",
            "link set lo up",
            "route add default dev eth0",
        ):  # fmt: skip
            sh("ip", "-n", self.space, *command.split())
        starter = subprocess.Popen(
            ["ip", "netns", "exec", self.space, "unshare", "--uts", "--mount", "--pid", "--fork",
             "--kill-child", "--mount-proc", "bash", "-c", FIRST, "host", self.tmp, self.name],
            stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        until = time.monotonic() + 20
        while not (self.tmp / ".up").exists():
            if time.monotonic() > until:
                raise RuntimeError(f"host {self.name} didn't come up")
            time.sleep(0.05)
        self.starter = starter
        self.pid = int(Path(f"/proc/{starter.pid}/task/{starter.pid}/children").read_text())
        return self

    def shut_down(self) -> None:
        """Asked to: SIGTERM to all that runs on it, as an operating system does; then it is off."""
        self.run("sh", "-c", "kill -TERM -1", timeout=30)
        time.sleep(2)
        self.off()

    def off(self) -> None:
        """The machine is gone, with everything on it but its disk."""
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            self.starter.wait()
            self.pid = 0
        if self in ON:
            ON.remove(self)
        sh("ip", "link", "del", self.link, check=False)
        sh("ip", "netns", "del", self.space, check=False)

    def cut(self, off: bool) -> None:
        """Take its link down, or up again."""
        sh("ip", "link", "set", self.link, "down" if off else "up")

    def inside(self, *words: str) -> list[str]:
        """The words as a command that runs on this host."""
        enter = ["nsenter", "--target", str(self.pid), "--all", "env", "-i"]
        return [*enter, *(f"{name}={value}" for name, value in self.given.items()), *words]

    def run(self, *words: str, timeout: float = 120) -> str:
        done = subprocess.run(
            self.inside(*words), capture_output=True, text=True, timeout=timeout, cwd="/"
        )
        if done.returncode:
            raise RuntimeError(f"{self.name}: {' '.join(words)}: {done.stdout}{done.stderr}")
        return done.stdout

    def start(self, log: Path, *words: str) -> subprocess.Popen:
        """A command that goes on; its output in `log`."""
        with log.open("a") as file:
            return subprocess.Popen(
                self.inside(*words), stdout=file, stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL, cwd="/", start_new_session=True,
            )  # fmt: skip

    def ray(self, cpus: int, head: "Host | None" = None) -> None:
        """Start Ray: this host as head, or as a worker of `head`."""
        where = ["--head", "--port=6379"] if head is None else [f"--address={head.address}:6379"]
        own = [f"--node-ip-address={self.address}", f"--num-cpus={cpus}"]
        quiet = ["--include-dashboard=false"] if head is None else []
        memory = [f"--object-store-memory={150 * 2**20}", "--disable-usage-stats"]
        self.run("ray", "start", *where, *own, *quiet, *memory)


@contextmanager
def network(gateway: str = GATEWAY) -> Iterator[Path]:
    """The bridge, and a work folder that every host sees. At the end, also by Ctrl-C or SIGTERM,
    both are gone and every host is off."""
    if os.geteuid() != 0:
        raise SystemExit("hosts are network namespaces: run this as root")
    if ROOT.is_relative_to("/tmp"):
        raise SystemExit(
            f"each host has a /tmp of its own: put this checkout elsewhere than {ROOT}"
        )
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    work = Path(tempfile.mkdtemp(prefix="fer-hosts-", dir="/var/tmp"))
    try:
        (work / "shared").mkdir()
        sh("ip", "link", "add", BRIDGE, "type", "bridge")
        sh("ip", "addr", "add", f"{gateway}/16", "dev", BRIDGE)
        sh("ip", "link", "set", BRIDGE, "up")
        yield work
    finally:
        for host in list(ON):
            host.off()
        sh("ip", "link", "del", BRIDGE, check=False)
        shutil.rmtree(work, ignore_errors=True)
