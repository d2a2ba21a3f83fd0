"""What study.json says of machine, versions and code."""

import os
import subprocess
from pathlib import Path

import pytest
import torch

from study.cluster import environment, provenance

ROOT = Path(__file__).parents[1]


def test_versions_are_those_of_this_environment():
    assert provenance.versions()["torch"] == torch.__version__.split("+")[0]
    assert provenance.versions()["python"].startswith("3.")


def git(folder: Path, *words: str) -> str:
    who = ["-c", "user.name=a", "-c", "user.email=a@b.c"]
    return subprocess.run(
        ["git", *who, *words], cwd=folder, capture_output=True, text=True, check=True
    ).stdout.strip()


def project(folder: Path) -> Path:
    """The project's packages, without a repository."""
    for name in environment.OURS:
        (folder / name).mkdir(parents=True)
        (folder / name / "__init__.py").write_text("")
    return folder


def repository(folder: Path, *files: str) -> str:
    """Make a repository of a folder, with these files of it; its commit."""
    git(folder, "init", "-q")
    if files:
        git(folder, "add", *files)
    git(folder, "commit", "-q", "--allow-empty", "-m", "one")
    return git(folder, "rev-parse", "HEAD")


NONE = {"commit": None, "dirty": None}


def test_the_revision_is_of_the_projects_own_checkout_and_the_digest_is_there_everywhere():
    found = provenance.revision()
    assert found == provenance.commit(ROOT) | {"code": environment.digest()}
    assert (found["commit"] is None) is not (ROOT / ".git").exists()


def test_a_checkout_has_its_commit_and_is_changed_by_a_file_of_it_or_one_more_module(tmp_path):
    root = project(tmp_path / "fer")
    (root / ".gitignore").write_text("*.pyc\nruns\n")
    commit = repository(root, ".")
    (root / "study" / "x.pyc").write_text("")
    (root / "notes.txt").write_text("beside the packages")
    assert provenance.commit(root) == {"commit": commit, "dirty": False}
    (root / "study" / "more.py").write_text("")
    assert provenance.commit(root) == {"commit": commit, "dirty": True}
    (root / "study" / "more.py").unlink()
    (root / "fer_data" / "__init__.py").write_text("changed = True")
    assert provenance.commit(root) == {"commit": commit, "dirty": True}
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "-q", str(root), str(clone))
    assert provenance.commit(clone) == {"commit": commit, "dirty": False}
    (tmp_path / "link").symlink_to(clone)
    assert provenance.commit(tmp_path / "link")["commit"] == commit
    git(clone, "worktree", "add", "-q", str(tmp_path / "tree"))
    assert provenance.commit(tmp_path / "tree")["commit"] == commit


@pytest.mark.parametrize("place", ["third_party/fer", ".venv/lib/python3.11/site-packages", "."])
@pytest.mark.parametrize("tracked", [False, True])
def test_a_repository_that_merely_contains_the_project_says_nothing_of_it(tmp_path, place, tracked):
    """Unpacked in somebody's thesis, installed in its environment, or laid into its root."""
    root = project(tmp_path / place)
    commit = repository(tmp_path, *(["."] if tracked else []))
    known = place == "." and tracked  # then it is a checkout of the project, by whomever
    assert provenance.commit(root) == ({"commit": commit, "dirty": False} if known else NONE)


def test_where_there_is_no_repository_and_no_git_there_is_no_commit(tmp_path, monkeypatch):
    root = project(tmp_path)
    assert provenance.commit(root) == NONE
    repository(root, ".")
    monkeypatch.setenv("PATH", "")
    assert provenance.commit(root) == NONE


def test_a_hook_of_another_repository_does_not_lend_its_commit(tmp_path, monkeypatch):
    """Git sets GIT_DIR and more for what its hooks and `rebase --exec` run."""
    (tmp_path / "thesis").mkdir()
    other, root = repository(tmp_path / "thesis"), project(tmp_path / "fer")
    commit = repository(root, ".")
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "thesis" / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(root))
    found = provenance.commit(root)
    assert found == {"commit": commit, "dirty": False} and found["commit"] != other


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to another user")
def test_a_checkout_of_another_user_has_its_commit(tmp_path, monkeypatch):
    """Git itself refuses it as of dubious ownership."""
    root = project(tmp_path / "fer")
    commit = repository(root, ".")
    for path in [root, *root.rglob("*")]:
        os.chown(path, 4711, 4711)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert provenance.commit(root) == {"commit": commit, "dirty": False}


def test_the_processor_has_a_name():
    assert provenance.processor()
