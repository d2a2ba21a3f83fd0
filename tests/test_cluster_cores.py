import os
import subprocess
import sys
from pathlib import Path

import pytest

from study.cluster import cores


@pytest.fixture(autouse=True)
def eight(tmp_path, monkeypatch):
    """A machine of eight cores, with neither quota nor Slurm."""
    monkeypatch.setattr(cores, "CGROUPS", tmp_path / "cgroup")
    monkeypatch.setattr(cores, "OWN_CGROUPS", tmp_path / "own")
    monkeypatch.setattr(cores, "bound", lambda: 8)
    for name in ("SLURM_CPUS_PER_TASK", "SLURM_CPUS_ON_NODE"):
        monkeypatch.delenv(name, raising=False)


def groups(tmp_path: Path, own: str, files: dict[str, str]) -> None:
    (tmp_path / "own").write_text(own)
    for name, content in files.items():
        path = tmp_path / "cgroup" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)


def test_all_cores_where_nothing_says_less():
    assert cores.usable() == 8


@pytest.mark.parametrize(
    ("own", "files", "expected"),
    [
        ("0::/\n", {"cpu.max": "max 100000\n"}, 8),
        ("0::/\n", {"cpu.max": "200000 100000\n"}, 2),
        ("0::/\n", {"cpu.max": "150000 100000\n"}, 1),
        ("0::/\n", {"cpu.max": "50000 100000\n"}, 1),  # half a core is one trial
        ("0::/\n", {"cpu.max": "6400000 100000\n"}, 8),  # more than there is
        ("0::/a/b\n", {"a/b/cpu.max": "max 100000", "a/cpu.max": "300000 100000"}, 3),
        ("0::/a/b\n", {"a/b/cpu.max": "100000 100000", "a/cpu.max": "300000 100000"}, 1),
        ("0::/docker/f00\n", {"cpu.max": "400000 100000"}, 4),  # the host's path, our own root
        ("0::/../sibling\n", {"cpu.max": "400000 100000"}, 4),
        ("4:cpu,cpuacct:/\n", {"cpu,cpuacct/cpu.cfs_quota_us": "-1\n"}, 8),
        (
            "5:memory:/\n4:cpu,cpuacct:/job\n0::/\n",
            {
                "cpu,cpuacct/job/cpu.cfs_quota_us": "250000\n",
                "cpu,cpuacct/job/cpu.cfs_period_us": "50000\n",
            },
            5,
        ),
        (
            "1:cpu:/kube/pod\n",
            {
                "cpu/kube/cpu.cfs_quota_us": "300000\n",
                "cpu/kube/cpu.cfs_period_us": "100000\n",
                "cpu/kube/pod/cpu.cfs_quota_us": "-1\n",
            },
            3,
        ),
    ],
)
def test_the_quota_of_a_control_group_counts(tmp_path, own, files, expected):
    groups(tmp_path, own, files)
    assert cores.usable() == expected


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({"SLURM_CPUS_PER_TASK": "3", "SLURM_CPUS_ON_NODE": "6"}, 3),
        ({"SLURM_CPUS_ON_NODE": "6"}, 6),
        ({"SLURM_CPUS_ON_NODE": "64"}, 8),
        ({"SLURM_CPUS_PER_TASK": ""}, 8),
    ],
)
def test_slurms_cores_count(monkeypatch, told, expected):
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    assert cores.usable() == expected


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system binds no process")
def test_a_process_bound_to_one_core_has_one():
    one = min(os.sched_getaffinity(0))
    told = subprocess.run(
        [sys.executable, "-c", "from study.cluster import cores; print(cores.usable())"],
        capture_output=True, text=True, check=True,
        preexec_fn=lambda: os.sched_setaffinity(0, {one}),
    )  # fmt: skip
    assert told.stdout == "1\n"
