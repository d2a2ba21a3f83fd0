"""The page's scripts in node: what they compute is what Python computes, and their own tests."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from test_results_load import whole

from fer_stats.share import wilson
from results.artefacts.load import load
from results.explorer.payload import payload
from results.facts import search, status
from results.facts import statistics as st
from results.words import large, listed, whole_or_tenth

__all__ = ["whole"]
PAGE = Path(__file__).parent / "page"
needs_node = pytest.mark.skipif(not shutil.which("node"), reason="there is no node")


def plain(value):
    """As JSON has it: lists, and null for what is no number."""
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple, np.ndarray)):
        return [plain(one) for one in value]
    if isinstance(value, (float, np.floating)):
        return float(value) if np.isfinite(value) else None
    return value.item() if isinstance(value, np.generic) else value


def statistics_cases():
    rng = np.random.default_rng(3)
    ties, values = rng.integers(0, 9, 40).astype(float), rng.normal(size=40)
    words = rng.choice(["a", "b", "c"], 40)
    yield "spearman", [ties, values], st.spearman(ties, values)
    yield "spearman", [ties, ties[::-1]], st.spearman(ties, ties[::-1])
    yield "spearman", [ties[:3], values[:3]], np.nan
    yield "spearman", [np.ones(5), values[:5]], np.nan
    yield "eta_squared", [words, values], search.eta_squared(pd.Series(words), pd.Series(values))
    yield "eta_squared", [words, np.ones(40)], np.nan
    yield "expected_best", [values], st.expected_best(values)
    yield "expected_best", [ties], st.expected_best(ties)
    yield "expected_best", [[0.5]], st.expected_best(np.array([0.5]))
    for flat in ([0.25] * 5 + [0.4], [0.1, 0.2, 0.3, 0.3, 0.3, 0.4], values, [0.5], []):
        yield "on_plateau", [flat], st.on_plateau(np.array(flat))
    for hits, images in ((7, 20), (0, 20), (20, 20), (2.5, 7), (0, 0)):
        yield "wilson", [hits, images], wilson(hits, images)


def word_cases():
    for seconds in (0, 12, 59.6, 200, 3600, 3900, 86_400, 3_600_000):
        yield "duration", [seconds], status.duration(seconds)
    for words in ([], ["a"], ["a", "b"], ["a", "b", "c"]):
        yield "listed", [words], listed(words)
    for count in (0, 0.25, 0.35, 2.75, 9.5, 9.97, 12.5, 13.5, 491, 1234.5):
        yield "whole_or_tenth", [count], whole_or_tenth(count)
    for value in (12_345, 999_499, 999_700, 73_461_000, 999_700_000, 1.2e18):
        yield "large", [value], large(value)
    for share in (0.3125, 0.1875, 0.5625, 0.125, 0.375, 0.005, 0.0, 1.0, 0.5005, 0.62345):
        yield "percent", [share], f"{100 * share:.1f} %"
        yield "percent", [share, 0], f"{100 * share:.0f} %"


def study_cases(folder):
    one = load(folder)
    sent = payload([one])
    yield "decoded", [sent], [decoded(one, row) for _, row in one.trials.iterrows()]


def decoded(one, trial):
    epochs = one.epochs[one.epochs["trial_id"] == trial["trial_id"]].sort_values("epoch")
    names = [
        name for name in one.trials if name.startswith("hp_") and one.trials[name].notna().any()
    ]
    names = [name for name in names if name not in ("hp_model", "hp_epochs")]
    return {
        "name": trial["trial_id"],
        "model": trial["hp_model"],
        "status": trial["status"],
        "epochs": epochs["epoch"].tolist(),
        "val_accuracy": epochs["val_accuracy"].tolist(),
        "last": epochs["epoch"].max() if len(epochs) else 0,
        "seconds": epochs["epoch_seconds"].sum(),
        "hyperparameters": {name[3:]: trial[name] for name in names},
    }


@needs_node
def test_the_pages_arithmetic_is_that_of_the_results(whole, tmp_path):
    cases = [*statistics_cases(), *word_cases(), *study_cases(whole)]
    keys = ("name", "given", "expected")
    path = tmp_path / "cases.json"
    path.write_text(json.dumps([dict(zip(keys, plain(case), strict=True)) for case in cases]))
    assert f"pass {len(cases)}" in ran("twins.test.js", CASES=str(path))


@needs_node
def test_the_pages_own_tests_pass():
    for name in ("selection.test.js", "figures.test.js", "live.test.js"):
        ran(name)


def ran(name, **variables):
    command = ["node", "--test", "--test-reporter=tap", str(PAGE / name)]
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | variables)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
