#!/usr/bin/env bash
# One byte in a bucket costs three requests.
#
# Guess: a small object is one PUT.
# Seen, pyarrow 26.0.1 against moto 5.2.5 (a made-up S3 on loopback), Python 3.11:
#   S3FileSystem()                          POST ?uploads, PUT part 1, POST ?uploadId
#   S3FileSystem(allow_delayed_open=True)   PUT
# Each file is a multipart upload unless the opening may wait for the first bytes.
# Since: unknown; allow_delayed_open is false by default.
# Source: pyarrow/_s3fs.pyx, S3FileSystem, allow_delayed_open.
# Bitten: who mirrors many small files (a journal, a lease, tables) to object storage: three times the
#   requests, their latency and their price; a killed writer also leaves unfinished uploads that cost.
set -euo pipefail
sed -n '2,/^set /{/^set /!s/^# \{0,1\}//p}' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${FINDINGS_PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile "moto[server,s3]==5.2.5" pyarrow==26.0.1
cd "$work"
echo "Now:"
venv/bin/python - <<'EOF'
import os
import urllib.parse

from moto.server import ThreadedMotoServer
from pyarrow import fs
from werkzeug.serving import WSGIRequestHandler

os.environ.update(AWS_ACCESS_KEY_ID="x", AWS_SECRET_ACCESS_KEY="x", AWS_EC2_METADATA_DISABLED="true")
requests = []


def record(self, code="-", size="-"):
    query = urllib.parse.urlsplit(self.path).query
    names = [part.split("=")[0] for part in query.split("&") if part]
    requests.append(" ".join([self.command, *names]))


WSGIRequestHandler.log_request = record
server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
address = "http://{}:{}".format(*server.get_host_and_port())


def written(**how) -> list[str]:
    s3 = fs.S3FileSystem(
        endpoint_override=address, region="us-east-1", allow_bucket_creation=True, **how
    )
    s3.create_dir("bucket")
    requests.clear()
    with s3.open_output_stream("bucket/status") as file:
        file.write(b"x")
    return list(requests)


plain, delayed = written(), written(allow_delayed_open=True)
print("  S3FileSystem()                         ", plain)
print("  S3FileSystem(allow_delayed_open=True)  ", delayed)
server.stop()
assert plain == ["POST uploads", "PUT partNumber uploadId", "POST uploadId"], "changed"
assert delayed == ["PUT"], "the behaviour has changed"
EOF
