"""What early stopping saves and loses: stored full curves replayed in shuffled orders.

Every trial of a study that ran without early stopping is judged again by a rule, as if it had
arrived in another order: ASHA by study.search.asha's own code, others by a few lines here. What is
lost is the best trial's accuracy on val that a replay no longer finds; the rank correlation says
how well an epoch predicts the end. With --simulated the same for trials that nobody trained (what
`Landscape` makes of the stored ones), and for TPE, begun early and late, with ASHA.

    python -m study.run --scheduler none --sampler random --stages search --trials 40 ...
    python -m benchmarks.halving runs/NAME
    python -m benchmarks.halving runs/NAME --simulated 100
"""

import argparse
import json
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import optuna
import pandas as pd
from optuna.distributions import BaseDistribution, CategoricalDistribution
from scipy.stats import spearmanr

from benchmarks.measured import heading, say, spread
from study.config.study import Study, from_dict
from study.search import earlier
from study.search.asha import Halving

NEAR = 0.005  # of the best: half a point, which comparisons call equal
FEW = 3  # trials of which a median says something
Ends = list[tuple[int, float]]  # epochs so far, last accuracy: of each trial that ended, in turn
Rule = Callable[[np.ndarray], tuple[int, Ends]]  # curves -> epochs in all, and the ends


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path, nargs="+", help="studies without early stopping")
    parser.add_argument("--replays", type=int, default=200)
    parser.add_argument("--simulated", type=int, default=0, metavar="TRIALS")
    parser.add_argument("--searches", type=int, default=40, help="simulated, of each sampler")
    asked = parser.parse_args()
    for folder in asked.run:
        for model, curves in full_curves(folder).items():
            tell(f"{folder.name}, {model}", curves.to_numpy(), asked.replays)
            if asked.simulated:
                land = Landscape(folder, model, curves)
                orders = [land.curves(asked.simulated, seed) for seed in range(asked.replays)]
                tell_rules(f"{folder.name}, {model}, simulated", orders)
                tell_first(f"{folder.name}, {model}, simulated", orders)
                tell_searches(f"{folder.name}, {model}, simulated", land, asked.searches)


def full_curves(folder: Path) -> dict[str, pd.DataFrame]:
    """Network -> val_accuracy by trial_id (rows) and epoch, of the trials that came to an end."""
    trials = pd.read_parquet(folder / "trials.parquet")
    epochs = pd.read_parquet(folder / "epochs.parquet")
    whole = trials[(trials["stage"] == "search") & (trials["status"] == "completed")]
    found = {}
    for model, group in whole.groupby("hp_model", sort=False):
        own = epochs[epochs["trial_id"].isin(group["trial_id"])]
        found[model] = own.pivot(index="trial_id", columns="epoch", values="val_accuracy")
    return found


def tell(name: str, curves: np.ndarray, replays: int) -> None:
    """The rules on shuffled curves, and how well each epoch predicts the last one."""
    shuffled = (np.random.default_rng(seed).permutation(len(curves)) for seed in range(replays))
    tell_rules(name, [curves[order] for order in shuffled])
    ranks = (spearmanr(curves[:, epoch], curves[:, -1]).statistic for epoch in range(len(curves.T)))
    said = ", ".join(f"{epoch}: {rank:.2f}" for epoch, rank in enumerate(ranks, 1))
    print(f"\nRank correlation of an epoch with the last: {said}")


def tell_rules(name: str, orders: list[np.ndarray]) -> None:
    trials, epochs = orders[0].shape
    print(f"\n{name}: {trials} trials of {epochs} epochs, {len(orders)} orders\n")
    heading("rule", "epochs", "saved by", "lost, points", "lost nothing in",
            "epochs to half a point of the best", "never")  # fmt: skip
    for rule, play in rules(trials, epochs).items():
        played = [play(curves) for curves in orders]
        best = [curves[:, -1].max() for curves in orders]
        run = [float(all_run) for all_run, _ in played]
        lost = points_lost(orders, played)
        reached = [until(ends, top - NEAR) for top, (_, ends) in zip(best, played, strict=True)]
        came = [epoch for epoch in reached if epoch is not None]
        saved, never = trials * epochs / median(run), 1 - len(came) / len(orders)
        same = sum(value < 1e-9 for value in lost) / len(lost)
        points = f"{median(lost):.2f} (mean {np.mean(lost):.2f}, at most {max(lost):.2f})"
        soon = f"{median(came):.0f}" if came else ""
        say(rule, spread(run, 0), f"{saved:.2f}", points, f"{same:.0%}", soon, f"{never:.0%}")


def tell_first(name: str, orders: list[np.ndarray]) -> None:
    """What a good first trial is worth, as the presets' first points mean to be: ASHA's two forms
    on the same orders, begun with one of the best."""
    print(f"\n{name}: the first trial is one of the best\n")
    heading("the first is of the best", "rule", "epochs", "lost, points", "within half a point in")
    forms = {"stopping": halved, "promoting": promoting}
    for share in (1.0, 0.5, 0.25, 0.1):
        begun = [begun_well(curves, share, seed) for seed, curves in enumerate(orders)]
        for form, play in forms.items():
            played = [play(curves, grace=1, factor=3) for curves in begun]
            lost = points_lost(begun, played)
            near = f"{sum(points <= 100 * NEAR for points in lost) / len(lost):.0%}"
            run = spread([float(all_run) for all_run, _ in played], 0)
            say(f"{share:.0%}", form, run, f"{np.mean(lost):.2f}", near)


def points_lost(orders: list[np.ndarray], played: list[tuple[int, Ends]]) -> list[float]:
    """Points of accuracy by which the best trial that ended is below the best of all, by order."""
    return [
        100 * (curves[:, -1].max() - max((last for _, last in ends), default=0.0))
        for curves, (_, ends) in zip(orders, played, strict=True)
    ]


def begun_well(curves: np.ndarray, share: float, seed: int) -> np.ndarray:
    """The same curves, one of the share that ends best put first."""
    best = np.argsort(-curves[:, -1])[: max(1, int(share * len(curves)))]
    first = int(np.random.default_rng(seed).choice(best))
    return np.vstack([curves[first], np.delete(curves, first, axis=0)])


def until(ends: Ends, wanted: float) -> int | None:
    """Epochs until a trial ended with at least the accuracy wanted."""
    return next((epochs for epochs, last in ends if last >= wanted), None)


def rules(trials: int, epochs: int) -> dict[str, Rule]:
    """What is compared: names as the table has them."""
    pairs = ((1, 3), (1, 2), (1, 4), (2, 3), (2, 2), (3, 3), (1, 5), (1, 6))
    found: dict[str, Rule] = {"none": partial(halved, grace=epochs, factor=3)}
    for grace, factor in pairs:
        if grace < epochs:
            found[f"ASHA, grace {grace}, factor {factor}"] = partial(
                halved, grace=grace, factor=factor
            )
    for factor in (2, 3, 4):
        found[f"ASHA, promoting, grace 1, factor {factor}"] = partial(
            promoting, grace=1, factor=factor
        )
    for factor in (2, 3):
        found[f"PASHA, grace 1, factor {factor}"] = partial(progressive, grace=1, factor=factor)
    for first in (1, 2):
        for share in (12, 6, 4):
            kept = max(1, trials // share)
            found[f"{first} of each, then the best {kept}"] = partial(
                best_of_first, first=first, kept=kept
            )
    return found | {f"median, grace {grace}": partial(medians, grace=grace) for grace in (1, 3)}


def halved(curves: np.ndarray, grace: int, factor: int) -> tuple[int, Ends]:
    """ASHA, one trial after another."""
    epochs = curves.shape[1]
    halving, run, ends = Halving(epochs, grace, factor), 0, Ends()
    for number, curve in enumerate(curves):
        for epoch, value in enumerate(curve, 1):
            judged = halving.judge(str(number), epoch, float(value))
            run += 1
            if judged is not None and judged.decision == "stop":
                break
        else:
            ends.append((run, float(curve[-1])))
    return run, ends


def promoting(curves: np.ndarray, grace: int, factor: int) -> tuple[int, Ends]:
    """ASHA as it was published (Li et al. 2020, algorithm 2): a trial waits at a rung, with its
    checkpoint, until it is one of the best 1/factor of those that came there; only where none is
    does a new one begin. If the last gets nobody so, the best of the furthest is trained on."""
    trials, epochs = curves.shape
    rungs = [0, *Halving(epochs, grace, factor).rungs, epochs]
    at, begun, run, ends = np.zeros(trials, int), 0, 0, Ends()
    while True:
        one = waiting(curves, rungs, at, factor)
        if one is None and begun < trials:
            one, begun = begun, begun + 1
        if one is None and not ends:
            one = int(np.where(at == at.max(), curves[:, rungs[at.max()] - 1], -1.0).argmax())
        if one is None:
            return run, ends
        run += rungs[at[one] + 1] - rungs[at[one]]
        at[one] += 1
        if rungs[at[one]] == epochs:
            ends.append((run, float(curves[one, -1])))


def waiting(curves: np.ndarray, rungs: list[int], at: np.ndarray, factor: int) -> int | None:
    """Who is to go on next, from the highest rung on; None where all are to wait."""
    for rung in range(len(rungs) - 2, 0, -1):
        there = np.flatnonzero(at >= rung)
        best = there[np.argsort(-curves[there, rungs[rung] - 1], kind="stable")]
        due = [int(one) for one in best[: len(there) // factor] if at[one] == rung]
        if due:
            return due[0]
    return None


def progressive(curves: np.ndarray, grace: int, factor: int) -> tuple[int, Ends]:
    """PASHA (Bohdal et al. 2023, arXiv:2207.06940): ASHA whose last rung is moved up as long as the
    two highest rungs rank the trials that both have otherwise; the best there is trained on.
    """
    trials, epochs = curves.shape
    rungs = [*Halving(epochs, grace, factor).rungs, epochs]
    done, top, run = np.zeros(trials, int), min(1, len(rungs) - 1), 0
    for number in range(trials):
        waiting = [number]
        while waiting:
            one = waiting.pop()
            for rung in rungs[: top + 1]:
                if rung <= done[one]:
                    continue
                run += rung - done[one]
                done[one] = rung
                there = curves[done >= rung, rung - 1]
                cutoff = np.percentile(there, 100 * (1 - 1 / factor))
                if rung < rungs[top] and curves[one, rung - 1] < cutoff:
                    break
            both = np.flatnonzero(done >= rungs[top])
            low, high = (curves[both, rungs[at] - 1] for at in (top - 1, top))
            if top < len(rungs) - 1 and (np.argsort(low) != np.argsort(high)).any():
                top += 1
                waiting += list(both)
    best = int(np.where(done == done.max(), curves[:, done.max() - 1], -1).argmax())
    run += epochs - int(done[best])
    return int(run), [(int(run), float(curves[best, -1]))]


def best_of_first(curves: np.ndarray, first: int, kept: int) -> tuple[int, Ends]:
    """Every trial's first epochs, then the best of them to their end."""
    trials, epochs = curves.shape
    run, ends = trials * first, Ends()
    for one in np.argsort(-curves[:, first - 1])[:kept]:
        run += epochs - first
        ends.append((run, float(curves[one, -1])))
    return run, ends


def medians(curves: np.ndarray, grace: int) -> tuple[int, Ends]:
    """Stops a trial whose best so far is below the median of the others' means up to there, of
    which there must be a few (Golovin et al. 2017, Google Vizier)."""
    run, ends, before = 0, Ends(), list[np.ndarray]()
    for curve in curves:
        for epoch in range(1, len(curve) + 1):
            run += 1
            means = [other[:epoch].mean() for other in before if len(other) >= epoch]
            if grace <= epoch < len(curve) and len(means) >= FEW:
                if curve[:epoch].max() < np.median(means):
                    break
        else:
            ends.append((run, float(curve[-1])))
        before.append(curve[:epoch])
    return run, ends


class Landscape:
    """What stored trials say of all others: near ones, weighted by distance along the axes of the
    space, and what is not explained by them as it was seen at one of them.
    """

    def __init__(self, folder: Path, model: str, curves: pd.DataFrame) -> None:
        header = json.loads((folder / "study.json").read_text())
        self.study: Study = from_dict({**header["study"], "settings": []})
        self.space: dict[str, BaseDistribution] = earlier.distributions(self.study, model)
        trials = pd.read_parquet(folder / "trials.parquet").set_index("trial_id")
        rows = trials.loc[curves.index].rename(columns=lambda name: name.removeprefix("hp_"))
        names = [label.rpartition(".")[2] for label in self.space]
        points = [dict(zip(self.space, row, strict=True)) for row in rows[names].to_numpy()]
        self.places = np.array([self.place(point) for point in points])
        self.stored = curves.to_numpy()
        apart = np.linalg.norm(self.places[:, None] - self.places[None], axis=2)
        np.fill_diagonal(apart, np.inf)
        self.width = float(np.median(apart.min(1)))
        self.noise = self.stored - np.array([self.smooth(place) for place in self.places])
        self.best = max(float(self.smooth(self.place(p))[-1]) for p in self.points(4000, seed=0))

    def place(self, point: dict[str, Any]) -> np.ndarray:
        """Each hyperparameter as a place in [0, 1] along its axis; a choice as one axis each."""
        found = []
        for name, domain in self.space.items():
            if isinstance(domain, CategoricalDistribution):
                found += [float(choice == point[name]) / 2**0.5 for choice in domain.choices]
                continue
            low, high, value = domain.low, domain.high, float(point[name])
            if domain.log:
                low, high, value = np.log(low), np.log(high), np.log(value)
            found.append((value - low) / (high - low))
        return np.array(found)

    def points(self, count: int, seed: int) -> list[dict[str, Any]]:
        """Points of the space, at random."""
        drawn = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=seed))
        return [drawn.ask(self.space).params for _ in range(count)]

    def smooth(self, place: np.ndarray) -> np.ndarray:
        """The curve that the stored trials near a place have, (epochs,)."""
        far = np.linalg.norm(self.places - place, axis=1) / self.width
        weights = np.exp(-(far**2) / 2) + 1e-12
        return weights @ self.stored / weights.sum()

    def curve(self, point: dict[str, Any], drawn: np.random.Generator) -> np.ndarray:
        """As one trial would have it."""
        return self.smooth(self.place(point)) + self.noise[drawn.integers(len(self.noise))]

    def curves(self, count: int, seed: int) -> np.ndarray:
        """Of trials at random, (count, epochs)."""
        drawn = np.random.default_rng(seed)
        return np.array([self.curve(point, drawn) for point in self.points(count, seed)])


def tell_searches(name: str, land: Landscape, searches: int) -> None:
    """TPE, begun after so many trials, with ASHA as it is: what its choice lacks of the best."""
    budgets = (60, 110, 200)
    print(f"\n{name}: ASHA (grace 1, factor 3), {searches} searches of each sampler\n")
    heading("sampler", *(f"points below the best after {epochs} epochs" for epochs in budgets))
    for start in (None, 2, 3, 5, 8, 10):
        lacking = np.array([searched(land, start, seed, budgets) for seed in range(searches)])
        cells = [f"{np.mean(column):.2f} +- {np.std(column) / searches**0.5:.2f}"
                 for column in 100 * lacking.T]  # fmt: skip
        say("at random" if start is None else f"TPE after {start} trials", *cells)


def searched(
    land: Landscape, start: int | None, seed: int, budgets: tuple[int, ...]
) -> list[float]:
    """What the chosen point lacks of the landscape's best, without noise, after each budget: the
    best of those that came furthest is chosen, as a study does."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        sampler: optuna.samplers.BaseSampler = optuna.samplers.RandomSampler(seed=seed)
        if start is not None:
            sampler = optuna.samplers.TPESampler(
                seed=seed, multivariate=True, n_startup_trials=start
            )
    asked = optuna.create_study(direction="maximize", sampler=sampler)
    drawn, halving = np.random.default_rng(seed), Halving(land.stored.shape[1], 1, 3)
    run, chosen, lacking = 0, (0, 0.0), list[float]()
    true = 0.0
    while len(lacking) < len(budgets):
        trial = asked.ask(land.space)
        curve, stopped = land.curve(trial.params, drawn), False
        for epoch, value in enumerate(curve, 1):
            run += 1
            trial.report(float(value), epoch)
            judged = halving.judge(str(trial.number), epoch, float(value))
            if (epoch, float(value)) > chosen:
                chosen, true = (epoch, float(value)), land.smooth(land.place(trial.params))[-1]
            if run in budgets:
                lacking.append(land.best - true)
            if stopped := judged is not None and judged.decision == "stop":
                break
        state = optuna.trial.TrialState.PRUNED if stopped else None
        asked.tell(trial, None if stopped else float(curve[-1]), state=state)
    return lacking


if __name__ == "__main__":
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    main()
