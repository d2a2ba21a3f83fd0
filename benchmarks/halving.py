"""Epochs that ASHA saves at equal final accuracy: stored full curves replayed in shuffled order.

Every trial of a study that ran without early stopping is judged again by study.search.asha's rule,
as if it had arrived in another order. What is lost is the best trial's accuracy on val that a
replay no longer finds; the rank correlation says how well a rung foretells the end.

    python -m study.run --scheduler none --sampler random --stages search --trials 40 ...
    python -m benchmarks.halving runs/NAME
"""

import argparse
from pathlib import Path
from statistics import median

import numpy as np
import pandas as pd
from scipy.stats import spearmanr

from benchmarks.measured import heading, say, spread
from study.search.asha import Halving

SETTINGS = [(1, 3), (1, 4), (2, 3), (1, 2), (3, 3)]  # grace epochs, reduction factor


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path, nargs="+", help="studies without early stopping")
    parser.add_argument("--replays", type=int, default=200)
    asked = parser.parse_args()
    for folder in asked.run:
        for model, curves in full_curves(folder).items():
            tell(f"{folder.name}, {model}", curves, asked.replays)


def full_curves(folder: Path) -> dict[str, np.ndarray]:
    """Network -> (trials, epochs) of val_accuracy, of the trials that came to their end."""
    trials = pd.read_parquet(folder / "trials.parquet")
    epochs = pd.read_parquet(folder / "epochs.parquet")
    whole = trials[(trials["stage"] == "search") & (trials["status"] == "completed")]
    found = {}
    for model, group in whole.groupby("hp_model", sort=False):
        own = epochs[epochs["trial_id"].isin(group["trial_id"])]
        found[model] = own.pivot(
            index="trial_id", columns="epoch", values="val_accuracy"
        ).to_numpy()
    return found


def tell(name: str, curves: np.ndarray, replays: int) -> None:
    trials, epochs = curves.shape
    print(f"\n{name}: {trials} trials of {epochs} epochs, {replays} orders\n")
    heading("grace", "factor", "epochs saved by", "lost, points", "lost nothing in",
            "rank correlation of each rung with the end")  # fmt: skip
    best = curves[:, -1].max()
    for grace, factor in SETTINGS:
        if grace >= epochs:
            continue
        outcomes = [
            replay(curves[np.random.default_rng(seed).permutation(trials)], grace, factor)
            for seed in range(replays)
        ]
        saved = [trials * epochs / run for run, _ in outcomes]
        lost = [100 * (best - top) for _, top in outcomes]
        same = sum(value == 0 for value in lost) / replays
        ranks = ", ".join(
            f"{rung}: {spearmanr(curves[:, rung - 1], curves[:, -1]).statistic:.2f}"
            for rung in Halving(epochs, grace, factor).rungs
        )
        say(grace, factor, spread(saved), f"{median(lost):.2f} (at most {max(lost):.2f})",
            f"{same:.0%}", ranks)  # fmt: skip


def replay(curves: np.ndarray, grace: int, factor: int) -> tuple[int, float]:
    """Epochs run, one trial after another, and the best last accuracy of those that ended."""
    epochs = curves.shape[1]
    halving, run, top = Halving(epochs, grace, factor), 0, 0.0
    for number, curve in enumerate(curves):
        for epoch, value in enumerate(curve, 1):
            judged = halving.judge(str(number), epoch, float(value))
            run += 1
            if judged is not None and judged.decision == "stop":
                break
        else:
            top = max(top, float(curve[-1]))
    return run, top


if __name__ == "__main__":
    main()
