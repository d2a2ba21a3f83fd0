"""What the cluster has, and what of it a trial gets. Runs on the driver."""

import ray
import torch

from study import Mistake
from study.cluster import autoscaler, environment
from study.cluster.nodes import alive
from study.config.study import Study


def hardware_kind(device: str) -> str:
    """What presets are sized by, gpu or cpu; refuses a GPU asked for where there is none.

    The GPUs are those of the cluster where one has been joined, else of this machine.
    """
    found = capacity()["GPU"] > 0 if ray.is_initialized() else torch.cuda.is_available()
    if device == "cuda" and not found:
        raise Mistake(
            "device is cuda, but no CUDA device is found here: use --device cpu, or a machine or "
            "cluster with a GPU"
        )
    return "gpu" if found and device != "cpu" else "cpu"


def capacity() -> dict[str, float]:
    """Cores and GPUs that the cluster has, or can come to have by its autoscaler."""
    there = ray.cluster_resources()
    config, grown = autoscaler.configuration(), {"CPU": 0.0, "GPU": 0.0}
    left = config.get("max_workers", 0)
    most = sorted(autoscaler.kinds().values(), key=lambda kind: -kind["resources"].get("GPU", 0))
    for kind in most:
        count = min(left, kind.get("max_workers", config.get("max_workers", 0)))
        left -= count
        for name in grown:
            grown[name] += count * kind["resources"].get(name, 0)
    return {name: max(there.get(name, 0.0), grown[name]) for name in grown}


def gpu_free_mib() -> float:
    """Free memory of the cluster's fullest GPU; 0 where none is there yet, or none answers."""
    count = int(ray.cluster_resources().get("GPU", 0))
    asked = [ray.remote(free_mib).options(num_gpus=1).remote() for _ in range(count)]
    answered, _ = ray.wait(asked, num_returns=count, timeout=60) if asked else ([], [])
    return min(ray.get(answered), default=0.0) if len(answered) == count else 0.0


def free_mib() -> float:
    return torch.cuda.mem_get_info()[0] / 2**20


def per_trial(study: Study) -> dict[str, float]:
    """What a trial gets; refuses more than the cluster has or can come to have."""
    there = capacity()
    gpus, cpus = there["GPU"], int(there["CPU"])
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
    there = capacity()
    fit = int(there["CPU"] // need["cpu"])
    if need["gpu"]:
        fit = min(fit, int(there["GPU"] / need["gpu"] + 1e-9))
    return min(fit, study.max_concurrent) if study.max_concurrent else fit


def inventory(joined: str) -> str:
    """The cluster in a sentence: how it was come by, nodes, cores, GPUs, and versions."""
    there, most, nodes = ray.cluster_resources(), capacity(), alive()
    amounts = {}
    for name, word in (("CPU", "core"), ("GPU", "GPU")):
        now, then = there.get(name, 0), most[name]
        amounts[word] = f"{now:g} {word}{'s' * (now != 1)}"
        amounts[word] += f" (up to {then:g})" if then > now else ""
    names = ", ".join(sorted(each["NodeManagerHostname"] for each in nodes))
    has = environment.facts()
    return (
        f"{joined}: {len(nodes)} node{'s' * (len(nodes) != 1)} ({names}), {amounts['core']}, "
        f"{amounts['GPU']}; Python {has['python']}, torch {has['torch']}, ray {has['ray']}"
    )
