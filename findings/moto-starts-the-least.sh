#!/usr/bin/env bash
# moto starts MinCount machines where AWS starts as many as it can up to MaxCount.
#
# Guess: run_instances(MinCount=1, MaxCount=3) gives three, as on an account with room for them.
# Seen, moto 5.2.5 with boto3 1.44.8, Python 3.11:
#   machines started: 1
# Since: unknown.
# Source: boto3's EC2.run_instances ("MaxCount: ... Amazon EC2 launches the largest possible number of
#   instances above the specified minimum count"); moto/ec2/responses/instances.py, run_instances: MinCount.
# Bitten: who tests an autoscaler against moto (Ray's asks for 1 to n at once): the cluster grows by one
#   machine at a time, and a fault of starting several at once is never seen.
set -euo pipefail
sed -n '2,/^set /{/^set /!s/^# \{0,1\}//p}' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${FINDINGS_PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile "moto[ec2]==5.2.5" boto3==1.44.8
cd "$work"
echo "Now:"
venv/bin/python - <<'EOF'
import os

import boto3
from moto import mock_aws

os.environ.update(AWS_ACCESS_KEY_ID="x", AWS_SECRET_ACCESS_KEY="x")
with mock_aws():
    ec2 = boto3.client("ec2", region_name="us-east-1")
    image = ec2.describe_images()["Images"][0]["ImageId"]
    started = ec2.run_instances(ImageId=image, MinCount=1, MaxCount=3)["Instances"]
print("  machines started:", len(started))
assert len(started) == 1, "the behaviour has changed"
EOF
