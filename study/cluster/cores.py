"""How many cores this process may use, which need not be all of the machine's. Runs on the driver.

Ray counts the machine's; it knows of a container's quota, not of taskset, a quota outside a
container or Slurm.
"""

import os
from collections.abc import Iterator
from pathlib import Path

CGROUPS = Path("/sys/fs/cgroup")
OWN_CGROUPS = Path("/proc/self/cgroup")


def usable() -> int:
    """The least of the cores that the process is bound to, those that its control groups' quotas
    come to, and those of its Slurm task; at least 1."""
    return max(1, int(min([bound(), *quotas(), *of_slurm()])))


def bound() -> int:
    """Cores that the scheduler may put this process on (taskset, cpuset); macOS binds none."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def quotas() -> Iterator[float]:
    """Cores' worth of time that the process's control groups, and those above them, allow.

    A line of /proc/self/cgroup is NUMBER:CONTROLLERS:PATH, in version 2 without controllers.
    """
    lines = OWN_CGROUPS.read_text().splitlines() if OWN_CGROUPS.exists() else []
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if not controllers:
            for level in (*levels(CGROUPS, path), *levels(CGROUPS / "unified", path)):
                yield from version_2(level)
        elif "cpu" in controllers.split(","):
            for level in (*levels(CGROUPS / controllers, path), *levels(CGROUPS / "cpu", path)):
                yield from version_1(level)


def levels(folder: Path, path: str) -> Iterator[Path]:
    """The group's folder and all above it. Inside a container the path may be the host's, where
    only the topmost is there."""
    parts = [part for part in path.split("/") if part not in ("", "..")]
    for depth in range(len(parts), -1, -1):
        yield folder.joinpath(*parts[:depth])


def version_2(level: Path) -> Iterator[float]:
    """cpu.max is QUOTA PERIOD in microseconds, or max PERIOD."""
    if (level / "cpu.max").is_file():
        quota, period = (level / "cpu.max").read_text().split()
        if quota != "max":
            yield int(quota) / int(period)


def version_1(level: Path) -> Iterator[float]:
    """Of the Completely Fair Scheduler; a quota of -1 is none."""
    if (level / "cpu.cfs_quota_us").is_file():
        quota = int((level / "cpu.cfs_quota_us").read_text())
        if quota > 0:
            yield quota / int((level / "cpu.cfs_period_us").read_text())


def of_slurm() -> Iterator[int]:
    """Slurm's cores for a task where it was asked for some, else for the job on this machine."""
    for name in ("SLURM_CPUS_PER_TASK", "SLURM_CPUS_ON_NODE"):
        if os.environ.get(name, "").isdecimal():
            yield int(os.environ[name])
            return
