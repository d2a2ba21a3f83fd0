"""`python -m benchmarks.chaos.nodes_autoscale`: from no worker to two and back to none.

Ray's fake multi-node provider on one host of its own (nodes_hosts.py): a head without a core, and
an autoscaler that may add two nodes with a core each. The study starts while there is nothing to
train on. Prints a line a step.
"""

import threading
import time
from pathlib import Path

import yaml

from benchmarks.chaos.nodes_hosts import Host, network

STUDY = (
    "python -m study.run --preset smoke --models alexnet --data faces:600 --stages search "
    "--scheduler none --epochs 4 --trials 4 --device cpu --name grows --out /tmp/runs"
).split()
EMPTY = ("initialization_commands setup_commands head_setup_commands worker_setup_commands "
         "head_start_ray_commands worker_start_ray_commands cluster_synced_files rsync_exclude "
         "rsync_filter").split()  # fmt: skip


def configuration(address: str) -> dict:
    """A whole one: the fake provider fills nothing in."""
    node = {"node_config": {}, "min_workers": 0}
    return {
        "cluster_name": "fake", "max_workers": 2, "idle_timeout_minutes": 0.2,
        "upscaling_speed": 100.0, "auth": {}, "docker": {}, "file_mounts": {},
        "file_mounts_sync_continuously": False, "head_node_type": "ray.head.default",
        "provider": {"type": "fake_multinode", "gcs_address": f"{address}:6379",
                     "launch_multiple": True, "use_node_id_as_ip": True},
        "available_node_types": {
            "ray.head.default": node | {"resources": {"CPU": 0}, "max_workers": 0},
            "worker": node | {"resources": {"CPU": 1}, "max_workers": 2},
        },
        **{name: [] for name in EMPTY},
    }  # fmt: skip


def main() -> None:
    with network() as work:
        play(Host(1, work).up(), work)


def play(host: Host, work: Path) -> None:
    (host.tmp / "grows.yaml").write_text(yaml.safe_dump(configuration(host.address)))
    host.given |= {"RAY_FAKE_CLUSTER": "1", "AUTOSCALER_UPDATE_INTERVAL_S": "1"}
    host.run("ray", "start", "--head", "--port=6379", f"--node-ip-address={host.address}",
             "--num-cpus=0", "--autoscaling-config=/tmp/grows.yaml", "--include-dashboard=false",
             f"--object-store-memory={150 * 2**20}")  # fmt: skip
    print("| step | seconds | what happened |\n|---|--:|---|")
    seen, watching = [workers(host)], threading.Event()

    def watch() -> None:
        while not watching.wait(1):
            seen.append(workers(host))

    thread = threading.Thread(target=watch)
    thread.start()
    began = time.monotonic()
    try:
        log = work / "study.log"
        code = host.start(log, *STUDY).wait(timeout=600)
        assert code == 0, log.read_text()
        machine = next(x for x in log.read_text().splitlines() if x.startswith("Machine:"))
        told("a study without a worker", began, machine)
        began = time.monotonic()
        while workers(host):
            if time.monotonic() - began > 180:
                raise SystemExit("idle workers are still there after 180 s")
            time.sleep(1)
        told("idle", began, f"workers over time: {' -> '.join(map(str, changes(seen)))} -> 0")
        assert seen[0] == 0 and max(seen) == 2
    finally:
        watching.set()
        thread.join()


def workers(host: Host) -> int:
    """Raylets of the host, without the head's."""
    said = host.run("sh", "-c", "pgrep -c -x raylet || true").split()
    return int(said[0]) - 1


def changes(counts: list[int]) -> list[int]:
    return [n for i, n in enumerate(counts) if i == 0 or counts[i - 1] != n]


def told(step: str, began: float, what: str) -> None:
    print(f"| {step} | {time.monotonic() - began:.0f} | {what} |", flush=True)


if __name__ == "__main__":
    main()
