"""What every node is asked before the first epoch, and what is made of the answers."""

import shutil
import tempfile
from pathlib import Path

import pytest
import ray
from ray.cluster_utils import Cluster

from study import Mistake, installed, nodes
from study.session import Session

HAS = {"python": "3.12.3", "torch": "2.14.1", "code": "aaaa"}


def test_a_difference_names_what_was_found_and_what_the_driver_has():
    assert installed.difference(HAS, HAS) == ""
    assert installed.difference(HAS, HAS | {"torch": "2.13.0", "code": "bbbb"}) == (
        "torch 2.13.0 (the driver has 2.14.1), the code bbbb (the driver has aaaa)"
    )
    assert installed.difference(HAS, {"python": "3.12.3", "torch": "2.14.1"}) == (
        "the code missing (the driver has aaaa)"
    )


def test_the_digest_changes_with_any_file_of_ours(monkeypatch, tmp_path):
    for name in ("fer_models", "study"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("")
    found = {name: tmp_path / name / "__init__.py" for name in ("fer_models", "study")}
    monkeypatch.setattr(
        installed, "find_spec", lambda name: type("Spec", (), {"origin": str(found[name])})
    )
    before = installed.digest()
    (tmp_path / "study" / "preset.toml").write_text("lr = 0.1")
    assert installed.digest() != before


def test_nodes_that_differ_are_refused_by_name(monkeypatch):
    monkeypatch.setattr(installed, "facts", lambda: HAS)
    answers = [("a", "1", HAS), ("b", "2", HAS | {"torch": "2.13.0"})]
    monkeypatch.setattr(nodes, "everywhere", lambda ask: answers)
    with pytest.raises(Mistake, match=r"node b has torch 2.13.0 \(the driver has 2.14.1\)"):
        nodes.check_versions(HAS)


def test_a_node_without_this_project_is_refused_by_name(monkeypatch):
    monkeypatch.setattr(nodes, "everywhere", lambda ask: [("b", "2", "No module named 'study'")])
    with pytest.raises(Mistake, match="node b can't say what it has .*install this project there"):
        nodes.check_versions(HAS)


def test_a_folder_that_a_node_cannot_see_is_refused_and_left_clean(monkeypatch, tmp_path):
    monkeypatch.setattr(nodes, "everywhere", lambda *ask: [("a", "1", True), ("b", "2", False)])
    monkeypatch.setattr(nodes, "alive", lambda: [{}, {}])
    with pytest.raises(Mistake, match=r"isn't seen by 2 of 2 nodes \(a, b\): give --storage"):
        nodes.check_folder(tmp_path)  # a says that it sees it, but its answer isn't here
    assert not list(tmp_path.iterdir())


def test_a_late_node_raises_before_its_first_trial(monkeypatch, tmp_path):
    (tmp_path / "study.json").write_text("{}")
    installed.verify(installed.facts(), tmp_path)
    with pytest.raises(RuntimeError, match=f"{installed.UNFIT} .* has torch"):
        installed.verify(installed.facts() | {"torch": "0.1"}, tmp_path)
    with pytest.raises(RuntimeError, match=f"{installed.UNFIT} .* has no .*elsewhere"):
        installed.verify(installed.facts(), tmp_path / "elsewhere")


def test_an_unfit_node_ends_the_study_and_no_trial():
    session = Session.__new__(Session)
    session.cause = session.stop = ""
    session.folder = Path("x")
    assert session.lost("RuntimeError: unfit node: b has torch 0.1 (the driver has 2.14.1)")
    assert (session.cause, session.stop) == (
        "node", "unfit node: b has torch 0.1 (the driver has 2.14.1)"
    )  # fmt: skip
    assert session.interrupted


@pytest.mark.ray
def test_every_node_of_a_real_cluster_answers(tmp_path, monkeypatch):
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    # Its address is left in Ray's folder, where a study of whoever runs this would find it; and
    # the folder's name is short because Ray makes sockets in it.
    folder = tempfile.mkdtemp(prefix="fer", dir="/tmp")
    monkeypatch.setenv("RAY_TMPDIR", folder)
    if ray.is_initialized():
        pytest.skip("this process has joined another Ray")
    own = {"num_cpus": 1, "include_dashboard": False, "object_store_memory": 80 * 2**20}
    cluster = Cluster(initialize_head=True, head_node_args=own)
    try:
        cluster.add_node(num_cpus=1, object_store_memory=80 * 2**20)
        cluster.connect()
        assert len(nodes.alive()) == 2
        assert nodes.check(tmp_path) == installed.facts()
        assert not list(tmp_path.iterdir())
        answers = nodes.everywhere(installed.facts)
        assert [facts for _, _, facts in answers] == [installed.facts()] * 2
        assert len({node_id for _, node_id, _ in answers}) == 2
        (_, _, said), *_ = nodes.everywhere(lambda: 1 / 0)
        assert said == "ZeroDivisionError: division by zero"
    finally:
        ray.shutdown()
        cluster.shutdown()
        shutil.rmtree(folder, ignore_errors=True)
