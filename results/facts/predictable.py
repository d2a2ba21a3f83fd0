"""Whether a search's outcome can be predicted from its hyperparameters, for a network at one epoch.

Kernel ridge regression of the values' ranks on the places in the space, each trial predicted from
all others (leave one out, in closed form), in numpy: pages are written without scikit-learn.
"""

import numpy as np
import pandas as pd

from results.artefacts.load import Findings
from results.facts import forest, importance

FEWEST = 10  # trials below which nothing can be said
SHUFFLES = 200
REACHES = (0.3, 0.6, 1.2)  # of the kernel, in widths of the space
RIDGES = (0.1, 0.5)


def predictability(findings: Findings, trials: pd.DataFrame) -> pd.DataFrame:
    """A row per network: `r2`, the share of the ranks' variance that is predicted, cross-validated
    (below 0: worse than the mean), and `p`, how often as much is of shuffled values. Both are NaN
    with fewer than FEWEST trials at the epoch that all reached, without two `distinct` values among
    them, and where nothing was searched. `trials` are search.searched's.
    """
    rows = []
    for model, group in trials[trials["ran"]].groupby("model", sort=False):
        domains = importance.searched_domains(findings, str(model))
        epoch = int(group["last_epoch"].min())
        values, points = importance.at_epoch(findings, group, domains, epoch)
        r2, p = np.nan, np.nan
        distinct = len(np.unique(values))
        if len(values) >= FEWEST and domains and distinct > 1:
            most = importance.MANY  # of more, the first
            axes = {name: axis for name, (_, axis) in domains.items()}
            x, bounds, _ = forest.encoded(points[:most], axes)
            widths = np.maximum(bounds[:, 1] - bounds[:, 0], 1e-12)
            r2, p = cross_validated((x - bounds[:, 0]) / widths, values[:most])
        counts = {"trials": len(values), "distinct": distinct}
        rows.append({"model": model, "epoch": epoch, **counts, "r2": r2, "p": p})
    return pd.DataFrame(rows, columns=["model", "epoch", "trials", "distinct", "r2", "p"])


def cross_validated(x: np.ndarray, values: np.ndarray) -> tuple[float, float]:
    """(N, D) places and (N,) values -> cross-validated r2, and its p by shuffling the values."""
    rng = np.random.default_rng(0)
    rank = pd.Series(values).rank().to_numpy()
    every = np.column_stack([rank, *(rng.permutation(rank) for _ in range(SHUFFLES))])
    every = every - every.mean(0)
    apart = ((x[:, None] - x[None]) ** 2).sum(2) / x.shape[1]
    wrong = [
        errors(np.exp(-apart / (2 * reach**2)), ridge, every)
        for reach in REACHES
        for ridge in RIDGES
    ]
    r2 = 1 - np.min(wrong, 0) / every.var(0)  # the shuffled may choose their kernel too
    return float(r2[0]), float((1 + (r2[1:] >= r2[0]).sum()) / (SHUFFLES + 1))


def errors(kernel: np.ndarray, ridge: float, values: np.ndarray) -> np.ndarray:
    """Mean squared errors (columns) when each row is predicted from all others."""
    inverse = np.linalg.inv(kernel + ridge * np.eye(len(kernel)))
    return ((inverse @ values / np.diag(inverse)[:, None]) ** 2).mean(0)
