"""`python -m benchmarks.chaos.nodes_aws`: `ray up cluster.yaml` to `ray down`, without a cloud.

What the README says about AWS, typed on a laptop of the play (nodes_cloud.py), with a real study on
the machines that come up; with --head-lost the head is gone in the middle of it, and a new one goes
on from the bucket. Asks moto what was asked for. Prints a line a step.
"""

import argparse
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.chaos.nodes import kept, trained_again
from benchmarks.chaos.nodes_cloud import (
    GATEWAY,
    KEYS,
    LAPTOP,
    PORT,
    Cloud,
    authorise,
    laptop,
    prepare,
    wait_for_moto,
)  # fmt: skip
from benchmarks.chaos.nodes_hosts import ROOT, network
from fer_record.journal import read
from fer_record.tables import Tables
from study.storage import places
from study.storage.handover import read_logs


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--keep",
        action="store_true",
        help="leave the log of what was asked for",
    )
    parser.add_argument("--head-lost", action="store_true", help="in the middle of the study")
    parser.add_argument("--seed", type=int, default=0, help="of the moment")
    given = parser.parse_args()
    with network(GATEWAY) as work:
        prepare(work)
        moto = subprocess.Popen(
            [sys.executable, "-m", "moto.server", "-H", GATEWAY, "-p", str(PORT)],
            env=os.environ | {"MOTO_AMIS_PATH": str(work / "images.json"),
                              "MOTO_IAM_LOAD_MANAGED_POLICIES": "true"},
            stdout=(work / "moto.log").open("w"), stderr=subprocess.STDOUT,
        )  # fmt: skip
        os.environ |= KEYS
        try:
            wait_for_moto()
            cloud = Cloud(work)
            try:
                play(cloud, random.Random(given.seed) if given.head_lost else None)
            except BaseException:
                print((work / "asked.log").read_text()[-3000:])
                raise
            finally:
                if given.keep:
                    shutil.copy(work / "asked.log", "nodes_aws.log")
                cloud.off()
        finally:
            moto.terminate()
            moto.wait()


def told(step: str, began: float, what: str) -> None:
    print(f"| {step} | {time.monotonic() - began:.0f} | {what} |", flush=True)


STORED = "s3://fer-study-bucket/studies/aws"
STUDY = (
    "python -m study.run --preset smoke --models alexnet --data faces:600 --stages search "
    "--scheduler none --epochs 8 --device cpu --cpus-per-trial 3 --max-concurrent 2 "
    "--storage $FER_STUDY_STORAGE --name aws"
)


def play(cloud: Cloud, losing: random.Random | None) -> None:
    """What the README says, typed; `losing` chooses when the head is lost, if it is."""
    laptop(cloud.laptop, cloud.work, **KEYS)
    config = cloud.work / "cluster.yaml"
    # As it is but for a shorter wait, so that the workers' going is seen.
    text = (ROOT / "cluster.yaml").read_text()
    config.write_text(text.replace("idle_timeout_minutes: 5", "idle_timeout_minutes: 0.5"))

    def type_(*words: str, timeout: float = 400) -> str:
        return cloud.laptop.run("env", "-C", str(ROOT), *words, timeout=timeout)

    print("| step | seconds | what happened |\n|---|--:|---|")
    began = time.monotonic()
    type_("ray", "get-auth-token", "--generate")
    done = subprocess.run(
        cloud.laptop.inside("env", "-C", str(ROOT), "ray", "up", "-y", str(config)),
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    said = done.stdout + done.stderr
    refused = re.search(r"Failed to detect a security group.*", said)
    assert done.returncode and refused and not cloud.instances(), said
    told("ray up, not filled in", began, "refused: " + refused[0].strip())

    began = time.monotonic()
    type_("python", "-m", "clusters.aws", "--bucket", "fer-study-bucket",
          "--ssh-from", f"{LAPTOP}/32", "--config", str(config))  # fmt: skip
    told("python -m clusters.aws", began, "bucket, roles, security group and image filled in")

    authorise(cloud)
    up(cloud, type_, config)
    study, before, knew = STUDY, Tables(), Tables()
    if losing:
        before, knew = lose_head(cloud, config, losing)
        up(cloud, type_, config)
        study = "python -m study.run --resume $FER_STUDY_STORAGE/aws"
    began = time.monotonic()
    words = ["--stop"] if losing else []  # then all machines end with the study
    said = type_("ray", "exec", *words, str(config), study, timeout=1800)
    machine = re.search(r"Machine: (.*)", said)[1].strip()
    kinds = sorted(i["InstanceType"] for i in cloud.asked)
    assert "Complete" in said, said
    told(f"ray exec: {study[:35]}...", began, f"complete; {machine}; asked for {', '.join(kinds)}")
    check_what_was_asked(cloud)

    if losing:
        began = time.monotonic()
        nothing_left(cloud, 300)
        told("ray exec --stop", began, "no node left")
    else:
        began = time.monotonic()
        no_workers(cloud, 300)
        told("idle", began, f"left: {', '.join(cloud.alive().values())}")

    began = time.monotonic()
    type_("python", "-m", "study.storage", "get", STORED, "/tmp/aws")
    fetched = sorted(p.name for p in (cloud.laptop.tmp / "aws").iterdir())
    assert {"study.json", "events.jsonl", "trials.parquet"} <= set(fetched), fetched
    told("python -m study.storage get", began, f"fetched from the bucket: {', '.join(fetched)}")
    if losing:
        after = Tables.of(read(cloud.laptop.tmp / "aws" / "events.jsonl"))
        again = trained_again(knew, after)
        told("what was lost", began, f"of the bucket's: {kept(before, after)}; of the "
             f"{len(knew.epochs)} epochs that the head knew, {again} trained again")  # fmt: skip

    if not losing:
        explore(cloud, config)
        began = time.monotonic()
        type_("ray", "down", "-y", str(config))
        assert not cloud.alive(), f"left: {cloud.alive()}"
        told("ray down", began, "no node left")


def explore(cloud: Cloud, config: Path) -> None:
    """The explorer on the head, its page on the laptop."""
    began = time.monotonic()
    words = ("ray", "exec", "-p", "8050", str(config), "python -m results.explorer runs/aws")
    app = cloud.laptop.start(cloud.work / "explorer.log", "env", "-C", str(ROOT), *words)
    ask = "import urllib.request as u; print(u.urlopen('http://127.0.0.1:8050').read().decode())"
    asked = cloud.laptop.inside("python", "-c", ask)
    try:
        while "<title>Explorer: aws" not in (
            page := subprocess.run(asked, capture_output=True).stdout.decode()
        ):
            if app.poll() is not None or time.monotonic() - began > 120:
                raise SystemExit((cloud.work / "explorer.log").read_text())
            time.sleep(1)
    finally:
        os.killpg(app.pid, signal.SIGTERM)
    told("ray exec -p 8050: explorer", began, f"its page, {len(page):,} characters, through ssh")


def up(cloud: Cloud, type_: Callable[..., str], config: Path) -> None:
    began = time.monotonic()
    type_("ray", "up", "-y", str(config))
    told("ray up", began, f"{', '.join(cloud.alive().values())} runs")


def stored(cloud: Cloud) -> Tables:
    """What the bucket knows of the study."""
    path = cloud.work / "stored.jsonl"
    path.write_bytes(read_logs(places.at(STORED))["events.jsonl"])
    return Tables.of(read(path))


def lose_head(cloud: Cloud, config: Path, chance: random.Random) -> tuple[Tables, Tables]:
    """The head's machine and disk are gone in the middle of a study; its workers end themselves.
    What the bucket knows of the study then, and what the head knew."""
    began, log = time.monotonic(), cloud.work / "first.log"
    words = ("env", "-C", str(ROOT), "ray", "exec", str(config), STUDY)
    first = cloud.laptop.start(log, *words)
    wanted = chance.randint(1, 12)
    while len(stored(cloud).epochs) < wanted:
        if first.poll() is not None or time.monotonic() - began > 1200:
            raise SystemExit(f"no epoch before the head was to be lost\n{log.read_text()}")
        time.sleep(1)
    told("ray exec: a study", began, f"the bucket knows of {wanted} epochs or more")
    began = time.monotonic()
    (head,) = [name for name, kind in cloud.alive().items() if kind == "head"]
    cloud.ec2.terminate_instances(InstanceIds=[head])
    journal = cloud.hosts[head].tmp / "home" / "runs" / "aws" / "events.jsonl"
    no_workers(cloud, 900)
    first.wait(timeout=60)
    before = stored(cloud)
    told("the head's machine gone", began, "its workers have ended themselves, no node is left; in "
         f"the bucket: {len(before.epochs)} epochs")  # fmt: skip
    return before, Tables.of(read(journal))


def no_workers(cloud: Cloud, seconds: float) -> None:
    wait(seconds, lambda: "gpu" not in cloud.alive().values(), "workers are still there")


def nothing_left(cloud: Cloud, seconds: float) -> None:
    wait(seconds, lambda: not cloud.alive(), "machines are still there")


def wait(seconds: float, over: Callable[[], bool], still: str) -> None:
    until = time.monotonic() + seconds
    while not over():
        if time.monotonic() > until:
            raise SystemExit(f"{still} after {seconds:g} s")
        time.sleep(1)


def check_what_was_asked(cloud: Cloud) -> None:
    """Instance types, spot, the security group: by what moto was asked for."""
    for instance in cloud.asked:
        kind = cloud.alive().get(instance["InstanceId"]) or ""
        spot = instance.get("InstanceLifecycle") == "spot"
        assert spot == (instance["InstanceType"] == "g5.xlarge"), (kind, instance)
    groups = {g["GroupId"] for i in cloud.asked for g in i["SecurityGroups"]}
    rules = cloud.ec2.describe_security_groups(GroupIds=list(groups))["SecurityGroups"]
    open_to = [r["CidrIp"] for g in rules for p in g["IpPermissions"] for r in p["IpRanges"]]
    assert open_to == [f"{LAPTOP}/32"], open_to


if __name__ == "__main__":
    main()
