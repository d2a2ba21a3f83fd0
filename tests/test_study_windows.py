"""Windows, made up: without the modules that it lacks."""

import subprocess
import sys

import pytest

AS_IF = """
import datetime, pathlib, runpy, signal, sys
sys.platform = "win32"
sys.modules["fcntl"] = sys.modules["resource"] = None  # importing either fails
del signal.SIGHUP, signal.SIGPIPE
runpy.run_module(MODULE, run_name="__main__")
"""


@pytest.mark.parametrize("module", ["study.run", "study.data", "study.storage"])
def test_windows_is_told_at_once_and_in_a_sentence(module):
    said = subprocess.run(
        [sys.executable, "-c", AS_IF.replace("MODULE", repr(module))],
        capture_output=True,
        text=True,
    )
    assert said.returncode == 2
    assert said.stderr == (
        "study: runs on Linux and macOS; on Windows use it in WSL (wsl --install)\n"
    )
