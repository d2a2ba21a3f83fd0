"""`python -m benchmarks.chaos.nodes_slurm`: clusters/slurm.sh on a real Slurm of two machines.

Two hosts (nodes_hosts.py), each with its slurmd, the first with slurmctld. One study runs to its
end; another gets the signal that Slurm sends before a job's time is up, and a second job resumes
it.
Needs slurmctld, slurmd, sbatch and munged. Prints a line a job.
"""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.chaos.nodes import kept
from benchmarks.chaos.nodes_hosts import ROOT, Host, network, sh
from fer_record.journal import read
from fer_record.tables import Tables
from study.cluster.environment import OURS

STUDY = (
    "--preset smoke --models alexnet --data faces:600 --stages search --scheduler none --trials 4"
).split()
CONFIG = """
ClusterName=fer
SlurmctldHost=h1(10.99.0.1)
SlurmUser=root
AuthInfo=socket={work}/munge.socket
ProctrackType=proctrack/pgid
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
ReturnToService=2
SlurmctldPidFile=/tmp/slurmctld.pid
SlurmdPidFile=/tmp/slurmd.pid
SlurmdSpoolDir=/tmp/slurmd
StateSaveLocation=/tmp/slurmctld
SlurmctldLogFile=/tmp/slurmctld.log
SlurmdLogFile=/tmp/slurmd.log
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
GresTypes=gpu
NodeName=h1 NodeAddr=10.99.0.1 CPUs={cpus} RealMemory=1000 Gres=gpu:1
NodeName=h2 NodeAddr=10.99.0.2 CPUs={cpus} RealMemory=1000 Gres=gpu:1
PartitionName=all Nodes=ALL Default=YES State=UP
"""


def main() -> None:
    for program in ("slurmctld", "slurmd", "sbatch", "munged"):
        if not shutil.which(program):
            raise SystemExit(f"{program} isn't installed: this needs a Slurm")
    with network() as work:
        hosts = [Host(n, work) for n in (1, 2)]
        munge = munged(work)
        try:
            start(work, hosts)
            play(work, hosts[0])
        except BaseException:
            for path in (path for where in ("*", "h?/slurm*", "shared/checkout/*")
                         for path in work.glob(f"{where}.log")):  # fmt: skip
                print(f"--- {path}\n{path.read_text()[-3000:]}", flush=True)
            raise
        finally:
            munge.terminate()
            munge.wait()


def munged(work: Path) -> subprocess.Popen:
    """Slurm's way to know who speaks; one for both hosts, over a socket that both see."""
    work.chmod(0o755)
    key = work / "munge.key"
    key.write_bytes(os.urandom(1024))
    key.chmod(0o400)
    own = [f"--{name}-file={work}/munge.{name}" for name in ("key", "pid", "log", "seed")]
    return subprocess.Popen(
        ["munged", "--foreground", "--force", f"--socket={work}/munge.socket", *own],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip


def start(work: Path, hosts: list[Host]) -> None:
    checkout = work / "shared" / "checkout"
    checkout.mkdir()
    for name in (*OURS, "clusters"):
        (checkout / name).symlink_to(ROOT / name)
    (checkout / ".venv").symlink_to(sys.prefix)
    (work / "slurm.conf").write_text(CONFIG.format(work=work, cpus=os.cpu_count()))
    (work / "gres.conf").write_text("NodeName=h[1-2] Name=gpu File=/dev/null\n")  # one by name
    # slurmd wants control groups to be there, though nothing here uses them.
    (work / "cgroup.conf").write_text("CgroupPlugin=cgroup/v1\nCgroupMountpoint=/tmp/cgroup\n")
    for host in hosts:
        host.given = {k: v for k, v in host.given.items() if not k.startswith("RAY_")} | {
            "SLURM_CONF": str(work / "slurm.conf"), "PYTHONPATH": str(checkout),
        }  # fmt: skip
        host.up()
        host.run("mkdir", "-p", "/tmp/slurmd", "/tmp/slurmctld", "/tmp/cgroup")
    hosts[0].start(work / "ctld.log", "slurmctld", "-D")
    for host in hosts:
        host.start(work / "d.log", "slurmd", "-D", "-N", host.name)
    until = time.monotonic() + 60
    while hosts[0].run("sinfo", "-h", "-t", "idle", "-o", "%D").strip() != "2":
        if time.monotonic() > until:
            raise SystemExit("Slurm's machines don't come up")
        time.sleep(1)


def play(work: Path, login: Host) -> None:
    print("| job | exit code | seconds | what it said |\n|---|--:|--:|---|")
    runs = work / "shared" / "checkout" / "runs"
    job(work, login, "a study", [*STUDY, "--epochs", "2", "--name", "one"], 0, "Complete")
    long = [*STUDY, "--epochs", "6", "--name", "two"]
    job(work, login, "time is nearly up", long, 143, "Interrupted (SIGTERM)", runs / "two")
    journal = runs / "two" / "events.jsonl"
    before = Tables.of(read(journal))
    job(work, login, "a second job resumes it", ["--resume", "runs/two"], 0, "Complete")
    after = Tables.of(read(journal))
    assert len(before.epochs) < len(after.epochs) == 24, (len(before.epochs), len(after.epochs))
    print(f"after the second job: {kept(before, after)}", flush=True)


def job(
    work: Path, login: Host, name: str, words: list[str], code: int, says: str,
    until_epoch: Path | None = None,
) -> None:  # fmt: skip
    began = time.monotonic()
    checkout = str(work / "shared" / "checkout")
    number = login.run(
        "env", "-C", checkout, "sbatch", "--parsable", "--cpus-per-task=1", "clusters/slurm.sh",
        *words,
    ).strip()  # fmt: skip
    log = Path(checkout) / f"fer-study-{number}.log"
    signalled = False
    while login.run("squeue", "-h", "-j", number, "-o", "%T").strip() not in ("", "COMPLETED"):
        if time.monotonic() - began > 1200:
            raise SystemExit(f"{name}: not over in 1,200 s")
        events = until_epoch / "events.jsonl" if until_epoch else None
        if events and not signalled and events.exists() and "epoch_done" in events.read_text():
            login.run("scancel", "--batch", "--signal=TERM", number)
            signalled = True
        time.sleep(1)
    info = sh(*login.inside("scontrol", "-o", "show", "job", number))
    ended = int(info.split("ExitCode=")[1].split(":")[0])
    text = log.read_text()
    said = [
        x for x in text.splitlines() if x.startswith(("Machine:", "Complete", "Interr", "Budg"))
    ]
    assert ended == code and says in text, f"{name}: exit code {ended}\n{text}"
    assert login.run("sh", "-c", "pgrep -x raylet || true") == "", "Ray is left on h1"
    told = "; ".join(said).replace(str(work), "")
    print(f"| {name} | {ended} | {time.monotonic() - began:.0f} | {told} |", flush=True)


if __name__ == "__main__":
    main()
