"""Ray's own messages to the driver are kept in a file."""

import time

import pytest
from ray._private import worker
from ray._private.utils import publish_error_to_driver

from study.cluster import ray_log

DUMP = "Raylet is terminated. Possible reasons include: (1) SIGKILL\n    [state-dump] NodeManager"


def test_a_dump_is_in_the_file_and_the_person_hears_of_it_once_and_where(tmp_path, capsys):
    before, said = worker.print_to_stdstream, []
    with ray_log.kept(tmp_path, said.append):
        for _ in range(2):
            worker.print_to_stdstream(
                {"lines": [DUMP], "pid": "raylet", "is_err": False}, ignore_prefix=False
            )
    assert worker.print_to_stdstream is before
    path = tmp_path / "ray.log"
    assert said == [f"Ray says: Raylet is terminated; all of it is in {path}"]
    assert path.read_text().count("[state-dump]") == 2
    assert capsys.readouterr().out == ""


def test_a_file_that_can_not_be_written_is_no_error_of_rays_thread(tmp_path):
    said = []
    with ray_log.kept(tmp_path / "gone", said.append):
        worker.print_to_stdstream({"lines": ["x"], "pid": 1, "is_err": False}, ignore_prefix=False)
    assert len(said) == 1


@pytest.mark.ray
def test_it_is_by_this_name_that_ray_prints_what_it_hears(tmp_path, capfd, ray_two_cpus):
    with ray_log.kept(tmp_path, lambda line: None):
        publish_error_to_driver("lost", DUMP, worker.global_worker.gcs_client)
        path, deadline = tmp_path / "ray.log", time.monotonic() + 300
        while not (path.exists() and path.read_text()) and time.monotonic() < deadline:
            time.sleep(0.1)  # the file is there before what is written into it
    assert "[state-dump]" in path.read_text()
    assert "[state-dump]" not in "".join(capfd.readouterr())
