"""What is found, and what is refused, before Ray is asked."""

import os
import socketserver
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
import yaml
from ray._common.utils import get_ray_address_file

from study import Mistake
from study.cluster import autoscaler, connection, hardware, resources
from study.config.study import Study


@pytest.fixture(autouse=True)
def own_environment():
    """What joining or starting Ray leaves in the environment is gone after each test."""
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


def test_a_gpu_asked_for_where_there_is_none_is_refused(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(connection.ray, "is_initialized", lambda: False)
    with pytest.raises(Mistake, match="device is cuda, but no CUDA device is found here"):
        resources.hardware_kind("cuda")
    assert [resources.hardware_kind(device) for device in ("auto", "cpu")] == ["cpu", "cpu"]


def test_a_gpu_is_taken_where_there_is_one_unless_cpu_is_asked_for(monkeypatch):
    monkeypatch.setattr(hardware, "nvidia_gpu_here", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(connection.ray, "is_initialized", lambda: False)
    kinds = [resources.hardware_kind(device) for device in ("auto", "cuda", "cpu")]
    assert kinds == ["gpu", "gpu", "cpu"]


def test_in_a_joined_cluster_the_clusters_gpus_count(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(connection.ray, "is_initialized", lambda: True)
    monkeypatch.setattr(connection.ray, "cluster_resources", lambda: {"CPU": 8.0, "GPU": 2.0})
    monkeypatch.setattr(autoscaler, "configuration", dict)
    assert resources.hardware_kind("cuda") == "gpu"


def test_an_address_beats_the_environment_and_local_means_none(monkeypatch):
    monkeypatch.setenv("RAY_ADDRESS", "10.0.0.1:6379")
    assert connection.wanted("") == "10.0.0.1:6379"
    assert connection.wanted("10.0.0.2:6379") == "10.0.0.2:6379"
    assert connection.wanted("local") == ""


@pytest.fixture
def left_over(tmp_path, monkeypatch):
    """Writes the file in which `ray start --head` leaves its address."""
    monkeypatch.setenv("RAY_TMPDIR", str(tmp_path))
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    (tmp_path / "ray").mkdir()

    def write(address: str) -> None:
        path = Path(get_ray_address_file(None))
        assert path == tmp_path / "ray" / "ray_current_cluster"
        path.write_text(address)

    return write


@contextmanager
def server(answer: bytes):
    """A port of this machine that gives every caller the same answer."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            self.request.recv(64)
            self.request.sendall(answer)

    with socketserver.TCPServer(("127.0.0.1", 0), Handler) as listening:
        threading.Thread(target=listening.serve_forever, args=(0.05,)).start()
        try:
            yield f"127.0.0.1:{listening.server_address[1]}"
        finally:
            listening.shutdown()  # else its thread outlives the tests


def test_a_head_on_this_machine_is_found_if_it_answers(left_over, monkeypatch):
    assert connection.wanted("") == ""
    monkeypatch.setattr(connection, "ours", lambda address: True)
    with server(connection.SETTINGS) as address:
        left_over(address)
        assert connection.wanted("") == connection.wanted("auto") == address
        assert connection.wanted("local") == ""
    assert connection.wanted("") == ""  # the address of one that has ended
    with pytest.raises(Mistake, match="address is auto, but no head runs on this machine"):
        connection.wanted("auto")


def test_a_server_that_is_no_process_of_ours_is_not_taken_for_our_head(left_over):
    with server(connection.SETTINGS) as address:
        left_over(address)
        assert connection.wanted("") == "", "this test's server speaks like Ray, and isn't"
        port = address.rpartition(":")[2]
        words = [sys.executable, "-c", "input()", f"--gcs_server_port={port}"]
        with subprocess.Popen(words, stdin=subprocess.PIPE) as ray_server:
            until = time.monotonic() + 300  # for it to be started
            while not connection.ours(address) and time.monotonic() < until:
                time.sleep(0.05)
            assert connection.wanted("") == address
            ray_server.communicate(b"\n")


def test_what_listens_at_an_ended_heads_address_is_not_taken_for_ray(left_over):
    with server(b"-ERR unknown command") as address:
        left_over(address)
        assert connection.wanted("") == ""
        assert connection.silence(address) == "what listens there isn't Ray"


@pytest.mark.parametrize("address", ["nonsense", "host:port", "127.0.0.1:99999", "127.0.0.1:1"])
def test_an_address_where_no_ray_is_is_refused_at_once(address, monkeypatch):
    monkeypatch.setattr(connection.ray, "is_initialized", lambda: False)
    with pytest.raises(Mistake, match=f"no Ray cluster can be joined at {address}"):
        connection.connect(address)


@pytest.mark.parametrize("damage", ["", "no address", "127.0.0.1:port"])
def test_a_damaged_address_file_is_no_head(left_over, damage):
    left_over(damage)
    assert connection.wanted("") == ""


def test_someone_elses_head_is_not_for_us(left_over, monkeypatch):
    with server(connection.SETTINGS) as address:
        left_over(address)
        monkeypatch.setattr(connection, "ours", lambda address: True)
        assert connection.wanted("") == address
        monkeypatch.setattr(connection.os, "getuid", lambda: 4242)
        assert connection.wanted("") == ""


def test_a_head_that_was_asked_for_and_fails_is_refused_one_found_is_left_aside(
    monkeypatch, capsys
):
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    monkeypatch.setattr(connection.ray, "is_initialized", lambda: False)
    monkeypatch.setattr(connection.ray, "init", lambda address, **options: None)
    monkeypatch.setattr(connection, "join", lambda address: "it has no core to train on")
    monkeypatch.setattr(connection, "head_here", lambda: "10.0.0.1:6379")
    with pytest.raises(Mistake, match="no Ray cluster can be joined at 10.0.0.2:6379"):
        connection.connect("10.0.0.2:6379")
    assert connection.connect("") == "Ray started on this machine"
    assert "10.0.0.1:6379, is left aside: it has no core to train on" in capsys.readouterr().out


GROWS = {
    "max_workers": 3,
    "head_node_type": "head",
    "available_node_types": {
        "head": {"resources": {"CPU": 0}, "max_workers": 0},
        "cpu": {"resources": {"CPU": 16}, "max_workers": 3},
        "gpu": {"resources": {"CPU": 4, "GPU": 1}, "min_workers": 0, "max_workers": 2},
    },
}


def test_what_the_autoscaler_can_add_counts_within_its_limits(monkeypatch):
    monkeypatch.setattr(connection.ray, "cluster_resources", dict)
    monkeypatch.setattr(autoscaler, "configuration", lambda: GROWS)
    monkeypatch.setattr(resources, "alive", list)
    assert resources.capacity() == {"CPU": 24.0, "GPU": 2.0}  # two of gpu, then one of cpu
    study = Study(device="cuda", gpus_per_trial=1.0)
    assert resources.per_trial(study) == {"cpu": 1, "gpu": 1.0}
    assert resources.slots(study, {"cpu": 1, "gpu": 1.0}) == 2
    with pytest.raises(Mistake, match="gpus_per_trial is 3, but the cluster has 2"):
        resources.per_trial(Study(gpus_per_trial=3.0))


def test_the_autoscalers_file_is_the_one_it_was_started_with(monkeypatch, tmp_path):
    path = tmp_path / "grows.yaml"
    path.write_text(yaml.safe_dump(GROWS))
    context = SimpleNamespace(gcs_address="10.1.2.3:6379")
    monkeypatch.setattr(connection.ray, "get_runtime_context", lambda: context)
    words = ["--gcs-address=10.1.2.3:6379", f"--autoscaling-config={path}"]
    monitor = subprocess.Popen([sys.executable, "-c", "input()", *words], stdin=subprocess.PIPE)
    try:
        until = time.monotonic() + 300
        while not autoscaler.configuration() and time.monotonic() < until:
            time.sleep(0.05)
        assert autoscaler.configuration() == GROWS
        assert set(autoscaler.kinds()) == {"cpu", "gpu"}
        context.gcs_address = "10.9.9.9:6379"
        assert autoscaler.configuration() == {}
    finally:
        monitor.communicate(b"\n")


ALONE = """
import psutil, ray
from study.cluster import connection
connection.connect("local")
ours = psutil.Process().children(recursive=True)
print(ray.get_runtime_context().gcs_address)
for process in [psutil.Process(), *ours]:
    for place in process.net_connections("inet"):
        if place.status == psutil.CONN_LISTEN:
            print(place.laddr.ip)
input()
"""
NICE = """
import os, ray
from study.cluster import connection
connection.connect("local")
print(os.nice(0), ray.get(ray.remote(lambda: os.nice(0)).remote()))
"""
CORES = """
import ray
from study.cluster import connection
connection.connect("local")
print(ray.cluster_resources()["CPU"])
"""
JOIN = "import sys, ray; ray.init(sys.argv[1], logging_level='CRITICAL'); print('let in')"


@pytest.mark.ray
def test_a_local_ray_listens_on_loopback_alone_and_lets_nobody_else_in(tmp_path):
    given = {k: v for k, v in os.environ.items() if not k.startswith("RAY_AUTH")}
    private = Path(tempfile.mkdtemp(prefix="fer", dir="/tmp"))  # short: Ray makes sockets in it
    given |= {"HOME": str(tmp_path), "RAY_TMPDIR": str(private)}
    alone = subprocess.Popen(
        [sys.executable, "-c", ALONE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        env=given,
    )  # fmt: skip
    try:
        assert alone.stdout.readline() == "Starting Ray ...\n"
        address = alone.stdout.readline().strip()
        other = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": "0" * 64}
        here = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}  # Ray takes loopback for what it says
        with subprocess.Popen(
            [sys.executable, "-c", JOIN, address], env=given | other | here,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        ) as stranger:  # fmt: skip
            said = next(line for line in stranger.stdout if "oken" in line)
            modes = [oct(folder.stat().st_mode)[-3:] for folder in private.iterdir()]
            stranger.kill()  # it would try twenty times
    finally:
        listens, _ = alone.communicate("\n", timeout=300)
    assert "Authentication token is missing or incorrect" in said
    assert address.startswith("127.0.0.1:")
    assert {place.removeprefix("::ffff:") for place in listens.split()} == {"127.0.0.1"}
    assert not (tmp_path / ".ray").exists(), "the token is nowhere on disk"
    assert modes == ["700"], "Ray opens its own folder to everybody"
    private.rmdir()  # which was left empty


@pytest.mark.ray
def test_workers_run_at_the_niceness_at_which_the_study_was_started(tmp_path):
    """Ray 2.60 by itself lowers its workers by 15 (RAY_worker_niceness)."""
    given = {k: v for k, v in os.environ.items() if k != "RAY_worker_niceness"}
    private = tempfile.mkdtemp(prefix="fer", dir="/tmp")  # short: Ray makes sockets in it
    found = subprocess.run(
        ["nice", "-n", "3", sys.executable, "-c", NICE], capture_output=True, text=True,
        env=given | {"HOME": str(tmp_path), "RAY_TMPDIR": private}, timeout=400,
    )  # fmt: skip
    drivers, workers = map(int, found.stdout.splitlines()[-1].split())
    assert drivers == workers == min(os.nice(0) + 3, 19)
    Path(private).rmdir()


@pytest.mark.ray
@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system binds no process")
def test_ray_started_here_has_the_cores_that_may_be_used(tmp_path):
    """Ray 2.60 by itself takes all of the machine's, whatever taskset or Slurm allow."""
    private = tempfile.mkdtemp(prefix="fer", dir="/tmp")  # short: Ray makes sockets in it
    found = subprocess.run(
        [sys.executable, "-c", CORES], capture_output=True, text=True, timeout=400,
        env=os.environ | {"HOME": str(tmp_path), "RAY_TMPDIR": private},
        preexec_fn=lambda: os.sched_setaffinity(0, {min(os.sched_getaffinity(0))}),
    )  # fmt: skip
    assert found.stdout == "Starting Ray ...\n1.0\n"
    Path(private).rmdir()


class Busy:
    """In the place of ray.init on a machine that is too busy for Ray's half a minute."""

    def __init__(self, times: int) -> None:
        self.left, self.children = times, []

    def __call__(self, address: str, _temp_dir: str, **options) -> None:
        words = [sys.executable, "-c", "print(flush=True); input()", f"--temp-dir={_temp_dir}"]
        child = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.children.append(child)
        child.stdout.readline()  # before it runs its command line can't be read
        if self.left:
            self.left -= 1
            raise Exception("The current node timed out during startup. This could happen because")


@pytest.mark.parametrize("times", [0, 2, 3])
def test_a_ray_that_does_not_come_up_is_tried_again_and_told_in_a_sentence(
    monkeypatch, capsys, times
):
    init, ended = Busy(times), []
    monkeypatch.setattr(connection.ray, "init", init)
    monkeypatch.setattr(connection.atexit, "register", lambda *given: ended.append(given[1]))
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    if times < connection.ATTEMPTS:
        connection.start_here()
    else:
        with pytest.raises(Mistake, match="can't be started on this machine .The current node tim"):
            connection.start_here()
    said = capsys.readouterr().out
    for number, child in enumerate(init.children):
        child.communicate(b"\n")
        assert (child.returncode == -9) is (number < times), "of what failed to start, all is ended"
    assert said.count("tried again") == min(times, connection.ATTEMPTS - 1)
    for made in ended:
        connection.ray_folder.remove(made)
