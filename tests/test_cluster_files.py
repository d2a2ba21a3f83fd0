"""The descriptions of clusters: valid to Ray, safe, and what AWS would be asked for. No network."""

import base64
import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from ray.autoscaler._private.util import prepare_config, validate_config

import clusters.aws

ROOT = Path(__file__).parents[1]
YAML = [ROOT / "cluster.yaml", ROOT / "clusters" / "local.yaml"]
IMAGE = {
    "ami_id": "ami-0123456789abcdef0",
    "name": "Deep Learning Base OSS Nvidia Driver GPU AMI (Ubuntu 24.04) 20260918",
    "owner_id": "898082745236",
    "owner_alias": "amazon",
    "public": True,
    "architecture": "x86_64",
    "virtualization_type": "hvm",
    "hypervisor": "xen",
    "root_device_type": "ebs",
}


def read(path: Path) -> dict:
    return yaml.safe_load(path.read_text())


@pytest.mark.parametrize("path", YAML, ids=lambda p: p.name)
def test_rays_own_schema_and_validators_pass(path):
    raw = read(path)
    raw["file_mounts"] = {}
    config = prepare_config(raw)
    validate_config(config)
    for kind in config["available_node_types"].values():
        assert kind.get("max_workers", 0) <= config["max_workers"]


@pytest.mark.parametrize("path", YAML, ids=lambda p: p.name)
def test_every_key_is_explained_in_place(path):
    lines = path.read_text().splitlines()
    plain = ("type", "region", "cluster_name", "head_node_type", "file_mounts")
    for number, line in enumerate(lines):
        key = re.match(r"( *)([A-Za-z_]\w*):", line)
        if not key or "#" in line or key[2] in plain:
            continue
        above = [lines[n].strip() for n in range(max(0, number - 4), number)]
        below = [lines[n].strip() for n in range(number + 1, min(number + 2, len(lines)))]
        assert any(text.startswith("#") for text in above + below), f"{path.name}: {line}"


@pytest.mark.parametrize("path", YAML, ids=lambda p: p.name)
def test_what_is_sent_exists_and_is_all_that_a_study_needs(path):
    mounts = read(path)["file_mounts"]
    ours = {local for local in mounts.values() if not local.startswith("~")}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    packages = project["tool"]["setuptools"]["packages"]["find"]["include"]
    installed = {name.removesuffix("*") for name in packages}
    assert ours == installed | {"pyproject.toml", "constraints.txt"}
    assert all((ROOT / local).exists() for local in ours)


@pytest.mark.parametrize("path", YAML, ids=lambda p: p.name)
def test_token_login_is_on_and_the_dashboard_stays_on_loopback(path):
    config = read(path)
    assert config["file_mounts"]["~/.ray/auth_token"] == "~/.ray/auth_token"
    assert any("RAY_AUTH_MODE=token" in command for command in config["setup_commands"])
    start = config["head_start_ray_commands"][-1]
    assert "--dashboard-host=127.0.0.1" in start


@pytest.mark.parametrize("path", YAML, ids=lambda p: p.name)
def test_every_command_is_a_shells(path):
    config = read(path)
    for key in [key for key in config if key.endswith("commands")]:
        for command in config[key]:  # as Ray wraps it
            subprocess.run(["bash", "-n", "-c", f"true && ({command})"], check=True)


def test_the_slurm_script_is_bash_and_leaves_other_rays_alone():
    script = ROOT / "clusters" / "slurm.sh"
    subprocess.run(["bash", "-n", script], check=True)
    code = [line for line in script.read_text().splitlines() if not line.startswith("#")]
    assert not any("ray stop" in line for line in code)


def test_a_batch_job_ends_as_its_study_does():
    """One that came to its end when its time was nearly up was told to have been ended."""
    whole = (ROOT / "clusters" / "slurm.sh").read_text()
    end = whole[whole.index("python -m study.run") :]
    waits = 'trap "sleep .3; exit 0" TERM; sleep 1; echo up; while :; do sleep .05; done'
    study = f"bash -c '{waits}'"
    end = "set -euo pipefail\n" + end.replace('python -m study.run "$@"', study)
    with subprocess.Popen(["bash", "-c", end], stdout=subprocess.PIPE, text=True) as job:
        assert job.stdout.readline() == "up\n"
        job.terminate()
        assert job.wait(120) == 0


@pytest.fixture(scope="module")
def aws(tmp_path_factory):
    """cluster.yaml filled in by clusters.aws and carried out as Ray does, in moto's cloud.

    In a process of its own: moto reads the images when it is imported, and Ray keeps clients.
    """
    folder = tmp_path_factory.mktemp("aws")
    (folder / "images.json").write_text(json.dumps([IMAGE]))
    (folder / "cluster.yaml").write_text((ROOT / "cluster.yaml").read_text())
    (folder / ".ray").mkdir()
    (folder / ".ray" / "auth_token").write_text("0" * 64)
    home = {"HOME": str(folder), "MOTO_AMIS_PATH": str(folder / "images.json")}
    keys = {"AWS_ACCESS_KEY_ID": "made-up", "AWS_SECRET_ACCESS_KEY": "made-up"}
    environment = os.environ | home | keys | {"PYTHONWARNINGS": "ignore", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", ASK], cwd=ROOT, env=environment, capture_output=True, text=True,
        input=str(folder / "cluster.yaml"),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


ASK = """
import json, sys
from pathlib import Path
import boto3, yaml
from moto import mock_aws
from ray.autoscaler._private.aws.config import bootstrap_aws
from ray.autoscaler._private.aws.node_provider import AWSNodeProvider
from ray.autoscaler._private.util import prepare_config, validate_config
from clusters import aws

path = Path(sys.stdin.read())
with mock_aws():
    untouched = prepare_config(yaml.safe_load(path.read_text()))
    try:
        bootstrap_aws(untouched)
        refused = ""
    except BaseException as error:
        refused = f"{type(error).__name__}: {error}"
    ec2 = boto3.client("ec2", "us-west-2")
    before = len(ec2.describe_instances()["Reservations"])
    aws.prepare(path, "my-bucket", "198.51.100.7/32")
    aws.prepare(path, "my-bucket", "198.51.100.9/32")  # the address has changed
    other = path.with_name("other.yaml")
    other.write_text(path.read_text().replace("cluster_name: fer-study", "cluster_name: second"))
    aws.prepare(other, "other-bucket", "203.0.113.5/32")
    config = prepare_config(yaml.safe_load(path.read_text()))
    validate_config(config)
    config = bootstrap_aws(config)
    provider = AWSNodeProvider(config["provider"], config["cluster_name"])
    for name, kind in config["available_node_types"].items():
        provider.create_node(kind["node_config"], {"ray-user-node-type": name}, 1)
    machines = [i for r in ec2.describe_instances()["Reservations"] for i in r["Instances"]]
    kinds = {t["Value"]: m for m in machines for t in m["Tags"] if t["Key"] == "ray-user-node-type"}
    iam = boto3.client("iam")
    print(json.dumps({
        "refused": refused, "before": before, "kinds": kinds, "text": path.read_text(),
        "groups": ec2.describe_security_groups()["SecurityGroups"],
        "block": boto3.client("s3").get_public_access_block(Bucket="my-bucket"),
        "policies": {n: iam.get_role_policy(RoleName=n, PolicyName=n)["PolicyDocument"]
                     for n in ("fer-study-head", "fer-study-worker", "second-head")},
        "other": yaml.safe_load(other.read_text())["available_node_types"],
        "data": {n: ec2.describe_instance_attribute(
                     InstanceId=m["InstanceId"], Attribute="userData")["UserData"].get("Value", "")
                 for n, m in kinds.items()},
        "asked": {n: k["node_config"] for n, k in config["available_node_types"].items()},
    }, default=str))
"""


def test_what_is_not_filled_in_is_refused_before_a_machine_is_asked_for(aws):
    assert aws["refused"] and aws["before"] == 0


def test_the_head_is_on_demand_and_workers_are_spot(aws):
    head, gpu = aws["kinds"]["head"], aws["kinds"]["gpu"]
    assert (head["InstanceType"], head.get("InstanceLifecycle")) == ("m6i.large", None)
    assert (gpu["InstanceType"], gpu.get("InstanceLifecycle")) == ("g5.xlarge", "spot")
    assert head["ImageId"] == gpu["ImageId"] == IMAGE["ami_id"]


def test_no_port_is_open_to_the_world(aws):
    used = {g["GroupId"] for kind in aws["kinds"].values() for g in kind["SecurityGroups"]}
    assert len(used) == 1
    (group,) = [g for g in aws["groups"] if g["GroupId"] in used]
    ranges = [r["CidrIp"] for rule in group["IpPermissions"] for r in rule["IpRanges"]]
    assert ranges == ["198.51.100.9/32"]  # the address of the last call; the first one's is gone
    assert not any(rule.get("Ipv6Ranges") for rule in group["IpPermissions"])
    members = [p["GroupId"] for rule in group["IpPermissions"] for p in rule["UserIdGroupPairs"]]
    assert members == [group["GroupId"]]


def test_a_machine_that_shuts_down_is_gone_and_its_credentials_need_a_signed_request(aws):
    for asked in aws["asked"].values():
        assert asked["InstanceInitiatedShutdownBehavior"] == "terminate"
        assert asked["MetadataOptions"]["HttpTokens"] == "required"
        assert asked["BlockDeviceMappings"][0]["Ebs"]["DeleteOnTermination"] is True


def test_a_worker_that_is_never_set_up_ends_by_itself(aws):
    told = {kind: base64.b64decode(data).decode() for kind, data in aws["data"].items()}
    assert told == {"head": "", "gpu": "#!/bin/bash\nshutdown -h +60\n"}
    starts = yaml.safe_load(aws["text"])["worker_start_ray_commands"]
    assert starts[-2] == "sudo shutdown -c" and "while pgrep raylet" in starts[-1]


def test_a_worker_may_use_the_bucket_and_nothing_else(aws):
    worker = aws["policies"]["fer-study-worker"]["Statement"]
    assert {s["Resource"] for s in worker} == {"arn:aws:s3:::my-bucket", "arn:aws:s3:::my-bucket/*"}
    head = aws["policies"]["fer-study-head"]["Statement"]
    (passed,) = [s for s in head if s["Action"] == ["iam:PassRole"]]
    assert passed["Resource"].endswith(":role/fer-study-worker")
    assert all(aws["block"]["PublicAccessBlockConfiguration"].values())


def test_a_second_cluster_takes_nothing_from_the_first(aws):
    """Their names, buckets and networks differ; each head ends its own machines alone."""
    for name, bucket in {"fer-study": "my-bucket", "second": "other-bucket"}.items():
        statements = aws["policies"][f"{name}-head"]["Statement"]
        (ends,) = [s for s in statements if "ec2:TerminateInstances" in s["Action"]]
        tag = {"ec2:ResourceTag/ray-cluster-name": name}
        assert ends["Condition"] == {"StringEquals": tag}
        assert f"arn:aws:s3:::{bucket}/*" in [s["Resource"] for s in statements]
    nodes = {kind: node["node_config"] for kind, node in aws["other"].items()}
    profiles = {kind: node["IamInstanceProfile"]["Name"] for kind, node in nodes.items()}
    assert profiles == {"head": "second-head", "gpu": "second-worker"}
    groups = {node["SecurityGroupIds"][0] for node in nodes.values()}
    assert len(groups) == 1 and not groups & {
        g["GroupId"] for kind in aws["kinds"].values() for g in kind["SecurityGroups"]
    }


def test_filling_in_leaves_the_comments(aws):
    def comments(text: str) -> list[str]:
        return re.findall(r"# .*", text)

    assert comments(aws["text"]) == comments((ROOT / "cluster.yaml").read_text())
    assert "filled-in" not in re.sub(r"#.*", "", aws["text"])


@pytest.mark.parametrize("text", ["", "a: [1", "cluster_name: x\nprovider: {type: local}"])
def test_a_configuration_of_no_cluster_on_aws_is_refused_in_a_sentence(text, tmp_path, capsys):
    config = tmp_path / "own.yaml"
    config.write_text(text)
    words = ["--bucket", "b", "--ssh-from", "198.51.100.7", "--config", str(config)]
    assert clusters.aws.main(words) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and f"{config} describes no cluster on AWS" in error
    assert config.read_text() == text


def test_a_network_as_wide_as_the_internet_is_refused():
    with pytest.raises(ValueError, match="expected a network of at most"):
        clusters.aws.narrow("0.0.0.0/0")
    assert clusters.aws.narrow("198.51.100.7") == "198.51.100.7/32"
