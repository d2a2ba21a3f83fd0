"""What study.json says of machine, versions and code. Runs on the driver."""

import importlib.metadata
import os
import platform
import subprocess
from pathlib import Path
from typing import Any

import ray
import torch

from study.cluster import cores, environment
from study.cluster.nodes import alive


def hardware() -> dict[str, Any]:
    """This machine and the cluster, for study.json."""
    gpus = range(torch.cuda.device_count()) if torch.cuda.is_available() else range(0)
    return {
        "host": platform.node(),
        "system": platform.platform(),
        "processor": processor(),
        "cores": cores.usable(),
        "cores_of_the_machine": os.cpu_count(),
        "gpus": [torch.cuda.get_device_name(index) for index in gpus],
        "cluster": {k: v for k, v in ray.cluster_resources().items() if k in ("CPU", "GPU")},
        "nodes": len(alive()),
    }


def processor() -> str:
    """The processor's own name where Linux tells it."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def versions() -> dict[str, str]:
    """Python's and the libraries' that decide a result."""
    names = ("torch", "torchvision", "ray", "optuna", "numpy", "pandas", "pyarrow")
    return {"python": platform.python_version()} | {
        name: importlib.metadata.version(name) for name in names
    }


def revision() -> dict[str, Any]:
    """Git commit, whether files differ from it (None outside a checkout), digest of the code."""
    here = Path(__file__).parent

    def git(*words: str) -> str | None:
        try:
            done = subprocess.run(["git", *words], cwd=here, capture_output=True, text=True)
        except FileNotFoundError:
            return None
        return done.stdout.strip() if done.returncode == 0 else None

    changed = git("status", "--porcelain", "--untracked-files=no")
    return {
        "commit": git("rev-parse", "HEAD"),
        "dirty": None if changed is None else bool(changed),
        "code": environment.digest(),  # there too where git isn't, as on a cluster's nodes
    }
