"""The report's section on the search."""

from typing import Any

import pandas as pd

from results.artefacts.load import Findings
from results.facts import halving, search, status
from results.figures import charts
from results.report.blocks import Figure, Section, Text, table
from results.report.sections.importance import important
from results.words import listed, signed

BUDGETS = {"trials": "trials", "epochs": "epochs", "seconds": "seconds of computing",
           "multiply_adds": "multiply-adds of training"}  # fmt: skip
SLICES = 6  # hyperparameters drawn, those that vary most


def found(one: Findings, confirmed: pd.DataFrame, several: bool) -> Section | None:
    """Everything about one study's search; None where it had none."""
    trials = search.searched(one)
    if trials.empty:
        return None
    blocks: list[Any] = []
    best = search.best(trials)
    if len(best):
        told = [f"{row['model']} {100 * row['val_accuracy']:.1f} % ({row['trial_id']}, epoch "
                f"{row['last_epoch']:.0f})" for _, row in best.iterrows()]  # fmt: skip
        blocks.append(Text(f"Best on val, of the trials that came furthest: {'; '.join(told)}."))
    blocks += [Text(words, "note") for words in edge_words(one, trials)]
    blocks += budget(one, trials)
    blocks += cursed(one, confirmed)
    blocks += early_stopping(one, trials)
    blocks += hyperparameters(one, trials)
    blocks += important(one, trials)
    return Section(f"The search of {one.name}" if several else "The search", blocks)


def beyond(one: Findings, confirmed: pd.DataFrame, several: bool) -> Section | None:
    """What of a search can't be drawn again for any selection of its trials; None without one."""
    trials = search.searched(one)
    if trials.empty:
        return None
    blocks: list[Any] = [Text(words, "note") for words in edge_words(one, trials)]
    blocks += cursed(one, confirmed)
    blocks += important(one, trials)
    title = "What the whole search says"
    return Section(f"{title}, {one.name}" if several else title, blocks) if blocks else None


def edge_words(one: Findings, trials: pd.DataFrame) -> list[str]:
    return [
        f"{row['model']}'s best {row['hyperparameter']}, {row['best']:.4g}, lies on the "
        f"{row['edge']} edge of what was searched ({row['searched']}): a better one may lie beyond."
        for _, row in search.edges(one, trials).iterrows()
    ]


def budget(one: Findings, trials: pd.DataFrame) -> list[Any]:
    """Expected best val accuracy against four budgets."""
    whole = one.study["data"].get("images", {}).get("train", 0)
    images = one.study["study"].get("train_images") or whole
    frame = search.expected(trials, min(images, whole) if whole else 1)
    if frame.empty:
        return []
    ends = frame.groupby("model", sort=False).last()
    told = [f"{model} {100 * row['expected']:.1f} % after {row['trials']:.0f} trial(s), "
            f"{status.duration(row['seconds'])}"
            for model, row in ends.iterrows()]  # fmt: skip
    kinds = {"model": "text", "trials": "count", "epochs": "number", "seconds": "number",
             "multiply_adds": "large", "expected": "percent", "low": "percent",
             "high": "percent"}  # fmt: skip
    budgets = BUDGETS | ({"seconds": "GPU-seconds"} if search.on_gpus(trials) else {})
    plots = [(f"Against {words}", charts.expected_best(frame, name, words))
             for name, words in budgets.items()]  # fmt: skip
    summary = (
        f"Best val accuracy to be expected at the end: {', '.join(told)}. Bands reach from the "
        "10 % to the 90 % point of such a search."
    )
    so_far = search.progress(trials)
    kinds_so_far = {"model": "text", "trial_id": "text", "trials": "count", "epochs": "count",
                    "seconds": "number", "val_accuracy": "percent", "best": "percent"}  # fmt: skip
    return [
        Figure("expected-best", "What a budget buys", summary, plots,
               table("expected-best", "Expected best", frame, kinds, True)),
        table("progress", "Best so far, in the order in which trials ended", so_far,
              kinds_so_far, True),
        Text("The unbiased estimator of Tang et al. 2020: the best of n trials drawn from those "
             "that were run. A trial that ASHA stopped counts with its last val accuracy, a failed "
             "one with zero. Epochs, seconds and multiply-adds (a step is three forward passes) "
             "are n times the network's mean.", "quiet"),
    ]  # fmt: skip


def cursed(one: Findings, confirmed: pd.DataFrame) -> list[Any]:
    """The winner's curse: searched and confirmed val accuracy of one configuration."""
    frame = search.curse(one, confirmed)
    if frame.empty:
        return []
    told = [f"{row['setting']} {100 * row['searched']:.1f} % in the search, "
            f"{100 * row['mean']:.1f} % confirmed ({signed(-100 * row['lost'], 1)})"
            for _, row in frame.iterrows()]  # fmt: skip
    kinds = {"setting": "text", "from_trial": "text", "epoch": "count", "searched": "percent",
             "mean": "percent", "low": "percent", "high": "percent", "seeds": "count",
             "lost": "points"}  # fmt: skip
    words = (
        f"Chosen for being the best, a figure is flattered: {'; '.join(told)}, both on val. "
        "Where the search stopped before the last epoch, the confirmation trained longer."
    )
    return [Text(words), table("winners-curse", "The winner's curse", frame, kinds, True)]


def early_stopping(one: Findings, trials: pd.DataFrame) -> list[Any]:
    """The trials' curves with ASHA's rungs, what it saved, and whether its rungs foretell."""
    frame, rungs = halving.trial_curves(one, trials), halving.rungs(one, trials)
    saved = halving.savings(trials)
    blocks: list[Any] = []
    if len(frame):
        stopped = int((trials["status"] == "stopped").sum())
        summary = f"{len(trials)} trials, {stopped} stopped early (crosses)." + (
            f" Dotted: the rungs at epoch {listed([str(n) for n in sorted(set(rungs['rung']))])}."
            if len(rungs) else ""
        )  # fmt: skip
        rows = frame.dropna(subset=["epoch"])
        blocks.append(
            Figure("trials", "Every trial of the search", summary,
                   [("Accuracy, val", charts.trial_lines(frame, rungs))],
                   table("search-curves", "Val accuracy by epoch", rows,
                         {"model": "text", "trial_id": "text", "epoch": "count",
                          "val_accuracy": "percent"}, True))
        )  # fmt: skip
    if len(saved) and len(rungs):
        row = saved.iloc[-1]
        words = (
            f"ASHA ran {row['epochs_run']:,.0f} of {row['epochs_asked']:,.0f} epochs and saved "
            f"{100 * row['saved']:.0f} %."
        )
        known = rungs.dropna(subset=["spearman"])
        if len(known):
            told = ", ".join(f"{r['model']} {r['spearman']:.2f} at rung {r['rung']:.0f}"
                             for _, r in known.iterrows())  # fmt: skip
            words += f" Rank correlation of a rung with the end, survivors only: {told}."
        else:
            words += " Too few trials reached the end to say whether its rungs foretell it."
        kinds = {"model": "text", "rung": "count", "judged": "count", "stopped": "count",
                 "reached_the_end": "count", "spearman": "number"}  # fmt: skip
        blocks += [Text(words), table("rungs", "The rungs", rungs, kinds, True)]
        again = halving.replay(one, trials)
        if len(again) > 1:
            row = again.iloc[-1]
            blocks.append(
                Text(f"Replayed on the stored curves with a reduction factor of "
                     f"{row['reduction_factor']:.0f}, one trial after the other: "
                     f"{row['epochs_run']:,.0f} epochs and {100 * row['lost']:.1f} points of val "
                     "accuracy lost.")
            )  # fmt: skip
            kinds = {"reduction_factor": "count", "epochs_run": "count", "saved": "share",
                     "best": "percent", "lost": "gap"}  # fmt: skip
            labels = {"saved": "saved of what was run"}
            blocks.append(table("replay", "Stricter, replayed", again, kinds, True, labels))
    if len(saved):
        kinds = {"model": "text", "trials": "count", "stopped": "count", "failed": "count",
                 "epochs_asked": "count", "epochs_run": "count", "saved": "share",
                 "seconds": "count"}  # fmt: skip
        blocks.append(table("savings", "Epochs asked and run", saved, kinds, True))
    return blocks


def hyperparameters(one: Findings, trials: pd.DataFrame) -> list[Any]:
    """Slices, the map of lr and batch size, and rank correlations at one epoch."""
    ran = trials[trials["ran"]]
    if len(ran) < 3:
        return [Text("Too few trials to draw a hyperparameter.", "quiet")]
    names = sorted(search.varied(one, ran), key=lambda name: -ran[f"hp_{name}"].nunique())[:SLICES]
    if not names:
        return []
    logs = {name: is_log(one, name) for name in names}
    plots = [(name, charts.slice_of(ran, name, logs[name])) for name in names]
    frame = search.influence(one, trials)
    kinds = {"model": "text", "hyperparameter": "text", "epoch": "count", "trials": "count",
             "spearman": "number", "eta_squared": "number"}  # fmt: skip
    rows = ran[["model", "trial_id", "status", "last_epoch", "val_accuracy",
                *[f"hp_{name}" for name in names]]]  # fmt: skip
    row_kinds = {column: "text" for column in rows} | {"val_accuracy": "percent",
                                                       "last_epoch": "count"}  # fmt: skip
    if len(frame):
        value = frame["spearman"].abs().fillna(frame["eta_squared"])
        top = frame.loc[value.idxmax()] if value.notna().any() else None
    else:
        top = None
    summary = "Val accuracy of each trial at its last epoch; hollow marks were stopped early."
    if top is not None:
        how = (f"rank correlation {top['spearman']:+.2f}" if pd.notna(top["spearman"])
               else f"{100 * top['eta_squared']:.0f} % of the ranks' variance")  # fmt: skip
        summary += (
            f" At epoch {top['epoch']}, which every trial reached, the strongest is "
            f"{top['hyperparameter']} of {top['model']} ({how}, {top['trials']} trials)."
        )
    blocks: list[Any] = [
        Figure("slices", "One hyperparameter at a time", summary, plots,
               table("slices", "The trials drawn", rows, row_kinds, True)),
        table("influence", "Influence at one epoch that every trial of the network reached", frame,
              kinds, True),
    ]  # fmt: skip
    models = [m for m, g in ran.groupby("model") if len(g) > 2 and g["hp_batch_size"].nunique() > 1
              and g["hp_lr"].nunique() > 1]  # fmt: skip
    if models:
        pair = rows if {"hp_lr", "hp_batch_size"} <= set(rows) else ran
        blocks.append(
            Figure("lr-batch", "Learning rate and batch size together",
                   "Each mark is a trial; the brighter, the higher its val accuracy at its last "
                   "epoch. Hollow marks were stopped early, so they don't compare with the full.",
                   [(model, charts.lr_batch_map(ran, model)) for model in models],
                   table("lr-batch", "lr, batch size and val accuracy", pair,
                         {"model": "text", "trial_id": "text", "hp_lr": "number",
                          "hp_batch_size": "count", "val_accuracy": "percent"}, True))
        )  # fmt: skip
    return blocks


def is_log(one: Findings, name: str) -> bool:
    asked = [search.space(one, model).get(name) for model in one.study["study"].get("models", [])]
    return any(isinstance(value, dict) and value.get("log") for value in asked)
