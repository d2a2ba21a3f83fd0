"""The findings keep their form; each is run by hand, never here (findings/README.md)."""

import os
import re
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[1] / "findings"
SCRIPTS = sorted(FOLDER.glob("*.sh"))
PARTS = ("Guess", "Seen", "Since", "Source", "Bitten")
ROW = re.compile(
    r"^\| \[([\w-]+)\]\(([\w-]+\.sh)\) \| ([^|]+) \| [^|]+\. \| [^|]+ \|$", re.MULTILINE
)


def header(text: str) -> str:
    return text.split("\nset -euo pipefail\n")[0]


def pins(text: str) -> set[str]:
    """What a script installs, as name==version."""
    installed = re.findall(r"install --quiet (?:--no-compile )?(.+)", text)
    return {package for line in installed for package in line.replace('"', "").split()}


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_a_finding_says_what_where_and_whom_and_fails_when_that_changes(path: Path):
    text = path.read_text()
    assert os.access(path, os.X_OK) and text.startswith("#!/usr/bin/env bash\n# ")
    assert [part for part in PARTS if f"\n# {part}" not in header(text)] == []
    assert "work=$(mktemp -d)\ntrap 'rm -rf \"$work\"' EXIT\n" in text
    assert pins(text) and all("==" in package for package in pins(text))
    assert "assert " in text


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_a_finding_runs_without_the_product(path: Path):
    assert not re.search(r"(?:import|from|-m) (?:study|results|fer_models)\b", path.read_text())


def test_the_index_has_every_finding_with_the_versions_that_it_installs():
    rows = {file: packages for _, file, packages in ROW.findall((FOLDER / "README.md").read_text())}
    assert sorted(rows) == [path.name for path in SCRIPTS]
    for path in SCRIPTS:
        listed = {package.strip().replace(" ", "==") for package in rows[path.name].split(",")}
        assert listed <= pins(path.read_text()), path.name
