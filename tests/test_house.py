"""The house: arrows point one way."""

import ast
import re
import shutil
import subprocess
import sys
import zipfile
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from study.config.study import PRESETS

ROOT = Path(__file__).parents[1]
# A folder, and all that its files may import: of ours and of others'; the standard library always.
ROOMS = {
    "fer_models": "torch timm",
    "fer_data": "fer_data/readers numpy PIL",
    "fer_data/readers": "fer_data numpy pyarrow",
    "fer_record": "fer_data",
    "fer_stats": "numpy scipy",
    "study": "fer_data",
    "study/config": "study fer_data fer_models fer_stats numpy",
    "study/storage": "study study/config pyarrow",
    "study/data": "study study/storage fer_data numpy pandas kagglehub",
    "study/record": "study fer_record fer_stats study/config study/storage pyarrow",
    "study/training": "study study/config study/storage fer_models fer_stats numpy torch",
    "study/search": "study fer_record study/config study/record numpy optuna",
    "study/cluster": "study study/config study/storage ray torch yaml",
    "study/worker": "study fer_data fer_models study/config study/storage study/training"
    " study/cluster numpy torch ray",
    "study/driver": "study fer_data fer_record fer_stats study/config study/storage study/data"
    " study/record study/training study/search study/cluster study/worker fer_models numpy pandas"
    " pyarrow ray rich torch",
    "study/run.py": "study study/config study/storage study/cluster study/driver",
    "study/model": "study fer_data fer_models fer_record fer_stats study/config study/data"
    " study/record study/storage study/training numpy pyarrow torch onnx onnxruntime safetensors"
    " PIL cv2",
    "study/export.py": "study study/storage study/model",
    "study/predict.py": "study study/storage study/model",
    "study/status.py": "study fer_stats study/record study/storage",
    "study/evaluate.py": "fer_data study/storage study/model",
    "results": "fer_data fer_stats pandas",
    "results/artefacts": "results fer_data fer_record fer_stats numpy pandas",
    "results/facts": "results fer_data fer_models fer_record fer_stats results/artefacts numpy"
    " pandas pyarrow optuna scipy sklearn",
    "results/figures": "results results/facts numpy pandas plotly choreographer",
    "results/report": "results fer_stats results/artefacts results/facts results/figures"
    " results/report/sections numpy pandas plotly",
    "results/report/sections": "results fer_stats results/artefacts results/facts results/figures"
    " results/report numpy pandas PIL",
    "results/explorer": "results results/artefacts results/facts results/figures results/report"
    " fer_data numpy pandas PIL dash flask werkzeug",
    "results/datasets.py": "results fer_data results/figures numpy pandas PIL",
    "results/publish.py": "results results/artefacts numpy pyarrow",
    "results/documents": "results results/artefacts results/facts results/figures results/report"
    " results/publish.py pandas plotly",
    "results/readme.py": "results results/artefacts results/documents results/figures"
    " results/publish.py plotly",
    "results/__main__.py": "results results/artefacts results/report",
}
PACKAGES = ("fer_data", "fer_models", "fer_record", "fer_stats", "study", "results")
FILES = sorted(
    path.relative_to(ROOT).as_posix()
    for package in PACKAGES
    for path in (ROOT / package).rglob("*.py")
)


def room(file: str) -> str:
    """The room of a file of ours: a line of ROOMS, its folder's or its own."""
    return file if file in ROOMS else file.rpartition("/")[0]


def imports(file: str) -> set[str]:
    """What a file imports, at the top or inside: files of ours, and the names of others' packages.

    Of `from study.driver import confirm` it is the module, of `from study import Mistake` the
    package's own file.
    """
    found = set()
    for node in ast.walk(ast.parse((ROOT / file).read_text())):
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{file} imports by dots"
            modules = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for module in modules:
            whole, package = module.replace(".", "/"), module.rpartition(".")[0].replace(".", "/")
            ours = [
                whole + ".py",
                whole + "/__init__.py",
                package + ".py",
                package + "/__init__.py",
            ]
            found.add(next((file for file in ours if file in FILES), module.split(".")[0]))
    return found - {name for name in found if name in sys.stdlib_module_names}


@pytest.mark.parametrize("file", FILES)
def test_a_room_imports_only_what_its_line_says(file):
    allowed = {room(file), *ROOMS[room(file)].split()}
    assert {room(name) if name in FILES else name for name in imports(file)} <= allowed


def test_no_line_of_the_rooms_says_more_than_is_so():
    for name, line in ROOMS.items():
        taken = set().union(*(imports(file) for file in FILES if room(file) == name))
        assert set(line.split()) <= {room(one) if one in FILES else one for one in taken}, name


def test_no_files_import_each_other_in_a_circle():
    TopologicalSorter({file: imports(file) for file in FILES}).prepare()


def test_resnet_has_never_heard_of_cbam():
    assert "cbam" not in (ROOT / "fer_models" / "resnet.py").read_text().lower()


def test_no_file_of_ours_reads_a_pickle():
    """And none runs what it reads. What hostile files do is tried in test_training_checkpoint,
    test_data_datasets, test_fer_data_sources, test_record_tables and test_study_run."""
    trusting = r"pickle\.loads?\(|read_pickle|allow_pickle=True|weights_only=False|yaml\.load\("
    trusting += r"|(?<![\w.])(eval|exec)\(|extractall\(|unpack_archive\("
    for folder in (*PACKAGES, "benchmarks"):
        for path in (ROOT / folder).rglob("*.py"):
            assert not re.search(trusting, path.read_text()), path


def test_the_presets_are_the_files():
    assert {path.stem for path in (ROOT / "study" / "presets").glob("*.toml")} == set(PRESETS)


def private_names(file: str) -> set[str]:
    """Names that begin with an underscore and are others', but for those that are documented."""
    found = set()
    for node in ast.walk(ast.parse((ROOT / file).read_text())):
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) not in ("self", "cls"):
            found.add(node.attr)
        elif isinstance(node, ast.ImportFrom | ast.Import):
            names = " ".join(alias.name for alias in node.names)
            found |= set(re.split(r"[. ]", f"{getattr(node, 'module', '')} {names}"))
        elif isinstance(node, ast.keyword) and node.arg:
            found.add(node.arg)
    ours = set(re.findall(r"(?:def |self\.)(_\w+)", (ROOT / file).read_text()))
    return {name for name in found - ours if re.match(r"_[a-z]", name)} - {"_exit", "_replace"}


def test_every_private_name_of_others_is_told_with_the_test_that_notices():
    lines = (ROOT / "pyproject.toml").read_text().split("# Names that others call private")[1]
    told = "".join(line for line in lines.splitlines(keepends=True) if line.startswith("#  "))
    for file in FILES:
        for name in private_names(file):
            assert re.search(rf"\b{name}\b", told) and file in told, f"{file} uses {name}"
    for test in re.findall(r"\btest_\w+", told):
        assert (ROOT / "tests" / f"{test}.py").exists()
    for file in re.findall(r"\w+/\S+\.py", told):
        assert private_names(file), f"{file} uses no private name"


def test_a_wheel_holds_every_file_of_the_packages(tmp_path):
    """Presets, style sheets, the page's scripts: without them an installed copy can't run."""
    source = tmp_path / "source"
    for package in PACKAGES:
        shutil.copytree(ROOT / package, source / package, ignore=shutil.ignore_patterns("*.pyc"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source / name)
    command = [sys.executable, "-m", "pip", "wheel", ".", "--no-deps", "--no-build-isolation"]
    subprocess.run([*command, "-q", "-w", tmp_path], cwd=source, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
    wanted = {
        path.relative_to(ROOT).as_posix()
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and "published" not in path.parts
    }
    assert held == wanted
