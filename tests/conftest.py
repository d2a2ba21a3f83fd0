"""Fixtures of several test files, and the order in which the files are run."""

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from fer_models import MODELS

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome") or ""
needs_chromium = pytest.mark.skipif(
    not CHROMIUM, reason="no Chromium here: the pages were not driven in a browser"
)


# A Ray of several nodes can't be joined from a process that has joined another, so its tests come
# first; then the longest.
FIRST = [
    "test_cluster_nodes",
    "test_study_run",
    "test_study_disturbed",
    "test_explorer_page",
    "test_results_report",
]


def pytest_xdist_auto_num_workers() -> int:
    """One process more than there are cores: a test that starts Ray mostly waits for it."""
    return (os.cpu_count() or 1) + 1


def pytest_configure(config: pytest.Config) -> None:
    config.option.loadscopereorder = False  # xdist's own order: the file with the most tests first
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # under nohup it would stay ignored in each driver


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files early, so that none is left when all others are done."""
    items.sort(key=lambda item: [*FIRST, item.path.stem].index(item.path.stem))


class Tiny(nn.Sequential):
    """A network with all that a state must hold: weights, norms with running means, dropout."""

    def __init__(self, *, classes: int, dropout: float, batch_norm: bool) -> None:
        super().__init__(
            nn.Conv2d(1, 4, 3, stride=4),
            nn.BatchNorm2d(4),
            nn.Flatten(),
            nn.Dropout(dropout),
            nn.Linear(4 * 8 * 8, classes),
        )


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the place of the AlexNet-like network."""
    monkeypatch.setitem(MODELS, "alexnet", Tiny)


@pytest.fixture(autouse=True, scope="session")
def one_thread() -> None:
    """The same sums in the same order on every machine, and no fight over its cores."""
    torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def one_start() -> None:
    """A test's random weights and images are its own, whatever its process ran before it."""
    torch.manual_seed(0)


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No test reads or fills the cache of whoever runs it."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("FER_STUDY_CACHE", str(folder))
    return folder


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def fer_file(tmp_path: Path) -> Path:
    """A table like FER-2013's, of noise: per emotion 6 images to train, 2 to val, 2 to test."""
    generator = np.random.default_rng(0)
    lines = ["emotion,pixels,Usage"]
    for usage, copies in {"Training": 6, "PublicTest": 2, "PrivateTest": 2}.items():
        for emotion in list(range(7)) * copies:
            pixels = " ".join(map(str, generator.integers(0, 256, 48 * 48)))
            lines.append(f"{emotion},{pixels},{usage}")
    path = tmp_path / "fer2013.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture(scope="session")
def ray_two_cpus() -> Iterator[None]:
    """One Ray for all tests that run a study in this process."""
    import ray  # here, since most tests need neither

    from study.cluster import connection

    with pytest.MonkeyPatch.context() as patch:
        for name, value in connection.ENVIRONMENT.items():
            patch.setenv(name, value)
        patch.setenv("RAY_AUTH_TOKEN", "0" * 64)
        connection.start_here(2)
        yield
        ray.shutdown()
