"""AWS made up on this machine, for nodes_aws.py; its ssh is nodes_local.py's too.

AWS is moto's server; each machine that it is asked for becomes a host of its own (nodes_hosts.py)
with a real sshd, and so does the laptop that everything is typed on. ssh, rsync and scp are
stand-ins that go on to the real ones only for an address of these hosts; no host has a route to
anywhere else. Nothing is downloaded: the image's python3.12 makes environments that see this one's
libraries, and its pip installs this project alone.
"""

import json
import shutil
import sys
import threading
import time
from pathlib import Path
from typing import Any

import boto3

from benchmarks.chaos.nodes_hosts import Host, sh

GATEWAY, LAPTOP, PORT = "172.31.255.254", "172.31.254.1", 5555  # moto's default VPC is 172.31/16
ENDPOINT = f"http://{GATEWAY}:{PORT}"
IMAGE = {
    "ami_id": "ami-0123456789abcdef0", "owner_id": "898082745236", "public": True,
    "name": "Deep Learning Base OSS Nvidia Driver GPU AMI (Ubuntu 24.04) 20260918",
    "architecture": "x86_64", "virtualization_type": "hvm", "hypervisor": "xen",
    "root_device_type": "ebs",
}  # fmt: skip
KEYS = {
    "AWS_ENDPOINT_URL": ENDPOINT, "AWS_ACCESS_KEY_ID": "made-up", "AWS_DEFAULT_REGION": "us-west-2",
    "AWS_SECRET_ACCESS_KEY": "made-up",
}  # fmt: skip
GUARD = """#!/bin/bash
# Goes on to the real one only for a host of this play.
echo "{name} $*" >> {work}/asked.log
for word in "$@"; do
    address=${{word#*@}}; address=${{address%%:*}}
    if [[ $word == *@* && $word != -* ]] && ! grep -qx "$address" {work}/addresses; then
        echo "{name}: $address is no host of this play" >&2; exit 255
    fi
done
exec {real} "$@"
"""
SSHD = """
HostKey {work}/host_key
AuthorizedKeysFile {work}/authorized_keys
StrictModes no
PasswordAuthentication no
PidFile none
"""
PYTHON = """#!/bin/bash
# python3.12 of the image: an environment that sees the libraries of the one that plays this.
[[ $1 == -c ]] && exit 0
real={python}; place=$3
$real -m venv --without-pip $place
site=$($place/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
echo {libraries} > $site/image.pth
cp {work}/image/pip $place/bin/pip
sed "1s|.*|#!$place/bin/python|" {scripts}/ray > $place/bin/ray; chmod +x $place/bin/ray
"""
PIP = """#!/bin/bash
# pip of the image: this project for real, its libraries are there.
echo "pip $*" >> {work}/asked.log
here=$(dirname "$(readlink -f "$0")"); last=${{!#}}
exec {python} -m pip --quiet --disable-pip-version-check --python $here/python install --no-deps \\
    --no-index --no-build-isolation --editable "${{last%%[*}}"
"""
SHUTDOWN = """#!/bin/bash
echo "$(hostname) shutdown $*" >> {work}/asked.log
[[ $* == *now* ]] && touch {work}/down/$(hostname)
exit 0
"""


class Cloud:
    """moto's machines made hosts: a running instance is switched on, a terminated one off."""

    def __init__(self, work: Path) -> None:
        self.work, self.hosts, self.asked = work, {}, []
        self.ec2 = boto3.client("ec2", endpoint_url=ENDPOINT)
        self.laptop = Host(250, work, LAPTOP, "laptop").up()
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self.keep, daemon=True)
        self.thread.start()

    def instances(self) -> dict[str, dict[str, Any]]:
        found = self.ec2.describe_instances()["Reservations"]
        return {i["InstanceId"]: i for each in found for i in each["Instances"]}

    def alive(self) -> dict[str, str]:
        """Instance -> kind, of those that cost money."""
        return {
            name: next(t["Value"] for t in i["Tags"] if t["Key"] == "ray-user-node-type")
            for name, i in self.instances().items()
            if i["State"]["Name"] in ("pending", "running", "stopping", "stopped")
        }

    def keep(self) -> None:
        while not self.stopping.wait(0.5):
            there = self.instances()
            for name, instance in there.items():
                running = instance["State"]["Name"] == "running"
                if running and name not in self.hosts:
                    self.asked.append(instance)
                    self.hosts[name] = self.boot(name, instance)
                if not running and name in self.hosts:
                    self.hosts[name].off()
            for name, host in self.hosts.items():  # `shutdown` ends it, as the node_config asks
                if host.pid and (self.work / "down" / host.name).exists():
                    self.ec2.terminate_instances(InstanceIds=[name])

    def boot(self, name: str, instance: dict[str, Any]) -> Host:
        """The image: sshd for the key pair, a user, python3.12, sudo, aws."""
        number, public = len(self.hosts) + 1, instance["PublicIpAddress"]
        host = Host(number, self.work, instance["PrivateIpAddress"], f"m{number}").up()
        sh("ip", "-n", host.space, "addr", "add", f"{public}/32", "dev", "eth0")
        sh("ip", "-n", self.laptop.space, "route", "add", f"{public}/32", "dev", "eth0")
        return ssh_lets_in(host, self.work, public, **KEYS)

    def off(self) -> None:
        self.stopping.set()
        self.thread.join()


def ssh_lets_in(host: Host, work: Path, *others: str, **given: str) -> Host:
    """Make it a machine of the play: sshd, the user ubuntu, the image's programs. It may be called
    by its address and by `others`; `given` is in every shell's environment."""
    with (work / "addresses").open("a") as file:
        file.write("".join(f"{address}\n" for address in (host.address, *others)))
    given["PATH"] = f"{work}/bin:{work}/image:/usr/bin:/bin:/usr/sbin"
    (host.tmp / "home" / ".bashrc").write_text(
        "".join(f"export {key}={value}\n" for key, value in given.items())
    )
    host.run("mount", "--bind", str(work / "passwd"), "/etc/passwd")
    (host.tmp / "sshd.log").touch()
    config = str(work / "sshd_config")
    host.start(host.tmp / "sshd.log", "/usr/sbin/sshd", "-D", "-e", "-f", config)
    return host


def prepare(work: Path) -> None:
    """Stand-ins, the image's programs, and the keys of its sshd."""
    for folder in ("bin", "image", "down"):
        (work / folder).mkdir()
    for name in ("addresses", "asked.log"):
        (work / name).touch()
    (work / "images.json").write_text(json.dumps([IMAGE]))
    (work / "sshd_config").write_text(SSHD.format(work=work))
    (work / "passwd").write_text(
        "ubuntu:x:0:0::/tmp/home:/bin/bash\n"  # first, so that ~ is its home for uid 0
        "sshd:x:100:65534::/run/sshd:/usr/sbin/nologin\n"
    )
    sh("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(work / "host_key"))
    Path("/run/sshd").mkdir(exist_ok=True)
    python = Path(sys.executable)
    names = {
        "work": work, "python": python, "scripts": python.parent,
        "libraries": next(p for p in sys.path if p.endswith("site-packages")),
    }  # fmt: skip
    programs = {
        "image/python3.12": PYTHON, "image/python3": PYTHON, "image/pip": PIP,
        "image/shutdown": SHUTDOWN,
        "image/sudo": '#!/bin/bash\nexec "$@"\n', "image/aws": "#!/bin/bash\nexit 0\n",
    }  # fmt: skip
    for name in ("ssh", "rsync", "scp"):
        programs[f"bin/{name}"] = GUARD.replace("{name}", name).replace(
            "{real}", f"/usr/bin/{name}"
        )
    for name, text in programs.items():
        path = work / name
        path.write_text(text.format(**names) if "{work}" in text or "{python}" in text else text)
        path.chmod(0o755)


def laptop(host: Host, work: Path, **given: str) -> None:
    """What `ray up` is typed on; refuses to go on unless the stand-ins are what it would find."""
    host.given |= {**given, "PATH": f"{work}/bin:{host.given['PATH']}"}
    for name in ("RAY_AUTH_TOKEN", "RAY_AUTH_MODE"):
        del host.given[name]
    for name in ("ssh", "rsync", "scp"):
        if shutil.which(name, path=host.given["PATH"]) != str(work / "bin" / name):
            raise SystemExit(f"the stand-in for {name} isn't first on PATH: nothing is started")


def wait_for_moto() -> None:
    for _ in range(300):
        try:
            boto3.client("ec2", endpoint_url=ENDPOINT).describe_vpcs()
            return
        except Exception:  # not listening yet
            time.sleep(0.2)
    raise SystemExit("moto's server doesn't answer")


def authorise(cloud: Cloud) -> None:
    """The public half of the key pair that AWS makes, as EC2 puts it on its machines."""
    key = Path("/tmp/home/.ssh/ray-autoscaler_us-west-2.pem")
    inside = cloud.laptop.tmp / "home" / ".ssh" / key.name

    def when_made() -> None:
        for _ in range(1200):
            if inside.exists() and inside.stat().st_size:
                public = sh("ssh-keygen", "-y", "-f", str(inside))
                (cloud.work / "authorized_keys").write_text(public)
                return
            time.sleep(0.1)

    threading.Thread(target=when_made, daemon=True).start()
