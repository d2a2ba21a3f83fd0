"""What is found, and what is refused, before Ray is asked."""

import pytest
import torch

from study import Mistake, cluster


def test_a_gpu_asked_for_where_there_is_none_is_refused(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(cluster.ray, "is_initialized", lambda: False)
    with pytest.raises(Mistake, match="device is cuda, but no CUDA device is found here"):
        cluster.hardware_kind("cuda")
    assert [cluster.hardware_kind(device) for device in ("auto", "cpu")] == ["cpu", "cpu"]


def test_a_gpu_is_taken_where_there_is_one_unless_cpu_is_asked_for(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(cluster.ray, "is_initialized", lambda: False)
    kinds = [cluster.hardware_kind(device) for device in ("auto", "cuda", "cpu")]
    assert kinds == ["gpu", "gpu", "cpu"]


def test_in_a_joined_cluster_the_clusters_gpus_count(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(cluster.ray, "is_initialized", lambda: True)
    monkeypatch.setattr(cluster.ray, "cluster_resources", lambda: {"CPU": 8.0, "GPU": 2.0})
    monkeypatch.setattr(cluster, "autoscaler", dict)
    assert cluster.hardware_kind("cuda") == "gpu"


def test_an_address_beats_the_environment_and_local_means_none(monkeypatch):
    monkeypatch.setenv("RAY_ADDRESS", "10.0.0.1:6379")
    assert cluster.wanted("") == "10.0.0.1:6379"
    assert cluster.wanted("10.0.0.2:6379") == "10.0.0.2:6379"
    assert cluster.wanted("local") == ""


def test_versions_and_revision_are_those_of_this_environment():
    assert cluster.versions()["torch"] == torch.__version__.split("+")[0]
    assert set(cluster.revision()) == {"commit", "dirty"}
