"""What the cluster has on one machine, and what of it a trial gets; more in
test_cluster_connection.py."""

import pytest

from study import Mistake
from study.cluster import autoscaler, resources
from study.cluster.resources import Machine
from study.config.study import Study


@pytest.fixture
def cluster(monkeypatch):
    """Makes up a cluster: nodes of so many cores and GPUs, and an autoscaler's file."""

    def of(*nodes: tuple[float, float], **grows) -> None:
        up = [{"Resources": {"CPU": cores, "GPU": gpus}} for cores, gpus in nodes]
        total = {"CPU": sum(n[0] for n in nodes), "GPU": sum(n[1] for n in nodes)}
        monkeypatch.setattr(resources, "alive", lambda: up)
        monkeypatch.setattr(resources.ray, "cluster_resources", lambda: total)
        monkeypatch.setattr(autoscaler, "configuration", lambda: grows)

    return of


def kinds(**kinds: dict[str, float]) -> dict:
    types = {name: {"resources": has, "max_workers": 3} for name, has in kinds.items()}
    head = {"head": {"resources": {"CPU": 0}, "max_workers": 0}}
    return {"max_workers": 4, "head_node_type": "head", "available_node_types": head | types}


def refused(**asked) -> str:
    with pytest.raises(Mistake) as caught:
        resources.per_trial(Study(**asked))
    return str(caught.value)


def test_what_no_single_node_holds_is_refused_though_all_together_have_it(cluster):
    cluster((2, 0), (2, 0))
    assert refused(cpus_per_trial=3) == (
        "no node can hold a trial, which needs 3 cores on one machine, but the largest has 2 "
        "cores: ask for fewer (--cpus-per-trial, --gpus-per-trial)"
    )
    assert resources.per_trial(Study(cpus_per_trial=2)) == {"cpu": 2, "gpu": 0.0}
    cluster((16, 1), (16, 1))
    assert "needs 1 core and 2 GPUs on one machine, but the largest has 16 cores and 1 GPU" in (
        refused(gpus_per_trial=2.0)
    )


def test_cores_and_gpus_must_be_on_the_same_node(cluster):
    cluster((2, 1), (16, 0))
    assert "needs 4 cores and 1 GPU" in refused(gpus_per_trial=1.0, cpus_per_trial=4)
    assert resources.per_trial(Study(gpus_per_trial=1.0, cpus_per_trial=2))["gpu"] == 1.0


def test_what_only_a_node_to_come_can_hold_is_taken(cluster):
    cluster((2, 0), **kinds(small={"CPU": 2}, large={"CPU": 8}))
    assert resources.per_trial(Study(cpus_per_trial=8)) == {"cpu": 8, "gpu": 0.0}
    assert "the largest has 8 cores" in refused(cpus_per_trial=9)
    cluster((2, 0), **kinds(large={"CPU": 8}) | {"max_workers": 0})
    assert "the cluster has 2" in refused(cpus_per_trial=8)


@pytest.mark.parametrize(
    ("nodes", "need", "fit"),
    [
        ([(2, 0), (2, 0)], (1, 0), 4),
        ([(3, 0), (3, 0)], (2, 0), 2),  # a core of each stays empty
        ([(8, 2)], (1, 0.25), 8),
        ([(8, 2)], (1, 0.4), 4),  # two on a GPU: a fraction is one of one GPU
        ([(8, 2)], (1, 1 / 3), 6),
        ([(8, 3)], (1, 2), 1),
        ([(1, 4), (16, 0)], (1, 1), 1),
    ],
)
def test_trials_at_once_are_counted_node_by_node(cluster, nodes, need, fit):
    cluster(*nodes)
    asked = {"cpu": need[0], "gpu": need[1]}
    assert resources.slots(Study(), asked) == fit
    assert resources.slots(Study(max_concurrent=1), asked) == 1
    assert sum(Machine(*node).holds(asked) for node in nodes) == fit


def test_trials_at_once_on_nodes_to_come_are_as_many_as_may_be_added(cluster):
    cluster((0, 0), **kinds(small={"CPU": 3}))
    assert resources.slots(Study(), {"cpu": 2, "gpu": 0.0}) == 3
