"""What study.json says of machine, versions and code. Runs on the driver."""

import importlib.metadata
import os
import platform
import subprocess
from pathlib import Path
from typing import Any

import ray

from study.cluster import cores, environment
from study.cluster.nodes import alive

ROOT = Path(__file__).resolve().parents[2]  # of the project


def of_driver() -> dict[str, Any]:
    """With what code, libraries and machines a driver runs; each of a study's has its own."""
    return {"git": revision(), "versions": versions(), "hardware": hardware()}


def hardware() -> dict[str, Any]:
    """This machine and the cluster, for study.json."""
    import torch

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
    names = ("torch", "ray", "optuna", "numpy", "pandas", "pyarrow")
    return {"python": platform.python_version()} | {
        name: importlib.metadata.version(name) for name in names
    }


def revision() -> dict[str, Any]:
    """Git commit, whether files differ from it (both None outside a checkout), digest of the code.

    The digest is there too where git isn't, as on a cluster's nodes.
    """
    return commit(ROOT) | {"code": environment.digest()}


def commit(root: Path) -> dict[str, Any]:
    """The commit of a checkout, and whether it is changed: a file of it, or one more in a package.

    Of a repository that merely contains `root`, or doesn't know its files, both are None.
    """
    packages = [name for name in environment.OURS if (root / name).is_dir()]
    whole = git(root, "rev-parse", "--show-toplevel")
    known = git(root, "ls-files", "--error-unmatch", "--", *(f"{p}/__init__.py" for p in packages))
    if not packages or not whole or Path(whole).resolve() != root.resolve() or known is None:
        return {"commit": None, "dirty": None}
    changed = git(root, "status", "--porcelain", "--untracked-files=no")
    more = git(root, "ls-files", "--others", "--exclude-standard", "--", *packages)
    return {"commit": git(root, "rev-parse", "HEAD"), "dirty": bool(changed or more)}


def git(root: Path, *words: str) -> str | None:
    """What git says of a folder; None where it isn't there, or has nothing to say.

    A checkout of another user's (a mounted volume, a container's) is trusted as far as its code is,
    which runs already. What a hook that runs this says of its own repository isn't heard.
    """
    given = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    trusted = ["-c", f"safe.directory={root.resolve()}", "-c", "core.fsmonitor=false"]
    try:
        done = subprocess.run(
            ["git", *trusted, *words],
            cwd=root,
            env=given,
            capture_output=True,
            text=True,
            timeout=60,  # a file system that hangs must not keep a study from beginning
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
