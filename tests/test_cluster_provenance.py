"""What study.json says of machine, versions and code."""

import subprocess
from pathlib import Path

import torch

from study.cluster import environment, provenance


def test_versions_are_those_of_this_environment():
    assert provenance.versions()["torch"] == torch.__version__.split("+")[0]
    assert provenance.versions()["python"].startswith("3.")


def test_the_revision_is_gits_where_there_is_a_checkout_and_the_digest_everywhere():
    found = provenance.revision()
    assert found["code"] == environment.digest()
    asked = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=Path(__file__).parent, capture_output=True, text=True
    )
    assert found["commit"] == (asked.stdout.strip() if asked.returncode == 0 else None)
    assert found["dirty"] in ((True, False) if found["commit"] else (None,))


def test_the_processor_has_a_name():
    assert provenance.processor()
