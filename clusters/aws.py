"""`python -m clusters.aws --bucket NAME`: what AWS must have before the first `ray up`.

Makes, where missing: the bucket, two roles that may do no more than they need, and a security group
that lets in ssh from the caller's network alone. Roles and group are the cluster's own, by its
name. Writes these and the image into cluster.yaml. Run it again when your address has changed.
Nothing of it costs while no machine runs, but for what lies in the bucket.
"""

import argparse
import ipaddress
import json
import re
import sys
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import boto3
import yaml
from botocore.exceptions import BotoCoreError, ClientError

IMAGE = "Deep Learning Base OSS Nvidia Driver GPU AMI (Ubuntu 24.04) *"
THERE = ("EntityAlreadyExists", "LimitExceeded", "InvalidInput")  # made by an earlier call
SSH = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22}


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m clusters.aws", description=__doc__)
    parser.add_argument("--bucket", required=True, help="for checkpoints, results and data; yours")
    parser.add_argument("--ssh-from", default="", help="CIDR; by default the address AWS sees")
    parser.add_argument("--image", default="", help="id of the image; by default the newest")
    parser.add_argument("--config", default="cluster.yaml", type=Path)
    given = parser.parse_args(argv)
    try:
        made = prepare(given.config, given.bucket, given.ssh_from or own_address(), given.image)
    except (ValueError, OSError, BotoCoreError, ClientError) as error:
        print(f"clusters.aws: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("clusters.aws: stopped: called again, it makes what is missing", file=sys.stderr)
        return 130
    print("\n".join(made))
    return 0


def prepare(config: Path, bucket: str, ssh_from: str, image: str = "") -> list[str]:
    """Make what is missing and fill the configuration in; what was done, a line each."""
    text = config.read_text()
    try:
        said = yaml.safe_load(text)
        region, cluster = said["provider"]["region"], said["cluster_name"]
    except (yaml.YAMLError, KeyError, TypeError):
        raise ValueError(
            f"{config} describes no cluster on AWS (cluster_name, provider with its region): give "
            "cluster.yaml or a copy of it"
        ) from None
    session = boto3.Session(region_name=region)
    network = narrow(ssh_from)
    done = [make_bucket(session, bucket), make_roles(session, bucket, cluster)]
    group = make_group(session.client("ec2"), network, cluster)
    done.append(f"security group {group}: ssh from {network}, all else from its own members")
    image, name = find_image(session.client("ec2"), image)
    done.append(f"image {image}: {name}")
    config.write_text(filled(text, image, group, bucket, cluster))
    return [*done, f"written into {config}; next: ray get-auth-token --generate; ray up {config}"]


def own_address() -> str:
    """This network's address as AWS sees it, a /32."""
    with urllib.request.urlopen("https://checkip.amazonaws.com", timeout=10) as answer:
        return f"{answer.read().decode().strip()}/32"


def narrow(cidr: str) -> str:
    """The network, if it isn't a large part of the internet."""
    network = ipaddress.ip_network(cidr, strict=False)
    if network.num_addresses > 2**16:
        raise ValueError(f"--ssh-from is {cidr}: expected a network of at most 65,536 addresses")
    return str(network)


def make_bucket(session: boto3.Session, bucket: str) -> str:
    """A private bucket in the cluster's region, or the one that is there."""
    s3, region = session.client("s3"), session.region_name
    try:
        s3.head_bucket(Bucket=bucket)
        return f"bucket {bucket}: there already"
    except ClientError as error:
        if error.response["Error"]["Code"] != "404":
            raise ValueError(f"bucket {bucket} isn't yours: choose another name") from None
    place = {"CreateBucketConfiguration": {"LocationConstraint": region}}
    s3.create_bucket(Bucket=bucket, **({} if region == "us-east-1" else place))
    closed = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
    s3.put_public_access_block(
        Bucket=bucket, PublicAccessBlockConfiguration=dict.fromkeys(closed, True)
    )
    rule = {"ID": "parts", "Status": "Enabled", "Filter": {"Prefix": ""}}
    days = {"AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1}}
    s3.put_bucket_lifecycle_configuration(  # what a worker leaves that dies while it writes
        Bucket=bucket, LifecycleConfiguration={"Rules": [rule | days]}
    )
    return f"bucket {bucket}: made, private"


def make_roles(session: boto3.Session, bucket: str, cluster: str) -> str:
    """CLUSTER-head: machines of this kind and the bucket. CLUSTER-worker: the bucket."""
    iam, head, worker = session.client("iam"), f"{cluster}-head", f"{cluster}-worker"
    account = session.client("sts").get_caller_identity()["Account"]
    storage = [
        allow(["s3:ListBucket"], f"arn:aws:s3:::{bucket}"),
        allow(
            ["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"],
            f"arn:aws:s3:::{bucket}/*",
        ),
    ]
    machines = [
        # What the autoscaler calls; ec2:Describe* can't be narrowed to a resource.
        allow(["ec2:Describe*", "ec2:RunInstances", "ec2:CreateTags"], "*"),
        allow(["ec2:TerminateInstances", "ec2:DeleteTags"], "*")
        | {"Condition": {"StringEquals": {"ec2:ResourceTag/ray-cluster-name": cluster}}},
        allow(["iam:PassRole"], f"arn:aws:iam::{account}:role/{worker}"),
    ]
    make_role(iam, worker, storage)
    make_role(iam, head, storage + machines)
    return f"roles {head} and {worker}: the bucket, and for the head its workers"


def allow(actions: list[str], resource: str) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": actions, "Resource": resource}


def make_role(iam: Any, name: str, statements: list[dict[str, Any]]) -> None:
    """A role of EC2 machines, with its instance profile; brought up to date if it exists."""
    trust = allow(["sts:AssumeRole"], "") | {"Principal": {"Service": "ec2.amazonaws.com"}}
    del trust["Resource"]
    for call, arguments in (
        (iam.create_service_linked_role, {"AWSServiceName": "spot.amazonaws.com"}),
        (iam.create_role, {"RoleName": name, "AssumeRolePolicyDocument": policy([trust])}),
        (iam.create_instance_profile, {"InstanceProfileName": name}),
        (iam.add_role_to_instance_profile, {"InstanceProfileName": name, "RoleName": name}),
    ):
        try:
            call(**arguments)
        except ClientError as error:
            if error.response["Error"]["Code"] not in THERE:
                raise
    iam.put_role_policy(RoleName=name, PolicyName=name, PolicyDocument=policy(statements))


def policy(statements: list[dict[str, Any]]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def make_group(ec2: Any, network: str, cluster: str) -> str:
    """Id of the cluster's group in the default network, with ssh from `network` and no other way
    in."""
    networks = ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"]
    if not networks:
        raise ValueError("this account has no default VPC in the region: make one, or fill in "
                         "SecurityGroupIds and SubnetIds by hand")  # fmt: skip
    vpc = networks[0]["VpcId"]
    named = [{"Name": "group-name", "Values": [cluster]}, {"Name": "vpc-id", "Values": [vpc]}]
    found = ec2.describe_security_groups(Filters=named)["SecurityGroups"]
    if found:
        group, rules = found[0]["GroupId"], found[0]["IpPermissions"]
        if rules:
            ec2.revoke_security_group_ingress(GroupId=group, IpPermissions=rules)
    else:
        group = ec2.create_security_group(
            GroupName=cluster, Description="ssh from its maker, and its own members", VpcId=vpc
        )["GroupId"]
    members = {"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": group}]}
    ssh = SSH | {"IpRanges": [{"CidrIp": network}]}
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[members, ssh])
    return group


def find_image(ec2: Any, wanted: str) -> tuple[str, str]:
    """Id and name of the image: the one wanted, else the newest of its kind."""
    if wanted:
        found = ec2.describe_images(ImageIds=[wanted])["Images"]
    else:
        kind = [{"Name": "name", "Values": [IMAGE]}, {"Name": "state", "Values": ["available"]}]
        found = ec2.describe_images(Owners=["amazon"], Filters=kind)["Images"]
    if not found:
        raise ValueError(f"no image {wanted or IMAGE} in this region: give --image")
    newest = max(found, key=lambda image: image["CreationDate"])
    return newest["ImageId"], newest["Name"]


def filled(text: str, image: str, group: str, bucket: str, cluster: str) -> str:
    """The configuration with its values; comments and all else as they were."""
    text = re.sub(r"(ImageId: )\S+", rf"\g<1>{image}", text)
    text = re.sub(r"(SecurityGroupIds: )\[.*?\]", rf"\g<1>[{group}]", text)
    text = re.sub(r"(Profile: {Name: )\S+-(head|worker)}", rf"\g<1>{cluster}-\g<2>}}", text)
    return re.sub(r"s3://[\w.-]+/(studies|data)", rf"s3://{bucket}/\1", text)


if __name__ == "__main__":
    sys.exit(main())
