"""An S3 server on this machine, in a process of its own, that can be made to fall silent."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def server() -> Iterator[tuple[subprocess.Popen, str]]:
    """The process, and the URI of a folder in its one bucket; sets made-up credentials."""
    os.environ |= {"AWS_ACCESS_KEY_ID": "anyone", "AWS_SECRET_ACCESS_KEY": "anything"}
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    host, port = address.split(":")
    process = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", host, "-p", port],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        make = urllib.request.Request(f"http://{address}/faces", method="PUT")
        while True:
            try:
                urllib.request.urlopen(make).close()
                break
            except OSError:
                if process.poll() is not None:
                    sys.exit("moto's server doesn't start: pip install '.[dev]'")
                time.sleep(0.1)
        yield process, f"s3://faces/studies?endpoint_override={address}&scheme=http"
    finally:
        process.send_signal(signal.SIGCONT)
        process.kill()
        process.wait()
