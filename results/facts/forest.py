"""fANOVA of a forest (Hutter, Hoos and Leyton-Brown 2014), as Optuna computes it, on arrays.

Optuna 5.0 walks its trees node by node in Python, 3.3 s of a 32-tree forest of 300 trials; here all
leaves are boxes in one array. The figures are Optuna's own to rounding, which a test holds.
"""

from typing import Any, NamedTuple

import numpy as np
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

MAX_DEPTH = 64  # Optuna's
Distribution = FloatDistribution | IntDistribution | CategoricalDistribution
CELLS = np.array([0.25, 0.75])  # of a one-hot column, whose only split is at .5


class Leaves(NamedTuple):
    """The leaves of all trees: whose, their boxes (L, D), sizes in shares of the space, values."""

    tree: np.ndarray
    low: np.ndarray
    high: np.ndarray
    size: np.ndarray
    value: np.ndarray  # less its tree's mean over the space


def encoded(
    points: list[dict[str, Any]], axes: dict[str, Distribution]
) -> tuple[np.ndarray, np.ndarray, dict[str, list[int]]]:
    """(N, D) places, (D, 2) bounds, and each name's columns: one, or one for each category."""
    columns: list[np.ndarray] = []
    bounds: list[tuple[float, float]] = []
    places: dict[str, list[int]] = {}
    for name in sorted(axes):  # Optuna's order: it decides between splits that are equally good
        axis = axes[name]
        values = [point[name] for point in points]
        if isinstance(axis, CategoricalDistribution):
            own = [np.array([value == choice for value in values]) for choice in axis.choices]
            ends = [(0.0, 1.0)] * len(own)
        else:
            own, ends = [np.array(values)], [(float(axis.low), float(axis.high))]
        places[name] = list(range(len(columns), len(columns) + len(own)))
        columns += own
        bounds += ends
    return np.column_stack(columns).astype(float), np.array(bounds), places


def fanova(
    x: np.ndarray,
    y: np.ndarray,
    bounds: np.ndarray,
    places: dict[str, list[int]],
    trees: int,
    seed: int,
) -> dict[str, float]:
    """The share of a forest's variance over the space that each name explains alone, mean over the
    trees that have any.

    x, y, bounds, places: as `encoded` makes them, with (N,) accuracies.
    """
    from sklearn.ensemble import RandomForestRegressor  # two seconds that most studies don't need

    forest = RandomForestRegressor(trees, max_depth=MAX_DEPTH, random_state=seed).fit(x, y)
    leaves = leaves_of([each.tree_ for each in forest.estimators_], bounds)
    whole = per_tree(leaves.tree, trees, leaves.size * leaves.value**2)
    varied = whole > 0
    found = {}
    for name, own in places.items():
        alone = by_number if len(own) == 1 else by_category
        parts = alone(leaves, own, bounds, trees)
        found[name] = float(np.mean(np.clip(parts[varied], 0, None) / whole[varied]))
    return found


def leaves_of(trees: list[Any], bounds: np.ndarray) -> Leaves:
    """The boxes of the leaves, level by level in all trees at once."""
    sizes = np.array([tree.node_count for tree in trees])
    first = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    of = np.repeat(np.arange(len(trees)), sizes)
    feature, threshold, left, right, value = (
        np.concatenate([getattr(tree, name).reshape(tree.node_count) for tree in trees])
        for name in ("feature", "threshold", "children_left", "children_right", "value")
    )
    low, high = (np.tile(bounds[:, end], (len(of), 1)) for end in (0, 1))
    level = first
    while len(level := level[feature[level] >= 0]):
        below, above = (first[of[level]] + children[level] for children in (left, right))
        for child in (below, above):
            low[child], high[child] = low[level], high[level]
        high[below, feature[level]] = low[above, feature[level]] = threshold[level]
        level = np.concatenate([below, above])
    ends = feature < 0
    size = np.prod((high[ends] - low[ends]) / (bounds[:, 1] - bounds[:, 0]), axis=1)
    tree = of[ends]
    mean = per_tree(tree, len(trees), size * value[ends])
    return Leaves(tree, low[ends], high[ends], size, value[ends] - mean[tree])


def per_tree(tree: np.ndarray, trees: int, values: np.ndarray) -> np.ndarray:
    return np.bincount(tree, values, trees)


def by_number(leaves: Leaves, own: list[int], bounds: np.ndarray, trees: int) -> np.ndarray:
    """Each tree's variance along one column: its mean over the others is a step function."""
    (d,) = own
    low, high = leaves.low[:, d], leaves.high[:, d]
    width = bounds[d, 1] - bounds[d, 0]
    heights = leaves.value * leaves.size * width / (high - low)
    tree, at = np.tile(leaves.tree, 2), np.concatenate([low, high])
    order = np.lexsort((at, tree))
    tree, at = tree[order], at[order]
    means = np.cumsum(np.concatenate([heights, -heights])[order])[:-1]
    steps = np.where(tree[1:] == tree[:-1], np.diff(at) / width, 0)
    return per_tree(tree[1:], trees, steps * means**2)


def by_category(leaves: Leaves, own: list[int], _bounds: np.ndarray, trees: int) -> np.ndarray:
    """Each tree's variance over the halves of one-hot columns, all of their combinations."""
    low, high = leaves.low[:, own], leaves.high[:, own]
    heights = leaves.value * leaves.size / np.prod(high - low, axis=1)
    found = np.zeros(trees)
    for cell in np.stack(np.meshgrid(*[CELLS] * len(own)), -1).reshape(-1, len(own)):
        inside = ((low < cell) & (cell < high)).all(axis=1)
        found += per_tree(leaves.tree, trees, heights * inside) ** 2
    return found / len(CELLS) ** len(own)
