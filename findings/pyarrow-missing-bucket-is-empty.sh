#!/usr/bin/env bash
# A bucket that does not exist is listed as an empty one.
#
# Guess: allow_not_found is for a folder that isn't there yet; a wrong bucket is an error all the same.
# Seen, pyarrow 26.0.1 against moto 5.2.5 (a made-up S3 on loopback), Python 3.11:
#   FileSelector("nowhere/run", allow_not_found=True)  []
#   the same without it                                OSError: ... AWS Error NO_SUCH_BUCKET ...
#   get_file_info("nowhere/run")                       NotFound
# Since: unknown.
# Source: pyarrow.fs, FileSelector(allow_not_found) and S3FileSystem.get_file_info; the server had
#   answered 404 with NoSuchBucket.
# Bitten: who looks for a checkpoint "if there is one" and starts anew otherwise: a mistyped or deleted
#   bucket starts a trained-for-days trial from its first epoch. Ask for the bucket itself
#   (get_file_info("bucket")) where the list is empty.
set -euo pipefail
sed -n '2,/^set /{/^set /!s/^# \{0,1\}//p}' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${FINDINGS_PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile "moto[server,s3]==5.2.5" pyarrow==26.0.1
cd "$work"
echo "Now:"
venv/bin/python - <<'EOF'
import logging
import os

from moto.server import ThreadedMotoServer
from pyarrow import fs

os.environ.update(AWS_ACCESS_KEY_ID="x", AWS_SECRET_ACCESS_KEY="x", AWS_EC2_METADATA_DISABLED="true")
server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
logging.getLogger("werkzeug").setLevel(logging.ERROR)
server.start()
address = "http://{}:{}".format(*server.get_host_and_port())
s3 = fs.S3FileSystem(endpoint_override=address, region="us-east-1")
lenient = s3.get_file_info(fs.FileSelector("nowhere/run", allow_not_found=True))
try:
    s3.get_file_info(fs.FileSelector("nowhere/run"))
    strict = "no error"
except OSError as error:
    strict = "NO_SUCH_BUCKET" if "NO_SUCH_BUCKET" in str(error) else str(error)
single = s3.get_file_info("nowhere/run").type
print(f'  FileSelector("nowhere/run", allow_not_found=True)  {lenient}')
print(f"  the same without it                                OSError {strict}")
print(f'  get_file_info("nowhere/run")                       {single.name}')
server.stop()
assert lenient == [] and strict == "NO_SUCH_BUCKET", "the behaviour has changed"
assert single == fs.FileType.NotFound, "the behaviour has changed"
EOF
