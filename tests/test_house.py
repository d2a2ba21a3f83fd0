"""The house: arrows point one way."""

import ast
import re
from pathlib import Path

import pytest

from study.config import PRESETS

ROOT = Path(__file__).parents[1]
# Each room of the results, and the rooms that it may import.
RESULTS = {
    "artefacts": (),
    "facts": ("artefacts",),
    "figures": ("facts",),
    "report": ("artefacts", "facts", "figures"),
    "explorer": ("artefacts", "facts", "figures", "report"),
}
# What runs in a worker, a notebook or on a GPU machine without Ray.
WITHOUT_RAY = ("train", "network", "learning_rate", "execution", "augment", "checkpoint",
               "hyperparameters", "data", "sources", "faces", "attention", "storage")  # fmt: skip
DRIVER = ("run", "prepare", "stages", "session", "disk", "mirror", "handover", "drive", "recorder",
          "watch", "search", "schedule", "cluster", "provenance", "nodes", "confirm", "display",
          "share", "summary", "flags", "record", "journal", "config")  # fmt: skip


def imports(path: Path) -> set[str]:
    """Every module that a file imports, at the top or inside, with the names taken from ours."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def roots(path: Path) -> set[str]:
    return {name.split(".")[0] for name in imports(path)}


@pytest.mark.parametrize("path", sorted((ROOT / "fer_models").glob("*.py")), ids=lambda p: p.name)
def test_the_networks_import_nothing_of_ours(path):
    assert not roots(path) & {"study", "results", "ray", "optuna"}


@pytest.mark.parametrize("path", sorted((ROOT / "study").glob("*.py")), ids=lambda p: p.name)
def test_the_study_never_imports_the_results(path):
    assert "results" not in roots(path)


@pytest.mark.parametrize("path", sorted((ROOT / "results").rglob("*.py")), ids=lambda p: p.name)
def test_the_results_need_the_artefact_folder_alone(path):
    barred = {"study", "fer_models", "torch", "torchvision", "ray"}
    if path.name != "importance.py":  # Optuna's evaluators; optuna itself brings neither of them
        barred.add("optuna")
    assert not roots(path) & barred


@pytest.mark.parametrize("room", RESULTS)
def test_a_room_of_the_results_imports_only_the_rooms_it_may(room):
    allowed = {room, *RESULTS[room], "words", "Mistake", "fail"}
    for path in (ROOT / "results" / room).rglob("*.py"):
        ours = [name.split(".") for name in imports(path) if name.startswith("results.")]
        assert {name[1] for name in ours} <= allowed, path


def test_every_folder_of_the_results_is_a_room():
    folders = {path.parent.name for path in (ROOT / "results").glob("*/__init__.py")}
    assert folders == set(RESULTS)


@pytest.mark.parametrize("name", WITHOUT_RAY)
def test_training_needs_neither_ray_nor_optuna(name):
    assert not roots(ROOT / "study" / f"{name}.py") & {"ray", "optuna", "rich"}


@pytest.mark.parametrize("name", [*WITHOUT_RAY, "trial", "installed"])
def test_what_a_worker_runs_does_not_import_the_driver(name):
    taken = imports(ROOT / "study" / f"{name}.py")
    assert not taken & {f"study.{module}" for module in DRIVER}


def test_every_module_is_on_one_side_or_is_the_worker():
    modules = {path.stem for path in (ROOT / "study").glob("*.py")} - {"__init__"}
    assert modules == {*WITHOUT_RAY, *DRIVER, "trial", "installed"}


def test_resnet_has_never_heard_of_cbam():
    assert "cbam" not in (ROOT / "fer_models" / "resnet.py").read_text().lower()


def test_no_file_of_ours_reads_a_pickle():
    """And none runs what it reads. What hostile files do is tried in test_checkpoint, test_data,
    test_sources, test_record and test_run."""
    trusting = r"pickle\.loads?\(|read_pickle|allow_pickle=True|weights_only=False|yaml\.load\("
    trusting += r"|(?<![\w.])(eval|exec)\(|extractall\(|unpack_archive\("
    for folder in ("study", "fer_models", "results", "benchmarks"):
        for path in (ROOT / folder).rglob("*.py"):
            assert not re.search(trusting, path.read_text()), path


def test_the_presets_are_the_files():
    assert {path.stem for path in (ROOT / "study" / "presets").glob("*.toml")} == set(PRESETS)
