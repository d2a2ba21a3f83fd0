"""Join or start Ray, and say what there is. Runs on the driver."""

import importlib.metadata
import os
import platform
import subprocess
from pathlib import Path
from typing import Any

import ray
import torch

from study import Mistake
from study.config import Study

# Read by Ray when it starts or when Tune runs: no telemetry, no loggers beside our journal, no
# handling of Ctrl-C beside ours, no snapshots that nobody reads, and the caller's working folder.
ENVIRONMENT = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_AIR_NEW_OUTPUT": "0",
    "RAY_CHDIR_TO_TRIAL_DIR": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    "TUNE_DISABLE_SIGINT_HANDLER": "1",
    "TUNE_GLOBAL_CHECKPOINT_S": "3600",
    "TUNE_WARN_EXCESSIVE_EXPERIMENT_CHECKPOINT_SYNC_THRESHOLD_S": "0",
}


def hardware_kind(device: str) -> str:
    """What presets are sized by, gpu or cpu; refuses a GPU asked for where there is none.

    The GPUs are those of the cluster where one has been joined, else of this machine.
    """
    if ray.is_initialized():
        found = ray.cluster_resources().get("GPU", 0) > 0
    else:
        found = torch.cuda.is_available()
    if device == "cuda" and not found:
        raise Mistake(
            "device is cuda, but no CUDA device is found here: use --device cpu, or a machine or "
            "cluster with a GPU"
        )
    return "gpu" if found and device != "cpu" else "cpu"


def wanted(address: str) -> str:
    """The address of the cluster to join: the one given, else RAY_ADDRESS; empty for none."""
    found = address or os.environ.get("RAY_ADDRESS", "")
    return "" if found == "local" else found


def connect(address: str) -> str:
    """Join the cluster that is asked for or found, else start Ray here; says which, in words.

    A Ray that this process has joined already (a notebook, a test) is used as it is.
    """
    if ray.is_initialized():
        return "Ray as this process has joined it"
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    address = wanted(address)
    quiet = {"log_to_driver": False, "logging_level": "ERROR"}
    if not address:
        ray.init("local", include_dashboard=False, **quiet)
        return "Ray started on this machine"
    try:
        ray.init(address, **quiet)
    except (ConnectionError, ValueError, RuntimeError) as error:
        raise Mistake(
            f"no Ray cluster answers at {address} ({str(error).splitlines()[0]}): start one with "
            "'ray start --head', or use --address local"
        ) from None
    alive = sum(node["Alive"] for node in ray.nodes())
    return f"joined the Ray cluster at {address}, {alive} node(s)"


def resources(study: Study) -> dict[str, float]:
    """What a trial gets; refuses more than the cluster has."""
    there = ray.cluster_resources()
    gpus, cpus = there.get("GPU", 0), int(there.get("CPU", 0))
    if study.device == "cuda" and not gpus:
        raise Mistake("device is cuda, but the cluster has no GPU: use --device cpu or add one")
    gpu = study.gpus_per_trial if gpus and study.device != "cpu" else 0.0
    if gpu > gpus:
        raise Mistake(f"gpus_per_trial is {gpu:g}, but the cluster has {gpus:g}: ask for fewer")
    if study.cpus_per_trial > cpus:
        raise Mistake(
            f"cpus_per_trial is {study.cpus_per_trial}, but the cluster has {cpus}: ask for fewer"
        )
    return {"cpu": study.cpus_per_trial, "gpu": gpu}


def slots(study: Study, need: dict[str, float]) -> int:
    """Trials at once: what fits, or fewer if max_concurrent says so."""
    there = ray.cluster_resources()
    fit = int(there["CPU"] // need["cpu"])
    if need["gpu"]:
        fit = min(fit, int(there["GPU"] / need["gpu"] + 1e-9))
    return min(fit, study.max_concurrent) if study.max_concurrent else fit


def hardware() -> dict[str, Any]:
    """This machine and the cluster, for study.json."""
    gpus = range(torch.cuda.device_count()) if torch.cuda.is_available() else range(0)
    return {
        "host": platform.node(),
        "system": platform.platform(),
        "processor": processor(),
        "cores": os.cpu_count(),
        "gpus": [torch.cuda.get_device_name(index) for index in gpus],
        "cluster": {k: v for k, v in ray.cluster_resources().items() if k in ("CPU", "GPU")},
        "nodes": sum(node["Alive"] for node in ray.nodes()),
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
    """Git commit of this code and whether files differ from it; None outside a checkout."""
    here = Path(__file__).parent

    def git(*words: str) -> str | None:
        try:
            done = subprocess.run(["git", *words], cwd=here, capture_output=True, text=True)
        except FileNotFoundError:
            return None
        return done.stdout.strip() if done.returncode == 0 else None

    changed = git("status", "--porcelain", "--untracked-files=no")
    return {"commit": git("rev-parse", "HEAD"), "dirty": None if changed is None else bool(changed)}
