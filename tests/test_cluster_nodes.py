"""What every node is asked before the first epoch, and what is made of the answers."""

import ast
import shutil
import tempfile
import threading
from pathlib import Path
from unittest.mock import Mock

import pytest
import ray
from ray.cluster_utils import Cluster

from fer_models import MODELS, own
from fer_record.journal import read
from fer_record.tables import Tables
from study import Mistake
from study.cluster import environment, nodes
from study.cluster.connection import ENVIRONMENT
from study.driver.session import Session
from study.run import main
from study.storage import places

HAS = {"python": "3.12.3", "torch": "2.14.1", "code": "aaaa"}


def test_a_difference_names_what_was_found_and_what_the_driver_has():
    assert environment.difference(HAS, HAS) == ""
    assert environment.difference(HAS, HAS | {"torch": "2.13.0", "code": "bbbb"}) == (
        "torch 2.13.0 (the driver has 2.14.1), the code bbbb (the driver has aaaa)"
    )
    assert environment.difference(HAS, {"python": "3.12.3", "torch": "2.14.1"}) == (
        "the code missing (the driver has aaaa)"
    )


def test_the_digest_changes_with_any_file_of_ours(monkeypatch, tmp_path):
    for name in environment.OURS:
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("")
    found = {name: tmp_path / name / "__init__.py" for name in environment.OURS}
    monkeypatch.setattr(
        environment, "find_spec", lambda name: type("Spec", (), {"origin": str(found[name])})
    )
    before = environment.digest()
    (tmp_path / "study" / "preset.toml").write_text("lr = 0.1")
    assert environment.digest() != before


def test_the_digest_is_of_all_that_these_packages_import():
    """fer_stats, which computes what a study maximises, was missing: a node could have another."""
    imported = set()
    for package in map(environment.folder, environment.OURS):
        for path in package.rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.ImportFrom) and not node.level:
                    imported.add((node.module or "").partition(".")[0])
                elif isinstance(node, ast.Import):
                    imported |= {alias.name.partition(".")[0] for alias in node.names}
    ours = {path.parent.name for path in Path(__file__).parents[1].glob("*/__init__.py")}
    assert imported & ours == set(environment.OURS) == set(own.EVERYWHERE)


def test_nodes_that_differ_are_refused_by_name(monkeypatch):
    monkeypatch.setattr(environment, "facts", lambda: HAS)
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


def test_a_node_that_may_not_use_the_bucket_is_refused_by_name(monkeypatch):
    answers = [("a", "1", True), ("b", "2", "OSError: AWS Error ACCESS_DENIED")]
    monkeypatch.setattr(nodes, "everywhere", lambda *ask: answers)
    with pytest.raises(Mistake, match=r"node b can't use s3://x/y/s \(OSError: AWS Error"):
        nodes.check_bucket(places.at("s3://x/y") / "s")

    def denied(place, data):
        raise OSError("AWS Error ACCESS_DENIED")

    monkeypatch.setattr(places, "write", denied)
    monkeypatch.setattr(places, "PATIENCE_SECONDS", 0.0)
    monkeypatch.setattr(environment.ray, "get_runtime_context", lambda: Mock())
    with pytest.raises(RuntimeError, match="no s3://x/y/s, which it may not use .*ACCESS_DENIED"):
        environment.verify(environment.facts(), places.at("s3://x/y") / "s")


def test_a_late_node_raises_before_its_first_trial(monkeypatch, tmp_path):
    (tmp_path / "study.json").write_text("{}")
    environment.verify(environment.facts(), tmp_path)
    with pytest.raises(RuntimeError, match=f"{environment.UNFIT} .* has torch"):
        environment.verify(environment.facts() | {"torch": "0.1"}, tmp_path)
    with pytest.raises(RuntimeError, match=f"{environment.UNFIT} .* has no .*elsewhere"):
        environment.verify(environment.facts(), tmp_path / "elsewhere")


def test_an_unfit_node_ends_the_study_and_no_trial():
    session = Session.__new__(Session)
    session.ending = None
    session.folder = Path("x")
    assert session.lost("RuntimeError: unfit node: b has torch 0.1 (the driver has 2.14.1)")
    assert (session.cause, session.reason) == (
        "node",
        "unfit node: b has torch 0.1 (the driver has 2.14.1)",
    )
    assert session.interrupted


OWN = {"num_cpus": 1, "include_dashboard": False, "object_store_memory": 80 * 2**20}


def started() -> Cluster:
    """A head; a busy machine may need more than the half minute that Ray gives it."""
    for left in (2, 1, 0):
        try:
            return Cluster(initialize_head=True, head_node_args=OWN)
        except Exception as error:
            if not left or "timed out during startup" not in str(error):
                raise


@pytest.fixture(scope="module")
def cluster():
    """A Ray of two nodes with a core each, joined: processes of this machine."""
    if ray.is_initialized():
        pytest.skip("this process has joined another Ray")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in ENVIRONMENT.items():
            patch.setenv(name, value)
        patch.setenv("RAY_AUTH_MODE", "disabled")
        # Its address is left in Ray's folder, where a study of whoever runs this would find it;
        # and the folder's name is short because Ray makes sockets in it.
        folder = tempfile.mkdtemp(prefix="fer", dir="/tmp")
        patch.setenv("RAY_TMPDIR", folder)
        found = started()
        try:
            found.add_node(**OWN)
            found.connect()
            yield found
        finally:
            ray.shutdown()
            found.shutdown()
            shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.nodes
@pytest.mark.ray
def test_every_node_of_a_real_cluster_answers(cluster, tmp_path):
    assert len(nodes.alive()) == 2
    assert nodes.check(tmp_path) == environment.facts()
    assert not list(tmp_path.iterdir())
    answers = nodes.everywhere(environment.facts)
    assert [facts for _, _, facts in answers] == [environment.facts()] * 2
    assert len({node_id for _, node_id, _ in answers}) == 2
    (_, _, said), *_ = nodes.everywhere(lambda: 1 / 0)
    assert said == "ZeroDivisionError: division by zero"


@pytest.mark.nodes
@pytest.mark.ray
def test_a_network_of_ones_own_is_on_every_node_without_its_file(cluster, tmp_path):
    """Its text travels, as a trial and the test images' answers are given it."""
    path = tmp_path / "nets.py"
    path.write_text(
        "from torch import nn\ndef Own(*, classes):\n    return nn.Linear(3, classes)\n"
    )
    record = dict(own.KNOWN[own.named(f"{path}:Own")])
    path.unlink()

    def made() -> tuple[int, str]:
        from fer_models import MODELS, own  # the node's, not this process's

        name = own.register(record)
        return MODELS[name](classes=5).out_features, own.KNOWN[name]["digest"]

    try:
        answers = nodes.everywhere(made)
    finally:
        del MODELS["Own"], own.KNOWN["Own"]
    assert [said for _, _, said in answers] == [(5, record["digest"])] * 2
    assert len({node_id for _, node_id, _ in answers}) == 2


@pytest.mark.nodes
@pytest.mark.ray
def test_a_trial_whose_node_is_removed_goes_on_elsewhere_and_uses_up_no_retry(
    cluster, tmp_path, capsys
):
    folder, over = tmp_path / "s", threading.Event()

    def remove() -> None:
        """The worker's node, from one moment to the next, when both nodes have done an epoch."""
        while len({e["trial_id"] for e in events(folder) if e["event"] == "epoch_done"}) < 2:
            if over.wait(0.05):
                return
        cluster.remove_node(cluster.worker_nodes.copy().pop(), allow_graceful=False)

    thread = threading.Thread(target=remove)
    thread.start()
    # Long enough for both trials to be at work still when the node goes, however late that is.
    words = (
        "--preset smoke --models alexnet --data faces:140 --batch-size 8 --trials 3 --epochs 24 "
        f"--scheduler none --stages search --device cpu --retries 0 --name s --out {tmp_path}"
    )
    try:
        code = main(words.split())
    finally:
        over.set()
        thread.join()
    assert code == 0
    told = events(folder)
    retried = [e for e in told if e["event"] == "trial_retried"]
    assert retried, "a trial was at work on the node"
    for lost in retried:
        assert lost["error"].startswith("its machine is gone, or can't be reached (The actor ")
    for name in {e["trial_id"] for e in retried}:
        done = [e["epoch"] for e in told if e["event"] == "epoch_done" and e["trial_id"] == name]
        assert sorted(set(done)) == list(range(1, 25)), "all of them, and it went on from its last"
        again = [this for last, this in zip(done, done[1:], strict=False) if this <= last]
        losses = sum(e["trial_id"] == name for e in retried)
        assert len(done) - 24 == len(again) <= losses, "but the one whose state was being written"
    tables = Tables.of(told)
    assert [row["status"] for row in tables.trials.values()] == ["completed"] * 3
    lost = retried[0]["trial_id"]
    since = told[told.index(retried[0]) :]
    went_on = next(k for k, e in enumerate(since) if e.get("trial_id") == lost and "epoch" in e)
    begun = [k for k, e in enumerate(since) if e["event"] == "trial_started"]
    assert not begun or went_on < begun[0], "it gets the core that is left"
    assert "[state-dump]" not in capsys.readouterr().out, "what Ray says of it is in ray.log"


def events(folder):
    path = folder / "events.jsonl"
    return [*read(path)] if path.exists() else []
