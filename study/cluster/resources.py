"""What the cluster has, and what of it a trial gets. Runs on the driver."""

from dataclasses import dataclass

import ray
from ray.exceptions import RayError

from study import Mistake
from study.cluster import autoscaler, environment
from study.cluster.hardware import gpu_here
from study.cluster.nodes import alive
from study.config.study import Study


def hardware_kind(device: str) -> str:
    """What presets are sized by, gpu or cpu; refuses a GPU asked for where there is none.

    The GPUs are those of the cluster where one has been joined, else of this machine.
    """
    found = capacity()["GPU"] > 0 if ray.is_initialized() else gpu_here()
    if device == "cuda" and not found:
        raise Mistake(
            "device is cuda, but no CUDA device is found here: use --device cpu, or a machine or "
            "cluster with a GPU"
        )
    return "gpu" if found and device != "cpu" else "cpu"


@dataclass(frozen=True)
class Machine:
    """A node of the cluster, or a kind of which its autoscaler can add so many."""

    cores: float
    gpus: float
    count: int = 1

    def holds(self, need: dict[str, float]) -> int:
        """Trials at once on one such machine; a fraction of a GPU is one of one GPU."""
        fit = int(self.cores // need["cpu"])
        if need["gpu"] >= 1:
            return min(fit, int(self.gpus // need["gpu"]))
        return min(fit, int(self.gpus) * int(1 / need["gpu"] + 1e-9)) if need["gpu"] else fit


def nodes_there() -> list[Machine]:
    """The nodes that are up."""
    has = [each["Resources"] for each in alive()]
    return [Machine(each.get("CPU", 0.0), each.get("GPU", 0.0)) for each in has]


def nodes_to_come() -> list[Machine]:
    """What the autoscaler can have up at once, at most: first the kinds with most GPUs."""
    config, found = autoscaler.configuration(), []
    left = config.get("max_workers", 0)
    for kind in sorted(autoscaler.kinds().values(), key=lambda k: -k["resources"].get("GPU", 0)):
        has = kind["resources"]
        count = min(left, kind.get("max_workers", config.get("max_workers", 0)))
        left -= count
        found.append(Machine(has.get("CPU", 0), has.get("GPU", 0), count))
    return [machine for machine in found if machine.count]


def capacity() -> dict[str, float]:
    """Cores and GPUs that the cluster has, or can come to have by its autoscaler."""
    there, grown = ray.cluster_resources(), nodes_to_come()
    return {
        "CPU": max(there.get("CPU", 0.0), sum(m.count * m.cores for m in grown)),
        "GPU": max(there.get("GPU", 0.0), sum(m.count * m.gpus for m in grown)),
    }


def gpus_have() -> tuple[float, bool]:
    """Free memory of the cluster's fullest GPU, 0 where none is there yet or none answers, and
    whether all of them compute in bfloat16."""
    count = int(ray.cluster_resources().get("GPU", 0))
    asked = [ray.remote(gpu_has).options(num_gpus=1).remote() for _ in range(count)]
    answered, _ = ray.wait(asked, num_returns=count, timeout=60) if asked else ([], [])
    try:
        found = ray.get(answered) if len(answered) == count else []
    except RayError:  # a GPU that Ray counts and torch can't use: its trials will say why
        found = []
    return min((free for free, _ in found), default=0.0), all(native for _, native in found)


def gpu_has() -> tuple[float, bool]:
    """Free memory of this process's GPU, and whether it computes in bfloat16."""
    import torch

    free_mib = torch.cuda.mem_get_info()[0] / 2**20
    return free_mib, torch.cuda.is_bf16_supported(including_emulation=False)


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
    need = {"cpu": study.cpus_per_trial, "gpu": gpu}
    machines = nodes_there() + nodes_to_come()
    if machines and not any(machine.holds(need) for machine in machines):
        largest = max(machines, key=lambda machine: (machine.gpus, machine.cores))
        raise Mistake(
            f"no node can hold a trial, which needs {needs(need)} on one machine, but the largest "
            f"has {needs({'cpu': largest.cores, 'gpu': largest.gpus})}: ask for fewer "
            "(--cpus-per-trial, --gpus-per-trial)"
        )
    return need


def needs(need: dict[str, float]) -> str:
    """Cores and GPUs in words."""
    cores = f"{need['cpu']:g} core{'s' * (need['cpu'] != 1)}"
    return cores + (f" and {need['gpu']:g} GPU{'s' * (need['gpu'] > 1)}" if need["gpu"] else "")


def slots(study: Study, need: dict[str, float]) -> int:
    """Trials at once: what fits, node by node, or fewer if max_concurrent says so."""
    fit = max(
        sum(machine.count * machine.holds(need) for machine in machines)
        for machines in (nodes_there(), nodes_to_come())
    )
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
