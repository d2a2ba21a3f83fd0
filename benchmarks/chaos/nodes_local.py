"""`python -m benchmarks.chaos.nodes_local`: `ray up clusters/local.yaml` to `ray down`, over ssh.

A laptop and three hosts of the play (nodes_hosts.py) with a real sshd each; what the README says
about hosts that one has is typed on the laptop. The hosts share a folder. Prints a line a step.
"""

import re
import sys
import time
from pathlib import Path

from benchmarks.chaos import studies
from benchmarks.chaos.nodes_aws import told
from benchmarks.chaos.nodes_cloud import laptop, prepare, ssh_lets_in
from benchmarks.chaos.nodes_hosts import ROOT, Host, network, sh

HOSTS = 3  # a head and two workers, each with the cores of this machine
STUDY = (
    "python -m study.run --preset smoke --models alexnet --data faces:600 --stages search "
    "--scheduler none --trials 4 --epochs 2 --cpus-per-trial {cores} --name local --out {out}"
)


def main() -> int:
    with network() as work:
        prepare(work)
        desk = Host(250, work, name="laptop").up()
        hosts = [ssh_lets_in(Host(n, work).up(), work) for n in range(1, HOSTS + 1)]
        play(desk, hosts, work)
    return 0


def play(desk: Host, hosts: list[Host], work: Path) -> None:
    """What the README says, typed."""
    laptop(desk, work)
    desk.run("mount", "--bind", str(work / "passwd"), "/etc/passwd")  # ssh asks it for ~
    key = desk.tmp / "home" / ".ssh" / "id_ed25519"
    key.parent.mkdir(mode=0o700)
    sh("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key))
    (work / "authorized_keys").write_text(key.with_suffix(".pub").read_text())
    config = work / "local.yaml"
    head, *workers = [host.address for host in hosts]
    filled = (ROOT / "clusters" / "local.yaml").read_text()
    for blank, value in (("[HOST, HOST]", f"[{', '.join(workers)}]"), ("HEAD", head),
                         ("YOU", "ubuntu")):  # fmt: skip
        filled = re.sub(rf"(: ){re.escape(blank)}$", rf"\g<1>{value}", filled, flags=re.M)
    config.write_text(filled)

    def type_(*words: str, timeout: float = 600) -> str:
        return desk.run("env", "-C", str(ROOT), *words, timeout=timeout)

    print("| step | seconds | what happened |\n|---|--:|---|")
    type_("ray", "get-auth-token", "--generate")
    began = time.monotonic()
    type_("ray", "up", "-y", str(config))
    told("ray up", began, f"a head at {head}")
    began = time.monotonic()
    while (nodes := alive(type_("ray", "exec", str(config), "ray status"))) < HOSTS:
        if time.monotonic() - began > 600:
            raise SystemExit(f"{nodes} of {HOSTS} nodes have joined")
        time.sleep(2)
    told("the others join", began, f"{nodes} nodes")
    began = time.monotonic()
    cores = re.search(r"([\d.]+)/([\d.]+) CPU", type_("ray", "exec", str(config), "ray status"))
    each = int(float(cores[2])) // HOSTS
    study = STUDY.format(cores=each, out=work / "shared" / "runs")
    said = type_("ray", "exec", str(config), study, timeout=1800)
    assert "Complete" in said, said
    told("ray exec: a study", began, re.search(r"Machine: (.*)", said)[1].strip())
    done = studies.events(work / "shared" / "runs" / "local", "epoch_done")
    used = {event["node"] for event in done}
    assert len(used) > 1, f"only {used} trained"
    began = time.monotonic()
    type_("ray", "down", "-y", str(config))
    told("ray down", began, f"trained on {', '.join(sorted(used))}; Ray has ended on the head")
    began = time.monotonic()
    while left := [h.name for h in hosts if int(h.run("bash", "-c", "pgrep -x raylet | wc -l"))]:
        if time.monotonic() - began > 300:
            raise SystemExit(f"Ray is left on {left}")
        time.sleep(1)
    told("without a head", began, "it has ended itself on the others")


def alive(status: str) -> int:
    """Nodes that `ray status` calls active or idle: " 3 local.cluster.node" under the heading."""
    there = status.split("Active:")[-1].split("Pending:")[0]
    return sum(map(int, re.findall(r"^ (\d+) local", there, re.M)))


if __name__ == "__main__":
    sys.exit(main())
